"""Static and relaxation jobs of Quantum ESPRESSO."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobflow import job
from pymatgen.core import Structure

from barriers.documents import CostDoc, RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker, Script
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.dft import Corrections, Outcome, free_force, relax_document, starting_moments
from barriers.engines.espresso.attempts import CodeJob, run_code, taken_in
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.faults import failure
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.handlers import PwConverged, usual_handlers
from barriers.engines.espresso.inputs import Case, pw_input
from barriers.engines.espresso.outputs import count_scf, read_moments
from barriers.engines.espresso.results import Evaluation, PwResults, all_results


@dataclass
class StaticMaker(EspressoMaker):
    """Energy, forces and moments of one structure, with ``pw.x``."""

    name: str = "static"

    def fine(self) -> StaticMaker:
        """Maker of the same with :data:`~barriers.engines.espresso.settings.FINE`."""
        return replace(self, physics=replace(self.physics, fine=True))

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        case = self.case(structure)
        checkpoint = self.workspace("static", structure)
        run = run_pw(self, case, checkpoint, structure, "scf", fmax=1.0, steps=1)
        if run.outcome.kind is not None or not run.evaluations:
            raise failure(run.outcome.line, checkpoint.folder)
        return StaticDoc(**_numbers(self, case, checkpoint, run, structure))

    def write_inputs(self, folder: Path, structure: Structure) -> Script:
        """Write the input file and run nothing."""
        return write_pw(self, folder, structure, "scf", fmax=1.0, steps=1)

    def take_in(self, folder: Path, structure: Structure) -> bool:
        """Take in what a run by hand left."""
        place = self.workspace("static", structure).folder
        return taken_in(folder, place, "pw", self.case(structure), PwConverged)


@dataclass
class RelaxMaker(BaseRelaxMaker, EspressoMaker):
    """Relaxation at fixed cell, frozen atoms held, with ``pw.x`` and its BFGS; goes on from the last structure."""

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        case = self.case(structure)
        checkpoint = self.workspace("relax", structure, self.fmax)
        run = run_pw(self, case, checkpoint, structure, "relax", self.fmax, self.max_steps)
        outcome, evaluations = run.outcome, run.evaluations
        if outcome.kind == "final" or not evaluations:
            raise failure(outcome.line, checkpoint.folder)
        relaxed = at_positions(structure, evaluations[-1].positions)
        return relax_document(_numbers(self, case, checkpoint, run, relaxed), outcome, self.fmax, checkpoint.folder)

    def write_inputs(self, folder: Path, structure: Structure) -> Script:
        """Write the input file and run nothing."""
        return write_pw(self, folder, structure, "relax", self.fmax, self.max_steps)

    def take_in(self, folder: Path, structure: Structure) -> bool:
        """Take in what a run by hand left."""
        place = self.workspace("relax", structure, self.fmax).folder
        return taken_in(folder, place, "pw", self.case(structure), PwConverged)


@dataclass(frozen=True)
class PwRun:
    """Outcome of :func:`run_pw`, results of all runs so far, and how many structures there were before this run."""

    outcome: Outcome
    results: list[PwResults]
    earlier: int

    @property
    def evaluations(self) -> list[Evaluation]:
        """Every structure evaluated."""
        return evaluations_of(self.results)


def write_pw(
    maker: EspressoMaker, folder: Path, structure: Structure, calculation: str, fmax: float, steps: int
) -> Script:
    """Write the input of the first run of ``pw.x``."""
    case = maker.case(structure)
    moments = starting_moments(structure, case.settings["moments"])
    text = pw_input(case, atoms_of(structure), moments, calculation, fmax, steps)
    (folder / "pw.1.in").write_text(text, "utf-8")
    return maker.script(f"{maker.command.for_pw().line} -inp pw.1.in > pw.1.out")


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
    earlier = seen = len(evaluations_of(all_results(folder)))
    moments = starting_moments(structure, case.settings["moments"])

    def write(corrected: Case) -> str:
        if results := all_results(folder):
            atoms.set_positions(results[-1].positions, apply_constraint=False)
        return pw_input(corrected, atoms, moments, calculation, fmax, steps)

    def watch() -> None:
        nonlocal seen
        evaluations = evaluations_of(all_results(folder))
        if len(evaluations) > seen:
            seen = len(evaluations)
            max_force = free_force(structure, evaluations[-1].forces)
            progress = {"iteration": seen - 1, "max_force": max_force, "target": fmax}
            checkpoint.save({}, progress | {"energy": evaluations[-1].energy, "force_calls": seen})

    task = CodeJob("pw", case, folder, maker.command.pw, write)
    outcome = run_code(task, usual_handlers(task, watch), PwConverged(task))
    watch()
    return PwRun(outcome, all_results(folder), earlier)


def evaluations_of(results: list[PwResults]) -> list[Evaluation]:
    """Every structure evaluated in several runs."""
    return [evaluation for each in results for evaluation in each.evaluations]


def last_moments(results: list[PwResults], folder: Path) -> list[float] | None:
    """Moments (µB) of the last structure evaluated; XML before version 7 has none, so the text is read there."""
    if results[-1].moments is not None:
        return results[-1].moments
    ends = [moments for output in outputs(folder, "pw") for moments in read_moments(output)]
    return ends[-1] if ends else None


def _numbers(
    maker: EspressoMaker, case: Case, checkpoint: Checkpoint, run: PwRun, structure: Structure
) -> dict[str, Any]:
    """Fields that static and relaxation documents share."""
    last = run.evaluations[-1]
    return {
        "structure": structure,
        "energy": last.energy,
        "forces": last.forces.tolist(),
        "moments": last_moments(run.results, checkpoint.folder),
        "cost": CostDoc(
            force_calls=len(run.evaluations),
            earlier_force_calls=run.earlier,
            wall_time=checkpoint.wall_time,
            scf_cycles=count_scf(outputs(checkpoint.folder, "pw"))[1],
        ),
        "engine": maker.describe(case, Corrections.load(checkpoint.folder).keywords, run.results[-1].version),
    }
