"""What a study will do, before anything is computed: systems, atoms, hops, jobs, expected time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pymatgen.core import Structure

from barriers.documents import LatticeDoc
from barriers.engines import build_engine
from barriers.engines.base import Engine, NotHereError
from barriers.engines.surrogate import SurrogateEngine
from barriers.files.structures import read_endpoints
from barriers.structures.hop.hop import Hop, final_in_initial_order, make_endpoint
from barriers.structures.interface.contacts import image_distance
from barriers.study.models import EndpointStudy, Study, SystemSection
from barriers.workflow.barrier import BarrierMaker
from barriers.workflow.ensemble import Member, expand, members_of
from barriers.workflow.placements import Placed, fragment_of, placements_in, placements_of
from barriers.workflow.slab_and_hops import BuiltSlab, crystal_of
from barriers.workflow.verification import POINTS

CALLS = {
    "slab": 30,
    "screened": 1,
    "placement": 30,
    "interface": 50,
    "endpoint": 40,
    "images": 45,
    "foretold images": 15,
    "correction": 400,
    "single point at a saddle": 1,
}
"""Usual number of evaluations, as the main job takes them: of a slab, placement, interface or endpoint that is relaxed,
of an image of a band by a code, as it was with FIRE, or by a model; of a model for the correction of a hop."""


Described = tuple[Study | EndpointStudy, "BuiltStudy"]


@dataclass(frozen=True)
class BuiltStudy:
    """Structures a study starts from.

    Attributes
    ----------
    slab : BuiltSlab or None
        The bare slab; none where the study names its endpoints itself.
    hops : list[Hop]
        The hops, found on it.
    systems : dict[str, list[Structure]]
        First placements of each system; the slab itself for a bare one, both ends of a hop that the study names.
    """

    slab: BuiltSlab | None
    hops: list[Hop]
    systems: dict[str, list[Structure]]

    @property
    def structures(self) -> dict[str, Structure]:
        """Every structure by name, words with a blank between: slab, placements, endpoints of each hop as built."""
        if self.slab is None:
            ((initial, final),) = self.systems.values()
            return {"initial": initial, "final": final}
        built = {"slab": self.slab.structure}
        for name, candidates in self.systems.items():
            if candidates[0] is not self.slab.structure:
                built |= {f"{name} placement {number}": item for number, item in enumerate(candidates, 1)}
            for hop in self.hops:
                final = make_endpoint(candidates[0], hop.final)
                built[f"{name} {hop.name} initial"] = make_endpoint(candidates[0], hop.initial)
                built[f"{name} {hop.name} final"] = final_in_initial_order(final, hop)
        return built


@dataclass(frozen=True)
class SinglePoints:
    """What the expensive engine is asked for where a model's bands are corrected.

    Attributes
    ----------
    a_hop : int
        Most points of a hop, its ends included.
    instead_of : int
        Usual number of evaluations of the engine's own band and its ends.
    hours : float or None
        Expected time of all hops on this machine, if all points are taken; None where it is not known.
    """

    a_hop: int
    instead_of: int
    hours: float | None


@dataclass(frozen=True)
class Plan:
    """What a study starts from, and what it will cost.

    Attributes
    ----------
    built : BuiltStudy
        Its structures.
    jobs : dict[str, int]
        Number of jobs by kind.
    force_calls : int
        Expected evaluations, from :data:`CALLS`.
    seconds : float or None
        Expected time on this machine; None for a model without a known cost.
    points : SinglePoints or None
        Where the bands are a model's, corrected; evaluations and time above are the model's then.
    members : Mapping[str, BuiltStudy]
        Of an ensemble: what each member starts from, by its tag; ``built`` is the first.
    commands : tuple of str
        How a DFT code is started, and on how many processes.
    warnings : tuple of str
        What to look at in the engine's settings, and what this machine lacks to run it.
    lattice : LatticeDoc or None
        How the lattice was relaxed that the slab is cut from.
    """

    built: BuiltStudy
    jobs: dict[str, int]
    force_calls: int
    seconds: float | None
    points: SinglePoints | None = None
    members: Mapping[str, BuiltStudy] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lattice: LatticeDoc | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the plan as ``--json`` prints it."""
        slab = self.built.slab
        about = {} if slab is None else {"slab": self._slab(slab)}
        return about | {
            "systems": [self._system(name, first) for name, first in self.built.systems.items()],
            "hops": [hop.model_dump() for hop in self.built.hops],
            "jobs": self.jobs,
            "expected_force_calls": self.force_calls,
            "expected_seconds": None if self.seconds is None else round(self.seconds),
            **({} if self.points is None else {"single_points": asdict(self.points)}),
            **({"ensemble": self._ensemble()} if self.members else {}),
            **({"commands": list(self.commands)} if self.commands else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
            **({"lattice": self.lattice.model_dump(mode="json")} if self.lattice else {}),
        }

    @property
    def barriers(self) -> int:
        """Number of barriers: one for each system and hop."""
        return sum(len(built.systems) * max(1, len(built.hops)) for built in self.members.values() or [self.built])

    def _ensemble(self) -> dict[str, Any]:
        return {
            "barriers": self.barriers,
            "members": [
                {"tag": tag, "hops": [hop.model_dump() for hop in built.hops]}
                | ({} if built.slab is None else {"slab": self._slab(built.slab)})
                for tag, built in self.members.items()
            ],
        }

    def _slab(self, slab: BuiltSlab) -> dict[str, Any]:
        relaxed = self.lattice
        return {
            "formula": slab.structure.composition.formula,
            "atoms": len(slab.structure),
            "termination": slab.termination.label,
            "metals": slab.metals,
            "lattice": f"of {relaxed.engine.name}, from {relaxed.source}" if relaxed else slab.crystal.source,
            "image_distance": round(slab.image_distance, 3),
            **slab.measures(),
            "warnings": slab.warnings,
        }

    def _system(self, name: str, first: list[Structure]) -> dict[str, Any]:
        n_slab = len(first[0]) if self.built.slab is None else len(self.built.slab.structure)
        distances = [round(image_distance(placed, n_slab), 3) for placed in first if len(placed) > n_slab]
        return {
            "name": name,
            "formula": first[0].composition.formula,
            "atoms": len(first[0]),
            "placements": len(first),
            "image_distance": min(distances, default=None),
        }


def build_study(study: Study | EndpointStudy) -> BuiltStudy:
    """Build the slab of a study, its hops, and the first placements of each system. Needs no engine.

    Of an ensemble, those of its first member.

    Raises
    ------
    ValueError
        One line, if a structure cannot be built.
    """
    if isinstance(study, EndpointStudy):
        initial, final, _ = read_endpoints(study.endpoints.initial, study.endpoints.final)
        return BuiltStudy(None, [], {study.name: [initial, final]})
    return _built(members_of(study)[0])


def build_members(study: Study | EndpointStudy) -> dict[str, BuiltStudy]:
    """Do the same for each member of an ensemble, by its tag; a study that is none has an empty one."""
    if isinstance(study, EndpointStudy):
        return {"": build_study(study)}
    return {member.tag: _built(member) for member in members_of(study)}


def _built(member: Member) -> BuiltStudy:
    slab, vacuum = member.slab.structure, member.study.surface.vacuum
    placed: dict[Placed, list[Structure]] = {}
    systems = {}
    for system in member.study.systems:
        systems[system.name] = [slab]
        if (shared := placements_in(system)) is not None:
            if shared not in placed:
                placed[shared] = placements_of(slab, *shared, vacuum, member.anchor)
            systems[system.name] = placed[shared]
    return BuiltStudy(member.slab, member.hops, systems)


def check_engine(study: Study | EndpointStudy) -> None:
    """Check that the engines of a study can treat all its elements here, before anything is computed.

    Raises
    ------
    ValueError
        One line that says what is missing.
    """
    if isinstance(study, EndpointStudy):
        engines = [study.engine]
        initial, _, _ = read_endpoints(study.endpoints.initial, study.endpoints.final)
        elements = {element.symbol for element in initial.composition.elements}
    else:
        caps = {"hydroxyl": {"H"}, "fluorine": {"H", "F"}}.get(study.surface.polar, set())
        elements = {"Li", "O", *crystal_of(study.cathode).metals, *caps}
        fragments = [fragment_of(system.fragment) for system in study.systems if system.fragment is not None]
        elements.update(str(element) for fragment in fragments for element in fragment.molecule.composition)
        engines = [variant.study.engine for variant in expand(study) if variant.ordering == 1]
    for engine in map(build_engine, engines):
        engine.check(sorted(elements), study.path.n_images)
        if (scout := BarrierMaker(engine=engine, path=study.path).scout()) is not None:
            scout.engine.check(sorted(elements), study.path.n_images)


def make_plan(study: Study | EndpointStudy) -> Plan:
    """Build the structures of a study and count its work.

    Raises
    ------
    ValueError
        One line, if a structure cannot be built or a setting of the engine is wrong.
    """
    lacking = []
    try:
        check_engine(study)
    except NotHereError as error:  # a laptop may not have what the cluster has; a run is refused
        lacking = [f"not on this machine: {error}"]
    engine = build_engine(study.engine)
    members = build_members(study)
    described: list[Described] = [(study, built) for built in members.values()]
    if isinstance(study, Study):
        described = [(variant.study, members[variant.tag]) for variant in expand(study)]
    jobs, calls, seconds = zip(*(_work(*each) for each in described), strict=True)
    points = _single_points(described, engine) if isinstance(engine, SurrogateEngine) else None
    code: Any = engine.expensive if isinstance(engine, SurrogateEngine) else engine
    ways = code.running.plans(study.path.n_images) if hasattr(code, "running") else []
    warnings = lacking + (code.physics.warnings() if hasattr(code, "physics") else [])
    built, tagged = described[0][1], {} if "" in members else members
    total = dict(sum(jobs, Counter[str]()))
    return Plan(built, total, sum(calls), sum(seconds) or None, points, tagged, tuple(ways), tuple(warnings))


def _work(study: Study | EndpointStudy, built: BuiltStudy) -> tuple[Counter[str], int, float]:
    """Count the jobs of a study by kind; expected evaluations, and seconds on this machine, 0 where not known."""
    engine = build_engine(study.engine)
    if built.slab is None or isinstance(study, EndpointStudy):
        counted, total = {study.name: Counter(endpoint=2, band=1)}, Counter[str]()
    else:
        ends = len({state for hop in built.hops for state in (hop.initial, hop.final)})
        counted = {system.name: _jobs(study, system, len(built.hops), ends) for system in study.systems}
        total = Counter(slab=1)
        placed: set[Placed] = set()
        for system in study.systems:
            if (shared := placements_in(system)) in placed:
                del counted[system.name]["screened"], counted[system.name]["placement"]
            placed |= {shared} if shared else set()
    calls = total["slab"] * CALLS["slab"]
    seconds = engine.seconds_per_call(len(built.slab.structure), 1) * calls if built.slab else 0.0
    for name, jobs in counted.items():
        if isinstance(engine, SurrogateEngine):
            jobs["correction"] = max(1, len(built.hops))
        if study.neb.verify and study.engine.kind != "mlip":
            jobs["single point at a saddle"] = POINTS * max(1, len(built.hops))
        in_bands, alone = _calls(study, jobs)
        calls += in_bands + alone
        seconds += _seconds(engine, len(built.systems[name][0]), study.path.n_images, in_bands, alone)
    return sum(counted.values(), total), calls, seconds


def _single_points(described: list[Described], engine: SurrogateEngine) -> SinglePoints:
    """Say what is asked of the expensive engine."""
    seconds = sum(
        engine.expensive.seconds_per_call(len(first[0]), 1) * max(1, len(built.hops))
        for _, built in described
        for first in built.systems.values()
    )
    hours = seconds * engine.points / 3600
    plain = 2 * CALLS["endpoint"] + CALLS["images"] * described[0][0].path.n_images
    return SinglePoints(engine.points, plain, hours or None)


def _jobs(study: Study, system: SystemSection, hops: int, ends: int) -> Counter[str]:
    """Count a system's jobs by kind."""
    jobs = Counter(endpoint=ends, band=hops * (study.path.starts if system.fragment else 1))
    if system.fragment:
        placement = system.placement
        screened = placement.screened if placement.screened > placement.candidates else 0
        jobs += Counter(screened=screened, placement=placement.candidates, interface=1)
    return jobs


def _calls(study: Study | EndpointStudy, jobs: Counter[str]) -> tuple[int, int]:
    """Expected evaluations: of images that are evaluated together, and of structures alone."""
    by_model = study.engine.kind == "mlip" or study.engine.neb != "band"
    in_bands = CALLS["foretold images" if by_model else "images"] * study.path.n_images * jobs["band"]
    return in_bands, sum(CALLS[kind] * number for kind, number in jobs.items() if kind != "band")


def _seconds(engine: Engine, atoms: int, images: int, in_bands: int, alone: int) -> float:
    return engine.seconds_per_call(atoms, images) * in_bands + engine.seconds_per_call(atoms, 1) * alone
