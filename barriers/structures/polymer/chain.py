"""Chains of repeat units: from SMILES with two open ends to a capped oligomer, drawn and not yet in space.

Atoms of the backbone carry their number from the head, :data:`PLACE`; its bond *k* joins atoms *k* and *k* + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdCIPLabeler

Tacticity = Literal["isotactic", "syndiotactic", "atactic"]
Caps = Literal["H", "CH3"]
Stereo = Literal["trans", "cis", "E", "Z"]

PLACE = "place"
"""Atom property: number along the backbone, 1 at the head; open ends and caps have 0 and the number after the last."""


def check_choice(field: str, value: object, choices: object) -> None:
    """Refuse a value that is not among the choices of a literal type."""
    if value not in get_args(choices):
        raise ValueError(f"{field}: {value!r} is not known; allowed: {', '.join(get_args(choices))}")


def parse_units(smiles: str) -> tuple[Chem.Mol, ...]:
    """Read repeat units and check them.

    Parameters
    ----------
    smiles : str
        Each with an open bond ``[*]`` at head and tail, in this order; units of a copolymer are parted by dots.

    Raises
    ------
    ValueError
        If the text is no SMILES, a valence is wrong, a unit has other than two open ends, or a charge or radical.
    """
    where = f"polymer: {smiles!r}"
    with rdBase.BlockLogs():
        drawn = Chem.MolFromSmiles(smiles, sanitize=False)
        if drawn is None:
            raise ValueError(f"{where} is no SMILES; allowed: a repeat unit such as [*]CC([*])(F)F")
        problems = Chem.DetectChemistryProblems(drawn)
        if problems:
            raise ValueError(f"{where} is no sound molecule: {problems[0].Message().strip()}")
        units = Chem.GetMolFrags(Chem.MolFromSmiles(smiles), asMols=True)
    for unit in units:
        ends = [unit.GetAtomWithIdx(end) for end in open_ends(unit)]
        if len(ends) != 2 or any(_is_no_end(end) for end in ends):
            raise ValueError(f"{where} has {len(ends)} open ends [*] in a unit; allowed: two, each on a single bond")
        for atom in unit.GetAtoms():
            atom.SetAtomMapNum(0)
        for end in ends:
            end.SetIsotope(0)
        if Chem.GetFormalCharge(unit) or any(atom.GetNumRadicalElectrons() for atom in unit.GetAtoms()):
            raise ValueError(f"{where} has a charge or a radical; allowed: a neutral unit with all valences filled")
    return units


def _is_no_end(end: Chem.Atom) -> bool:
    bonds = end.GetBonds()
    return (
        len(bonds) != 1
        or bonds[0].GetBondType() != Chem.BondType.SINGLE
        or bonds[0].GetOtherAtom(end).GetAtomicNum() == 0
    )


def open_ends(chain: Chem.Mol) -> list[int]:
    """Indices of the open ends, head first."""
    return [atom.GetIdx() for atom in chain.GetAtoms() if atom.GetAtomicNum() == 0]


def backbone(chain: Chem.Mol) -> list[int]:
    """Indices of the backbone's atoms from the head, with open ends and caps of carbon."""
    atoms = [atom for atom in chain.GetAtoms() if atom.HasProp(PLACE) and atom.GetAtomicNum() != 1]
    placed = {atom.GetIntProp(PLACE): atom.GetIdx() for atom in atoms}
    return [placed[place] for place in sorted(placed)]


def join(units: Sequence[Chem.Mol], count: int, tacticity: Tacticity, seed: int) -> Chem.Mol:
    """Join repeat units head to tail; the ends stay open.

    Parameters
    ----------
    units : Sequence[Mol]
        They follow each other and start anew after the last.
    count : int
        Units in the chain.
    tacticity : str
        Side of the substituents on the backbone's stereocentres from unit to unit: the same, alternating, or drawn.
    seed : int
        Seed of the atactic chain.

    Raises
    ------
    ValueError
        If there are less than one of each repeat unit, or a tacticity other than the default is asked of a chain
        without stereocentres.
    """
    kinds = [Chem.MolToSmiles(unit) for unit in units]
    least = 1 + max(map(kinds.index, kinds))
    if count < least:
        raise ValueError(f"units: {count} does not hold every repeat unit of the polymer; allowed: at least {least}")
    drawn = np.random.default_rng(seed).random(count) < 0.5
    joined, chiral = Chem.Mol(), 0
    for number in range(count):
        link = Chem.Mol(units[number % len(units)])
        inverted = {"isotactic": False, "syndiotactic": chiral % 2 == 1, "atactic": bool(drawn[number])}
        chiral += _set_chirality(link, inverted[tacticity])
        head, tail = open_ends(link)
        if number > 0:
            link.GetAtomWithIdx(head).SetAtomMapNum(number)
        if number < count - 1:
            link.GetAtomWithIdx(tail).SetAtomMapNum(number + 1)
        joined = Chem.CombineMols(joined, link)
    if tacticity != "isotactic" and chiral == 0:
        raise ValueError(f"tacticity: {tacticity!r} needs stereocentres, and the backbone has none; leave it out")
    chain = Chem.molzip(joined)
    for place, atom in enumerate(Chem.GetShortestPath(chain, *open_ends(chain))):
        chain.GetAtomWithIdx(atom).SetIntProp(PLACE, place)
    return chain


def _set_chirality(link: Chem.Mol, inverted: bool) -> bool:
    """Give stereocentres that are not given one sense, and the backbone's the other if inverted."""
    told_apart = Chem.Mol(link)
    for number, end in enumerate(open_ends(link)):
        told_apart.GetAtomWithIdx(end).SetIsotope(number + 1)
    centres = [
        link.GetAtomWithIdx(index)
        for index, _ in Chem.FindMolChiralCenters(told_apart, includeUnassigned=True, useLegacyImplementation=False)
    ]
    path = Chem.GetShortestPath(link, *open_ends(link))
    for centre in centres:
        if centre.GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED:
            centre.SetChiralTag(Chem.ChiralType.CHI_TETRAHEDRAL_CW)
        if inverted and centre.GetIdx() in path:
            centre.InvertChirality()
    return any(centre.GetIdx() in path for centre in centres)


def cap(chain: Chem.Mol, caps: Caps, stereo: Stereo) -> Chem.Mol:
    """Close both ends with hydrogen or methyl, turn the double bonds of the backbone, and check the valences.

    Parameters
    ----------
    chain : Mol
        With open ends and numbered backbone.
    caps : str
        What closes the ends.
    stereo : str
        At every double bond whose sides the repeat unit leaves open: the chain trans or cis, or the CIP label.
    """
    capped = Chem.RWMol(chain)
    _set_trans(capped)
    for end in open_ends(capped):
        atom = capped.GetAtomWithIdx(end)
        atom.SetAtomicNum(1 if caps == "H" else 6)
        atom.SetNoImplicit(caps == "H")
    Chem.SanitizeMol(capped)
    capped = Chem.RemoveHs(capped)
    labelled = Chem.Mol(capped)
    rdCIPLabeler.AssignCIPLabels(labelled)
    for bond, label in zip(capped.GetBonds(), labelled.GetBonds(), strict=True):
        if bond.GetStereo() == Chem.BondStereo.STEREOTRANS and (
            stereo == "cis" or (stereo != "trans" and label.HasProp("_CIPCode") and label.GetProp("_CIPCode") != stereo)
        ):
            bond.SetStereo(Chem.BondStereo.STEREOCIS)
    return capped


def _set_trans(chain: Chem.Mol) -> None:
    """Leave the chain trans across every double bond that is not given otherwise."""
    atoms = backbone(chain)
    for before, first, second, after in zip(atoms, atoms[1:], atoms[2:], atoms[3:], strict=False):
        bond = chain.GetBondBetweenAtoms(first, second)
        is_double = bond.GetBondType() == Chem.BondType.DOUBLE and not bond.IsInRing()
        if is_double and bond.GetStereo() == Chem.BondStereo.STEREONONE:
            bond.SetStereoAtoms(*((before, after) if bond.GetBeginAtomIdx() == first else (after, before)))
            bond.SetStereo(Chem.BondStereo.STEREOTRANS)
