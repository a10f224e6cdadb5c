"""Coils: long chains in space, each with torsions of its own and no atom in another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from barriers.structures.polymer.chain import backbone

Floats = NDArray[np.floating]

ROTAMERS = (180.0, 60.0, -60.0)
"""Torsions about single bonds of the backbone (degrees)."""

JITTER = 15.0
"""They are off these by at most so much (degrees)."""

APART = 1.9
"""Least distance of atoms more than three bonds apart (Å); the force field moves them on."""

CLEANING = 100
"""Steps of the force field MMFF94 before the walk."""

BACK = 4
"""Bonds that a walk goes back where it has run into itself."""

TRIES = 100
"""Steps for each bond before a chain is given up."""


def embedded(drawn: Chem.Mol, seed: int) -> Chem.Mol:
    """Put a drawn chain in space by distance geometry, hydrogen atoms last; ``ValueError`` if it finds no place."""
    solid = Chem.AddHs(drawn)
    settings = rdDistGeom.EmbedParameters()
    settings.randomSeed = seed % (2**31 - 2) + 1  # type: ignore[assignment]
    # Long chains find no way from the eigenvectors of their distances.
    settings.useRandomCoords = True  # type: ignore[assignment]
    settings.maxIterations = 20  # type: ignore[assignment]
    if rdDistGeom.EmbedMolecule(solid, settings) != 0:
        raise ValueError(f"polymer: no conformer of {Chem.MolToSmiles(drawn)} was found; use fewer units")
    # Distance geometry leaves bent angles, in which no rotamer fits.
    rdForceFieldHelpers.MMFFOptimizeMolecule(solid, maxIters=CLEANING)
    return solid


def octahedron(drawn: Chem.Mol, length: float = 1.6) -> Chem.Mol:
    """Put a centre with six neighbours in space, at a length (Å): distance geometry takes it for a tetrahedron."""
    solid = Chem.AddHs(drawn)
    (centre,) = (atom for atom in solid.GetAtoms() if atom.GetDegree() == 6)
    positions = np.zeros((7, 3))
    for atom, arm in zip(centre.GetNeighbors(), [*np.eye(3), *-np.eye(3)], strict=True):
        positions[atom.GetIdx()] = length * arm
    conformer = Chem.Conformer(7)
    conformer.SetPositions(positions)
    solid.AddConformer(conformer)
    return solid


def coil(drawn: Chem.Mol, seed: int) -> Chem.Mol:
    """Put a drawn chain in space as a self-avoiding walk of trans and gauche bonds.

    Parameters
    ----------
    drawn : Mol
        With numbered backbone.
    seed : int
        Seed of its torsions.

    Raises
    ------
    ValueError
        If no such walk is found.
    """
    solid = embedded(drawn, seed)
    line = backbone(drawn)
    graph = Chem.GetDistanceMatrix(solid)
    owner = np.argmin(graph[:, line], axis=1)
    far = graph > 3
    turned = [
        k
        for k, (a, b) in enumerate(pairwise(line))
        if 0 < k < len(line) - 2 and _turns(solid.GetBondBetweenAtoms(a, b))
    ]
    generator = np.random.default_rng(seed)
    walk = [solid.GetConformer().GetPositions()]
    for _ in range(TRIES * len(turned)):
        if len(walk) > len(turned):
            break
        after = _step(walk[-1], line, turned[len(walk) - 1], owner, far, generator)
        walk = [*walk, after] if after is not None else walk[: max(1, len(walk) - BACK)]
    else:
        raise ValueError(f"polymer: no coil of {Chem.MolToSmiles(drawn)} was found; use fewer units")
    solid.GetConformer().SetPositions(walk[-1])
    return solid


def _turns(bond: Chem.Bond) -> bool:
    return bond.GetBondType() == Chem.BondType.SINGLE and not bond.IsInRing()


def _step(
    positions: Floats,
    line: list[int],
    k: int,
    owner: NDArray[np.integer],
    far: NDArray[np.bool_],
    generator: np.random.Generator,
) -> Floats | None:
    """Turn bond k of the backbone; None where the chain runs into itself whatever its torsion."""
    beyond = owner > k
    # What the next atom carries lies where the next turn, by thirds, will put it again.
    known = owner <= k + 2
    new, old = np.flatnonzero(known & beyond), np.flatnonzero(known)
    apart = far[np.ix_(new, old)]
    now = _torsion(positions[line[k - 1 : k + 3]])
    for rotamer in generator.permutation(ROTAMERS):
        turn = rotamer + generator.uniform(-JITTER, JITTER) - now
        moved = _turned(positions, beyond, (line[k], line[k + 1]), turn)
        distances = np.linalg.norm(moved[new][:, None] - moved[old][None], axis=2)
        if (distances[apart] > APART).all():
            return moved
    return None


def _torsion(four: Floats) -> float:
    """Torsion of four points (degrees)."""
    first, axis, last = np.diff(four, axis=0)
    axis = axis / np.linalg.norm(axis)
    before, after = np.cross(first, axis), np.cross(axis, last)
    return float(np.degrees(np.arctan2(np.dot(np.cross(before, after), axis), np.dot(before, after))))


def _turned(positions: Floats, beyond: NDArray[np.bool_], axis: tuple[int, int], angle: float) -> Floats:
    """Turn the atoms beyond a bond about it by an angle (degrees)."""
    from scipy.spatial.transform import Rotation

    start, end = positions[axis[0]], positions[axis[1]]
    rotation = Rotation.from_rotvec(np.radians(angle) * (end - start) / np.linalg.norm(end - start))
    moved = positions.copy()
    moved[beyond] = rotation.apply(positions[beyond] - start) + start
    return moved
