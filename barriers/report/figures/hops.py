"""All hops of a slab, numbered, from the side and from the top."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from pymatgen.core import Structure

from barriers.report.elements import ARROW
from barriers.report.structures import LEGEND_HEIGHT, add_legend, draw_view
from barriers.report.style import STYLE
from barriers.report.views import Direction, HopEnds, Points, view_of

LARGE = 0.6
"""Inch per Å: as large as many numbers need."""

NEAR = 0.4
"""Numbers whose hops have their middle nearer to each other than this on the page stand together (Å)."""

IN_A_LINE = 2
"""Runs of numbers in a line."""


def draw_hops(slab: Structure, hop_ends: Mapping[str, HopEnds]) -> Axes:
    """Draw hops as thin lines from dot to dot, with the numbers of their order at their middle.

    Parameters
    ----------
    slab : Structure
        The bare slab.
    hop_ends : Mapping[str, HopEnds]
        Cartesian start and end of each hop (Å), by its label.

    Returns
    -------
    Axes
        That of the side view; the top view stands below it, on the same scale.
    """
    directions: tuple[Direction, Direction] = ("side", "top")
    views = [view_of(slab, hop_ends, direction) for direction in directions]
    widths, heights = np.array([view.page[1] - view.page[0] for view in views]).T
    with mpl.rc_context(STYLE):
        size = (LARGE * widths.max(), LARGE * heights.sum() + 2 * LEGEND_HEIGHT)
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(2, 1, height_ratios=heights)
        halo = [withStroke(linewidth=2.5, foreground="white")]
        for axes, view in zip(panels, views, strict=True):
            draw_view(slab, view, axes)
            for ends in view.hops.values():
                axes.plot(*ends.T, color=ARROW, linewidth=1.0, marker="o", markersize=2.5, path_effects=halo, zorder=4)
            for middle, numbers in numbers_at(list(view.hops.values())):
                place = {"ha": "center", "va": "center", "fontsize": STYLE["legend.fontsize"], "zorder": 5}
                axes.annotate(in_runs(numbers), middle, path_effects=halo, **place)
        add_legend(figure, [slab], {})
    side: Axes = panels[0]
    return side


def numbers_at(hops: list[Points]) -> list[tuple[Points, list[int]]]:
    """Middles of hops on the page (Å), each with the numbers, from 1, of the hops that have theirs there."""
    found: list[tuple[Points, list[int]]] = []
    for number, ends in enumerate(hops, 1):
        middle = (ends[0] + ends[-1]) / 2
        near = [numbers for place, numbers in found if np.linalg.norm(place - middle) < NEAR]
        if near:
            near[0].append(number)
        else:
            found.append((middle, [number]))
    return found


def in_runs(numbers: list[int]) -> str:
    """Write ascending numbers, those that follow each other as 3–5, some in a line."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
    lines = [", ".join(words[start : start + IN_A_LINE]) for start in range(0, len(words), IN_A_LINE)]
    return ",\n".join(lines)
