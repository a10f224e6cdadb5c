"""What functions on grids say of a bond: the ELF along it, and how far from round the density is at its middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from pymatgen.core import Structure

from barriers.analysis.density import Grid, Values
from barriers.structures.bonding import distances_to
from barriers.structures.interface.contacts import bond_reach

STEP = 0.15
"""Second derivatives are taken over this distance (Å), about that of two points of a grid."""

POINTS = 101
"""Points along a bond, its ends included."""

BARE = ("H", "He")
"""A bond to one of these has no other atom's core beside it, and no π electrons."""


@dataclass(frozen=True)
class Line:
    """Values of a function at :data:`POINTS` even places from one atom to another."""

    values: Values

    @property
    def middle(self) -> float:
        """Halfway."""
        return float(self.values[POINTS // 2])

    @property
    def highest(self) -> float:
        """Highest within the middle half, where no core reaches."""
        return float(self.values[POINTS // 4 : -POINTS // 4].max())


class Smooth:
    """A function between the points of its grid, by periodic cubic splines.

    Parameters
    ----------
    grid : Grid
        The function.
    """

    def __init__(self, grid: Grid) -> None:
        self.structure = grid.structure
        self._shape = np.array(grid.shape)
        self._splines = scipy.ndimage.spline_filter(grid.values, mode="grid-wrap")

    def at(self, places: Values) -> Values:
        """Values at Cartesian places (Å), shape (n, ..., 3), in any image of the cell."""
        points = self.structure.lattice.get_fractional_coords(places) * self._shape
        values: Values = scipy.ndimage.map_coordinates(
            self._splines, np.moveaxis(points, -1, 0), mode="grid-wrap", prefilter=False
        )
        return values

    def along(self, first: int, second: int) -> Line:
        """Values from one atom to the nearest image of another."""
        start, bond = bond_vector(self.structure, first, second)
        return Line(self.at(start + np.linspace(0, 1, POINTS)[:, None] * bond))

    def ellipticity(self, first: int, second: int) -> float:
        """Ellipticity of a density at the middle of a bond: how much faster it falls one way across it than the other.

        ε = λ1/λ2 − 1 with the two curvatures across the bond: 0 for a round (σ or triple) bond, more where π electrons
        lie in one plane. Bader, Slee, Cremer and Kraka, J. Am. Chem. Soc. 105, 5061 (1983), take it at the bond's
        critical point, which between like atoms is the middle. NaN where the density does not fall both ways.
        """
        start, bond = bond_vector(self.structure, first, second)
        along = bond / np.linalg.norm(bond)
        across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
        across /= np.linalg.norm(across)
        axes = STEP * np.array([across, np.cross(along, across)])
        signs = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
        around = self.at(start + bond / 2 + signs @ axes).reshape(3, 3)
        one = around[2, 1] - 2 * around[1, 1] + around[0, 1]
        other = around[1, 2] - 2 * around[1, 1] + around[1, 0]
        mixed = (around[2, 2] - around[2, 0] - around[0, 2] + around[0, 0]) / 4
        steep, shallow = np.linalg.eigvalsh([[one, mixed], [mixed, other]])
        return float(steep / shallow - 1) if shallow < 0 else float("nan")


def bond_vector(structure: Structure, first: int, second: int) -> tuple[Values, Values]:
    """Place of an atom, and the vector to the nearest image of another (Å)."""
    _, image = structure.lattice.get_distance_and_image(structure.frac_coords[first], structure.frac_coords[second])
    step = structure.frac_coords[second] + image - structure.frac_coords[first]
    return structure.cart_coords[first], structure.lattice.get_cartesian_coords(step)


def covalent_bonds(structure: Structure) -> list[tuple[int, int]]:
    """Pairs of bonded atoms that are neither metals nor hydrogen, as for the bonds to a surface."""
    heavy = [n for n, site in enumerate(structure) if not (site.specie.is_metal or site.specie.symbol in BARE)]
    symbols = [site.specie.symbol for site in structure]
    apart = distances_to(structure, structure.cart_coords)
    return [
        (one, other)
        for one in heavy
        for other in heavy
        if one < other and apart[one, other] < bond_reach(symbols[one], symbols[other])
    ]
