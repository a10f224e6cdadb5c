"""Projections of a slab for drawing: which atoms are seen, where, and how far back. Geometry alone, no figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Molecule, Structure

from barriers.structures.bonding import bonds
from barriers.structures.surface.slab import FRAGMENT, LAYER

Points = NDArray[np.float64]
HopEnds = Sequence[Points]
"""Cartesian start and end of the moving ion (Å), and the places between where it is a path; each of shape (3,) and
none wrapped into the cell."""

Direction = Literal["side", "top"]

TOP_DEPTH = 3.0
"""The top view shows the atoms down to this depth below the slab's topmost atom (Å), or down to the hop."""

BORDER = np.array([[1.0, 1.8], [1.0, 1.0]])
"""Left and lower, right and upper border around the atoms' centres and the cell (Å); the scale bar stands below."""

EDGE = 1e-3
"""Atoms on the border of the cell, to this fraction of it, are drawn on its lower side."""

NO_VACUUM = 4.0
"""A cell that is empty over less than this height (Å) is one of a crystal: all of it repeats."""

EDGES = ("000", "100", "110", "010", "000", "001", "101", "100", "101", "111", "110", "111", "011", "010", "011", "001")
"""Corners of a cell in the order of one line along all of its edges."""

UP = np.array([0.0, 0.0, 1.0])
NO_ARROWS: Mapping[str, Points] = MappingProxyType({})


@dataclass(frozen=True)
class View:
    """A structure as it is seen from one direction. All points are (x, y) on the page in Å.

    Attributes
    ----------
    atoms : ndarray of int, shape (n,)
        Indices of the atoms that are drawn, the hindmost first.
    points : ndarray, shape (n, 2)
        Where they are, in that order.
    depth : ndarray, shape (n,)
        0 for the foremost slab atoms, 1 for the hindmost.
    bonds : ndarray, shape (m, 2, 2)
        Both ends of each bond of a fragment.
    outline : ndarray, shape (k, 2)
        The cell, as a line.
    hops : dict[str, ndarray of shape (p, 2)]
        Start and end of each hop, and the places between where it is a path.
    note : str
        What the reader has to know: the direction and what is left out.
    """

    atoms: NDArray[np.int_]
    points: Points
    depth: Points
    bonds: Points
    outline: Points
    hops: dict[str, Points]
    note: str

    @property
    def page(self) -> tuple[Points, Points]:
        """Lower left and upper right corner of what is drawn, border included (Å)."""
        drawn = np.vstack([self.points, self.outline, *self.hops.values()])
        return drawn.min(axis=0) - BORDER[0], drawn.max(axis=0) + BORDER[1]


def fragment_atoms(structure: Structure) -> NDArray[np.bool_]:
    """Mark the atoms of fragments, shape (n,); none where the structure has no ``layer`` numbers."""
    numbers = structure.site_properties.get(LAYER, [None] * len(structure))
    return np.array([number == FRAGMENT for number in numbers])


def empty_height(structure: Structure) -> float:
    """Height of the cell that holds no atom (Å), counted from the topmost to the lowest atom's next image."""
    return float(structure.lattice.c - np.ptp(structure.cart_coords[:, 2]))


def is_bulk(structure: Structure) -> bool:
    """Tell a crystal from a slab by the vacuum that it lacks."""
    return empty_height(structure) < NO_VACUUM


def view_of(structure: Structure, hops: Mapping[str, HopEnds], direction: Direction) -> View:
    """Project a slab or an interface onto the page.

    1. Slab atoms are taken from the cell that is centred on the first hop (else on the fragment, else where it is), so
       that the hop does not leave it; a fragment stays in one piece. Positions on the page are Cartesian, so they
       differ from the file's by whole lattice vectors alone.
    2. From the side one looks along the surface vector that shows more of the first hop; without one, the wider cell.
       The ions of a hop stand in front of all others, which would hide them.
    3. From the top one sees the uppermost layers of the slab alone, down to the ions of the hops.

    Parameters
    ----------
    structure : Structure
        Slab with c along the normal; atoms whose site property ``layer`` is ``FRAGMENT`` are a fragment.
    hops : Mapping[str, HopEnds]
        Hops by name.
    direction : {"side", "top"}
        Where one looks from.
    """
    fragment = fragment_atoms(structure)
    positions, arrows, corner = arranged(structure, hops)
    if direction == "side":
        plane, seen = side_plane(structure.lattice, arrows), np.ones(len(structure), dtype=bool)
        front = _at_ends(positions, arrows)
        outline = _side_outline(structure.lattice, positions, corner, plane)
        note = f"side view, {empty_height(structure):.1f} Å of vacuum cut off"
        if is_bulk(structure):
            note = "side view, c upwards"
            outline = (corner + np.array([list(map(int, each)) for each in EDGES]) @ structure.lattice.matrix) @ plane.T
    else:
        height, top = positions[:, 2], positions[~fragment, 2].max()
        floor = min([top - TOP_DEPTH, *(ends[:, 2].min() - 0.1 for ends in arrows.values())])
        plane, seen = top_plane(structure.lattice), height >= floor
        front = np.zeros(len(structure), dtype=bool)
        a, b = structure.lattice.matrix[:2]
        outline = (corner + np.array([0 * a, a, a + b, b, 0 * a])) @ plane.T
        note = f"top view, upper {top - floor:.1f} Å of the {'crystal' if is_bulk(structure) else 'slab'}"
    atoms, depth = _back_to_front(positions, seen, fragment, front, np.cross(*plane))
    bonded = positions[fragment_bonds(structure, positions, atoms)] @ plane.T
    on_page = {name: ends @ plane.T for name, ends in arrows.items()}
    return View(atoms, positions[atoms] @ plane.T, depth, bonded, outline, on_page, note)


def arranged(structure: Structure, hops: Mapping[str, HopEnds]) -> tuple[Points, dict[str, Points], Points]:
    """Move atoms by whole lattice vectors into the cell centred on the first hop; a fragment stays in one piece.

    Of a slab that is done along the surface alone.

    Returns
    -------
    tuple[ndarray, dict[str, ndarray], ndarray]
        Positions, shape (n, 3), ends of each hop, shape (2, 3), and the lower corner of that cell, shape (3,), all
        Cartesian (Å).
    """
    lattice, fragment = structure.lattice, fragment_atoms(structure)
    places = structure.frac_coords.copy()
    ends = {name: lattice.get_fractional_coords(np.array(pair)) for name, pair in hops.items()}
    if ends:
        centre = _middle(next(iter(ends.values())))
    else:
        centre = places[fragment].mean(axis=0) if fragment.any() else np.full(3, 0.5)
    bulk = is_bulk(structure)
    corner = centre - 0.5 if bulk else np.array([*(centre[:2] - 0.5), 0.0])

    def moved(points: Points, by: Points) -> Points:
        return points - np.floor(by - corner + EDGE) * [1, 1, int(bulk)]

    places[~fragment] = moved(places[~fragment], places[~fragment])
    if fragment.any():
        places[fragment] = moved(places[fragment], places[fragment].mean(axis=0))
    arrows = {name: lattice.get_cartesian_coords(moved(pair, _middle(pair))) for name, pair in ends.items()}
    return lattice.get_cartesian_coords(places), arrows, lattice.get_cartesian_coords(corner)


def _middle(places: Points) -> Points:
    """Give the point halfway between the first and the last place."""
    middle: Points = (places[0] + places[-1]) / 2
    return middle


def side_plane(lattice: Lattice, arrows: Mapping[str, Points]) -> Points:
    """Axes of the page, shape (2, 3), for a look along one surface vector: up is the normal."""
    places = next(iter(arrows.values()), np.zeros((2, 3)))
    jump = places[-1] - places[0]
    a, b = lattice.matrix[:2]
    choices = []
    for along, other in ((b, a), (a, b)):
        across = np.cross(along, UP) / np.linalg.norm(np.cross(along, UP))
        across *= np.sign(across @ other)
        choices.append((round(abs(jump @ across), 2), round(across @ other, 2), across))
    return np.array([max(choices, key=lambda choice: choice[:2])[2], UP])


def _side_outline(lattice: Lattice, positions: Points, corner: Points, plane: Points) -> Points:
    """Floor and sides of the cell, up to the topmost atom."""
    left, right = corner @ plane[0], (corner + lattice.matrix[0] + lattice.matrix[1]) @ plane[0]
    low, high = min(0.0, positions[:, 2].min()), positions[:, 2].max()
    return np.array([[left, high], [left, low], [right, low], [right, high]])


def top_plane(lattice: Lattice) -> Points:
    """Axes of the page, shape (2, 3), for a look down the normal."""
    across = lattice.matrix[0] / lattice.a
    return np.array([across, np.cross(UP, across)])


def _at_ends(positions: Points, arrows: Mapping[str, Points]) -> NDArray[np.bool_]:
    """Mark the ions that stand where a hop starts or ends."""
    ends = np.concatenate([np.empty((0, 3)), *arrows.values()])
    gaps = np.linalg.norm(positions[:, None] - ends, axis=2)
    return (gaps < 0.1).any(axis=1)


def _back_to_front(
    positions: Points,
    seen: NDArray[np.bool_],
    fragment: NDArray[np.bool_],
    front: NDArray[np.bool_],
    viewer: Points,
) -> tuple[NDArray[np.int_], Points]:
    """Order the atoms that are seen, and give each its depth among the slab's."""
    near = positions @ viewer
    slab = near[seen & ~fragment]
    near[front] = near.max() + 1
    depth = np.clip((slab.max() - near) / max(np.ptp(slab), 1e-6), 0.0, 1.0)
    atoms = np.flatnonzero(seen)
    keys = np.round(positions[atoms], 3)
    order = np.lexsort((*keys.T, np.round(near[atoms], 3)))
    return atoms[order], depth[atoms[order]]


def fragment_bonds(structure: Structure, positions: Points, atoms: NDArray[np.int_]) -> NDArray[np.int_]:
    """Find bonds between non-metals of which one at least is a fragment's, among the atoms given.

    Parameters
    ----------
    structure : Structure
        Elements, and which atoms are a fragment's.
    positions : ndarray, shape (n, 3)
        Cartesian positions (Å), taken without periodic images.
    atoms : ndarray of int
        Atoms that count.

    Returns
    -------
    ndarray of int, shape (m, 2)
        Pairs of atoms.
    """
    fragment = fragment_atoms(structure)
    drawn = [int(atom) for atom in atoms if not structure[int(atom)].specie.is_metal]
    if not fragment[drawn].any():
        return np.empty((0, 2), dtype=int)
    bonded = np.triu(bonds(Molecule([structure[atom].specie for atom in drawn], positions[drawn])))
    pairs = np.array(drawn)[np.argwhere(bonded)]
    return pairs[fragment[pairs].any(axis=1)]
