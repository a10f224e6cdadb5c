"""A small interface for densities: a trilayer of Li2O (111) and a flat CH2=CF2 or H2 on it, neither relaxed."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Lattice, Structure

A = 4.62
"""Lattice constant of Li2O (Å)."""

HEIGHT = 12.0
"""Of the cell (Å)."""

FRAGMENTS = {
    "CH2=CF2": (
        ["C", "C", "H", "H", "F", "F"],
        [[-0.66, 0, 0], [0.66, 0, 0], [-1.21, 0.94, 0], [-1.21, -0.94, 0], [1.38, 1.09, 0], [1.38, -1.09, 0]],
    ),
    "H2": (["H", "H"], [[-0.37, 0, 0], [0.37, 0, 0]]),
}
"""Elements, and places about what stands over a Li (Å)."""


def trilayer(size: int) -> Structure:
    """Li–O–Li, the least that has no dipole."""
    a, step = A / np.sqrt(2), A * np.sqrt(3) / 12
    cell = Lattice.from_parameters(a, a, HEIGHT, 90, 90, 120)
    low = 2.0
    places = [[1 / 3, 2 / 3, low / HEIGHT], [0, 0, (low + step) / HEIGHT], [2 / 3, 1 / 3, (low + 2 * step) / HEIGHT]]
    slab = Structure(cell, ["Li", "O", "Li"], places)
    slab.make_supercell([size, size, 1])
    return slab


def interface(fragment: str = "CH2=CF2", size: int = 2, gap: float = 2.3) -> tuple[Structure, int]:
    """Slab first, and its number of atoms; the fragment ``gap`` (Å) above a Li of the upper layer."""
    slab = trilayer(size)
    n_slab = len(slab)
    top = max(slab, key=lambda site: [round(site.c, 3), round(site.b, 3), -round(site.a, 3)]).coords
    elements, places = FRAGMENTS[fragment]
    for element, place in zip(elements, places, strict=True):
        slab.append(element, top + np.array(place) + [0, 0, gap], coords_are_cartesian=True)
    return slab, n_slab
