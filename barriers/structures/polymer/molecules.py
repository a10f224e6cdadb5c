"""Molecules and ions of the reactions: what leaves a polymer, what it makes of the surface, a salt, and atoms."""

from __future__ import annotations

from pymatgen.core import Molecule

from barriers.structures.data import load_data


def known_molecules() -> tuple[str, ...]:
    """Names of the molecules and ions on file."""
    return tuple(load_data("molecules"))


def reaction_molecule(name: str) -> Molecule:
    """Give a molecule on file in its gas-phase geometry, with its charge and its spin.

    Parameters
    ----------
    name : str
        Its formula, for example ``LiF``; with a sign at the end for an ion, ``Li+``.

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
    entry = on_file[name]
    symbols, *axes = zip(*entry["positions"], strict=True)
    positions = list(zip(*axes, strict=True))
    charge, spin = entry.get("charge", 0), entry.get("spin")
    return Molecule(symbols, positions, charge, spin, properties={"source": entry["source"]})
