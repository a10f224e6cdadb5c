"""Small displacements that break the symmetry of a structure before it is relaxed."""

from __future__ import annotations

import numpy as np
from ase import Atoms

RATTLE = 0.03
"""Root mean square displacement (Å): less than vibrations at room temperature."""

WAVES, SHORTEST = 24, 7
"""Waves that are summed; each has up to so many crests along a lattice vector."""


def rattled(atoms: Atoms) -> Atoms:
    """Displace all free atoms by a field that is random in space, and the same in every structure of one cell.

    A sum of plane waves with fixed, random directions and phases. What an atom gets depends on its place alone: not on
    its number, nor on the periodic image it is written in. Both ends of a hop, and a slab with and without a fragment,
    are pushed alike, so that they distort alike where several distortions are equally low.

    Parameters
    ----------
    atoms : Atoms
        Structure; constraints hold.

    Returns
    -------
    Atoms
        A copy.
    """
    rng = np.random.default_rng(0)
    waves = rng.integers(-SHORTEST, SHORTEST + 1, (WAVES, 3))
    phases, pushes = rng.uniform(0, 2 * np.pi, WAVES), rng.normal(size=(WAVES, 3))
    field = np.cos(2 * np.pi * atoms.get_scaled_positions(wrap=False) @ waves.T + phases) @ pushes
    moved: Atoms = atoms.copy()
    # The mean of cos² is a half, of a normal number's square 1.
    moved.set_positions(atoms.positions + RATTLE * np.sqrt(2 / (3 * WAVES)) * field)
    return moved
