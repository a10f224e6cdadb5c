"""A crystal with all of its hops as coloured arrows, and polyhedra around the cations that stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon
from matplotlib.patheffects import withStroke

from barriers.report.crystal import CrystalScene
from barriers.report.elements import colour
from barriers.report.html.looks import crystal_looks
from barriers.report.structures import FADE, LEGEND_HEIGHT, draw_scale, element_handle
from barriers.report.style import STYLE, TWO_COLUMNS, fitted_legend, plain
from barriers.report.views import BORDER, EDGES, Points, side_plane, top_plane

TRANSLUCENT = 0.3
"""Opacity of a face of a polyhedron."""

BESIDE = 0.35
"""Arrows over each other on the page stand so far apart (Å)."""

FAINT = 0.45
"""Opacity of the hops that are like a distinct one."""


def draw_network(scene: CrystalScene, words: Mapping[str, str]) -> Axes:
    """Draw a crystal along one of its axes and down c, with its distinct hops as arrows, all others like them as lines.

    Parameters
    ----------
    scene : CrystalScene
        See :func:`~barriers.report.crystal.crystal_scene`.
    words : Mapping[str, str]
        What the legend says of each hop, by its name.

    Returns
    -------
    Axes
        That of the side view; the top view stands beside it, on the same scale.
    """
    lattice = scene.structure.lattice
    planes = {"side view, c upwards": side_plane(lattice, scene.arrows), "top view, along c": top_plane(lattice)}
    sizes = [np.ptp(_drawn(scene) @ plane.T, axis=0) + BORDER.sum(axis=0) for plane in planes.values()]
    widths, heights = np.array(sizes).T
    scale = TWO_COLUMNS / widths.sum()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TWO_COLUMNS, scale * heights.max() + LEGEND_HEIGHT), layout="constrained")
        panels = figure.subplots(1, 2, width_ratios=widths)
        for axes, (title, plane) in zip(panels, planes.items(), strict=True):
            _draw_panel(axes, scene, plane)
            axes.set_title(title, fontsize=STYLE["legend.fontsize"])
        elements = sorted(scene.structure.composition.elements, key=lambda element: element.Z)
        look: dict[str, Any] = {"marker": ">", "linewidth": 1.5, "markersize": 5}
        handles = [element_handle(element.symbol) for element in elements]
        handles += [
            Line2D([], [], label=plain(words[name]), color=of_hop, **look) for name, of_hop in scene.colours.items()
        ]
        legend = fitted_legend(figure, handles, loc="outside lower center", columnspacing=1.0, handletextpad=0.4)
        taller = legend.get_window_extent().height / figure.dpi - LEGEND_HEIGHT / 2
        figure.set_figheight(figure.get_figheight() + max(0.0, taller))
    side: Axes = panels[0]
    return side


def _drawn(scene: CrystalScene) -> Points:
    """All points that have to be in sight (Å), shape (k, 3)."""
    beyond = [place for _, place in scene.images]
    corners = scene.corner + np.array([list(map(int, each)) for each in EDGES]) @ scene.structure.lattice.matrix
    return np.vstack([scene.positions, corners, *beyond])


def _draw_panel(axes: Axes, scene: CrystalScene, plane: Points) -> None:
    """Draw what is further back first."""
    everything = _drawn(scene)
    low, high = (everything @ plane.T).min(axis=0) - BORDER[0], (everything @ plane.T).max(axis=0) + BORDER[1]
    axes.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_axis_off()
    corners = everything[len(scene.positions) : len(scene.positions) + len(EDGES)] @ plane.T
    axes.plot(*corners.T, color="0.5", linewidth=0.7, zorder=0)
    viewer = np.cross(*plane)
    looks = crystal_looks(scene.structure)
    reach = np.sort(everything @ viewer)
    span = max(reach[-1] - reach[0], 1e-6)
    patches: list[tuple[float, Any]] = []
    for atom, place in [*enumerate(scene.positions), *scene.images]:
        symbol, near = scene.structure[atom].specie.symbol, float(place @ viewer)
        faded = FADE * (reach[-1] - near) / span
        filled = np.array(colour(symbol)) * (1 - faded) + faded
        radius = looks[symbol]["radius"]
        patches.append(
            (near, Circle(place @ plane.T, radius, facecolor=filled, edgecolor="0.2", linewidth=0.4, zorder=2))
        )
    for near, points, symbol in _faces(scene, viewer):
        tint = colour(symbol)
        look = {"facecolor": (*tint, TRANSLUCENT), "edgecolor": (*tint, 2 * TRANSLUCENT), "linewidth": 0.4}
        patches.append((near, Polygon(points @ plane.T, closed=True, zorder=2, **look)))
    for _, patch in sorted(patches, key=lambda each: round(each[0], 3)):
        axes.add_patch(patch)
    for name, of_hop in scene.colours.items():
        lines = [ends @ plane.T for ends in scene.ways.get(name, [])]
        axes.add_collection(LineCollection(lines, colors=of_hop, linewidths=1.0, alpha=FAINT, zorder=3))
    drawn: list[Points] = []
    for name, of_hop in scene.colours.items():
        ends = scene.arrows[name] @ plane.T
        over = sum(np.allclose(ends, other, atol=0.1) or np.allclose(ends[::-1], other, atol=0.1) for other in drawn)
        drawn.append(ends)
        _draw_arrow(axes, ends + over * BESIDE * _across(ends), of_hop)
    draw_scale(axes, low)


def _faces(scene: CrystalScene, viewer: Points) -> list[tuple[float, Points, str]]:
    """Faces of polyhedra that look at the viewer: how near, their corners (Å), and the element in the middle."""
    found = []
    for shape in scene.polyhedra:
        corners = np.array([scene.positions[atom] + way for atom, *way in shape["corners"]])
        middle = corners.mean(axis=0)
        for face in shape["faces"]:
            points = corners[face]
            normal = np.cross(points[1] - points[0], points[2] - points[0])
            normal *= np.sign(normal @ (points.mean(axis=0) - middle))
            if normal @ viewer > 1e-6:
                symbol = scene.structure[shape["centre"]].specie.symbol
                found.append((float(points.mean(axis=0) @ viewer), points, symbol))
    return found


def _across(ends: Points) -> Points:
    """Direction on the page across an arrow, shape (2,); up for one that shows as a point."""
    along = ends[1] - ends[0]
    length = float(np.hypot(*along))
    return np.array([-along[1], along[0]]) / length if length > 0.3 else np.array([0.0, 1.0])


def _draw_arrow(axes: Axes, ends: Points, of_hop: str) -> None:
    """Draw a hop; a ring where it goes straight towards the viewer or away."""
    halo = [withStroke(linewidth=3.5, foreground="white")]
    if np.hypot(*(ends[1] - ends[0])) < 0.3:
        ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": of_hop, "markeredgewidth": 1.5}
        axes.plot(*ends[0], marker="o", markersize=7, zorder=5, **ring)
        return
    tip = {"arrowstyle": "-|>", "color": of_hop, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 9}
    axes.annotate("", ends[1], ends[0], arrowprops=tip | {"path_effects": halo}, zorder=5)
