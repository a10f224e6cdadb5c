"""Fragments: capped oligomers of a polymer, before or after elimination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from pymatgen.core import Composition, Molecule
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from barriers.structures.bonding import bonds
from barriers.structures.data import load_data
from barriers.structures.polymer.chain import Caps, Stereo, Tacticity, cap, check_choice, join, parse_units
from barriers.structures.polymer.conformer import ALL_TRANS, Conformer, embed, embed_lowest, embed_with_torsions
from barriers.structures.polymer.elimination import Elimination, Positions, eliminated, known_eliminations
from barriers.structures.rounding import GRID, rounded

LEAST_APART = 1.5
"""Least distance between atoms that share no bond (Å); two hydrogens on one carbon are 1.75 Å apart."""


@dataclass(frozen=True)
class Polymer:
    """A polymer, on file or a user's own.

    Attributes
    ----------
    name : str
        For example ``PVDF``; of a user's own, ``poly(C2H4O)`` with the formula of its repeat units.
    units : tuple of Mol
        Repeat units, each with two open ends; they follow each other and start anew after the last.
    eliminations : Mapping[str, Elimination]
        By the formula of the molecule that leaves.
    conformers : Mapping[str, tuple[float, ...]]
        Torsions (degrees) of the backbone from the head, by the conformer's name; they start anew after the last.
    """

    name: str
    units: tuple[Chem.Mol, ...]
    eliminations: Mapping[str, Elimination]
    conformers: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Fragment:
    """A capped oligomer in three dimensions.

    Attributes
    ----------
    name : str
        ``PVDF``, ``PVDF-HF`` after one elimination, ``PVDF-3HF`` after three.
    molecule : Molecule
        Positions in Å; the order of the atoms is fixed.
    bonding_atoms : tuple[int, ...]
        The carbons of C=C, pair by pair, empty without any.
    smiles, formula : str
        Canonical SMILES and Hill formula.
    """

    name: str
    molecule: Molecule
    bonding_atoms: tuple[int, ...]
    smiles: str
    formula: str


@cache
def known_polymers() -> dict[str, Polymer]:
    """Polymers on file, by name."""
    steps = known_eliminations()
    return {
        name: Polymer(
            name,
            parse_units(entry["unit"]),
            {formula: steps[formula] for formula in entry["eliminations"]},
            {"beta": ALL_TRANS}
            | {key: tuple(map(float, angles)) for key, angles in entry.get("conformers", {}).items()},
        )
        for name, entry in load_data("polymers").items()
    }


def find_polymer(polymer: str) -> Polymer:
    """Find a polymer on file, or make a user's own from its repeat unit.

    Parameters
    ----------
    polymer : str
        Name on file, or SMILES of a repeat unit with an open bond ``[*]`` at head and tail; the units of a copolymer
        are parted by dots and follow each other in the chain. A user's own polymer has every elimination on file.

    Raises
    ------
    ValueError
        If the name is not on file, or the SMILES is no repeat unit.
    """
    if polymer in known_polymers():
        return known_polymers()[polymer]
    if "*" not in polymer:
        allowed = f"{', '.join(known_polymers())}, or a repeat unit as SMILES with two open ends [*]"
        raise ValueError(f"polymer: {polymer!r} is not on file; allowed: {allowed}")
    units = parse_units(polymer)
    elements = [atom.GetSymbol() for unit in units for atom in Chem.AddHs(unit).GetAtoms() if atom.GetAtomicNum() > 0]
    name = f"poly({Composition(Counter(elements)).hill_formula.replace(' ', '')})"
    return Polymer(name, units, known_eliminations(), {"beta": ALL_TRANS})


def build_fragment(
    polymer: str,
    units: int,
    eliminate: str | None = None,
    seed: int = 0,
    *,
    caps: Caps = "H",
    positions: Positions = None,
    stereo: Stereo = "trans",
    conformer: Conformer = "embedded",
    tacticity: Tacticity = "isotactic",
) -> Fragment:
    """Build a capped oligomer, drawn by its repeat units, before or after elimination, and its conformer.

    Parameters
    ----------
    polymer : str
        Name on file, or a repeat unit, see :func:`find_polymer`.
    units : int
        Repeat units.
    eliminate : str or None
        Formula of the molecule eliminated, none for the intact chain.
    seed : int
        Seed of the conformer and of the atactic chain.
    caps : str
        What closes the ends.
    positions : None, "all" or sequence of int
        Bonds of the backbone that the elimination takes place at, see
        :func:`barriers.structures.polymer.elimination.eliminated`; none for the possible one nearest the middle.
    stereo : str
        Double bonds of the backbone: the chain ``trans`` or ``cis``, or the CIP label ``E`` or ``Z``. In PVDF the
        trans chain is Z, as fluorine goes before the chain.
    conformer : str
        ``embedded``: one embedding (ETKDGv3), then MMFF94. ``lowest``: the lowest in MMFF94 of several. ``alpha``,
        ``beta``, ``gamma``: backbone torsions on file for the polymer, held; beta, all-trans, is there for all.
    tacticity : str
        Stereocentres of the backbone from unit to unit.

    Raises
    ------
    ValueError
        If a name is not known, ``units`` is below one, the polymer does not allow what is asked, or the outcome is
        no sound molecule.
    """
    found = find_polymer(polymer)
    _check_asked(found, units, eliminate, positions, conformer)
    for field, value, choices in (
        ("caps", caps, Caps),
        ("stereo", stereo, Stereo),
        ("tacticity", tacticity, Tacticity),
    ):
        check_choice(field, value, choices)
    chain = join(found.units, units, tacticity, seed)
    name, drawn = found.name, cap(chain, caps, stereo)
    if eliminate is not None:
        product, times = eliminated(chain, found.eliminations[eliminate], positions)
        name, intact, drawn = f"{name}-{times if times > 1 else ''}{eliminate}", drawn, cap(product, caps, stereo)
        _check_lost(intact, drawn, eliminate, times)
    if conformer == "embedded":
        solid = embed(drawn, seed)
    elif conformer == "lowest":
        solid = embed_lowest(drawn, seed)
    else:
        solid = embed_with_torsions(drawn, conformer, found.conformers[conformer], seed)
    return checked_fragment(name, drawn, solid)


def _check_asked(found: Polymer, units: int, eliminate: str | None, positions: Positions, conformer: str) -> None:
    """Refuse what the polymer does not have."""
    if units < 1:
        raise ValueError(f"units: {units} makes no chain; allowed: at least 1")
    if eliminate is not None and eliminate not in found.eliminations:
        allowed = ", ".join(found.eliminations) or "none"
        raise ValueError(f"eliminate: {eliminate!r} is no elimination of {found.name}; allowed: {allowed}")
    if eliminate is None and positions is not None:
        raise ValueError(f"positions: {positions!r} without eliminate; allowed: with a molecule to eliminate")
    known = ["embedded", "lowest", *sorted(found.conformers)]
    if conformer not in known:
        raise ValueError(f"conformer: {conformer!r} is not known for {found.name}; allowed: {', '.join(known)}")


def _check_lost(intact: Chem.Mol, product: Chem.Mol, lost: str, times: int) -> None:
    """Check that the product is what the chain leaves once it has given off the molecules."""
    whole = Composition(CalcMolFormula(product)) + times * Composition(lost)
    if whole != Composition(CalcMolFormula(intact)):
        raise ValueError(f"eliminate: the reaction on file does not give off {lost}")


def checked_fragment(name: str, drawn: Chem.Mol, solid: Chem.Mol) -> Fragment:
    """Make a fragment of a molecule in space, checked against the one drawn; ``ValueError`` if it is another."""
    molecule = Molecule(
        [atom.GetSymbol() for atom in solid.GetAtoms()], rounded(solid.GetConformer().GetPositions(), GRID)
    )
    apart = molecule.distance_matrix[Chem.GetDistanceMatrix(solid) > 1].min()
    if apart < LEAST_APART:
        raise ValueError(f"fragment {name}: atoms that share no bond are {apart:.2f} Å apart")
    if not np.array_equal(bonds(molecule), Chem.GetAdjacencyMatrix(solid).astype(bool)):
        raise ValueError(f"fragment {name}: atoms lie too near or too far for the bonds of {Chem.MolToSmiles(drawn)}")
    double = solid.GetSubstructMatches(Chem.MolFromSmarts("[#6]=[#6]"))
    Chem.AssignStereochemistryFrom3D(solid)
    Chem.AssignStereochemistry(drawn, cleanIt=True, force=True)
    if not solid.HasSubstructMatch(drawn, useChirality=True):
        raise ValueError(f"fragment {name}: the conformer has another stereochemistry than {Chem.MolToSmiles(drawn)}")
    smiles = Chem.MolToSmiles(Chem.RemoveHs(solid))
    return Fragment(name, molecule, tuple(atom for pair in double for atom in pair), smiles, CalcMolFormula(solid))
