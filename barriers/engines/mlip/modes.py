"""The lowest modes of a structure by finite differences of forces, and the way down one of them."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from barriers.analysis.modes import Modes, lowest_modes
from barriers.engines.mlip.pool import Evaluator

STEP = 0.1
"""Length of a finite displacement (Å, norm over all atoms).

Forces of learned models jump where a neighbour passes a cutoff. In Li2O's symmetric saddle CHGNet's second curvature is
-1.9 eV/Å² by steps of 0.01 Å and -0.1 by 0.06; its energy along that mode tells the latter.
"""

CALLS, SHARE = 2, 10
"""Calls for one direction; a search may take the so-many-th part of the calls that its structure took."""

SURROUNDINGS = 0.1
"""Noise in the first direction of a search, as a part of its largest coordinate."""

PUSH = (0.2, 0.8)
"""Shortest and longest push off a saddle (Å, norm over all atoms)."""

LOWER = 2e-4
"""A push leads downhill if it gains at least that much (eV)."""


def free_coordinates(atoms: Atoms) -> np.ndarray:
    """Say which coordinates the constraints of a structure leave free, shape (N, 3)."""
    ones = np.ones((len(atoms), 3))
    for constraint in atoms.constraints:
        constraint.adjust_forces(atoms, ones)
    free: np.ndarray = ones != 0
    return free


def modes_at(
    atoms: Atoms, evaluator: Evaluator, start: np.ndarray, most: int, along: np.ndarray | None = None
) -> tuple[Modes, np.ndarray]:
    """Find the lowest modes of the free atoms at a stationary point, by central differences.

    Parameters
    ----------
    atoms : Atoms
        The structure.
    evaluator : Evaluator
        The model; each direction costs two calls.
    start : (N, 3)
        How much of the first direction each coordinate is likely to have; noise is added, so 0 everywhere will do.
    most : int
        Most directions.
    along : (N, 3) or None
        A direction that is looked at first: at a saddle the path's tangent.

    Returns
    -------
    Modes, (m, N, 3)
        The modes, and their vectors in all coordinates.
    """
    free = free_coordinates(atoms)

    def times(vector: np.ndarray) -> np.ndarray:
        both = [atoms.copy(), atoms.copy()]
        for moved, step in zip(both, (STEP, -STEP), strict=True):
            moved.positions[free] += step * vector
        ahead, behind = evaluator.evaluate(both)
        change: np.ndarray = (behind.forces - ahead.forces)[free] / (2 * STEP)
        return change

    noise = np.random.default_rng(0).normal(size=start.shape)
    first = start + SURROUNDINGS * (np.abs(start).max() or 1.0) * noise
    found = lowest_modes(times, first[free], most, None if along is None else along[free])
    vectors = np.zeros((len(found.vectors), *start.shape))
    vectors[:, free] = found.vectors
    return found, vectors


def push_down(atoms: Atoms, evaluator: Evaluator, mode: np.ndarray) -> np.ndarray | None:
    """Look both ways along a mode for where the energy is lower, and go on that way while it falls.

    Parameters
    ----------
    atoms : Atoms
        The structure, with its energy in its calculator.
    evaluator : Evaluator
        The model; two to four calls.
    mode : (N, 3)
        Unit vector.

    Returns
    -------
    (N, 3) or None
        The displacement (Å) to the lowest place; None if the energy rises both ways.
    """

    def energies(*pushes: np.ndarray) -> list[float]:
        moved = [atoms.copy() for _ in pushes]
        for each, push in zip(moved, pushes, strict=True):
            each.positions += push
        return [result.energy for result in evaluator.evaluate(moved)]

    shortest, longest = PUSH
    both = shortest * mode, -shortest * mode
    levels = energies(*both)
    lower = int(np.argmin(levels))
    push, level = both[lower], levels[lower]
    if level > atoms.get_potential_energy() - LOWER:
        return None
    while 2 * np.linalg.norm(push) <= longest and (further := energies(2 * push)[0]) < level:
        push, level = 2 * push, further
    return push
