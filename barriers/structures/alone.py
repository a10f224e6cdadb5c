"""A molecule alone in a box: its charge, its spin, and where its atoms are together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

SPIN = "spin_multiplicity"
"""Property of a structure: 2S + 1 of a molecule that has not as few unpaired electrons as it can."""

LEAST_ROOM = 4.0
"""A molecule that is alone has at least this much room to its periodic copies, along each cell vector (Å)."""


def carrying(structure: Structure, charge: int, spin: int | None) -> Structure:
    """Give a structure, in place, a charge (e) and a spin multiplicity where it has any."""
    if charge:
        structure.set_charge(charge)
    if spin is not None:
        structure.properties[SPIN] = spin
    return structure


def charge_of(structure: Structure) -> int:
    """Charge that a structure was given (e); what its ions' oxidation states add up to does not count."""
    return round(structure._charge or 0)


def spin_of(structure: Structure) -> int | None:
    """Spin multiplicity that a structure was given; None for the least possible."""
    spin = structure.properties.get(SPIN)
    return None if spin is None else int(spin)


def unpaired_electrons(structure: Structure) -> int:
    """Number of unpaired electrons of a molecule: as few as it can have, unless its spin says otherwise.

    Raises
    ------
    ValueError
        If so many electrons cannot have that spin.
    """
    electrons = sum(site.specie.Z for site in structure) - charge_of(structure)
    spin = spin_of(structure)
    unpaired = electrons % 2 if spin is None else spin - 1
    if not 0 <= unpaired <= electrons or (electrons - unpaired) % 2:
        parity = "odd" if electrons % 2 == 0 else "even"
        raise ValueError(f"spin multiplicity: {spin} with {electrons} electrons; allowed: an {parity} number")
    return unpaired


def together(structure: Structure) -> NDArray[np.float64]:
    """Positions (Å) of a molecule in a box, shape (N, 3), none of its atoms cut off by the cell's faces.

    Each atom comes to one of its own periodic places; the molecule is cut free along each cell vector where the widest
    gap is.

    Raises
    ------
    ValueError
        If there is less room than :data:`LEAST_ROOM` along a vector: then it is a crystal, a slab or a crowd.
    """
    places = structure.frac_coords.copy()
    heights = 1 / np.linalg.norm(np.linalg.inv(structure.lattice.matrix), axis=0)
    for axis, height in enumerate(heights):
        inside = np.sort(places[:, axis] % 1)
        gaps = np.diff([*inside, inside[0] + 1])
        widest = int(gaps.argmax())
        if gaps[widest] * height < LEAST_ROOM:
            which = ("first", "second", "third")[axis]
            raise ValueError(
                f"{structure.composition.reduced_formula}: its periodic copies are {gaps[widest] * height:.1f} Å apart "
                f"along the {which} cell vector; allowed: one molecule in a box with at least {LEAST_ROOM:g} Å of room"
            )
        cut = inside[widest] + gaps[widest] / 2
        # Whole cells alone: an atom keeps its place to the last digit.
        places[:, axis] -= np.floor(places[:, axis] - cut)
    places -= np.round(places.mean(axis=0) - structure.frac_coords.mean(axis=0))
    moved = np.round(places - structure.frac_coords)
    positions: NDArray[np.float64] = structure.cart_coords + moved @ structure.lattice.matrix
    return positions
