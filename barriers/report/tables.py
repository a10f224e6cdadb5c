"""Barriers as a terminal table, as CSV and as JSON: the same rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rich.table import Table

from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.numbers import MOST, shown, written, written_uncertainty

Cells = dict[str, str | None]
"""A row of a comparison: names and written numbers by column, None where there is none."""

DIFFERENCE = ("difference", "difference_uncertainty")


def barrier_json(barrier: BarrierDoc) -> dict[str, Any]:
    """What ``--json`` says of a barrier: energies in eV, null where there is none."""
    return {
        "system": barrier.system,
        "hop": barrier.hop.name if barrier.hop else None,
        "converged": barrier.converged,
        "reason": barrier.reason,
        "forward": barrier.forward,
        "reverse": barrier.reverse,
        "span": barrier.span,
        "fit_spread": barrier.fit_spread,
        "n_paths": barrier.n_paths,
        "path_spread": barrier.path_spread,
        "force_calls": barrier.cost.force_calls,
        "wall_time": round(barrier.cost.wall_time, 2),
        "bonds": barrier.bonds,
        "warnings": barrier.warnings,
    }


def parsed_json(barrier: BarrierDoc) -> dict[str, Any]:
    """What ``--json`` says of a band that was read from files."""
    return barrier_json(barrier) | {
        "made_with": f"{barrier.band.engine.name} {barrier.band.engine.version}",
        "energies": barrier.band.energies,
        "distances": barrier.profile["distances"] if barrier.profile else None,
        "checks": barrier.checks,
    }


def study_json(study: StudyDoc) -> dict[str, Any]:
    """What ``--json`` says of a study."""
    return {
        "name": study.name,
        "reference": study.reference,
        "compared": study.which,
        "barriers": [barrier_json(barrier) for barrier in study.barriers],
        "differences": [row.model_dump() for row in study.rows],
        "sentences": study.sentences,
        "notes": study.notes,
    }


def comparison_rows(study: StudyDoc) -> list[Cells]:
    """Write the numbers of a study's comparison, each with the digits its uncertainty leaves.

    Returns
    -------
    list of dict
        A row for each barrier: ``system``, ``hop``, ``forward``, ``fit_spread``, ``reverse``, ``span``, ``difference``
        of the compared barrier to the reference's and ``difference_uncertainty`` (eV, in ASCII), and ``reason`` why
        there is no barrier or no difference.
    """
    return [
        {
            "system": barrier.system,
            "hop": row.hop,
            "forward": written(barrier.forward, barrier.fit_spread),
            "fit_spread": written_uncertainty(barrier.fit_spread),
            "reverse": written(barrier.reverse, barrier.fit_spread),
            "span": written(barrier.span, barrier.fit_spread),
            "difference": written(row.difference, row.difference_uncertainty, signed=True),
            "difference_uncertainty": written_uncertainty(row.difference_uncertainty),
            "reason": row.reason,
        }
        for barrier, row in zip(study.barriers, study.rows, strict=True)
    ]


def study_table(study: StudyDoc) -> Table:
    """Lay out a study's barriers, a row each, with their differences where there are several systems."""
    compared = len({barrier.system for barrier in study.barriers}) > 1
    several = len({row.hop for row in study.rows}) > 1
    table = Table(title=None, header_style="bold", caption="eV; ± is the spread of the fits, the least uncertainty")
    for heading in ("System", *(("Hop",) if several else ())):
        table.add_column(heading)
    differences = (f"Δ {study.which}", "±") if compared else ()
    for heading in ("Forward", "±", "Reverse", "Span", *differences, "Paths", "Calls", "Time"):
        table.add_column(heading, justify="right")
    for barrier, row in zip(study.barriers, comparison_rows(study), strict=True):
        if row["system"] == study.reference:
            row |= {"difference": "reference", "difference_uncertainty": ""}
        names = ("forward", "fit_spread", "reverse", "span", *(DIFFERENCE if compared else ()))
        table.add_row(
            barrier.system,
            *((row["hop"],) if several else ()),
            *(shown(row[name]) for name in names),
            _paths(barrier),
            str(barrier.cost.force_calls),
            f"{barrier.cost.wall_time:.0f} s",
        )
    return table


def _paths(barrier: BarrierDoc) -> str:
    """Say how many distinct paths were found in how many bands, and how far apart their barriers are."""
    if barrier.n_paths is None:
        return shown(None)
    spread = f" ({barrier.path_spread:.{MOST}f})" if barrier.path_spread else ""
    return f"{barrier.n_paths} of {len(barrier.paths)}{spread}"


def write_csv(study: StudyDoc, path: Path) -> None:
    """Write one row for each barrier (eV), with the difference to the reference."""
    rows = [
        barrier_json(barrier) | {"difference": row.difference, "difference_uncertainty": row.difference_uncertainty}
        for barrier, row in zip(study.barriers, study.rows, strict=True)
    ]
    write_rows([row | {"warnings": "; ".join(row["warnings"])} for row in rows], path)


def write_rows(rows: list[dict[str, Any]], path: Path) -> None:
    """Write rows with the same keys as CSV; nothing where a value is None."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def notes(barrier: BarrierDoc) -> list[str]:
    """Say what the reader of a barrier has to know, one line each."""
    label = barrier.system + (f" {barrier.hop.name}" if barrier.hop else "")
    lines = [] if barrier.converged else [f"{label}: not converged, {barrier.reason}"]
    return lines + [f"{label}: {warning}" for warning in barrier.warnings]
