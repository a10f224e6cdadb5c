"""One band on its way: ``neb.x`` plain until roughly converged, then climbing."""

from __future__ import annotations

from barriers.analysis.band import moment_jumps
from barriers.documents import IterationDoc
from barriers.engines.band import BandTask
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.dft import Corrections, Outcome, starting_moments
from barriers.engines.espresso.attempts import CodeJob, run_code
from barriers.engines.espresso.command import Command
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.handlers import Converged, usual_handlers
from barriers.engines.espresso.inputs import COMPONENTS, PREFIX, Case, neb_input, path_namelist
from barriers.engines.espresso.outputs import Iteration, PathFile, count_scf, pw_outputs, read_history, read_moments
from barriers.engines.espresso.path_files import kept_positions, resumable
from barriers.engines.merging import left_of_highest, merged_into

CONVERGED = "neb: convergence achieved"


class BandRun:
    """One band on its way to convergence, resumable from the code's own files after every iteration.

    Parameters
    ----------
    task : BandTask
        First band, tolerances and limits.
    case : Case
        Settings and pseudopotentials for the structure.
    command : Command
        How the code is started.
    checkpoint : Checkpoint
        Folder of the calculation.
    """

    def __init__(self, task: BandTask, case: Case, command: Command, checkpoint: Checkpoint) -> None:
        self.task, self.case, self.command, self.checkpoint = task, case, command, checkpoint
        self.images, self.settings = task.images, task.settings
        self.outcome = Outcome()
        self.earlier_scfs = count_scf(pw_outputs(checkpoint.folder, PREFIX))[0]
        checkpoint.load()
        self._logged = len(self.history)

    @property
    def state(self) -> PathFile | None:
        """Band after its last whole iteration; None before the first."""
        state = resumable(self.checkpoint.folder)
        return state if state is not None and state.iteration > 0 else None

    @property
    def history(self) -> list[IterationDoc]:
        """Every iteration so far."""
        inner = len(self.images) - 2
        return [
            _iteration(row, len(self.images) + inner * number)
            for number, row in enumerate(read_history(outputs(self.checkpoint.folder, "neb")))
        ]

    @property
    def moments(self) -> list[list[float]] | None:
        """Moments of every image (µB), shape (n, N); None without spin."""
        last = [moments[-1] for moments in self._moments_of_images() if moments]
        return last if len(last) == len(self.images) else None

    def converge(self) -> str | None:
        """Run both stages; give the name of the known path that the band fell onto, if it did."""
        history = self.history
        last = (history[-1].iteration if history else 0) + self.settings.max_steps
        if not any(row.stage == "climbing" for row in history):
            self.outcome = self._stage(False, last)
            if self.outcome.kind is not None:
                return None
            if (merged := self._merged()) is not None:
                return merged
        self.outcome = self._stage(True, last)
        return None

    def warnings(self) -> list[str]:
        """Moments that jump from one iteration to the next, and electron settings that had to be changed."""
        lines = [
            f"image {image}: {line}"
            for image, moments in enumerate(self._moments_of_images())
            for line in moment_jumps(moments or None, between="evaluations")
        ]
        if changed := Corrections.load(self.checkpoint.folder).keywords:
            lines.append(f"SCF needed {', '.join(f'{key} = {value}' for key, value in changed.items())}")
        return lines

    def _stage(self, climbing: bool, last: int) -> Outcome:
        folder = self.checkpoint.folder

        def write(corrected: Case) -> str:
            state = resumable(folder)
            if state is None and (kept := kept_positions(folder)) is not None:
                self._move_to(kept)
            return stage_input(self.task, corrected, climbing, last, restart=state is not None)

        state = self.state
        if state is not None and len(state.energies) != len(self.images):
            found = len(state.energies)
            return Outcome(
                "final", f"{folder}: path of {found} images, {len(self.images)} asked for; remove the folder"
            )
        if state is not None and state.iteration >= last:
            return Outcome("limit", "max_steps iterations used up; run again to continue")
        task = CodeJob("neb", self.case, folder, lambda file: self.command.neb(len(self.images) - 2, file), write)
        success = StageConverged(task, climbing)
        return run_code(task, usual_handlers(task, self._watch), success)

    def _move_to(self, kept: PathFile) -> None:
        for image, positions in zip(self.images, kept.positions, strict=True):
            image.set_positions(positions, apply_constraint=False)

    def _merged(self) -> str | None:
        state = self.state
        if state is None:
            return None
        left = left_of_highest(state.energies.tolist(), list(state.forces))
        cell = self.images[0].cell.array
        return merged_into(self.task.known, state.positions, state.energies.tolist(), cell, left)

    def _watch(self) -> None:
        history = self.history
        state = self.state if len(history) > self._logged else None
        seen = {} if state is None else self.checkpoint.show(state.positions, state.energies, state.forces)
        for row in history[self._logged :]:
            self.checkpoint.save({}, row.model_dump() | {"target": self.settings.fmax} | seen)
        self._logged = max(self._logged, len(history))

    def _moments_of_images(self) -> list[list[list[float]]]:
        return [read_moments(output) for output in pw_outputs(self.checkpoint.folder, PREFIX)]


def stage_input(task: BandTask, case: Case, climbing: bool, last: int, *, restart: bool) -> str:
    """Write the input of ``neb.x`` for one stage.

    Parameters
    ----------
    task : BandTask
        First band and tolerances.
    case : Case
        Settings and pseudopotentials.
    climbing : bool
        Whether the highest image climbs.
    last : int
        Last iteration, those of earlier runs counted.
    restart : bool
        Whether to go on from the path on disk.
    """
    settings = task.settings
    fmax = settings.fmax if climbing else settings.rough_fmax
    moments = starting_moments(task.initial.structure, case.settings["moments"])
    path = path_namelist(climbing=climbing, fmax=fmax, spring=settings.spring, steps=last, restart=restart)
    return neb_input(case, task.images, moments, path)


class StageConverged(Converged):
    """Success of one stage: a converged plain band is no converged climbing band."""

    def __init__(self, job: CodeJob, climbing: bool) -> None:
        super().__init__(job, CONVERGED)
        self.climbing = climbing

    def check(self, directory: str = "./") -> bool:
        """Whether this stage is *not* converged."""
        rows = read_history(outputs(self.job.folder, self.job.code)[-1:])
        return super().check(directory) or not rows or rows[-1].climbing != self.climbing


def _iteration(row: Iteration, evaluations: int) -> IterationDoc:
    return IterationDoc(
        stage="climbing" if row.climbing else "plain",
        iteration=row.number,
        max_force=COMPONENTS * max(row.errors[1:-1]),  # the code gives the largest component
        highest_image=max(row.energies) - row.energies[0],
        force_calls=evaluations,
    )
