"""What a slab is made of: its planes, their compositions, its formal charges and cation–oxygen bonds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.rounding import by_place

Floats = NDArray[np.float64]

LAYER = "layer"
"""Site property: number of the atomic layer, 0 at the bottom; :data:`FRAGMENT` for atoms of a fragment."""

FRAGMENT = -1
"""The ``layer`` of a fragment's atoms."""

FRAGMENT_NUMBER = "fragment"
"""Site property where there are several fragments: 1, 2, … for their atoms, 0 for all others."""

PLANE = 0.2
"""Atoms nearer than this in height (Å) lie in one plane; oxygen is off the ideal height by less than 0.1 Å."""

BOND = 2.6
"""Longest cation–oxygen bond (Å): Li–O is 2.1 Å in a layered oxide, the next shell starts beyond 3.3 Å."""

CHARGES = {"Li": 1.0, "O": -2.0, "H": 1.0, "F": -1.0}
"""Formal charges (e)."""

METAL_CHARGE = 3.0
"""Formal charge of any other element (e): the metal of LiMO2."""


def charges(structure: Structure) -> Floats:
    """Formal charge of each atom (e): Li 1, O −2, H 1, F −1, any other element 3; shape (atoms,)."""
    return np.array([CHARGES.get(site.specie.symbol, METAL_CHARGE) for site in structure])


def surface_area(structure: Structure) -> float:
    """Area of one face of a slab (Å²)."""
    return float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def dipole(slab: Structure) -> float:
    """Dipole of the formal charges along the normal per area (e/Å); the slab is neutral, c along the normal."""
    return float(charges(slab) @ slab.cart_coords[:, 2] / surface_area(slab))


def planes(slab: Structure) -> list[list[int]]:
    """Atoms of each plane, the lowest plane first; within a plane the lowest atom first."""
    heights = slab.cart_coords[:, 2]
    order = by_place(slab.cart_coords)
    ends = np.flatnonzero(np.diff(heights[order]) > PLANE) + 1
    return [part.tolist() for part in np.split(order, ends)]


def composition(structure: Structure, atoms: Sequence[int]) -> str:
    """Reduced formula of some atoms of LiMO2, M for any metal: ``Li``, ``LiM``, ``O``, ``LiMO2``."""
    symbols = (structure[atom].specie.symbol for atom in atoms)
    counts = Counter(symbol if symbol in CHARGES else "M" for symbol in symbols)
    divisor = np.gcd.reduce(list(counts.values()))
    shares = [(name, counts[name] // divisor) for name in ("Li", "M", "O") if counts[name]]
    return "".join(f"{name}{share if share > 1 else ''}" for name, share in shares)


def coordination(structure: Structure) -> NDArray[np.int_]:
    """Oxygen neighbours of each cation and cation neighbours of each oxygen, shape (atoms,)."""
    centres, neighbours, _, _ = structure.get_neighbor_list(BOND)
    oxygen = np.array([site.specie.symbol == "O" for site in structure])
    bonded = oxygen[centres] != oxygen[neighbours]
    return np.bincount(centres[bonded], minlength=len(structure))
