"""The maker of a whole study: slab, interfaces, and the barriers of every system and hop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import Flow, Job, Maker

from barriers.barrier_maker import BarrierMaker, hop_barriers, pair_flow
from barriers.building import build_slab, crystal_of, hops_of
from barriers.construction import lowest, lowest_placements, make_end, make_slab, place_fragment
from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.results import study_document
from barriers.structure_files import read_endpoints
from barriers.structures.hop.hop import EndState, Hop
from barriers.study import EndpointStudy, Study, SystemSection

__all__ = ["BarrierMaker", "StudyMaker", "pair_flow"]


@dataclass
class StudyMaker(Maker):
    """All systems and hops of a study.

    1. Build the slab and relax it once.
    2. For each fragment: place it in several ways, relax the clearest (or the lowest in energy) roughly, relax the
       lowest fully.
    3. For each system: relax each end state once; two of them are the endpoints of a hop.
    4. For each system and hop: the barrier, in systems with a fragment also from the bare slab's path.
    5. Compare.

    Attributes
    ----------
    name : str
        Name of the flow; the study's name if left empty.
    """

    name: str = ""

    def make(self, study: Study | EndpointStudy) -> Flow:
        """Build the flow of a study.

        Parameters
        ----------
        study : Study
            What :func:`barriers.load_study` gives.
        """
        if isinstance(study, EndpointStudy):
            engine = build_engine(study.engine)
            maker = BarrierMaker(study.name, engine=engine, relax=study.relax, path=study.path, neb=study.neb)
            return pair_flow(maker, *read_endpoints(study.endpoints.initial, study.endpoints.final))
        crystal = crystal_of(study.cathode)
        built = build_slab(crystal, study.cathode, study.surface)
        hops = hops_of(built.structure, study.hops)
        final_engine = build_engine(study.engine)
        first = BarrierMaker(engine=final_engine, path=study.path).scout()
        engine = final_engine if first is None else first.engine
        slab = make_slab(crystal, study.cathode.model_copy(update={"file": None}), study.surface)
        slab.name = "slab: build"
        relaxed = engine.relax(study.relax.rough_fmax, study.relax.max_steps)
        relaxed.name = "slab: relax"
        relaxed_slab = relaxed.make(slab.output)
        jobs: list[Job | Flow] = [slab, relaxed_slab]
        barriers: dict[str, list[Flow]] = {}
        guides: list[Any] = [None] * len(hops)
        for system in sorted(study.systems, key=lambda system: system.fragment is not None):
            base = relaxed_slab.output
            if system.fragment is not None:
                interface = self._interface(study, system, engine, base, hops[0])
                jobs.append(interface)
                base = interface.output
            maker = BarrierMaker(system.name, final_engine, study.relax, study.path, study.neb)
            flows, barriers[system.name], bands = self._system(maker, system, base, slab.output, hops, guides)
            jobs += flows
            if system.fragment is None:
                # An added ion is the last atom, so it has another number in each system.
                guides = [None if hop.moving is None else band for hop, band in zip(hops, bands, strict=True)]
        outputs = [flow.output for name in study.system_names for flow in barriers[name]]
        summary = study_document(study.name, outputs, study.reference, study.comparison.barrier, built.warnings)
        return Flow([*jobs, summary], output=summary.output, name=self.name or study.name)

    def _interface(self, study: Study, system: SystemSection, engine: Engine, slab: Any, hop: Hop) -> Flow:
        """Relax several placements of a fragment and keep the lowest."""
        placed = place_fragment(slab.structure, system.fragment, system.placement, study.surface.vacuum, hop)
        placed.name = f"{system.name}: place"
        screened: list[Job] = []
        first = placed.output
        if system.placement.screened > system.placement.candidates:
            screened = self._screened(system, engine, placed)
            first = screened[-1].output
        candidates: list[Job] = []
        for number in range(system.placement.candidates):
            maker = engine.relax(study.relax.rough_fmax, study.relax.max_steps)
            maker.name = f"{system.name}: relax placement {number + 1}"
            candidates.append(maker.make(first[number]))
        chosen = lowest([candidate.output for candidate in candidates])
        chosen.name = f"{system.name}: choose placement"
        # To the endpoints' own tolerance, so that both start from one conformation of the fragment.
        maker = engine.relax(study.relax.fmax, study.relax.max_steps)
        maker.name = f"{system.name}: relax interface"
        interface = maker.make(chosen.output.structure)
        jobs = [placed, *screened, *candidates, chosen, interface]
        return Flow(jobs, output=interface.output, name=f"{system.name}: interface")

    def _screened(self, system: SystemSection, engine: Engine, placed: Job) -> list[Job]:
        """Evaluate each placement once, and choose the lowest in energy."""
        statics: list[Job] = []
        for number in range(system.placement.screened):
            maker = engine.static()
            maker.name = f"{system.name}: screen placement {number + 1}"
            statics.append(maker.make(placed.output[number]))
        lowest_ones = lowest_placements([static.output for static in statics], system.placement.candidates)
        lowest_ones.name = f"{system.name}: choose placements"
        return [*statics, lowest_ones]

    def _system(
        self,
        maker: BarrierMaker,
        system: SystemSection,
        base: Any,
        slab: Any,
        hops: list[Hop],
        guides: list[Any],
    ) -> tuple[list[Job | Flow], list[Flow], list[Any]]:
        """Relax each end state of a system once, and find the barrier of every hop in it.

        Returns all jobs, the flow of each hop's barrier, and the bands that guide systems with a fragment.
        """
        jobs: list[Job | Flow] = []
        ending: dict[EndState, list[Hop]] = {}
        for hop in hops:
            for state in (hop.initial, hop.final):
                ending.setdefault(state, []).append(hop)
        structures: dict[EndState, Any] = {}
        for state, here in ending.items():
            made = make_end(base, state, slab, here)
            made.name = f"{system.name}: {state.label}"
            structures[state] = made.output
            jobs.append(made)
        scout, bare = maker.scout(), system.fragment is None
        first = hop_barriers(scout or maker, structures, hops, slab, not bare, [{"guide": guide} for guide in guides])
        jobs += first.jobs
        bands = [flow.output.band for flow in first.barriers]
        if scout is None:
            return jobs, first.barriers, bands
        last = hop_barriers(maker, first.structures, hops, slab, not bare, [{"handed": band} for band in bands])
        return [*jobs, *last.jobs], last.barriers, bands
