"""What a study computes beside its barriers, put together from the documents of its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from barriers.analysis.electrons import ElectronsDoc, ElectronsRow
from barriers.analysis.energetics import (
    AdsorptionRow,
    EnergeticsDoc,
    FrequencyRow,
    KineticsDoc,
    LithiumRow,
    PlacementsDoc,
    PublishedDoc,
    PublishedRow,
    ReactionRow,
    SpeciesRow,
    lithium_held,
)
from barriers.documents import BarrierDoc, ChosenDoc, ComparisonRowDoc
from barriers.engines.density import DensityDoc
from barriers.engines.mlip.models import known_models
from barriers.fingerprint import check_one_engine
from barriers.study.energetics import KineticsSection
from barriers.study.published import PublishedSection
from barriers.workflow.adsorption import AdsorptionDoc
from barriers.workflow.attempt_frequency import AttemptFrequencyDoc
from barriers.workflow.labels import ADSORPTION, ELECTRONS, FREQUENCY, REACTIONS
from barriers.workflow.reaction_job import ReactionsDoc

ASKED, PUBLISHED = "asked of rates", "published"
"""Names of the study's sections on kinetics and on published values among the documents: no job has such a name."""

Beside = Mapping[str, Any]
"""Documents by the name of the job that gave each; text in the place of one says why it is not there."""


def energetics_document(beside: Beside, barriers: Sequence[BarrierDoc]) -> EnergeticsDoc | None:
    """Put together what is known of energies beside the barriers; None where none was asked for.

    Parameters
    ----------
    beside : Mapping[str, Any]
        What the study's other jobs gave.
    barriers : sequence of BarrierDoc
        Its barriers, whose ends tell how ions are held.
    """
    found = EnergeticsDoc()
    adsorbed: dict[tuple[str, str], AdsorptionDoc] = {}
    for name, document in beside.items():
        whom, _, what = name.rpartition(": ")
        if what == ADSORPTION:
            found.adsorption.append(_adsorption(whom, document))
            if isinstance(document, AdsorptionDoc):
                adsorbed[whom.removesuffix(document.system).strip(), document.system] = document
        elif isinstance(document, ReactionsDoc):
            found.molecules = " ".join([document.engine.name, document.engine.version]) if document.engine else ""
            found.reactions, found.species = document.reactions, _species(document)
        elif what == REACTIONS:
            found.reactions = [ReactionRow(name=whom, equation="", reason=_why(document))]
    found.lithium = _lithium(adsorbed, barriers)
    found.warnings = list(dict.fromkeys(filter(None, (_beyond(document) for document in adsorbed.values()))))
    return found if found.adsorption or found.reactions else None


def kinetics_document(beside: Beside) -> KineticsDoc | None:
    """Put together the attempt frequencies of a study; None where they were not asked for."""
    section: KineticsSection | None = beside.get(ASKED)
    if section is None:
        return None
    rows = []
    for name, document in beside.items():
        whom, _, what = name.rpartition(": ")
        if isinstance(document, AttemptFrequencyDoc):
            rows.append(FrequencyRow(**document.model_dump(include=set(FrequencyRow.model_fields))))
        elif what == FREQUENCY:
            system, _, hop = whom.rpartition(" ")
            rows.append(FrequencyRow(system=system, hop=hop, reason=_why(document)))
    network = (section.directions, section.dimensions) if section.directions and section.dimensions else None
    return KineticsDoc(frequencies=rows, temperatures=list(section.temperatures), network=network)


def electrons_rows(beside: Beside) -> list[ElectronsRow]:
    """Put together the electron densities of a study."""
    rows = []
    for name, document in beside.items():
        whom, _, what = name.rpartition(": ")
        if what == ELECTRONS:
            system, _, state = whom.rpartition(", ")
            row = ElectronsRow(system=system, state=state)
            if isinstance(document, DensityDoc):
                row.document = ElectronsDoc(**{name: getattr(document, name) for name in ElectronsDoc.model_fields})
            else:
                row.reason = _why(document)
            rows.append(row)
    return rows


def placements_rows(beside: Beside) -> list[PlacementsDoc]:
    """Put together the placements among which each system's was chosen; those not there yet are left out."""
    return [
        PlacementsDoc(system=name.rpartition(": ")[0], kept=document.kept, rows=document.placements)
        for name, document in beside.items()
        if isinstance(document, ChosenDoc) and document.placements
    ]


def published_document(beside: Beside, rows: Sequence[ComparisonRowDoc]) -> PublishedDoc | None:
    """Set published barriers beside those of a study; None where it names none."""
    section: PublishedSection | None = beside.get(PUBLISHED)
    if section is None:
        return None
    published = {value.system: value.barrier for value in section.barriers}
    found = [
        PublishedRow(
            system=row.system,
            hop=row.hop,
            published=published[row.system],
            here=row.barrier,
            uncertainty=row.uncertainty,
        )
        for row in rows
        if row.system in published
    ]
    return PublishedDoc(source=section.source, rows=found, differs=list(section.differs))


def _why(document: Any) -> str:
    return document if isinstance(document, str) else "a calculation it needs failed"


def _species(document: ReactionsDoc) -> list[SpeciesRow]:
    """Say of each species with several starts how they ended."""
    return [
        SpeciesRow(
            name=name,
            starts=len(each.starts),
            kept=sum(start.energy is not None for start in each.starts),
            lowest=each.lowest,
            spread=each.spread,
            dropped=[start.reason for start in each.starts if start.reason],
        )
        for name, each in document.species.items()
        if len(each.starts) > 1
    ]


def _adsorption(whom: str, document: Any) -> AdsorptionRow:
    if not isinstance(document, AdsorptionDoc):
        return AdsorptionRow(system=whom, reason=_why(document))
    return AdsorptionRow(
        system=whom,
        energy=document.adsorption_energy,
        **document.model_dump(include=set(AdsorptionRow.model_fields) - {"system", "energy"}),
    )


def _beyond(document: AdsorptionDoc) -> str | None:
    """Say that a model does not know what adsorption is."""
    model = known_models().get(document.engine.name) if document.engine.kind == "mlip" else None
    if model is None:
        return None
    return (
        f"adsorption energies and how Li⁺ is held beside a fragment are beyond what {document.engine.name} was trained "
        f"on ({model['trained_on']}): they may be wrong even in sign"
    )


def _lithium(adsorbed: Mapping[tuple[str, str], AdsorptionDoc], barriers: Sequence[BarrierDoc]) -> list[LithiumRow]:
    """Set the end states of each system with a fragment against those of the bare slab, each state once."""
    rows: dict[tuple[str, str], LithiumRow] = {}
    for (tag, system), document in adsorbed.items():
        prefix = f"{tag}-" if tag else ""
        of_member = [barrier for barrier in barriers if barrier.hop and barrier.hop_name.startswith(prefix)]
        fragments = {name for member, name in adsorbed if member == tag}
        bare = {
            (barrier.hop_name, state): (energy, barrier.band.engine)
            for barrier in of_member
            if barrier.system not in fragments
            for state, _, energy in _ends(barrier)
        }
        for barrier in of_member:
            for state, added, energy in _ends(barrier) if barrier.system == system else ():
                key, known = (f"{tag} {system}".strip(), state), bare.get((barrier.hop_name, state))
                if key in rows or known is None:
                    continue
                row = rows[key] = LithiumRow(system=key[0], hop=barrier.hop_name, state=state, reason=document.reason)
                try:
                    engines = {"the interface": document.engine, "its end state": barrier.band.engine}
                    check_one_engine({**engines, "that of the bare slab": known[1]})
                except ValueError as error:
                    row.reason = str(error)
                if row.reason is None:
                    whole, slab = document.energies["interface"], document.energies["slab"]
                    row.energy = lithium_held(energy, whole, known[0], slab, added=added)
    return list(rows.values())


def _ends(barrier: BarrierDoc) -> list[tuple[str, bool, float]]:
    """Both ends of a hop: what is taken out or added, whether it is added, and the energy (eV) where that is known."""
    assert barrier.hop is not None
    ends = zip(
        (barrier.hop.initial, barrier.hop.final), (barrier.band.energies[0], barrier.band.energies[-1]), strict=True
    )
    return [(state.label, state.added is not None, energy) for state, energy in ends if energy is not None]
