"""Boxes as OpenMM has them: a ``System`` and a PDB file, from the parameters of each kind of molecule."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from barriers.structures.matrix.box import MoleculeDoc
from barriers.structures.matrix.parameters import CUTOFF, EWALD, SWITCH, Parameters

Floats = NDArray[np.floating]

CHAIN_OF = {"chain": "A", "cation": "B", "anion": "C"}
"""Chain of the PDB file by role."""


def system_of(molecules: Sequence[MoleculeDoc], kinds: Mapping[str, Parameters], edge: float) -> Any:
    """Put an OpenMM ``System`` together.

    Charges between molecules are scaled; a molecule's own 1-4 terms are those of the charges that are not.

    Parameters
    ----------
    molecules : sequence of MoleculeDoc
        In the order of their atoms.
    kinds : Mapping[str, Parameters]
        By name.
    edge : float
        Of the cube (Å).
    """
    import openmm

    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*(edge / 10 * np.eye(3)))
    bonds, angles = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce()
    torsions, nonbonded = openmm.PeriodicTorsionForce(), openmm.NonbondedForce()
    nonbonded.setNonbondedMethod(openmm.NonbondedForce.PME)
    nonbonded.setCutoffDistance(CUTOFF / 10)
    nonbonded.setUseSwitchingFunction(True)
    nonbonded.setSwitchingDistance(SWITCH / 10)
    nonbonded.setUseDispersionCorrection(True)
    nonbonded.setEwaldErrorTolerance(EWALD)
    for force in (bonds, angles, torsions, nonbonded):
        force.setName(type(force).__name__)
        system.addForce(force)
    for molecule in molecules:
        kind, first = kinds[molecule.kind], molecule.first
        for mass, charge, (sigma, epsilon) in zip(kind.masses, kind.scaled, kind.lennard_jones, strict=True):
            system.addParticle(mass)
            nonbonded.addParticle(charge, sigma, epsilon)
        for i, j, length in kind.constrained:
            system.addConstraint(first + i, first + j, length)
        held = {(i, j) for i, j, _ in kind.constrained}
        for i, j, length, k in kind.bonds:
            if (i, j) not in held:
                bonds.addBond(first + i, first + j, length, k)
        for i, j, k, *terms in kind.angles:
            angles.addAngle(first + i, first + j, first + k, *terms)
        for i, j, k, l, *terms in kind.torsions:  # noqa: E741
            torsions.addTorsion(first + i, first + j, first + k, first + l, *terms)
        for i, j, product, sigma, epsilon in kind.pairs:
            nonbonded.addException(first + i, first + j, product, sigma, epsilon)
        for i, j in kind.excluded:
            nonbonded.addException(first + i, first + j, 0.0, 0.1, 0.0)
    return system


def system_xml(system: Any) -> str:
    """Serialise a ``System``."""
    import openmm

    return str(openmm.XmlSerializer.serialize(system))


def pdb_text(molecules: Sequence[MoleculeDoc], kinds: Mapping[str, Parameters], positions: Floats, edge: float) -> str:
    """Write cell, atoms, and bonds: one residue a molecule, one chain a role.

    Parameters
    ----------
    positions : (N, 3)
        In Å.
    """
    from openmm import Vec3, app, unit

    topology = app.Topology()
    chains: dict[str, Any] = {}
    for molecule in molecules:
        kind = kinds[molecule.kind]
        if molecule.role not in chains:
            chains[molecule.role] = topology.addChain(CHAIN_OF[molecule.role])
        residue = topology.addResidue(residue_name(molecule, kind), chains[molecule.role])
        atoms = [
            topology.addAtom(f"{symbol}{number}"[:4], app.Element.getBySymbol(symbol), residue)
            for number, symbol in enumerate(kind.species, 1)
        ]
        for i, j, *_ in kind.bonds:
            topology.addBond(atoms[i], atoms[j])
    topology.setUnitCellDimensions(Vec3(edge, edge, edge) * unit.angstrom)
    text = io.StringIO()
    app.PDBFile.writeFile(topology, positions * unit.angstrom, text)
    # Without its first line, which has the day's date.
    return text.getvalue().partition("\n")[2]


def residue_name(molecule: MoleculeDoc, kind: Parameters) -> str:
    """Three letters for a molecule: POL, the element of an ion, ANI."""
    if molecule.role == "chain":
        return "POL"
    return kind.species[0].upper() if len(kind.species) == 1 else "ANI"
