"""A system from two sides, and all systems of a study on one page."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, sqrt
from textwrap import fill
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pymatgen.core import Structure
from pymatgen.util.string import unicodeify

from barriers.report.structures import LEGEND_HEIGHT, NO_COLOURS, NO_HOPS, SCALE, add_legend, draw_structure
from barriers.report.style import STYLE, TWO_COLUMNS, wrapped
from barriers.report.views import Direction, HopEnds, view_of

HEIGHT = 9.5
"""Largest height of a page (inch)."""

NAME_LENGTH = 84
"""Characters of the names in a row of panels; a longer name goes on in a second line."""

ONE_ROW = 4
"""A contact sheet of up to so many systems is one row."""


class Drawn(NamedTuple):
    """A system to draw: its structure, and the Cartesian ends of its hops by name (Å)."""

    structure: Structure
    hop_ends: Mapping[str, HopEnds] = NO_HOPS


def draw_system(name: str, system: Drawn, colours: Mapping[str, str] = NO_COLOURS) -> tuple[Axes, Axes]:
    """Draw a system from the side and from the top beside each other, on one scale.

    Parameters
    ----------
    name : str
        Name of the system, written above with its formula.
    system : Drawn
        Structure and hops.
    colours : Mapping[str, str]
        Colours of hops by name, as for :func:`~barriers.report.structures.draw_structure`.

    Returns
    -------
    tuple[Axes, Axes]
        Side and top view, in one figure of two columns' width.
    """
    views: tuple[Direction, Direction] = ("side", "top")
    widths, heights = np.array([_size(system, view) for view in views]).T
    scale = min(TWO_COLUMNS / widths.sum(), SCALE)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TWO_COLUMNS, scale * heights.max() + LEGEND_HEIGHT), layout="constrained")
        formula = unicodeify(system.structure.composition.formula)
        title = f"{wrapped(name, TWO_COLUMNS / 2, STYLE['axes.labelsize'])}  {formula}"
        figure.suptitle(title, fontsize=STYLE["axes.labelsize"])
        panels = figure.subplots(1, 2, width_ratios=widths)
        for axes, view in zip(panels, views, strict=True):
            draw_structure(system.structure, hop_ends=system.hop_ends, view=view, axes=axes, colours=colours)
            _set_span(axes, axes.get_xlim()[1] - axes.get_xlim()[0], heights.max())
        add_legend(figure, [system.structure], system.hop_ends, colours)
    side, top = panels
    return side, top


def contact_sheet(systems: Mapping[str, Drawn]) -> list[Axes]:
    """Draw all systems on one page, from the side and on one scale.

    Parameters
    ----------
    systems : Mapping[str, Drawn]
        Structure and hops by name; one at least. All have the same hops.

    Returns
    -------
    list[Axes]
        A panel for each system, in order.
    """
    columns = len(systems) if len(systems) <= ONE_ROW else ceil(sqrt(len(systems)))
    rows = ceil(len(systems) / columns)
    width, height = np.max([_size(system, "side") for system in systems.values()], axis=0)
    scale = min(TWO_COLUMNS / (columns * width), SCALE, (HEIGHT - LEGEND_HEIGHT) / (rows * height))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TWO_COLUMNS, rows * (scale * height + 0.3) + LEGEND_HEIGHT), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
        for axes, (name, system) in zip(panels, systems.items(), strict=False):
            draw_structure(system.structure, hop_ends=system.hop_ends, axes=axes)
            axes.set_title(fill(name, NAME_LENGTH // columns), fontsize=STYLE["axes.labelsize"], parse_math=False)
            _set_span(axes, width, height)
        for axes in panels[len(systems) :]:
            axes.remove()
        first = next(iter(systems.values()))
        add_legend(figure, [system.structure for system in systems.values()], first.hop_ends)
    return panels[: len(systems)]


def _size(system: Drawn, view: Direction) -> np.ndarray:
    low, high = view_of(system.structure, system.hop_ends, view).page
    size: np.ndarray = high - low
    return size


def _set_span(axes: Axes, width: float, height: float) -> None:
    """Give panels a common size (Å) and so a common scale: wider about the middle, higher above the picture."""
    x, low = np.mean(axes.get_xlim()), axes.get_ylim()[0]
    axes.set(xlim=(x - width / 2, x + width / 2), ylim=(low, low + height))
