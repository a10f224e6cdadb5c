"""What a study will do, before anything is computed: systems, atoms, hops, jobs, expected time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pymatgen.core import Structure

from barriers.engines import build_engine
from barriers.engines.protocol import NotHereError
from barriers.engines.surrogate import SurrogateEngine
from barriers.files.structures import read_endpoints
from barriers.structures.interface.contacts import image_distance
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.study.models import EndpointStudy, Study
from barriers.words import naming
from barriers.workflow.built import BuiltStudy, build_members, built_of
from barriers.workflow.cost import Described, SinglePoints, single_points, work_of
from barriers.workflow.crystal import BuiltCrystal, cell_of, engine_for
from barriers.workflow.engine import expensive_one, finder_of
from barriers.workflow.ensemble import expand, members_of
from barriers.workflow.lattice import Lattice
from barriers.workflow.own_slab import slab_for
from barriers.workflow.placements import fragment_elements
from barriers.workflow.slab_and_hops import BuiltSlab, crystal_of


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
    lattice : LatticeDoc, CrystalCellDoc or None
        How the lattice was relaxed that the slab is cut from, or the crystal.
    """

    built: BuiltStudy
    jobs: dict[str, int]
    force_calls: int
    seconds: float | None
    points: SinglePoints | None = None
    members: Mapping[str, BuiltStudy] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lattice: Lattice | None = None

    def as_json(self) -> dict[str, Any]:
        """Give the plan as ``--json`` prints it."""
        slab = self.built.slab
        about = {} if slab is None else {slab.word: self._slab(slab)}
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
            **({"lattice": self.lattice.model_dump(exclude={"structure"})} if self.lattice else {}),
        }

    @property
    def of_crystal(self) -> bool:
        """Whether the hops are those of a crystal, on which nothing is placed."""
        return isinstance(self.built.slab, BuiltCrystal)

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

    def _slab(self, slab: BuiltSlab | BuiltCrystal) -> dict[str, Any]:
        relaxed = self.lattice
        if isinstance(slab, BuiltCrystal):
            return slab.document().model_dump(exclude={"lattice", "structure"}) | {"warnings": slab.warnings}
        return {
            "formula": slab.structure.composition.formula,
            "atoms": len(slab.structure),
            "termination": slab.termination,
            "metals": slab.metals,
            "lattice": f"of {relaxed.engine.name}, from {relaxed.source}" if relaxed else slab.lattice,
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


def check_engine(study: AnyStudy) -> None:
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
    elif isinstance(study, CrystalStudy):
        section = study.crystal
        cell = section.relaxed or cell_of(section)
        elements, engines = set(cell.symbol_set), [engine_for(study)]
    else:
        elements = _slab_elements(study) | fragment_elements(study.systems)
        engines = [variant.study.engine for variant in expand(study) if variant.ordering == 1]
    for engine in map(build_engine, engines):
        engine.check(sorted(elements), study.path.n_images)
        if isinstance(study, Study) and study.electrons is not None:
            densities: Any = expensive_one(engine)  # the study file lets no engine pass that gives none
            densities.density().check()
        if (finder := finder_of(engine, study.path)) is not None:
            finder.check(sorted(elements), study.path.n_images)
    if isinstance(study, Study) and study.energetics is not None and study.energetics.reactions:
        _check_reactions(study)


def _slab_elements(study: Study) -> set[str]:
    if study.slab is not None:
        return {element.symbol for element in slab_for(study).structure.composition.elements} | {"Li"}
    caps = {"hydroxyl": {"H"}, "fluorine": {"H", "F"}}.get(study.surface.polar, set())
    return {"Li", "O", *crystal_of(study.cathode).metals, *caps}


def _check_reactions(study: Study) -> None:
    """Check the species of reactions and, where PySCF is asked for, that it is here and knows what it is asked."""
    from barriers.workflow.beside import molecules_of, reactions_flow

    reactions_flow(study)
    if (molecules := molecules_of(study)) is None:
        return
    try:
        molecules.check()
    except NotHereError:
        raise
    except ValueError:
        with naming("energetics.molecules"):
            raise


def make_plan(study: AnyStudy) -> Plan:
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
    if isinstance(study, CrystalStudy):
        (member,) = members_of(study)
        study, members = member.study, {"": built_of(member)}
    else:
        members = build_members(study)
    engine = build_engine(study.engine)
    described: list[Described] = [(study, built) for built in members.values()]
    if isinstance(study, Study):
        described = [(variant.study, members[variant.tag]) for variant in expand(study)]
    jobs, calls, seconds = zip(*(work_of(*each) for each in described), strict=True)
    points = single_points(described, engine) if isinstance(engine, SurrogateEngine) else None
    code: Any = engine.expensive if isinstance(engine, SurrogateEngine) else engine
    ways = code.running.plans(study.path.n_images) if hasattr(code, "running") else []
    warnings = lacking + (code.physics.warnings() if hasattr(code, "physics") else [])
    built, tagged = described[0][1], {} if "" in members else members
    total = dict(sum(jobs, Counter[str]()))
    return Plan(built, total, sum(calls), sum(seconds) or None, points, tagged, tuple(ways), tuple(warnings))
