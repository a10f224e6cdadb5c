"""The job that adds up the energies of reactions, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from jobflow import job
from pydantic import BaseModel, Field
from pymatgen.core import Structure

from barriers.analysis.energetics import ReactionRow
from barriers.analysis.interface import reaction_energy
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc, RelaxDoc
from barriers.fingerprint import check_one_engine, not_relaxed
from barriers.structures.intact import rearranged
from barriers.structures.polymer.reactions import Reaction, check_balanced


class StartDoc(BaseModel):
    """One relaxation of a species."""

    name: str = Field(description="what it started from: on file, as measured, or the seed of a conformer")
    energy: float | None = Field(None, description="of one formula unit, relaxed (eV)")
    reason: str | None = Field(None, description="why there is no energy")


class SpeciesDoc(BaseModel):
    """A species of reactions: the lowest of its starts."""

    energy: float | None = Field(None, description="of one formula unit: the lowest of its starts (eV)")
    spread: float | None = Field(None, description="highest minus lowest of the starts (eV); None of a single one")
    reason: str | None = Field(None, description="why there is no energy")
    starts: list[StartDoc]
    lowest: str | None = Field(None, description="name of the lowest start")
    structure: Structure | None = Field(None, description="the lowest, relaxed")


class ReactionsDoc(BaseModel):
    """Energies of reactions between molecules in the gas phase, ions and crystals."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    reactions: list[ReactionRow]
    energies: dict[str, float] = Field(description="of one of each species that has one, relaxed (eV)")
    species: dict[str, SpeciesDoc] = Field(default_factory=dict, description="how each species came to its energy")
    cost: CostDoc
    engine: EngineDoc | None = Field(description="None where no relaxation gave a result")


@job(output_schema=ReactionsDoc)
def reactions_document(
    reactions: list[Reaction],
    placed: dict[str, dict[str, Structure]],
    formula_units: dict[str, int],
    relaxed: dict[str, dict[str, RelaxDoc | None]],
) -> ReactionsDoc:
    """Add up the energies of reactions.

    Parameters
    ----------
    reactions : list[Reaction]
        The reactions.
    placed : dict[str, dict[str, Structure]]
        What each species was relaxed from, by the names of its starts.
    formula_units : dict[str, int]
        How many of the species a structure holds.
    relaxed : dict[str, dict[str, RelaxDoc or None]]
        What came of it; None where the relaxation failed.

    Raises
    ------
    ValueError
        If the engines differ, or a reaction does not keep its atoms.
    """
    done = {(name, start): document for name, each in relaxed.items() for start, document in each.items() if document}
    if done:
        check_one_engine({f"{name}, {start}": document.engine for (name, start), document in done.items()})
    species = {name: _lowest(placed[name], relaxed[name], formula_units[name]) for name in relaxed}
    compositions = {name: next(iter(each.values())).composition / formula_units[name] for name, each in placed.items()}
    for reaction in reactions:
        check_balanced(reaction, compositions)
    return ReactionsDoc(
        reactions=[_reaction(reaction, species) for reaction in reactions],
        energies={name: each.energy for name, each in species.items() if each.energy is not None},
        species=species,
        cost=CostDoc.total(document.cost for document in done.values()),
        engine=next((document.engine for document in done.values()), None),
    )


def _lowest(placed: Mapping[str, Structure], relaxed: Mapping[str, RelaxDoc | None], formula_units: int) -> SpeciesDoc:
    """Take the lowest of the starts that are relaxed and still what they were."""
    starts = []
    for name, document in relaxed.items():
        if document is None:
            reason: str | None = f"the relaxation of {name} failed"
        elif (reason := not_relaxed({name: document})) is None and (
            change := rearranged(placed[name], document.structure)
        ):
            reason = f"{name} is another species after its relaxation: {change}"
        energy = None if reason or document is None else document.energy / formula_units
        starts.append(StartDoc(name=name, energy=energy, reason=reason))
    sound = {start.name: start.energy for start in starts if start.energy is not None}
    if not sound:
        return SpeciesDoc(starts=starts, reason="; ".join(start.reason or "" for start in starts))
    best = min(sound, key=lambda name: sound[name])
    spread = max(sound.values()) - sound[best] if len(sound) > 1 else None
    structure = cast(RelaxDoc, relaxed[best]).structure
    return SpeciesDoc(energy=sound[best], spread=spread, starts=starts, lowest=best, structure=structure)


def _reaction(reaction: Reaction, species: Mapping[str, SpeciesDoc]) -> ReactionRow:
    document = ReactionRow(name=reaction.name, equation=str(reaction))
    lacking = [f"{name}: {species[name].reason}" for name in reaction.species if species[name].energy is None]
    if lacking:
        return document.model_copy(update={"reason": "; ".join(lacking)})
    energies = {name: float(species[name].energy or 0.0) for name in reaction.species}
    counts = [*reaction.reactants.items(), *reaction.products.items()]
    spreads = [count * spread for name, count in counts if (spread := species[name].spread) is not None]
    energy = reaction_energy(reaction.reactants, reaction.products, energies)
    return document.model_copy(update={"energy": energy, "spread": sum(spreads) if spreads else None})
