"""Boxes whose dynamics is known beforehand: free particles in a Langevin bath, and a molten salt."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from barriers.engines.openmm.documents import BoxDoc
from barriers.structures.matrix.box import Box, MatrixBox, MoleculeDoc

MASSES = {"Li": 6.94, "Cl": 35.45}


def box(species: list[str], apart: float, charged: bool) -> BoxDoc:
    """Atoms on a cubic grid, so far apart (nm): free, or ions of a salt."""
    import openmm as mm
    from openmm import app, unit

    count = round(len(species) ** (1 / 3))
    axis = np.arange(count) * apart
    places = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    vectors = np.eye(3) * count * apart
    topology, system, force = app.Topology(), mm.System(), mm.NonbondedForce()
    chain = topology.addChain()
    for symbol in species:
        topology.addAtom(symbol, app.Element.getBySymbol(symbol), topology.addResidue(symbol.upper(), chain))
        system.addParticle(MASSES[symbol])
        force.addParticle(charged * (1 if symbol == "Li" else -1), 0.18 if symbol == "Li" else 0.4, charged * 0.4)
    force.setNonbondedMethod(force.PME if charged else force.CutoffPeriodic)
    force.setCutoffDistance(0.6 if charged else 1.0)
    system.addForce(force)
    system.setDefaultPeriodicBoxVectors(*vectors)
    topology.setPeriodicBoxVectors(vectors * unit.nanometer)
    text = io.StringIO()
    app.PDBFile.writeFile(topology, 10 * places * unit.angstrom, text)
    roles = {"Li": "cation", "Cl": "anion"}
    document = MatrixBox(
        system="made-up", number=1, seed=0, polymer="none", units=0, chains=0, salt="LiCl", pairs=species.count("Cl"),
        charge_scale=1.0, force_field="none", charges="none", versions={}, edge=10 * count * apart, density=1.0,
        species=species,
        molecules=[
            MoleculeDoc(kind=symbol, role=roles[symbol], first=number, atoms=1) for number, symbol in enumerate(species)
        ],
    )  # fmt: skip
    return BoxDoc.of(Box(document, text.getvalue(), mm.XmlSerializer.serialize(system), "{}"))


def free(count: int = 512) -> BoxDoc:
    """Lithium atoms that feel nothing but the bath."""
    return box(["Li"] * count, 0.7, charged=False)


def salt(apart: float = 0.35) -> BoxDoc:
    """216 ions of molten LiCl."""
    places = np.indices((6, 6, 6)).sum(axis=0).ravel()
    return box(["Li" if place % 2 else "Cl" for place in places], apart, charged=True)


def written(document: BoxDoc, folder: Path) -> Path:
    """Write a box where the runner reads it."""
    from barriers.files.boxes import write_box

    write_box(document.box(), folder)
    return folder
