"""Species of reactions: molecules on file, oligomers, complexes, crystals; and reactions by formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice

from pymatgen.core import Composition, Molecule, Structure

from barriers.structures.alone import charge_of, unpaired_electrons
from barriers.structures.polymer.complexes import complexes
from barriers.structures.polymer.crystals import SOLID, reaction_crystal
from barriers.structures.polymer.molecules import known_molecules, reaction_molecule
from barriers.structures.polymer.reactions import Reaction, check_balanced, in_box, species_molecule

ARROW = re.compile(r"->|→|=")

AT = "@"
"""Between a guest with lithium and its host: ``LiFSI@PVDF``."""

TERM = re.compile(r"(\d*)\s*([^\d\s]\S*)")
"""A number, if it is not one, and a species: ``2 HF``."""


@dataclass(frozen=True)
class Species:
    """One species as it is before it is relaxed.

    Attributes
    ----------
    name : str
        As reactions have it.
    starts : dict[str, Structure]
        Structures that it is relaxed from, by what each is called.
    formula_units : int
        How many of the species each of them holds.
    is_crystal : bool
        A crystal, and not a molecule in a box.
    """

    name: str
    starts: dict[str, Structure]
    formula_units: int = 1
    is_crystal: bool = False

    @property
    def first(self) -> Structure:
        """Any of the structures: atoms, charge and spin are those of all."""
        return next(iter(self.starts.values()))

    @property
    def composition(self) -> Composition:
        """Atoms of one."""
        return self.first.composition / self.formula_units

    @property
    def charge(self) -> int:
        """Charge of one (e)."""
        return charge_of(self.first)

    @property
    def unpaired(self) -> int:
        """Unpaired electrons of a molecule; a crystal of the table has none."""
        return 0 if self.is_crystal else unpaired_electrons(self.first)


def build_species(name: str, vacuum: float = 12.0, units: int = 3, seed: int = 0, starts: int = 1) -> Species:
    """Build a species.

    Parameters
    ----------
    name : str
        A crystal on file (``LiF(s)``), a molecule on file, a polymer, ``POLYMER-MOLECULE``, or a complex of a molecule
        with one lithium and one of the latter three, ``LiFSI@PVDF-HF``.
    vacuum : float
        Room around a molecule (Å).
    units : int
        Repeat units of an oligomer.
    seed : int
        Seed of an oligomer's first conformer; the others follow it.
    starts : int
        Conformers of an oligomer, places of lithium in a complex. Molecules and crystals on file have one.

    Raises
    ------
    ValueError
        If there is no such species.
    """
    alone, at, host = name.partition(AT)
    if name.endswith(SOLID) and not at:
        crystal = reaction_crystal(name)
        units_of_formula = crystal.composition.get_reduced_composition_and_factor()[1]
        return Species(name, {"as measured": crystal}, round(units_of_formula), is_crystal=True)
    found = _complexes(alone, host, units, seed, starts) if at else _conformers(name, units, seed, starts)
    return Species(name, {start: in_box(molecule, vacuum) for start, molecule in found.items()})


def _conformers(name: str, units: int, seed: int, starts: int) -> dict[str, Molecule]:
    if name in known_molecules():
        return {"on file": species_molecule(name)}
    return {f"seed {each}": species_molecule(name, units, each) for each in range(seed, seed + starts)}


def _complexes(guest: str, host: str, units: int, seed: int, starts: int) -> dict[str, Molecule]:
    """Put the lithium of a guest at its host: at the first place of the first conformer, the second of the second."""
    guests = [name for name in known_molecules() if reaction_molecule(name).composition["Li"] == 1]
    if guest not in guests or host.endswith(SOLID):
        allowed = f"{', '.join(guests)} before {AT}, a molecule or an oligomer after it"
        raise ValueError(f"species: {guest + AT + host!r} is not known; allowed: {allowed}")
    hosts, salt = _conformers(host, units, seed, starts), reaction_molecule(guest)
    found = {}
    for number, (name, molecule) in zip(range(starts), cycle(hosts.items())):
        for place, complex_ in islice(complexes(molecule, salt), number, number + 1):
            found[f"{name}, {place}"] = complex_
    if not found:
        raise ValueError(f"species: {host!r} has no place for the lithium of {guest}; allowed: with F, N, O or C=C")
    return found


def check_reaction(reaction: Reaction, species: Mapping[str, Species]) -> None:
    """Check that a reaction makes and loses no atom and no charge.

    Raises
    ------
    ValueError
        If it does.
    """
    check_balanced(reaction, {name: each.composition for name, each in species.items()})
    before, after = (
        sum(count * species[name].charge for name, count in side.items())
        for side in (reaction.reactants, reaction.products)
    )
    if before != after:
        raise ValueError(f"reaction {reaction}: charge {before:+d} before and {after:+d} after; allowed: the same")


def parse_reaction(equation: str, name: str = "") -> Reaction:
    """Read a reaction from its equation, and check that it keeps its atoms and its charge.

    Parameters
    ----------
    equation : str
        ``2 HF + Li2CO3(s) -> 2 LiF(s) + H2O + CO2``; signs of addition stand between blanks, for ``Li+`` is a species.
    name : str
        Name in tables; the equation if it has none.

    Raises
    ------
    ValueError
        If it is no equation, a species is not known, or it is not balanced.
    """
    sides = ARROW.split(equation)
    if len(sides) != 2:
        raise ValueError(f"reaction: {equation!r} is no equation; allowed: such as 'PVDF -> PVDF-HF + HF'")
    reactants, products = (_side(side, equation) for side in sides)
    reaction = Reaction(name=name, reactants=reactants, products=products)
    check_reaction(reaction, {each: build_species(each) for each in reaction.species})
    return reaction if name else reaction.model_copy(update={"name": str(reaction)})


def _side(side: str, equation: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for term in re.split(r"\s\+\s", side.strip()):
        found = TERM.fullmatch(term.strip())
        if found is None:
            raise ValueError(
                f"reaction: {term.strip()!r} in {equation!r} is no species with its number; "
                "allowed: such as '2 HF', terms joined by ' + '"
            )
        counts[found[2]] = counts.get(found[2], 0) + int(found[1] or 1)
    return counts
