"""One band on its way through VASP: stages, restarts, history, document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from barriers.analysis.forces import largest_band_force
from barriers.analysis.paths import MERGED, farthest
from barriers.documents import BandDoc, CostDoc, IterationDoc, RelaxDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions
from barriers.engines.dft import Corrections, Outcome, starting_moments
from barriers.engines.vasp.handlers import VtstHandler, usual_handlers
from barriers.engines.vasp.inputs import SiteOrder, vasp_structure, write_band
from barriers.engines.vasp.outputs import Step, band_steps, image_folders, read_outcar
from barriers.engines.vasp.restart import newest_images, sharp_positions
from barriers.engines.vasp.run import VaspError, run_vasp
from barriers.engines.vasp.single import describe, placed, prepared, write_once
from barriers.structures.path.start import Start
from barriers.structures.surface.slab import frozen_atoms

if TYPE_CHECKING:
    from barriers.engines.vasp.neb import NebMaker

STAGES = ("plain", "tight", "climbing")
"""Folders of the stages; ``tight`` is a plain band converged fully, where VASP has no VTST."""


class BandRun:
    """One band on its way to convergence, resumable from VASP's own files after every step.

    Parameters
    ----------
    maker : NebMaker
        Settings.
    initial, final : RelaxDoc
        Relaxed endpoints.
    positions : (n, N, 3)
        First band (Å), endpoints included.
    """

    def __init__(self, maker: NebMaker, initial: RelaxDoc, final: RelaxDoc, positions: np.ndarray) -> None:
        self.maker, self.ends, self.positions = maker, (initial, final), positions
        self.structure = initial.structure
        self.order = SiteOrder.of(self.structure)
        inputs = [positions.tolist(), self.structure, maker.input_set_generator, maker.tolerances, maker.without_vtst]
        self.checkpoint = Checkpoint("neb", inputs)
        self.checkpoint.load()
        by_element = maker.input_set_generator.physics.resolved()["moments"]
        self.moments = initial.moments or starting_moments(self.structure, by_element)
        self.outcome, self.merged, self.climbs = Outcome(), "", False
        self.earlier = len(self.steps())
        self._logged = self.earlier

    def steps(self) -> list[tuple[str, list[Step]]]:
        """Every usable step so far, with its stage."""
        folders = [self.checkpoint.folder / stage for stage in STAGES]
        return [(folder.name, steps) for folder in folders if folder.exists() for steps in band_steps(folder)]

    def converge(self, known: Mapping[str, np.ndarray]) -> None:
        """Run the stages."""
        maker, last = self.maker, self.earlier + self.maker.max_steps
        self.outcome = self._stage("plain", maker.rough_fmax, last, None)
        if self.outcome.kind is not None:
            return
        cell, current = self.structure.lattice.matrix, self._current()[0]
        self.merged = next((name for name, band in known.items() if farthest(band, current, cell) < MERGED), "")
        if self.merged:
            return
        newest = read_outcar(image_folders(self.checkpoint.folder / "plain")[1])
        self.climbs = newest is not None and newest.vtst is not None
        self.outcome = self._stage("climbing" if self.climbs else "tight", maker.fmax, last, "plain")

    def _stage(self, stage: str, fmax: float, last: int, before: str | None) -> Outcome:
        maker, folder, running = self.maker, self.checkpoint.folder / stage, self.maker.running
        earlier_stages = sum(name != stage for name, _ in self.steps())
        limits = {"NSW": last, "EDIFFG": -fmax, "SPRING": -maker.spring}
        inner = len(self.positions) - 2
        calculation = "climbing" if stage == "climbing" else "plain"
        limits.update(running.layout(inner))
        generator = prepared(maker.input_set_generator, self.structure, limits, calculation)
        generator.num_images = inner
        images = [vasp_structure(self.structure, self.moments, positions) for positions in self.positions]
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
        if stage == "climbing" or maker.without_vtst == "refuse":
            handlers.insert(0, VtstHandler())
        return run_vasp(folder, running.command, last - earlier_stages, handlers)

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
        for row in history:
            self.checkpoint.save({}, row.model_dump() | {"target": self.maker.fmax})
        self._logged += len(history)

    def history(self, start: int = 0) -> list[IterationDoc]:
        """Every iteration from one on, its force that of the improved tangent, springs included."""
        rows = []
        for number, (stage, steps) in list(enumerate(self.steps()))[start:]:
            energies = [self.ends[0].energy, *(step.energy for step in steps), self.ends[1].energy]
            row = IterationDoc(
                stage="climbing" if stage == "climbing" else "plain",
                iteration=number,
                max_force=self._force(steps, energies, stage == "climbing"),
                highest_image=max(energies) - energies[0],
                force_calls=(number + 1) * len(steps),
            )
            rows.append(row)
        return rows

    def _force(self, steps: list[Step], energies: list[float], climb: bool) -> float:
        own = [self.order.from_vasp(step.positions) for step in steps]
        felt = [self.order.from_vasp(step.forces) for step in steps]
        return largest_band_force(
            [self.positions[0], *own, self.positions[-1]],
            self.structure.lattice.matrix,
            energies,
            [self.ends[0].forces, *felt, self.ends[1].forces],
            pbc=self.structure.lattice.pbc,
            frozen=frozen_atoms(self.structure),
            spring=self.maker.spring,
            climb=climb,
        )

    def document(self, start: Start, loose: list[str]) -> BandDoc:
        """Put together what is there."""
        self.watch()
        whole = self.steps()
        folder = self.checkpoint.folder
        if not whole and not loose:
            raise VaspError(f"{self.outcome.line}; files in {folder}")
        history = self.history()
        reason: str | None = "; ".join(loose) or None
        if self.merged:
            reason = f"fell onto the path of {self.merged!r}"
        elif self.outcome.kind is not None:
            reason = f"{self.outcome.line}; files in {folder}"
            if history and self.outcome.kind != "final":
                left = f"{history[-1].max_force:.3f} eV/Å after {len(history)} iterations"
                reason = f"{self.outcome.line}: {left}, {self.maker.fmax:g} asked for; files in {folder}"
        initial, final = self.ends
        positions, steps = self._current() if whole else (self.positions, [])
        inner = len(self.positions) - 2
        moments = [self.order.from_vasp(step.moments).tolist() for step in steps if step.moments is not None]
        complete = len(moments) == inner and initial.moments is not None and final.moments is not None
        newest = read_outcar(image_folders(folder / whole[-1][0])[1]) if whole else None
        return BandDoc(
            start=start.name,
            structure=self.structure,
            positions=positions.tolist(),
            energies=[initial.energy, *((step.energy for step in steps) if whole else [None] * inner), final.energy],
            forces=[initial.forces, *_forces(self.order, steps, inner), final.forces],
            moments=[initial.moments, *moments, final.moments] if complete else None,
            converged=reason is None,
            reason=reason,
            merged_into=self.merged or None,
            history=history,
            settings={**self.maker.tolerances, "climbed": self.climbs},
            warnings=self._warnings(),
            cost=CostDoc(
                force_calls=len(whole) * inner,
                earlier_force_calls=self.earlier * inner,
                wall_time=self.checkpoint.wall_time,
                scf_cycles=sum(step.electronic_steps for _, steps in whole for step in steps),
            ),
            engine=describe(self.maker.input_set_generator, self.structure, newest),
        )

    def _warnings(self) -> list[str]:
        lines = []
        if (self.checkpoint.folder / "tight").exists():
            lines.append("saddle not climbed: this VASP has no VTST; the barrier is read off the plain band")
        for stage in STAGES:
            changed = Corrections.load(self.checkpoint.folder / stage)
            lines += [f"{stage} band: {kind}, corrected {count} time(s)" for kind, count in changed.counts.items()]
        return lines


def _forces(order: SiteOrder, steps: list[Step], inner: int) -> list[list[list[float]]]:
    return [order.from_vasp(step.forces).tolist() for step in steps] or [[]] * inner
