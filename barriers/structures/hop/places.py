"""Places for an added ion: above the anions of a surface, and at the electronegative atoms of a fragment.

Pymatgen's ``AdsorbateSiteFinder`` gives positions without the atoms that define them, so that a place could not be
carried to a relaxed surface; here a place is found together with its anchors.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import PeriodicSite, Structure

from barriers.structures.bonding import CLASH, contact_radii
from barriers.structures.hop.hop import Image, Site
from barriers.structures.hop.ions import anions, radius
from barriers.structures.hop.surroundings import whole
from barriers.structures.rounding import GRID, round_off, rounded
from barriers.structures.surface.slab import FRAGMENT, LAYER

ACCEPTORS = frozenset({"O", "F", "N"})
"""Atoms of a fragment that hold an added ion."""

CATION_GAP = 2.3
"""Least distance of an added ion from a cation (Å); cations whose polyhedra share an edge are 2.9 Å apart in LiMO2."""

CONTACT = 1.15
"""An anion nearer than this multiple of the bond length holds the ion."""

SURFACE_DEPTH = 3.0
"""Anions up to this depth (Å) below the topmost atom may hold an ion."""

SAME = 0.5
"""Places nearer to each other than this (Å) are one."""

Anchors = tuple[tuple[int, Image], ...]


def bond_length(ion: str, acceptor: str) -> float:
    """Sum of Shannon's ionic radii at fourfold coordination (Å), Acta Cryst. A 32, 751 (1976)."""
    return radius(ion, "IV") + radius(acceptor, "IV")


def adatom_sites(slab: Structure, ion: str = "Li") -> list[Site]:
    """Find the places of an ion above a surface.

    The ion is lowered above single anions, pairs and triangles of them until it is at bonding distance from an anion
    or at :data:`CATION_GAP` from a cation. The place counts if all its anions hold the ion there. Where more anions
    can hold it than one or two, it rolls there: a place whose anions are among those of another is left out.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal, positions not wrapped along z.
    ion : str
        Element that is added.

    Returns
    -------
    list[Site]
        Places in the cell, the highest first. Empty for a crystal.
    """
    if LAYER not in slab.site_properties:
        return []
    radii = _radii(slab, ion)
    groups = _groups(slab, radii)
    held = {
        group: Site(anchors=group, height=round_off(height, GRID))
        for group, height in zip(groups, _rest(slab, groups, radii), strict=True)
        if _all_hold(slab, group, height, radii)
    }
    parts = {_canonical(part) for group in held for size in range(1, len(group)) for part in combinations(group, size)}
    return _apart(slab, [site for group, site in held.items() if group not in parts])


def fragment_sites(interface: Structure, ion: str = "Li") -> list[Site]:
    """Find the places of an ion at the electronegative atoms (F, N, O) of a fragment.

    Each is at bonding distance below the atom, or above it where there is no room below.

    Parameters
    ----------
    interface : Structure
        Interface with the site property ``layer``.
    ion : str
        Element that is added.
    """
    sites = []
    for index, site in enumerate(interface):
        if site.properties.get(LAYER) == FRAGMENT and site.specie.symbol in ACCEPTORS:
            length = bond_length(ion, site.specie.symbol)
            both = [Site(anchors=((index, (0, 0, 0)),), height=height) for height in (-length, length)]
            sites += [place for place in both if has_room(interface, place, ion)][:1]
    return _apart(interface, sites)


def has_room(structure: Structure, site: Site, ion: str = "Li") -> bool:
    """Tell whether an ion at a place clashes with no atom."""
    added = PeriodicSite(ion, site.position(structure), structure.lattice, coords_are_cartesian=True)
    around = structure.get_neighbors(added, 3.0)
    if not around:
        return True
    metals = np.array([neighbor.specie.is_metal for neighbor in around])
    least = np.where(metals, CATION_GAP, CLASH * (contact_radii([added])[0] + contact_radii(around)))
    # An ion that was lowered onto a cation is at that very distance from it.
    return bool((rounded([neighbor.nn_distance for neighbor in around], 3) >= rounded(least, 3)).all())


def _radii(slab: Structure, ion: str) -> NDArray[np.float64]:
    """Least distance of the ion from each atom (Å)."""
    return np.array(
        [
            bond_length(ion, site.specie.symbol) if found else CATION_GAP
            for site, found in zip(slab, anions(slab), strict=True)
        ]
    )


def _groups(slab: Structure, radii: NDArray[np.float64]) -> list[Anchors]:
    """Anions near the surface, and pairs and triangles of them that one ion can touch."""
    top = slab.cart_coords[:, 2].max()
    upper = np.flatnonzero(anions(slab) & (slab.cart_coords[:, 2] > top - SURFACE_DEPTH)).tolist()
    groups: list[Anchors] = [((anion, (0, 0, 0)),) for anion in upper]
    if not upper:
        return groups
    layer = Structure.from_sites([slab[anion] for anion in upper])
    first, second, images, _ = layer.get_neighbor_list(CONTACT * 2 * radii[upper].max())
    beside: dict[int, set[tuple[int, Image]]] = {anion: set() for anion in upper}
    for one, other, image in zip(first, second, images, strict=True):
        beside[upper[one]].add((upper[other], whole(image)))
    for anion in upper:
        start = (anion, (0, 0, 0))
        groups += [_canonical((start, other)) for other in beside[anion]]
        for one, other in combinations(sorted(beside[anion]), 2):
            x, y, z = np.subtract(other[1], one[1]).tolist()
            if (other[0], (x, y, z)) in beside[one[0]]:
                groups.append(_canonical((start, one, other)))
    return list(dict.fromkeys(groups))


def _canonical(anchors: Iterable[tuple[int, Image]]) -> Anchors:
    """Sort anchors and move the first into the cell."""
    ordered = sorted(anchors)
    x, y, z = ordered[0][1]
    return tuple((atom, (i - x, j - y, k - z)) for atom, (i, j, k) in ordered)


def _rest(slab: Structure, groups: list[Anchors], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Heights above the centroids of the anchors at which a lowered ion first touches an atom (Å)."""
    if not groups:
        return np.empty(0)
    centroids = np.array([Site(anchors=group).position(slab) for group in groups])
    places = [PeriodicSite("H", place, slab.lattice, coords_are_cartesian=True) for place in centroids]
    reach = SURFACE_DEPTH + radii.max()
    centre, atoms, images, _ = slab.get_neighbor_list(reach, places, exclude_self=False)
    positions = slab.cart_coords[atoms] + images @ slab.lattice.matrix
    aside = ((positions - centroids[centre])[:, :2] ** 2).sum(axis=1)
    below = aside < radii[atoms] ** 2
    touching = positions[below, 2] + np.sqrt(radii[atoms[below]] ** 2 - aside[below])
    heights = np.full(len(groups), -np.inf)
    np.maximum.at(heights, centre[below], touching)
    return heights - centroids[:, 2]


def _all_hold(slab: Structure, anchors: Anchors, height: float, radii: NDArray[np.float64]) -> bool:
    place = Site(anchors=anchors, height=height).position(slab)
    apart = [np.linalg.norm(Site(anchors=(anchor,)).position(slab) - place) for anchor in anchors]
    return all(distance <= CONTACT * radii[atom] for distance, (atom, _) in zip(apart, anchors, strict=True))


def _apart(structure: Structure, sites: list[Site]) -> list[Site]:
    """Keep one of several places that are the same, the one with most anchors; order by height and position."""
    positions = {site: site.position(structure) for site in sites}

    def rank(site: Site) -> tuple[float, ...]:
        x, y, z = rounded(positions[site], 2)
        return (-len(site.anchors), -z, x, y)

    kept: list[Site] = []
    for site in sorted(sites, key=rank):
        fractions = structure.lattice.get_fractional_coords([positions[site], *(positions[other] for other in kept)])
        if not kept or structure.lattice.get_all_distances(fractions[:1], fractions[1:]).min() >= SAME:
            kept.append(site)
    return kept
