"""Humps of a corrected band: a path may have more than one, and the model may take the lower for the higher."""

from __future__ import annotations

import numpy as np
from scipy.signal import find_peaks

from barriers.analysis.curves import SHALLOWEST, Curves

FINE = 500
"""Places along a curve where humps are looked for."""


def other_humps(curves: Curves, top: int) -> dict[int, float]:
    """Find the humps of a band besides the one at its saddle.

    Parameters
    ----------
    curves : Curves
        Through the images.
    top : int
        Number of the image at the saddle.

    Returns
    -------
    dict[int, float]
        By the nearest image: height of the curve above the first image (eV), which may lie between two images.
    """
    places = np.linspace(0.0, curves.distances[-1], FINE)
    heights = curves.hermite(places)
    found: dict[int, float] = {}
    for peak in find_peaks(heights, prominence=SHALLOWEST)[0]:
        image = int(np.abs(curves.distances - places[peak]).argmin())
        if image != top:
            found[image] = max(float(heights[peak]), found.get(image, -np.inf))
    return found
