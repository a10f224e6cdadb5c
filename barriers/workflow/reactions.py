"""Reaction energies of the coating, with any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from jobflow import Flow, Job, Maker, job
from pydantic import BaseModel, Field

from barriers.analysis.interface import reaction_energy
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc, RelaxDoc
from barriers.engines.base import Engine, require_engine
from barriers.engines.mlip import MlipEngine
from barriers.fingerprint import check_one_engine, not_relaxed
from barriers.structures.polymer.reactions import Reaction, check_balanced, in_box, species_molecule
from barriers.workflow.labels import label


class ReactionDoc(BaseModel):
    """The energy of one reaction."""

    name: str
    equation: str
    energy: float | None = Field(None, description="products minus reactants (eV)")
    reason: str | None = Field(None, description="why there is no energy")


class ReactionsDoc(BaseModel):
    """Energies of reactions between molecules in the gas phase."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    reactions: list[ReactionDoc]
    energies: dict[str, float] = Field(description="of one of each species, relaxed (eV)")
    cost: CostDoc
    engine: EngineDoc


@job(output_schema=ReactionsDoc)
def reactions_document(reactions: list[Reaction], relaxed: dict[str, RelaxDoc]) -> ReactionsDoc:
    """Add up the energies of reactions.

    Parameters
    ----------
    reactions : list[Reaction]
        The reactions.
    relaxed : dict[str, RelaxDoc]
        Each species, relaxed alone in a box.

    Raises
    ------
    ValueError
        If the engines differ, or a reaction does not keep its atoms.
    """
    check_one_engine({name: document.engine for name, document in relaxed.items()})
    energies = {name: document.energy for name, document in relaxed.items()}
    documents = []
    for reaction in reactions:
        parts = {name: relaxed[name] for name in reaction.species}
        check_balanced(reaction, {name: document.structure.composition for name, document in parts.items()})
        reason = not_relaxed(parts)
        energy = None if reason else reaction_energy(reaction.reactants, reaction.products, energies)
        documents.append(ReactionDoc(name=reaction.name, equation=str(reaction), energy=energy, reason=reason))
    return ReactionsDoc(
        reactions=documents,
        energies=energies,
        cost=CostDoc(
            force_calls=sum(document.cost.force_calls for document in relaxed.values()),
            wall_time=sum(document.cost.wall_time for document in relaxed.values()),
        ),
        engine=next(iter(relaxed.values())).engine,
    )


@dataclass
class ReactionMaker(Maker):
    """Energies of reactions of the coating, between molecules in the gas phase.

    1. Build every species and relax it once, alone in a box.
    2. Add up.

    Attributes
    ----------
    name : str
        Name of the flow.
    engine : Engine
        What gives the energies.
    fmax : float
        Largest force at the end (eV/Å).
    max_steps : int
        Most steps of each relaxation in one run.
    vacuum : float
        Room around each molecule (Å).
    units : int
        Repeat units of an oligomer.
    seed : int
        Seed of an oligomer's conformer.
    """

    name: str = "reactions"
    engine: Engine = field(default_factory=MlipEngine)
    fmax: float = 0.03
    max_steps: int = 500
    vacuum: float = 12.0
    units: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an engine that is none."""
        require_engine(self.engine)

    def make(self, reactions: Sequence[Reaction]) -> Flow:
        """Build the flow.

        Parameters
        ----------
        reactions : sequence of Reaction
            For example ``known_reactions().values()``.

        Raises
        ------
        ValueError
            If a species is not known, or a reaction does not keep its atoms.
        """
        names = list(dict.fromkeys(name for reaction in reactions for name in reaction.species))
        molecules = {name: species_molecule(name, self.units, self.seed) for name in names}
        for reaction in reactions:
            check_balanced(reaction, {name: molecule.composition for name, molecule in molecules.items()})
        relaxed: dict[str, Job] = {}
        for name, molecule in molecules.items():
            alone = self.engine.relax(self.fmax, self.max_steps).make(in_box(molecule, self.vacuum))
            relaxed[name] = label(alone, f"{self.name}: relax {name}")
        result = reactions_document(list(reactions), {name: job.output for name, job in relaxed.items()})
        label(result, self.name)
        return Flow([*relaxed.values(), result], output=result.output, name=self.name)
