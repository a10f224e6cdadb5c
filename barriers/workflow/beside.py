"""What a study computes beside its barriers: the jobs of energies and attempt frequencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobflow import Flow, Job, OutputReference

from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.engines.surrogate import SurrogateEngine
from barriers.structures.hop.hop import Hop
from barriers.structures.polymer.reactions import known_reactions
from barriers.study.models import Study
from barriers.workflow.adsorption import AdsorptionMaker
from barriers.workflow.attempt_frequency import AttemptFrequencyMaker
from barriers.workflow.labels import REACTIONS, label
from barriers.workflow.placements import fragment_of
from barriers.workflow.reactions import ReactionMaker


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
