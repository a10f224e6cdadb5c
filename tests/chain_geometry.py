"""What a fragment is like, measured from its positions alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from pymatgen.core import Molecule
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds, rdForceFieldHelpers
from scipy.sparse.csgraph import shortest_path

from barriers.structures.bonding import bonds
from barriers.structures.polymer.fragment import Fragment

E_ANGSTROM = 4.80320
"""Debye in one elementary charge times Å."""


def symbols(molecule: Molecule) -> list[str]:
    return [site.specie.symbol for site in molecule]


def neighbours(molecule: Molecule, atom: int, symbol: str | None = None) -> list[int]:
    found = [int(i) for i in np.flatnonzero(bonds(molecule)[atom])]
    return [i for i in found if symbol is None or molecule[i].specie.symbol == symbol]


def backbone(molecule: Molecule) -> list[int]:
    """Carbons of the longest chain, nitriles and esters apart, from the end that carries no fluorine and no nitrile."""
    side = {i for i, s in enumerate(symbols(molecule)) if s != "C"}
    side |= {i for i in range(len(molecule)) for other in "NO" if neighbours(molecule, i, other)}
    atoms = [i for i in range(len(molecule)) if i not in side]
    steps = shortest_path(bonds(molecule)[np.ix_(atoms, atoms)], unweighted=True)
    start, end = np.unravel_index(steps.argmax(), steps.shape)
    path = [atoms[place] for place in steps[start].argsort() if steps[start, place] + steps[place, end] == steps.max()]
    nitriles = [i for i in neighbours(molecule, path[0], "C") if neighbours(molecule, i, "N")]
    return path[::-1] if neighbours(molecule, path[0], "F") or nitriles else path


def torsions(molecule: Molecule) -> list[float]:
    """Along the backbone, in degrees."""
    path = backbone(molecule)
    return [molecule.get_dihedral(*path[i : i + 4]) for i in range(len(path) - 3)]


def double_bonds(molecule: Molecule) -> list[int]:
    """Numbers of the short bonds of the backbone from the head."""
    path = backbone(molecule)
    return [number for number, (a, b) in enumerate(pairwise(path), 1) if molecule.get_distance(a, b) < 1.42]


def cip_label(molecule: Molecule, first: int, second: int) -> str:
    """E or Z of a double bond between carbons that carry F, C or H, by the heavier neighbour on each side."""
    a, b = (
        max((i for i in neighbours(molecule, atom) if i != other), key=lambda i: molecule[i].specie.Z)
        for atom, other in ((first, second), (second, first))
    )
    return "E" if abs(molecule.get_dihedral(a, first, second, b)) > 90 else "Z"


def handedness(molecule: Molecule) -> list[int]:
    """Side of the nitrile or ester at each stereocentre inside the backbone, walking along it."""
    path, places, sides = backbone(molecule), molecule.cart_coords, []
    for before, atom, after in zip(path, path[1:], path[2:], strict=False):
        methyls = [i for i in neighbours(molecule, atom, "C") if len(neighbours(molecule, i, "H")) == 3]
        for group in neighbours(molecule, atom, "C"):
            if len(methyls) < 2 and any(neighbours(molecule, group, other) for other in "NO"):
                arms = places[[before, after, group]] - places[atom]
                sides.append(int(np.sign(np.linalg.det(arms))))
    return sides


def assert_sound(fragment: Fragment) -> None:
    """Each atom has its valence, the chain is whole, and atoms that share no bond keep apart."""
    molecule, drawn = fragment.molecule, Chem.AddHs(Chem.MolFromSmiles(fragment.smiles))
    bonded = bonds(molecule)
    degrees = sorted((site.specie.symbol, int(n)) for site, n in zip(molecule, bonded.sum(axis=0), strict=True))
    assert degrees == sorted((atom.GetSymbol(), atom.GetDegree()) for atom in drawn.GetAtoms())
    steps = shortest_path(bonded, unweighted=True)
    assert np.isfinite(steps).all()
    radii = np.array([Chem.GetPeriodicTable().GetRcovalent(symbol) for symbol in symbols(molecule)])
    pairs = np.triu_indices(len(molecule), 1)
    assert (molecule.distance_matrix[pairs] > 0.7 * np.add.outer(radii, radii)[pairs]).all()
    assert molecule.distance_matrix[steps > 1].min() > 1.5
    assert molecule.distance_matrix[steps > 2].min() > 1.8


def perceived(molecule: Molecule) -> Chem.Mol:
    """The molecule with bonds read off its positions."""
    mol = Chem.MolFromXYZBlock(molecule.to(fmt="xyz"))
    rdDetermineBonds.DetermineBonds(mol)
    return mol


def mmff_energy(molecule: Molecule) -> float:
    """In kcal/mol."""
    mol = perceived(molecule)
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
    return float(rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties).CalcEnergy())


def dipole(molecule: Molecule) -> float:
    """Length of the dipole moment of the MMFF94 partial charges (Debye)."""
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(perceived(molecule))
    charges = np.array([properties.GetMMFFPartialCharge(i) for i in range(len(molecule))])
    return float(np.linalg.norm(charges @ molecule.cart_coords) * E_ANGSTROM)
