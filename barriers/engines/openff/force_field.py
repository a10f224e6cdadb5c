"""Parameters of molecules: OpenFF Sage, with the charges of NAGL."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from rdkit import Chem

from barriers.structures.matrix.parameters import Parameters

FORCE_FIELD = "openff_unconstrained-2.3.0.offxml"
"""Sage; bonds to hydrogen are constrained when the box is put together."""

CHARGES = "openff-gnn-am1bcc-1.0.0.pt"
"""NAGL's model of AM1-BCC charges, which Sage 2.3 is fitted with."""


@cache
def _sage() -> Any:
    from openff.toolkit import ForceField

    return ForceField(FORCE_FIELD)


@cache
def _nagl() -> Any:
    from openff.nagl import GNNModel
    from openff.nagl_models import get_model

    return GNNModel.load(get_model(CHARGES), eval_mode=True)


def parameterise(
    solid: Chem.Mol,
    scale: float = 1.0,
    charges: Mapping[str, float] | None = None,
    right_angles: float | None = None,
) -> Parameters:
    """Give a molecule its parameters.

    Parameters
    ----------
    solid : Mol
        With hydrogen atoms, in space.
    scale : float
        Factor on its charges between molecules.
    charges : Mapping[str, float] or None
        By element (e); the charge model's if left out.
    right_angles : float or None
        Force constant (kJ/mol/rad²) of angles of 90° and 180°, as they are in space, in place of the force field's.

    Raises
    ------
    ValueError
        One line, if force field or charge model do not have it.
    """
    import openmm
    from openff.toolkit import Molecule, Quantity

    # The toolkit takes double bonds as E or Z alone.
    solid = Chem.Mol(solid)
    Chem.AssignStereochemistryFrom3D(solid)
    with warnings.catch_warnings(action="ignore"):
        molecule = Molecule.from_rdkit(solid, allow_undefined_stereo=True, hydrogens_are_explicit=True)
        values = _charges(molecule, charges)
        molecule.partial_charges = Quantity(np.array(values), "elementary_charge")
        try:
            made = _sage().create_interchange(molecule.to_topology(), charge_from_molecules=[molecule])
            system = made.to_openmm(combine_nonbonded_forces=True)
        except Exception as error:  # the toolkit raises classes of its own
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ValueError(
                f"matrix: {FORCE_FIELD} has no parameters for {Chem.MolToSmiles(solid)}: {reason}"
            ) from None
    forces = {type(force): force for force in system.getForces()}
    angles = _rows(forces.get(openmm.HarmonicAngleForce), "getNumAngles", "getAngleParameters")
    if right_angles is not None:
        angles = [(i, j, k, _right_angle(solid, i, j, k), right_angles) for i, j, k, *_ in angles]
    bonds = _rows(forces.get(openmm.HarmonicBondForce), "getNumBonds", "getBondParameters")
    torsions = _rows(forces.get(openmm.PeriodicTorsionForce), "getNumTorsions", "getTorsionParameters")
    nonbonded = forces[openmm.NonbondedForce]
    exceptions = _rows(nonbonded, "getNumExceptions", "getExceptionParameters")
    atoms = _rows(nonbonded, "getNumParticles", "getParticleParameters")
    pairs = [row for row in exceptions if row[2] != 0 or row[4] != 0]
    if scale != 1:
        pairs += _beyond(solid, values, atoms)
    return Parameters(
        species=tuple(atom.GetSymbol() for atom in solid.GetAtoms()),
        masses=tuple(system.getParticleMass(i)._value for i in range(len(atoms))),
        charges=tuple(values),
        scale=scale,
        lennard_jones=tuple((sigma, epsilon) for _, sigma, epsilon in atoms),
        bonds=tuple(bonds),
        angles=tuple(angles),
        torsions=tuple(torsions),
        pairs=tuple(pairs),
        excluded=tuple(row[:2] for row in exceptions if row[2] == 0 and row[4] == 0),
    )


def _beyond(
    solid: Chem.Mol, charges: Sequence[float], atoms: Sequence[tuple[float, float, float]]
) -> list[tuple[int, int, float, float, float]]:
    """Terms between atoms more than three bonds apart, with full charges: scaled ones would bend and shorten FSI-."""
    graph = Chem.GetDistanceMatrix(solid)
    return [
        (i, j, charges[i] * charges[j], (atoms[i][1] + atoms[j][1]) / 2, float(np.sqrt(atoms[i][2] * atoms[j][2])))
        for i, j in combinations(range(len(atoms)), 2)
        if graph[i, j] > 3
    ]


def _charges(molecule: Any, given: Mapping[str, float] | None) -> list[float]:
    """Partial charges (e) that add up to the molecule's charge to the last digit kept."""
    total = float(molecule.total_charge.m)
    if molecule.n_atoms == 1:
        return [total]
    if given is not None:
        return [given[atom.symbol] for atom in molecule.atoms]
    values = _nagl().compute_property(molecule, readout_name="am1bcc_charges", check_domains=True).astype(float)
    values += (total - values.sum()) / len(values)
    kept = np.round(values, 6)
    kept[np.argmax(abs(kept))] += round(total - kept.sum(), 6)
    return [round(float(value), 6) for value in kept]


def _rows(force: Any, count: str, one: str) -> list[Any]:
    """Parameters of a force term by term, without units (OpenMM's own are nm, kJ/mol and rad)."""
    if force is None:
        return []
    rows: list[Sequence[Any]] = [getattr(force, one)(number) for number in range(getattr(force, count)())]
    return [tuple(getattr(value, "_value", value) for value in row) for row in rows]


def _right_angle(solid: Chem.Mol, i: int, j: int, k: int) -> float:
    """Whichever of 90° and 180° an angle is nearer to (rad)."""
    points = solid.GetConformer().GetPositions()
    first, last = points[i] - points[j], points[k] - points[j]
    cosine = float(first @ last / np.linalg.norm(first) / np.linalg.norm(last))
    return np.pi if cosine < -0.5 else np.pi / 2
