"""Elimination: a chain loses a small molecule at chosen bonds of its backbone, each of which becomes C=C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from rdkit import Chem
from rdkit.Chem import rdChemReactions

from barriers.structures.data import load_data
from barriers.structures.polymer.chain import PLACE, backbone

Positions = Literal["all"] | Sequence[int] | None


@dataclass(frozen=True)
class Elimination:
    """Loss of a small molecule from two neighbouring backbone atoms, which leaves C=C.

    Attributes
    ----------
    name : str
        Formula of the molecule that leaves.
    reaction : str
        Reaction SMARTS; atoms 1 and 2 become the double bond.
    """

    name: str
    reaction: str


@cache
def known_eliminations() -> dict[str, Elimination]:
    """Eliminations on file, by the formula of the molecule that leaves."""
    return {name: Elimination(name, reaction) for name, reaction in load_data("eliminations").items()}


def eliminated(chain: Chem.Mol, step: Elimination, positions: Positions) -> tuple[Chem.Mol, int]:
    """Run an elimination at bonds of the backbone.

    Parameters
    ----------
    chain : Mol
        With open ends and numbered backbone.
    step : Elimination
        What leaves.
    positions : None, "all" or sequence of int
        The possible bond nearest the middle; from the head on every bond that is possible after the ones before it;
        or the bonds of these numbers, 1 between the first two backbone atoms.

    Returns
    -------
    Mol, int
        The product, ends open, and how many molecules left.

    Raises
    ------
    ValueError
        If a position cannot lose the molecule, or none can.
    """
    if positions is None or positions == "all":
        possible = _products(chain, step)
        if not possible:
            raise _impossible(step)
        if positions is None:
            middle = len(backbone(chain)) - 2
            return possible[min(possible, key=lambda bond: (abs(2 * bond - middle), bond))], 1
        positions = places(chain, step)
    if isinstance(positions, str) or len(positions) == 0:
        raise ValueError(
            f"positions: {positions!r} are no numbers of bonds; allowed: all, {_listed(_products(chain, step))}"
        )
    bonds = sorted(positions)
    for number, bond in enumerate(bonds):
        product = _products(chain, step, bond).get(bond)
        if product is None:
            possible = _products(chain, step)
            if not (possible or number):
                raise _impossible(step)
            after = f" after {', '.join(map(str, bonds[:number]))}" if number else ""
            raise ValueError(f"positions: {bond} cannot lose {step.name}{after}; allowed: {_listed(possible)}")
        chain = product
    return chain, len(bonds)


def _impossible(step: Elimination) -> ValueError:
    return ValueError(f"eliminate: no position of this chain can lose {step.name}; use more units")


def places(chain: Chem.Mol, step: Elimination) -> list[int]:
    """Bonds that can lose the molecule one after the other: from the head on each that is possible after those before.

    Any choice of them is possible too: no elimination makes a place for another, and no two of these share an atom.
    """
    bonds = []
    while possible := _products(chain, step):
        bonds.append(min(possible))
        chain = possible[bonds[-1]]
    return bonds


def _listed(possible: dict[int, Chem.Mol]) -> str:
    return ", ".join(map(str, sorted(possible))) or "none"


def _products(chain: Chem.Mol, step: Elimination, at: int | None = None) -> dict[int, Chem.Mol]:
    """Products of one elimination, by the bond of the backbone that it takes place at; of that bond alone if given."""
    products: dict[int, Chem.Mol] = {}
    if at is not None:
        chain = Chem.Mol(chain)
        for atom in chain.GetAtoms():
            # The reaction leaves such atoms alone, and a long chain has hundreds of products.
            if atom.HasProp(PLACE) and atom.GetIntProp(PLACE) not in (at, at + 1):
                atom.SetProp("_protected", "1")
    for (product,) in rdChemReactions.ReactionFromSmarts(step.reaction).RunReactants((chain,)):
        pair = []
        for atom in product.GetAtoms():
            origin = chain.GetAtomWithIdx(atom.GetIntProp("react_atom_idx"))
            if origin.HasProp(PLACE):
                atom.SetIntProp(PLACE, origin.GetIntProp(PLACE))
            if atom.HasProp("old_mapno") and atom.GetIntProp("old_mapno") < 3 and atom.HasProp(PLACE):
                pair.append(atom.GetIntProp(PLACE))
            # A later reaction would carry the number on, and leave the atom alone.
            atom.ClearProp("old_mapno")
            atom.ClearProp("_protected")
        places = sorted(pair)
        if len(places) == 2 and places[1] - places[0] == 1 and places[0] not in products:
            Chem.SanitizeMol(product)
            products[places[0]] = product
    return products
