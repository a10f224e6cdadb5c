"""Reaction energies of the coating and its salt, with any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Flow, Job, Maker

from barriers.engines.protocol import Engine, require_engine
from barriers.engines.pyscf import PyscfEngine
from barriers.structures.polymer.reactions import Reaction
from barriers.structures.polymer.species import Species, build_species, check_reaction
from barriers.workflow.labels import despite_failures, label
from barriers.workflow.reaction_job import reactions_document


def check_suits(engine: Any, species: Species) -> None:
    """Refuse a species that an engine cannot be trusted with, in one line that says which can."""
    who, name = type(engine).__name__, f"species {species.name!r}"
    if getattr(engine, "molecules_alone", False):
        if species.is_crystal:
            raise ValueError(f"{name} is a crystal, and {who} has molecules alone; allowed: engine espresso or vasp")
        return
    if species.charge:
        raise ValueError(
            f"{name} has a charge of {species.charge:+d}, and {who} is periodic: its cell would get a compensating "
            "background, whose error (Makov-Payne) is not corrected; allowed: PyscfEngine"
        )
    if species.unpaired:
        raise ValueError(f"{name} has unpaired electrons, and {who} is told of none; allowed: PyscfEngine")
    trained_on = getattr(engine, "crystals_only", None)
    if trained_on and not species.is_crystal:
        raise ValueError(
            f"{name} is a molecule, and model {engine.model!r} was trained on {trained_on}; allowed: PyscfEngine "
            "(energetics.molecules in a study file), engine espresso or vasp"
        )


def one_for_all(engine: Any, species: Sequence[Species]) -> Any:
    """Give an engine whose settings are the same for all species, though they differ in cell and elements."""
    if hasattr(engine, "for_elements"):
        engine = engine.for_elements(sorted({symbol for each in species for symbol in each.first.symbol_set}))
    if any(each.is_crystal for each in species) and hasattr(engine, "dipole"):
        engine = replace(engine, dipole=False)
    return engine


@dataclass
class ReactionMaker(Maker):
    """Energies of reactions of the coating and its salt.

    1. Build every species: molecules alone in a box, oligomers in several conformers, lithium at several places of a
       complex, crystals as measured.
    2. Relax each, the cell of crystals held, and see that it is still the same species.
    3. Take the lowest of each and add up.

    Attributes
    ----------
    name : str
        Name of the flow.
    engine : Engine
        What gives the energies. All species have the cutoffs of all their elements, and no dipole correction where
        there are crystals.
    fmax : float
        Largest force at the end (eV/Å).
    max_steps : int
        Most steps of each relaxation in one run.
    vacuum : float
        Room around each molecule (Å).
    units : int
        Repeat units of an oligomer.
    seed : int
        Seed of an oligomer's first conformer.
    starts : int
        Conformers of each oligomer, with the seeds that follow, and places of lithium in a complex; the lowest counts,
        and the spread is said.
    """

    name: str = "reactions"
    engine: Engine = field(default_factory=PyscfEngine)
    fmax: float = 0.03
    max_steps: int = 500
    vacuum: float = 12.0
    units: int = 3
    seed: int = 0
    starts: int = 3

    def __post_init__(self) -> None:
        """Refuse an engine that is none, and no start."""
        require_engine(self.engine)
        if self.starts < 1:
            raise ValueError(f"starts: {self.starts}; allowed: at least 1")

    def make(self, reactions: Sequence[Reaction]) -> Flow:
        """Build the flow.

        Parameters
        ----------
        reactions : sequence of Reaction
            Of those on file, ``known_reactions()``, or by formula, ``parse_reaction(equation)``.

        Raises
        ------
        ValueError
            If a species is not known, a reaction does not keep its atoms or its charge, or the engine cannot be trusted
            with a species.
        """
        names = list(dict.fromkeys(name for reaction in reactions for name in reaction.species))
        species = {name: build_species(name, self.vacuum, self.units, self.seed, self.starts) for name in names}
        for reaction in reactions:
            check_reaction(reaction, species)
        for each in species.values():
            check_suits(self.engine, each)
        engine = one_for_all(self.engine, list(species.values()))
        relaxed: dict[str, dict[str, Job]] = {name: {} for name in names}
        for name, each in species.items():
            for start, structure in each.starts.items():
                alone = engine.relax(self.fmax, self.max_steps).make(structure)
                which = f", {start}" if len(each.starts) > 1 else ""
                relaxed[name][start] = label(alone, f"{self.name}: relax {name}{which}")
        result = reactions_document(
            list(reactions),
            {name: each.starts for name, each in species.items()},
            {name: each.formula_units for name, each in species.items()},
            {name: {start: job.output for start, job in each.items()} for name, each in relaxed.items()},
        )
        despite_failures(label(result, self.name))
        return Flow([*(job for each in relaxed.values() for job in each.values()), result], result.output, self.name)
