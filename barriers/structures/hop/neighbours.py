"""Which places an ion reaches from each in one jump, and the vacancy jumps between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import ceil

import numpy as np
from pymatgen.core import Structure

from barriers.structures.crystal import shortest_vector
from barriers.structures.hop.ions import anions, size
from barriers.structures.hop.jump import HERE, Jump, Place, Places
from barriers.structures.hop.kinds import Mechanism
from barriers.structures.hop.surroundings import whole
from barriers.structures.surface.slab import LARGER

LONGEST_HOP = 4.5
"""Pairs of Li sites further apart (Å) are not neighbours in a layered oxide (first shell 2.9, second 5.0 Å)."""

SHELL = 1.1
"""Sites of a crystal up to this multiple of the distance of the nearest are neighbours, however far that is."""

FURTHEST = 7.0
"""No hop is longer (Å); those of NASICON, from octahedron to octahedron, are 6.3 Å long."""

FREE_OF_CATIONS, FREE_OF_ANIONS = 1.5, 0.9
"""A straight way that comes nearer (Å) to an atom runs through it; it passes oxygen dumbbells at 1.4 Å."""

DETOUR = 0.9
"""A jump is two jumps if a site lies nearer to both ends than this multiple of its length."""

IMAGE_MARGIN = 0.2
"""Twice the length of a jump stays that much (Å) below the shortest vector of the cell, or it meets its image."""

STEPS = 21
"""Points on a straight way that are looked at."""

Around = Mapping[int, list[Place]]


def neighbours(places: Places) -> Around:
    """Find the places that can be reached from each in one jump, whatever the size of the cell.

    Two places are neighbours if

    1. they are no further apart than :data:`LONGEST_HOP`, which stands for Li⁺ in an oxide and grows with the radii of
       ion and anion; or, in a crystal, than the nearest place is from one of them, within :data:`SHELL`;
    2. no third place lies on the way (:data:`DETOUR`);
    3. in a crystal, the straight way runs through no other atom.
    """
    near: dict[int, list[Place]] = defaultdict(list)
    if not len(places.fractions):
        return near
    for first, candidates in _within_reach(places).items():
        steps = np.array([places.position(last) for last in candidates]) - places.position((first, HERE))
        lengths = np.linalg.norm(steps, axis=1)
        between = np.linalg.norm(steps[:, None] - steps, axis=-1)
        detour = np.maximum(lengths, between).min(axis=1, where=~np.eye(len(steps), dtype=bool), initial=np.inf)
        direct = detour > DETOUR * lengths
        near[first] = [last for last, kept in zip(candidates, direct, strict=True) if kept]
    return near if places.top is not None else _free_of_atoms(places, near)


def _within_reach(places: Places) -> Around:
    structure = places.structure
    reach = LONGEST_HOP * size(places.ion, structure)
    points = Structure(structure.lattice, ["H"] * len(places.fractions), places.fractions)
    first, last, images, apart = points.get_neighbor_list(reach if places.top is not None else max(reach, FURTHEST))
    nearest = np.full(len(points), np.inf)
    np.minimum.at(nearest, first, apart)
    shell = SHELL * np.maximum(nearest[first], nearest[last])
    near: dict[int, list[Place]] = defaultdict(list)
    for number in np.flatnonzero((apart <= reach) | (apart <= shell)):
        near[int(first[number])].append((int(last[number]), whole(images[number])))
    return near


def _free_of_atoms(places: Places, around: Around) -> Around:
    """Leave out jumps whose straight way runs through an atom that is no such ion."""
    structure = places.structure
    others = [atom for atom, site in enumerate(structure) if site.specie.symbol != places.ion]
    least = np.where(anions(structure), FREE_OF_ANIONS, FREE_OF_CATIONS)[others]
    atoms = structure.frac_coords[others]

    def is_free(first: int, last: Place) -> bool:
        ends = places.fractions[first], places.fractions[last[0]] + last[1]
        way = np.linspace(*ends, STEPS)
        return bool((structure.lattice.get_all_distances(way, atoms).min(axis=0) > least).all())

    return {first: [last for last in lasts if is_free(first, last)] for first, lasts in around.items()}


def free_of_images(places: Places, around: Around) -> Around:
    """Keep the jumps that do not meet their own image, of which a band can be made.

    Raises
    ------
    ValueError
        If there are jumps and none is kept: the cell is too small.
    """
    lengths = {
        (first, last): float(np.linalg.norm(places.position(last) - places.position((first, HERE))))
        for first, lasts in around.items()
        for last in lasts
    }
    shortest = room_in(places)
    kept: dict[int, list[Place]] = defaultdict(list)
    for (first, last), length in lengths.items():
        if last[0] != first and 2 * length < shortest - IMAGE_MARGIN:
            kept[first].append(last)
    if lengths and not kept:
        needed = ceil(2 * min(lengths.values()) + IMAGE_MARGIN)
        vector, larger = (
            ("cell", f"a larger cell, at least {needed} Å")
            if places.top is None
            else ("surface", f"{LARGER}, at least {needed} × {needed} Å")
        )
        raise ValueError(f"{vector} vector of {shortest:.1f} Å: a hop meets its own image; use {larger}")
    return kept


def room_in(places: Places) -> float:
    """Length (Å) of the shortest vector by which an ion repeats: any of a crystal's, one along a slab's surface."""
    lattice = places.structure.lattice
    return shortest_vector(lattice) if places.top is None else min(lattice.abc[:2])


def vacancy_jumps(places: Places, around: Around) -> list[Jump]:
    """Jumps into one vacancy."""
    return [
        Jump("vacancy", first, last, mechanism=passed(places, shared_anions(places, (first, HERE), last)))
        for first, lasts in around.items()
        for last in lasts
    ]


def passed(places: Places, shared: set[Place]) -> Mechanism:
    """Name the anions next to both ends of a jump."""
    oxygen = all(places.structure[atom].specie.symbol == "O" for atom, _ in shared)
    words: dict[int, Mechanism] = {
        1: "single oxygen" if oxygen else "single anion",
        2: "oxygen dumbbell" if oxygen else "anion dumbbell",
        3: "anion triangle",
    }
    return words.get(len(shared), "open")


def divacancy_jumps(places: Places, around: Around) -> list[Jump]:
    """Jumps beside a second vacancy, through the tetrahedron of anions that the three places share."""
    jumps = []
    for first, lasts in around.items():
        for last in lasts:
            shared = shared_anions(places, (first, HERE), last)
            for third in lasts:
                if third[0] == last[0] or beside(third, last) not in around[last[0]]:
                    continue
                tetrahedron = shared | shared_anions(places, (first, HERE), third) | shared_anions(places, last, third)
                if len(tetrahedron) == 4:
                    anchors = tuple(sorted(tetrahedron))
                    jumps.append(Jump("divacancy", first, last, third, "tetrahedral", anchors))
    return jumps


def beside(place: Place, origin: Place) -> Place:
    """Give a place as it is seen from another's cell."""
    x, y, z = np.subtract(place[1], origin[1]).tolist()
    return place[0], (x, y, z)


def shared_anions(places: Places, first: Place, last: Place) -> set[Place]:
    """Find the anions next to both places."""

    def anions(place: Place) -> set[Place]:
        return {(atom, whole(np.add(image, place[1]))) for atom, image in places.around[place[0]].anions}

    return anions(first) & anions(last)
