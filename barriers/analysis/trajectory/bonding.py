"""Molecules of a box: by its bonds, which distances tell where a topology does not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from barriers.analysis.trajectory.frames import Floats, Ints
from barriers.analysis.trajectory.kinds import CHARGES
from barriers.analysis.trajectory.shells import neighbours

STRETCH = 1.2
"""Atoms are bonded if they are nearer than their covalent radii times this: heat stretches bonds by a tenth."""


def bonds_by_distance(positions: Floats, cell: Floats, species: Sequence[str]) -> Ints:
    """Bonds of one frame; ions of metals have none, nor have two hydrogens.

    Parameters
    ----------
    positions : (N, 3)
        In Å.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    species : (N,)
        Symbols.

    Returns
    -------
    (B, 2)
        Numbers of atoms, the smaller first.
    """
    symbols = np.array(species)
    atoms = np.flatnonzero(~np.isin(symbols, list(CHARGES)))
    radii = covalent_radii[[atomic_numbers[symbol] for symbol in symbols[atoms]]]
    at = positions[atoms]
    first, last, apart = neighbours(at, at, cell, 2 * STRETCH * float(max(radii, default=0.0)))
    hydrogens = symbols[atoms] == "H"
    bonded = (first < last) & (apart < STRETCH * (radii[first] + radii[last])) & ~(hydrogens[first] & hydrogens[last])
    return np.unique(np.stack([atoms[first[bonded]], atoms[last[bonded]]], axis=1), axis=0)


def molecules_of(bonds: Ints, atoms: int) -> Ints:
    """Number of the molecule that each of so many atoms is in, from 0."""
    graph = coo_array((np.ones(len(bonds)), (bonds[:, 0], bonds[:, 1])), shape=(atoms, atoms))
    numbers: Ints = connected_components(graph, directed=False)[1]
    return numbers
