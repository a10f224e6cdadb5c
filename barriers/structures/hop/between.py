"""The hop between two sites that a person names: by the number of an atom, or by coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop, Site, hop_ends
from barriers.structures.hop.jump import HERE, Jump, Place, Places, as_hops, rank
from barriers.structures.hop.kinds import ADDED, Kind
from barriers.structures.hop.neighbours import DETOUR, IMAGE_MARGIN, LONGEST_HOP, passed, room_in, shared_anions
from barriers.structures.hop.search import ion_sites, jumps_in
from barriers.structures.hop.surroundings import whole
from barriers.structures.hop.symmetry import classes
from barriers.structures.surface.slab import frozen_atoms

End = int | tuple[float, float, float]
"""A site: the number of its atom, from 0, or fractional coordinates near it."""

NEAR = 1.0
"""Coordinates stand for the nearest site, if that is no further away than this (Å)."""


def hops_between(
    structure: Structure, found: Sequence[Hop], first: End, last: End, kind: Kind = "vacancy", ion: str = "Li"
) -> list[Hop]:
    """Give the hop from one site to another, the way it was asked for.

    A hop that the search lists, and the like of it by symmetry, keeps its label, whichever way it is asked for. One
    that it does not list is made: a longer one, or one that passes by another site (:func:`unlisted` says so).

    Parameters
    ----------
    structure : Structure
        Slab as it was built, or crystal.
    found : Sequence[Hop]
        What :func:`~barriers.structures.hop.search.find_hops` gives for it.
    first, last : int or (float, float, float)
        Where the ion starts and where it comes to. The image of the last site is the one nearest to the first.
    kind : {"vacancy", "divacancy", "interstitial", "interstitialcy"}
        What makes room for it.
    ion : str
        Element that moves.

    Returns
    -------
    list[Hop]
        One; of divacancies as many as there are third sites, of interstitialcy as many as ions that yield. Each is
        named by its label.

    Raises
    ------
    ValueError
        One line, if an end is no site of the ion, or there is no such hop between them.
    """
    places, jumps = _jumps(structure, ion, kind)
    start, end = (_number(places, site, name, ion) for name, site in (("from", first), ("to", last)))
    if start == end:
        raise ValueError(f"from and to are one site, {_said(places, start, ion)}; allowed: two sites")
    fitting = [jump for jump in jumps if (jump.first, jump.last[0]) == (start, end)]
    if not fitting and kind == "divacancy":
        raise ValueError(
            f"no third {ion} site shares a tetrahedron with {_pair(places, start, end, ion)}; allowed: kind vacancy"
        )
    if not fitting and kind == "interstitialcy":
        between = _pair(places, start, end, ion)
        raise ValueError(f"no {ion} that an added one pushes on between {between}; allowed: kind interstitial")
    fitting = fitting or [_made(places, kind, start, end, ion)]
    labels = {way: hop.label for hop in found for way in _ways(hop)}
    made = []
    for jump in sorted(fitting, key=lambda jump: rank(places, jump)):
        (hop,), (listed,) = (as_hops([(places, each)], ion) for each in (jump, _like(places, jumps, jump)))
        label = labels.get(_ways(listed)[0], hop.label)
        made.append(hop.model_copy(update={"name": label, "label": label}))
    return made


def _jumps(structure: Structure, ion: str, kind: Kind) -> tuple[Places, list[Jump]]:
    """Give the jumps that the search knows; none of a vacancy in a cell that is too small for the shortest."""
    try:
        return jumps_in(structure, ion, added=kind in ADDED)[kind]
    except ValueError:  # of the cell, by the shortest jump: whether it is too small for this one is said of this one
        if kind != "vacancy":
            raise
        return ion_sites(structure, ion), []


def _like(places: Places, jumps: list[Jump], jump: Jump) -> Jump:
    """Give the jump that the search lists for this one by symmetry; this one itself where there is none."""
    if jump not in jumps:
        return jump
    found = classes(places, jumps)
    asked = [[place for place, _ in jump.places], [image for _, image in jump.places]]
    same = (found.points == asked[0]).all(axis=1) & (found.images == asked[1]).all(axis=(1, 2))
    return found.distinct[int(found.number[same.argmax()])]


def unlisted(structure: Structure, hops: Sequence[Hop]) -> list[str]:
    """Say of each hop that the search would not list, but for symmetry, why: a line each.

    Parameters
    ----------
    structure : Structure
        What the hops are hops of.
    hops : Sequence[Hop]
        Hops between atoms; those of an added ion are passed over.
    """
    held = set(frozen_atoms(structure))
    lines = []
    for hop in hops:
        if hop.moving is None:
            continue
        if hop.distance > LONGEST_HOP:
            lines.append(f"hop {hop.name}: {hop.distance:.2f} Å long; hops are looked for up to {LONGEST_HOP:g} Å")
            continue
        gone = {*held, hop.moving, hop.target, *hop.removed}
        others = [atom for atom in structure.indices_from_symbol(hop.ion) if atom not in gone]
        if not others:
            continue
        ends = structure.lattice.get_fractional_coords(np.array(hop_ends(structure, hop)))
        apart = structure.lattice.get_all_distances(ends, structure.frac_coords[others]).max(axis=0)
        if apart.min() <= DETOUR * hop.distance:
            passed = others[int(apart.argmin())]
            lines.append(f"hop {hop.name}: {hop.ion} {passed} lies between its sites, so it may be two hops, not one")
    return lines


def _number(places: Places, site: End, name: str, ion: str) -> int:
    """Number of the place that an end stands for."""
    own = [number for number, member in enumerate(places.members) if isinstance(member, Site)]
    if not isinstance(site, tuple):
        if site in places.members and not own:
            return list(places.members).index(int(site))
        raise ValueError(f"{name}: {_no_site(places, site, ion)}")
    structure = places.structure
    if not len(places.fractions):
        raise ValueError(f"{name}: {list(site)}: there is no free {ion} site")
    apart = structure.lattice.get_all_distances(np.array(site), places.fractions)[0]
    if own:
        apart[len(own) :] = np.inf  # ions of the crystal, listed after its empty sites
    nearest = int(apart.argmin())
    if apart[nearest] > NEAR:
        where = f"{_said(places, nearest, ion)}, is {apart[nearest]:.2f} Å away"
        raise ValueError(f"{name}: {list(site)}: the nearest site, {where}; allowed: up to {NEAR:g} Å from one")
    return nearest


def _no_site(places: Places, atom: int, ion: str) -> str:
    structure = places.structure
    if any(isinstance(member, Site) for member in places.members):
        return f"{atom}: an added ion is no atom of the structure yet; allowed: coordinates of its place"
    if not 0 <= atom < len(structure):
        what = f"the structure has {len(structure)} atoms, numbered from 0"
    elif structure[atom].specie.symbol == ion:
        what = f"this {ion} is held"
    else:
        what = f"this atom is {structure[atom].specie.symbol}"
    return f"{atom}: {what}; allowed: a free {ion}, one of {_spans([int(member) for member in places.members])}"  # type: ignore[arg-type]


def _spans(numbers: Sequence[int]) -> str:
    """Write numbers in ascending order, neighbours as a span: ``0 to 11, 24``."""
    parts = np.split(np.array(numbers, dtype=int), np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts if len(part))


def _said(places: Places, number: int, ion: str) -> str:
    member = places.members[number]
    if isinstance(member, int):
        return f"{ion} {member}"
    return f"{ion} at {[round(float(x), 3) for x in places.fractions[number]]}"


def _pair(places: Places, start: int, end: int, ion: str) -> str:
    return f"{_said(places, start, ion)} and {_said(places, end, ion)}"


def _made(places: Places, kind: Kind, start: int, end: int, ion: str) -> Jump:
    """Make a jump that the search has not found; refuse one that is beside its own image all the way."""
    lattice = places.structure.lattice
    length, image = lattice.get_distance_and_image(places.fractions[start], places.fractions[end])
    shortest = room_in(places)
    if 2 * length >= shortest - IMAGE_MARGIN:
        raise ValueError(
            f"{_pair(places, start, end, ion)} are {length:.2f} Å apart, so that a hop meets its own image in a cell "
            f"of {shortest:.1f} Å; allowed: nearer sites, or a cell of at least {2 * length + IMAGE_MARGIN:.1f} Å"
        )
    last: Place = (end, whole(image))
    if kind == "interstitial" and places.top is not None:
        return Jump(kind, start, last, mechanism="surface")
    return Jump(kind, start, last, mechanism=passed(places, shared_anions(places, (start, HERE), last)))


def _ways(hop: Hop) -> list[Any]:
    """What a hop is between, there and back."""
    first, last, image, pushed = hop.way
    back = whole(-np.array(image))
    home = pushed and (pushed[0], whole(np.subtract(pushed[1], image)))
    further = tuple(sorted(hop.removed))
    return [(first, last, image, pushed, further), (last, first, back, home, further)]
