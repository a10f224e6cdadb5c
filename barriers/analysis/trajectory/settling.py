"""Whether a box has settled: a density that no longer drifts, by block averages and their error."""

from __future__ import annotations

from math import hypot, sqrt

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field

BLOCKS = 8
"""Blocks of the later half of a series; as many samples each."""

SAMPLES = 5
"""A block needs so many samples."""

KNOWN = 0.02
"""A mean whose standard error is above this share is not known well enough to say that it does not drift."""

SAME = 1e-3
"""A drift below this share changes no result, however well it is known."""


class SettlingDoc(BaseModel):
    """The later half of a series of densities, its first blocks against its last."""

    mean: float = Field(description="g/cm³")
    error: float = Field(description="its standard error, of block averages (g/cm³)")
    drift: float = Field(description="mean of the last blocks less that of the first (g/cm³)")
    drift_error: float = Field(description="its standard error (g/cm³)")
    settled: bool = Field(description="whether it no longer drifts, and the mean is known well enough to say so")
    reason: str | None = Field(None, description="why it has not settled")


def settling(densities: ArrayLike) -> SettlingDoc:
    """Judge a series of densities: settled where the later half does not drift by more than two standard errors.

    The earlier half is not looked at. Blocks that are shorter than the density's memory make errors small, so that more
    is called drift, not less. A drift below 0.1 % always passes, and no series passes whose mean is not known to 2 %.

    Parameters
    ----------
    densities : (T,)
        In g/cm³, evenly spaced in time.
    """
    series = np.asarray(densities, dtype=float)
    length = len(series) // 2 // BLOCKS
    if length < SAMPLES:
        mean = float(series.mean()) if series.size else float("nan")
        few = f"{len(series)} samples, {2 * BLOCKS * SAMPLES} needed"
        return SettlingDoc(mean=mean, error=mean, drift=0.0, drift_error=mean, settled=False, reason=few)
    blocks = series[-length * BLOCKS :].reshape(BLOCKS, length).mean(axis=1)
    first, last = np.split(blocks, 2)
    mean, error = float(blocks.mean()), float(blocks.std(ddof=1)) / sqrt(BLOCKS)
    drift = float(last.mean() - first.mean())
    drift_error = hypot(first.std(ddof=1), last.std(ddof=1)) / sqrt(BLOCKS / 2)
    reason = None
    if error > KNOWN * mean:
        reason = f"its density is {mean:.3f} ± {error:.3f} g/cm³, known no better than {KNOWN:.0%}"
    elif abs(drift) > max(2 * drift_error, SAME * mean):
        reason = f"its density drifts, by {drift:+.3f} ± {drift_error:.3f} g/cm³ within the later half".replace(
            "-", "−"
        )
    return SettlingDoc(
        mean=mean, error=error, drift=drift, drift_error=drift_error, settled=reason is None, reason=reason
    )
