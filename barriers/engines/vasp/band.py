"""One band on its way through VASP: stages, restarts, history, document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.forces import largest_band_force
from barriers.documents import BandDoc, CostDoc, IterationDoc
from barriers.engines.band import BandTask
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, placed
from barriers.engines.dft import Corrections, Outcome, starting_moments
from barriers.engines.merging import left_of_highest, merged_into
from barriers.engines.vasp.folder import Goal
from barriers.engines.vasp.handlers import VtstHandler, usual_handlers
from barriers.engines.vasp.inputs import BandSetGenerator, SiteOrder, vasp_structure, write_band
from barriers.engines.vasp.outputs import Step, band_steps, image_folders, read_outcar
from barriers.engines.vasp.restart import newest_images, sharp_positions
from barriers.engines.vasp.run import VaspError, run_vasp
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import describe, prepared, write_once
from barriers.structures.directions import free_part
from barriers.structures.surface.slab import frozen_atoms

STAGES = ("plain", "tight", "climbing")
"""Folders of the stages; ``tight`` is a plain band converged fully, where VASP has no VTST."""


def band_moments(task: BandTask, generator: BandSetGenerator) -> list[float]:
    """Magnetic moments (µB) that all images start from: those of the relaxed initial endpoint, where they are known."""
    structure = task.initial.structure
    return task.initial.moments or starting_moments(structure, generator.physics.resolved()["moments"])


def stage_inputs(
    task: BandTask, generator: BandSetGenerator, limits: dict[str, Any], *, climbing: bool
) -> tuple[BandSetGenerator, list[Structure]]:
    """Give input set and images of a stage that starts from the first band.

    Parameters
    ----------
    task : BandTask
        First band and spring.
    generator : BandSetGenerator
        Settings that change the numbers.
    limits : dict
        ``NSW``, ``EDIFFG`` and the parallel layout.
    climbing : bool
        Whether the highest image climbs.
    """
    structure, moments = task.initial.structure, band_moments(task, generator)
    limits = {**limits, "SPRING": -task.settings.spring}
    ready = prepared(generator, structure, limits, "climbing" if climbing else "plain")
    ready.num_images = len(task.images) - 2
    return ready, [vasp_structure(structure, moments, positions) for positions in task.positions]


class BandRun:
    """One band on its way to convergence, resumable from VASP's own files after every step.

    Parameters
    ----------
    task : BandTask
        First band, tolerances and limits.
    generator : BandSetGenerator
        Settings that change the numbers.
    running : Running
        How VASP is started.
    without_vtst : str
        ``refuse``, or ``plain band``: converge that where VASP has no VTST.
    """

    def __init__(self, task: BandTask, generator: BandSetGenerator, running: Running, without_vtst: str) -> None:
        self.task, self.generator, self.running, self.without_vtst = task, generator, running, without_vtst
        self.ends, self.positions, self.settings = (task.initial, task.final), task.positions, task.settings
        self.structure = task.initial.structure
        self.order = SiteOrder.of(self.structure)
        rests_on = generator.identity(self.structure.symbol_set)
        self.checkpoint = Checkpoint("neb", [*task.inputs, rests_on, without_vtst])
        self.checkpoint.load()
        self.moments = band_moments(task, generator)
        self.outcome, self.climbs = Outcome(), False
        self.merged: str | None = None
        self.earlier = len(self.steps())
        self._logged = self.earlier

    def steps(self) -> list[tuple[str, list[Step]]]:
        """Every usable step so far, with its stage."""
        folders = [self.checkpoint.folder / stage for stage in STAGES]
        return [(folder.name, steps) for folder in folders if folder.exists() for steps in band_steps(folder)]

    def converge(self) -> None:
        """Run the stages."""
        last = self.earlier + self.settings.max_steps
        self.outcome = self._stage("plain", self.settings.rough_fmax, last, None)
        if self.outcome.kind is not None:
            return
        self.merged = self._merged()
        if self.merged is not None:
            return
        newest = read_outcar(image_folders(self.checkpoint.folder / "plain")[1])
        self.climbs = newest is not None and newest.vtst is not None
        self.outcome = self._stage("climbing" if self.climbs else "tight", self.settings.fmax, last, "plain")

    def _merged(self) -> str | None:
        positions, steps = self._current()
        energies = self._energies(steps)
        felt = [np.asarray(free_part(self.order.from_vasp(step.forces), self.structure)) for step in steps]
        left = left_of_highest(energies, [felt[0], *felt, felt[-1]])
        return merged_into(self.task.known, positions, energies, self.structure.lattice.matrix, left)

    def _stage(self, stage: str, fmax: float, last: int, before: str | None) -> Outcome:
        folder, running = self.checkpoint.folder / stage, self.running
        earlier_stages = sum(name != stage for name, _ in self.steps())
        limits = {"NSW": last, "EDIFFG": -fmax, **running.layout(len(self.positions) - 2)}
        generator, images = stage_inputs(self.task, self.generator, limits, climbing=stage == "climbing")
        if before is not None:
            images[1:-1] = newest_images(self.checkpoint.folder / before, images[1:-1])
        write_once(
            folder,
            lambda target: write_band(target, generator, images),
            lambda: generator.get_input_set(images[0])["INCAR"],
        )
        if earlier_stages >= last:
            return Outcome("limit", "max_steps iterations used up; run again to continue")
        handlers = usual_handlers(self.order.to_vasp(self.moments).tolist(), running.max_seconds, self.watch)
        if stage == "climbing" or self.without_vtst == "refuse":
            handlers.insert(0, VtstHandler())
        return run_vasp(folder, running.launch.words(), last - earlier_stages, handlers, self.goal(fmax))

    def goal(self, fmax: float) -> Goal:
        """What the last step of a stage's folder has to be."""
        return Goal(fmax, lambda folder: self._force(band_steps(folder)[-1], folder.name))

    def _current(self) -> tuple[np.ndarray, list[Step]]:
        """Positions of the newest whole band (study's order, endpoints included), and its steps."""
        stage, steps = self.steps()[-1]
        places = image_folders(self.checkpoint.folder / stage)[1:-1]
        inner = []
        for place, step, before in zip(places, steps, self.positions[1:-1], strict=True):
            reference = at_positions(self.structure, before)
            inner.append(placed(reference, self.order.from_vasp(sharp_positions(place, step))))
        return np.array([self.positions[0], *inner, self.positions[-1]]), steps

    def watch(self) -> None:
        """Log the iterations since the last look."""
        history = self.history(self._logged)
        seen = self._shown() if history else {}
        for row in history:
            self.checkpoint.save({}, row.model_dump() | {"target": self.settings.fmax} | seen)
        self._logged += len(history)

    def _shown(self) -> dict[str, Any]:
        positions, steps = self._current()
        felt = [self.order.from_vasp(step.forces) for step in steps]
        return self.checkpoint.show(positions, self._energies(steps), [self.ends[0].forces, *felt, self.ends[1].forces])

    def history(self, start: int = 0) -> list[IterationDoc]:
        """Every iteration from one on, its force that of the improved tangent, springs included."""
        rows = []
        for number, (stage, steps) in list(enumerate(self.steps()))[start:]:
            row = IterationDoc(
                stage="climbing" if stage == "climbing" else "plain",
                iteration=number,
                max_force=self._force(steps, stage),
                highest_image=max(self._energies(steps)) - self.ends[0].energy,
                force_calls=(number + 1) * len(steps),
            )
            rows.append(row)
        return rows

    def _energies(self, steps: list[Step]) -> list[float]:
        return [self.ends[0].energy, *(step.energy for step in steps), self.ends[1].energy]

    def _force(self, steps: list[Step], stage: str) -> float:
        own = [self.order.from_vasp(step.positions) for step in steps]
        felt = [self.order.from_vasp(step.forces) for step in steps]
        return largest_band_force(
            [self.positions[0], *own, self.positions[-1]],
            self.structure.lattice.matrix,
            self._energies(steps),
            [free_part(np.asarray(each), self.structure) for each in (self.ends[0].forces, *felt, self.ends[1].forces)],
            pbc=self.structure.lattice.pbc,
            frozen=frozen_atoms(self.structure),
            spring=self.settings.spring,
            climb=stage == "climbing",
        )

    def document(self) -> BandDoc:
        """Put together what is there."""
        self.watch()
        whole, folder, history = self.steps(), self.checkpoint.folder, self.history()
        if not whole:
            raise VaspError(f"{self.outcome.line}; files in {folder}")
        reason = None
        if self.outcome.kind is not None:
            left = self.task.left(history[-1].max_force, len(history))
            reason = f"{self.outcome.line}{'' if self.outcome.kind == 'final' else f': {left}'}; files in {folder}"
        initial, final = self.ends
        positions, steps = self._current()
        moments = [self.order.from_vasp(step.moments).tolist() for step in steps if step.moments is not None]
        complete = len(moments) == len(steps) and initial.moments is not None and final.moments is not None
        newest = read_outcar(image_folders(folder / whole[-1][0])[1])
        return self.task.document(
            reason,
            positions=positions.tolist(),
            energies=self._energies(steps),
            forces=[initial.forces, *(self.order.from_vasp(step.forces).tolist() for step in steps), final.forces],
            moments=[initial.moments, *moments, final.moments] if complete else None,
            merged_into=self.merged,
            history=history,
            settings={**asdict(self.settings), "climbed": self.climbs},
            warnings=self._warnings(),
            cost=CostDoc(
                force_calls=len(whole) * len(steps),
                earlier_force_calls=self.earlier * len(steps),
                wall_time=self.checkpoint.wall_time,
                scf_cycles=sum(step.electronic_steps for _, steps in whole for step in steps),
            ),
            engine=describe(self.generator, self.structure, newest),
        )

    def _warnings(self) -> list[str]:
        lines = []
        if (self.checkpoint.folder / "tight").exists():
            lines.append("saddle not climbed: this VASP has no VTST; the barrier is read off the plain band")
        for stage in STAGES:
            changed = Corrections.load(self.checkpoint.folder / stage)
            lines += [f"{stage} band: {kind}, corrected {count} time(s)" for kind, count in changed.counts.items()]
        return lines
