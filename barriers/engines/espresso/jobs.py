"""Static and relaxation jobs of Quantum ESPRESSO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from jobflow import job
from pymatgen.core import Structure

from barriers.documents import CostDoc, RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.dft import Corrections, Outcome, free_force, relax_document, starting_moments
from barriers.engines.espresso.attempts import CodeJob, run_code
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.faults import EspressoError
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.handlers import Converged, usual_handlers
from barriers.engines.espresso.inputs import Case, pw_input
from barriers.engines.espresso.outputs import count_scf, last_positions, read_pw


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
        return StaticDoc(**_numbers(self, case, checkpoint, run, structure))


@dataclass
class RelaxMaker(BaseRelaxMaker, EspressoMaker):
    """Relaxation at fixed cell, frozen atoms held, with ``pw.x`` and its BFGS; goes on from the last structure."""

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        case = self.case(structure)
        checkpoint = self.workspace("relax", structure, self.fmax)
        run = run_pw(self, case, checkpoint, structure, "relax", self.fmax, self.max_steps)
        outcome, frames = run.outcome, run.frames
        if outcome.kind == "final" or not frames:
            raise EspressoError(f"{outcome.line}; files in {checkpoint.folder}")
        relaxed = at_positions(structure, frames[-1].positions)
        return relax_document(_numbers(self, case, checkpoint, run, relaxed), outcome, self.fmax, checkpoint.folder)


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
    moments = starting_moments(structure, case.settings["moments"])

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


def read_frames(checkpoint: Checkpoint) -> list[Atoms]:
    """Every evaluated structure of a ``pw.x`` calculation, earlier runs included."""
    return [frame for output in outputs(checkpoint.folder, "pw") for frame in read_pw(output)]


def _numbers(
    maker: EspressoMaker, case: Case, checkpoint: Checkpoint, run: PwRun, structure: Structure
) -> dict[str, Any]:
    """Fields that static and relaxation documents share."""
    results = run.frames[-1].calc.results
    moments = results.get("magmoms")
    return {
        "structure": structure,
        "energy": float(results["energy"]),
        "forces": results["forces"].tolist(),
        "moments": None if moments is None else np.asarray(moments).tolist(),
        "cost": CostDoc(
            force_calls=len(run.frames),
            earlier_force_calls=run.earlier,
            wall_time=checkpoint.wall_time,
            scf_cycles=count_scf(outputs(checkpoint.folder, "pw"))[1],
        ),
        "engine": maker.describe(case, Corrections.load(checkpoint.folder).keywords),
    }
