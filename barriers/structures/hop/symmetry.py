"""Which jumps are the same by symmetry of the structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Species, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from barriers.structures.hop.jump import Jump, Places, rank
from barriers.structures.rounding import rounded
from barriers.structures.surface.slab import LAYER, frozen_atoms

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


@dataclass(frozen=True)
class Primitive:
    """The primitive cell of a crystal, in the place and the turn of the cell that it was found in.

    Attributes
    ----------
    structure : Structure
        One atom of each set that lattice translations make the same.
    operations : list
        Rotations and translations in fractional coordinates of its own.
    translations : ndarray, shape (n, 3)
        Those between primitive cells, in fractional coordinates of the cell that it was found in.
    """

    structure: Structure
    operations: list[tuple[NDArray[np.float64], NDArray[np.float64]]]
    translations: NDArray[np.float64]

    def images(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the points that the operations map a fractional point on, that by the first of them first."""
        return np.array([rotation @ point + translation for rotation, translation in self.operations])


def classes(places: Places, jumps: list[Jump]) -> Classes:
    """Sort jumps into those that symmetry, or going backwards, makes the same.

    The symmetry is that of all atoms, metals and frozen atoms told apart; in a crystal, whatever the cell.

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
    tree = cKDTree(_wrapped(fractions), boxsize=1.0)
    tolerance = 10 * SYMPREC / min(structure.lattice.abc)
    edges = []
    for rotation, translation in _operations(structure):
        moved = (fractions[points] + images) @ rotation.T + translation
        apart, partner = tree.query(_wrapped(moved))
        there = np.rint(moved - fractions[partner]).astype(int)
        mapped = _rows(partner, there - there[:, :1])
        edges.append(_matches(rows, mapped, (apart < tolerance).all(axis=1)))
    first, second = np.concatenate(edges, axis=1)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(rows), len(rows)))
    labels: Integers = connected_components(graph, directed=False)[1]
    return labels


def _operations(structure: Structure) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Rotations and translations in fractional coordinates: those of the slab as it is, or all of a crystal.

    The symmetry of a crystal does not depend on the cell: that of its primitive cell and the translations between
    such cells make all others, those too that a supercell lacks.
    """
    if LAYER in structure.site_properties:
        return _found(SpacegroupAnalyzer(_told_apart(structure), SYMPREC))
    cell = primitive_of(structure)
    into = cell.structure.lattice.matrix @ structure.lattice.inv_matrix
    back = np.linalg.inv(into).T
    turned = [(into.T @ rotation @ back, translation @ into) for rotation, translation in cell.operations]
    return [*turned, *((np.eye(3), vector) for vector in into)]


def primitive_of(structure: Structure) -> Primitive:
    """Find the primitive cell of a crystal and its symmetry."""
    kinds = _told_apart(structure)
    dataset = SpacegroupAnalyzer(kinds, SYMPREC).get_symmetry_dataset()
    lattice = Lattice(dataset.primitive_lattice)
    mapping = dataset.mapping_to_primitive
    first = np.unique(mapping, return_index=True)[1]
    atoms = [kinds[atom].specie for atom in first], structure.cart_coords[first]
    primitive = Structure(lattice, *atoms, coords_are_cartesian=True)
    translations = structure.frac_coords[mapping == mapping[first[0]]] - structure.frac_coords[first[0]]
    plain = Structure(lattice, [structure[atom].specie for atom in first], primitive.frac_coords)
    return Primitive(plain, _found(SpacegroupAnalyzer(primitive, SYMPREC)), translations)


def _told_apart(structure: Structure) -> Structure:
    """Make ions of another charge of frozen atoms."""
    held = set(frozen_atoms(structure))
    kinds = [Species(site.specie.symbol, int(index in held)) for index, site in enumerate(structure)]
    return Structure(structure.lattice, kinds, structure.frac_coords)


def _found(analyzer: SpacegroupAnalyzer) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    found = analyzer.get_symmetry_operations()
    return [(operation.rotation_matrix, operation.translation_vector) for operation in found]


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
