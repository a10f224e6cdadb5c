"""Makers that join the rooms: endpoints → path → NEB → barrier → study."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from barriers.construction import (
    build_slab,
    hop_of,
    lowest,
    make_vacancy,
    order_final,
    place_fragment,
    slab_of,
)
from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.engines.mlip import MlipEngine
from barriers.results import barrier_document, study_document
from barriers.structure_files import read_endpoints
from barriers.structures.hop import Hop
from barriers.structures.start import Start, plan_starts
from barriers.study import EndpointStudy, NebSection, PathSection, RelaxSection, Study, SystemSection


@dataclass
class BarrierMaker(Maker):
    """The barrier of one hop in one system.

    1. Relax both endpoints.
    2. Make the first bands: one for a bare slab, several where a fragment makes several paths likely. With
       ``path.from_ = "mlip"``, steps 1 to 4 are done with the embedded engine first: its endpoints are relaxed
       further, and its lowest path is the one first band.
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
        jobs: list[Job | Flow] = []
        given, handed = [initial, final], None
        if (scout := self.scout()) is not None:
            ahead = scout.make(initial, final)
            jobs.append(ahead)
            given, handed = [job.output.structure for job in ahead.jobs[:2]], ahead.output.band
        ends = [self.relax_endpoint(*end) for end in zip(given, ("initial", "final"), strict=True)]
        barrier = self.between(ends[0].output, ends[1].output, handed=handed)
        return Flow([*jobs, *ends, barrier], output=barrier.output, name=self.name)

    def scout(self) -> BarrierMaker | None:
        """Maker that goes ahead with the embedded engine; None where the path does not come from there."""
        if self.path.from_ != "mlip" or isinstance(self.engine, MlipEngine):
            return None
        path = self.path.model_copy(update={"from_": "idpp"})
        return replace(self, name=f"mlip: {self.name}", engine=MlipEngine(), path=path)

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
        handed: Any = None,
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
        handed : BandDoc or None
            The embedded engine's lowest band of the same hop in the same system: the one first band then.
        """
        starts = self._starts(has_fragment, guide is not None) if handed is None else [self._carried()]
        guide = guide if handed is None else handed
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

    def _starts(self, has_fragment: bool, guided: bool) -> list[Start]:
        path = self.path
        starts = plan_starts(path.n_images, path.starts, has_fragment, guided, path.displacement, path.seed)
        if path.from_ != "linear":
            return starts
        return [start.model_copy(update={"method": "linear"}) if start.method == "idpp" else start for start in starts]

    def _carried(self) -> Start:
        return Start(method="carried", n_images=self.path.n_images)


@dataclass
class StudyMaker(Maker):
    """All systems and hops of a study.

    1. Build the slab and relax it once.
    2. For each fragment: place it in several ways, relax each roughly, relax the lowest fully.
    3. For each system: relax each vacancy once; two of them are the endpoints of a hop.
    4. For each system and hop: the barrier, in systems with a fragment also from the bare slab's path.
    5. Compare.

    With ``path: {from: mlip}`` and a dearer engine, steps 1 to 4 are done with the embedded engine; the engine of the
    study then relaxes the endpoints further and converges each hop's lowest path.

    A study of two endpoints has one barrier (:class:`BarrierMaker`).

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
        slab = slab_of(study.cathode, study.surface)
        hops = [hop_of(slab, section) for section in study.hops]
        final_engine = build_engine(study.engine)
        first = BarrierMaker(engine=final_engine, path=study.path).scout()
        engine = final_engine if first is None else first.engine
        built = build_slab(study.cathode, study.surface)
        relaxed = engine.relax(study.relax.rough_fmax, study.relax.max_steps)
        relaxed.name = "slab: relax"
        relaxed_slab = relaxed.make(built.output)
        jobs: list[Job | Flow] = [built, relaxed_slab]
        barriers: dict[str, list[Flow]] = {}
        guides: list[Any] = [None] * len(hops)
        for system in sorted(study.systems, key=lambda system: system.fragment is not None):
            base = relaxed_slab.output
            if system.fragment is not None:
                interface = self._interface(study, system, engine, base, hops[0])
                jobs.append(interface)
                base = interface.output
            maker = BarrierMaker(system.name, final_engine, study.relax, study.path, study.neb)
            flows, barriers[system.name], bands = self._system(maker, system, base, built.output, hops, guides)
            jobs += flows
            if system.fragment is None:
                guides = bands
        outputs = [flow.output for name in study.system_names for flow in barriers[name]]
        summary = study_document(study.name, outputs, study.reference, study.comparison.barrier)
        return Flow([*jobs, summary], output=summary.output, name=self.name or study.name)

    def _interface(self, study: Study, system: SystemSection, engine: Engine, slab: Any, hop: Hop) -> Flow:
        """Relax several placements of a fragment and keep the lowest."""
        placed = place_fragment(slab.structure, system.fragment, system.placement, study.surface.vacuum, hop)
        placed.name = f"{system.name}: place"
        candidates: list[Job] = []
        for number in range(system.placement.candidates):
            maker = engine.relax(study.relax.rough_fmax, study.relax.max_steps)
            maker.name = f"{system.name}: relax placement {number + 1}"
            candidates.append(maker.make(placed.output[number]))
        chosen = lowest([candidate.output for candidate in candidates])
        chosen.name = f"{system.name}: choose placement"
        # To the endpoints' own tolerance, so that both start from one conformation of the fragment.
        maker = engine.relax(study.relax.fmax, study.relax.max_steps)
        maker.name = f"{system.name}: relax interface"
        interface = maker.make(chosen.output.structure)
        return Flow([placed, *candidates, chosen, interface], output=interface.output, name=f"{system.name}: interface")

    def _system(
        self,
        maker: BarrierMaker,
        system: SystemSection,
        base: Any,
        slab: Any,
        hops: list[Hop],
        guides: list[Any],
    ) -> tuple[list[Job | Flow], list[Flow], list[Any]]:
        """Relax each vacancy of a system once, and find the barrier of every hop in it.

        Returns all jobs, the flow of each hop's barrier, and the bands that guide systems with a fragment.
        """
        jobs: list[Job | Flow] = []
        structures: dict[int, Any] = {}
        for index in dict.fromkeys(index for hop in hops for index in (hop.target, hop.moving)):
            made = make_vacancy(base, index)
            made.name = f"{system.name}: vacancy {index}"
            structures[index] = made.output
            jobs.append(made)
        has_fragment = system.fragment is not None
        scout = maker.scout()
        if scout is None:
            flows = self._hops(maker, structures, hops, slab, has_fragment, guides, jobs)
            return jobs, flows, [flow.output.band for flow in flows]
        ahead = self._hops(scout, structures, hops, slab, has_fragment, guides, jobs)
        bands = [flow.output.band for flow in ahead]
        flows = self._hops(maker, structures, hops, slab, has_fragment, bands, jobs, handed=True)
        return jobs, flows, bands

    def _hops(
        self,
        maker: BarrierMaker,
        structures: dict[int, Any],
        hops: list[Hop],
        slab: Any,
        has_fragment: bool,
        guides: list[Any],
        jobs: list[Job | Flow],
        *,
        handed: bool = False,
    ) -> list[Flow]:
        """Relax the vacancies, which leaves them relaxed in ``structures``, and find the barrier of every hop."""
        vacancies = {index: maker.relax_endpoint(item, f"vacancy {index}") for index, item in structures.items()}
        jobs += vacancies.values()
        flows = []
        for hop, guide in zip(hops, guides, strict=True):
            final = order_final(vacancies[hop.moving].output, hop)
            final.name = f"{maker.name} {hop.name}: final endpoint"
            band = {"handed": guide} if handed else {"guide": guide}
            flow = maker.between(
                vacancies[hop.target].output, final.output, hop=hop, slab=slab, has_fragment=has_fragment, **band
            )
            flows.append(flow)
            jobs += [final, flow]
        structures.update({index: vacancy.output.structure for index, vacancy in vacancies.items()})
        return flows


def pair_flow(maker: BarrierMaker, initial: Structure, final: Structure, warnings: list[str], name: str = "") -> Flow:
    """Build the flow of a study of one barrier, between two structures.

    Parameters
    ----------
    maker : BarrierMaker
        Engine and settings.
    initial, final : Structure
        Endpoints as :func:`~barriers.structure_files.read_endpoints` gives them, with its warnings.
    warnings : list[str]
        What was noticed when they were read.
    name : str
        Name of the study; that of the maker if left empty.
    """
    barrier = maker.make(initial, final)
    summary = study_document(name or maker.name, [barrier.output], maker.name, "forward", warnings)
    return Flow([barrier, summary], output=summary.output, name=name or maker.name)
