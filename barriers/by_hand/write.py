"""Everything that a study will run as files: inputs and a job script for each calculation. Runs no code."""

from __future__ import annotations

import filecmp
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobflow import JobStore

from barriers.by_hand.script import script_text
from barriers.by_hand.walk import Calculation, walk
from barriers.dispatch.execution import execute, slug
from barriers.dispatch.identity import contents, key_of
from barriers.dispatch.opening import DOCUMENTS
from barriers.dispatch.store import config_folder, configured_store, results_store
from barriers.engines import build_engine
from barriers.engines.density import DensityDoc
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.command import code_version
from barriers.engines.mlip import MlipEngine
from barriers.engines.protocol import NotHereError
from barriers.study.forms import AnyStudy
from barriers.workflow.study import StudyMaker

ABOUT, SCRIPT = "job.json", "job.sh"

NEWEST = "7.2"
"""Version of Quantum ESPRESSO that inputs are for where neither the user nor a code here says one."""


@dataclass(frozen=True)
class Written:
    """A calculation's input files.

    Attributes
    ----------
    job : str
        Name of its job.
    folder : str
        Where they are.
    kind : str
        ``static``, ``relax`` or ``neb``.
    atoms : int
        Number of atoms.
    rests_on : list[str]
        Calculations without a result, in whose place it has stand-ins; empty if it can run as it is.
    """

    job: str
    folder: str
    kind: str
    atoms: int
    rests_on: list[str]


@dataclass(frozen=True)
class Inputs:
    """What was written, for which version of the code, how many calculations are done, and what stand-ins are."""

    written: list[Written]
    version: str
    done: int
    stand_ins: str


def write_inputs(
    study: AnyStudy,
    folder: Path,
    results: Path,
    version: str | None = None,
    embedded: bool = False,
    tell: Callable[[str], None] = lambda _name: None,
) -> Inputs:
    """Write input files and a job script for every calculation of a study that has no result yet.

    Parameters
    ----------
    study : Study, CrystalStudy or EndpointStudy
        With an engine whose code reads files.
    folder : Path
        Where each calculation gets a folder.
    results : Path
        The study's results folder; results in it take the place of stand-ins.
    version : str or None
        Version of Quantum ESPRESSO that reads the files; that of the code here if None, else :data:`NEWEST`.
    embedded : bool
        Relax with the embedded engine what has no result, instead of taking it unrelaxed.
    tell : callable
        Told the name of each calculation before its files are written.

    Raises
    ------
    ValueError
        One line, if the engine reads no files, a setting or structure is wrong, or outputs of other inputs are there.
    """
    check_reads_files(study)
    flow = StudyMaker().make(study)
    store = open_results(results, make=embedded)
    written: list[Written] = []
    asked = 0
    said, stand_ins = version, "relaxed by the embedded engine" if embedded else "unrelaxed"

    def give(calculation: Calculation) -> tuple[Any, bool] | None:
        nonlocal asked, said
        asked += 1
        tell(calculation.job.name)
        maker = calculation.job.maker
        if calculation.job.output_schema is DensityDoc:  # several programs after each other; `barriers run` does it
            return None
        if not hasattr(maker, "write_inputs"):  # of the embedded engine, which reads no files
            return _embedded(calculation, maker, store, results) if embedded and store is not None else None
        if isinstance(maker, EspressoMaker):
            said = said or _version_here(maker)
            maker = maker.elsewhere(said)
        written.append(_write(calculation, maker, folder, stand_ins))
        if embedded and store is not None and calculation.kind == "relax":
            return _embedded(calculation, MlipEngine().relax(maker.fmax, maker.max_steps), store, results, own=False)
        return None

    number = walk(flow, store, give)
    return Inputs(written, said or "", number - asked, stand_ins)


def open_results(results: Path, *, make: bool = False) -> JobStore | None:
    """Open the store of a study's results; None where there is none and none is to be made."""
    if not make and not (results / DOCUMENTS).exists():
        return configured_store(config_folder())
    results.mkdir(parents=True, exist_ok=True)
    return results_store(results)


def check_reads_files(study: AnyStudy) -> None:
    """Raise ``ValueError`` for a study whose engine reads no files, or has a wrong setting."""
    kind, neb = study.engine.kind, study.engine.neb
    if kind == "mlip":
        raise ValueError("engine.kind: 'mlip' computes inside this program and reads no files; allowed: espresso, vasp")
    if neb != "band":
        raise ValueError(f"engine.neb: {neb!r} chooses each structure by the results before it; allowed: band")
    with suppress(NotHereError):  # the files are written for another machine
        build_engine(study.engine).check(n_images=study.path.n_images)


def _version_here(maker: EspressoMaker) -> str:
    try:
        return code_version(maker.command)[1]
    except ValueError:  # no code here
        return NEWEST


def _write(calculation: Calculation, maker: Any, folder: Path, stand_ins: str) -> Written:
    name, rests_on = slug(calculation.job.name), list(calculation.rests_on)
    place = folder / f"{calculation.number:02d}-{name}"
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch)
        script = maker.write_inputs(fresh, *calculation.arguments)
        inputs = sorted(str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file())
        written = Written(calculation.job.name, place.name, calculation.kind, len(calculation.structure), rests_on)
        about = json.dumps(asdict(written) | {"files": inputs}, indent=1)
        (fresh / ABOUT).write_text(about, "utf-8")
        first = next(file for file in inputs if "/" not in file)
        (fresh / SCRIPT).write_text(script_text(name, script, first, rests_on, stand_ins), "utf-8")
        _make_room(place, fresh, inputs)
        shutil.copytree(fresh, place, dirs_exist_ok=True)
    return written


def _make_room(place: Path, fresh: Path, inputs: list[str]) -> None:
    """Take older inputs away; raise ``ValueError`` where there are outputs of them."""
    if not place.exists():
        return
    older = json.loads((place / ABOUT).read_text("utf-8"))["files"] if (place / ABOUT).exists() else []
    there = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    outputs = sorted(there - {*older, ABOUT, SCRIPT})
    if not outputs:
        shutil.rmtree(place)
    elif any(file not in there or not filecmp.cmp(fresh / file, place / file, shallow=False) for file in inputs):
        raise ValueError(f"--to: {place} holds {outputs[0]} of other inputs; move it away, or write to another folder")


def _embedded(
    calculation: Calculation, maker: Any, store: JobStore, results: Path, own: bool | None = None
) -> tuple[Any, bool] | None:
    """Run a calculation with the embedded engine; its result is kept with the study's, so that it runs once."""
    job = maker.make(*calculation.arguments)
    job.name = f"embedded: {calculation.job.name}"
    job.metadata = dict(calculation.job.metadata)
    job.set_uuid(key_of(contents(job)))
    done = execute(job, store, results)
    if done.state == "failed":
        raise RuntimeError(f"{job.name}: {done.message}; files in {done.folder}")
    return store.get_output(job.uuid, load=True), not calculation.rests_on if own is None else own
