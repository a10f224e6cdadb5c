"""Frames of ASE as images: energy of one kind, true forces, and what may move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from barriers.parsing.found import Image
from barriers.structures.directions import directions_of

FREE, TOTAL = "free energy F", "total energy"


def kind_of(frames: Sequence[Atoms]) -> str:
    """Kind of energy that all frames have: F where all tell it, since ASE's plain energy may be E0."""
    known = all(frame.calc is not None and frame.calc.results.get("free_energy") is not None for frame in frames)
    return FREE if known else TOTAL


def frame_image(atoms: Atoms, file: str, kind: str) -> Image:
    """Make an image of a frame, with what its calculator kept.

    Raises
    ------
    ValueError
        If an atom is held along no lattice vectors.
    """
    image = Image(
        atoms.positions.copy(),
        files=[file],
        cell=atoms.cell.complete().array,
        species=atoms.get_chemical_symbols(),
        free=directions_of(atoms),
    )
    try:
        energy = float(atoms.get_potential_energy(force_consistent=kind == FREE))
        image.energy = energy if np.isfinite(energy) else None
    except (RuntimeError, PropertyNotImplementedError):
        return image
    try:
        forces = atoms.get_forces(apply_constraint=False)
        image.forces = forces if np.isfinite(forces).all() else None
    except (RuntimeError, PropertyNotImplementedError):
        pass
    moments = atoms.calc.results.get("magmoms") if atoms.calc is not None else None
    image.moments = None if moments is None else np.asarray(moments, dtype=float).tolist()
    return image
