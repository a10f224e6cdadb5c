"""Which jumps are the same by symmetry of the structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Species, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from barriers.structures.hop.jump import Jump, Places, rank
from barriers.structures.rounding import rounded
from barriers.structures.surface.slab import frozen_atoms

Integers = NDArray[np.int64]

SYMPREC = 0.01
"""Positions that differ by less (Å) are the same."""


@dataclass(frozen=True)
class Classes:
    """Jumps sorted by what symmetry makes the same; every jump is listed both ways.

    Attributes
    ----------
    distinct : list[Jump]
        The first jump of each class, in their order (:func:`~barriers.structures.hop.jump.rank`).
    points : ndarray of int, shape (k, m)
        Places of each jump: from, to, and further ones that belong to it.
    images : ndarray of int, shape (k, m, 3)
        Their lattice translations; those of the first are zero.
    number : ndarray of int, shape (k,)
        Class of each jump, an index into ``distinct``.
    forward : ndarray of bool, shape (k,)
        Whether symmetry maps it on the distinct jump, rather than on its way back alone.
    """

    distinct: list[Jump]
    points: Integers
    images: Integers
    number: Integers
    forward: NDArray[np.bool_]


def classes(places: Places, jumps: list[Jump]) -> Classes:
    """Sort jumps into those that symmetry, or going backwards, makes the same.

    The symmetry is that of all atoms, metals and frozen atoms told apart.

    Parameters
    ----------
    places : Places
        Places between which they run.
    jumps : list[Jump]
        All jumps, of one kind, at least one.
    """
    # One direction: the way that goes to larger x, then y, then z.
    ways = [jump for jump in jumps if tuple(rounded(places.vector(jump), 3)) > (0.0, 0.0, 0.0)]
    ways.sort(key=lambda jump: rank(places, jump))
    points = np.array([[place for place, _ in jump.places] for jump in ways])
    images = np.array([[image for _, image in jump.places] for jump in ways])
    back = [1, 0, *range(2, points.shape[1])]
    points = np.concatenate([points, points[:, back]])
    images = np.concatenate([images, images[:, back] - images[:, 1:2]])
    directed = _same(places.structure, places.fractions, points, images)
    there, returned = directed.reshape(2, -1)
    _, first, number = np.unique(np.minimum(there, returned), return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.argsort(order)[number]
    number = np.concatenate([number, number])
    return Classes([ways[way] for way in first[order]], points, images, number, directed == there[first[order]][number])


def _same(structure: Structure, fractions: NDArray[np.float64], points: Integers, images: Integers) -> Integers:
    """Number the classes of jumps that symmetry maps on each other, the way back told apart, shape (k,)."""
    rows = _rows(points, images)
    edges = []
    wrapped = _wrapped(fractions)
    tree = cKDTree(wrapped, boxsize=1.0)
    tolerance = 10 * SYMPREC / min(structure.lattice.abc)
    for rotation, translation in _operations(structure):
        moved = fractions @ rotation.T + translation
        apart, partner = tree.query(_wrapped(moved))
        shift = np.rint(moved - fractions[partner]).astype(int)
        there = images @ rotation.T + shift[points]
        mapped = _rows(partner[points], there - there[:, :1])
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


def _rows(points: Integers, images: Integers) -> Integers:
    """One row of whole numbers for each jump, shape (k, 4 m)."""
    return np.concatenate([points, images.reshape(len(points), -1)], axis=1)


def _matches(rows: Integers, mapped: Integers, reached: NDArray[np.bool_]) -> Integers:
    """Pairs (jump, jump it is mapped on), shape (2, number of pairs)."""
    numbers = np.unique(np.concatenate([rows, mapped]), axis=0, return_inverse=True)[1].ravel()
    here = np.full(numbers.max() + 1, -1)
    here[numbers[: len(rows)]] = np.arange(len(rows))
    target = here[numbers[len(rows) :]]
    known = reached & (target >= 0)
    return np.stack([np.flatnonzero(known), target[known]])
