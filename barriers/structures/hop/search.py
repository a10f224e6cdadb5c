"""All symmetry-distinct hops of a slab or crystal, and those into a fragment."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.added import added_jumps, added_places, fits
from barriers.structures.hop.hop import Hop, Site
from barriers.structures.hop.jump import Jump, Places, as_hops, places_in, rank
from barriers.structures.hop.kinds import Kind
from barriers.structures.hop.neighbours import (
    LONGEST_HOP,
    divacancy_jumps,
    free_of_images,
    neighbours,
    vacancy_jumps,
)
from barriers.structures.hop.places import adatom_sites, fragment_sites, has_room
from barriers.structures.hop.surroundings import whole
from barriers.structures.hop.symmetry import classes
from barriers.structures.rounding import round_off
from barriers.structures.surface.slab import FRAGMENT, LAYER, frozen_atoms

SHORTEST_HOP = 1.5
"""An added ion nearer to two places than this (Å) relaxes into one of them."""


def find_hops(structure: Structure, ion: str = "Li", added: bool = False) -> list[Hop]:
    """Find every symmetry-distinct hop of a slab or crystal as it was built.

    1. Vacancy: between neighbouring free sites of the ion, one of them empty.
    2. Divacancy: the same with a third site empty that shares the tetrahedron of anions beside the jump; the ion
       passes the tetrahedron's centre.
    3. Interstitial: an added ion between neighbouring places above the surface
       (:func:`~barriers.structures.hop.places.adatom_sites`), in a crystal between its empty sites
       (:func:`~barriers.structures.hop.voids.find_voids`).
    4. Interstitialcy, in a crystal: an added ion takes the site of one of the crystal, which goes to an empty site.

    The unrelaxed slab is searched, so that the same hops are found whatever engine relaxes it. A hop and its way back
    are one. Of equivalent hops the first in the order below is given, whatever the order of the atoms.

    Parameters
    ----------
    structure : Structure
        Bare slab with its ``layer`` numbers, positions not wrapped along z; or a crystal, without them.
    ion : str
        Element that moves.
    added : bool
        Whether hops of an ion added to a crystal are looked for; of one added to a slab they always are.

    Returns
    -------
    list[Hop]
        Shortest first, then the highest, then by position. Each is named by its label.

    Raises
    ------
    ValueError
        If there is no hop, or the cell is too small to tell a jump from its image.
    """
    found = [
        (places, jump)
        for places, jumps in jumps_in(structure, ion, added).values()
        if jumps
        for jump in classes(places, jumps).distinct
    ]
    if not found:
        raise ValueError(f"no hop: no two free {ion} sites, or places of an added ion, within {LONGEST_HOP} Å")
    return as_hops(sorted(found, key=lambda entry: rank(*entry)), ion)


def jumps_in(structure: Structure, ion: str = "Li", added: bool = False) -> dict[Kind, tuple[Places, list[Jump]]]:
    """Give every jump of a slab or crystal by its kind, there and back, with the places it is between.

    Raises
    ------
    ValueError
        If the cell is too small to tell a jump from its image.
    """
    sites = ion_sites(structure, ion)
    around = free_of_images(sites, neighbours(sites))
    vacancies: dict[Kind, tuple[Places, list[Jump]]] = {
        "vacancy": (sites, vacancy_jumps(sites, around)),
        "divacancy": (sites, divacancy_jumps(sites, around)),
    }
    if LAYER not in structure.site_properties:
        return vacancies | (_in_voids(structure, ion) if added else {})
    adatoms = _added(structure, adatom_sites(structure, ion), ion)
    surface = [
        Jump("interstitial", first, last, mechanism="surface")
        for first, lasts in free_of_images(adatoms, neighbours(adatoms)).items()
        for last in lasts
    ]
    return vacancies | {"interstitial": (adatoms, surface)}


def _in_voids(structure: Structure, ion: str) -> dict[Kind, tuple[Places, list[Jump]]]:
    """Give the jumps of an ion added to a crystal that fit into its cell."""
    places = added_places(structure, ion)
    direct, pushes = ([jump for jump in jumps if fits(places, jump)] for jumps in added_jumps(places))
    return {"interstitial": (places, direct), "interstitialcy": (places, pushes)}


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


def ion_sites(structure: Structure, ion: str) -> Places:
    """Sites of the ion that are free to move."""
    frozen = set(frozen_atoms(structure))
    members = [index for index in structure.indices_from_symbol(ion) if index not in frozen]
    return places_in(structure, members, structure.frac_coords[members], ion)


def _added(structure: Structure, sites: list[Site], ion: str) -> Places:
    positions = np.array([site.position(structure) for site in sites]).reshape(-1, 3)
    fractions = structure.lattice.get_fractional_coords(positions)
    return places_in(structure, sites, fractions, ion)
