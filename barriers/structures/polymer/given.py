"""Molecules of a user's own as fragments: from SMILES, or from positions."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from pymatgen.core import IMolecule, Molecule
from rdkit import Chem
from rdkit.rdBase import BlockLogs
from scipy.sparse.csgraph import connected_components

from barriers.structures.bonding import bonds
from barriers.structures.polymer.conformer import Conformer, embed, embed_lowest
from barriers.structures.polymer.fragment import Fragment, checked_fragment
from barriers.structures.rounding import GRID, rounded

DOUBLE = 1.40
"""Two carbons with three neighbours each, nearer to each other than this (Å), share a C=C."""

NEUTRAL = "allowed: a neutral molecule without unpaired electrons, an anion with its lithium (LiFSI, as a file)"


def fragment_of_smiles(smiles: str, seed: int = 0, conformer: Conformer = "embedded") -> Fragment:
    """Build a molecule from its SMILES, with hydrogen atoms, in space as an oligomer is.

    Parameters
    ----------
    smiles : str
        One neutral molecule, ``O=C1OCCO1`` for ethylene carbonate.
    seed : int
        Seed of the conformer.
    conformer : {"embedded", "lowest"}
        One embedding, or the lowest in MMFF94 of several.

    Raises
    ------
    ValueError
        One line, if it is no such SMILES, or the force field knows no such molecule.
    """
    with BlockLogs():
        drawn = Chem.MolFromSmiles(smiles)
    if drawn is None or not drawn.GetNumAtoms() or "*" in smiles:
        raise ValueError(f"{smiles!r} is no SMILES of a molecule; allowed: such as O=C1OCCO1")
    if "." in smiles:
        raise ValueError(f"{smiles!r} is more than one molecule; allowed: one, or a salt as a file with positions")
    charge = Chem.GetFormalCharge(drawn)
    if charge or any(atom.GetNumRadicalElectrons() for atom in drawn.GetAtoms()):
        what = f"has the charge {charge:+d}" if charge else "has unpaired electrons"
        raise ValueError(f"{smiles!r} {what}; {NEUTRAL}")
    try:
        solid = embed(drawn, seed) if conformer == "embedded" else embed_lowest(drawn, seed)
    except ValueError as error:
        said = str(error).partition(": ")[2]
        raise ValueError(f"{said}; allowed: another molecule, or a file with its positions") from None
    Chem.SanitizeMol(solid)  # the force field leaves its own aromatic bonds: rings of vinylene carbonate are none
    made = checked_fragment(smiles, drawn, solid)
    return replace(made, bonding_atoms=_double_bonds(made.molecule))


def fragment_of_molecule(molecule: Molecule, name: str = "") -> Fragment:
    """Take a molecule as it is for a fragment: its shape is kept, and what bonds is read off its distances.

    Raises
    ------
    ValueError
        One line, if it is in pieces, or has an odd number of electrons.
    """
    bonded = bonds(molecule)
    pieces = connected_components(bonded)[0]
    if pieces > 1:
        raise ValueError(f"its atoms are {pieces} pieces; allowed: one molecule, not cut by the edge of a cell")
    if int(sum(site.specie.Z for site in molecule)) % 2:
        raise ValueError(f"has an odd number of electrons: an ion or a radical; {NEUTRAL}")
    formula = molecule.composition.hill_formula.replace(" ", "")
    placed = Molecule(molecule.species, rounded(molecule.cart_coords, GRID))
    return Fragment(name or formula, placed, _double_bonds(placed), "", formula)


def _double_bonds(molecule: IMolecule) -> tuple[int, ...]:
    """Carbons of C=C, pair by pair, by their distances: RDKit takes those of a ring for aromatic."""
    bonded = bonds(molecule)
    planar = [atom for atom, site in enumerate(molecule) if site.specie.symbol == "C" and int(bonded[atom].sum()) == 3]
    pairs = [(first, second) for first, second in combinations(planar, 2) if bonded[first, second]]
    return tuple(atom for pair in pairs if molecule.get_distance(*pair) < DOUBLE for atom in pair)
