"""Whether the sites of a hop in a system are those of the bare slab it was named on."""

from __future__ import annotations

from collections import Counter

import numpy as np
from pymatgen.core import Structure

from barriers.structures.bonding import ANION_REACH, distances_to
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.ions import is_anion
from barriers.structures.hop.surroundings import counted, metal_reach, metals_in
from barriers.structures.path.mapping import ON_SITE
from barriers.structures.rounding import digest

LOST = 3.2
"""A neighbouring anion further away than this (Å) has left: Li–O is 2.1 Å, the next shell of anions 3.4 Å and more."""

MOVED = 0.4
"""Metals beside a site may come that much (Å) nearer or go that much further; the next ones are 0.8 Å further away."""

SAME_CELL = 0.01
"""In-plane cell vectors may differ by this much (Å)."""


def check_carried(slab: Structure, system: Structure, hop: Hop) -> None:
    """Check that a hop found on the bare slab is the same hop in a system made of it.

    The slab must be the very one that the hop was found on, and the metals around the ion and around the site that it
    reaches must be those that the hop names. Each atom that the hop names, and each slab atom that anchors one of its
    places, must be the same element, must stand at the same place relative to the anions around it, in the plane of
    the surface, and must still have them all. Atoms of a fragment may come closer as they like.

    Parameters
    ----------
    slab : Structure
        The bare slab as it was built.
    system : Structure
        Slab or interface, relaxed or not; slab atoms first, in the slab's order.
    hop : Hop
        The jump.

    Raises
    ------
    ValueError
        One line that names the slabs, or the first site that is not the same.
    """
    if hop.slab and hop.slab != digest(slab):
        raise ValueError(
            f"hop {hop.label}: found on the slab {hop.slab}, not on this one, {digest(slab)}; "
            "allowed: the slab it was found on, or a hop that is found on this one"
        )
    if len(system) < len(slab):
        raise ValueError(f"hop {hop.label}: the system has {len(system)} atoms, fewer than the slab's {len(slab)}")
    if np.abs(slab.lattice.matrix[:2] - system.lattice.matrix[:2]).max() > SAME_CELL:
        raise ValueError(f"hop {hop.label}: surface vectors differ from the slab's; allowed: another height alone")
    for atom in _named(hop, len(slab)):
        problem = _difference(slab, system, atom)
        if problem:
            raise ValueError(f"hop {hop.label}: atom {atom} is not the slab's site: {problem}")
    for site, environment in zip((hop.moving, hop.target), hop.environments, strict=True):
        if site is not None and environment:
            _check_metals(system, len(slab), hop, site, metals_in(environment), metal_reach(slab, hop.ion))


def _named(hop: Hop, n_slab: int) -> list[int]:
    """Slab atoms that define the hop, in ascending order."""
    sites = [*(hop.sites or ()), *(site for site in (hop.through, hop.empty) if site)]
    pushed = [hop.pushed[0]] if hop.pushed else []
    atoms = {*hop.initial.removed, *hop.final.removed, *pushed, *(atom for site in sites for atom, _ in site.anchors)}
    return sorted(atom for atom in atoms if atom < n_slab)


def _check_metals(system: Structure, n_slab: int, hop: Hop, atom: int, expected: Counter[str], usual: float) -> None:
    """Refuse a site whose nearest metals are not the hop's, however they are displaced."""
    apart = distances_to(system, system.cart_coords[[atom]])[0, :n_slab]

    def metals(reach: float) -> Counter[str]:
        around = (system[int(other)].specie for other in np.flatnonzero(apart < reach))
        return Counter(element.symbol for element in around if element.is_metal and element.symbol != hop.ion)

    if not metals(usual - MOVED) <= expected <= metals(usual + MOVED):
        raise ValueError(
            f"hop {hop.label}: the metals around atom {atom} are {counted(metals(usual), ' ')}, the hop's are "
            f"{counted(expected, ' ')}: another ion"
        )


def _difference(slab: Structure, system: Structure, atom: int) -> str | None:
    here, there = slab[atom].specie.symbol, system[atom].specie.symbol
    if here != there:
        return f"{there} instead of {here}"
    moves = []
    for neighbor in slab.get_neighbors(slab[atom], ANION_REACH):
        if is_anion(neighbor.specie) == is_anion(slab[atom].specie):
            continue
        before = neighbor.coords - slab[atom].coords
        _, image = system.lattice.get_distance_and_image(system[atom].frac_coords, system[neighbor.index].frac_coords)
        target = system[neighbor.index].frac_coords + image
        after = system.lattice.get_cartesian_coords(target - system[atom].frac_coords)
        if np.linalg.norm(after) > LOST:
            return f"its neighbour {neighbor.index} ({neighbor.specie.symbol}) is {np.linalg.norm(after):.2f} Å away"
        moves.append(after - before)
    aside = float(np.linalg.norm(np.mean(moves, axis=0)[:2])) if moves else 0.0
    return f"it stands {aside:.2f} Å aside of where its neighbours held it" if aside > ON_SITE else None
