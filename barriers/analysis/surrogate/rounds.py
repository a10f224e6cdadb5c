"""Rounds of correction: where the next point of an expensive engine is worth most, and what the ones so far are worth.

A move is accepted by what the expensive engine says of it: a minimum must become lower, and a saddle's forces smaller.
The trust radius follows how well the forces were foretold. A point that is not accepted still teaches the correction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from barriers.analysis.forces import largest_force
from barriers.analysis.stationary import Stationary, Surface, find_stationary
from barriers.analysis.surrogate.process import GradientProcess, fit

FIRST_RADIUS, SMALLEST_RADIUS, LARGEST_RADIUS = 0.6, 0.05, 1.5
"""Trust radius (Å, norm over all atoms): at first, and its bounds."""

GOOD, POOR = 0.4, 0.8
"""Error of what was foretold, over the change foretold: below, the radius may grow; above, it shrinks."""

NOISE = 5e-4
"""Changes of an energy that are no change (eV)."""

SEARCH_FMAX, SEARCH_CALLS = 0.01, 60
"""A search on the corrected surface ends at this force (eV/Å), or after so many evaluations of the model."""

ENOUGH = 2.5e-3
"""A stationary point is good enough when a further step would change its energy by no more than this (eV)."""

FAR = 0.4
"""A model is far from the truth where the true forces at its own stationary point are larger than this (eV/Å).

Its curvatures are wrong too then, so that neither small forces nor a small foretold gain alone prove anything.
"""


SLOWEST = 0.75
"""Largest ratio of one energy step to the one before that is carried on to what is left (Aitken's extrapolation)."""


@dataclass(frozen=True)
class Attempt:
    """A point that the expensive engine was asked for.

    Attributes
    ----------
    x : numpy.ndarray
        Coordinates of the free atoms (Å), shape (D,).
    energy, forces : float, numpy.ndarray or None
        What it gave (eV; eV/Å, shape (D,)); None where it failed.
    predicted_energy, predicted_forces : float, numpy.ndarray or None
        What the corrected surface had said; None in the first round.
    """

    x: np.ndarray
    energy: float | None = None
    forces: np.ndarray | None = None
    predicted_energy: float | None = None
    predicted_forces: np.ndarray | None = None

    @property
    def true(self) -> tuple[float, np.ndarray]:
        """Energy and forces of a point that did not fail."""
        assert self.energy is not None and self.forces is not None
        return self.energy, self.forces

    @property
    def foretold(self) -> tuple[float, np.ndarray] | None:
        """Predicted energy and forces, where there is something to compare them with."""
        if self.forces is None or self.predicted_energy is None or self.predicted_forces is None:
            return None
        return self.predicted_energy, self.predicted_forces


@dataclass(frozen=True)
class Standing:
    """What the attempts at one stationary point have come to.

    Attributes
    ----------
    centre : int
        The best attempt so far.
    radius : float
        Trust radius about it (Å).
    accepted : list[bool]
        Of each attempt, whether it became the centre.
    """

    centre: int
    radius: float
    accepted: list[bool]


@dataclass(frozen=True)
class Proposal:
    """Where to ask next, and what is expected there.

    Attributes
    ----------
    x : numpy.ndarray or None
        Where to ask (Å), shape (D,); None if no further point is wanted.
    stationary : Stationary
        The stationary point of the corrected surface, or the nearest to it within the trust radius.
    gain : float
        What moving there from the centre changes the energy by, and what the radius keeps from it (eV).
    extrapolated : float
        The same as the energies of the accepted attempts have it (eV): soft modes are slower than is foretold.
    max_force : float
        Largest true force at the centre (eV/Å).
    far : bool
        Whether the model is far off.
    converged : bool
        Whether the centre is good enough: by the gain, or by its forces where nothing better is foretold; where the
        model is far off, by its forces in any case.
    model_calls : int
        Evaluations of the model.
    """

    x: np.ndarray | None
    stationary: Stationary
    gain: float
    extrapolated: float
    max_force: float
    far: bool
    converged: bool
    model_calls: int


class CorrectedSurface:
    """A model plus what an expensive engine's points say of its error.

    Parameters
    ----------
    model : Surface
        The model.
    attempts : sequence of Attempt
        Points with energies and forces; those that failed are left out.
    """

    def __init__(self, model: Surface, attempts: Sequence[Attempt]) -> None:
        self.model, self._asked = model, dict[bytes, tuple[float, np.ndarray]]()
        self.points = [attempt for attempt in attempts if attempt.forces is not None]
        of_model = [self._ask(attempt.x) for attempt in self.points]
        energies = np.array([point.true[0] - energy for point, (energy, _) in zip(self.points, of_model, strict=True)])
        forces = np.array([point.true[1] - forces for point, (_, forces) in zip(self.points, of_model, strict=True)])
        self.process: GradientProcess = fit(np.array([point.x for point in self.points]), energies, forces)

    @property
    def model_calls(self) -> int:
        """Evaluations of the model: each place is asked for once."""
        return len(self._asked)

    def _ask(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if (place := x.tobytes()) not in self._asked:
            self._asked[place] = self.model(x)
        return self._asked[place]

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (eV) and forces (eV/Å) of the model and the correction together."""
        (energy, forces), (more_energy, more_forces) = self._ask(x), self.process(x)
        return energy + more_energy, forces + more_forces

    def covariance(self, positions: np.ndarray) -> np.ndarray:
        """Covariance (eV²), shape (q, q), of the energies at points of shape (q, D)."""
        return self.process.covariance(positions)


def standing(attempts: Sequence[Attempt], uphill: bool) -> Standing:
    """Go through the attempts at one stationary point: which were accepted, and how far to trust.

    Parameters
    ----------
    attempts : sequence of Attempt
        In the order they were made; the first one has to be known.
    uphill : bool
        Whether it is a saddle.
    """
    centre, radius, accepted = 0, FIRST_RADIUS, [True]
    for number, attempt in enumerate(attempts[1:], 1):
        before = attempts[centre]
        moved = float(np.linalg.norm(attempt.x - before.x))
        better, error = (_smaller_forces if uphill else _lower)(before, attempt)
        if error < GOOD:
            radius = min(LARGEST_RADIUS, max(radius, 2 * moved))
        elif error > POOR or not better:
            radius = max(min(SMALLEST_RADIUS, 0.9 * moved), 0.5 * moved)  # never that same point again
        accepted.append(better)
        centre = number if better else centre
    return Standing(centre, radius, accepted)


def _lower(before: Attempt, after: Attempt) -> tuple[bool, float]:
    """Whether a minimum became lower, and the error of the foretold fall, over that fall."""
    if after.foretold is None:
        return False, np.inf
    (old, old_forces), (new, new_forces) = before.true, after.true
    foretold = old - after.foretold[0]
    smaller = bool(np.linalg.norm(new_forces) < np.linalg.norm(old_forces))
    return old - new > (-NOISE if smaller else NOISE), abs(old - new - foretold) / max(foretold, NOISE)


def _smaller_forces(before: Attempt, after: Attempt) -> tuple[bool, float]:
    """Whether the forces at a saddle became smaller, and the error of the foretold forces, over those before."""
    if after.foretold is None:
        return False, np.inf
    old, forces = float(np.linalg.norm(before.true[1])), after.true[1]
    return bool(np.linalg.norm(forces) < old), float(np.linalg.norm(forces - after.foretold[1])) / old


def extrapolated(energies: Sequence[float]) -> float:
    """Say what is left of a sequence of energies if its steps go on to shrink as the last two do (eV).

    This is Aitken's delta-squared process (Proc. R. Soc. Edinburgh 46, 289 (1926)), its ratio no more than
    :data:`SLOWEST`; 0 for less than three energies.
    """
    steps = np.abs(np.diff(energies))
    if len(steps) < 2:
        return 0.0
    ratio = min(SLOWEST, float(steps[-1]) / max(float(steps[-2]), NOISE))
    return float(steps[-1]) * ratio / (1 - ratio)


def propose(
    surface: CorrectedSurface, attempts: Sequence[Attempt], mode: np.ndarray | None, fmax: float, confirm: bool = False
) -> Proposal:
    """Say where the next point of a stationary point is worth most.

    Parameters
    ----------
    surface : CorrectedSurface
        Made of the attempts, and of all other points known.
    attempts : sequence of Attempt
        Those at this stationary point.
    mode : (D,) or None
        Direction over the saddle; None for a minimum.
    fmax : float
        Largest true force asked for (eV/Å).
    confirm : bool
        Whether a single point is not enough, small as its gain may be.
    """
    now = standing(attempts, mode is not None)
    centre = attempts[now.centre]
    calls = surface.model_calls
    energy, forces = surface(centre.x)
    others = [attempt.x for attempt in attempts if attempt.forces is not None and attempt is not centre]
    known = [(x - centre.x, surface(x)[1] - forces) for x in others]
    found = find_stationary(
        surface, centre.x, mode, radius=now.radius, fmax=SEARCH_FMAX, most_calls=SEARCH_CALLS, known=known
    )
    gain, max_force = abs(energy - found.energy) + found.left, largest_force(centre.true[1])
    far = largest_force(attempts[0].true[1]) > FAR
    best, small = bool(np.linalg.norm(found.forces) >= np.linalg.norm(forces)), max_force <= fmax
    converged = (gain <= ENOUGH or (best and small)) and (small or not (far or (confirm and not others)))
    x = None if converged else found.position
    left = extrapolated([attempts[number].true[0] for number, accepted in enumerate(now.accepted) if accepted])
    return Proposal(x, found, gain, left, max_force, far, converged, surface.model_calls - calls)
