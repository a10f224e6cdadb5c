"""Running a screen on this machine, a structure at a time; what is done is kept line by line and not done again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jobflow import Flow
from pydantic import ValidationError
from ruamel.yaml import YAML

from barriers.analysis.screen import (
    NOT_YET,
    ROOM,
    UNFINISHED,
    Percolating,
    ScreenDoc,
    ScreenRow,
    chosen,
    rank_correlation,
    ranked,
)
from barriers.disk import writing
from barriers.dispatch.local import LocalRun
from barriers.documents import EstimateDoc, StudyDoc
from barriers.structures.crystal import space_group
from barriers.structures.network.ordered_crystal import OrderedCrystal
from barriers.study.forms import CrystalStudy
from barriers.workflow.crystal import read_crystal
from barriers.workflow.screen import Candidate, Screen, Seen, candidate, estimate_flow, estimated_network

LEDGER = "screened.jsonl"


class Ledger:
    """Rows that are done, by what they rest on: a line each, so that a kill loses none but the last.

    Parameters
    ----------
    folder : Path
        Results folder of the screen.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LEDGER
        self._rows: dict[str, ScreenRow] = {}
        if self.path.exists():
            with self.path.open(encoding="utf-8") as lines:
                for line in lines:
                    self._read(line)

    def get(self, key: str, name: str, file: str) -> ScreenRow | None:
        """Give the row of a key, under the name and file that it has now."""
        row = self._rows.get(key)
        return row and row.model_copy(update={"name": name, "file": file})

    def keep(self, key: str, row: ScreenRow) -> ScreenRow:
        """Keep a row, if nothing is left to be done for it, and give it back."""
        if row.state not in (*UNFINISHED, "the same"):
            self._rows[key] = row
            with writing(self.path), self.path.open("a", encoding="utf-8") as file:
                # A kill may have left half a line before this one.
                file.write("\n" * self._is_torn() + json.dumps({"key": key, "row": row.model_dump()}) + "\n")
        return row

    def _is_torn(self) -> bool:
        if not (self.path.exists() and self.path.stat().st_size):
            return False
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read() != b"\n"

    def _read(self, line: str) -> None:
        try:
            content = json.loads(line)
            self._rows[content["key"]] = ScreenRow.model_validate(content["row"])
        except (ValueError, KeyError, TypeError, ValidationError):
            return  # half a line, or one of another version: it is done again


class ScreenRun:
    """A screen on its way: first the estimates of all structures, then the barriers of the best.

    One structure is in memory at a time.

    Parameters
    ----------
    screen : Screen
        What :func:`~barriers.workflow.screen.read_screen` gives.
    folder : Path
        Results folder of the screen.
    estimate : callable
        Runs the flow of a structure's estimates in that folder.
    study : callable
        Runs the study of one structure in a folder of its own, which holds ``study.yaml`` and the structure file.

    Attributes
    ----------
    rows : dict[str, ScreenRow]
        Those there are, by name.
    force_calls : int
        Evaluations of this run.
    """

    def __init__(
        self,
        screen: Screen,
        folder: Path,
        estimate: Callable[[Flow], LocalRun],
        study: Callable[[CrystalStudy, Path], LocalRun],
    ) -> None:
        self.screen, self.folder = screen, folder
        self._run_estimate, self._run_study = estimate, study
        folder.mkdir(parents=True, exist_ok=True)
        self.ledger, self._seen = Ledger(folder), Seen()
        self.rows: dict[str, ScreenRow] = {}
        self.force_calls = 0
        self._rests_on: Any = self.screen.engine.estimate().identity()

    def estimates(self) -> Iterator[tuple[ScreenRow, bool]]:
        """Estimate all structures, in the order of their names; say of each whether it was computed now."""
        for name, path in self.screen.files.items():
            key = self.screen.key(name, self._rests_on)
            known = self.ledger.get(key, name, path.name)
            row = self._without_twin(known) if known else self._screened(key, name, path)
            self.rows[name] = row
            yield row, known is None

    def barriers(self, best: int) -> Iterator[tuple[ScreenRow, bool]]:
        """Compute the barriers of the structures with the lowest estimates, the lowest first."""
        for row in chosen(self.rows.values(), best):
            key = self.screen.key(row.name, {"bands": self._rests_on})
            known = self.ledger.get(key, row.name, row.file)
            self.rows[row.name] = known or self.ledger.keep(key, self._computed(row))
            yield self.rows[row.name], known is None

    def document(self, best: int) -> ScreenDoc:
        """Give all that is known now."""
        rows = ranked(self.rows.values())
        correlation, compared = rank_correlation(rows)
        return ScreenDoc(
            name=self.screen.name,
            ion=self.screen.ion,
            model=self.screen.engine.model,
            best=best,
            rows=rows,
            left=len(self.screen.files) - len(rows),
            correlation=correlation,
            compared=compared,
        )

    def _without_twin(self, row: ScreenRow) -> ScreenRow:
        """Give a known row, unless another structure that came before it is the same crystal."""
        if row.formula is None or row.space_group is None:
            return row
        other = self._seen.add(row.formula, row.space_group, row.name, self.screen.files[row.name])
        return _twin(row, other) if other else row

    def _screened(self, key: str, name: str, path: Path) -> ScreenRow:
        started = time.monotonic()
        row = ScreenRow(name=name, file=path.name, state="refused")
        try:
            study = self.screen.study(name)
            cell = read_crystal(study.crystal)
            if isinstance(cell, OrderedCrystal):
                raise ValueError("sites are held in part; allowed: a study of its own, which orders them")
            row.formula, row.space_group = cell.composition.reduced_formula, space_group(cell)
            if other := self._seen.add(row.formula, row.space_group, name, path):
                return _twin(row, other)
            found = candidate(study)
        except Exception as error:  # whatever a reader or a search makes of a stranger's file is that file's row
            return self.ledger.keep(key, _refused(row, error, path))
        row.hops, row.atoms, row.dimension = len(found.network.hops), len(found.built.structure), found.dimension
        if found.dimension == 0:
            row.state, row.reason = "no way through", "no chain of hops connects a site with its own images"
        else:
            self._estimate(row, found)
        row.seconds = round(time.monotonic() - started, 2)
        return self.ledger.keep(key, row)

    def _estimate(self, row: ScreenRow, found: Candidate) -> None:
        outcome = self._run_estimate(estimate_flow(self.screen.engine, found))
        self.force_calls += outcome.force_calls
        document: EstimateDoc | None = outcome.output
        if document is None:
            row.reason = next(iter(outcome.failures.values()), "the estimate failed")
            row.state = "waiting" if row.reason == NOT_YET else "failed"
            return
        row.calls = document.cost.force_calls
        row.estimate = Percolating.of(estimated_network(found, document))
        row.notes = [f"{hop.label}: no estimate, {hop.reason}" for hop in document.hops if hop.reason]
        row.state = "estimated"
        if row.estimate.one is None:
            row.reason = row.notes[0] if row.notes else "no chain of estimated hops goes on"

    def _computed(self, row: ScreenRow) -> ScreenRow:
        started = time.monotonic()
        outcome = self._run_study(*self._study_of(row.name))
        self.force_calls += outcome.force_calls
        found = with_barriers(row, outcome.output)
        if outcome.output is None:
            found.reason = next(iter(outcome.failures.values()), found.reason)
        found.band_seconds = round(time.monotonic() - started, 2)
        return found

    def _study_of(self, name: str) -> tuple[CrystalStudy, Path]:
        """Write the study of a structure into a folder of its own, its file beside it, as `barriers run` takes it."""
        folder, path = self.folder / name, self.screen.files[name]
        with writing(folder):
            folder.mkdir(exist_ok=True)
            shutil.copyfile(path, folder / path.name)
            with (folder / "study.yaml").open("w", encoding="utf-8") as file:
                YAML().dump(self.screen.content(name, path.name), file)
        study = self.screen.study(name)
        crystal = study.crystal.model_copy(update={"file": str(folder / path.name)})
        return study.model_copy(update={"crystal": crystal}), folder


def with_barriers(row: ScreenRow, document: StudyDoc | None) -> ScreenRow:
    """Add to the row of a structure what its study has found; None where it has come to no document."""
    found = row.model_copy(deep=True)
    found.state, found.reason = "failed", "its calculations failed"
    if document is None or document.network is None:
        return found
    missing = [f"{gap.hop}: {gap.reason}" for gap in document.gaps]
    missing += [f"{each.hop_name}: {each.reason}" for each in document.barriers if not each.converged]
    network = document.network
    found.state, found.reason = ("not converged", missing[0]) if missing else ("barrier", None)
    if any(gap.reason == NOT_YET for gap in document.gaps):
        found.state, found.reason = "waiting", NOT_YET
    found.barrier = Percolating.of(network)
    found.uncertainty = next((each.uncertainty for each in network.percolation if each.name == "1-D"), None)
    found.diffusion = next((each.mean for each in network.rows if each.temperature == ROOM), None)
    found.band_calls = sum(each.cost.force_calls for each in document.barriers)
    found.notes = [*row.notes, *network.notes]
    return found


def _twin(row: ScreenRow, other: str) -> ScreenRow:
    return ScreenRow(
        name=row.name,
        file=row.file,
        state="the same",
        reason=f"the same crystal as {other}",
        formula=row.formula,
        space_group=row.space_group,
    )


def _refused(row: ScreenRow, error: Exception, path: Path) -> ScreenRow:
    said = " ".join(str(error).split()) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    row.reason = said.replace(f"crystal.file: {path}: ", "").removeprefix("crystal: ")
    return row
