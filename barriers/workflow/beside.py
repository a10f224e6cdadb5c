"""What a study computes beside its barriers: the jobs of energies, attempt frequencies and electrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobflow import Flow, Job, OutputReference, job
from pymatgen.core import Structure

from barriers.analysis.band import highest_image
from barriers.documents import BandDoc
from barriers.engines import build_engine
from barriers.engines.common import at_positions
from barriers.engines.protocol import Engine
from barriers.engines.pyscf import PyscfEngine
from barriers.structures.hop.hop import Hop
from barriers.structures.polymer.reactions import known_reactions
from barriers.structures.polymer.species import parse_reaction
from barriers.study.forms import CrystalStudy
from barriers.study.models import Study
from barriers.words import naming
from barriers.workflow.adsorption import AdsorptionMaker
from barriers.workflow.attempt_frequency import AttemptFrequencyMaker
from barriers.workflow.engine import expensive_one, for_interfaces
from barriers.workflow.labels import ELECTRONS, REACTIONS, label
from barriers.workflow.placements import fragment_of
from barriers.workflow.reactions import ReactionMaker


def molecules_of(study: Study) -> PyscfEngine | None:
    """The engine of a study's molecules; None where they are its own engine's."""
    asked = study.energetics.molecules if study.energetics else None
    return PyscfEngine(**asked.model_dump()) if asked else None


def ground_flows(
    study: Study,
    engines: tuple[Engine, Engine],
    slab: OutputReference,
    interfaces: Mapping[str, OutputReference],
    built: Structure,
) -> list[Job | Flow]:
    """Find adsorption energies and electrons of a study's slab and interfaces, with its own engine.

    Parameters
    ----------
    study : Study
        The study.
    engines : (Engine, Engine)
        What relaxed slab and interfaces, and the study's own.
    slab : RelaxDoc
        The relaxed bare slab.
    interfaces : Mapping[str, RelaxDoc]
        The relaxed interface of each system with a fragment.
    built : Structure
        The bare slab as it was built.
    """
    energies = study.energetics is not None and study.energetics.adsorption
    electrons = study.electrons is not None and study.electrons.interfaces
    if not (energies or electrons):
        return []
    finds, engine, settings = engines[0], expensive_one(engines[1]), (study.relax.fmax, study.relax.max_steps)
    jobs: list[Job | Flow] = []

    def by_own_engine(document: OutputReference, name: str, system: str = "") -> OutputReference:
        if engine == finds:
            return document
        further = engine.relax(*settings).make(document.structure)
        jobs.append(label(further, f"{name} by engine {study.engine.kind}", system))
        return further.output

    bare, alone = by_own_engine(slab, "slab: relax"), for_interfaces(engine, study, built)
    for system in study.systems:
        base, fragment = bare, system.fragment
        if fragment is not None:
            base = by_own_engine(interfaces[system.name], f"{system.name}: relax interface", system.name)
            if energies:
                maker = AdsorptionMaker(system.name, alone, *settings, vacuum=study.vacuum)
                jobs.append(maker.make(base, bare, fragment_of(fragment).molecule))
        if electrons:
            jobs.append(_density(engine, base.structure, len(built) if fragment else None, system.name, "relaxed"))
    return jobs


def band_flows(
    study: Study | CrystalStudy,
    own: Engine,
    barriers: Mapping[tuple[str, str], OutputReference],
    hops: Sequence[Hop],
    n_slab: int,
) -> list[Job | Flow]:
    """Find what a study asks of its bands: attempt frequencies, the ion alone vibrating, and electrons."""
    engine, by_name = expensive_one(own), {hop.name: hop for hop in hops}
    bare = {system.name for system in study.systems if system.fragment is None}
    jobs: list[Job | Flow] = []
    for (system, name), barrier in barriers.items():
        hop = by_name[name]
        if study.kinetics is not None:
            jobs.append(AttemptFrequencyMaker(system, engine).make(barrier.band, hop=hop))
        if study.electrons is not None and study.electrons.bands:
            states = label(states_of(barrier.band), f"{system} {name}: initial, saddle, final", system, name)
            # An added ion is the last atom: a structure in three pieces, slab, fragment and ion, is taken as one.
            whole = system in bare or hop.moving is None
            parted = None if whole else n_slab - len(hop.initial.removed)
            jobs.append(states)
            jobs += [
                _density(engine, states.output[number], parted, system, state, name)
                for number, state in enumerate(("initial", "saddle", "final"))
            ]
    return jobs


@job
def states_of(band: BandDoc) -> list[Structure]:
    """Give initial state, highest image and final state of a band."""
    images = (0, highest_image(band.energies), -1)
    return [at_positions(band.structure, band.positions[image]) for image in images]


def _density(engine: Any, structure: Any, n_slab: int | None, system: str, state: str, hop: str = "") -> Job:
    whom = f"{system} {hop}" if hop else system
    return label(engine.density().make(structure, n_slab), f"{whom}, {state}: {ELECTRONS}", system, hop)


def reactions_flow(study: Study) -> Flow | None:
    """Find the energies of the reactions that a study names; None where it names none.

    Raises
    ------
    ValueError
        One line, if the engine cannot be trusted with a species.
    """
    asked = study.energetics
    if asked is None or not asked.reactions:
        return None
    engine = molecules_of(study) or expensive_one(build_engine(study.engine))
    maker = ReactionMaker(f"coating: {REACTIONS}", engine, study.relax.fmax, study.relax.max_steps)
    on_file = known_reactions()
    with naming("energetics"):
        return maker.make([on_file.get(name) or parse_reaction(name) for name in asked.reactions])
