"""How far a barrier may be from that of a band converged to the end, from what was seen on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, sqrt

import numpy as np
from numpy.typing import ArrayLike

UNSEEN = 1.0
"""Stiffness (eV/Å²) of directions that no step has shown: an oxygen atom so held vibrates at 4 THz, lithium at 6."""

FLATTEST = 0.1
"""Least stiffness (eV/Å²) that is read off steps: below, it is noise of curved ground more than a mode."""

SHORTEST = 0.02
"""Directions in which the steps are shorter than this share of the longest are not told apart from rounding."""

OF_BOUND = 1 / sqrt(3)
"""Standard deviation over bound, where no more is known of an error than that it is below a bound.

Guide to the Expression of Uncertainty in Measurement (JCGM 100:2008), 4.3.7. Two of it reach just beyond the bound.
"""

PARTS = ("fit", "tolerance", "starts", "ends")
"""What the uncertainty of a band's barrier is made of."""


def energy_left(forces: ArrayLike, steps: Sequence[ArrayLike] = (), changes: Sequence[ArrayLike] = ()) -> float:
    """Energy between a structure and the stationary point beside it (eV): F·H⁻¹·F/2 over all atoms that may move.

    The Hessian is that which the last steps have shown (H s = −ΔF, made symmetric within their span, its eigenvalues
    taken by size: a saddle has a negative one); across them it is :data:`UNSEEN`. Without steps it is a bound by that
    stiffness alone.

    Parameters
    ----------
    forces : (N, 3)
        Forces (eV/Å), frozen atoms at 0.
    steps, changes : sequence of (N, 3)
        Where other structures stood, from this one (Å), and how much their forces differed from its own (eV/Å).

    Returns
    -------
    float
        In eV, never negative.
    """
    force = np.asarray(forces, dtype=float).ravel()
    if len(steps) == 0:
        return float(force @ force) / (2 * UNSEEN)
    moved = np.reshape(np.asarray(steps, dtype=float), (len(steps), -1))
    felt = np.reshape(np.asarray(changes, dtype=float), (len(steps), -1))
    left, lengths, axes = np.linalg.svd(moved, full_matrices=False)
    known = lengths > SHORTEST * max(lengths[0], 1e-12)
    basis = axes[known]
    shown = -(left[:, known] / lengths[known]).T @ felt @ basis.T
    stiffness, modes = np.linalg.eigh((shown + shown.T) / 2)
    along = modes.T @ (basis @ force)
    across = float(force @ force - along @ along)
    return float((along**2 / (2 * np.maximum(abs(stiffness), FLATTEST))).sum() + max(across, 0.0) / (2 * UNSEEN))


def last_halving(max_forces: Sequence[float], heights: Sequence[float]) -> float | None:
    """Change of the barrier while the largest force fell to its last half (eV); None where it never was twice as large.

    An error that falls with the force is as large as this change, one that falls with its square a third of it.

    Parameters
    ----------
    max_forces, heights : sequences of equal length
        Largest force (eV/Å) and barrier (eV) after each iteration.
    """
    twice = [number for number, force in enumerate(max_forces) if force >= 2 * max_forces[-1]]
    return max(abs(height - heights[-1]) for height in heights[twice[-1] :]) if twice else None


def band_parts(
    fit: float,
    left: float | None,
    halving: float | None,
    alike: Sequence[float],
    end_left: float | None,
) -> dict[str, float]:
    """Name the parts of a barrier's uncertainty (eV), each one standard deviation; what is not known is left out.

    What the forces are worth is a bound, of which :data:`OF_BOUND` counts. Spreads count whole: they are of few.

    Parameters
    ----------
    fit : float
        Spread of the fits.
    left, halving : float or None
        What :func:`energy_left` says of the saddle, and :func:`last_halving`: two estimates of one thing, of which the
        larger counts.
    alike : sequence of float
        Barriers of the starts that ended on the same path; one alone says nothing.
    end_left : float or None
        What :func:`energy_left` says of the end state that the barrier is climbed from.
    """
    known = [value for value in (left, halving) if value is not None]
    parts = {
        "fit": fit,
        "tolerance": OF_BOUND * max(known) if known else None,
        "starts": max(alike) - min(alike) if len(alike) > 1 else None,
        "ends": None if end_left is None else OF_BOUND * end_left,
    }
    return {name: value for name, value in parts.items() if value is not None}


def total(parts: Mapping[str, float]) -> float:
    """Add parts in squares (eV)."""
    return hypot(*parts.values())
