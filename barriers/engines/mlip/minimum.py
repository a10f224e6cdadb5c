"""Relaxing an end of a hop until no mode leads downhill from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from barriers.engines.checkpoint import Checkpoint
from barriers.engines.mlip.modes import CALLS, SHARE, modes_at, push_down
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import Relaxed, relax
from barriers.structures.digest import rounded

MOST_PUSHES = 3
"""A structure is pushed off a saddle that often."""

LEAST = 4
"""Directions that a search for a mode downhill may always ask for."""


def to_minimum(
    atoms: Atoms,
    evaluator: Evaluator,
    fmax: float,
    max_steps: int,
    checkpoint: Checkpoint,
    further: Callable[..., Checkpoint],
) -> Relaxed:
    """Relax a structure, and further where a mode leads downhill from where it ended.

    Parameters
    ----------
    atoms, evaluator, fmax, max_steps, checkpoint
        As for :func:`relax`.
    further : callable
        Gives the checkpoint of a relaxation from given positions.

    Returns
    -------
    Relaxed
        Where it ended, and what it took in all; not converged if a mode still leads downhill.
    """
    result = relax(atoms, evaluator, fmax, max_steps, checkpoint)
    for pushes in range(MOST_PUSHES + 1):
        before = evaluator.force_calls
        push = _downhill(result, evaluator) if result.converged else None
        result = replace(result, force_calls=result.force_calls + evaluator.force_calls - before)
        if push is None:
            break
        if pushes == MOST_PUSHES:
            return replace(result, converged=False, downhill=True)
        start = result.atoms.copy()
        start.positions += push
        again = relax(start, evaluator, fmax, max_steps, further(rounded(start.positions), fmax))
        result = replace(
            again,
            steps=result.steps + again.steps,
            force_calls=result.force_calls + again.force_calls,
            earlier_force_calls=result.earlier_force_calls + again.earlier_force_calls,
            wall_time=result.wall_time + again.wall_time,
        )
    return result


def _downhill(result: Relaxed, evaluator: Evaluator) -> np.ndarray | None:
    """Give the displacement (Å) down a mode from where a relaxation ended; None where none was found."""
    atoms = result.atoms.copy()
    atoms.calc = SinglePointCalculator(atoms, energy=result.energy, forces=result.forces)
    most = max(LEAST, result.force_calls // (CALLS * SHARE))
    # What is left of the forces lies in the modes that were relaxed last, the soft ones.
    found, vectors = modes_at(atoms, evaluator, atoms.get_forces(), most)
    return push_down(atoms, evaluator, vectors[0]) if found.order else None
