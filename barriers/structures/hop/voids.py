"""The empty sites of a crystal in which an added ion may stand: voids between its anions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicSite, Structure
from scipy.spatial import Delaunay

from barriers.structures.bonding import copies_within
from barriers.structures.hop.hop import LONGEST_ARM, Site
from barriers.structures.hop.ions import anions, radius
from barriers.structures.hop.surroundings import counted, whole
from barriers.structures.hop.symmetry import Primitive, primitive_of
from barriers.structures.rounding import GRID, by_place, round_off, rounded

Points = NDArray[np.float64]

CLEAR_OF_CATIONS, CLEAR_OF_IONS = 1.8, 1.5
"""Least distance (Å) of an empty site from other cations, and from ions of its own kind, which it pushes aside."""

VALENCES = (0.3, 2.0)
"""Bond-valence sum in an empty site over that in the ion's own sites: below these the void is too wide."""

SOFTNESS = 0.37
"""Å; Brown and Altermatt, Acta Cryst. B 41, 244 (1985)."""

VALENCE_REACH = 6.0
"""Anions this far (Å) from a site take part in its bond valence."""

SAME = 0.8
"""Voids nearer to each other than this (Å) are one."""

SHELL = 1.2
"""Atoms up to this multiple of the distance of the nearest are around a void."""

MARGIN = 8.0
"""Anions this far (Å) outside the cell are looked at."""

FLAT = 1.0
"""A tetrahedron of which six times the volume is less (Å³) has no centre."""


@dataclass(frozen=True)
class VoidKind:
    """Empty sites that symmetry makes the same.

    Attributes
    ----------
    name : str
        What is around it, such as ``O6``; with a letter where two kinds have the same.
    radius : float
        Distance of the nearest anion, or of the nearest atom of a metal (Å).
    valence : float or None
        Bond-valence sum over that of the ion's own sites; None where there are no anions.
    to_cation, to_ion : float
        Distances of the nearest other cation and the nearest ion of the moving kind (Å).
    """

    name: str
    radius: float
    valence: float | None
    to_cation: float
    to_ion: float


@dataclass(frozen=True)
class Voids:
    """Empty sites of a cell, the likeliest kind first.

    Attributes
    ----------
    kinds : list[VoidKind]
        What symmetry tells apart, in order: the bond-valence sum nearest to that of the ion's own sites first, without
        anions the largest void.
    sites : list[Site]
        Every empty site of the cell, by kind and position.
    fractions : ndarray, shape (n, 3)
        Their fractional coordinates, in the cell.
    kind : list[int]
        Kind of each.
    """

    kinds: list[VoidKind]
    sites: list[Site]
    fractions: Points
    kind: list[int]


def find_voids(structure: Structure, ion: str) -> Voids:
    """Find where an added ion may stand in a crystal.

    The candidates are the points equally far from four or more anions with none nearer, the corners of the anions'
    Voronoi cells; in a metal, of all other atoms' cells, or of all. They are put on the symmetry element that they lie
    near, and kept where they are clear of cations and the bond-valence sum is between :data:`VALENCES`. Radii are
    Shannon's. Equivalent sites are made by the operations of the space group from one of them, whatever the cell.

    Parameters
    ----------
    structure : Structure
        Crystal, each site held by one element.
    ion : str
        Element that is added.
    """
    whole_cell = primitive_of(structure)
    small = whole_cell.structure
    cage = _cage(small, ion)
    found: list[tuple[VoidKind, Points]] = []
    for centre in _centres(small, cage):
        orbit = _orbit(whole_cell, centre)
        known = np.concatenate([orbit[:0], *(points for _, points in found)])
        if len(known) and small.lattice.get_all_distances(orbit[0], known).min() < SAME:
            continue
        kind = _kind(small, cage, orbit[0], ion)
        if kind is not None:
            found.append((kind, orbit))
    found.sort(key=lambda entry: _rank(entry[0]))
    return _in_cell(structure, ion, whole_cell, found)


def _cage(structure: Structure, ion: str) -> NDArray[np.bool_]:
    """Atoms between which the voids are: anions, or without any those that do not move, or all."""
    others = np.array([site.specie.symbol != ion for site in structure])
    choices = (anions(structure) & others, others, np.ones(len(structure), dtype=bool))
    return next(chosen for chosen in choices if chosen.any())


def _centres(structure: Structure, cage: NDArray[np.bool_]) -> Points:
    """Corners of the Voronoi cells (fractional), those furthest from atoms first, each maybe more than once."""
    atoms = Structure.from_sites([structure[number] for number in np.flatnonzero(cage)])
    matrix = structure.lattice.matrix
    reach = float(np.linalg.norm(matrix, axis=1).sum()) / 2 + MARGIN
    points, _ = copies_within(atoms, matrix.sum(axis=0) / 2, reach)
    corners = points[Delaunay(points).simplices]
    edges = corners[:, 1:] - corners[:, :1]
    solid = np.abs(np.linalg.det(edges)) > FLAT
    edges = edges[solid]
    arms = np.linalg.solve(edges, (edges**2).sum(axis=-1, keepdims=True) / 2)[..., 0]
    fractions = structure.lattice.get_fractional_coords(corners[solid][:, 0] + arms)
    inside = ((fractions > -1e-6) & (fractions < 1 + 1e-6)).all(axis=1)
    fractions, radii = fractions[inside], np.linalg.norm(arms[inside], axis=1)
    return np.asarray(fractions[np.lexsort([*rounded(fractions, 3).T, -rounded(radii, 2)])])


def _orbit(cell: Primitive, point: Points) -> Points:
    """Put a point on the symmetry element within :data:`SAME`, and give all points that symmetry makes of it."""
    for _ in range(10):
        images = cell.images(point)
        steps = images - point
        steps -= np.rint(steps)
        near = np.linalg.norm(steps @ cell.structure.lattice.matrix, axis=1) < SAME
        point = point + steps[near].mean(axis=0)
    images = cell.images(point)
    kept = [0]
    for number in range(1, len(images)):
        if cell.structure.lattice.get_all_distances(images[number], images[kept]).min() > SAME / 2:
            kept.append(number)
    return np.asarray(images[kept])


def _kind(structure: Structure, cage: NDArray[np.bool_], point: Points, ion: str) -> VoidKind | None:
    """Describe an empty site; None where it is none."""
    apart = structure.lattice.get_all_distances(point, structure.frac_coords)[0]
    own = np.array([site.specie.symbol == ion for site in structure])
    to_ion, to_cation = apart[own].min(initial=np.inf), apart[~own & ~cage].min(initial=np.inf)
    if to_ion < CLEAR_OF_IONS or to_cation < CLEAR_OF_CATIONS or apart[cage].min() < CLEAR_OF_IONS:
        return None
    valence = None
    if (anions(structure) & cage).any():
        held = [_valence(structure, cage, place, ion) for place in structure.frac_coords[own]]
        valence = round_off(_valence(structure, cage, point, ion) / (np.mean(held) if held else 6.0), 3)
        if not VALENCES[0] <= valence <= VALENCES[1]:
            return None
    place = PeriodicSite(ion, point, structure.lattice)
    nearest = float(apart[cage].min())
    around = [site for site in structure.get_neighbors(place, SHELL * nearest) if cage[site.index]]
    name = counted([site.specie.symbol for site in around], "")
    return VoidKind(name, round_off(nearest, 3), valence, round_off(to_cation, 3), round_off(to_ion, 3))


def _valence(structure: Structure, cage: NDArray[np.bool_], point: Points, ion: str) -> float:
    """Bond-valence sum, in units of a bond whose length is the sum of the ionic radii; six make an octahedron."""
    around = structure.get_neighbors(PeriodicSite(ion, point, structure.lattice), VALENCE_REACH)
    lengths = np.array([site.nn_distance for site in around if cage[site.index]])
    ideal = np.array([radius(site.specie.symbol) for site in around if cage[site.index]]) + radius(ion)
    return float(np.exp((ideal - lengths) / SOFTNESS).sum())


def _rank(kind: VoidKind) -> tuple[float | str, ...]:
    misfit = 0.0 if kind.valence is None else round_off(abs(np.log(kind.valence)), 2)
    return misfit, -kind.radius, kind.name, -kind.to_cation, -kind.to_ion


def _in_cell(structure: Structure, ion: str, cell: Primitive, found: list[tuple[VoidKind, Points]]) -> Voids:
    """Give the sites of a cell, with the atoms that define them."""
    kinds = _lettered([kind for kind, _ in found])
    lattice, cage = structure.lattice, _cage(structure, ion)
    sites: list[Site] = []
    fractions: list[Points] = []
    numbers: list[int] = []
    for number, (_, orbit) in enumerate(found):
        small = lattice.get_fractional_coords(cell.structure.lattice.get_cartesian_coords(orbit))
        places = rounded((small[:, None] + cell.translations).reshape(-1, 3), GRID)
        places -= np.floor(places)
        places = places[by_place(lattice.get_cartesian_coords(places))]
        sites += _anchored(structure, cage, places, kinds[number])
        fractions.append(places)
        numbers += [number] * len(places)
    return Voids(kinds, sites, np.concatenate([np.empty((0, 3)), *fractions]), numbers)


def _lettered(kinds: list[VoidKind]) -> list[VoidKind]:
    """Tell apart kinds that have the same around them."""
    names = [kind.name for kind in kinds]
    letters = [f"{name}{chr(97 + names[:i].count(name))}" for i, name in enumerate(names)]
    return [
        VoidKind(**{**vars(kind), "name": letter if names.count(kind.name) > 1 else kind.name})
        for kind, letter in zip(kinds, letters, strict=True)
    ]


def _anchored(structure: Structure, cage: NDArray[np.bool_], places: Points, kind: VoidKind) -> list[Site]:
    """Define places by the atoms around them that stand near the first of these."""
    added = [PeriodicSite("H", place, structure.lattice) for place in places]
    centres, atoms, images, _ = structure.get_neighbor_list(SHELL * kind.radius, added, exclude_self=False)
    sites = []
    for number, place in enumerate(structure.lattice.get_cartesian_coords(places)):
        mine = [row for row in np.flatnonzero(centres == number) if cage[atoms[row]]]
        anchors = sorted((int(atoms[row]), whole(images[row])) for row in mine)
        points = np.array([structure[atom].coords + image @ structure.lattice.matrix for atom, image in anchors])
        near = np.linalg.norm(points - points[0], axis=1) < LONGEST_ARM
        x, y, z = rounded(place - points[near].mean(axis=0), GRID).tolist()
        where = " ".join(f"{round_off(fraction, 3):g}" for fraction in places[number])
        kept = tuple(anchor for anchor, stays in zip(anchors, near, strict=True) if stays)
        sites.append(Site(anchors=kept, offset=(x, y, z), name=f"{kind.name} {where}"))
    return sites
