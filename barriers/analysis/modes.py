"""The lowest modes of a Hessian of which no more is known than what it does to a few directions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from barriers.analysis.band import Array

DOWNHILL = -0.05
"""A curvature below this (eV/Å²) is one downhill; nearer to zero, finite differences and loose forces do not tell."""

ALONG = 0.5
"""The mode downhill lies along the path when the cosine of the angle between them is at least that."""

SHARP = 1e-2
"""Relative tolerance of a curvature; of a direction, the least part that is not in those before it."""


class Modes(NamedTuple):
    """The lowest modes that were found.

    Attributes
    ----------
    curvatures : (m,)
        In eV/Å², ascending. None is below the eigenvalue of the same number: a mode downhill is surely there, while
        one uphill may hide another.
    vectors : (m, D)
        Unit vectors.
    calls : int
        Directions that were asked for.
    """

    curvatures: Array
    vectors: Array
    calls: int

    @property
    def order(self) -> int:
        """Number of modes downhill: 0 at a minimum, 1 at a saddle."""
        return int((self.curvatures < DOWNHILL).sum())


class _SpentError(Exception):
    """All directions were asked for."""


def lowest_modes(times: Callable[[Array], Array], start: Array, most_calls: int, along: Array | None = None) -> Modes:
    """Find the lowest modes with few products of the Hessian and a direction.

    Lanczos' method (ARPACK) gives the directions; where it is stopped, the modes are the best in the space of all that
    were asked for (Rayleigh and Ritz).

    Parameters
    ----------
    times : callable
        Gives the Hessian times a unit vector (eV/Å²), both of shape (D,).
    start : (D,)
        Where to begin: the less there is in it of stiff modes, the fewer products are needed.
    most_calls : int
        Most products, 2 at least.
    along : (D,) or None
        A direction that is looked at first, the others at right angles to it.
    """
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    asked: list[tuple[Array, Array]] = []
    held = np.zeros_like(start) if along is None else along / np.linalg.norm(along)

    def across(vector: Array) -> Array:
        return vector - held * (held @ vector)

    def product(vector: Array) -> Array:
        if len(asked) == most_calls:
            raise _SpentError
        length = float(np.linalg.norm(vector))
        asked.append((vector / length, times(vector / length)))
        return length * asked[-1][1]

    # ARPACK gives up where the forces do not change along what is left, as where there are none: what was asked stands.
    with suppress(_SpentError, ArpackError):
        if along is not None:
            product(held)
        if len(start) < most_calls:
            for axis in np.eye(len(start)):
                product(axis)
        else:
            operator = LinearOperator(
                (len(start),) * 2, matvec=lambda vector: across(product(across(vector.ravel()))), dtype=float
            )
            eigsh(operator, k=1, which="SA", v0=across(start), ncv=most_calls, tol=SHARP)
    return _best(np.array([pair[0] for pair in asked]).T, np.array([pair[1] for pair in asked]).T, len(asked))


def _best(directions: Array, products: Array, calls: int) -> Modes:
    """Find the modes in the space of some directions, shape (D, m), from their products."""
    left, sizes, right = np.linalg.svd(directions, full_matrices=False)
    kept = sizes > SHARP * sizes[0]
    basis = left[:, kept]
    matrix = basis.T @ (products @ right[kept].T / sizes[kept])
    curvatures, shares = np.linalg.eigh((matrix + matrix.T) / 2)
    return Modes(curvatures, (basis @ shares).T, calls)
