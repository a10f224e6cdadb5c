"""Densities on grids: differences, averages over planes, values along bonds. Arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

Values = NDArray[np.float64]

SAME_CELL = 1e-4
"""Vectors of one cell differ by no more than this (Å)."""

SAME_PLACE = 1e-3
"""Atoms at one place are no further apart than this (Å)."""

MOST_LEFT = 1e-3
"""A density difference integrates to zero within this (e)."""


@dataclass(frozen=True)
class Grid:
    """A periodic function on a grid over the cell: a density (e/Å³), or a function without a unit as the ELF.

    Attributes
    ----------
    values : (n1, n2, n3)
        Value (i, j, k) belongs to the fractional coordinates (i/n1, j/n2, k/n3).
    structure : Structure
        Cell and atoms.
    """

    values: Values
    structure: Structure

    @property
    def shape(self) -> tuple[int, int, int]:
        """Points along the three cell vectors."""
        n1, n2, n3 = self.values.shape
        return n1, n2, n3

    @property
    def voxel(self) -> float:
        """Volume of a point (Å³)."""
        return float(self.structure.volume) / self.values.size

    @property
    def total(self) -> float:
        """Integral over the cell (e)."""
        return float(self.values.sum()) * self.voxel


@dataclass(frozen=True)
class PlanarAverage:
    """A density integrated over planes along the first two cell vectors.

    Attributes
    ----------
    heights : (n3,)
        Along the normal of the planes (Å), from the middle of the vacuum below the atoms to that above.
    values : (n3,)
        Electrons per height (e/Å).
    running : (n3,)
        Electrons from the first height up to each one (e).
    """

    heights: Values
    values: Values
    running: Values

    def below(self, height: float) -> float:
        """Electrons below a height (e)."""
        return float(np.interp(height, self.heights, self.running))


def density_difference(whole: Grid, parts: Mapping[str, Grid]) -> Grid:
    """Subtract the densities of parts from that of the whole.

    Parameters
    ----------
    whole : Grid
        Density of all atoms.
    parts : Mapping[str, Grid]
        Densities of its parts by name, each alone in the same cell and on the same grid.

    Returns
    -------
    Grid
        Positive where electrons are gained.

    Raises
    ------
    ValueError
        If grids, cells or atoms do not fit, or the difference does not integrate to 0 within :data:`MOST_LEFT`.
    """
    for name, part in parts.items():
        check_same_grid("the whole", whole, name, part)
    _check_atoms(whole.structure, {name: part.structure for name, part in parts.items()})
    difference = replace(whole, values=whole.values - sum(part.values for part in parts.values()))
    if abs(difference.total) > MOST_LEFT:
        counts = ", ".join(f"{name} {part.total:.3f}" for name, part in parts.items())
        raise ValueError(
            f"Δρ integrates to {difference.total:.4f} e; allowed: 0 within {MOST_LEFT:g}. The whole has "
            f"{whole.total:.3f} e, its parts {counts}: charge them so that their electrons add up"
        )
    return difference


def check_same_grid(first: str, one: Grid, second: str, other: Grid) -> None:
    """Raise ``ValueError`` if two named grids have other points or another cell."""
    if one.shape != other.shape:
        sizes = ["×".join(map(str, grid.shape)) for grid in (one, other)]
        raise ValueError(
            f"{first} is on a grid of {sizes[0]} points, {second} on one of {sizes[1]}; allowed: one grid for all, "
            f"e.g. through nr1, nr2, nr3 of pw.x or NGXF, NGYF, NGZF of VASP"
        )
    apart = float(np.abs(one.structure.lattice.matrix - other.structure.lattice.matrix).max())
    if apart > SAME_CELL:
        raise ValueError(f"the cells of {first} and {second} differ by {apart:.4f} Å; allowed: {SAME_CELL:g}")


def _check_atoms(whole: Structure, parts: Mapping[str, Structure]) -> None:
    """Find each atom of the parts in the whole, and none of it twice or left over."""
    free = np.ones(len(whole), dtype=bool)
    for name, part in parts.items():
        apart = whole.lattice.get_all_distances(part.frac_coords, whole.frac_coords)
        for number, site in enumerate(part):
            same = np.array([other.specie == site.specie for other in whole])
            at = np.where(free & same, apart[number], np.inf)
            nearest = int(at.argmin())
            if at[nearest] > SAME_PLACE:
                nearby = "none left" if np.isinf(at[nearest]) else f"the nearest is {at[nearest]:.3f} Å away"
                raise ValueError(
                    f"{name}: no {site.specie} of the whole is where its atom {number} is, {nearby}; allowed: parts "
                    f"cut out of the whole, their atoms not moved"
                )
            free[nearest] = False
    if free.any():
        left = ", ".join(f"{whole[int(atom)].specie} {atom}" for atom in np.flatnonzero(free)[:3])
        raise ValueError(f"{left}: in no part; allowed: every atom of the whole in one part")


def moved(difference: Grid) -> float:
    """Electrons that a density difference moves from one place to another: ∫|Δρ| / 2 (e)."""
    return float(np.abs(difference.values).sum()) * difference.voxel / 2


def planar_average(grid: Grid) -> PlanarAverage:
    """Integrate a density over planes along the first two cell vectors, from the middle of the vacuum upwards."""
    height, count = cell_height(grid.structure), grid.shape[2]
    step = height / count
    start = round(vacuum_middle(grid.structure) * count)
    values = np.roll(grid.values.sum(axis=(0, 1)), -start) * grid.voxel / step
    running = (np.cumsum(values) - values / 2) * step
    heights: Values = (start + np.arange(count, dtype=float)) * step
    return PlanarAverage(heights, values, running)


def interface_height(structure: Structure, n_slab: int) -> float | None:
    """Height (Å) midway between slab and fragment, as heights of :func:`planar_average` are counted.

    Parameters
    ----------
    structure : Structure
        Slab atoms first; atoms may be wrapped into the cell.
    n_slab : int
        Number of slab atoms.

    Returns
    -------
    float or None
        None where no plane parts them: the fragment reaches below the topmost slab atom.
    """
    heights = atom_heights(structure)
    top, lowest = heights[:n_slab].max(), heights[n_slab:].min()
    return float(top + lowest) / 2 if lowest > top else None


def atom_heights(structure: Structure) -> Values:
    """Heights of the atoms (Å), shape (N,), as those of :func:`planar_average` are counted."""
    start = vacuum_middle(structure)
    heights: Values = (start + (structure.frac_coords[:, 2] - start) % 1.0) * cell_height(structure)
    return heights


def cell_height(structure: Structure) -> float:
    """Height of the cell along the normal of its first two vectors (Å)."""
    first, second, _ = structure.lattice.matrix
    return float(structure.volume / np.linalg.norm(np.cross(first, second)))


def vacuum_middle(structure: Structure) -> float:
    """Fractional height of the middle of the widest gap between atoms, that below the lowest atom: −0.5 to 0.5."""
    heights = np.sort(structure.frac_coords[:, 2] % 1.0)
    gaps = np.diff([*heights, heights[0] + 1.0])
    widest = int(gaps.argmax())
    middle = float(heights[widest] + gaps[widest] / 2) % 1.0
    return middle - 1.0 if middle > 0.5 else middle
