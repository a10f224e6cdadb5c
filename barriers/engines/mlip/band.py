"""Converging a band: plain until rough, then climbing; improved tangent; images evaluated together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.mep import DyNEB
from ase.optimize import FIRE

from barriers.analysis.band import highest_image
from barriers.analysis.forces import largest_force
from barriers.documents import IterationDoc
from barriers.engines.band import NebSettings
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.merging import KnownBand, merged_into
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.secants import Secants

MAX_STEP = 0.2
"""Longest step of one image in one iteration (Å, norm over its atoms); FIRE's own limit is for the whole band."""

TIME_STEP = 0.2
"""FIRE's first time step (its own default of 0.1 takes a third more force calls on a slab's hop)."""

FIRE_STATE = ("vel", "dt", "a", "Nsteps")
"""Attributes of ASE's FIRE that its next step depends on."""


class EvaluatedBand(DyNEB):
    """ASE's NEB with the images that moved evaluated together, and converged images left where they are."""

    def __init__(self, images: list[Atoms], evaluator: Evaluator, climb: bool, fmax: float, spring: float) -> None:
        self.evaluator = evaluator
        super().__init__(images, k=spring, climb=climb, fmax=fmax, method="improvedtangent")

    def get_forces(self) -> np.ndarray:
        """Evaluate what moved, then give the forces of the band, shape (n_images × N, 3)."""
        evaluate_moved(self.images, self.evaluator)
        forces: np.ndarray = super().get_forces()
        return forces

    def largest_force(self) -> float:
        """Largest force on the band (eV/Å), images that rest included."""
        evaluate_moved(self.images, self.evaluator)
        return largest_force(super(DyNEB, self).get_forces())


def evaluate_moved(images: Sequence[Atoms], evaluator: Evaluator) -> None:
    """Evaluate, in one go, the images that have moved since they were last evaluated."""
    moved = [image for image in images if image.calc is None or (image.calc.atoms.positions != image.positions).any()]
    for image, result in zip(moved, evaluator.evaluate(moved) if moved else [], strict=True):
        image.calc = SinglePointCalculator(image, energy=result.energy, forces=result.forces)


class BandRun:
    """One band on its way to convergence, resumable from its checkpoint at every iteration.

    Parameters
    ----------
    images : list[Atoms]
        First band, endpoints included; endpoints carry their energy and forces in a calculator.
    evaluator : Evaluator
        The model.
    settings : NebSettings
        Tolerances and limits.
    checkpoint : Checkpoint
        Where the state is kept; an earlier run's state is taken up.
    known : Mapping[str, KnownBand] or None
        Converged bands between the same endpoints by the name of their start. A climbing band stops when it has fallen
        onto the path of one of them, and says the same.
    climbing : bool
        Whether the highest image of the first band has climbed already.
    """

    def __init__(
        self,
        images: list[Atoms],
        evaluator: Evaluator,
        settings: NebSettings,
        checkpoint: Checkpoint,
        known: Mapping[str, KnownBand] | None = None,
        climbing: bool = False,
    ) -> None:
        self.images, self.evaluator, self.settings, self.checkpoint = images, evaluator, settings, checkpoint
        self.history: list[IterationDoc] = []
        self.climbing = climbing
        self.known = known or {}
        self.merged_into: str | None = None
        self._calls_at_start = evaluator.force_calls
        self.earlier_force_calls = 0
        self._optimizer_state: dict[str, Any] | None = None
        self._secants = Secants()
        if state := checkpoint.load():
            self._restore(state)
        self._last = len(self.history) + settings.max_steps

    @property
    def force_calls(self) -> int:
        """Evaluations so far, earlier runs included."""
        return self.earlier_force_calls + self.evaluator.force_calls - self._calls_at_start

    @property
    def saddle_left(self) -> float:
        """Energy between the highest image and the saddle, as its last steps show it (eV)."""
        return self._secants.energy_left()

    @property
    def seen(self) -> Secants:
        """What the last steps of the highest image have shown, to be added to."""
        return Secants(self._secants.state)

    def converge(self) -> bool:
        """Run both stages; True if the climbing band is converged within the iterations of this run."""
        return self.settle() and self.climb()

    def settle(self) -> bool:
        """Run the plain stage, unless that was done before; True if the band is rough within this run."""
        if self.climbing:
            evaluate_moved(self.images, self.evaluator)  # those that another band left bring no energies
            return True
        return self._stage(climbing=False, fmax=self.settings.rough_fmax)

    def climb(self, fmax: float | None = None) -> bool:
        """Run the climbing stage, after the plain one; True if it is converged, or as far as asked, within this run."""
        return self._stage(climbing=True, fmax=fmax or self.settings.fmax)

    def _stage(self, climbing: bool, fmax: float) -> bool:
        self.climbing = climbing
        band = EvaluatedBand(self.images, self.evaluator, climbing, fmax, self.settings.spring)
        optimizer = FIRE(band, logfile=None, dt=TIME_STEP, maxstep=MAX_STEP * np.sqrt(len(self.images) - 2))
        if self._optimizer_state is not None:
            restore_optimizer(optimizer, self._optimizer_state)
            self._optimizer_state = None
        elif not self.history or climbing != (self.history[-1].stage == "climbing"):
            self._record(band, optimizer)
        while self.history[-1].max_force > fmax:
            if climbing and self._merged():
                return False
            if len(self.history) > self._last:
                return False
            optimizer.step()
            self._record(band, optimizer)
        return True

    def _merged(self) -> bool:
        positions = np.array([image.positions for image in self.images])
        energies = [image.get_potential_energy() for image in self.images]
        self.merged_into = merged_into(self.known, positions, energies, self.images[0].cell.array, self.saddle_left)
        return self.merged_into is not None

    def _record(self, band: EvaluatedBand, optimizer: FIRE) -> None:
        max_force = band.largest_force()
        energies = [image.get_potential_energy() for image in self.images]
        iteration = IterationDoc(
            stage="climbing" if self.climbing else "plain",
            iteration=len(self.history),
            max_force=max_force,
            highest_image=max(energies) - energies[0],
            force_calls=self.force_calls,
        )
        self.history.append(iteration)
        highest = highest_image(energies)
        self._secants.add(self.images[highest], highest)
        state = {
            "images": [_image_state(image) for image in self.images],
            "optimizer": optimizer_state(optimizer),
            "history": [item.model_dump() for item in self.history],
            "secants": self._secants.state,
        }
        self.checkpoint.save(state, iteration.model_dump() | {"target": self.settings.fmax})

    def _restore(self, state: dict[str, Any]) -> None:
        for image, saved in zip(self.images, state["images"], strict=True):
            image.positions = saved["positions"]
            image.calc = SinglePointCalculator(image, energy=saved["energy"], forces=saved["forces"])
        self.history = [IterationDoc(**item) for item in state["history"]]
        self.climbing = self.history[-1].stage == "climbing"
        self.earlier_force_calls = self.history[-1].force_calls
        self._optimizer_state = state["optimizer"]
        self._secants = Secants(state.get("secants"))


def _image_state(image: Atoms) -> dict[str, Any]:
    forces = image.get_forces(apply_constraint=False)
    return {"positions": image.positions, "energy": image.get_potential_energy(), "forces": forces}


def optimizer_state(optimizer: FIRE) -> dict[str, Any]:
    """Read what FIRE needs to go on as if it had not stopped."""
    return {name: getattr(optimizer, name) for name in FIRE_STATE}


def restore_optimizer(optimizer: FIRE, state: dict[str, Any]) -> None:
    """Give FIRE its state back."""
    for name in FIRE_STATE:
        setattr(optimizer, name, state[name])
