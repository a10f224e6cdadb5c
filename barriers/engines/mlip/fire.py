"""A band followed by FIRE, step by step, all images evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.mep import DyNEB
from ase.optimize import FIRE

from barriers.engines.mlip.foretold import is_evaluated
from barriers.engines.mlip.pool import Evaluator

MAX_STEP = 0.2
"""Longest step of one image in one iteration of FIRE (Å, norm over its atoms); its own limit is for the whole band."""

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


def evaluate_moved(images: Sequence[Atoms], evaluator: Evaluator) -> None:
    """Evaluate, in one go, the images that have moved since they were last evaluated."""
    moved = [image for image in images if not is_evaluated(image)]
    for image, result in zip(moved, evaluator.evaluate(moved) if moved else [], strict=True):
        image.calc = SinglePointCalculator(image, energy=result.energy, forces=result.forces)


def step_by_fire(band: EvaluatedBand, state: dict[str, Any] | None) -> dict[str, Any]:
    """Move all images of a band by one step; where they are then, they are not evaluated yet.

    Parameters
    ----------
    band : EvaluatedBand
        The band, moved in place.
    state : dict or None
        What the step before returned.

    Returns
    -------
    dict
        What the next step depends on; it can be stored.
    """
    optimizer = FIRE(band, logfile=None, dt=TIME_STEP, maxstep=MAX_STEP * np.sqrt(len(band.images) - 2))
    for name, value in (state or {}).items():
        setattr(optimizer, name, value)
    optimizer.step()
    return {name: getattr(optimizer, name) for name in FIRE_STATE}
