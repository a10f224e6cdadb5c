"""Conformers: a drawn chain in space, embedded, searched for the lowest force-field energy, or of given torsions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdMolTransforms

from barriers.structures.polymer.chain import PLACE, backbone
from barriers.structures.rounding import rounded

Conformer = Literal["embedded", "lowest", "alpha", "beta", "gamma"]

ALL_TRANS = (180.0,)
"""Torsions of the conformer beta."""

MAX_STEPS = 5000
"""Steps of the force field's optimisation, ample for a chain of twelve units."""

LOWEST_OF = 30
"""Embeddings that the lowest conformer is taken from."""

STIFFNESS = 100.0
"""Force constant that holds a torsion (kcal/mol per square degree)."""

SLACK = 1.0
"""A held torsion moves freely within this of its value (degrees)."""

STRAY = 10.0
"""A conformer is lost once a torsion is further than this from its value (degrees)."""


def embed(capped: Chem.Mol, seed: int) -> Chem.Mol:
    """Embed one conformer (ETKDGv3) and optimise it (MMFF94).

    Raises
    ------
    ValueError
        If no conformer is found, or the force field has no parameters for the molecule.
    """
    solid = _embedded(capped, seed, 1)
    if rdForceFieldHelpers.MMFFOptimizeMolecule(solid, maxIters=MAX_STEPS) != 0:
        raise ValueError(f"conformer: the force field finds no rest for {_drawn(capped)} with seed {seed}")
    return solid


def embed_lowest(capped: Chem.Mol, seed: int) -> Chem.Mol:
    """Take the conformer of lowest MMFF94 energy of :data:`LOWEST_OF` embeddings; errors are those of :func:`embed`."""
    solid = _embedded(capped, seed, LOWEST_OF)
    outcomes = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(solid, maxIters=MAX_STEPS)
    energies = [np.inf if unfinished else energy for unfinished, energy in outcomes]
    if np.isinf(energies).all():
        raise ValueError(f"conformer: the force field finds no rest for {_drawn(capped)} with seed {seed}")
    lowest = list(solid.GetConformers())[int(np.argmin(rounded(energies, 3)))]
    return Chem.Mol(solid, confId=lowest.GetId())


def embed_with_torsions(capped: Chem.Mol, name: str, pattern: Sequence[float], seed: int) -> Chem.Mol:
    """Give the backbone its torsions and optimise the rest (MMFF94) with these held.

    Parameters
    ----------
    capped : Mol
        With numbered backbone.
    name : str
        The conformer, for errors.
    pattern : Sequence[float]
        Torsions (degrees) about the backbone's bonds from bond 2 on; they start anew after the last.
    seed : int
        Seed of the embedding that everything else starts from.

    Raises
    ------
    ValueError
        If the chain is too short to show the pattern, or a ring or double bond does not allow it, or it does not
        survive; also the errors of :func:`embed`.
    """
    solid = _embedded(capped, seed, 1)
    torsions = list(_torsions(solid, pattern))
    if {angle for _, angle in torsions} != set(pattern):
        atoms = len(backbone(solid))
        raise ValueError(f"conformer: {name!r} does not show in a backbone of {atoms} atoms; use more units")
    held = [(four, angle) for four, angle in torsions if _is_set(solid, four[1], four[2], name, angle)]
    for (a, b, c, d), angle in held:
        rdMolTransforms.SetDihedralDeg(solid.GetConformer(), a, b, c, d, angle)
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(solid, rdForceFieldHelpers.MMFFGetMoleculeProperties(solid))
    field.Initialize()
    for four, angle in held:
        field.MMFFAddTorsionConstraint(*four, False, angle - SLACK, angle + SLACK, STIFFNESS)
    unfinished = field.Minimize(maxIts=MAX_STEPS)
    strays = [(rdMolTransforms.GetDihedralDeg(solid.GetConformer(), *four) - angle) % 360 for four, angle in held]
    if unfinished or any(min(stray, 360 - stray) > STRAY for stray in strays):
        raise ValueError(f"conformer: {name!r} does not survive in {_drawn(capped)}")
    return solid


def _torsions(solid: Chem.Mol, pattern: Sequence[float]) -> Iterator[tuple[list[int], float]]:
    """Give the atoms and angles of the backbone's torsions.

    Caps are included, so that they lie where the chain would go on: CHF2 would turn its dipole away otherwise.
    """
    chain = backbone(solid)
    if solid.GetAtomWithIdx(chain[0]).GetIntProp(PLACE) > 0:
        first, last = (
            next(atom.GetIdx() for atom in solid.GetAtomWithIdx(end).GetNeighbors() if atom.GetAtomicNum() == 1)
            for end in (chain[0], chain[-1])
        )
        chain = [first, *chain, last]
    for number in range(len(chain) - 3):
        yield chain[number : number + 4], pattern[(number - 1) % len(pattern)]


def _is_set(solid: Chem.Mol, first: int, second: int, name: str, angle: float) -> bool:
    """Say whether the torsion about a bond is to be set; a double bond has its own already or refuses it."""
    bond = solid.GetBondBetweenAtoms(first, second)
    if bond.IsInRing():
        raise ValueError(f"conformer: {name!r} turns every bond of the backbone, and this one has a ring in it")
    if bond.GetBondType() == Chem.BondType.SINGLE:
        return True
    is_cis = bond.GetStereo() == Chem.BondStereo.STEREOCIS
    if is_cis or angle not in ALL_TRANS:
        found = f"{angle:.0f}° where the chain has a {'cis ' if is_cis else ''}C=C"
        raise ValueError(f"conformer: {name!r} has {found}; allowed: a trans C=C at 180°")
    return False


def _embedded(capped: Chem.Mol, seed: int, count: int) -> Chem.Mol:
    solid = Chem.AddHs(capped)
    if not rdForceFieldHelpers.MMFFHasAllMoleculeParams(solid):
        raise ValueError(f"polymer: the force field MMFF94 has no parameters for {_drawn(capped)}")
    settings = rdDistGeom.ETKDGv3()
    # RDKit gives seeds 0 and 1 the same conformer.
    settings.randomSeed = seed + 1  # type: ignore[assignment]
    # The terms that keep triple bonds straight fail once a chain has many; the force field straightens them.
    settings.useBasicKnowledge = not solid.HasSubstructMatch(Chem.MolFromSmarts("*#*"))  # type: ignore[assignment]
    if len(rdDistGeom.EmbedMultipleConfs(solid, count, settings)) == 0:
        raise ValueError(f"conformer: no conformer of {_drawn(capped)} was found with seed {seed}")
    return solid


def _drawn(capped: Chem.Mol) -> str:
    return str(Chem.MolToSmiles(capped))
