"""States of several systems side by side, each with its labelled barrier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.documents import BarrierDoc
from barriers.report.figures.labels import energy
from barriers.report.style import COLOURS, ONE_COLUMN, STYLE, TWO_COLUMNS, own_axes, wrapped

PLATEAUS = ((0.06, 0.28), (0.38, 0.62), (0.72, 0.94))
"""From where to where initial state, saddle and final state are drawn, in a system's share of the axis."""

NARROWEST = 0.85
"""Least width of a system (inch), so that its barrier fits over the saddle."""

BESIDE = 0.75
"""What the energy axis takes of a figure's width (inch)."""


def draw_states(barriers: Sequence[BarrierDoc]) -> Axes:
    """Draw initial state, saddle and final state of several systems side by side, the barrier above each saddle.

    Parameters
    ----------
    barriers : Sequence[BarrierDoc]
        One hop in several systems. In the place of one without a converged band stands that it is not converged.

    Returns
    -------
    Axes
        Energies (eV, from each initial state); one system at each whole number, named below the axis. The figure is one
        column wide, two for more than three systems, or as wide as many systems need.
    """
    count = len(barriers)
    column = ONE_COLUMN if count <= 3 else TWO_COLUMNS
    width = max(column, count * NARROWEST + BESIDE)
    with mpl.rc_context(STYLE):
        axes = own_axes(width)
        axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        for number, barrier in enumerate(barriers):
            _draw_system(axes, barrier, number)
        share = (width - BESIDE) / count
        names = [wrapped(barrier.system, 0.92 * share, STYLE["font.size"]) for barrier in barriers]
        axes.set_xticks([number + 0.5 for number in range(count)], names)
        axes.tick_params(axis="x", length=0)
        axes.set(xlim=(0, count), ylabel="Energy (eV)")
        axes.margins(y=0.1)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.06 * (high - low))
    return axes


def _draw_system(axes: Axes, barrier: BarrierDoc, number: int) -> None:
    middle = number + 0.5
    if barrier.profile is None or barrier.forward is None:
        place: dict[str, Any] = {"ha": "center", "va": "center", "color": "0.35", "style": "italic"}
        axes.text(middle, 0.5, "not\nconverged", transform=axes.get_xaxis_transform(), **place)
        return
    colour = COLOURS[number % len(COLOURS)]
    heights = (0.0, barrier.forward, barrier.profile["energies"][-1])
    for (start, end), height in zip(PLATEAUS, heights, strict=True):
        axes.plot([number + start, number + end], [height, height], color=colour, linewidth=2.4, solid_capstyle="butt")
    for before, after in ((0, 1), (1, 2)):
        ends = [number + PLATEAUS[before][1], number + PLATEAUS[after][0]]
        axes.plot(ends, [heights[before], heights[after]], color=colour, linewidth=0.8, linestyle="--")
    label = energy(barrier.forward, barrier)
    axes.annotate(label, (middle, barrier.forward), (0, 4), textcoords="offset points", ha="center", va="bottom")
