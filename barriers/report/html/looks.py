"""How the page's viewer draws a structure: colours and radii of elements."""

from __future__ import annotations

from typing import Any

from matplotlib.colors import to_hex
from pymatgen.core import Element, Structure

from barriers.report.elements import colour
from barriers.report.polyhedra import is_anion
from barriers.report.structures import drawn_radius

SLAB, BALL = 0.62, 0.55
"""Radii of a slab's and of a fragment's atoms, in drawn radii, where no ions are drawn."""

IONIC = 0.38
"""Radius of an ion, in ionic radii: oxygen is the largest, and none hides the jump."""

Looks = dict[str, dict[str, Any]]


def plain_looks(structure: Structure) -> Looks:
    """Look of each element as in the flat pictures: ``colour``, ``radius`` (Å) in the slab, ``ball`` (Å) in a fragment.

    No element has the colours of densities.
    """
    return {
        symbol: {
            "colour": to_hex(colour(symbol)),
            "radius": round(SLAB * drawn_radius(symbol), 3),
            "ball": round(BALL * drawn_radius(symbol), 3),
        }
        for symbol in sorted(structure.symbol_set)
    }


def crystal_looks(structure: Structure) -> Looks:
    """Look of each element as crystals are mostly drawn: the colours of VESTA, ionic radii where there are anions."""
    looks = plain_looks(structure)
    ionic = any(is_anion(site.specie) for site in structure)
    for symbol, look in looks.items():
        look["colour"] = to_hex(colour(symbol, flat=False))
        if ionic and (radius := float(Element(symbol).average_ionic_radius)):
            look["radius"] = round(IONIC * radius, 3)
    return looks
