"""What a study will do, before anything is computed: systems, atoms, hops, jobs, expected time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from barriers.construction import hop_of, placements_of, slab_of
from barriers.engines import build_engine
from barriers.engines.base import Engine
from barriers.makers import BarrierMaker
from barriers.structure_files import read_endpoints
from barriers.structures.cathode import known_cathodes
from barriers.structures.hop import Hop, endpoint, final_in_initial_order
from barriers.structures.polymer import build_fragment
from barriers.study import EndpointStudy, Study

CALLS = {"slab": 30, "placement": 40, "interface": 70, "endpoint": 40, "images": 28}
"""Usual number of evaluations in a relaxation of slab, placement, interface or endpoint, and for an image of a band."""


@dataclass(frozen=True)
class Plan:
    """Structures a study starts from, and what it will cost.

    Attributes
    ----------
    slab : Structure
        The bare slab.
    hops : list[Hop]
        The hops, found on it.
    systems : dict[str, list[Structure]]
        First placements of each system; the slab itself for a bare one.
    jobs : dict[str, int]
        Number of jobs by kind.
    force_calls : int
        Expected evaluations, from :data:`CALLS`.
    seconds : float or None
        Expected time on this machine; None for a model without a known cost.
    """

    slab: Structure
    hops: list[Hop]
    systems: dict[str, list[Structure]]
    jobs: dict[str, int]
    force_calls: int
    seconds: float | None

    def as_json(self) -> dict[str, Any]:
        """Give the plan as ``--json`` prints it."""
        return {
            "slab": {"formula": self.slab.composition.formula, "atoms": len(self.slab)},
            "systems": [
                {
                    "name": name,
                    "formula": first[0].composition.formula,
                    "atoms": len(first[0]),
                    "placements": len(first),
                }
                for name, first in self.systems.items()
            ],
            "hops": [hop.model_dump() for hop in self.hops],
            "jobs": self.jobs,
            "expected_force_calls": self.force_calls,
            "expected_seconds": None if self.seconds is None else round(self.seconds),
        }


def check_engine(study: Study | EndpointStudy) -> None:
    """Check that the engines of a study can treat all its elements here, before anything is computed.

    Raises
    ------
    ValueError
        One line that says what is missing.
    """
    engine = build_engine(study.engine)
    if isinstance(study, EndpointStudy):
        initial, _, _ = read_endpoints(study.endpoints.initial, study.endpoints.final)
        elements = {element.symbol for element in initial.composition.elements}
    else:
        fragments = [system.fragment for system in study.systems if system.fragment is not None]
        molecules = [build_fragment(part.polymer, part.units, part.eliminate) for part in fragments]
        elements = {"Li", "O", *known_cathodes()[study.cathode.name].metals}
        elements.update(symbol for molecule in molecules for symbol in map(str, molecule.molecule.species))
    engine.check(sorted(elements), study.path.n_images)
    if (scout := BarrierMaker(engine=engine, path=study.path).scout()) is not None:
        scout.engine.check(sorted(elements), study.path.n_images)


def make_plan(study: Study | EndpointStudy) -> Plan:
    """Build the structures of a study and count its work.

    Raises
    ------
    ValueError
        One line, if a structure cannot be built or the engine cannot run here.
    """
    check_engine(study)
    engine = build_engine(study.engine)
    if isinstance(study, EndpointStudy):
        return _plan_of_endpoints(study, engine)
    slab = slab_of(study.cathode, study.surface)
    hops = [hop_of(slab, section) for section in study.hops]
    systems = {
        system.name: [slab]
        if system.fragment is None
        else placements_of(slab, system.fragment, system.placement, study.surface.vacuum, hops[0])
        for system in study.systems
    }
    vacancies = {index for hop in hops for index in (hop.moving, hop.target)}
    jobs: Counter[str] = Counter(slab=1)
    calls = seconds = 0.0
    for system in study.systems:
        bands = len(hops) * (study.path.starts if system.fragment else 1)
        here = Counter(endpoint=len(vacancies), band=bands)
        if system.fragment:
            here += Counter(placement=system.placement.candidates, interface=1)
        per_job = CALLS | {"band": CALLS["images"] * study.path.n_images}
        serial = sum(per_job[kind] * number for kind, number in here.items() if kind != "band")
        calls += serial + per_job["band"] * bands
        atoms = len(systems[system.name][0])
        seconds += engine.seconds_per_call(atoms, 1) * serial
        seconds += engine.seconds_per_call(atoms, study.path.n_images) * per_job["band"] * bands
        jobs += here
    calls += CALLS["slab"]
    seconds += engine.seconds_per_call(len(slab), 1) * CALLS["slab"]
    return Plan(slab, hops, systems, dict(jobs), round(calls), seconds or None)


def _plan_of_endpoints(study: EndpointStudy, engine: Engine) -> Plan:
    """Plan of a study of one barrier between two structures."""
    initial, _, _ = read_endpoints(study.endpoints.initial, study.endpoints.final)
    serial, together = 2 * CALLS["endpoint"], CALLS["images"] * study.path.n_images
    seconds = engine.seconds_per_call(len(initial), 1) * serial
    seconds += engine.seconds_per_call(len(initial), study.path.n_images) * together
    jobs = {"endpoint": 2, "band": 1}
    return Plan(initial, [], {study.name: [initial]}, jobs, serial + together, seconds or None)


def built_structures(plan: Plan) -> dict[str, Structure]:
    """Name every structure that ``barriers build`` writes: slab, placements, and endpoints of each hop as built."""
    built = {"slab": plan.slab}
    for name, candidates in plan.systems.items():
        if len(candidates) > 1 or candidates[0] is not plan.slab:
            built |= {f"{name}-placement-{number}": item for number, item in enumerate(candidates, 1)}
        for hop in plan.hops:
            built[f"{name}-{hop.name}-initial"] = endpoint(candidates[0], hop.target)
            built[f"{name}-{hop.name}-final"] = final_in_initial_order(endpoint(candidates[0], hop.moving), hop)
    return built
