"""Which places an ion reaches from each in one jump, and the vacancy jumps between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import ceil

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Mechanism
from barriers.structures.hop.jump import HERE, Jump, Place, Places
from barriers.structures.hop.surroundings import whole

LONGEST_HOP = 4.5
"""Pairs of Li sites further apart (Å) are not neighbours in a layered oxide (first shell 2.9, second 5.0 Å)."""

DETOUR = 0.9
"""A jump is two jumps if a site lies nearer to both ends than this multiple of its length."""

IMAGE_MARGIN = 0.2
"""Twice the length of a jump stays that much (Å) below the shortest vector of the cell, or it meets its image."""

Around = Mapping[int, list[Place]]


def neighbours(places: Places) -> Around:
    """Find the places that can be reached from each in one jump, whatever the size of the cell."""
    around: dict[int, list[Place]] = defaultdict(list)
    if not len(places.fractions):
        return around
    points = Structure(places.structure.lattice, ["H"] * len(places.fractions), places.fractions)
    near: dict[int, list[Place]] = defaultdict(list)
    for first, last, image, _ in zip(*points.get_neighbor_list(LONGEST_HOP), strict=True):
        near[int(first)].append((int(last), whole(image)))
    for first, candidates in near.items():
        steps = np.array([places.position(last) for last in candidates]) - places.position((first, HERE))
        lengths = np.linalg.norm(steps, axis=1)
        between = np.linalg.norm(steps[:, None] - steps, axis=-1)
        detour = np.maximum(lengths, between).min(axis=1, where=~np.eye(len(steps), dtype=bool), initial=np.inf)
        direct = detour > DETOUR * lengths
        around[first] = [last for last, kept in zip(candidates, direct, strict=True) if kept]
    return around


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
    abc = places.structure.lattice.abc
    shortest = min(abc if places.top is None else abc[:2])
    kept: dict[int, list[Place]] = defaultdict(list)
    for (first, last), length in lengths.items():
        if last[0] != first and 2 * length < shortest - IMAGE_MARGIN:
            kept[first].append(last)
    if lengths and not kept:
        needed = ceil(2 * min(lengths.values()) + IMAGE_MARGIN)
        vector, larger = (
            ("cell", f"a larger cell, at least {needed} Å")
            if places.top is None
            else ("surface", f"larger min_lengths, at least {needed} × {needed} Å")
        )
        raise ValueError(f"{vector} vector of {shortest:.1f} Å: a hop meets its own image; use {larger}")
    return kept


def vacancy_jumps(places: Places, around: Around) -> list[Jump]:
    """Jumps into one vacancy."""
    words: dict[int, Mechanism] = {1: "single oxygen", 2: "oxygen dumbbell"}
    return [
        Jump("vacancy", first, last, mechanism=words.get(len(_shared(places, (first, HERE), last)), "open"))
        for first, lasts in around.items()
        for last in lasts
    ]


def divacancy_jumps(places: Places, around: Around) -> list[Jump]:
    """Jumps beside a second vacancy, through the tetrahedron of anions that the three places share."""
    jumps = []
    for first, lasts in around.items():
        for last in lasts:
            shared = _shared(places, (first, HERE), last)
            for third in lasts:
                if third[0] == last[0] or _back(third, last) not in around[last[0]]:
                    continue
                tetrahedron = shared | _shared(places, (first, HERE), third) | _shared(places, last, third)
                if len(tetrahedron) == 4:
                    anchors = tuple(sorted(tetrahedron))
                    jumps.append(Jump("divacancy", first, last, third, "tetrahedral", anchors))
    return jumps


def _back(place: Place, origin: Place) -> Place:
    """Give a place as it is seen from another's cell."""
    x, y, z = np.subtract(place[1], origin[1]).tolist()
    return place[0], (x, y, z)


def _shared(places: Places, first: Place, last: Place) -> set[Place]:
    """Anions next to both places."""

    def anions(place: Place) -> set[Place]:
        return {(atom, whole(np.add(image, place[1]))) for atom, image in places.around[place[0]].anions}

    return anions(first) & anions(last)
