"""Bands of several segments: a hop through intermediate minima that were relaxed on their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PPoly

from barriers.analysis.band import PERIODIC, Array, Images, minimum_image_displacements
from barriers.analysis.curves import Curves, curves_of
from barriers.analysis.profile import Profile, read

SAME_PLACE = 0.05
"""An atom of a joint lies no further apart (Å) in the two segments that meet there."""

SAME_ENERGY = 1e-3
"""The energies of a joint differ by no more (eV) between the two segments that meet there."""


class Segment(NamedTuple):
    """A band from one minimum to the next.

    Attributes
    ----------
    positions : (n, N, 3)
        Images, both minima included (Å).
    energies : (n,)
        Total energies (eV).
    forces : (n, N, 3)
        Forces (eV/Å), without springs.
    """

    positions: Images
    energies: Images
    forces: Images


def analyse_segments(
    segments: Sequence[Segment],
    cell: ArrayLike,
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
) -> Profile:
    """Join bands that follow each other into one profile.

    Every segment has curves of its own, so a path may turn as sharply as it likes at a minimum between them. The
    joint is an image of the profile once.

    Parameters
    ----------
    segments : sequence of Segment
        From the initial to the final state. Each starts with the structure the one before ends with, wrapped or not.
    cell, pbc, frozen
        As in :func:`barriers.analysis.profile.analyse`.

    Returns
    -------
    Profile
        Energies relative to the initial state of the first segment. The fits of the whole are, each, the highest of
        that fit over the segments.

    Raises
    ------
    ValueError
        If there is no segment, one is no band, or two do not meet: an atom lies more than 0.05 Å, or the energy
        more than 1 meV, away.
    """
    if not segments:
        raise ValueError("no segment; allowed: at least one band")
    pieces = []
    for number, segment in enumerate(segments):
        try:
            pieces.append(curves_of(*_arguments(segment, cell), pbc=pbc, frozen=frozen))
        except ValueError as error:
            raise ValueError(f"segment {number}: {error}") from error
        if number:
            _check_joint(segments[number - 1], segment, number, cell, pbc)
    return read(_joined(pieces))


def _arguments(segment: Segment, cell: ArrayLike) -> tuple[Images, ArrayLike, Images, Images]:
    return segment.positions, cell, segment.energies, segment.forces


def _check_joint(before: Segment, after: Segment, number: int, cell: ArrayLike, pbc: Sequence[bool]) -> None:
    if np.shape(before.positions[-1]) != np.shape(after.positions[0]):
        raise ValueError(f"segments {number - 1} and {number} differ in their atoms")
    apart = minimum_image_displacements([before.positions[-1], after.positions[0]], cell, pbc)
    gap = float(np.linalg.norm(apart, axis=-1).max())
    step = abs(float(after.energies[0]) - float(before.energies[-1]))
    if gap > SAME_PLACE or step > SAME_ENERGY:
        raise ValueError(
            f"segments {number - 1} and {number} do not meet: an atom lies {gap:.3f} Å, the energy {step:.4f} eV away; "
            f"allowed: {SAME_PLACE:g} Å, {SAME_ENERGY:g} eV"
        )


def _joined(pieces: Sequence[Curves]) -> Curves:
    starts = np.cumsum([0.0, *(piece.distances[-1] for piece in pieces[:-1])])
    levels = np.cumsum([0.0, *(piece.energies[-1] for piece in pieces[:-1])])
    images = np.cumsum([0, *(len(piece.distances) - 1 for piece in pieces[:-1])]).tolist()
    return Curves(
        _chain([piece.distances + start for piece, start in zip(pieces, starts, strict=True)]),
        _chain([piece.energies + level for piece, level in zip(pieces, levels, strict=True)]),
        _chain([piece.slopes for piece in pieces]),
        _one([piece.hermite for piece in pieces], starts, levels),
        _one([piece.energies_only for piece in pieces], starts, levels),
        _one([piece.bend for piece in pieces], starts, np.zeros(len(pieces))),
        [first + image for piece, first in zip(pieces, images, strict=True) for image in piece.steep],
    )


def _chain(parts: Sequence[Array]) -> Array:
    """Put values of images one after the other, a joint's from the segment that starts there."""
    return np.concatenate([*(part[:-1] for part in parts[:-1]), parts[-1]])


def _one(curves: Sequence[PPoly], starts: Array, levels: Array) -> PPoly:
    """Make one piecewise polynomial of several, each moved to its start and raised to its level."""
    raised = [curve.c.copy() for curve in curves]
    for coefficients, level in zip(raised, levels, strict=True):
        coefficients[-1] += level
    knots = _chain([curve.x + start for curve, start in zip(curves, starts, strict=True)])
    return PPoly(np.concatenate(raised, axis=1), knots)
