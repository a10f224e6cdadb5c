"""What figures say of a barrier."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.documents import BarrierDoc
from barriers.report.numbers import shown, written
from barriers.report.style import ONE_COLUMN, POINTS, STYLE, add_title, figure_of, wrapped
from barriers.report.trust import in_short


def title(barrier: BarrierDoc) -> str:
    """Name system and hop."""
    return f"{barrier.system}, {barrier.hop_name}" if barrier.hop else barrier.system


def say_how_many(axes: Axes, drawn: int, wanted: int) -> Axes:
    """Title a figure in which systems are missing with how many of how many are drawn."""
    if drawn < wanted:
        with mpl.rc_context(STYLE):
            add_title(axes, f"{drawn} of {wanted} systems")
    return axes


def say_model(axes: Axes, barriers: Sequence[BarrierDoc]) -> Axes:
    """Write under a figure what gave its energies, how far that is known to be off, and what goes beyond it."""
    return say_below(axes, in_short(barriers))


def say_below(axes: Axes, words: str) -> Axes:
    """Write a line under a figure, small."""
    size = 0.7 * STYLE["font.size"]
    figure, text = figure_of(axes), wrapped(words, 0.95 * ONE_COLUMN, size)
    figure.supxlabel(text, fontsize=size, color="0.3")
    figure.set_figheight(figure.get_figheight() + 1.3 * size * len(text.splitlines()) / POINTS)
    return axes


def energy(value: float | None, barrier: BarrierDoc) -> str:
    """Write one of a barrier's energies with its unit: ``0.43 eV``."""
    return "no barrier" if value is None else f"{shown(written(value, barrier.plus_minus()))} eV"
