"""Directions in which atoms may move: all, none, or along some of the lattice vectors (``T T F``)."""

from __future__ import annotations

from itertools import product

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian, FixedLine, FixedPlane, FixScaled
from numpy.typing import NDArray
from pymatgen.core import Structure

LOCAL = (FixAtoms, FixCartesian, FixedPlane, FixedLine)
"""Constraints that hold each atom on its own, in Cartesian directions."""

KNOWN = (*LOCAL, FixScaled)
"""Constraints that are kept as directions in which atoms may move."""


def free_directions(structure: Structure) -> NDArray[np.bool_]:
    """Whether each atom may move along each lattice vector, shape (N, 3): selective dynamics, where they are known."""
    flags = structure.site_properties.get("selective_dynamics", [None] * len(structure))
    return np.array([[True] * 3 if free is None else list(free) for free in flags], dtype=bool).reshape(-1, 3)


def free_part(vectors: NDArray[np.float64], structure: Structure) -> NDArray[np.float64]:
    """Part of each atom's vector (N, 3), such as a force, along the directions in which the atom may move."""
    return along_lattice(vectors, free_directions(structure), structure.lattice.matrix)


def along_lattice(
    vectors: NDArray[np.float64], free: NDArray[np.bool_], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Part of each vector (N, 3) in the space that the lattice vectors (rows) flagged in ``free`` (N, 3) span."""
    parts = np.array(vectors, dtype=float)
    for flags in np.unique(free, axis=0):
        if not flags.all():
            atoms = (free == flags).all(axis=1)
            parts[atoms] = parts[atoms] @ _projector(matrix, flags)
    return parts


def constraints_of(free: NDArray[np.bool_]) -> list[FixAtoms | FixScaled]:
    """Make ASE's constraints of directions (N, 3) in which atoms may move along the lattice vectors."""
    held: list[FixAtoms | FixScaled] = []
    for flags in np.unique(free, axis=0):
        atoms = np.flatnonzero((free == flags).all(axis=1)).tolist()
        if not flags.any():
            held.append(FixAtoms(atoms))
        elif not flags.all():
            held.append(FixScaled(atoms, mask=~flags))
    return held


def directions_of(atoms: Atoms) -> NDArray[np.bool_]:
    """Directions in which ASE's constraints leave each atom free, shape (N, 3), along the lattice vectors.

    Raises
    ------
    ValueError
        If an atom is held in a plane or on a line that no lattice vectors span.
    """
    held = atoms.copy()
    held.set_constraint()
    moves = np.tile(np.eye(3), (len(atoms), 1, 1))
    free = np.ones((len(atoms), 3), dtype=bool)
    for constraint in atoms.constraints:
        if isinstance(constraint, FixScaled):  # along the lattice vectors as it is
            free[constraint.index] &= ~constraint.mask
        elif isinstance(constraint, LOCAL):
            for axis in range(3):
                pushed = moves[:, axis].copy()
                constraint.adjust_forces(held, pushed)
                moves[:, axis] = pushed
    matrix = atoms.cell.complete().array
    for atom in np.flatnonzero(np.abs(moves - np.eye(3)).max(axis=(1, 2)) > 1e-9):
        free[atom] &= _flags(moves[atom], matrix, int(atom))
    return free


def _flags(moves: NDArray[np.float64], matrix: NDArray[np.float64], atom: int) -> tuple[bool, ...]:
    """Lattice vectors along which an atom may move that turns a push along each axis into the rows of ``moves``."""
    rank = np.linalg.matrix_rank(moves, tol=1e-6)
    if rank in (0, 3):
        return (bool(rank),) * 3
    for flags in product((True, False), repeat=3):
        if sum(flags) == rank and np.allclose(moves @ _projector(matrix, np.array(flags)), moves, atol=1e-6):
            return flags
    raise ValueError(
        f"atom {atom} may move in a plane or on a line that no lattice vectors span; allowed: FixAtoms, and "
        "FixedPlane, FixedLine, FixCartesian or FixScaled along lattice vectors"
    )


def _projector(matrix: NDArray[np.float64], flags: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Projector (3, 3) onto the space that the chosen lattice vectors span."""
    chosen = matrix[np.asarray(flags, dtype=bool)]
    return chosen.T @ np.linalg.pinv(chosen.T) if len(chosen) else np.zeros((3, 3))
