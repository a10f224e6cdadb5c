"""Pictures of structures: atoms, cell, frozen layers and the hop as an arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import numpy as np
from ase.data import atomic_numbers, covalent_radii
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrow, Patch
from matplotlib.patheffects import withStroke
from pymatgen.core import Structure

from barriers.report.elements import ARROW, colour
from barriers.report.style import ONE_COLUMN, STYLE, fitted_legend, plain
from barriers.report.views import Direction, HopEnds, View, view_of
from barriers.structures.surface.slab import frozen_atoms

ATOM_SIZE = 0.6
"""Radius of a drawn atom, in covalent radii."""

FADE = 0.3
"""Share of white in the colour of the hindmost atoms."""

SCALE_BAR = 5.0
"""Length of the scale bar (Å)."""

LEGEND_HEIGHT = 0.75
"""Height that title and legend take (inch)."""

SCALE = 0.3
"""Largest scale (inch per Å)."""

FROZEN: dict[str, Any] = {"hatch": "//////", "edgecolor": "0.3"}
NO_HOPS: Mapping[str, HopEnds] = MappingProxyType({})
NO_COLOURS: Mapping[str, str] = MappingProxyType({})


def draw_structure(
    structure: Structure,
    *,
    hop_ends: Mapping[str, HopEnds] = NO_HOPS,
    view: Direction = "side",
    axes: Axes | None = None,
    colours: Mapping[str, str] = NO_COLOURS,
) -> Axes:
    """Draw a slab or an interface from one direction: a circle for each atom, lighter the further back.

    Frozen atoms are hatched, bonds of fragments are lines, the cell is a thin outline and each hop an arrow over the
    atoms. The cell is cut off in the vacuum, and drawn around the first hop.

    Parameters
    ----------
    structure : Structure
        Slab with c along the normal; see :func:`barriers.report.views.view_of` for what is drawn where.
    hop_ends : Mapping[str, HopEnds]
        Hops by name: Cartesian places of the moving ion (Å), its start, any on the way, and its end. Several hops are
        numbered.
    view : {"side", "top"}
        Where one looks from; from the top, the upper layers alone are drawn.
    axes : Axes or None
        Where to draw; a new figure with a legend if None.
    colours : Mapping[str, str]
        Colours of hops by name, as Matplotlib knows them; one colour for all that are left out.

    Returns
    -------
    Axes
        Both directions in Å, on the same scale.
    """
    seen = view_of(structure, hop_ends, view)
    with mpl.rc_context(STYLE):
        if axes is None:
            low, high = seen.page
            width, height = SCALE * (high - low)
            figure = Figure(figsize=(max(width, ONE_COLUMN), height + 2 * LEGEND_HEIGHT), layout="constrained")
            axes = figure.subplots()
            add_legend(figure, [structure], hop_ends, colours)
        draw_view(structure, seen, axes)
        names = list(hop_ends)
        for numbers, ends in _apart(seen.hops.values()):
            text = ", ".join(map(str, numbers)) if len(hop_ends) > 1 else ""
            _draw_hop(axes, ends, text, colours.get(names[numbers[0] - 1], ARROW))
    return axes


def draw_view(structure: Structure, seen: View, axes: Axes) -> None:
    """Draw a projection without its hops: atoms, bonds of fragments, the cell and a scale."""
    draw_frame(seen, axes)
    _draw_atoms(axes, structure, seen)
    draw_scale(axes, seen.page[0])


def draw_frame(seen: View, axes: Axes) -> None:
    """Draw what atoms stand in: bonds of fragments and the cell, below its title."""
    low, high = seen.page
    axes.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_axis_off()
    axes.set_title(seen.note, fontsize=STYLE["legend.fontsize"])
    axes.plot(*seen.outline.T, color="0.5", linewidth=0.7, zorder=0)
    axes.add_collection(LineCollection(list(seen.bonds), colors="0.25", linewidths=1.5, zorder=1))


def add_legend(
    figure: Figure,
    structures: Iterable[Structure],
    hop_ends: Mapping[str, HopEnds],
    colours: Mapping[str, str] = NO_COLOURS,
) -> None:
    """Explain elements, frozen atoms and hops below the panels of a figure, in as few rows as fit its width."""
    drawn = list(structures)
    elements = sorted({site.specie for structure in drawn for site in structure}, key=lambda element: element.Z)
    handles: list[Artist] = [element_handle(element.symbol) for element in elements]
    counts = {len(frozen_atoms(structure)) for structure in drawn}
    if any(counts):
        number = "–".join(map(str, sorted({min(counts), max(counts)})))
        handles.append(Patch(facecolor="white", linewidth=0.5, label=f"frozen ({number} atoms)", **FROZEN))
    numbered = len(hop_ends) > 1
    for count, name in enumerate(hop_ends, 1):
        label = plain(f"hop {count}: {name}" if numbered else f"hop: {name}")
        look: dict[str, Any] = {"color": colours.get(name, ARROW), "marker": ">", "linewidth": 1.5, "markersize": 5}
        handles.append(Line2D([], [], label=label, **look))
    fitted_legend(figure, handles, loc="outside lower center", columnspacing=1.0, handletextpad=0.4)


def drawn_radius(symbol: str) -> float:
    """Radius of a drawn atom (Å)."""
    return ATOM_SIZE * float(covalent_radii[atomic_numbers[symbol]])


def _draw_atoms(axes: Axes, structure: Structure, seen: View) -> None:
    frozen = set(frozen_atoms(structure))
    for atom, point, depth in zip(seen.atoms.tolist(), seen.points, seen.depth, strict=True):
        symbol = structure[atom].specie.symbol
        faded = np.array(colour(symbol)) * (1 - FADE * depth) + FADE * depth
        look: dict[str, Any] = FROZEN if atom in frozen else {"edgecolor": "0.2"}
        axes.add_patch(Circle(point, drawn_radius(symbol), facecolor=faded, linewidth=0.5, zorder=2, **look))


def _apart(hops: Iterable[np.ndarray]) -> list[tuple[list[int], np.ndarray]]:
    """Join the hops that lie over each other on the page, so that their numbers stay readable."""
    joined: list[tuple[list[int], np.ndarray]] = []
    for number, ends in enumerate(hops, 1):
        same = [numbers for numbers, other in joined if len(ends) == len(other) and np.allclose(ends, other, atol=0.1)]
        if same:
            same[0].append(number)
        else:
            joined.append(([number], ends))
    return joined


def _draw_hop(axes: Axes, places: np.ndarray, label: str, colour: str) -> None:
    """Draw an arrow from start to end; a ring where the jump goes straight towards the viewer or away.

    A path through more than two places is a line with a dot at each place and an arrow's head at the end.
    """
    start, end = places[0], places[-1]
    length = float(np.hypot(*(end - start)))
    halo = [withStroke(linewidth=2, foreground="white")]
    if len(places) > 2:
        axes.plot(*places.T, color=colour, linewidth=1.5, marker="o", markersize=3, path_effects=halo, zorder=4)
        tip: dict[str, Any] = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
        axes.annotate("", end, places[-2], arrowprops=tip, zorder=4)
    elif length < 0.3:
        axes.plot(*start, marker="o", markersize=7, markerfacecolor="none", markeredgecolor=colour, zorder=4)
    else:
        head = min(0.9, 0.5 * length)
        axes.add_patch(
            FancyArrow(
                *start,
                *(end - start),
                width=0.28,
                head_width=0.9,
                head_length=head,
                length_includes_head=True,
                facecolor=colour,
                edgecolor="white" if colour == ARROW else "0.2",
                linewidth=0.8,
                zorder=4,
            )
        )
    place: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "zorder": 5}
    legible = colour if colour == ARROW else "black"  # a colour that stands for a number may be a light one
    axes.annotate(label, (start + end) / 2, (-3, 5), color=legible, path_effects=halo, **place)


def draw_scale(axes: Axes, low: np.ndarray) -> None:
    """Draw the scale bar in the lower left corner."""
    x, y = low[0] + 1.0, low[1] + 0.4
    axes.plot([x, x + SCALE_BAR], [y, y], color="black", linewidth=1.5, solid_capstyle="butt", zorder=3)
    axes.annotate(f"{SCALE_BAR:g} Å", (x + SCALE_BAR, y), (3, 0), textcoords="offset points", va="center")


def element_handle(symbol: str) -> Line2D:
    """What a legend shows of an element."""
    size = 4 + 6 * drawn_radius(symbol)
    look: dict[str, Any] = {"markerfacecolor": colour(symbol), "markeredgecolor": "0.2", "markeredgewidth": 0.5}
    return Line2D([], [], linestyle="", marker="o", markersize=size, label=symbol, **look)
