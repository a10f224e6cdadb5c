"""The maker of one barrier: endpoints → path → NEB → barrier."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

from jobflow import Flow, Job, Maker
from pymatgen.core import Structure

from barriers.engines.mlip import MlipEngine
from barriers.engines.mlip.jobs import NebMaker
from barriers.engines.protocol import Engine, require_engine
from barriers.engines.surrogate import SurrogateEngine
from barriers.structures.hop.hop import Hop
from barriers.structures.path.start import Start, plain_start, plan_starts
from barriers.structures.path.twin import twin_of
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.comparison_job import study_document
from barriers.workflow.engine import finder_of
from barriers.workflow.keywords import Settings, check_keywords, settings_of
from barriers.workflow.labels import BARRIER, despite_failures, label
from barriers.workflow.result_jobs import barrier_document
from barriers.workflow.surrogate import corrected_band, corrected_end
from barriers.workflow.verification import verification


@dataclass
class BarrierMaker(Maker):
    """The barrier of one hop in one system.

    1. Relax both endpoints.
    2. Make the first bands: one for a bare slab, several where a fragment makes several paths likely. With
       ``path.from_ = "mlip"``, steps 1 to 4 are done with the embedded engine first: its endpoints are relaxed
       further, and its lowest path is the one first band. With a :class:`~barriers.SurrogateEngine` they are done with
       its model first: endpoints and saddle are then corrected at single points of the expensive engine.
    3. Converge each with climbing-image NEB, unless it falls onto the path of an earlier one.
    4. Read the barrier off the lowest path, and report how many distinct paths there were.

    Attributes
    ----------
    name : str
        Name of the flow and of the system in its result.
    engine : Engine
        What gives energies and forces.
    relax, path, neb : RelaxSection, PathSection, NebSection or None
        Settings, as in a study file; the defaults with the keywords below if None.
    scouts_for : str
        Name of the system, for a maker that finds its path with the embedded engine first (:meth:`scout`).
    fmax : float or None
        Largest force (eV/Å) of both the relaxed endpoints and the converged band: ``relax.fmax`` and ``neb.fmax``.
    rough_fmax : float or None
        Largest force on the plain band where climbing starts (eV/Å), ``neb.rough_fmax``; at least ``fmax`` if None.
    max_steps : int or None
        Most steps in one run of a relaxation and of a band: ``relax.max_steps`` and ``neb.max_steps``.
    spring : float or None
        Spring constant (eV/Å²), ``neb.spring``.
    n_images, starts : int or None
        Intermediate images, and first bands where a fragment makes several paths likely: ``path.n_images``,
        ``path.starts``.

    Raises
    ------
    TypeError
        If a keyword is not known.
    ValueError
        If a value does not fit, a keyword stands beside the section that it belongs to, or the engine is none.

    Examples
    --------
    >>> flow = BarrierMaker(engine=MlipEngine(model="emt"), fmax=0.03).make(initial, final)  # doctest: +SKIP
    >>> flow.output  # a reference to the BarrierDoc  # doctest: +SKIP
    """

    name: str = "barrier"
    engine: Engine = field(default_factory=MlipEngine)
    relax: RelaxSection | None = None
    path: PathSection | None = None
    neb: NebSection | None = None
    scouts_for: str = ""
    fmax: float | None = None
    rough_fmax: float | None = None
    max_steps: int | None = None
    spring: float | None = None
    n_images: int | None = None
    starts: int | None = None

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """Refuse a keyword that is not known, before Python does without naming the closest."""
        check_keywords(cls.__name__, given, cls.__dataclass_fields__)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Refuse what cannot be used as soon as it is said."""
        require_engine(self.engine, for_barriers=True)
        neb, engine = settings_of(self).neb, type(self.engine).__name__
        if neb.refine and not isinstance(self.engine, MlipEngine):
            raise ValueError(f"neb.refine: 'saddle' is not for {engine}; allowed: None, or engine=MlipEngine(…)")
        if neb.verify and isinstance(self.engine, SurrogateEngine):
            raise ValueError(f"neb.verify: True is not for {engine}; allowed: None, or the expensive engine alone")
        if neb.verify is False and isinstance(self.engine, MlipEngine) and not self.scouts_for:
            raise ValueError(f"neb.verify: False is not for {engine}, which always does; allowed: None, True")

    @property
    def settings(self) -> Settings:
        """The three sections, plain keywords in them."""
        return settings_of(self)

    def make(self, initial: Structure, final: Structure) -> Flow:
        """Build the flow from two unrelaxed endpoints, same atoms in the same order.

        Parameters
        ----------
        initial, final : Structure
            Endpoints; frozen atoms in the site property ``selective_dynamics``.
        """
        jobs: list[Job | Flow] = []
        given, scouted = [initial, final], None
        if (scout := self.scout()) is not None:
            scouting = scout.make(initial, final)
            jobs.append(scouting)
            given, scouted = [job.output for job in scouting.jobs[:2]], scouting.output.band
        if isinstance(self.engine, SurrogateEngine) and (twin := twin_of(initial, final)) is not None:
            most = self.engine.rounds_of_twins()
            first = self.relax_endpoint(given[0], "initial", most=most[0])
            last = self.relax_endpoint(given[1], "final", (first.output, twin), most[1])
        else:
            first, last = (self.relax_endpoint(*end) for end in zip(given, ("initial", "final"), strict=True))
        ends = [first, last]
        barrier = self.between(first.output, last.output, scouted=scouted)
        return Flow([*jobs, *ends, barrier], output=barrier.output, name=self.name)

    def scout(self) -> BarrierMaker | None:
        """Maker that finds the path with the embedded engine first; None where it does not come from there."""
        path = self.settings.path
        if (finds := finder_of(self.engine, path)) is None:
            return None
        plain = path.model_copy(update={"from_": "idpp" if path.from_ == "mlip" else path.from_})
        name = f"mlip: {self.name}"
        return replace(self, name=name, engine=finds, path=plain, n_images=None, starts=None, scouts_for=self.name)

    def label(self, job: Job, does: str, hop: Hop | None = None) -> Job:
        """Name a job after the system, the hop and what it does, and note them in its metadata."""
        whom = f"{self.name} {hop.name}" if hop else self.name
        return label(job, f"{whom}: {does}", self.scouts_for or self.name, hop.name if hop else "")

    def relax_endpoint(
        self,
        structure: Any,
        which: str,
        twin: tuple[Any, ...] = (),
        most: int | None = None,
        follows: bool = False,
    ) -> Job | Flow:
        """Relax one endpoint to the tolerance of endpoints.

        Parameters
        ----------
        structure : Structure, or RelaxDoc where the path is found with the embedded engine first
            As made, or as that relaxed it.
        which : str
            Its name.
        twin : (EndDoc, Twin)
            The other end on the corrected surface, and how it is the same; empty where it is not.
        most : int or None
            Most points of a corrected one; those of any end if None.
        follows : bool
            Whether its atoms were moved as those of another system's relaxed endpoint.
        """
        settings = self.settings.relax
        if isinstance(self.engine, SurrogateEngine):
            return corrected_end(self.engine, settings, structure, which, self.label, twin, most)
        start = structure if self.scout() is None else structure.structure
        maker = self.engine.relax(settings.fmax, settings.max_steps)
        if isinstance(self.engine, MlipEngine):
            maker = replace(maker, end_state=True, rattles=not follows)
        return self.label(maker.make(start), f"relax {which}")

    def between(
        self,
        initial: Any,
        final: Any,
        *,
        hop: Hop | None = None,
        has_fragment: bool = False,
        guide: Any = None,
        scouted: Any = None,
    ) -> Flow:
        """Build the flow from two relaxed endpoints.

        Parameters
        ----------
        initial, final : RelaxDoc
            Relaxed endpoints.
        hop : Hop or None
            The hop, as it is recorded in the result.
        has_fragment : bool
            Whether a fragment makes several paths likely.
        guide : BandDoc or None
            The bare slab's converged band of the same hop.
        scouted : BandDoc or None
            The embedded engine's lowest band of the same hop in the same system: the one first band then.
        """
        starts = self._starts(hop, has_fragment, guide is not None, scouted is not None)
        guide = guide if scouted is None else scouted
        if isinstance(self.engine, SurrogateEngine):
            bands, ends = corrected_band(
                self.engine, self.settings, (scouted, initial, final), starts[0], partial(self.label, hop=hop)
            )
            return self._barrier(bands, [bands[-1].output], *ends, hop)
        bands, maker = [], self._band_maker()
        for start in starts:
            known = [band.output for band in bands]
            given = guide if start.method == "carried" else None
            band = maker.make(initial, final, start, given, known)
            bands.append(self.label(band, f"band {start.name}", hop))
        outputs, verified = [band.output for band in bands], []
        if self.settings.neb.verify and not isinstance(self.engine, MlipEngine):
            jobs, found = verification(self.engine, outputs, hop, partial(self.label, hop=hop))
            bands, verified = [*bands, *jobs], [found]
        return self._barrier(bands, outputs, initial, final, hop, *verified)

    def _band_maker(self) -> Any:
        maker, neb = self.engine.neb(**self.settings.neb.of_band), self.settings.neb
        return replace(maker, refine=True) if neb.refine and isinstance(maker, NebMaker) else maker

    def _barrier(
        self, jobs: list[Job], bands: list[Any], initial: Any, final: Any, hop: Hop | None, *verified: Any
    ) -> Flow:
        """Read the barrier off the lowest of the bands that jobs give."""
        barrier = barrier_document(bands, initial, final, self.name, hop, *verified)
        self.label(barrier, "lowest band" if self.scouts_for else BARRIER, hop)
        name = f"{self.name} {hop.name}" if hop else self.name
        return Flow([*jobs, barrier], output=barrier.output, name=name)

    def _starts(self, hop: Hop | None, has_fragment: bool, guided: bool, scouted: bool) -> list[Start]:
        path = self.settings.path
        plain = plain_start(path.n_images, "linear" if path.from_ == "linear" else "idpp", path.min_distance, hop)
        if scouted:
            return [plain.model_copy(update={"method": "carried"})]
        return plan_starts(plain, path.starts, has_fragment, guided, path.displacement, path.seed)


def pair_flow(maker: BarrierMaker, initial: Structure, final: Structure, warnings: list[str], name: str = "") -> Flow:
    """Build the flow of a study of one barrier, between two structures.

    Parameters
    ----------
    maker : BarrierMaker
        Engine and settings.
    initial, final : Structure
        Endpoints as :func:`~barriers.files.structures.read_endpoints` gives them, with its warnings.
    warnings : list[str]
        What was noticed when they were read.
    name : str
        Name of the study; that of the maker if left empty.
    """
    barrier = maker.make(initial, final)
    study_name, wanted = name or maker.name, [(maker.name, "")]
    summary = study_document(study_name, [barrier.output], maker.name, "forward", warnings, wanted=wanted)
    despite_failures(label(summary, f"{study_name}: comparison"))
    return Flow([barrier, summary], output=summary.output, name=name or maker.name)
