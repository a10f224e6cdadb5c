"""What a drawing of a corrected barrier shows beside its profile: the model's band, the error band, the points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from barriers.analysis.band import minimum_image_displacements
from barriers.analysis.paths import length_at
from barriers.documents import BarrierDoc
from barriers.report.style import COLOURS, MARKERS

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Correction:
    """Lines and points over path length (Å); energies in eV.

    Attributes
    ----------
    model : ndarray, shape (n, 2)
        Images of the model's own band over its own length, from its own initial state.
    error : ndarray, shape (k, 3)
        Path length of each point of the profile's curve, and its energy less and plus one standard deviation.
    points : ndarray, shape (q, 2)
        Where the band comes nearest to each point of the engine, and its energy, from the corrected initial state.
    first : ndarray of bool, shape (q,)
        Which of them are the first of their search.
    names : list[str]
        What each was asked for, and in which round.
    """

    model: Numbers
    error: Numbers
    points: Numbers
    first: NDArray[np.bool_]
    names: list[str]

    @property
    def farthest(self) -> float:
        """Largest path length (Å)."""
        return float(max(self.model[-1, 0], self.error[-1, 0]))

    @property
    def heights(self) -> Numbers:
        """All energies (eV)."""
        return np.concatenate([self.model[:, 1], self.error[:, 1:].ravel(), self.points[:, 1]])


def correction_of(barrier: BarrierDoc) -> Correction | None:
    """Lay out what a corrected barrier rests on; None of any other, or without a profile."""
    band, rests_on, profile = barrier.band, barrier.correction, barrier.profile
    if rests_on is None or profile is None:
        return None
    lattice = band.structure.lattice
    steps = minimum_image_displacements(rests_on.model_positions, lattice.matrix, lattice.pbc)
    over = np.concatenate([[0.0], np.cumsum(np.linalg.norm(steps, axis=(1, 2)))])
    of_model = np.array(rests_on.model_energies, dtype=float)
    curve, energies = np.array(profile["curve_distance"]), np.array(profile["curve_energy"])
    deviations = np.interp(curve, profile["distances"], rests_on.deviations)
    used = [point for point in rests_on.points if point.reason is None]
    places = length_at([point.positions for point in used], band.positions, lattice.matrix, lattice.pbc)
    heights = np.array([point.energy for point in used], dtype=float) - float(band.energies[0] or 0.0)
    return Correction(
        model=np.column_stack([over, of_model - of_model[0]]),
        error=np.column_stack([curve, energies - deviations, energies + deviations]),
        points=np.column_stack([places, heights]),
        first=np.array([point.round == 1 for point in used]),
        names=[f"{point.kind} {point.round}" for point in used],
    )


def draw_error(axes: Axes, correction: Correction, colour: str, label: str = "") -> None:
    """Shade the profile by one standard deviation to either side."""
    distances, low, high = correction.error.T
    axes.fill_between(distances, low, high, color=colour, alpha=0.25, linewidth=0, zorder=1, label=label)


def draw_correction(axes: Axes, correction: Correction) -> None:
    """Draw all of it beside a profile in the first colour, named for a legend."""
    draw_error(axes, correction, COLOURS[0], "± 1 sd")
    axes.plot(*correction.model.T, color="0.45", linestyle="--", marker=".", label="model", zorder=1.5)
    look: dict[str, Any] = {"linestyle": "", "marker": MARKERS[3], "color": COLOURS[1], "zorder": 3}
    for which, face, label in ((~correction.first, COLOURS[1], "points"), (correction.first, "none", "first points")):
        axes.plot(*correction.points[which].T, **look, markerfacecolor=face, label=label)
