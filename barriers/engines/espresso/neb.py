"""The NEB job of Quantum ESPRESSO."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from barriers.documents import BandDoc, CostDoc, EngineDoc
from barriers.engines.band import BandTask, BaseNebMaker
from barriers.engines.base import Script
from barriers.engines.dft import Corrections
from barriers.engines.espresso.attempts import taken_in
from barriers.engines.espresso.band import BandRun, StageConverged, stage_input
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.faults import failure
from barriers.engines.espresso.inputs import PREFIX
from barriers.engines.espresso.outputs import count_scf, pw_outputs


@dataclass
class NebMaker(BaseNebMaker, EspressoMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints, with ``neb.x``.

    1. Make the first band; it goes to ``neb.x`` image by image.
    2. Converge the plain band roughly, then let the highest image climb (improved tangent).
    3. Read energies, positions and forces from the path file, moments from the output of each image.
    """

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        command = self.command
        command.neb(task.start.n_images, "")  # a plan that does not fit is refused before anything runs
        case = self.case(task.initial.structure)
        checkpoint = self.workspace("neb", *task.inputs)
        run = BandRun(task, case, command, checkpoint)
        merged = run.converge()
        state, outcome, history = run.state, run.outcome, run.history
        if state is None or outcome.kind == "final":
            raise failure(outcome.line, checkpoint.folder)
        reason = None
        if outcome.kind is not None:
            left = task.left(history[-1].max_force, len(history))
            reason = f"{outcome.line}: {left}; files in {checkpoint.folder}"
        scfs, cycles = count_scf(pw_outputs(checkpoint.folder, PREFIX))
        return task.document(
            reason,
            positions=state.positions.tolist(),
            energies=state.energies.tolist(),
            forces=state.forces.tolist(),
            moments=run.moments,
            merged_into=merged,
            history=history,
            warnings=[*run.warnings(), *self.physics.warnings()],
            cost=CostDoc(
                force_calls=scfs,
                earlier_force_calls=run.earlier_scfs,
                wall_time=checkpoint.wall_time,
                scf_cycles=cycles,
            ),
            engine=self.describe(case, Corrections.load(checkpoint.folder).keywords),
        )

    def write_inputs(self, folder: Path, *given: Any) -> Script:
        """Write the inputs of both stages and run nothing."""
        task = self.task(*given)
        case, command = self.case(task.initial.structure), self.command.for_neb(task.start.n_images)
        lines = []
        for number, climbing in enumerate((False, True), 1):
            text = stage_input(task, case, climbing, self.max_steps, restart=climbing)
            (folder / f"neb.{number}.in").write_text(text, "utf-8")
            lines.append(f"{command.line} -inp neb.{number}.in > neb.{number}.out")
        return self.script(*lines)

    def take_in(self, folder: Path, *given: Any) -> bool:
        """Take in what a run by hand left."""
        task = self.task(*given)
        place = self.workspace("neb", *task.inputs).folder
        case = self.case(task.initial.structure)
        return taken_in(folder, place, "neb", case, partial(StageConverged, climbing=True))

    def described(self, structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure."""
        return self.describe(self.case(structure), {})
