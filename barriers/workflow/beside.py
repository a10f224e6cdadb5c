"""What a study computes beside its barriers, and how that is put together: energies and attempt frequencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobflow import Flow, Job, OutputReference

from barriers.analysis.energetics import (
    AdsorptionRow,
    EnergeticsDoc,
    FrequencyRow,
    KineticsDoc,
    LithiumRow,
    ReactionRow,
    lithium_held,
)
from barriers.documents import BarrierDoc
from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.engines.mlip.models import known_models
from barriers.engines.surrogate import SurrogateEngine
from barriers.fingerprint import check_one_engine
from barriers.structures.hop.hop import Hop
from barriers.structures.polymer.reactions import known_reactions
from barriers.study.energetics import KineticsSection
from barriers.study.models import Study
from barriers.workflow.adsorption import AdsorptionDoc, AdsorptionMaker
from barriers.workflow.attempt_frequency import AttemptFrequencyDoc, AttemptFrequencyMaker
from barriers.workflow.labels import ADSORPTION, FREQUENCY, REACTIONS, label
from barriers.workflow.placements import fragment_of
from barriers.workflow.reactions import ReactionMaker, ReactionsDoc

ASKED = "asked of rates"
"""Name of the study's section on kinetics among the documents: no job has a name without a colon."""

Beside = Mapping[str, Any]
"""Documents by the name of the job that gave each; text in the place of one says why it is not there."""


def own_engine(study: Study) -> Engine:
    """The engine of a study without the model that finds paths for it or is corrected by it."""
    engine = build_engine(study.engine)
    return engine.expensive if isinstance(engine, SurrogateEngine) else engine


def adsorption_flows(
    study: Study, finds: Engine, slab: OutputReference, interfaces: Mapping[str, OutputReference]
) -> list[Job | Flow]:
    """Find the adsorption energies of a study's fragments, with its own engine.

    Parameters
    ----------
    study : Study
        The study.
    finds : Engine
        What relaxed slab and interfaces.
    slab : RelaxDoc
        The relaxed bare slab.
    interfaces : Mapping[str, RelaxDoc]
        The relaxed interface of each system with a fragment.
    """
    engine, settings = own_engine(study), (study.relax.fmax, study.relax.max_steps)
    jobs: list[Job | Flow] = []

    def relaxed(document: OutputReference, name: str, system: str = "") -> OutputReference:
        if engine == finds:
            return document
        jobs.append(label(engine.relax(*settings).make(document.structure), f"{name}, for its energy", system))
        return jobs[-1].output

    bare = relaxed(slab, "slab: relax")
    for system in study.systems:
        if system.fragment is not None:
            interface = relaxed(interfaces[system.name], f"{system.name}: relax interface", system.name)
            maker = AdsorptionMaker(system.name, engine, *settings, vacuum=study.surface.vacuum)
            jobs.append(maker.make(interface, bare, fragment_of(system.fragment).molecule))
    return jobs


def frequency_flows(
    study: Study, barriers: Mapping[tuple[str, str], OutputReference], hops: Sequence[Hop]
) -> list[Flow]:
    """Find the attempt frequency of each barrier's hop, the ion alone vibrating."""
    engine, by_name = own_engine(study), {hop.name: hop for hop in hops}
    return [
        AttemptFrequencyMaker(system, engine).make(barrier.band, hop=by_name[hop])
        for (system, hop), barrier in barriers.items()
    ]


def reactions_flow(study: Study) -> Flow | None:
    """Find the energies of the reactions that a study names; None where it names none."""
    if study.energetics is None or not study.energetics.reactions:
        return None
    maker = ReactionMaker(f"coating: {REACTIONS}", own_engine(study), study.relax.fmax, study.relax.max_steps)
    return maker.make([known_reactions()[name] for name in study.energetics.reactions])


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
            found.molecules = " ".join([document.engine.name, document.engine.version])
            found.reactions = [ReactionRow(**reaction.model_dump()) for reaction in document.reactions]
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


def _why(document: Any) -> str:
    return document if isinstance(document, str) else "a calculation it needs failed"


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
        of_member = [barrier for barrier in barriers if barrier.hop and barrier.hop_name.startswith(tag)]
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
