"""Ewald energies of many decorations of one crystal, from point charges alone.

The energy of point charges q in a neutral periodic cell is qᵀMq, where M depends on the positions only. M is worked
out once; each decoration then costs a product. These energies only rank cation orderings: they are no barrier, no
formation energy and never leave this package.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Structure

ANION = {"O": -2.0}

FIXED = {"Li": 1.0, "Mg": 2.0, "Al": 3.0, "Ti": 4.0, "Zr": 4.0}
"""Formal charges of ions that keep theirs."""

REDOX = {"Ni": 3.0, "Co": 3.0, "Fe": 3.0, "Cr": 3.0, "V": 3.0, "Mn": 4.0}
"""Formal charges from which a cell is made neutral: nickel gives or takes first, then the others in this order."""

REDOX_RANGE = (2.0, 4.0)
"""Formal charges that an ion in :data:`REDOX` may reach."""

TIE = 1e-6
"""Energies (eV) closer than this are equal: equivalent orderings differ by rounding alone."""


def formal_charges(counts: Mapping[str, float]) -> dict[str, float]:
    """Give every element the formal charge that makes the cell neutral.

    Starting from Li⁺, O²⁻, Mn⁴⁺, Co³⁺ and the like, nickel takes the charge that neutralises the cell. Where that
    would leave 2+ to 4+, it stops there and the next element of :data:`REDOX` takes the rest. The charge of an element
    is its mean, so it need not be whole: Ni2.875+ in NCM811.

    Parameters
    ----------
    counts : Mapping[str, float]
        Atoms of each element in the cell.

    Returns
    -------
    dict[str, float]
        Charge of each element (e).

    Raises
    ------
    ValueError
        If an element has no charge on file, or if no element can make the cell neutral.
    """
    known = ANION | FIXED | REDOX
    unknown = [element for element in counts if element not in known]
    if unknown:
        raise ValueError(f"formal charge of {unknown[0]!r} is not on file; allowed: {', '.join(known)}")
    charges = {element: known[element] for element in counts}
    for element in REDOX:
        excess = sum(charges[other] * number for other, number in counts.items())
        if counts.get(element):
            charges[element] = float(np.clip(charges[element] - excess / counts[element], *REDOX_RANGE))
    excess = sum(charges[element] * number for element, number in counts.items())
    if abs(excess) > 1e-6:
        cell = "".join(f"{element}{number:g}" for element, number in counts.items())
        raise ValueError(f"{cell} cannot be neutral with {', '.join(REDOX)} at 2+ to 4+: {excess:+.2f} e too many")
    return charges


def unit_matrix(structure: Structure) -> np.ndarray:
    """Work out the matrix M of the Ewald energy qᵀMq.

    Parameters
    ----------
    structure : Structure
        Positions; its species do not matter.

    Returns
    -------
    np.ndarray
        Shape (N, N), eV per e². Valid for charges that sum to zero.
    """
    charged = Structure(structure.lattice, ["H+"] * len(structure), structure.frac_coords)
    return EwaldSummation(charged).total_energy_matrix


def first_lowest(matrix: np.ndarray, fixed: np.ndarray, sites: np.ndarray, samples: np.ndarray) -> int:
    """Find the decoration with the lowest Ewald energy.

    Parameters
    ----------
    matrix : np.ndarray
        From :func:`unit_matrix`, shape (N, N).
    fixed : np.ndarray
        Charges of all atoms, shape (N,); zero on the decorated sites.
    sites : np.ndarray
        Indices of the decorated sites, shape (n,).
    samples : np.ndarray
        Charges on these sites in each decoration, shape (S, n).

    Returns
    -------
    int
        Number of the decoration; the first of those within :data:`TIE` of the lowest.
    """
    among = matrix[np.ix_(sites, sites)]
    with_rest = (matrix[sites] + matrix[:, sites].T) @ fixed
    energies = ((samples @ among) * samples).sum(axis=1) + samples @ with_rest
    return int(np.flatnonzero(energies <= energies.min() + TIE)[0])
