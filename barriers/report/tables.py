"""Barriers as a terminal table, as CSV and as JSON: the same rows."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rich.table import Table

from barriers.documents import BarrierDoc, StudyDoc

MINUS = "\N{MINUS SIGN}"


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


def energy(value: float | None) -> str:
    """Write an energy for the table (eV), a dash where there is none."""
    return "—" if value is None else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Write a difference for the table (eV), a dash where there is none."""
    return "—" if value is None else f"{value:+.3f}".replace("-", MINUS)


def barrier_table(barriers: list[BarrierDoc], differences: dict[tuple[str, str], str] | None = None) -> Table:
    """Lay out barriers, a row each, differences to the reference where they are given."""
    table = Table(title=None, header_style="bold", caption="eV; ± is the spread of the fits, the least uncertainty")
    table.add_column("System")
    several = len({barrier.hop.name if barrier.hop else "" for barrier in barriers}) > 1
    if several:
        table.add_column("Hop")
    for heading in (
        "Forward",
        "±",
        "Reverse",
        "Span",
        *(("Δ",) if differences else ()),
        "Paths",
        "Calls",
        "Time",
    ):
        table.add_column(heading, justify="right")
    for barrier in barriers:
        name = barrier.hop.name if barrier.hop else ""
        paths = "—" if barrier.n_paths is None else f"{barrier.n_paths} of {len(barrier.paths)}"
        if barrier.path_spread:
            paths += f" ({barrier.path_spread:.3f})"
        table.add_row(
            barrier.system,
            *((name,) if several else ()),
            energy(barrier.forward),
            energy(barrier.fit_spread),
            energy(barrier.reverse),
            energy(barrier.span),
            *((differences.get((barrier.system, name), "—"),) if differences else ()),
            paths,
            str(barrier.cost.force_calls),
            f"{barrier.cost.wall_time:.0f} s",
        )
    return table


def study_table(study: StudyDoc) -> Table:
    """Lay out a study's barriers, with their differences where there are several systems."""
    if len({barrier.system for barrier in study.barriers}) == 1:
        return barrier_table(study.barriers)
    shown = {
        (row.system, row.hop): "reference" if row.system == study.reference else signed(row.difference)
        for row in study.rows
    }
    return barrier_table(study.barriers, shown)


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
