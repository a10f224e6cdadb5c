"""Converging a band: plain until rough, then climbing; foretold from what is known, then evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from barriers.analysis.band import highest_image
from barriers.documents import IterationDoc
from barriers.engines.band import NebSettings
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.merging import KnownBand, merged_into
from barriers.engines.mlip.fire import EvaluatedBand, evaluate_moved, step_by_fire
from barriers.engines.mlip.foretold import ForetoldCalculator, HeldBand, Points, foretell, is_evaluated
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.secants import Secants

MOST_FORETOLD = 40
"""So many iterations of a stage are foretold; what is not there then is followed by FIRE, step by step.

A surface with more to it than the process can draw through its points takes that way: bonds that break, or a model that
is asked for what it does not know.
"""

AT_ONCE = 2
"""Least number of images that are evaluated in a round; of many images it is the half. Workers are no part of it."""

STEADY = 0.5
"""The climbing image stays where it is once its force is below this part of the tolerance; others below all of it."""

TIED = 0.01
"""Images that are no lower than this below the highest (eV) are never held: each may be the one that climbs next."""


class BandRun:
    """One band on its way to convergence, resumable from its checkpoint at every iteration.

    An iteration relaxes the band on the surface that is drawn through all structures evaluated so far, and evaluates
    the highest image and the least sure one. It is converged when all images are evaluated, and the forces that the
    model gives are small enough.

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
    points : Points or None
        What earlier bands of the path have shown; added to.
    foretold : bool
        False to go step by step from the start.
    """

    def __init__(
        self,
        images: list[Atoms],
        evaluator: Evaluator,
        settings: NebSettings,
        checkpoint: Checkpoint,
        known: Mapping[str, KnownBand] | None = None,
        climbing: bool = False,
        points: Points | None = None,
        foretold: bool = True,
    ) -> None:
        self.images, self.evaluator, self.settings, self.checkpoint = images, evaluator, settings, checkpoint
        self.history: list[IterationDoc] = []
        self.climbing = climbing
        self._most_foretold = MOST_FORETOLD if foretold else 0
        self.known = known or {}
        self.merged_into: str | None = None
        self._calls_at_start = evaluator.force_calls
        self.earlier_force_calls = 0
        self._optimizer_state: dict[str, Any] | None = None
        self._began: list[np.ndarray] = []
        self._points = points or Points(images[0])
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
        if not self.climbing:
            return self._stage(climbing=False, fmax=self.settings.rough_fmax)
        if not self.history:
            self._evaluate(self.images)  # those that another band left bring no energies
        return True

    def climb(self, fmax: float | None = None) -> bool:
        """Run the climbing stage, after the plain one; True if it is converged, or as far as asked, within this run."""
        return self._stage(climbing=True, fmax=fmax or self.settings.fmax)

    def _stage(self, climbing: bool, fmax: float) -> bool:
        begins = not self.history or climbing != (self.history[-1].stage == "climbing")
        self.climbing = climbing
        if begins:
            self._evaluate(self.images)
            self._record()
            self._optimizer_state, self._began = None, [image.positions.copy() for image in self.images]
        while not (self.history[-1].max_force <= fmax and all(map(is_evaluated, self.images))):
            if (climbing and self._merged()) or len(self.history) > self._last:
                self._evaluate(self.images)  # what is told of it must not be foretold
                self.history[-1] = self._iteration(len(self.history) - 1)
                return False
            foretold = sum(row.stage == self.history[-1].stage for row in self.history) <= self._most_foretold
            (self._foretell if foretold else self._step)(fmax)
            self._record()
        return True

    def _step(self, fmax: float) -> None:
        """Move all images by a step of FIRE, and evaluate them."""
        band = EvaluatedBand(self.images, self.evaluator, self.climbing, fmax, self.settings.spring)
        if self._optimizer_state is None:  # where foretelling led is no better than where it began
            for image, positions in zip(self.images, self._began, strict=True):
                image.positions = positions
        self._optimizer_state = step_by_fire(band, self._optimizer_state)
        self._evaluate(self.images)

    def _foretell(self, fmax: float) -> None:
        """Move the images that are not steady yet as far as is foretold, and evaluate some."""
        foretold = foretell(self.images, self._points, self.climbing, fmax, self.settings.spring, self._steady(fmax))
        for image, laid in zip(self.images[1:-1], foretold.images[1:-1], strict=True):
            if not is_evaluated(laid):
                image.positions = laid.positions
                image.calc = laid.calc
        order = np.argsort(-foretold.deviations, kind="stable").tolist()
        top = highest_image([image.get_potential_energy() for image in self.images])
        if foretold.is_whole:
            order = [top, *(image for image in order if image != top)]
        asked = [image for image in order if not is_evaluated(self.images[image])]
        self._evaluate([self.images[image] for image in asked[: max(AT_ONCE, (len(self.images) - 2) // 2)]])

    def _evaluate(self, images: Sequence[Atoms]) -> None:
        evaluate_moved(images, self.evaluator)
        for image in images:
            self._points.add(image)

    def _forces(self) -> np.ndarray:
        """Largest force on each intermediate image (eV/Å), shape (n − 2,)."""
        forces = HeldBand(self.images, self.climbing, self.settings.spring).get_forces()
        each: np.ndarray = np.linalg.norm(forces.reshape(len(self.images) - 2, -1, 3), axis=2).max(axis=1)
        return each

    def _steady(self, fmax: float) -> list[int]:
        """Say which images are evaluated and need not move."""
        heights = np.array([image.get_potential_energy() for image in self.images[1:-1]])
        limits = np.full(len(heights), fmax)
        if self.climbing:
            limits[heights > heights.max() - TIED] = -1.0
            limits[heights.argmax()] = STEADY * fmax
        calm = 1 + np.flatnonzero(self._forces() <= limits)
        return [number for number in calm.tolist() if is_evaluated(self.images[number])]

    def _merged(self) -> bool:
        positions = np.array([image.positions for image in self.images])
        energies = [image.get_potential_energy() for image in self.images]
        self.merged_into = merged_into(self.known, positions, energies, self.images[0].cell.array, self.saddle_left)
        return self.merged_into is not None

    def _iteration(self, number: int) -> IterationDoc:
        energies = [image.get_potential_energy() for image in self.images]
        return IterationDoc(
            stage="climbing" if self.climbing else "plain",
            iteration=number,
            max_force=float(self._forces().max()),
            highest_image=max(energies) - energies[0],
            force_calls=self.force_calls,
        )

    def _record(self) -> None:
        iteration = self._iteration(len(self.history))
        self.history.append(iteration)
        highest = highest_image([image.get_potential_energy() for image in self.images])
        if is_evaluated(self.images[highest]):
            self._secants.add(self.images[highest], highest)
        images = [_image_state(image) for image in self.images]
        state = {
            "images": images,
            "points": self._points.state,
            "optimizer": self._optimizer_state,
            "began": self._began,
            "history": [item.model_dump() for item in self.history],
            "secants": self._secants.state,
        }
        seen = self.checkpoint.show(*([image[key] for image in images] for key in ("positions", "energy", "forces")))
        self.checkpoint.save(state, iteration.model_dump() | {"target": self.settings.fmax} | seen)

    def _restore(self, state: dict[str, Any]) -> None:
        for image, saved in zip(self.images, state["images"], strict=True):
            image.positions = saved["positions"]
            kind = SinglePointCalculator if saved["is_evaluated"] else ForetoldCalculator
            image.calc = kind(image, energy=saved["energy"], forces=saved["forces"])
        self.history = [IterationDoc(**item) for item in state["history"]]
        self.climbing = self.history[-1].stage == "climbing"
        self.earlier_force_calls = self.history[-1].force_calls
        self._points.restore(state["points"])
        self._optimizer_state, self._began = state["optimizer"], state["began"]
        self._secants = Secants(state["secants"])


def _image_state(image: Atoms) -> dict[str, Any]:
    return {
        "positions": image.positions,
        "energy": image.get_potential_energy(),
        "forces": image.get_forces(apply_constraint=False),
        "is_evaluated": is_evaluated(image),
    }
