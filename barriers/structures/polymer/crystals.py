"""Crystals of the coating's reactions: what is solid before and after, in the cell that was measured."""

from __future__ import annotations

from functools import cache

from pymatgen.core import Lattice, Structure

from barriers.structures.data import load_data

SOLID = "(s)"
"""Ends the name of a species that is a crystal: ``LiF(s)``, beside the molecule ``LiF``."""


def known_crystals() -> tuple[str, ...]:
    """Names of the crystals on file, as reactions have them."""
    return tuple(f"{formula}{SOLID}" for formula in load_data("crystals"))


def reaction_crystal(name: str) -> Structure:
    """Build the primitive cell of a crystal on file.

    Parameters
    ----------
    name : str
        For example ``Li2CO3(s)``.

    Raises
    ------
    ValueError
        If the name is not on file.
    """
    if name not in known_crystals():
        raise ValueError(f"crystal: {name!r} is not on file; allowed: {', '.join(known_crystals())}")
    return _primitive(name).copy()


def crystal_source(name: str) -> str:
    """Say where a crystal on file was measured."""
    return str(load_data("crystals")[name.removesuffix(SOLID)]["source"])


@cache
def _primitive(name: str) -> Structure:
    entry = load_data("crystals")[name.removesuffix(SOLID)]
    symbols, *axes = zip(*entry["sites"], strict=True)
    places = list(zip(*axes, strict=True))
    whole = Structure.from_spacegroup(entry["group"], Lattice.from_parameters(*entry["cell"]), symbols, places)
    return whole.get_primitive_structure()
