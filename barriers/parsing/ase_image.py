"""Frames of ASE as images: energy of one kind, true forces, and what may move."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from barriers.parsing.found import KINDS, Check, Image
from barriers.structures.directions import directions_of

FREE, TOTAL = "free energy F", "total energy"

SAME_KIND = 1e-4
"""Energies of two kinds (eV) that are so near to each other may be mixed."""


def kind_of(frames: Sequence[Atoms]) -> str:
    """Kind of energy that all frames have: F where all tell it, since ASE's plain energy may be E0."""
    known = all(frame.calc is not None and frame.calc.results.get("free_energy") is not None for frame in frames)
    return FREE if known else TOTAL


def kinds_check(frames: Sequence[Atoms]) -> list[Check]:
    """Say where some frames tell that their plain energy is not F, and others may have F there."""
    told = [frame.calc.results if frame.calc is not None else {} for frame in frames]
    apart = [
        None if each.get("free_energy") is None or each.get("energy") is None else each["energy"] - each["free_energy"]
        for each in told
    ]
    if None not in apart or not any(each is not None and abs(each) > SAME_KIND for each in apart):
        return []
    silent = ", ".join(str(number) for number, each in enumerate(apart) if each is None)
    seen = ["unknown" if each is None else f"{each:+.4f} eV above F" for each in apart]
    says = (
        f"energies of images {silent} do not say whether they are free energies F, from which the others' "
        f"differ by up to {max(abs(each) for each in apart if each is not None):.4f} eV"
    )
    return [Check(KINDS, "doubtful", seen, says)]


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
    name = getattr(atoms.calc, "name", None)
    if name not in {None, "unknown"}:
        image.settings["calculator"] = str(name)
    moments = atoms.calc.results.get("magmoms") if atoms.calc is not None else None
    image.moments = None if moments is None else np.asarray(moments, dtype=float).tolist()
    return image
