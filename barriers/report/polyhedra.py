"""Coordination polyhedra: the anions around each cation that stays, as faces to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.data import covalent_radii
from pymatgen.core import Element, Structure
from scipy.spatial import ConvexHull, QhullError

from barriers.report.views import Points, fragment_atoms

FEWEST = 4
"""A polyhedron has so many corners at least."""

REACH = 1.3
"""An anion is a corner up to this multiple of the sum of both covalent radii."""

MORE_NEGATIVE = 0.3
"""By so much an anion's electronegativity (Pauling) exceeds that of the cation in the middle: S in a sulfate is one."""


def polyhedra(structure: Structure, positions: Points, ion: str = "") -> list[dict[str, Any]]:
    """Find the polyhedra of anions around cations, fragments left out.

    Parameters
    ----------
    structure : Structure
        Elements, cell, and which atoms are a fragment's.
    positions : (n, 3)
        Where the atoms are drawn in the first image (Å).
    ion : str
        Element that moves: it has no polyhedra, nor have alkali metals.

    Returns
    -------
    list[dict[str, Any]]
        ``centre``: number of the cation; ``corners``: number of each anion, and the way from where that is drawn to
        the corner (Å), which is not nothing where the corner is a periodic image; ``faces``: triples of corners. They
        hold for all images.
    """
    lattice, elements = structure.lattice, [site.specie for site in structure]
    host = [int(atom) for atom in np.flatnonzero(~fragment_atoms(structure))]
    anions = [atom for atom in host if is_anion(elements[atom])]
    cations = [atom for atom in host if elements[atom].symbol != ion and not elements[atom].is_alkali]
    places, found = lattice.get_fractional_coords(positions), []
    for centre in cations:
        around = [atom for atom in anions if elements[atom].X > elements[centre].X + MORE_NEGATIVE]
        if not around:
            continue
        reach = [REACH * (covalent_radii[elements[atom].Z] + covalent_radii[elements[centre].Z]) for atom in around]
        within: Any = lattice.get_points_in_sphere(places[around], positions[centre], max(reach))
        near = [each for each in within if each[1] <= reach[each[2]]]
        if len(near) < FEWEST:
            continue
        corners = [around[int(which)] for _, _, which, _ in near]
        ways = lattice.get_cartesian_coords(np.rint([place for place, *_ in near] - places[corners]))
        if faces := _faces(positions[corners] + ways):
            pairs = [[corner, *way] for corner, way in zip(corners, np.round(ways, 3).tolist(), strict=True)]
            found.append({"centre": centre, "corners": pairs, "faces": faces})
    return found


def is_anion(element: Element) -> bool:
    """Tell whether an element is one that others have at the corners of their polyhedra."""
    return element.symbol in ("N", "O") or element.is_chalcogen or element.is_halogen


def _faces(corners: Points) -> list[list[int]]:
    try:
        faces: list[list[int]] = ConvexHull(corners).simplices.tolist()
    except QhullError:  # all in one plane
        return []
    return faces
