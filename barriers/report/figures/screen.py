"""Estimates of a screen against its barriers."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from barriers.analysis.screen import ScreenDoc
from barriers.report.figures.labels import say_below
from barriers.report.style import COLOURS, STYLE, legend_above, own_axes, plain

NAMED = 12
"""Most structures whose names stand in the figure."""


def draw_screen(document: ScreenDoc) -> Axes:
    """Draw what estimates say against what bands say, both the percolating barrier in one dimension (eV).

    Parameters
    ----------
    document : ScreenDoc
        A screen with one estimate or more.

    Returns
    -------
    Axes
        Barriers with their uncertainties over estimates, filled, on the line where both are equal or beside it. A
        structure that has an estimate alone is a stroke on the lower edge.
    """
    both = [row for row in document.rows if row.estimate.one is not None and row.barrier.one is not None]
    guesses = [row.estimate.one for row in document.rows if row.estimate.one is not None and row.barrier.one is None]
    with mpl.rc_context(STYLE):
        axes = own_axes()
        axes.plot(guesses, [0.02] * len(guesses), "|", color="0.5", transform=axes.get_xaxis_transform())
        heights = [row.barrier.one or 0.0 for row in both]
        places = [row.estimate.one or 0.0 for row in both]
        doubts = [row.uncertainty or 0.0 for row in both]
        axes.errorbar(places, heights, doubts, fmt="o", color=COLOURS[0], capsize=2, linewidth=1.0)
        for row, x, y in zip(both[:NAMED], places, heights, strict=False):
            axes.annotate(plain(row.name), (x, y), xytext=(4, 2), textcoords="offset points", fontsize=6)
        top = max([*heights, *places, *guesses], default=0.0) * 1.1 or 1.0
        axes.plot([0, top], [0, top], color="0.7", linestyle="--", linewidth=0.9, zorder=0)
        axes.set(xlim=(0, top), ylim=(0, max([*heights, 0.0]) * 1.25 or top))
        axes.set(xlabel="Estimate of single evaluations (eV)", ylabel="Barrier of bands (eV)")
        say_below(axes, f"{document.name}: percolating in one dimension; {document.model}")
        handles = [
            Line2D([], [], color=COLOURS[0], marker="o", linestyle="", label="both"),
            Line2D([], [], color="0.5", marker="|", linestyle="", label="estimate alone"),
            Line2D([], [], color="0.7", linestyle="--", label="equal"),
        ]
        legend_above(axes, handles)
    return axes
