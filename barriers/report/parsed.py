"""Bands that others made: what was read, what was checked, and where its results go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from barriers.documents import BarrierDoc, ReadDoc, StudyDoc
from barriers.report.folder import DOCUMENT, read_results
from barriers.report.tables import barrier_json, study_json

MARKS = {"ok": "✓", "doubtful": "!", "wrong": "✗", "unknown": "?"}
"""How verdicts of the referee are shown."""


def checks_json(study: StudyDoc) -> Any:
    """What ``--check --json`` says: an object for a band, a list for several."""
    bands = [_checked(barrier) for barrier in study.barriers]
    return bands[0] if len(bands) == 1 else bands


def _checked(barrier: BarrierDoc) -> dict[str, Any]:
    read = _read(barrier)
    return {
        "system": barrier.system,
        "band": read.name,
        "made_with": _made_with(barrier),
        "accepted": barrier.converged,
        "reason": barrier.reason,
        "energy": read.energy,
        "files": read.files,
        "checks": [check.model_dump() for check in read.checks],
    }


def parsed_json(study: StudyDoc) -> dict[str, Any]:
    """What ``--json`` says of bands that were read from files: of one alone, or of the comparison of several."""
    bands = [
        barrier_json(barrier)
        | {
            "made_with": _made_with(barrier),
            "energy": _read(barrier).energy,
            "files": _read(barrier).files,
            "energies": barrier.band.energies,
            "distances": barrier.profile["distances"] if barrier.profile else None,
            "checks": barrier.checks,
        }
        for barrier in study.barriers
    ]
    return bands[0] if len(bands) == 1 else study_json(study) | {"barriers": bands}


def _made_with(barrier: BarrierDoc) -> str:
    return f"{barrier.band.engine.name} {barrier.band.engine.version}"


def _read(barrier: BarrierDoc) -> ReadDoc:
    assert barrier.band.read is not None
    return barrier.band.read


def checks_table(study: StudyDoc) -> Group:
    """Lay out all checks, a row each, with what was seen; then what is wrong or doubtful, and the files."""
    parts: list[Any] = []
    for barrier in study.barriers:
        read = _read(barrier)
        verdict = "accepted" if barrier.converged else "refused"
        title = f"{barrier.system}: {_made_with(barrier)}, band {read.name}, {read.energy}: {verdict}"
        table = Table(title=escape(title), title_justify="left", header_style="bold")
        for heading in ("Check", "", "Seen in the images"):
            table.add_column(heading)
        for check in read.checks:
            table.add_row(escape(check.name), MARKS[check.verdict], escape(_seen(check.seen)))
        said = [f"{MARKS[check.verdict]} {check.says}" for check in read.checks if check.says]
        parts += [table, *map(escape, said)]
    return Group(*parts, *map(escape, files_lines(study)))


def _seen(seen: Sequence[str]) -> str:
    """Say what was seen, once where it is the same in all images."""
    return f"{seen[0]} (all)" if len(seen) > 1 and len(set(seen)) == 1 else " | ".join(seen)


def files_lines(study: StudyDoc) -> list[str]:
    """Name every file that a number comes from, a line for each band, and which energy it is."""
    lines = []
    for barrier in study.barriers:
        read = _read(barrier)
        files = dict.fromkeys(file for image in read.files for file in image)
        lines.append(f"{barrier.system}: {read.energy}, read from {', '.join(files) or 'nothing'}")
    return lines


def codes_json(readers: Sequence[Any]) -> list[dict[str, str]]:
    """List the codes whose bands are read, and what is taken from where."""
    return [{name: text for name, text in reader._asdict().items() if name != "read"} for reader in readers]


def codes_table(readers: Sequence[Any]) -> Table:
    """Lay out the codes whose bands are read, a row each."""
    table = Table(header_style="bold", show_lines=True)
    headings = (
        "Code",
        "Looked for",
        "Energies",
        "Forces",
        "Cell, species",
        "Frozen atoms",
        "Converged",
        "Versions",
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in codes_json(readers):
        table.add_row(*map(escape, row.values()))
    return table


def place_for(study: StudyDoc, results: Path, name: str | None) -> Path:
    """Choose a results folder that holds nothing of other bands: theirs is never overwritten.

    Parameters
    ----------
    study : StudyDoc
        What was read; it is named after the folder.
    results : Path
        Where results folders are.
    name : str or None
        Name that was asked for. None: the name of the band's folder, behind those of its parents as far as needed.

    Raises
    ------
    ValueError
        If the name that was asked for is taken.
    """
    sources = _sources(study)
    for candidate in [name] if name else _candidates(study):
        target = results / candidate
        if not (target / DOCUMENT).exists() or _sources(read_results(target)) == sources:
            study.name = candidate
            return target
    raise ValueError(f"--name: {results / (name or study.name)} holds results of something else; choose another --name")


def _candidates(study: StudyDoc) -> list[str]:
    places = [Path(_read(barrier).place) for barrier in study.barriers]
    candidates = [study.name]
    if len(places) == 1:
        band = _read(study.barriers[0]).name
        parents = [part for part in reversed(places[0].parent.parts) if part != places[0].anchor]
        candidates += ["-".join([*reversed(parents[:depth]), study.name]) for depth in range(1, len(parents) + 1)]
        candidates += [f"{candidate}-{band}" for candidate in candidates if band]
    return candidates + [f"{study.name}-{number}" for number in range(2, 100)]


def _sources(study: StudyDoc) -> list[tuple[str, str] | None]:
    """What each barrier was read from: place and name of the band; None for one that was computed here."""
    reads = [barrier.band.read for barrier in study.barriers]
    return [None if read is None else (read.place, read.name) for read in reads]
