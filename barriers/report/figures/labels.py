"""What figures say of a barrier."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.documents import BarrierDoc
from barriers.report.numbers import shown, written
from barriers.report.style import STYLE, add_title


def title(barrier: BarrierDoc) -> str:
    """Name system and hop."""
    return f"{barrier.system}, {barrier.hop_name}" if barrier.hop else barrier.system


def say_how_many(axes: Axes, drawn: int, wanted: int) -> Axes:
    """Title a figure in which systems are missing with how many of how many are drawn."""
    if drawn < wanted:
        with mpl.rc_context(STYLE):
            add_title(axes, f"{drawn} of {wanted} systems")
    return axes


def energy(value: float | None, barrier: BarrierDoc) -> str:
    """Write one of a barrier's energies with its unit: ``0.43 eV``."""
    return "no barrier" if value is None else f"{shown(written(value, barrier.plus_minus()))} eV"
