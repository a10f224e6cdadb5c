"""Curves that lie under others: drawn wider, they are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

NEAR = 0.03
"""Curves on average this near, in parts of the height of all, cover each other."""

WIDER = 2.4
"""How much wider a curve is drawn for each that covers it, in points or units of the page."""


def covered(profiles: Sequence[Mapping[str, Any]]) -> list[int]:
    """Count for each profile those after it that lie on it, in the order in which they are drawn.

    Parameters
    ----------
    profiles : sequence of Mapping
        Each with ``curve_distance`` (Å) and ``curve_energy`` (eV).
    """
    if not profiles:
        return []
    height = max(max(one["curve_energy"]) for one in profiles) - min(min(one["curve_energy"]) for one in profiles)

    def near(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        across = np.linspace(0, min(one["curve_distance"][-1], other["curve_distance"][-1]), 50)
        up = [np.interp(across, each["curve_distance"], each["curve_energy"]) for each in (one, other)]
        return bool(np.abs(up[0] - up[1]).mean() < NEAR * height)

    return [sum(near(one, other) for other in profiles[place + 1 :]) for place, one in enumerate(profiles)]
