"""The maker of one barrier: endpoints → path → NEB → barrier; and of all barriers of one system."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from barriers.construction import order_final
from barriers.engines.base import Engine
from barriers.engines.mlip import MlipEngine
from barriers.results import barrier_document, study_document
from barriers.structures.hop.hop import EndState, Hop
from barriers.structures.path.start import Start, plain_start, plan_starts
from barriers.study import NebSection, PathSection, RelaxSection


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
        starts = self._starts(hop, has_fragment, guide is not None, handed is not None)
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

    def _starts(self, hop: Hop | None, has_fragment: bool, guided: bool, handed: bool) -> list[Start]:
        path = self.path
        plain = plain_start(path.n_images, "linear" if path.from_ == "linear" else "idpp", path.min_distance, hop)
        if handed:
            return [plain.model_copy(update={"method": "carried"})]
        return plan_starts(plain, path.starts, has_fragment, guided, path.displacement, path.seed)


@dataclass(frozen=True)
class HopBarriers:
    """What :func:`hop_barriers` makes: all jobs, the flow of each hop's barrier, the relaxed end states."""

    jobs: list[Job | Flow]
    barriers: list[Flow]
    structures: dict[EndState, Any]


def hop_barriers(
    maker: BarrierMaker,
    structures: dict[EndState, Any],
    hops: list[Hop],
    slab: Any,
    has_fragment: bool,
    bands: list[dict[str, Any]],
) -> HopBarriers:
    """Relax each end state of a system once, and find the barrier of every hop in it.

    Parameters
    ----------
    maker : BarrierMaker
        Engine and settings; its name is the system's.
    structures : dict[EndState, Structure]
        The system in each end state of a hop.
    hops : list[Hop]
        The hops.
    slab : Structure
        The bare slab as it was built.
    has_fragment : bool
        Whether a fragment makes several paths likely.
    bands : list[dict]
        For each hop, the band that leads it, as a keyword of :meth:`BarrierMaker.between`.
    """
    ends = {state: maker.relax_endpoint(item, state.label) for state, item in structures.items()}
    jobs: list[Job | Flow] = [*ends.values()]
    barriers = []
    for hop, band in zip(hops, bands, strict=True):
        initial, final = ends[hop.initial].output, order_final(ends[hop.final].output, hop)
        final.name = f"{maker.name} {hop.name}: final endpoint"
        barriers.append(maker.between(initial, final.output, hop=hop, slab=slab, has_fragment=has_fragment, **band))
        jobs += [final, barriers[-1]]
    relaxed = {state: end.output.structure for state, end in ends.items()}
    return HopBarriers(jobs, barriers, relaxed)


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
