"""Makers that join the rooms: endpoints → path → NEB → barrier → study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from barriers.building import build_slab, crystal_of, hops_of
from barriers.construction import lowest, lowest_placements, make_end, make_slab, order_final, place_fragment
from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.engines.mlip import MlipEngine
from barriers.results import barrier_document, study_document
from barriers.structures.hop.hop import EndState, Hop
from barriers.structures.path.start import plain_start, plan_starts
from barriers.study import NebSection, PathSection, RelaxSection, Study, SystemSection


@dataclass
class BarrierMaker(Maker):
    """The barrier of one hop in one system.

    1. Relax both endpoints.
    2. Make the first bands: one for a bare slab, several where a fragment makes several paths likely.
    3. Converge each with climbing-image NEB, unless it falls onto the path of an earlier one.
    4. Read the barrier off the lowest path, and report how many distinct paths there were.

    Attributes
    ----------
    name : str
        Name of the flow and of the system in its result.
    engine : Engine
        What gives energies and forces.
    relax, path, neb : RelaxSection, PathSection, NebSection
        Settings, as in a study file.

    Examples
    --------
    >>> flow = BarrierMaker(engine=MlipEngine(model="emt")).make(initial, final)  # doctest: +SKIP
    >>> flow.output  # a reference to the BarrierDoc  # doctest: +SKIP
    """

    name: str = "barrier"
    engine: Engine = field(default_factory=MlipEngine)
    relax: RelaxSection = field(default_factory=RelaxSection)
    path: PathSection = field(default_factory=PathSection)
    neb: NebSection = field(default_factory=NebSection)

    def make(self, initial: Structure, final: Structure) -> Flow:
        """Build the flow from two unrelaxed endpoints, same atoms in the same order.

        Parameters
        ----------
        initial, final : Structure
            Endpoints; frozen atoms in the site property ``selective_dynamics``.
        """
        ends = [self.relax_endpoint(structure, which) for which, structure in (("initial", initial), ("final", final))]
        barrier = self.between(ends[0].output, ends[1].output)
        return Flow([*ends, barrier], output=barrier.output, name=self.name)

    def relax_endpoint(self, structure: Any, which: str) -> Job:
        """Relax one endpoint to the tolerance of endpoints."""
        maker = self.engine.relax(self.relax.fmax, self.relax.max_steps)
        maker.name = f"{self.name}: relax {which}"
        return maker.make(structure)

    def between(
        self,
        initial: Any,
        final: Any,
        *,
        hop: Hop | None = None,
        slab: Any = None,
        has_fragment: bool = False,
        guide: Any = None,
    ) -> Flow:
        """Build the flow from two relaxed endpoints.

        Parameters
        ----------
        initial, final : RelaxDoc
            Relaxed endpoints.
        hop : Hop or None
            The hop, as it is recorded in the result.
        slab : Structure or None
            The bare slab as it was built, which two barriers must share to be compared.
        has_fragment : bool
            Whether a fragment makes several paths likely.
        guide : BandDoc or None
            The bare slab's converged band of the same hop.
        """
        path = self.path
        plain = plain_start(path.n_images, path.method, path.min_distance, hop)
        starts = plan_starts(plain, path.starts, has_fragment, guide is not None, path.displacement, path.seed)
        label = f"{self.name} {hop.name}" if hop else self.name
        bands: list[Job] = []
        for start in starts:
            maker = self.engine.neb(**self.neb.model_dump())
            maker.name = f"{label}: band {start.name}"
            known = [band.output for band in bands]
            bands.append(maker.make(initial, final, start, guide if start.method == "carried" else None, known))
        barrier = barrier_document([band.output for band in bands], initial, final, self.name, hop, slab)
        barrier.name = f"{label}: barrier"
        return Flow([*bands, barrier], output=barrier.output, name=label)


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

    def make(self, study: Study) -> Flow:
        """Build the flow of a study.

        Parameters
        ----------
        study : Study
            What :func:`barriers.load_study` gives.
        """
        crystal = crystal_of(study.cathode)
        built = build_slab(crystal, study.cathode, study.surface)
        hops = hops_of(built.structure, study.hops)
        engine = build_engine(study.engine)
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
            flows, barriers[system.name] = self._system(study, system, engine, base, slab.output, hops, guides)
            jobs += flows
            if system.fragment is None:
                # An added ion is the last atom, so it has another number in each system.
                guides = [
                    None if hop.moving is None else flow.output.band
                    for hop, flow in zip(hops, barriers[system.name], strict=True)
                ]
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
        study: Study,
        system: SystemSection,
        engine: Engine,
        base: Any,
        slab: Any,
        hops: list[Hop],
        guides: list[Any],
    ) -> tuple[list[Job | Flow], list[Flow]]:
        """Relax each end state of a system once, and find the barrier of every hop in it."""
        maker = BarrierMaker(name=system.name, engine=engine, relax=study.relax, path=study.path, neb=study.neb)
        jobs: list[Job | Flow] = []
        ending: dict[EndState, list[Hop]] = {}
        for hop in hops:
            for state in (hop.initial, hop.final):
                ending.setdefault(state, []).append(hop)
        ends: dict[EndState, Job] = {}
        for state, here in ending.items():
            made = make_end(base, state, slab, here)
            made.name = f"{system.name}: {state.label}"
            ends[state] = maker.relax_endpoint(made.output, state.label)
            jobs += [made, ends[state]]
        flows = []
        for hop, guide in zip(hops, guides, strict=True):
            final = order_final(ends[hop.final].output, hop)
            final.name = f"{system.name} {hop.name}: final endpoint"
            flows.append(
                maker.between(
                    ends[hop.initial].output,
                    final.output,
                    hop=hop,
                    slab=slab,
                    has_fragment=system.fragment is not None,
                    guide=guide,
                )
            )
            jobs += [final, flows[-1]]
        return jobs, flows
