"""The hexagonal lattice of a layered oxide in a relaxed supercell of it."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.cathode.crystal import Cathode, bulk
from barriers.structures.rounding import round_off

DIGITS = 4
"""Digits of a, c (Å) and z: the same as of what is read from a file, and coarser than what a relaxation leaves open."""


def supercell(cathode: Cathode, repeats: int) -> Structure:
    """Repeat the hexagonal cell in the plane, c along z, metals not yet ordered; 12 · repeats² atoms."""
    crystal = bulk(cathode)
    crystal.make_supercell([repeats, repeats, 1])
    return crystal


def hexagonal_lattice(built: Structure, relaxed: Structure, repeats: int) -> tuple[float, float, float]:
    """Read a, c (Å) and the fractional height z of oxygen off a relaxed supercell.

    z is the mean over all oxygen of its height above or below the mean height of its layer of metals.

    Parameters
    ----------
    built : Structure
        What :func:`supercell` gives, its metals ordered, some Li taken out.
    relaxed : Structure
        The same atoms in the same order, in a cell that is hexagonal too.
    repeats : int
        As :func:`supercell` was given.
    """
    heights, now = built.frac_coords[:, 2], relaxed.frac_coords[:, 2]
    oxygen = np.array([site.specie.symbol == "O" for site in built])
    layer = np.rint(heights * 3).astype(int) % 3
    metal = ~oxygen & (np.abs(heights * 3 - np.rint(heights * 3)) < 0.1)
    # As a displacement, so that an atom at the edge of the cell does not count on the other side.
    moved = now - heights - np.rint(now - heights)
    planes = np.array([moved[metal & (layer == number)].mean() for number in range(3)])
    offset = heights - np.rint(heights * 3) / 3
    apart = np.abs(offset + moved - planes[layer])[oxygen].mean()
    return (
        round_off(relaxed.lattice.a / repeats, DIGITS),
        round_off(relaxed.lattice.c, DIGITS),
        round_off(1 / 3 - apart, DIGITS),
    )
