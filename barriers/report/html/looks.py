"""How the page's viewer draws a structure: colours and radii of elements, and the polyhedra of an oxide."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from monty.serialization import loadfn
from pymatgen.core import Element, Structure
from scipy.spatial import ConvexHull, QhullError

from barriers.report.structures import colour, drawn_radius
from barriers.report.views import Points, fragment_atoms
from barriers.structures.surface.cutting import BOND

SLAB, BALL = 0.62, 0.55
"""Radii of a slab's and of a fragment's atoms, in drawn radii, where no ions are drawn."""

IONIC = 0.38
"""Radius of an ion, in ionic radii: oxygen is the largest, and none hides the jump."""

FEWEST = 4
"""A polyhedron has so many corners at least."""

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
    ionic = any(_is_anion(site.specie) for site in structure)
    for symbol, look in looks.items():
        if symbol in _vesta():
            look["colour"] = to_hex(np.array(_vesta()[symbol]) / 255)
        if ionic and (radius := float(Element(symbol).average_ionic_radius)):
            look["radius"] = round(IONIC * radius, 3)
    return looks


@cache
def _vesta() -> dict[str, list[int]]:
    """Colours of elements in VESTA, from 0 to 255, as pymatgen has them."""
    schemes: dict[str, dict[str, list[int]]] = loadfn(str(files("pymatgen.vis") / "ElementColorSchemes.yaml"))
    return schemes["VESTA"]


def polyhedra(structure: Structure, positions: Points) -> list[dict[str, Any]]:
    """Find the polyhedra of anions around the metals of a slab that are no alkali metals.

    Parameters
    ----------
    structure : Structure
        Elements, cell, and which atoms are a fragment's.
    positions : (n, 3)
        Where the atoms are drawn in the first image (Å).

    Returns
    -------
    list[dict[str, Any]]
        ``centre``: number of the metal; ``corners``: number of each anion, and the way from where that is drawn to
        the corner (Å), which is not nothing where the corner is a periodic image; ``faces``: triples of corners. They
        hold for all images.
    """
    lattice, slab = structure.lattice, ~fragment_atoms(structure)
    anions = [atom for atom in np.flatnonzero(slab) if _is_anion(structure[int(atom)].specie)]
    metals = [atom for atom in np.flatnonzero(slab) if _is_host(structure[int(atom)].specie)]
    if not anions or not metals:
        return []
    places = lattice.get_fractional_coords(positions)
    found = []
    for metal in metals:
        near = lattice.get_points_in_sphere(places[anions], positions[metal], BOND)
        if len(near) < FEWEST:
            continue
        corners = [int(anions[int(which)]) for _, _, which, _ in near]
        ways = lattice.get_cartesian_coords(np.rint([place for place, *_ in near] - places[corners]))
        if faces := _faces(positions[corners] + ways):
            pairs = [[corner, *way] for corner, way in zip(corners, np.round(ways, 3).tolist(), strict=True)]
            found.append({"centre": int(metal), "corners": pairs, "faces": faces})
    return found


def _faces(corners: Points) -> list[list[int]]:
    try:
        faces: list[list[int]] = ConvexHull(corners).simplices.tolist()
    except QhullError:  # all in one plane
        return []
    return faces


def _is_anion(element: Element) -> bool:
    return element.symbol == "O" or element.is_chalcogen or element.is_halogen


def _is_host(element: Element) -> bool:
    return bool(element.is_metal and not element.is_alkali)
