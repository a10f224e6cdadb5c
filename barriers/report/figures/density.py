"""What electrons do at an interface: Δρ over the height and in space, charges of atoms, ELF across a bond."""

from __future__ import annotations

from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch
from matplotlib.patheffects import withStroke
from pymatgen.core import Structure

from barriers.analysis.bond_density import Smooth, bond_vector
from barriers.analysis.density import SAME_CELL, Grid, Values, atom_heights, cell_height
from barriers.analysis.electrons import ElectronsDoc
from barriers.engines.common import at_positions
from barriers.engines.dft import LEAST_VACUUM
from barriers.report.isosurface import rays_of, surface_seen
from barriers.report.structures import LEGEND_HEIGHT, SCALE, add_legend, draw_structure, drawn_radius
from barriers.report.style import COLOURS, STYLE, TWO_COLUMNS, fitted_legend
from barriers.report.views import UP, Direction, empty_height, view_of
from barriers.structures.interface.contacts import in_one_piece
from barriers.structures.surface.slab import FRAGMENT, LAYER

GAIN, LOSS = COLOURS[4], COLOURS[5]
"""Colours of what gains and loses electrons; they differ in grey too."""

LEVEL = 0.02
"""Level of the surfaces of Δρ (e/Å³), 0.003 e/bohr³."""

OPAQUE = 0.75
"""The surfaces let this much less than all through."""

BEYOND = 1.5
"""A picture goes on so far beyond the outermost atoms (Å)."""

ELF_MARGIN, ELF_STEP = 2.2, 0.04
"""A cut reaches so far beyond its bond; its points are so far apart (Å)."""

IN_CUT = 0.4
"""Atoms no further from a cut are named in it (Å)."""


def standing(structure: Structure, n_slab: int | None) -> Structure:
    """Put a structure up for drawing: no atom below the vacuum, the fragment known as such and in one piece."""
    places = structure.frac_coords.copy()
    places[:, 2] += np.rint((atom_heights(structure) / cell_height(structure)) - places[:, 2])
    drawn = Structure(structure.lattice, structure.species, places, site_properties=structure.site_properties)
    if n_slab is None:
        return drawn
    drawn.add_site_property(LAYER, [0] * n_slab + [FRAGMENT] * (len(structure) - n_slab))
    together = in_one_piece(drawn, np.arange(n_slab, len(structure)))
    return at_positions(drawn, np.vstack([drawn.cart_coords[:n_slab], together]))


def is_slab(structure: Structure) -> bool:
    """Whether a structure can be seen from the side and from the top: its third vector is the normal, with a vacuum."""
    across = structure.lattice.matrix[:2, 2], structure.lattice.matrix[2, :2]
    upright = float(np.abs(across).max()) < SAME_CELL
    return upright and empty_height(standing(structure, None)) >= LEAST_VACUUM


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
        figure, panels = _two_panels(structure, 2 * LEGEND_HEIGHT)
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
    """Level at which Δρ is drawn (e/Å³): :data:`LEVEL`, or half of the largest |Δρ| where that does not reach it."""
    highest = float(np.abs(difference.values).max())
    return LEVEL if highest > LEVEL else float(f"{highest / 2:.1g}")


def _two_panels(structure: Structure, around: float) -> tuple[Figure, dict[Direction, Axes]]:
    """Make a figure with two panels on one scale for a side and a top view, and room around them (inch)."""
    views: tuple[Direction, Direction] = ("side", "top")
    pages = [view_of(structure, {}, view).page for view in views]
    widths, heights = np.array([high - low for low, high in pages]).T
    scale = min(0.85 * TWO_COLUMNS / widths.sum(), SCALE)
    figure = Figure(figsize=(TWO_COLUMNS, scale * heights.max() + around), layout="constrained")
    return figure, dict(zip(views, figure.subplots(1, 2, width_ratios=widths), strict=True))


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


def draw_charges(document: ElectronsDoc, kind: Literal["bader", "lowdin"] = "bader") -> tuple[Axes, Axes]:
    """Draw atoms in the colours of their charges, from the side and from the top.

    Parameters
    ----------
    document : ElectronsDoc
        Of a slab, with a fragment or without.
    kind : {"bader", "lowdin"}
        Whose charges.

    Raises
    ------
    ValueError
        If the document has none of that kind, or the structure is no slab.
    """
    if not is_slab(document.structure):
        raise ValueError(
            f"{document.structure.formula}: no slab, which pictures show from the side and from the top; allowed: a "
            f"vacuum of {LEAST_VACUUM:g} Å along the third cell vector, which is the normal"
        )
    source = document.bader if kind == "bader" else document.lowdin
    if source is None:
        raise ValueError(f"{kind}: the document has no such charges; allowed: bader")
    charges = source.charges
    structure = standing(document.structure, document.n_slab)
    most = max(0.1, float(np.abs(charges).max()))
    colours = ScalarMappable(Normalize(-most, most), mpl.colormaps["RdBu"])
    with mpl.rc_context(STYLE):
        figure, panels = _two_panels(structure, LEGEND_HEIGHT)
        for view, axes in panels.items():
            _draw_coloured(axes, structure, np.array(charges), colours, view)
        name = {"bader": "Bader", "lowdin": "Löwdin"}[kind]
        figure.colorbar(colours, ax=list(panels.values()), label=f"{name} charge (e)", shrink=0.8)
    return panels["side"], panels["top"]


def _draw_coloured(axes: Axes, structure: Structure, charges: Values, colours: ScalarMappable, view: Direction) -> None:
    seen = view_of(structure, {}, view)
    low, high = seen.page
    axes.set(aspect="equal", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_axis_off()
    axes.set_title(seen.note, fontsize=STYLE["legend.fontsize"])
    axes.plot(*seen.outline.T, color="0.5", linewidth=0.7, zorder=0)
    axes.add_collection(LineCollection(list(seen.bonds), colors="0.25", linewidths=1.5, zorder=1))
    for number, (atom, point) in enumerate(zip(seen.atoms.tolist(), seen.points, strict=True)):
        symbol, face = structure[atom].specie.symbol, colours.to_rgba(charges[atom])
        place = 2 + number / len(seen.atoms)  # the letters of an atom behind another one are hidden with it
        look: dict[str, Any] = {"facecolor": face, "edgecolor": "0.2", "linewidth": 0.5, "zorder": place}
        axes.add_patch(Circle(point, drawn_radius(symbol), **look))
        letters: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 5.5, "zorder": place}
        axes.annotate(symbol, point, color="white" if sum(face[:3]) < 1.5 else "black", **letters)


def draw_elf(elf: Grid, first: int, second: int) -> Axes:
    """Draw the ELF on a plane through a bond and, as far as that can be, the normal of the surface.

    Parameters
    ----------
    elf : Grid
        The ELF, as read from the file that the document names.
    first, second : int
        Atoms of the bond, e.g. those of a :class:`~barriers.engines.density.BondDoc`.

    Returns
    -------
    Axes
        Along the bond and across it (Å), its middle at the origin; the atoms in the plane are named.
    """
    structure = elf.structure
    start, bond = bond_vector(structure, first, second)
    along = bond / np.linalg.norm(bond)
    up = UP - (UP @ along) * along
    if np.linalg.norm(up) < 0.1:  # the bond stands on the surface
        up = structure.lattice.matrix[0] - (structure.lattice.matrix[0] @ along) * along
    plane = np.array([along, up / np.linalg.norm(up)])
    reach = float(np.linalg.norm(bond)) / 2 + ELF_MARGIN
    line = np.arange(-reach, reach, ELF_STEP)
    middle = start + bond / 2
    places = middle + line[None, :, None] * plane[0] + line[:, None, None] * plane[1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.9, 3.3), layout="constrained")
        axes = figure.subplots()
        values = np.clip(Smooth(elf).at(places), 0, 1)
        picture = axes.imshow(
            values, extent=(-reach, reach, -reach, reach), origin="lower", vmin=0, vmax=1, cmap="viridis"
        )
        axes.contour(line, line, values, levels=(0.5, 0.7, 0.8, 0.9), colors="white", linewidths=0.5)
        halo = [withStroke(linewidth=1.5, foreground="white")]
        for symbol, point in _atoms_near(structure, middle, plane, reach):
            axes.annotate(symbol, point, ha="center", va="center", color="black", path_effects=halo)
        axes.set(xlabel="Along the bond (Å)", ylabel="Across it (Å)")
        figure.colorbar(picture, label="ELF")
    return axes


def _atoms_near(
    structure: Structure, middle: Values, plane: Values, reach: float
) -> list[tuple[str, tuple[float, float]]]:
    """Atoms and copies near a plane about a point: element and place on it."""
    found = []
    for site in structure.get_sites_in_sphere(middle, reach * np.sqrt(2)):
        away = site.coords - middle
        point = plane @ away
        if abs(away @ np.cross(*plane)) <= IN_CUT and np.abs(point).max() < reach:
            found.append((site.specie.symbol, (float(point[0]), float(point[1]))))
    return found
