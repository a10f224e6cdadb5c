"""Curves through a band: energy over the true path length, by its tangential forces and without them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicHermiteSpline, CubicSpline, PPoly

from barriers.analysis.band import PERIODIC, Array, Images, minimum_image_displacements, problems

SHALLOWEST = 5e-3
"""A turn of the curve less high or deep than this is noise, no minimum and no saddle (eV)."""


class Curves(NamedTuple):
    """A band over its path length: its images, and the curves through them.

    Attributes
    ----------
    distances, energies, slopes : (n,)
        Path length (Å), energy relative to the first image (eV) and dE/ds (eV/Å) of each image.
    hermite, energies_only : PPoly
        Energy (eV) by cubic Hermite interpolation, and by a cubic spline without the slopes.
    bend : PPoly
        d²E/ds² (eV/Å²), the derivative of a cubic spline through the slopes. It is continuous; that of the Hermite
        curve jumps at the images, and a climbing image is where the saddle is.
    steep : list[int]
        First images of the pieces where more than noise was cut, see :func:`barriers.analysis.profile.analyse`.
    """

    distances: Array
    energies: Array
    slopes: Array
    hermite: PPoly
    energies_only: PPoly
    bend: PPoly
    steep: list[int]


def curves_of(
    positions: Images,
    cell: ArrayLike,
    energies: Images,
    forces: Images,
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
) -> Curves:
    """Put the curves through a band; parameters and errors are those of :func:`barriers.analysis.profile.analyse`."""
    found = problems(positions, cell, energies, forces, pbc, frozen=frozen)
    if found:
        raise ValueError(found[0])
    relative = np.asarray(energies, dtype=float) - float(energies[0])
    masked = np.array(forces, dtype=float)
    masked[:, list(frozen)] = 0.0
    distances, tangents = _path(minimum_image_displacements(positions, cell, pbc))
    slopes = -np.einsum("iax,iax->i", masked, tangents)
    return curves_along(distances, relative, slopes)


def curves_along(distances: ArrayLike, energies: ArrayLike, slopes: ArrayLike | None) -> Curves:
    """Put the curves through a band of which no more is known than what runs along its path.

    Parameters
    ----------
    distances, energies : (n,)
        Path length (Å) and total energy (eV) of each image.
    slopes : (n,) or None
        dE/ds (eV/Å), minus the tangential force; None where it is not known: then the cubic spline through the
        energies alone stands for the Hermite curve too.
    """
    along, heights = np.asarray(distances, dtype=float), np.asarray(energies, dtype=float)
    relative = heights - heights[0]
    energies_only = CubicSpline(along, relative)
    if slopes is None:
        bend = energies_only.derivative(2)
        return Curves(along, relative, energies_only(along, 1), energies_only, energies_only, bend, [])
    known = np.asarray(slopes, dtype=float)
    hermite, steep = _hermite(along, relative, known)
    return Curves(along, relative, known, hermite, energies_only, CubicSpline(along, known).derivative(), steep)


def _path(steps: Array) -> tuple[Array, Array]:
    lengths = np.linalg.norm(steps, axis=(1, 2))
    units = steps / lengths[:, None, None]
    tangents = np.concatenate([units[:1], units[:-1] + units[1:], units[-1:]])
    tangents /= np.linalg.norm(tangents, axis=(1, 2), keepdims=True)
    return np.concatenate([[0.0], np.cumsum(lengths)]), tangents


def _hermite(distances: Array, energies: Array, slopes: Array) -> tuple[PPoly, list[int]]:
    """Interpolate piece by piece, without turns that neither energies nor slopes have; and say where one was cut."""
    secants = np.diff(energies) / np.diff(distances)
    pieces, steep = [], []
    for i, secant in enumerate(secants):
        here, levels, ends = distances[i : i + 2], energies[i : i + 2], slopes[i : i + 2]
        piece = CubicHermiteSpline(here, levels, ends)
        if _turns(ends[0], ends[1], secant):
            turns = piece(piece.derivative().roots(extrapolate=False))
            if np.ptp(turns) > SHALLOWEST:
                steep.append(i)
            piece = CubicHermiteSpline(here, levels, ends * 3 * abs(secant) / np.hypot(*ends))
        pieces.append(piece.c)
    return PPoly(np.concatenate(pieces, axis=1), distances), steep


def _turns(left: float, right: float, secant: float) -> bool:
    """Whether a cubic turns between two points although energies and slopes all go the same way."""
    if secant == 0 or left * secant < 0 or right * secant < 0:
        return False
    a, b = left / secant, right / secant
    # The region of monotone cubics, from the roots of the derivative: Fritsch and Carlson, lemma 2.
    if a + b <= 2 or 2 * a + b <= 3 or a + 2 * b <= 3:
        return False
    return a < (2 * a + b - 3) ** 2 / (3 * (a + b - 2))
