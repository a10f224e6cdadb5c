"""Which jumps are the same by symmetry of the structure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Species, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from barriers.structures.surface.slab import frozen_atoms

Integers = NDArray[np.int64]

SYMPREC = 0.01
"""Positions that differ by less (Å) are the same."""


def same_jumps(structure: Structure, fractions: NDArray[np.float64], points: Integers, images: Integers) -> Integers:
    """Number the classes of jumps that symmetry, or going backwards, makes the same.

    The symmetry is that of all atoms, metals and frozen atoms told apart.

    Parameters
    ----------
    structure : Structure
        Slab or crystal.
    fractions : ndarray, shape (n, 3)
        Fractional coordinates of the places, not wrapped.
    points : ndarray of int, shape (k, m)
        Places of each jump: from, to, and further ones that belong to it.
    images : ndarray of int, shape (k, m, 3)
        Their lattice translations; those of the first are zero.

    Returns
    -------
    ndarray of int, shape (k,)
        Number of the class of each jump.
    """
    rows = _undirected(points, images)
    edges = []
    wrapped = _wrapped(fractions)
    tree = cKDTree(wrapped, boxsize=1.0)
    tolerance = 10 * SYMPREC / min(structure.lattice.abc)
    for rotation, translation in _operations(structure):
        moved = fractions @ rotation.T + translation
        apart, partner = tree.query(_wrapped(moved))
        shift = np.rint(moved - fractions[partner]).astype(int)
        there = images @ rotation.T + shift[points]
        mapped = _undirected(partner[points], there - there[:, :1])
        reached = (apart[points] < tolerance).all(axis=1)
        edges.append(_matches(rows, mapped, reached))
    first, second = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows), len(rows)))
    labels: Integers = connected_components(graph, directed=False)[1]
    return labels


def _operations(structure: Structure) -> list[tuple[Integers, NDArray[np.float64]]]:
    """Rotations and translations in fractional coordinates."""
    held = set(frozen_atoms(structure))
    # Frozen atoms are told apart as ions of another charge.
    kinds = [Species(site.specie.symbol, int(index in held)) for index, site in enumerate(structure)]
    analyzer = SpacegroupAnalyzer(Structure(structure.lattice, kinds, structure.frac_coords), SYMPREC)
    return [
        (np.rint(operation.rotation_matrix).astype(int), operation.translation_vector)
        for operation in analyzer.get_symmetry_operations()
    ]


def _wrapped(fractions: NDArray[np.float64]) -> NDArray[np.float64]:
    wrapped = fractions - np.floor(fractions)
    return np.where(wrapped >= 1.0, 0.0, wrapped)


def _undirected(points: Integers, images: Integers) -> Integers:
    """One row of whole numbers for a jump and its way back, shape (k, 4 m)."""
    back = [1, 0, *range(2, points.shape[1])]
    forward = np.concatenate([points, images.reshape(len(points), -1)], axis=1)
    returned = images[:, back] - images[:, 1:2]
    backward = np.concatenate([points[:, back], returned.reshape(len(points), -1)], axis=1)
    difference = forward - backward
    first = (difference != 0).argmax(axis=1)
    lower = difference[np.arange(len(points)), first] > 0
    return np.where(lower[:, None], backward, forward)


def _matches(rows: Integers, mapped: Integers, reached: NDArray[np.bool_]) -> Integers:
    """Pairs (jump, jump it is mapped on), shape (2, number of pairs)."""
    numbers = np.unique(np.concatenate([rows, mapped]), axis=0, return_inverse=True)[1].ravel()
    here = np.full(numbers.max() + 1, -1)
    here[numbers[: len(rows)]] = np.arange(len(rows))
    target = here[numbers[len(rows) :]]
    known = reached & (target >= 0)
    return np.stack([np.flatnonzero(known), target[known]])
