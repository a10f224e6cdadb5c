"""When a band has fallen onto the path of a known one, and need not be converged to the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from barriers.analysis.band import highest_image
from barriers.analysis.paths import MERGED, farthest
from barriers.analysis.uncertainty import energy_left
from barriers.documents import BandDoc

AGREE = 0.005
"""A band that says the same as a known one says so within this (eV), what it may still fall included."""


class KnownBand(NamedTuple):
    """A converged band: positions (Å), shape (n, N, 3), and its highest image's energy above the first (eV).

    And energies (eV) and forces (eV/Å) of its two ends, which may have taken the place of those that it was given.
    """

    positions: np.ndarray
    height: float
    energies: tuple[float, float] = (0.0, 0.0)
    forces: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))


def known_bands(bands: Sequence[BandDoc]) -> dict[str, KnownBand]:
    """Give the converged ones of some bands by the name of their start."""
    return {
        band.start: KnownBand(
            np.array(band.positions),
            max(energies) - energies[0],
            (energies[0], energies[-1]),
            (np.array(band.forces[0]), np.array(band.forces[-1])),
        )
        for band in bands
        if band.converged and (energies := [energy for energy in band.energies if energy is not None])
    }


def merged_into(
    known: Mapping[str, KnownBand],
    positions: np.ndarray,
    energies: Sequence[float],
    cell: np.ndarray,
    left: float,
) -> str | None:
    """Name the known band that one has fallen onto, and says the same as; None for none.

    A band that is near a known one while its forces are large may still end lower, or elsewhere. So it counts only
    once the barriers differ by less than :data:`AGREE`, the energy ``left`` above its saddle (eV) added.
    """
    height = max(energies) - energies[0]
    return next(
        (
            name
            for name, band in known.items()
            if abs(height - band.height) + left < AGREE and farthest(band.positions, positions, cell) < MERGED
        ),
        None,
    )


def left_of_highest(energies: Sequence[float], forces: Sequence[np.ndarray]) -> float:
    """Bound for the energy between the highest image and its saddle (eV), of a code that shows no steps."""
    return energy_left(forces[highest_image(energies)])
