"""Reactions of the coating: which species, how many of each, and their molecules."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Composition, Molecule, Structure

from barriers.structures.alone import carrying
from barriers.structures.data import load_data
from barriers.structures.polymer.fragment import build_fragment, known_polymers
from barriers.structures.polymer.molecules import known_molecules, reaction_molecule


class Reaction(BaseModel):
    """A reaction, by its species and how many of each."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="name in tables")
    reactants: dict[str, int] = Field(description="how many of each species go in")
    products: dict[str, int] = Field(description="how many of each species come out")

    @property
    def species(self) -> tuple[str, ...]:
        """Names of all species, reactants first, each once."""
        return tuple({**self.reactants, **self.products})

    def __str__(self) -> str:
        """Say it as an equation: ``2 HF + Li2CO3 → 2 LiF + H2O + CO2``."""
        return " → ".join(_side(side) for side in (self.reactants, self.products))


def known_reactions() -> dict[str, Reaction]:
    """Reactions on file, by name."""
    return {name: Reaction(name=name, **sides) for name, sides in load_data("reactions").items()}


def species_molecule(name: str, units: int = 3, seed: int = 0) -> Molecule:
    """Build a species of a reaction.

    Parameters
    ----------
    name : str
        A molecule on file, a polymer, or ``POLYMER-MOLECULE`` for the oligomer that has given off that molecule.
    units : int
        Repeat units of an oligomer.
    seed : int
        Seed of an oligomer's conformer.

    Raises
    ------
    ValueError
        If there is no such species.
    """
    if name in known_molecules():
        return reaction_molecule(name)
    polymer, _, lost = name.partition("-")
    if polymer not in known_polymers():
        allowed = ", ".join([*known_molecules(), *known_polymers()])
        raise ValueError(f"species: {name!r} is not known; allowed: {allowed}, and POLYMER-MOLECULE")
    return build_fragment(polymer, units, lost or None, seed).molecule


def check_balanced(reaction: Reaction, compositions: Mapping[str, Composition]) -> None:
    """Check that a reaction makes and loses no atom.

    Parameters
    ----------
    reaction : Reaction
        The reaction.
    compositions : Mapping[str, Composition]
        Atoms of one of each species.

    Raises
    ------
    ValueError
        If there are other atoms before than after, or a number is below one.
    """
    counts = [*reaction.reactants.values(), *reaction.products.values()]
    if not reaction.reactants or not reaction.products or min(counts) < 1:
        raise ValueError(f"reaction {reaction}: allowed: at least one of each species, on both sides")
    before, after = (_atoms(side, compositions) for side in (reaction.reactants, reaction.products))
    if before != after:
        raise ValueError(f"reaction {reaction}: {before.formula} before and {after.formula} after; allowed: the same")


def in_box(molecule: Molecule, vacuum: float) -> Structure:
    """Put a molecule alone in a box, its atoms in their order, with its charge and its spin.

    Parameters
    ----------
    molecule : Molecule
        The molecule.
    vacuum : float
        Room between it and its periodic images along each axis (Å).
    """
    lowest, highest = molecule.cart_coords.min(axis=0), molecule.cart_coords.max(axis=0)
    a, b, c = (highest - lowest + vacuum).tolist()
    # pymatgen centres the mass; the offset centres the room around the atoms instead.
    offset = molecule.center_of_mass - (lowest + highest) / 2
    boxed = molecule.get_boxed_structure(a, b, c, offset=offset, reorder=False)
    least, spin = 1 + int(molecule.nelectrons) % 2, int(molecule.spin_multiplicity or 1)
    return carrying(boxed, round(molecule.charge), spin if spin != least else None)


def _atoms(side: Mapping[str, int], compositions: Mapping[str, Composition]) -> Composition:
    total = Composition()
    for name, count in side.items():
        total += compositions[name] * count
    return total


def _side(side: Mapping[str, int]) -> str:
    return " + ".join(f"{count} {name}" if count > 1 else name for name, count in side.items())
