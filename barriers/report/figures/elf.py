"""The ELF on a plane through a bond."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from pymatgen.core import Structure

from barriers.analysis.bond_density import Smooth, bond_vector
from barriers.analysis.density import Grid, Values
from barriers.report.style import STYLE
from barriers.report.views import UP

MARGIN, STEP = 2.2, 0.04
"""A cut reaches so far beyond its bond; its points are so far apart (Å)."""

IN_CUT = 0.4
"""Atoms no further from a cut are named in it (Å)."""


def draw_elf(elf: Grid, first: int, second: int) -> Axes:
    """Draw the ELF on a plane through a bond and, as far as that can be, the normal of the surface.

    Parameters
    ----------
    elf : Grid
        The ELF, as read from the file that the document names.
    first, second : int
        Atoms of the bond, e.g. those of a :class:`~barriers.analysis.electrons.BondDoc`.

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
    reach = float(np.linalg.norm(bond)) / 2 + MARGIN
    line = np.arange(-reach, reach, STEP)
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
