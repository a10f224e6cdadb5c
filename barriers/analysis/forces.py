"""The largest force on an atom, and what a nudged elastic band feels, from what each image is and feels alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.mep.neb import NEB
from numpy.typing import ArrayLike

from barriers.analysis.band import PERIODIC


def largest_force(forces: np.ndarray) -> float:
    """Largest force on one atom (eV/Å); ``forces`` has any shape of 3N numbers."""
    return float(np.linalg.norm(forces.reshape(-1, 3), axis=1).max())


def largest_band_force(
    positions: Sequence[ArrayLike],
    cell: ArrayLike,
    energies: Sequence[float],
    forces: Sequence[ArrayLike],
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
    spring: float = 0.0,
    climb: bool = False,
) -> float:
    """Largest force on an atom of an intermediate image, along the improved tangent that of the springs alone.

    Parameters
    ----------
    positions, cell, energies, forces, pbc, frozen
        As in :func:`barriers.analysis.profile.analyse`.
    spring : float
        Spring constant (eV/Å²); 0 gives the force perpendicular to the path.
    climb : bool
        Whether the highest image climbs.

    Returns
    -------
    float
        In eV/Å.
    """
    images = []
    for places, energy, force in zip(np.asarray(positions, dtype=float), energies, forces, strict=True):
        atoms = Atoms(f"H{len(places)}", places, cell=cell, pbc=pbc, constraint=FixAtoms(list(frozen)))
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.asarray(force, dtype=float))
        images.append(atoms)
    band = NEB(images, k=spring, climb=climb, method="improvedtangent")
    return float(np.linalg.norm(band.get_forces(), axis=1).max())
