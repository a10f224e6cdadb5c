"""Charges as colours on the atoms of a slab, from two sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from pymatgen.core import Structure

from barriers.analysis.density import SAME_CELL, Values, atom_heights, cell_height
from barriers.analysis.electrons import ElectronsDoc
from barriers.engines.common import at_positions
from barriers.report.structures import LEGEND_HEIGHT, SCALE, draw_frame, drawn_radius
from barriers.report.style import STYLE, TWO_COLUMNS
from barriers.report.views import Direction, empty_height, view_of
from barriers.structures.interface.contacts import in_one_piece
from barriers.structures.surface.slab import FRAGMENT, LAYER, LEAST_VACUUM


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
    colours = charge_scale(charges)
    with mpl.rc_context(STYLE):
        figure, panels = two_panels(structure, LEGEND_HEIGHT)
        for view, axes in panels.items():
            _draw_coloured(axes, structure, np.array(charges), colours, view)
        name = {"bader": "Bader", "lowdin": "Löwdin"}[kind]
        figure.colorbar(colours, ax=list(panels.values()), label=f"{name} charge (e)", shrink=0.8)
    return panels["side"], panels["top"]


def charge_scale(charges: Sequence[float]) -> ScalarMappable:
    """Colours of charges (e): red what gained electrons, blue what lost them, white what is neutral."""
    most = max(0.1, float(np.abs(charges).max()))
    return ScalarMappable(Normalize(-most, most), mpl.colormaps["RdBu"])


def _draw_coloured(axes: Axes, structure: Structure, charges: Values, colours: ScalarMappable, view: Direction) -> None:
    seen = view_of(structure, {}, view)
    draw_frame(seen, axes)
    for number, (atom, point) in enumerate(zip(seen.atoms.tolist(), seen.points, strict=True)):
        symbol, face = structure[atom].specie.symbol, colours.to_rgba(charges[atom])
        place = 2 + number / len(seen.atoms)  # the letters of an atom behind another one are hidden with it
        look: dict[str, Any] = {"facecolor": face, "edgecolor": "0.2", "linewidth": 0.5, "zorder": place}
        axes.add_patch(Circle(point, drawn_radius(symbol), **look))
        letters: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 5.5, "zorder": place}
        axes.annotate(symbol, point, color="white" if sum(face[:3]) < 1.5 else "black", **letters)


def two_panels(structure: Structure, around: float) -> tuple[Figure, dict[Direction, Axes]]:
    """Make a figure with two panels on one scale for a side and a top view, and room around them (inch)."""
    views: tuple[Direction, Direction] = ("side", "top")
    pages = [view_of(structure, {}, view).page for view in views]
    widths, heights = np.array([high - low for low, high in pages]).T
    scale = min(0.85 * TWO_COLUMNS / widths.sum(), SCALE)
    figure = Figure(figsize=(TWO_COLUMNS, scale * heights.max() + around), layout="constrained")
    return figure, dict(zip(views, figure.subplots(1, 2, width_ratios=widths), strict=True))


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
