"""Gaussian process on energies and forces together.

The covariance is a constant plus two squared exponentials of the distance, k(r) = a² exp(−r²/2l²): one short, for the
curvature, and one so long that it is nearly one force everywhere. Without the long one the force that is known
at a point would be forgotten a short length away from it. Forces are minus the derivatives, so energies and forces are
those of one surface (C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning, MIT Press 2006,
sections 2.2 and 9.4).

The covariance of two forces couples directions only along the displacement of their points. All displacements of n
points lie in n − 1 dimensions: there the equations are solved as they are. In every direction across, the forces are
independent processes with one and the same n × n matrix. This is exact, and the cost hardly knows the number of atoms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

ENERGY_NOISE, FORCE_NOISE = 1e-3, 5e-3
"""What an engine's energies (eV) and forces (eV/Å) scatter by: self-consistency, single precision."""

OFFSET = 3.0
"""Prior standard deviation (eV) of a constant difference, on top of the mean of the energies given."""

LONG = 4.0
"""Length (Å) of the long squared exponential."""

PRIORS = {"length": (0.3, 0.5), "amplitude": (0.06, 1.0), "trend": (1.5, 1.0)}
"""Prior of what a kernel has: median, and standard deviation of the logarithm."""

MOST_FITS = 90
"""Most kernels tried."""

LENGTHS = (0.15, 2.0)
"""Bounds of the short length (Å)."""


@dataclass(frozen=True)
class Kernel:
    """Length (Å) and amplitude (eV) of the short squared exponential, and amplitude (eV) of the long one."""

    length: float
    amplitude: float
    trend: float

    @property
    def terms(self) -> tuple[tuple[float, float], ...]:
        """Squared length (Å²) and variance (eV²) of each squared exponential."""
        return (self.length**2, self.amplitude**2), (LONG**2, self.trend**2)


class GradientProcess:
    """A Gaussian process that knows energies and forces at some points.

    Parameters
    ----------
    positions : (n, D)
        Points (Å).
    energies : (n,)
        Energies there (eV).
    forces : (n, D)
        Forces there (eV/Å), minus the gradient of the energies.
    kernel : Kernel
        Its lengths and amplitudes.

    Attributes
    ----------
    evidence : float
        Logarithm of the probability of what is known, up to a constant.
    """

    def __init__(self, positions: np.ndarray, energies: np.ndarray, forces: np.ndarray, kernel: Kernel) -> None:
        self.positions, self.kernel = positions, kernel
        self._mean = float(np.mean(energies))
        offsets = positions - positions[0]
        _, sizes, directions = np.linalg.svd(offsets, full_matrices=False)
        self._along = directions[sizes > 1e-8 * max(1.0, sizes[0])]
        self._factorise(offsets @ self._along.T)
        # The constant is one more column, known as well as nothing: the Woodbury identity adds it.
        ones = np.full((len(positions), 1), OFFSET), np.zeros((*positions.shape, 1))
        known = (energies - self._mean)[:, None], forces[:, :, None]
        solved, self._solved_ones = self._solve(*known), self._solve(*ones)
        self._spread = 1.0 + float(_inner(ones, self._solved_ones)[0, 0])
        share = float(_inner(ones, solved)[0, 0]) / self._spread
        self._offset = OFFSET * share
        self._energy_weights = (solved[0] - share * self._solved_ones[0])[:, 0]
        self._force_weights = (solved[1] - share * self._solved_ones[1])[:, :, 0]
        fit = known[0][:, 0] @ self._energy_weights + np.sum(forces * self._force_weights)
        self.evidence = -0.5 * float(fit + self._log_determinant + np.log(self._spread))

    def _factorise(self, places: np.ndarray) -> None:
        """Factorise the covariance, given the points in the directions of their displacements, shape (n, m)."""
        n, m = places.shape
        apart = places[:, None] - places[None]
        blocks, across = np.zeros((n, 1 + m, n, 1 + m)), FORCE_NOISE**2 * np.eye(n)
        for squared, like in self._like(apart):
            crossed = like[..., None] * apart / squared
            curvature = np.eye(m) / squared - apart[..., :, None] * apart[..., None, :] / squared**2
            blocks[:, 0, :, 0] += like
            blocks[:, 0, :, 1:] -= crossed
            blocks[:, 1:, :, 0] += crossed.transpose(0, 2, 1)
            blocks[:, 1:, :, 1:] += (like[..., None, None] * curvature).transpose(0, 2, 1, 3)
            across += like / squared
        noise = np.tile([ENERGY_NOISE**2, *[FORCE_NOISE**2] * m], n)
        self._inside = cho_factor(blocks.reshape(n * (1 + m), -1) + np.diag(noise), lower=True)
        self._across = cho_factor(across, lower=True)
        logs = [np.log(np.diag(factor[0])).sum() for factor in (self._inside, self._across)]
        self._log_determinant = 2.0 * float(logs[0] + (self.positions.shape[1] - m) * logs[1])

    def _like(self, apart: np.ndarray) -> list[tuple[float, np.ndarray]]:
        """Squared length of each term, and its covariance of the energies of points that are ``apart`` (..., D)."""
        squares = np.sum(apart**2, axis=-1)
        return [(squared, variance * np.exp(-0.5 * squares / squared)) for squared, variance in self.kernel.terms]

    def _solve(self, energies: np.ndarray, forces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve for right-hand sides: energies (n, q) and forces (n, D, q)."""
        n, m = len(self.positions), len(self._along)
        inside = np.einsum("md,ndq->nmq", self._along, forces)
        right = np.concatenate([energies[:, None], inside], axis=1).reshape(n * (1 + m), -1)
        solved = cho_solve(self._inside, right).reshape(n, 1 + m, -1)
        across = forces - np.einsum("md,nmq->ndq", self._along, inside)
        across = cho_solve(self._across, across.reshape(n, -1)).reshape(forces.shape)
        return solved[:, 0], across + np.einsum("md,nmq->ndq", self._along, solved[:, 1:])

    def __call__(self, position: np.ndarray) -> tuple[float, np.ndarray]:
        """Expected energy (eV) and forces (eV/Å, shape (D,)) at a point."""
        apart = position - self.positions
        energy, forces, along = (
            self._mean + self._offset,
            np.zeros_like(position),
            np.sum(apart * self._force_weights, axis=1),
        )
        for squared, like in self._like(apart):
            weights = like * (self._energy_weights - along / squared)
            energy += float(weights.sum())
            forces += (weights @ apart + like @ self._force_weights) / squared
        return energy, forces

    def covariance(self, positions: np.ndarray) -> np.ndarray:
        """Covariance (eV²), shape (q, q), of the energies at points of shape (q, D)."""
        apart = positions[:, None] - self.positions[None]
        terms = self._like(apart)
        slopes = -np.sum([like / squared for squared, like in terms], axis=0)[..., None] * apart
        cross = np.sum([like for _, like in terms], axis=0).T, slopes.transpose(1, 2, 0)
        known = _inner(cross, self._solve(*cross))
        rest = OFFSET - _inner(cross, self._solved_ones)
        prior = np.sum([like for _, like in self._like(positions[:, None] - positions[None])], axis=0)
        covariance: np.ndarray = prior - known + rest @ rest.T / self._spread
        return covariance


def _inner(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    product: np.ndarray = first[0].T @ second[0] + np.tensordot(first[1], second[1], ((0, 1), (0, 1)))
    return product


def fit(positions: np.ndarray, energies: np.ndarray, forces: np.ndarray) -> GradientProcess:
    """Choose the kernel by the evidence and their priors.

    Parameters
    ----------
    positions, energies, forces
        As for :class:`GradientProcess`.
    """

    def cost(logarithms: np.ndarray) -> float:
        kernel = Kernel(*np.exp(logarithms))
        if not LENGTHS[0] <= kernel.length <= LENGTHS[1]:
            return np.inf
        unlikely = np.sum(((logarithms - medians) / widths) ** 2)
        return 0.5 * float(unlikely) - GradientProcess(positions, energies, forces, kernel).evidence

    medians, widths = (
        np.log([median for median, _ in PRIORS.values()]),
        np.array([width for _, width in PRIORS.values()]),
    )
    simplex = medians + np.vstack([np.zeros(3), 0.7 * np.diag(widths)])
    options = {"maxfev": MOST_FITS, "xatol": 0.02, "fatol": 0.05, "initial_simplex": simplex}
    found = minimize(cost, medians, method="Nelder-Mead", options=options)
    return GradientProcess(positions, energies, forces, Kernel(*np.exp(found.x)))
