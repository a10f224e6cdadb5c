"""Molecules of the coating's reactions: what leaves a polymer, and what it makes of the cathode's surface."""

from __future__ import annotations

from pymatgen.core import Molecule

from barriers.structures.data import load_data


def known_molecules() -> tuple[str, ...]:
    """Names of the molecules on file, their formulas."""
    return tuple(load_data("molecules"))


def reaction_molecule(name: str) -> Molecule:
    """Give a molecule on file in its gas-phase geometry, neutral and a singlet.

    Parameters
    ----------
    name : str
        Its formula, for example ``LiF``.

    Returns
    -------
    Molecule
        Positions in Å; ``properties["source"]`` says where they are from.

    Raises
    ------
    ValueError
        If the name is not on file.
    """
    on_file = load_data("molecules")
    if name not in on_file:
        raise ValueError(f"molecule: {name!r} is not on file; allowed: {', '.join(on_file)}")
    symbols, *axes = zip(*on_file[name]["positions"], strict=True)
    positions = list(zip(*axes, strict=True))
    return Molecule(symbols, positions, properties={"source": on_file[name]["source"]})
