"""Barriers as a terminal table, as CSV and as JSON: the same rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rich.table import Table

from barriers.analysis.electrons import ElectronsRow
from barriers.documents import BarrierDoc, GapDoc, StudyDoc
from barriers.report.corrected import (
    CORRECTED,
    POINTS,
    Cells,
    corrected_cells,
    corrected_numbers,
    plus_minus,
    points_of,
)
from barriers.report.numbers import MOST, NONE, shown, written, written_uncertainty
from barriers.report.trust import model_lines
from barriers.report.uncertainty import meaning

NUMBERS = ("forward", "reverse", "span", "fit_spread", "n_paths", "path_spread")
BESIDE = ("energetics", "kinetics", "network", "published")
DIFFERENCE = ("difference", "difference_uncertainty")


def barrier_json(barrier: BarrierDoc) -> dict[str, Any]:
    """What ``--json`` says of a barrier: energies in eV, null where there is none."""
    return {
        "system": barrier.system,
        "hop": barrier.hop_name or None,
        "converged": barrier.converged,
        "reason": barrier.reason,
        **{name: getattr(barrier, name) for name in NUMBERS},
        **corrected_numbers(barrier),
        "force_calls": barrier.cost.force_calls,
        "wall_time": round(barrier.cost.wall_time, 2),
        "bonds": barrier.bonds,
        "warnings": barrier.warnings,
    }


def gap_json(gap: GapDoc) -> dict[str, Any]:
    """Say the same of a barrier that is not there: null but for its names and the reason."""
    return {
        "system": gap.system,
        "hop": gap.hop or None,
        "converged": False,
        "reason": gap.reason,
        **dict.fromkeys((*NUMBERS, *CORRECTED, "force_calls", "wall_time")),
        "bonds": [],
        "warnings": [],
    }


def study_json(study: StudyDoc) -> dict[str, Any]:
    """What ``--json`` says of a study."""
    return {
        "name": study.name,
        "reference": study.reference,
        "compared": study.which,
        "barriers": [barrier_json(barrier) for barrier in study.barriers],
        "gaps": [gap.model_dump() for gap in study.gaps],
        "differences": [row.model_dump() for row in study.rows],
        "sentences": study.sentences,
        "notes": study.notes,
        "models": model_lines(study.barriers),
        **({} if study.ensemble is None else {"ensemble": [one.model_dump() for one in study.ensemble.distributions]}),
        "slab": None if study.slab is None else study.slab.model_dump(),
        **(
            {}
            if study.crystal is None
            else {"crystal": study.crystal.model_dump(exclude={"structure": True, "lattice": {"structure"}})}
        ),
        **{name: found.model_dump() for name in BESIDE if (found := getattr(study, name)) is not None},
        **({"electrons": [_electrons_json(row) for row in study.electrons]} if study.electrons else {}),
    }


def _electrons_json(row: ElectronsRow) -> dict[str, Any]:
    """Say what is known of the electrons of one structure, or why nothing is."""
    from barriers.files.density import charges_content

    known = charges_content(row.document) if row.document else {}
    return {"system": row.system, "state": row.state, "reason": row.reason, **known}


def comparison_rows(study: StudyDoc) -> list[Cells]:
    """Write the numbers of a study's comparison, each with the digits its uncertainty leaves.

    Returns
    -------
    list of dict
        A row for each barrier and each gap: ``system``, ``hop``, ``forward``, ``fit_spread``, ``reverse``, ``span``,
        ``difference`` of the compared barrier to the reference's and ``difference_uncertainty`` (eV, in ASCII), and
        ``reason`` why there is no barrier or no difference; ``uncertainty`` (eV) is one standard deviation. Of
        corrected barriers also ``raw`` (eV), ``points_ends``, ``points_saddle`` and ``model_calls``.
    """
    return [
        {
            "system": row.system,
            "hop": row.hop,
            "forward": _energy(barrier, "forward"),
            "fit_spread": written_uncertainty(barrier.fit_spread) if barrier else None,
            "reverse": _energy(barrier, "reverse"),
            "span": _energy(barrier, "span"),
            "difference": written(row.difference, row.difference_uncertainty, signed=True),
            "difference_uncertainty": written_uncertainty(row.difference_uncertainty),
            **corrected_cells(barrier),
            "reason": row.reason,
        }
        for row, barrier in study.paired()
    ]


def _energy(barrier: BarrierDoc | None, name: str) -> str | None:
    return written(getattr(barrier, name), barrier.plus_minus()) if barrier else None


def study_table(study: StudyDoc) -> Table:
    """Lay out a study's barriers and gaps, a row each, with their differences where there are several systems."""
    compared = len({row.system for row in study.rows}) > 1
    several = study.crystal is not None or len({row.hop for row in study.rows}) > 1
    corrected = any(barrier.points for barrier in study.barriers)
    caption = "\n".join([f"eV; {meaning(study)}", *model_lines(study.barriers)])
    table = Table(title=None, header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", *(("Hop",) if several else ())):
        table.add_column(heading)
    differences = (f"Δ {study.which}", "±") if compared else ()
    correction = ("Raw", POINTS, "Model calls") if corrected else ()
    for heading in ("Forward", "±", "Reverse", "Span", *differences, *correction, "Paths", "Calls", "Time"):
        table.add_column(heading, justify="right")
    for (_, barrier), row in zip(study.paired(), comparison_rows(study), strict=True):
        if row["system"] == study.reference:
            row |= {"difference": "reference", "difference_uncertainty": ""}
        cells = [row["forward"], plus_minus(row), row["reverse"], row["span"]]
        cells += [row[name] for name in DIFFERENCE] if compared else []
        cells += [row["raw"], points_of(row), row["model_calls"]] if corrected else []
        table.add_row(
            row["system"],
            *((row["hop"],) if several else ()),
            *map(shown, cells),
            *(_efforts(barrier) if barrier else [NONE] * 3),
        )
    return table


def _efforts(barrier: BarrierDoc) -> tuple[str, str, str]:
    return _paths(barrier), str(barrier.cost.force_calls), f"{barrier.cost.wall_time:.0f} s"


def _paths(barrier: BarrierDoc) -> str:
    """Say how many distinct paths were found in how many bands, and how far apart their barriers are."""
    if barrier.n_paths is None:
        return shown(None)
    spread = f" ({barrier.path_spread:.{MOST}f})" if barrier.path_spread else ""
    return f"{barrier.n_paths} of {len(barrier.paths)}{spread}"


def write_csv(study: StudyDoc, path: Path) -> None:
    """Write one row for each barrier and each gap (eV), with the difference to the reference."""
    gaps = {(gap.system, gap.hop): gap_json(gap) for gap in study.gaps}
    rows = []
    for compared, barrier in study.paired():
        row = barrier_json(barrier) if barrier else gaps[compared.system, compared.hop]
        rows.append(row | {name: getattr(compared, name) for name in DIFFERENCE})
    write_rows([row | {"warnings": "; ".join(row["warnings"])} for row in rows], path)


def write_rows(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows with the same keys as CSV; nothing where a value is None."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def study_notes(study: StudyDoc) -> list[str]:
    """Say what the reader of a study has to know: of its slab, of what is not there, and of each barrier."""
    return [*study.notes, *gap_lines(study), *(line for barrier in study.barriers for line in notes(barrier))]


def gap_lines(study: StudyDoc) -> list[str]:
    """Say which barriers are not there, and why, one line each."""
    return [f"{' '.join([gap.system, gap.hop]).rstrip()}: not there yet, {gap.reason}" for gap in study.gaps]


def notes(barrier: BarrierDoc) -> list[str]:
    """Say what the reader of a barrier has to know, one line each."""
    label = f"{barrier.system} {barrier.hop_name}".rstrip()
    lines = [] if barrier.converged else [f"{label}: not converged, {barrier.reason}"]
    return lines + [f"{label}: {warning}" for warning in barrier.warnings]
