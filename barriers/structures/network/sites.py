"""The sites of an ion in a crystal, those that are empty in part too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pymatgen.core import Composition, PeriodicSite, Structure
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from barriers.words import closest

MERGED = 1.0
"""Partly occupied sites of the ion that are linked by steps shorter than this (Å) are one: 96h and 96h in a garnet."""


def find_sites(structure: Structure, ion: str = "Li") -> Structure:
    """Fill every site of the ion in a crystal, so that its hops can be searched.

    A site belongs to its most frequent element; what is empty of a site of the ion does not matter. Sites of the ion
    within :data:`MERGED` become one, at their mean weighted by occupancy. An ordered crystal is given back as it is.

    Parameters
    ----------
    structure : Structure
        Crystal, with or without partial occupancies.
    ion : str
        Element that moves.

    Returns
    -------
    Structure
        Ordered, with at least one ion; more ions than the formula has where sites are empty in part.

    Raises
    ------
    ValueError
        If no site belongs to the ion.
    """
    whole = merge_sites(structure, ion)
    elements = [most_frequent(site) for site in whole]
    if ion not in elements:
        there = sorted(set(elements))
        raise ValueError(
            f"ion: no site of {ion!r} in {structure.composition.reduced_formula}; "
            f"allowed: {', '.join(there)}{closest(ion, there)}"
        )
    return structure if structure.is_ordered else Structure(whole.lattice, elements, whole.frac_coords)


def merge_sites(structure: Structure, ion: str) -> Structure:
    """Make one site of each group of sites of the ion within :data:`MERGED`, with the sum of their occupancies.

    Parameters
    ----------
    structure : Structure
        Crystal, with or without partial occupancies; without any it is given back as it is.
    ion : str
        Element that moves.
    """
    if structure.is_ordered:
        return structure
    ions = [number for number, site in enumerate(structure) if most_frequent(site) == ion]
    places = {members[0]: (members, place) for members, place in _groups(structure, ions, ion)}
    gone = {member for members, _ in places.values() for member in members[1:]}
    kept = [number for number in range(len(structure)) if number not in gone]
    species, points = [], []
    for number in kept:
        members, place = places.get(number, ([number], structure[number].frac_coords))
        amounts = Composition()
        for member in members:
            amounts += structure[member].species.element_composition
        species.append(amounts / max(1.0, amounts.num_atoms))
        points.append(place)
    return Structure(structure.lattice, species, points)


def most_frequent(site: PeriodicSite) -> str:
    """Symbol of the element that a site holds most of."""
    amounts = site.species.element_composition.get_el_amt_dict()
    return min(amounts, key=lambda element: (-amounts[element], element))


def _groups(structure: Structure, ions: list[int], ion: str) -> Iterator[tuple[list[int], np.ndarray]]:
    """Give the sites of each group, and the fractional coordinates of their mean, weighted by occupancy."""
    if not ions:
        return
    points = Structure(structure.lattice, [ion] * len(ions), structure.frac_coords[ions])
    first, second, _, _ = points.get_neighbor_list(MERGED)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(ions), len(ions)))
    group = connected_components(graph, directed=False)[1]
    weights = np.array([structure[number].species.element_composition[ion] for number in ions])
    for members in (np.flatnonzero(group == number) for number in range(group.max() + 1)):
        here = points.frac_coords[members[0]]
        steps = points.frac_coords[members] - here
        mean = here + np.average(steps - np.rint(steps), axis=0, weights=weights[members])
        yield [ions[member] for member in members], mean
