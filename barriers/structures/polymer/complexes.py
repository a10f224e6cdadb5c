"""Complexes of a lithium ion, or of a salt's molecule, with an oligomer: several places each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, product, zip_longest
from typing import NamedTuple

import numpy as np
from pymatgen.core import Molecule
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import CLASH, Positions, bonds, contact_radii
from barriers.structures.rounding import BESIDE, GRID, round_off, rounded

DONORS = frozenset({"F", "N", "O"})
"""Elements that lithium is put at."""

REACH = 1.95
"""Distance of lithium from a donor (Å)."""

WIDEST = 3.3
"""Donors further apart than this do not share lithium (Å): it would be between them, where the chain is."""

ABOVE = 2.2
"""Height of lithium above the middle of a C=C (Å)."""

DOUBLE = 1.42
"""Carbons nearer than this share a double bond (Å)."""

APART = 1.0
"""Places nearer to each other than this are one (Å)."""

OTHER_SIDE = ", other side"
"""Tells the second place at a double bond from the first."""

TOUCH = 0.85
"""Of the sum of contact radii: a guest's other atoms come no nearer to the host."""


class Place(NamedTuple):
    """Where lithium may be: at which atoms of the host, its position (Å), and how clear of all others that is."""

    atoms: tuple[int, ...]
    position: Positions
    clearance: float
    from_centre: tuple[float, ...]


def complexes(host: Molecule, guest: Molecule) -> Iterator[tuple[str, Molecule]]:
    """Put the lithium of a guest at one place of a host after the other, both with their own shapes, the host first.

    Places are at two donors, above a double bond, and at one donor, by turns; of each kind the clearest first. Of the
    guest's turns about its lithium that do not touch the host, it has the one that brings it nearest.

    Parameters
    ----------
    host : Molecule
        An oligomer.
    guest : Molecule
        A lithium ion, or a molecule with one lithium.

    Yields
    ------
    str, Molecule
        What lithium is at, ``Li at F3 F7`` with the host's atoms, and the complex with the charge of both (Å).
    """
    (lithium,) = guest.indices_from_symbol("Li")
    others = [atom for atom in range(len(guest)) if atom != lithium]
    arms = _turned(guest.cart_coords[others] - guest.cart_coords[lithium])
    least = TOUCH * np.add.outer(contact_radii(guest[atom] for atom in others), contact_radii(host))
    names: set[str] = set()
    for place in _places(host):
        there = place.position + arms
        apart = np.linalg.norm(there[:, :, None] - host.cart_coords, axis=-1)
        free = (apart > least).all(axis=(1, 2))
        if free.any():
            distance = rounded(apart.sum(axis=(1, 2)), 3)
            best = there[int(np.where(free, distance, np.inf).argmin())]
            added = np.insert(best, lithium, place.position, axis=0)
            species = [*host.species, *guest.species]
            positions = rounded(np.concatenate([host.cart_coords, added]), GRID)
            name = "Li at " + " ".join(f"{host[atom].specie}{atom}" for atom in place.atoms)
            name += OTHER_SIDE if name in names else ""
            names.add(name)
            yield name, Molecule(species, positions, host.charge + guest.charge)


def _places(host: Molecule) -> list[Place]:
    """Places at two donors, above double bonds and at one donor, by turns, each of them once."""
    kept: list[Place] = []
    for place in filter(None, chain(*zip_longest(_between(host), _above(host), _beside(host)))):
        if all(np.linalg.norm(place.position - other.position) >= APART for other in kept):
            kept.append(place)
    return kept


def _between(host: Molecule) -> list[Place]:
    """Places at two donors: of those about both, the clearest."""
    found = []
    for pair in combinations(_donors(host), 2):
        ends = host.cart_coords[list(pair)]
        axis, middle = ends[1] - ends[0], ends.mean(axis=0)
        if np.linalg.norm(axis) < WIDEST:
            height = np.sqrt(REACH**2 - (axis @ axis) / 4)
            around = _circle(axis, middle - host.cart_coords.mean(axis=0))
            found += _clear(host, pair, middle + height * around)[:1]
    return sorted(found, key=_clearest)


def _above(host: Molecule) -> list[Place]:
    """Places on both sides of each double bond between carbons."""
    carbons, bonded, found = host.indices_from_symbol("C"), bonds(host), []
    for pair in combinations(carbons, 2):
        if host.get_distance(*pair) < DOUBLE:
            plane = host.cart_coords[np.flatnonzero(bonded[list(pair)].any(axis=0))]
            normal = np.linalg.svd(plane - plane.mean(axis=0))[2][2]
            middle = host.cart_coords[list(pair)].mean(axis=0)
            found += _clear(host, pair, middle + ABOVE * np.array([normal, -normal]))
    return sorted(found, key=_clearest)


def _beside(host: Molecule) -> list[Place]:
    """Places at one donor, away from what it is bonded to."""
    bonded, found = bonds(host), []
    for donor in _donors(host):
        here = host.cart_coords[donor]
        away = here - host.cart_coords[bonded[donor]].mean(axis=0)
        found += _clear(host, (donor,), here + REACH * away[None] / np.linalg.norm(away))
    return sorted(found, key=_clearest)


def _donors(host: Molecule) -> list[int]:
    return [atom for atom, site in enumerate(host) if site.specie.symbol in DONORS]


def _clear(host: Molecule, atoms: tuple[int, ...], positions: Positions) -> list[Place]:
    """Those positions that clash with no other atom of the host, the clearest first."""
    others = [atom for atom in range(len(host)) if atom not in atoms]
    radii = contact_radii(host[atom] for atom in others) + contact_radii(Molecule(["Li"], [[0, 0, 0]]))
    apart = np.linalg.norm(positions[:, None] - host.cart_coords[others], axis=-1) / radii
    centre = host.cart_coords.mean(axis=0)
    found = [
        Place(atoms, position, round_off(clearance, 3), tuple(rounded(position - centre, BESIDE).tolist()))
        for position, clearance in zip(positions, apart.min(axis=1, initial=np.inf), strict=True)
        if clearance > CLASH
    ]
    return sorted(found, key=_clearest)


def _clearest(place: Place) -> tuple[float, ...]:
    """Order of places of one kind, whatever the order of the atoms."""
    return -place.clearance, *place.from_centre


def _circle(axis: Positions, towards: Positions) -> Positions:
    """Unit vectors about an axis, one every 15°, the first as near to a direction as it can be."""
    along = axis / np.linalg.norm(axis)
    first = towards - (towards @ along) * along
    if np.linalg.norm(first) < 1e-3:  # the axis goes through the middle of a straight molecule: all are alike
        first = np.eye(3)[np.abs(along).argmin()]
        first -= (first @ along) * along
    first /= np.linalg.norm(first)
    angles = np.radians(np.arange(0, 360, 15))[:, None]
    circle: Positions = np.cos(angles) * first + np.sin(angles) * np.cross(along, first)
    return circle


def _turned(arms: Positions) -> Positions:
    """A guest's other atoms about its lithium in many turns, shape (turns, n, 3)."""
    angles = product(range(0, 360, 30), range(0, 181, 30), range(0, 360, 30) if len(arms) > 1 else [0])
    if not len(arms):
        return arms[None]
    return np.array([turn.apply(arms) for turn in Rotation.from_euler("zyz", list(angles), degrees=True)])
