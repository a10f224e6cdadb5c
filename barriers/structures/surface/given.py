"""Slabs of a user's own, brought into the form that a slab has which was cut here: its atoms stay as they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice, Structure

from barriers.structures.directions import free_directions
from barriers.structures.rounding import GRID, rounded
from barriers.structures.surface.cutting import LAYER
from barriers.structures.surface.slab import set_vacuum

Floats = NDArray[np.float64]

EMPTY = 5.0
"""A height without atoms from this on (Å) is no part of a crystal: layers that lithium has left are 4.7 Å apart."""

LEAST_VACUUM = 8.0
"""Least empty height (Å) between a slab and its image, as for a slab that is cut here."""

BETWEEN_PLANES = 0.6
"""Atoms that are higher than all below them by more than this (Å) begin a new plane."""

LEAST_IONS = 0.4
"""A plane with less than this part of the ions of the fullest is none of its own: antisites. A polar face has half."""

AS_NEAR = 0.3
"""A plane as near to the ions above as to those below, within this (Å), goes with those below."""

UPRIGHT = 1e-6
"""A surface vector that rises by less than this over its length lies in the plane."""


@dataclass(frozen=True)
class Frame:
    """From the cell of a file to that of the slab: which vector is the normal, how it is turned, where it begins.

    Attributes
    ----------
    order : tuple[int, int, int]
        Vectors of the file in the order of the slab's.
    matrix : ndarray, shape (3, 3)
        The file's vectors (Å) in that order, turned so that the first two lie in the plane.
    floor : float
        Fractional coordinate along the last, in the middle of what is empty.
    lift : float
        How far all is lifted along z (Å).
    """

    order: tuple[int, int, int]
    matrix: Floats
    floor: float
    lift: float

    def carry(self, fractions: ArrayLike) -> Floats:
        """Cartesian positions (Å) in the slab of places in the file's cell, above the vacuum's middle, shape (n, 3)."""
        places = np.array(fractions, dtype=float).reshape(-1, 3)[:, self.order]
        places[:, 2] -= np.floor(places[:, 2] - self.floor)
        return np.asarray(places @ self.matrix + [0, 0, self.lift], dtype=float)


@dataclass(frozen=True)
class GivenSlab:
    """A slab of a user's own.

    Attributes
    ----------
    slab : Structure
        In the order of its file, with ``layer`` and ``selective_dynamics``, c along the normal.
    vacuum : float
        Empty height (Å), as in the file or as asked for.
    layer_height : float
        Mean distance of its layers (Å).
    frame : Frame
        Where the places of the file are.
    """

    slab: Structure
    vacuum: float
    layer_height: float
    frame: Frame


def given_slab(structure: Structure, vacuum: float | None = None, ion: str = "Li") -> GivenSlab:
    """Turn a slab so that its normal is z, put it in one piece above the floor of the cell, and number its layers.

    Parameters
    ----------
    structure : Structure
        As read, with what may move, if it is told; wrapped anyhow, with the vacuum along any of its vectors.
    vacuum : float or None
        Empty height to give it (Å); that of its cell if None.
    ion : str
        Element that moves.

    Raises
    ------
    ValueError
        One line, if it is no single slab with a vacuum above it.
    """
    if sum(structure.lattice.pbc) < 2:
        raise ValueError("has no periodic cell; allowed: a slab that is periodic in its plane, e.g. a POSCAR or a CIF")
    gaps = [_gaps(structure, axis) for axis in range(3)]
    most = rounded([heights.max() for heights, _ in gaps], GRID)
    axis = int(np.argmax(rounded(most, 2)))
    heights, floors = gaps[axis]
    widest = float(most[axis])
    if widest < (LEAST_VACUUM if vacuum is None else EMPTY):
        raise ValueError(
            f"the widest gap without atoms is {widest:.2f} Å, along vector {axis + 1}; allowed: a slab with a vacuum "
            f"of at least {LEAST_VACUUM:g} Å" + ("" if widest < EMPTY else ", or slab.vacuum, which sets it")
        )
    if (most >= EMPTY).sum() > 1:
        raise ValueError("is empty around its atoms along more than one vector; allowed: a slab, periodic in its plane")
    if (second := np.sort(heights)[-2:-1]).size and second[0] >= EMPTY:
        raise ValueError(f"a second gap of {second[0]:.2f} Å parts its atoms; allowed: one slab, with nothing above it")
    order, matrix = _turned(structure.lattice, axis)
    floor = float(floors[heights.argmax()])
    positions = Frame(order, matrix, floor, 0.0).carry(structure.frac_coords)
    standing = Structure(
        Lattice(matrix),
        structure.species,
        positions,
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": free_directions(structure)[:, order].tolist()},
    )
    layers, apart = layer_numbers(positions[:, 2], np.array([site.specie.symbol == ion for site in structure]))
    standing.add_site_property(LAYER, layers)
    vacuum = widest if vacuum is None else vacuum
    slab = set_vacuum(standing, vacuum)
    frame = Frame(order, matrix, floor, float(slab.cart_coords[0, 2] - positions[0, 2]))
    return GivenSlab(slab, vacuum, apart, frame)


def layer_numbers(heights: Floats, is_ion: NDArray[np.bool_]) -> tuple[list[int], float]:
    """Number the layers of a slab: each plane of ions is one, with the planes of other atoms that are nearest to it.

    Parameters
    ----------
    heights : ndarray, shape (n,)
        Of the atoms (Å).
    is_ion : ndarray of bool, shape (n,)
        Which of them are ions that may move. Without any, each plane of atoms is a layer.

    Returns
    -------
    list[int]
        Number of each atom's layer, 0 for the lowest.
    float
        Mean distance of the layers (Å).
    """
    order = np.argsort(heights, kind="stable")
    steps = rounded(np.diff(heights[order]), GRID) > BETWEEN_PLANES
    plane = np.empty(len(heights), dtype=int)
    plane[order] = np.concatenate([[0], np.cumsum(steps)])
    means = np.bincount(plane, heights) / np.bincount(plane)
    ions = np.bincount(plane, is_ion)
    of_ions = means[ions >= LEAST_IONS * ions.max()] if is_ion.any() else means
    away = np.abs(means[:, None] - of_ions)
    nearest = (away < away.min(axis=1, keepdims=True) + AS_NEAR).argmax(axis=1)
    apart = float(np.ptp(of_ions)) / (len(of_ions) - 1) if len(of_ions) > 1 else float(np.ptp(heights))
    return [int(nearest[number]) for number in plane], apart


def _gaps(structure: Structure, axis: int) -> tuple[Floats, Floats]:
    """Heights without atoms (Å) along a lattice vector, and the fractional coordinate of the middle of each."""
    matrix = structure.lattice.matrix
    others = np.cross(*np.delete(matrix, axis, axis=0))
    height = structure.volume / np.linalg.norm(others)
    places = np.sort(structure.frac_coords[:, axis] % 1)
    steps = np.diff(places, append=places[0] + 1)
    return steps * height, places + steps / 2


def _turned(lattice: Lattice, axis: int) -> tuple[tuple[int, int, int], Floats]:
    """Vectors in a right-handed order, the given one last, turned so that the others lie in the plane of x and y."""
    order = ((axis + 1) % 3, (axis + 2) % 3, axis)
    if np.linalg.det(lattice.matrix[list(order)]) < 0:
        order = (order[1], order[0], axis)
    matrix = np.array(lattice.matrix[list(order)])
    normal = np.cross(matrix[0], matrix[1])
    normal /= np.linalg.norm(normal)
    if normal[2] < 1 - UPRIGHT**2:
        along = matrix[0] / np.linalg.norm(matrix[0])
        matrix = matrix @ np.array([along, np.cross(normal, along), normal]).T
    matrix[:2, 2] = 0.0
    return order, matrix
