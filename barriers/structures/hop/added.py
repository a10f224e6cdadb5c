"""The jumps of an ion added to a crystal: into an empty site, or by pushing an ion of the crystal into one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Site
from barriers.structures.hop.jump import HERE, Jump, Place, Places, places_in
from barriers.structures.hop.kinds import CrystalMechanism
from barriers.structures.hop.neighbours import (
    IMAGE_MARGIN,
    Around,
    beside,
    neighbours,
    passed,
    room_in,
    shared_anions,
)
from barriers.structures.hop.voids import find_voids

LEAST_ANGLE, STRAIGHT = 100.0, 160.0
"""Angle (degrees) at the ion that is pushed between where the added one comes from and where it goes itself: below the
first it would have to go back beside the added one, from the second on the push is collinear."""


def added_places(structure: Structure, ion: str) -> Places:
    """Give the empty sites of a crystal (:func:`~.voids.find_voids`), and after them the sites of its own ions."""
    voids = find_voids(structure, ion)
    atoms = list(structure.indices_from_symbol(ion))
    fractions = np.concatenate([voids.fractions, structure.frac_coords[atoms]])
    return places_in(structure, [*voids.sites, *atoms], fractions, ion)


def added_jumps(places: Places) -> tuple[list[Jump], list[Jump]]:
    """Find the jumps of an added ion, each both ways, whatever the size of the cell.

    Parameters
    ----------
    places : Places
        What :func:`added_places` gives.

    Returns
    -------
    interstitial : list[Jump]
        From an empty site straight to the next; no ion of the crystal is on the way or beside it.
    interstitialcy : list[Jump]
        From an empty site to that of an ion, which goes on to another empty site: forward, not back beside the added
        one (:data:`LEAST_ANGLE`).
    """
    empty = [isinstance(member, Site) for member in places.members]
    if not any(empty):
        return [], []
    around = neighbours(places)
    direct = [
        Jump("interstitial", first, last, mechanism=passed(places, shared_anions(places, (first, HERE), last)))
        for first, lasts in around.items()
        if empty[first]
        for last in lasts
        if empty[last[0]]
    ]
    return direct, _pushes(places, around, empty)


def fits(places: Places, jump: Jump) -> bool:
    """Tell whether a jump does not meet its own image in the cell, so that a band can be made of it."""
    points = [
        places.position(place) for place in ((jump.first, HERE), *([jump.third] if jump.third else []), jump.last)
    ]
    longest = np.linalg.norm(np.diff(points, axis=0), axis=1).max()
    return jump.first != jump.last[0] and bool(2 * longest < room_in(places) - IMAGE_MARGIN)


def _pushes(places: Places, around: Around, empty: list[bool]) -> list[Jump]:
    jumps = []
    for number, lasts in around.items():
        if empty[number]:
            continue
        here = places.position((number, HERE))
        for first, last in permutations([place for place in lasts if empty[place[0]]], 2):
            arms = [places.position(place) - here for place in (first, last)]
            cosine = arms[0] @ arms[1] / np.linalg.norm(arms[0]) / np.linalg.norm(arms[1])
            angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
            if angle > LEAST_ANGLE:
                mechanism: CrystalMechanism = "collinear" if angle > STRAIGHT else "non-collinear"
                pushed: Place = beside((number, HERE), first)
                jumps.append(Jump("interstitialcy", first[0], beside(last, first), pushed, mechanism))
    return jumps
