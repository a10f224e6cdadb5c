"""What a study will cost: its jobs by kind, and their usual number of evaluations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from barriers.analysis.partial import POINTS
from barriers.engines import build_engine
from barriers.engines.protocol import Engine
from barriers.engines.surrogate import SurrogateEngine
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.study.models import EndpointStudy, Study, SystemSection
from barriers.workflow.built import BuiltStudy
from barriers.workflow.placements import Placed, placements_in

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
    "fragment alone": 20,
    "displacement": 1,
    "density": 3,
}
"""Usual number of evaluations, as the main job takes them: of a slab, placement, interface or endpoint that is relaxed,
of an image of a band by a code, as it was with FIRE, or by a model; of a model for the correction of a hop; of a
fragment alone in a box; of a density, slab and fragment alone in."""


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
    beside : int
        Usual number of its evaluations for energies and rates beside all barriers.
    """

    a_hop: int
    instead_of: int
    hours: float | None
    beside: int = 0


Described = tuple[AnyStudy, BuiltStudy]


def work_of(study: AnyStudy, built: BuiltStudy) -> tuple[Counter[str], int, float]:
    """Count the jobs of a study by kind; expected evaluations, and seconds on this machine, 0 where not known."""
    engine = build_engine(study.engine)
    if built.slab is None or isinstance(study, EndpointStudy):
        counted, total = {study.name: Counter(endpoint=2, band=1)}, Counter[str]()
    else:
        ends = len({state for hop in built.hops for state in (hop.initial, hop.final)})
        counted = {system.name: _jobs(study, system, len(built.hops), ends) for system in study.systems}
        total = Counter({built.slab.word: 1})
        placed: set[Placed] = set()
        for system in study.systems:
            if (shared := placements_in(system)) in placed:
                del counted[system.name]["screened"], counted[system.name]["placement"]
            placed |= {shared} if shared else set()
    calls = total.total() * CALLS["slab"]
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


def single_points(described: list[Described], engine: SurrogateEngine) -> SinglePoints:
    """Say what is asked of the expensive engine."""
    seconds = sum(
        engine.expensive.seconds_per_call(len(first[0]), 1) * max(1, len(built.hops))
        for _, built in described
        for first in built.systems.values()
    )
    hours = seconds * engine.points / 3600
    plain = 2 * CALLS["endpoint"] + CALLS["images"] * described[0][0].path.n_images
    beside = sum(_evaluations_beside(study, len(built.hops)) for study, built in described if isinstance(study, Study))
    return SinglePoints(engine.points, plain, hours or None, beside)


def _evaluations_beside(study: Study, hops: int) -> int:
    """Expected evaluations of the expensive engine for energies and rates; it relaxes what the model found, too."""
    jobs = sum((_beside(study, system, hops) for system in study.systems), Counter[str]())
    if jobs["fragment alone"]:
        jobs += Counter(slab=1, interface=jobs["fragment alone"] // 2)
    return sum(CALLS[kind] * number for kind, number in jobs.items())


def _jobs(study: Study | CrystalStudy, system: SystemSection, hops: int, ends: int) -> Counter[str]:
    """Count a system's jobs by kind."""
    jobs = Counter(endpoint=ends, band=hops * (study.path.starts if system.fragment else 1))
    if system.fragment:
        placement = system.placement
        screened = placement.screened if placement.screened > placement.candidates else 0
        jobs += Counter(screened=screened, placement=placement.candidates, interface=1)
    return jobs + (Counter() if study.engine.neb != "band" else _beside(study, system, hops))


def _beside(study: Study | CrystalStudy, system: SystemSection, hops: int) -> Counter[str]:
    """Count a system's jobs for energies and rates: work of the study's own engine."""
    alone = 2 if system.fragment and study.energetics and study.energetics.adsorption else 0
    densities = study.electrons.interfaces + 3 * hops * study.electrons.bands if study.electrons else 0
    return Counter({"fragment alone": alone, "displacement": 12 * hops if study.kinetics else 0, "density": densities})


def _calls(study: AnyStudy, jobs: Counter[str]) -> tuple[int, int]:
    """Expected evaluations: of images that are evaluated together, and of structures alone."""
    by_model = study.engine.kind == "mlip" or study.engine.neb != "band"
    in_bands = CALLS["foretold images" if by_model else "images"] * study.path.n_images * jobs["band"]
    return in_bands, sum(CALLS[kind] * number for kind, number in jobs.items() if kind != "band")


def _seconds(engine: Engine, atoms: int, images: int, in_bands: int, alone: int) -> float:
    return engine.seconds_per_call(atoms, images) * in_bands + engine.seconds_per_call(atoms, 1) * alone
