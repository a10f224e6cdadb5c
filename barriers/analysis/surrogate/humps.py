"""Humps of a corrected band: a path may have more than one, and the model may take the lower for the higher."""

from __future__ import annotations

import numpy as np

from barriers.analysis.curves import SHALLOWEST, Curves

FINE = 500
"""Places along a curve where humps are looked for."""


def other_humps(curves: Curves, top: int) -> dict[float, float]:
    """Find the humps of a band besides the one at its saddle.

    Parameters
    ----------
    curves : Curves
        Through the images.
    top : int
        Number of the image at the saddle.

    Returns
    -------
    dict[float, float]
        By the distance along the path (Å), which may lie between two images: height above the first image (eV).
    """
    from scipy.signal import find_peaks

    places = np.linspace(0.0, curves.distances[-1], FINE)
    heights = curves.hermite(places)
    peaks = find_peaks(heights, prominence=SHALLOWEST)[0]
    return {float(places[peak]): float(heights[peak]) for peak in peaks if nearest_image(curves, places[peak]) != top}


def nearest_image(curves: Curves, place: float) -> int:
    """Number of the image nearest to a place along the path (Å)."""
    return int(np.abs(curves.distances - place).argmin())
