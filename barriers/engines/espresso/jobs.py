"""Static and relaxation jobs of Quantum ESPRESSO, and what its three makers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from jobflow import Maker, job
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.documents import CostDoc, EngineDoc, RelaxDoc, StaticDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.espresso.command import Command, code_version, parse_command
from barriers.engines.espresso.faults import EspressoError
from barriers.engines.espresso.handlers import (
    DIAGONALISATION_LADDER,
    SCF_LADDER,
    Converged,
    KilledHandler,
    LadderHandler,
    LimitHandler,
    PathHandler,
    Watch,
)
from barriers.engines.espresso.inputs import Case, pw_input
from barriers.engines.espresso.outputs import count_scf, last_positions, read_pw
from barriers.engines.espresso.pseudopotentials import find_pseudopotentials, load_set, set_checksum
from barriers.engines.espresso.run import CodeJob, Outcome, load_corrections, outputs, run_code
from barriers.engines.espresso.settings import Physics, Running
from barriers.engines.espresso.workspace import open_workspace
from barriers.structures.surface import frozen_atoms


@dataclass
class EspressoMaker(Maker):
    """What the three makers share.

    Attributes
    ----------
    name : str
        Name of the job.
    physics : Physics
        Settings that change the numbers.
    running : Running
        How the codes are started. No part of the job's identity.
    """

    name: str = "espresso"
    physics: Physics = field(default_factory=Physics)
    running: Running = field(default_factory=Running)

    @property
    def command(self) -> Command:
        """The command line in parts."""
        return parse_command(self.running.command)

    def case(self, structure: Structure) -> Case:
        """Settings and pseudopotentials for a structure, every file checked."""
        settings = self.physics.resolved()
        elements = [element.symbol for element in structure.composition.elements]
        found = find_pseudopotentials(elements, settings["pseudopotentials"], self.running.pseudo_dir)
        return Case(settings, found, code_version(self.command)[0], self.running.max_seconds)

    def workspace(self, kind: str, *inputs: Any) -> Checkpoint:
        """Folder of a calculation, named after all that its numbers depend on."""
        settings = self.physics.resolved()
        checksum = set_checksum(settings["pseudopotentials"])
        return open_workspace(kind, [*inputs, settings, checksum], self.running.continue_from)

    def describe(self, case: Case, checkpoint: Checkpoint) -> EngineDoc:
        """Say what gave the numbers; a smearing that a handler widened included."""
        settings = dict(case.settings)
        changed = load_corrections(checkpoint.folder).keywords
        if "degauss" in changed:
            settings["keywords"] = {**settings["keywords"], "degauss": changed["degauss"]}
        return EngineDoc(
            kind="espresso",
            name=load_set(settings["pseudopotentials"])["functional"],
            version=code_version(self.command)[1],
            checksum=set_checksum(settings["pseudopotentials"]),
            settings={"preset": self.physics.preset, **settings},
            files={found.path.name: found.md5 for found in case.pseudopotentials.values()},
            packages={name: version(name) for name in ("barriers", "ase", "custodian")},
        )


@dataclass
class StaticMaker(EspressoMaker):
    """Energy, forces and moments of one structure, with ``pw.x``."""

    name: str = "static"

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        case = self.case(structure)
        checkpoint = self.workspace("static", structure)
        run = run_pw(self, case, checkpoint, structure, "scf", fmax=1.0, steps=1)
        if run.outcome.kind is not None or not run.frames:
            raise EspressoError(f"{run.outcome.line}; files in {checkpoint.folder}")
        return StaticDoc(structure=structure, **_numbers(self, case, checkpoint, run))


@dataclass
class RelaxMaker(EspressoMaker):
    """Relaxation at fixed cell, frozen atoms held, with ``pw.x`` and its BFGS.

    Attributes
    ----------
    fmax : float
        Longest force at the end (eV/Å).
    max_steps : int
        Most steps in one run; a further run continues from the last structure.
    """

    name: str = "relax"
    fmax: float = 0.03
    max_steps: int = 500

    @job(output_schema=RelaxDoc)
    def make(self, structure: Structure) -> RelaxDoc:
        """Relax ``structure``."""
        case = self.case(structure)
        checkpoint = self.workspace("relax", structure, self.fmax)
        run = run_pw(self, case, checkpoint, structure, "relax", self.fmax, self.max_steps)
        outcome, frames = run.outcome, run.frames
        if outcome.kind == "final" or not frames:
            raise EspressoError(f"{outcome.line}; files in {checkpoint.folder}")
        max_force = free_force(structure, frames[-1].get_forces(apply_constraint=False))
        reason = f"{outcome.line}: {max_force:.3f} eV/Å after {len(frames)} steps, {self.fmax:g} asked for"
        moved = Structure(
            structure.lattice,
            structure.species,
            frames[-1].positions,
            coords_are_cartesian=True,
            site_properties=structure.site_properties,
        )
        return RelaxDoc(
            structure=moved,
            converged=outcome.kind is None,
            reason=None if outcome.kind is None else f"{reason}; files in {checkpoint.folder}",
            max_force=max_force,
            fmax=self.fmax,
            steps=len(frames) - 1,
            **_numbers(self, case, checkpoint, run),
        )


@dataclass(frozen=True)
class PwRun:
    """Outcome of :func:`run_pw`, every structure with forces so far, and how many there were before this run."""

    outcome: Outcome
    frames: list[Atoms]
    earlier: int


def run_pw(
    maker: EspressoMaker,
    case: Case,
    checkpoint: Checkpoint,
    structure: Structure,
    calculation: str,
    fmax: float,
    steps: int,
) -> PwRun:
    """Run ``pw.x`` from the last structure on disk."""
    atoms = atoms_of(structure)
    folder = checkpoint.folder
    checkpoint.load()
    earlier = seen = len(read_frames(checkpoint))
    moments = starting_moments(structure, case)

    def write(corrected: Case) -> str:
        for output in reversed(outputs(folder, "pw")):
            if (positions := last_positions(output)) is not None:
                atoms.set_positions(positions, apply_constraint=False)
                break
        return pw_input(corrected, atoms, moments, calculation, fmax, steps)

    def watch() -> None:
        nonlocal seen
        frames = read_frames(checkpoint)
        if len(frames) > seen:
            seen = len(frames)
            max_force = free_force(structure, frames[-1].get_forces(apply_constraint=False))
            progress = {"iteration": seen - 1, "max_force": max_force, "target": fmax}
            energy = frames[-1].get_potential_energy()
            checkpoint.save({}, progress | {"energy": energy, "force_calls": seen})

    task = CodeJob("pw", case, folder, maker.command.pw, write)
    line = "convergence has been achieved" if calculation == "scf" else "bfgs converged in"
    outcome = run_code(task, usual_handlers(task, watch), Converged(task, line))
    watch()
    return PwRun(outcome, read_frames(checkpoint), earlier)


def usual_handlers(task: CodeJob, watch: Callable[[], None]) -> list[Any]:
    """Handlers of any run, and a function called while it goes on."""
    return [
        Watch(task, watch),
        LimitHandler(task),
        LadderHandler(task, "scf", SCF_LADDER),
        LadderHandler(task, "diagonalisation", DIAGONALISATION_LADDER),
        PathHandler(task),
        KilledHandler(task),
    ]


def read_frames(checkpoint: Checkpoint) -> list[Atoms]:
    """Every evaluated structure of a ``pw.x`` calculation, earlier runs included."""
    return [frame for output in outputs(checkpoint.folder, "pw") for frame in read_pw(output)]


def atoms_of(structure: Structure) -> Atoms:
    """Make ASE atoms, frozen ones constrained."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    frozen = frozen_atoms(structure)
    atoms.set_constraint(FixAtoms(frozen) if frozen else None)
    return atoms


def starting_moments(structure: Structure, case: Case) -> list[float]:
    """Magnetic moment of each site (µB) at the start: the structure's own, or its element's."""
    by_element = case.settings["moments"]
    own = structure.site_properties.get("magmom")
    return [float(moment) for moment in own or [by_element.get(site.specie.symbol, 0.0) for site in structure]]


def free_force(structure: Structure, forces: np.ndarray) -> float:
    """Largest force (eV/Å) on an atom that may move."""
    free = sorted(set(range(len(structure))) - set(frozen_atoms(structure)))
    return float(np.linalg.norm(forces[free], axis=1).max())


def _numbers(maker: EspressoMaker, case: Case, checkpoint: Checkpoint, run: PwRun) -> dict[str, Any]:
    """Fields that static and relaxation documents share."""
    results = run.frames[-1].calc.results
    moments = results.get("magmoms")
    return {
        "energy": float(results["energy"]),
        "forces": results["forces"].tolist(),
        "moments": None if moments is None else np.asarray(moments).tolist(),
        "cost": CostDoc(
            force_calls=len(run.frames),
            earlier_force_calls=run.earlier,
            wall_time=checkpoint.wall_time,
            scf_cycles=count_scf(outputs(checkpoint.folder, "pw"))[1],
        ),
        "engine": maker.describe(case, checkpoint),
    }
