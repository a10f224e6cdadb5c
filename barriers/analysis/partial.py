"""The lowest modes of a structure from the forces of few displaced atoms, the others held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.geometry import get_distances
from numpy.typing import ArrayLike

from barriers.analysis.band import PERIODIC, Array
from barriers.analysis.modes import Modes
from barriers.analysis.vibrations import hessian

STEP = 0.05
"""Length of a displacement (Å): noise of 0.001 eV/Å in forces is 0.01 eV/Å² in a curvature then."""

ATOMS = 4
"""Atoms that are displaced where a saddle is verified: the hopping ion and its nearest free neighbours."""

POINTS = 6 * ATOMS
"""Single points that a saddle is verified with, at most."""


def nearest_free(
    positions: ArrayLike,
    cell: ArrayLike,
    ion: int,
    number: int,
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
) -> list[int]:
    """Choose an ion and the free atoms nearest to it.

    Parameters
    ----------
    positions : (N, 3)
        Å.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    ion : int
        Index of the ion.
    number : int
        So many atoms, the ion among them; fewer where there are no more.
    pbc : three booleans
        Periodic directions.
    frozen : indices
        Atoms held fixed.

    Returns
    -------
    list[int]
        The ion first, then by distance; of atoms equally far away (to 1e-3 Å) the first.
    """
    places = np.asarray(positions, dtype=float)
    apart = get_distances([places[ion]], places, cell, pbc)[1][0].round(3)
    free = [atom for atom in range(len(places)) if atom not in {ion, *frozen}]
    return [ion, *sorted(free, key=lambda atom: (apart[atom], atom))[: number - 1]]


def partial_modes(forces: ArrayLike, atoms: Sequence[int]) -> Modes:
    """Give the modes of some atoms among others that stay, from the forces of displaced structures.

    The eigenvalues of a part of a Hessian interlace with those of the whole (Cauchy): the lowest is an upper bound of
    the lowest curvature, and the whole has at least as many that are negative.

    Parameters
    ----------
    forces : (6 m, N, 3)
        Forces (eV/Å) of the structures of :func:`barriers.analysis.vibrations.displaced` by :data:`STEP`.
    atoms : m indices
        Atoms that were displaced.

    Returns
    -------
    Modes
        Vectors of shape (3 m, 3 m), over the coordinates of these atoms.
    """
    curvatures, vectors = np.linalg.eigh(hessian(forces, atoms, STEP))
    rows: Array = vectors.T
    return Modes(curvatures, rows, len(rows))
