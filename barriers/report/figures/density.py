"""Where electrons go at an interface: Δρ over the height and in space."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from pymatgen.core import Structure

from barriers.analysis.density import Grid
from barriers.analysis.electrons import ElectronsDoc
from barriers.report.figures.charges import standing, two_panels
from barriers.report.isosurface import rays_of, surface_seen
from barriers.report.structures import LEGEND_HEIGHT, add_legend, draw_structure
from barriers.report.style import COLOURS, STYLE, TWO_COLUMNS, fitted_legend
from barriers.report.views import Direction

GAIN, LOSS = COLOURS[4], COLOURS[5]
"""Colours of what gains and loses electrons; they differ in grey too."""

LEVEL = 0.02
"""Level of the surfaces of Δρ (e/Å³), 0.003 e/bohr³."""

OPAQUE = 0.75
"""Opacity of the surfaces."""

BEYOND = 1.5
"""A picture goes on so far beyond the outermost atoms (Å)."""


def draw_planar_average(document: ElectronsDoc) -> tuple[Axes, Axes, Axes]:
    """Draw Δρ integrated over planes beside a side view of the interface, on one scale of heights.

    Parameters
    ----------
    document : ElectronsDoc
        Of an interface.

    Returns
    -------
    tuple[Axes, Axes, Axes]
        Side view, electrons per height, and electrons below each height; the plane between slab and fragment is dashed.

    Raises
    ------
    ValueError
        If the structure was computed in one piece.
    """
    if document.difference is None:
        raise ValueError("Δρ: the structure was computed in one piece; allowed: with n_slab, a slab and a fragment")
    structure = standing(document.structure, document.n_slab)
    heights = np.array(document.difference.heights)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(TWO_COLUMNS, 3.6), layout="constrained")
        side, density, running = figure.subplots(1, 3, width_ratios=(1.3, 1, 1), sharey=True)
        draw_structure(structure, axes=side)
        values = np.array(document.difference.values)
        density.fill_betweenx(heights, 0, values, where=values > 0, color=GAIN, interpolate=True, linewidth=0)
        density.fill_betweenx(heights, 0, values, where=values < 0, color=LOSS, interpolate=True, linewidth=0)
        density.plot(values, heights, color="black", linewidth=0.8)
        running.plot(document.difference.running, heights, color="black")
        density.set(xlabel="Δρ over planes (e/Å)", ylabel="Height (Å)")
        running.set(xlabel="Electrons gained below (e)")
        density.tick_params(labelleft=True)
        for axes in (density, running):
            axes.locator_params(axis="x", nbins=4)
            axes.axvline(0, color="0.6", linewidth=0.6)
            if document.plane is not None:
                axes.axhline(document.plane, color="0.4", linewidth=0.8, linestyle="--")
        add_legend(figure, [structure], {})
        top = min(heights.max(), structure.cart_coords[:, 2].max() + 2 * BEYOND)
        side.set_ylim(side.get_ylim()[0], top)
    return side, density, running


def draw_difference(document: ElectronsDoc, difference: Grid, level: float = LEVEL) -> tuple[Axes, Axes]:
    """Draw the surfaces on which Δρ has a level and its negative, from the side and from the top.

    Parameters
    ----------
    document : ElectronsDoc
        Of an interface.
    difference : Grid
        Δρ (e/Å³), as read from the file that the document names.
    level : float
        Level (e/Å³), positive.

    Returns
    -------
    tuple[Axes, Axes]
        Side and top view in one figure. The surfaces stand over the atoms and let them shine through.

    Raises
    ------
    ValueError
        If the level is not positive, or above all of Δρ.
    """
    highest = float(np.abs(difference.values).max())
    if not 0 < level <= highest:
        raise ValueError(f"level: {level:g} e/Å³; allowed: above 0, up to the largest |Δρ|, {highest:.3g}")
    structure = standing(document.structure, document.n_slab)
    with mpl.rc_context(STYLE):
        figure, panels = two_panels(structure, 2 * LEGEND_HEIGHT)
        for view, axes in panels.items():
            draw_structure(structure, view=view, axes=axes)
            _draw_surfaces(axes, structure, difference, level, view)
        handles = [
            Patch(facecolor=GAIN, label=f"gains electrons, Δρ = {level:g} e/Å³"),
            Patch(facecolor=LOSS, label=f"loses electrons, Δρ = −{level:g} e/Å³"),
        ]
        fitted_legend(figure, handles, loc="outside upper center")
        add_legend(figure, [structure], {})
    return panels["side"], panels["top"]


def level_of(difference: Grid) -> float:
    """Level at which Δρ is drawn (e/Å³): :data:`LEVEL`, or half of the largest where it is not reached."""
    highest = float(np.abs(difference.values).max())
    return LEVEL if highest > LEVEL else float(f"{highest / 2:.1g}")


def _draw_surfaces(axes: Axes, structure: Structure, difference: Grid, level: float, view: Direction) -> None:
    heights = structure.cart_coords[:, 2]
    rays = rays_of(structure, view, (heights.min() - BEYOND, heights.max() + BEYOND))
    gain, loss = surface_seen(difference, level, rays), surface_seen(difference, -level, rays)
    picture = np.zeros((*gain.depth.shape, 4))
    for seen, colour in ((gain, GAIN), (loss, LOSS)):
        front = np.isfinite(seen.depth) & (seen.depth <= np.minimum(gain.depth, loss.depth))
        picture[front, :3] = np.clip(np.array(to_rgb(colour)) * seen.light[front][:, None] * 1.1, 0, 1)
        picture[front, 3] = OPAQUE
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(picture, extent=gain.extent, origin="lower", zorder=3.5, interpolation="bilinear")
    axes.set(
        xlim=limits[0], ylim=(min(limits[1][0], gain.extent[2]), max(limits[1][1], gain.extent[3])), aspect="equal"
    )
