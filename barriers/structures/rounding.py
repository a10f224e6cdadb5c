"""Numbers without their last bits, so that the same input gives the same bytes on every machine.

A matrix product or an inverse has other last bits with each kernel of a BLAS library, and a sine with each processor.
So no order and no choice may rest on them: what is compared is rounded first, and what is kept is on a grid.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Lattice, Structure

Floats = NDArray[np.float64]

GRID = 6
"""Digits (Å) to which cells and positions are built: a thousandth of what a relaxation leaves open."""

BESIDE = 3
"""Digits (Å) to which positions are compared when atoms are put in order."""


def rounded(values: ArrayLike, digits: int) -> Floats:
    """Round in two steps, so that the last bits do not decide a half: 1.4365 is one number, 1.4365 − 2e-16 the same.

    The first step is coarser than the 1e-9 Å by which symmetry's copies of an atom differ in a crystal as it is built.

    Parameters
    ----------
    values : array_like
        Any shape.
    digits : int
        Digits after the point.
    """
    finer = np.round(np.asarray(values, dtype=np.float64), digits + 2)
    # Adding zero makes a negative zero a positive one.
    return np.asarray(np.round(finer, digits) + 0.0, dtype=np.float64)


def round_off(value: float | np.floating, digits: int) -> float:
    """Round one number as :func:`rounded` does."""
    return float(rounded(value, digits))


def by_place(positions: ArrayLike) -> NDArray[np.intp]:
    """Order of positions: the lowest first, at one height by y, then by x, each to 0.001 Å.

    Parameters
    ----------
    positions : array_like, shape (n, 3)
        In Å.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    return np.lexsort(rounded(positions, BESIDE).reshape(-1, 3).T)


def fractional(positions: Floats, matrix: Floats) -> Floats:
    """Fractional coordinates by Cramer's rule, whose sums have one order, unlike those of a BLAS library.

    Parameters
    ----------
    positions : ndarray, shape (n, 3)
        In Å.
    matrix : ndarray, shape (3, 3)
        Cell vectors (Å) in rows.
    """
    a, b, c = matrix
    sides = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
    found: Floats = (positions[:, None] * sides).sum(axis=-1) / (a * sides[0]).sum() + 0.0
    return found


def on_grid(structure: Structure) -> Structure:
    """Round cell and positions to 1e-6 Å, with fractional coordinates that are the same on every machine."""
    matrix = rounded(structure.lattice.matrix, GRID)
    places = fractional(rounded(structure.cart_coords, GRID), matrix)
    return Structure(
        Lattice(matrix, structure.lattice.pbc),
        structure.species_and_occu,
        places,
        site_properties=structure.site_properties,
    )


def digest(structure: Structure) -> str:
    """Formula, and a short SHA-256 of species, cell and positions (to 1e-6 Å), in the order of the atoms."""
    content = [
        [site.species_string for site in structure],
        rounded(structure.lattice.matrix, GRID).tolist(),
        rounded(structure.cart_coords, GRID).tolist(),
    ]
    return f"{structure.composition.formula} {hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]}"
