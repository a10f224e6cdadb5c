"""The flows that place a fragment on the slab, and keep one of the placements."""

from __future__ import annotations

from typing import Any

from jobflow import Flow, Job

from barriers.engines.protocol import Engine
from barriers.structures.hop.hop import Hop
from barriers.study.models import Study, SystemSection
from barriers.workflow.build_jobs import lowest, lowest_placements, place_fragment
from barriers.workflow.labels import PLACEMENT, label
from barriers.workflow.placements import by_content


def candidates_flow(study: Study, system: SystemSection, engine: Engine, slab: Any, hop: Hop) -> Flow:
    """Relax several placements of a fragment roughly; the output is a list of them.

    Parameters
    ----------
    study : Study
        The study, for its tolerances and its vacuum.
    system : SystemSection
        A system with a fragment.
    engine : Engine
        What relaxes it.
    slab : RelaxDoc
        The relaxed bare slab.
    hop : Hop
        The hop that a fragment is placed near.
    """
    fragment = system.fragment
    assert fragment is not None
    first_kept = system.placement.model_copy(update={"rank": 1})  # those who keep others start from the same job
    placed = place_fragment(slab.structure, by_content(fragment), first_kept, study.vacuum, hop)
    label(placed, f"{system.name}: place", system.name)
    screened: list[Job] = []
    first = placed.output
    if system.placement.screened > system.placement.candidates:
        screened = _screened(system, engine, placed)
        first = screened[-1].output
    candidates: list[Job] = []
    for number in range(system.placement.candidates):
        candidate = engine.relax(study.relax.rough_fmax, study.relax.max_steps).make(first[number])
        candidates.append(label(candidate, f"{system.name}: relax placement {number + 1}", system.name))
    jobs = [placed, *screened, *candidates]
    return Flow(jobs, output=[candidate.output for candidate in candidates], name=f"{system.name}: placements")


def interface_flow(study: Study, system: SystemSection, engine: Engine, candidates: list[Any]) -> Flow:
    """Relax one of the placements fully: the lowest, or that of another rank.

    Parameters
    ----------
    study : Study
        The study, for its tolerances.
    system : SystemSection
        A system with a fragment.
    engine : Engine
        What relaxes it.
    candidates : list of RelaxDoc
        Placements of its fragment, relaxed roughly.
    """
    chosen = lowest(candidates, system.placement.rank)
    label(chosen, f"{system.name}: {PLACEMENT}", system.name)
    # To the endpoints' own tolerance, so that both start from one conformation of the fragment.
    interface = engine.relax(study.relax.fmax, study.relax.max_steps).make(chosen.output.structure)
    label(interface, f"{system.name}: relax interface", system.name)
    return Flow([chosen, interface], output=interface.output, name=f"{system.name}: interface")


def _screened(system: SystemSection, engine: Engine, placed: Job) -> list[Job]:
    """Evaluate each placement once, and choose the lowest in energy."""
    statics: list[Job] = []
    for number in range(system.placement.screened):
        static = engine.static().make(placed.output[number])
        statics.append(label(static, f"{system.name}: screen placement {number + 1}", system.name))
    lowest_ones = lowest_placements([static.output for static in statics], system.placement.candidates)
    label(lowest_ones, f"{system.name}: choose placements", system.name)
    return [*statics, lowest_ones]
