"""All symmetry-distinct hops of a slab or crystal, and those into a fragment."""

from __future__ import annotations

from collections import defaultdict
from math import ceil

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop, Kind, Mechanism, Site
from barriers.structures.hop.jump import HERE, Jump, Place, Places, as_hops, places_in, rank
from barriers.structures.hop.places import adatom_sites, fragment_sites, has_room
from barriers.structures.hop.surroundings import whole
from barriers.structures.hop.symmetry import same_jumps
from barriers.structures.rounding import round_off, rounded
from barriers.structures.surface.slab import FRAGMENT, LAYER, frozen_atoms

LONGEST_HOP = 4.5
"""Pairs of Li sites further apart (Å) are not neighbours in a layered oxide (first shell 2.9, second 5.0 Å)."""

SHORTEST_HOP = 1.5
"""An added ion nearer to two places than this (Å) relaxes into one of them."""

DETOUR = 0.9
"""A jump is two jumps if a site lies nearer to both ends than this multiple of its length."""

IMAGE_MARGIN = 0.2
"""Twice the length of a jump stays that much (Å) below the shortest vector of the cell, or it meets its image."""

PASSED: dict[int, Mechanism] = {1: "single oxygen", 2: "oxygen dumbbell"}
"""What an ion passes, by the number of anions next to both its sites."""


def find_hops(structure: Structure, ion: str = "Li") -> list[Hop]:
    """Find every symmetry-distinct hop of a slab or crystal as it was built.

    1. Vacancy: between neighbouring free sites of the ion, one of them empty.
    2. Divacancy: the same with a third site empty that shares the tetrahedron of anions beside the jump; the ion
       passes the tetrahedron's centre.
    3. Interstitial: an added ion between neighbouring places above the surface
       (:func:`~barriers.structures.hop.places.adatom_sites`). A crystal has none.

    The unrelaxed slab is searched, so that the same hops are found whatever engine relaxes it. A hop and its way back
    are one. Of equivalent hops the first in the order below is given, whatever the order of the atoms.

    Parameters
    ----------
    structure : Structure
        Bare slab with its ``layer`` numbers, positions not wrapped along z; or a crystal, without them.
    ion : str
        Element that moves.

    Returns
    -------
    list[Hop]
        Shortest first, then the highest, then by position. Each is named by its label.

    Raises
    ------
    ValueError
        If there is no hop, or the cell is too small to tell a jump from its image.
    """
    found = [entry for places, jumps in jumps_in(structure, ion).values() for entry in _distinct(places, jumps)]
    if not found:
        raise ValueError(f"no hop: no two free {ion} sites, or places above the surface, within {LONGEST_HOP} Å")
    return as_hops(sorted(found, key=lambda entry: rank(*entry)), ion)


def jumps_in(structure: Structure, ion: str = "Li") -> dict[Kind, tuple[Places, list[Jump]]]:
    """Give every jump of a slab or crystal by its kind, there and back, with the places it is between.

    Raises
    ------
    ValueError
        If the cell is too small to tell a jump from its image.
    """
    ions = _ions(structure, ion)
    vacancy, divacancy = _vacancy_jumps(ions)
    adatoms = _added(structure, adatom_sites(structure, ion), ion)
    surface = [
        Jump("interstitial", first, last, mechanism="surface")
        for first, around in _neighbours(adatoms).items()
        for last in around
    ]
    return {"vacancy": (ions, vacancy), "divacancy": (ions, divacancy), "interstitial": (adatoms, surface)}


def find_fragment_hops(interface: Structure, ion: str = "Li") -> list[Hop]:
    """Find the hops of an added ion from the surface to the electronegative atoms of a fragment.

    Such hops exist in systems with that fragment alone. Each place at the fragment is reached from the nearest free
    place above the surface that is not the same place, :data:`SHORTEST_HOP` away.

    Parameters
    ----------
    interface : Structure
        Slab atoms first, with the site property ``layer``.
    ion : str
        Element that moves.

    Returns
    -------
    list[Hop]
        Ordered as those of :func:`find_hops`.

    Raises
    ------
    ValueError
        If no place at the fragment is within reach of a free place above the surface.
    """
    slab = Structure.from_sites([site for site in interface if site.properties[LAYER] != FRAGMENT])
    above = [site for site in adatom_sites(slab, ion) if has_room(interface, site, ion)]
    at_fragment = fragment_sites(interface, ion)
    places = _added(interface, [*above, *at_fragment], ion)
    found = []
    for number in range(len(above), len(places.fractions)):
        ways = [
            (*interface.lattice.get_distance_and_image(places.fractions[start], places.fractions[number]), start)
            for start in range(len(above))
        ]
        near = [way for way in ways if SHORTEST_HOP <= way[0] <= LONGEST_HOP]
        if near:
            _, image, start = min(near, key=lambda way: round_off(way[0], 3))
            found.append((places, Jump("interstitial", start, (number, whole(image)), mechanism="fragment")))
    if not found:
        raise ValueError(
            f"no place at the fragment within {LONGEST_HOP} Å of a free place above the surface; "
            f"allowed: a fragment with F, N or O near the surface"
        )
    return as_hops(sorted(found, key=lambda entry: rank(*entry)), ion)


def _ions(structure: Structure, ion: str) -> Places:
    frozen = set(frozen_atoms(structure))
    members = [index for index in structure.indices_from_symbol(ion) if index not in frozen]
    return places_in(structure, members, structure.frac_coords[members], ion)


def _added(structure: Structure, sites: list[Site], ion: str) -> Places:
    positions = np.array([site.position(structure) for site in sites]).reshape(-1, 3)
    fractions = structure.lattice.get_fractional_coords(positions)
    return places_in(structure, sites, fractions, ion)


def _neighbours(places: Places) -> dict[int, list[Place]]:
    """Places that can be reached from each in one jump that does not meet its own image."""
    around: dict[int, list[Place]] = defaultdict(list)
    if not len(places.fractions):
        return around
    lattice = places.structure.lattice
    points = Structure(lattice, ["H"] * len(places.fractions), places.fractions)
    near: dict[int, list[Place]] = defaultdict(list)
    for first, last, image, _ in zip(*points.get_neighbor_list(LONGEST_HOP), strict=True):
        near[int(first)].append((int(last), whole(image)))
    shortest = min(lattice.abc if places.top is None else lattice.abc[:2])
    for first, candidates in near.items():
        steps = np.array([places.position(last) for last in candidates]) - places.position((first, HERE))
        lengths = np.linalg.norm(steps, axis=1)
        between = np.linalg.norm(steps[:, None] - steps, axis=-1)
        detour = np.maximum(lengths, between).min(axis=1, where=~np.eye(len(steps), dtype=bool), initial=np.inf)
        direct = (detour > DETOUR * lengths) & (2 * lengths < shortest - IMAGE_MARGIN)
        around[first] = [last for last, kept in zip(candidates, direct, strict=True) if kept and last[0] != first]
    if near and not any(around.values()):
        ways = (places.position(last) - places.position((first, HERE)) for first, ends in near.items() for last in ends)
        needed = ceil(2 * min(map(float, map(np.linalg.norm, ways))) + IMAGE_MARGIN)
        vector, larger = (
            ("cell", f"a larger cell, at least {needed} Å")
            if places.top is None
            else ("surface", f"larger min_lengths, at least {needed} × {needed} Å")
        )
        raise ValueError(f"{vector} vector of {shortest:.1f} Å: a hop meets its own image; use {larger}")
    return around


def _vacancy_jumps(places: Places) -> tuple[list[Jump], list[Jump]]:
    """Jumps into one vacancy, and those beside a second."""
    around = _neighbours(places)
    single, double = [], []
    for first, lasts in around.items():
        for last in lasts:
            shared = shared_anions(places, (first, HERE), last)
            single.append(Jump("vacancy", first, last, mechanism=PASSED.get(len(shared), "open")))
            for third in lasts:
                if third[0] == last[0] or _back(third, last) not in around[last[0]]:
                    continue
                tetrahedron = shared | shared_anions(places, (first, HERE), third) | shared_anions(places, last, third)
                if len(tetrahedron) == 4:
                    jump = Jump("divacancy", first, last, third, "tetrahedral", tuple(sorted(tetrahedron)))
                    double.append(jump)
    return single, double


def _back(place: Place, origin: Place) -> Place:
    """Give a place as it is seen from another's cell."""
    x, y, z = np.subtract(place[1], origin[1]).tolist()
    return place[0], (x, y, z)


def shared_anions(places: Places, first: Place, last: Place) -> set[Place]:
    """Find the anions next to both places."""

    def anions(place: Place) -> set[Place]:
        return {(atom, whole(np.add(image, place[1]))) for atom, image in places.around[place[0]].anions}

    return anions(first) & anions(last)


def _distinct(places: Places, jumps: list[Jump]) -> list[tuple[Places, Jump]]:
    """Keep the first of the jumps that symmetry makes the same."""
    # One direction: the way that goes to larger x, then y, then z.
    jumps = [jump for jump in jumps if tuple(rounded(places.vector(jump), 3)) > (0.0, 0.0, 0.0)]
    if not jumps:
        return []
    points = np.array([[place for place, _ in jump.places] for jump in jumps])
    images = np.array([[image for _, image in jump.places] for jump in jumps])
    classes = same_jumps(places.structure, places.fractions, points, images)
    kept: dict[int, Jump] = {}
    for number, jump in sorted(zip(classes.tolist(), jumps, strict=True), key=lambda entry: rank(places, entry[1])):
        kept.setdefault(number, jump)
    return [(places, jump) for jump in kept.values()]
