"""What tables say of a barrier's uncertainty, and of barriers from a model's band, corrected at points."""

from __future__ import annotations

from typing import Any

from barriers.documents import BarrierDoc
from barriers.report.numbers import written, written_uncertainty

Cells = dict[str, str | None]
"""A row of a comparison: names and written numbers by column, None where there is none."""

POINTS = "Points (ends + saddle)"
"""Heading of :func:`points_of`."""

COUNTS = ("points_ends", "points_saddle", "model_calls")
PARTS = ("fit", "tolerance", "starts", "ends", "correction", "relaxation")
CORRECTED = (
    "uncertainty",
    "uncertainty_reverse",
    *(f"uncertainty_{part}" for part in PARTS),
    "raw",
    *COUNTS,
)
"""What is told of a barrier beside its heights: energies (eV), numbers of evaluations."""


def corrected_numbers(barrier: BarrierDoc) -> dict[str, Any]:
    """Tell what :data:`CORRECTED` names, None where it has none; a point between the ends is the saddle's."""
    numbers: dict[str, Any] = dict.fromkeys(CORRECTED) | {"model_calls": barrier.model_calls}
    if barrier.points:
        ends = barrier.points.get("initial", 0) + barrier.points.get("final", 0)
        numbers |= {"points_ends": ends, "points_saddle": sum(barrier.points.values()) - ends}
    if barrier.uncertainty is not None:
        numbers |= {"uncertainty": barrier.uncertainty, "uncertainty_reverse": barrier.plus_minus("reverse")}
        numbers |= {f"uncertainty_{part}": barrier.uncertainty_parts.get(part) for part in PARTS}
    if barrier.correction is not None:
        numbers["raw"] = barrier.raw
    return numbers


def corrected_cells(barrier: BarrierDoc | None) -> Cells:
    """Write the uncertainty of a comparison's row, and what only corrected barriers have."""
    numbers = corrected_numbers(barrier) if barrier else dict.fromkeys(CORRECTED)
    return {
        "uncertainty": written_uncertainty(numbers["uncertainty"]),
        "raw": written(numbers["raw"], numbers["uncertainty"]),
        **{name: None if numbers[name] is None else str(numbers[name]) for name in COUNTS},
    }


def plus_minus(row: Cells) -> str | None:
    """What stands behind ± in a row of a comparison."""
    return row["uncertainty"] or row["fit_spread"]


def points_of(row: Cells) -> str | None:
    """Say how many points were spent on the ends and on the saddle."""
    return f"{row['points_ends']} + {row['points_saddle']}" if row["points_ends"] else None
