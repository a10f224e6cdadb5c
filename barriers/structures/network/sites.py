"""The sites of an ion in a crystal, those that are empty in part too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pymatgen.core import PeriodicSite, Structure
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
    elements = [_most_frequent(site) for site in structure]
    if ion not in elements:
        there = sorted(set(elements))
        raise ValueError(
            f"ion: no site of {ion!r} in {structure.composition.reduced_formula}; "
            f"allowed: {', '.join(there)}{closest(ion, there)}"
        )
    if structure.is_ordered:
        return structure
    ions = [number for number, element in enumerate(elements) if element == ion]
    places = dict(_merged(structure, ions, ion))
    kept = [number for number in range(len(structure)) if number in places or elements[number] != ion]
    return Structure(
        structure.lattice,
        [elements[number] for number in kept],
        [places.get(number, structure[number].frac_coords) for number in kept],
    )


def _most_frequent(site: PeriodicSite) -> str:
    amounts = site.species.element_composition.get_el_amt_dict()
    return min(amounts, key=lambda element: (-amounts[element], element))


def _merged(structure: Structure, ions: list[int], ion: str) -> Iterator[tuple[int, np.ndarray]]:
    """Give the number of the first site of each group, and the fractional coordinates of the group's mean."""
    points = Structure(structure.lattice, [ion] * len(ions), structure.frac_coords[ions])
    first, second, _, _ = points.get_neighbor_list(MERGED)
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(len(ions), len(ions)))
    group = connected_components(graph, directed=False)[1]
    weights = np.array([structure[number].species.element_composition[ion] for number in ions])
    for members in (np.flatnonzero(group == number) for number in range(group.max() + 1)):
        here = points.frac_coords[members[0]]
        steps = points.frac_coords[members] - here
        mean = here + np.average(steps - np.rint(steps), axis=0, weights=weights[members])
        yield ions[members[0]], mean
