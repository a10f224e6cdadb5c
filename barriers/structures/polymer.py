"""Fragments: hydrogen-capped oligomers of a polymer, before or after one elimination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pymatgen.core import Composition, Molecule
from rdkit import Chem
from rdkit.Chem import rdChemReactions, rdDistGeom, rdForceFieldHelpers
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from barriers.structures.data import load_data

LEAST_APART = 1.5
"""Least distance between atoms that share no bond (Å); two hydrogens on one carbon are 1.75 Å apart."""

MAX_STEPS = 5000
"""Steps of the force field's optimisation, ample for a chain of twelve units."""


@dataclass(frozen=True)
class Elimination:
    """Loss of a small molecule from two neighbouring backbone atoms, which leaves C=C.

    Attributes
    ----------
    reaction : str
        Reaction SMARTS; atoms 1 and 2 become the double bond.
    molecule : str
        SMILES of the molecule that leaves.
    """

    reaction: str
    molecule: str


@dataclass(frozen=True)
class Polymer:
    """A polymer on file.

    Attributes
    ----------
    name : str
        For example ``PVDF``.
    unit : str
        SMILES of the repeat unit, head first, with an open bond ``[*]`` at each end.
    eliminations : dict[str, Elimination]
        By the formula of the molecule that leaves.
    """

    name: str
    unit: str
    eliminations: dict[str, Elimination]


@dataclass(frozen=True)
class Fragment:
    """A capped oligomer in three dimensions.

    Attributes
    ----------
    name : str
        ``PVDF``, or ``PVDF-HF`` after elimination.
    molecule : Molecule
        Positions in Å; the order of the atoms is fixed.
    bonding_atoms : tuple[int, ...]
        The two carbons of C=C, empty without elimination.
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
    return {
        name: Polymer(
            name,
            entry["unit"],
            {formula: Elimination(**step) for formula, step in entry["eliminations"].items()},
        )
        for name, entry in load_data("polymers").items()
    }


def build_fragment(polymer: str, units: int, eliminate: str | None, seed: int = 0) -> Fragment:
    """Build a hydrogen-capped oligomer and its conformer (ETKDG, then MMFF94).

    An elimination takes place once, on the backbone pair nearest the middle of the chain, and leaves the chain
    trans across C=C. One unit alone has its C=C at the end (vinyl fluoride for PVDF).

    Parameters
    ----------
    polymer : str
        Name on file.
    units : int
        Repeat units.
    eliminate : str or None
        Formula of the molecule eliminated, none for the intact chain.
    seed : int
        Seed of the conformer.

    Raises
    ------
    ValueError
        If a name is not on file, ``units`` is below one, or the conformer is no sound molecule.
    """
    on_file = known_polymers().get(polymer)
    if on_file is None:
        raise ValueError(f"polymer: {polymer!r} is not on file; allowed: {', '.join(known_polymers())}")
    if units < 1:
        raise ValueError(f"units: {units} makes no chain; allowed: at least 1")
    if eliminate is not None and eliminate not in on_file.eliminations:
        allowed = ", ".join(on_file.eliminations) or "none"
        raise ValueError(f"eliminate: {eliminate!r} is no elimination of {polymer}; allowed: {allowed}")
    chain = _chain(on_file.unit, units)
    if eliminate is None:
        return _fragment(polymer, _capped(chain), seed)
    step = on_file.eliminations[eliminate]
    product = _capped(_eliminated(chain, step))
    lost = Composition(CalcMolFormula(Chem.MolFromSmiles(step.molecule)))
    if Composition(CalcMolFormula(product)) + lost != Composition(CalcMolFormula(_capped(chain))):
        raise ValueError(f"eliminate: the reaction on file for {polymer} does not give off {eliminate}")
    return _fragment(f"{polymer}-{eliminate}", product, seed)


def _chain(unit: str, units: int) -> Chem.Mol:
    """Join repeat units head to tail; the ends stay open."""
    joined = Chem.Mol()
    for number in range(units):
        link = Chem.MolFromSmiles(unit)
        head, tail = _open_ends(link)
        if number > 0:
            link.GetAtomWithIdx(head).SetAtomMapNum(number)
        if number < units - 1:
            link.GetAtomWithIdx(tail).SetAtomMapNum(number + 1)
        joined = Chem.CombineMols(joined, link)
    return Chem.molzip(joined)


def _open_ends(chain: Chem.Mol) -> list[int]:
    return [atom.GetIdx() for atom in chain.GetAtoms() if atom.GetAtomicNum() == 0]


def _backbone(chain: Chem.Mol) -> list[int]:
    """Atoms on the way from one open end to the other, ends included."""
    return list(Chem.GetShortestPath(chain, *_open_ends(chain)))


def _eliminated(chain: Chem.Mol, step: Elimination) -> Chem.Mol:
    """Run the elimination once, at the backbone pair nearest the middle."""
    backbone = _backbone(chain)
    reaction = rdChemReactions.ReactionFromSmarts(step.reaction)

    def pair(product: Chem.Mol) -> list[Chem.Atom]:
        return [atom for atom in product.GetAtoms() if atom.HasProp("old_mapno") and atom.GetIntProp("old_mapno") < 3]

    def off_centre(product: Chem.Mol) -> int:
        places = [backbone.index(atom.GetIntProp("react_atom_idx")) for atom in pair(product)]
        return abs(sum(places) - len(backbone) + 1)

    product = min((product for (product,) in reaction.RunReactants((chain,))), key=off_centre)
    Chem.SanitizeMol(product)
    along = _backbone(product)
    first, second = sorted(along.index(atom.GetIdx()) for atom in pair(product))
    double = product.GetBondBetweenAtoms(along[first], along[second])
    double.SetStereoAtoms(along[first - 1], along[second + 1])
    double.SetStereo(Chem.BondStereo.STEREOTRANS)
    return product


def _capped(chain: Chem.Mol) -> Chem.Mol:
    """Close both ends with hydrogen and check the valences."""
    capped = Chem.RWMol(chain)
    for end in _open_ends(capped):
        capped.GetAtomWithIdx(end).SetAtomicNum(1)
    Chem.SanitizeMol(capped)
    return Chem.RemoveHs(capped)


def _fragment(name: str, flat: Chem.Mol, seed: int) -> Fragment:
    """Give the molecule three dimensions and check them."""
    solid = Chem.AddHs(flat)
    settings = rdDistGeom.ETKDGv3()
    # RDKit gives seeds 0 and 1 the same conformer.
    settings.randomSeed = seed + 1  # type: ignore[assignment]
    embedded = rdDistGeom.EmbedMolecule(solid, settings) == 0
    if not embedded or rdForceFieldHelpers.MMFFOptimizeMolecule(solid, maxIters=MAX_STEPS) != 0:
        raise ValueError(f"fragment {name}: no conformer of {Chem.MolToSmiles(flat)} was found with seed {seed}")
    symbols = [atom.GetSymbol() for atom in solid.GetAtoms()]
    molecule = Molecule(symbols, solid.GetConformer().GetPositions())
    apart = molecule.distance_matrix[Chem.GetDistanceMatrix(solid) > 1].min()
    if apart < LEAST_APART:
        raise ValueError(f"fragment {name}: atoms that share no bond are {apart:.2f} Å apart")
    double = solid.GetSubstructMatch(Chem.MolFromSmarts("[#6]=[#6]"))
    Chem.AssignStereochemistryFrom3D(solid)
    return Fragment(name, molecule, double, Chem.MolToSmiles(Chem.RemoveHs(solid)), CalcMolFormula(solid))
