"""First bands displaced sideways, to search further paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import get_distances
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial.transform import Rotation

from barriers.structures.path.interpolate import checked


def displace(images: Sequence[Atoms], atoms: Sequence[int], amplitude: float, seed: int) -> list[Atoms]:
    """Shift and turn a fragment as a rigid body in the intermediate images, to start a search elsewhere.

    One random direction and one random axis serve all images; half of the mean square is shift, half is turn
    (less turn for a fragment too small for it). Bond lengths within the fragment stay.

    Parameters
    ----------
    images : Sequence[Atoms]
        Band with its endpoints, which stay.
    atoms : Sequence[int]
        Indices of the fragment's atoms.
    amplitude : float
        Root mean square displacement of these atoms in the middle of the band (Å); image k of n + 1 gets
        ``amplitude * sin(pi * k / (n + 1))``.
    seed : int
        Seed of direction and axis.

    Raises
    ------
    OverlapError
        If atoms overlap in an intermediate image.
    """
    direction, axis = _unit_vectors(seed)
    chosen = list(atoms)
    displaced = [image.copy() for image in images]
    for image, fraction in zip(displaced[1:-1], np.linspace(0, 1, len(images))[1:-1], strict=True):
        size = amplitude * np.sin(np.pi * fraction)
        arms = _in_one_piece(image[chosen])
        arms -= arms.mean(axis=0)
        radius = np.sqrt((np.cross(axis, arms) ** 2).sum(axis=1).mean())
        turn = min(size / np.sqrt(2), radius)
        angle = 2 * np.arcsin(turn / (2 * radius)) if radius > 0 else 0.0
        moves = np.zeros_like(image.positions)
        moves[chosen] = Rotation.from_rotvec(angle * axis).apply(arms) - arms
        moves[chosen] += np.sqrt(size**2 - turn**2) * direction
        image.set_positions(image.positions + moves)
    return checked(displaced)


def _in_one_piece(fragment: Atoms) -> np.ndarray:
    """Positions of a molecule that periodic boundaries may have cut, joined along its nearest pairs."""
    vectors, distances = get_distances(fragment.positions, cell=fragment.cell, pbc=fragment.pbc)
    order, parents = breadth_first_order(minimum_spanning_tree(distances), 0, directed=False)
    positions = fragment.positions.copy()
    for atom in order[1:]:
        positions[atom] = positions[parents[atom]] + vectors[parents[atom], atom]
    return positions


def _unit_vectors(seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(2, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
