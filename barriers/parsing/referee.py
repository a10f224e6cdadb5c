"""The referee: all checks of a band, and the document that they let pass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.documents import BandDoc, CheckDoc, CostDoc, ReadDoc
from barriers.parsing.checks import general_checks
from barriers.parsing.consistency import band_checks
from barriers.parsing.found import Check, FoundBand
from barriers.structures.path.mapping import unwrap


def judge(found: FoundBand, fmax: float | None = None) -> list[Check]:
    """Make all checks of a band.

    Parameters
    ----------
    found : FoundBand
        The band; its reader's own checks come first.
    fmax : float or None
        Largest force across the path (eV/Å) that is accepted, whatever the code says of convergence. None: what the
        code calls converged is, anything else up to 0.1 eV/Å.
    """
    checks = [*found.checks, *general_checks(found)]
    if found.structure is None or any(check.name == "atoms" and check.verdict == "wrong" for check in checks):
        return checks
    checks += band_checks(found, unwrapped(found, found.structure), fmax)
    return _accepted(checks, fmax)


def _accepted(checks: list[Check], fmax: float | None) -> list[Check]:
    """Let a band pass whose force is below what was asked for, though its code had not finished."""
    met = any(check.name == "force across the path" and check.verdict == "ok" for check in checks)
    if fmax is None or not met:
        return checks
    return [
        check._replace(verdict="doubtful", says=f"{check.says}; the force across the path is below --fmax {fmax:g}")
        if check.name == "relaxed" and check.verdict == "wrong"
        else check
        for check in checks
    ]


def unwrapped(found: FoundBand, structure: Structure) -> list[NDArray[np.float64]]:
    """Positions of all images (Å), each atom in the periodic copy nearest to where the image before has it."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    rows = [found.images[0].positions]
    for image in found.images[1:]:
        atoms.set_positions(rows[-1], apply_constraint=False)
        rows.append(unwrap(image.positions, atoms))
    return rows


def band_document(found: FoundBand, checks: list[Check]) -> BandDoc:
    """Make the document of a band: converged if nothing is wrong with it."""
    assert found.structure is not None
    reasons = [*found.reasons, *(check.says for check in checks if check.verdict == "wrong" and check.says)]
    positions = [image.positions for image in found.images] if reasons else unwrapped(found, found.structure)
    moments = [image.moments for image in found.images if image.moments is not None]
    return BandDoc(
        start=f"read from {found.folder}",
        structure=found.structure,
        positions=[rows.tolist() for rows in positions],
        energies=[image.energy for image in found.images],
        forces=[[] if image.forces is None else image.forces.tolist() for image in found.images],
        moments=moments if len(moments) == len(found.images) else None,
        converged=not reasons,
        reason="; ".join(reasons) or None,
        warnings=[*(check.says for check in checks if check.verdict == "doubtful"), *found.warnings],
        cost=CostDoc(),
        engine=found.engine,
        read=read_document(found, checks),
    )


def read_document(found: FoundBand, checks: list[Check]) -> ReadDoc:
    """Say what was read from which files, and what the referee saw."""
    return ReadDoc(
        name=found.name,
        files=[image.files for image in found.images],
        energy=found.energy_kind,
        checks=[CheckDoc(**check._asdict()) for check in checks],
    )
