"""Charges, radii and reaches of moving ions and anions, from Shannon's table; those of Li⁺ in an oxide are the unit."""

from __future__ import annotations

from functools import cache

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Element, Species, Structure

from barriers.structures.bonding import ANION_REACH, BOND
from barriers.structures.surface.slab import FRAGMENT, LAYER

NONMETALS = frozenset({"O", "F", "S", "Se", "Te", "Cl", "Br", "I", "N", "P", "As"})
"""Elements that are anions unless they are bonded to a more electronegative one, as P is in a phosphate."""

STRETCH = 1.2
"""Anions within this multiple of the sum of radii are neighbours of an ion: 2.6 Å for Li⁺ and O²⁻."""


def formal_charge(symbol: str, is_anion: bool) -> int:
    """Most common charge of an element (e): of an anion the lowest, of another nonmetal the highest."""
    states = Element(symbol).common_oxidation_states or (0,)
    if symbol in NONMETALS:
        return min(states) if is_anion else max(states)
    return int(states[0])


@cache
def radius(symbol: str, coordination: str = "VI") -> float:
    """Ionic radius (Å), Acta Cryst. A 32, 751 (1976); without one, that of the other coordination or van der Waals'."""
    charged = Species(symbol, formal_charge(symbol, is_anion=True))
    for known in (coordination, "VI", "IV"):
        try:
            return float(charged.get_shannon_radius(known))
        except KeyError:
            continue
    return float(Element(symbol).van_der_waals_radius)


def size(ion: str, structure: Structure) -> float:
    """Length of a bond between an ion and the largest anion, fragments apart; that of Li⁺ and O²⁻ is 1, and least."""
    layers = structure.site_properties.get(LAYER, [0] * len(structure))
    host = {site.specie.symbol for site, layer in zip(structure, layers, strict=True) if layer != FRAGMENT}
    largest = max((radius(symbol) for symbol in host & anion_elements(structure)), default=0.0)
    return max(1.0, (radius(ion) + largest) / (radius("Li") + radius("O")))


def anion_reach(ion: str, anion: str) -> float:
    """Distance (Å) within which an anion is a neighbour of an ion."""
    return max(ANION_REACH, STRETCH * (radius(ion) + radius(anion)))


def is_anion(element: Element) -> bool:
    """Tell whether an element can be an anion."""
    return element.symbol in NONMETALS


def anions(structure: Structure) -> NDArray[np.bool_]:
    """Find the anions: nonmetals that share no bond with a more electronegative one, shape (n,)."""
    found = np.array([is_anion(site.specie) for site in structure])
    if not found.any():
        return found
    radii = covalent_radii[[site.specie.Z for site in structure]]
    electronegativity = np.array([site.specie.X for site in structure])
    first, second, _, apart = structure.get_neighbor_list(2 * BOND * radii[found].max())
    bonded = found[first] & found[second] & (apart < BOND * (radii[first] + radii[second]))
    found[first[bonded & (electronegativity[second] > electronegativity[first])]] = False
    return found


def anion_elements(structure: Structure) -> set[str]:
    """Symbols of the anions of a structure."""
    return {site.specie.symbol for site, found in zip(structure, anions(structure), strict=True) if found}
