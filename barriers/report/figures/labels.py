"""What figures say of a barrier."""

from __future__ import annotations

from barriers.documents import BarrierDoc
from barriers.report.numbers import shown, written


def title(barrier: BarrierDoc) -> str:
    """Name system and hop."""
    return f"{barrier.system}, {barrier.hop.name}" if barrier.hop else barrier.system


def energy(value: float | None, barrier: BarrierDoc) -> str:
    """Write one of a barrier's energies with its unit: ``0.43 eV``."""
    return "no barrier" if value is None else f"{shown(written(value, barrier.fit_spread))} eV"
