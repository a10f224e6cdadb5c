"""Finding where an energy surface is stationary: a minimum, or the saddle that a given direction leads over.

Quasi-Newton steps on an approximate Hessian, its eigenvalues made positive along all modes that are followed downhill
and negative along the one that is followed uphill (A. Banerjee et al., J. Phys. Chem. 89, 52 (1985)). The Hessian is
learnt on the way: BFGS for minima, Bofill's mixture of two updates for saddles (J. Comput. Chem. 15, 1 (1994)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from barriers.analysis.forces import largest_force

Surface = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Gives energy (eV) and forces (eV/Å, shape (D,)) at a point of shape (D,) (Å)."""

STIFFNESS = 50.0
"""First guess of the Hessian's diagonal (eV/Å²)."""

SOFTEST = 1.0
"""Least curvature (eV/Å²) that a step is computed with: softer modes are followed no further than that."""

LONGEST_STEP = 0.2
"""Longest step (Å, norm over all atoms)."""

LOWEST_MODES = 6
"""The mode uphill is sought among so many with the lowest eigenvalues."""

PROBE = 0.05
"""How far along the mode uphill its curvature is measured first (Å)."""

RISE = 1e-4
"""A minimisation may climb by so much (eV) in a step before its steps are shortened."""


@dataclass(frozen=True)
class Stationary:
    """Where a search ended.

    Attributes
    ----------
    position, forces : numpy.ndarray
        Point (Å) and forces there (eV/Å), shape (D,): of a saddle, where they were smallest.
    energy : float
        Energy there (eV).
    left : float
        What further steps would gain (eV): nothing at a stationary point, more where the radius ended the search.
    mode : numpy.ndarray or None
        Direction uphill, shape (D,).
    calls : int
        Evaluations.
    """

    position: np.ndarray
    energy: float
    forces: np.ndarray
    left: float
    mode: np.ndarray | None
    calls: int


class Hessian:
    """An approximate Hessian (eV/Å²) and the modes that steps follow.

    Parameters
    ----------
    dimensions : int
        Coordinates.
    mode : numpy.ndarray or None
        Direction uphill of a saddle, shape (D,); None for a minimum.
    """

    def __init__(self, dimensions: int, mode: np.ndarray | None) -> None:
        self.matrix = STIFFNESS * np.eye(dimensions)
        self.mode = None if mode is None else mode / np.linalg.norm(mode)

    def learn(self, step: np.ndarray, change: np.ndarray) -> None:
        """Take up how the forces changed over a step."""
        size = float(step @ step)
        if size < 1e-8:
            return
        if self.mode is None:
            along, image = -float(step @ change), self.matrix @ step
            if along > 1e-4 * size and step @ image > 0:
                self.matrix += np.outer(change, change) / along - np.outer(image, image) / (step @ image)
            return
        missing = -change - self.matrix @ step
        along, length = float(missing @ step), float(missing @ missing)
        if length < 1e-16:
            return
        share = along**2 / (length * size)
        crossed = np.outer(missing, step)
        powell = (crossed + crossed.T) / size - along * np.outer(step, step) / size**2
        self.matrix += (1 - share) * powell
        if abs(along) > 1e-12:
            self.matrix += share * np.outer(missing, missing) / along

    def step(self, forces: np.ndarray) -> tuple[np.ndarray, float]:
        """Step towards the stationary point, and what it would gain (eV): the sum over all modes, up or down."""
        values, modes = np.linalg.eigh(self.matrix)
        curvatures = np.maximum(np.abs(values), SOFTEST)
        if self.mode is not None:
            overlaps = modes[:, :LOWEST_MODES].T @ self.mode
            uphill = int(np.argmax(np.abs(overlaps)))
            curvatures[uphill] *= -1
            self.mode = modes[:, uphill] * np.sign(overlaps[uphill])
        along = modes.T @ forces
        return modes @ (along / curvatures), 0.5 * float(np.sum(along**2 / np.abs(curvatures)))


def find_stationary(
    surface: Surface,
    start: np.ndarray,
    mode: np.ndarray | None = None,
    *,
    radius: float,
    fmax: float,
    most_calls: int,
    known: Iterable[tuple[np.ndarray, np.ndarray]] = (),
) -> Stationary:
    """Search from a point, no further away than a radius.

    Parameters
    ----------
    surface : Surface
        Energies and forces.
    start : (D,)
        Where to begin (Å); the radius is about it.
    mode : (D,) or None
        Direction over the saddle; a minimum is sought if None.
    radius : float
        Trust radius (Å, norm over all atoms).
    fmax : float
        Largest force at a stationary point (eV/Å).
    most_calls : int
        Most evaluations.
    known : iterable of (step, change)
        Differences of positions and of forces on this surface between points near by, to learn from first.
    """
    hessian = Hessian(len(start), mode)
    for step, change in known:
        hessian.learn(step, change)
    position, (energy, forces), calls = start, surface(start), 1
    if hessian.mode is not None:
        probe = PROBE * hessian.mode
        hessian.learn(probe, surface(start + probe)[1] - forces)
        calls += 1
    longest, best = LONGEST_STEP, None
    while largest_force(forces) > fmax and calls < most_calls:
        step, _ = hessian.step(forces)
        new = position + step * min(1.0, longest / np.linalg.norm(step))
        if (away := float(np.linalg.norm(new - start))) > radius:
            new = start + (new - start) * radius / away
            if np.linalg.norm(new - position) < 0.1 * LONGEST_STEP:
                break
        new_energy, new_forces = surface(new)
        calls += 1
        hessian.learn(new - position, new_forces - forces)
        if hessian.mode is None and new_energy > energy + RISE:
            longest = max(0.3 * float(np.linalg.norm(new - position)), 0.05 * LONGEST_STEP)
            if longest > 0.05 * LONGEST_STEP:
                continue
        longest = min(LONGEST_STEP, 1.5 * longest)
        position, energy, forces = new, new_energy, new_forces
        # A search that leaves for another saddle meets larger forces first.
        if hessian.mode is None or best is None or np.linalg.norm(forces) < np.linalg.norm(best[2]):
            best = position, energy, forces
    position, energy, forces = best or (position, energy, forces)
    return Stationary(position, energy, forces, hessian.step(forces)[1], hessian.mode, calls)
