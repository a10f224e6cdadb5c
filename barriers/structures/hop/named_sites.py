"""The hop between two sites that someone names."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop
from barriers.structures.hop.jump import Jump, as_hops, places_in
from barriers.structures.hop.surroundings import whole

SiteName = int | tuple[float, float, float]
"""Number of an atom, or fractional coordinates."""

NEAR = 0.5
"""Coordinates this near (Å) to an ion name it."""


def hop_between(structure: Structure, first: SiteName, last: SiteName, ion: str) -> Hop:
    """Give the jump of one ion to the site of another, which is taken out, in the nearest image.

    Raises
    ------
    ValueError
        One line, if one of both is no such ion, or both are one.
    """
    ends = [ion_at(structure, site, ion) for site in (first, last)]
    if ends[0] == ends[1]:
        raise ValueError(f"from and to are both atom {ends[0]}; allowed: two different {ion}")
    fractions = structure.frac_coords[ends]
    _, image = structure.lattice.get_distance_and_image(*fractions)
    places = places_in(structure, ends, fractions, ion)
    (hop,) = as_hops([(places, Jump("vacancy", 0, (1, whole(image))))], ion)
    return hop


def ion_at(structure: Structure, site: SiteName, ion: str) -> int:
    """Find the ion that a number or fractional coordinates name.

    Raises
    ------
    ValueError
        One line that names the nearest ion.
    """
    ions = np.array(structure.indices_from_symbol(ion))
    if isinstance(site, int):
        if site in ions:
            return site
        found = structure[site].specie.symbol if site < len(structure) else "not there"
        raise ValueError(f"atom {site} is {found}; allowed: {ion}, whose numbers are {_span(ions)}")
    apart = structure.lattice.get_all_distances([site], structure.frac_coords[ions])[0]
    nearest = int(apart.argmin())
    if apart[nearest] > NEAR:
        place = ", ".join(f"{value:.3f}" for value in structure.frac_coords[ions[nearest]])
        raise ValueError(
            f"{list(site)} holds no {ion}: the nearest, atom {ions[nearest]}, is {apart[nearest]:.2f} Å away; "
            f"allowed: within {NEAR} Å, e.g. [{place}]"
        )
    return int(ions[nearest])


def _span(numbers: np.ndarray) -> str:
    """Write ascending numbers as ranges."""
    parts = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts)
