"""Whether particles diffuse: the exponent of their mean squared displacement, and D only where it is one."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, Field

from barriers.analysis.trajectory.displacement import LONGEST, squared
from barriers.analysis.trajectory.displacement import lags as lags_of
from barriers.analysis.trajectory.frames import Floats, Ints

LOW, HIGH = 0.9, 1.1
"""Between these exponents over a whole decade of lag, a motion counts as diffusion."""

FAR = 25.0
"""Mean squared displacement (Å²) at the end of the window below which ions have not left their cages."""

SURE = 0.1
"""An exponent known no better than this tells nothing apart."""

TRAPPED = 0.1
"""Below this exponent nothing can be extrapolated."""

FEWEST = 4
"""Groups that a standard error needs."""

BLOCKS = 5
"""Blocks in time of a trajectory with few particles."""

UNREACHABLE = 1e9
"""No molecular dynamics lasts as long (ps)."""

PS_TO_CM2_S = 1e-4
"""Å²/ps in cm²/s."""


class RegimeDoc(BaseModel):
    """How particles move, and their diffusion coefficient where they diffuse."""

    alpha: float | None = Field(None, description="exponent of the MSD over the window's decade of lag")
    alpha_error: float | None = Field(None, description="its standard error")
    start: float = Field(description="first lag of the window (ps)")
    end: float = Field(description="its last lag (ps)")
    msd: float = Field(description="mean squared displacement at its end (Å²)")
    diffusivity: float | None = Field(None, description="D (cm²/s); none where the motion is no diffusion")
    diffusivity_error: float | None = Field(None, description="its standard error (cm²/s)")
    reason: str | None = Field(None, description="why there is no D, and what would be needed")
    needed: float | None = Field(None, description="least length of run that can give one (ps), extrapolated")


def regime(lags: Floats, msds: Floats, boxes: Floats | None = None) -> RegimeDoc:
    """Find the latest decade of lag whose exponent is known, and D if that is one of diffusion.

    Nothing is chosen by its result: of the decades whose exponent is known to 0.1, the latest decides. Its halves, too,
    must have exponents of diffusion, within two of their errors. D is a sixth of the slope of a line whose offset is
    free: rattling in cages leaves one behind.

    Parameters
    ----------
    lags : (L,)
        In ps, rising.
    msds : (L, G)
        Mean squared displacement (Å²) of each independent group: of particles, of blocks in time, or both.
    boxes : (L, B) or None
        The same of each independently made box; where they are two or more, their spread counts if it is larger.
    """
    ends = [end for end in range(len(lags) - 1, 0, -1) if lags[end] >= 10 * lags[0]]
    if not ends:
        return _short(lags, msds, "frames of less than a decade of lag")
    found = None
    for end in ends[:: max(1, len(ends) // 12)]:
        window = (lags >= lags[end] / 10 * 0.999) & (lags <= lags[end])
        found = _window(lags[window], msds[window])
        if found.alpha_error is not None and found.alpha_error <= SURE:
            _judge(found, lags[window], msds[window], None if boxes is None else boxes[window], lags[-1])
            return found
    assert found is not None
    return _short(lags, msds, "the exponent of no decade of lag is known to ± 0.1: more ions, boxes or time are needed")


def grouped(boxes: Sequence[Floats], families: Sequence[Ints] | None = None) -> tuple[Ints, Floats, Floats]:
    """Average mean squared displacements over groups that are independent of each other, for their errors.

    Parameters
    ----------
    boxes : sequence of (T, M, 3)
        Unwrapped positions (Å) of the same kind of particles in independent boxes.
    families : sequence of (M,) or None
        Particles of one number move together, as atoms of a chain do, and stay in one group; None where each is alone.

    Returns
    -------
    (L,), (L, G), (L, B)
        Lags in frames; mean squared displacement (Å²) of each group and of each box. Groups are particles or families,
        or, where those are fewer than eight, blocks in time, with which lags end at a tenth of the trajectory.
    """
    count, frames = len(boxes), min(map(len, boxes))
    members = [np.arange(box.shape[1]) for box in boxes] if families is None else list(families)
    if sum(len(np.unique(each)) for each in members) < 2 * FEWEST:
        frames //= BLOCKS
        boxes = [box[i * frames : (i + 1) * frames] for box in boxes for i in range(BLOCKS)]
        members = [np.zeros(box.shape[1], dtype=np.int64) for box in boxes]
    at = lags_of(frames)
    groups = [_by_family(squared(paths, at), who) for paths, who in zip(boxes, members, strict=True)]
    whole = np.stack([of.mean(axis=1) for of in groups], axis=1).reshape(len(at), count, -1).mean(axis=2)
    return at, np.concatenate(groups, axis=1), whole


def _by_family(msds: Floats, members: Ints) -> Floats:
    """Mean over the particles of each family: (L, M) → (L, G)."""
    return np.stack([msds[:, members == name].mean(axis=1) for name in np.unique(members)], axis=1)


def slopes(lags: Floats, values: Floats) -> Floats:
    """Slopes of lines with offsets, (L, G) → (G,), weighed as errors of an MSD grow: with the lag."""
    return np.polyfit(lags, values, 1, w=1 / lags)[0]


def exponents(lags: Floats, msd: Floats) -> Floats:
    """Local exponent d ln MSD/d ln t at each lag (L,), over about a third of a decade."""
    x, y = np.log(lags), np.log(np.maximum(msd, 1e-12))
    near = abs(x[:, None] - x) <= np.log(10) / 6
    return np.array([np.polyfit(x[each], y[each], 1)[0] if each.sum() > 1 else np.nan for each in near])


def jackknife(statistic: ArrayLike) -> float:
    """Standard error of a mean-like number from its values without one group each; inf where groups are too few."""
    values = np.asarray(statistic, dtype=float)
    return inf if len(values) < FEWEST else sqrt((len(values) - 1) * float(values.var()))


def without_one(msds: Floats) -> Floats:
    """Means over groups, each without one: (L, G) → (L, G)."""
    count = msds.shape[1]
    return (msds.sum(axis=1, keepdims=True) - msds) / max(count - 1, 1)


def _with_error(lags: Floats, msds: Floats) -> tuple[float, float]:
    """Exponent over all of these lags, and its standard error."""
    means = np.concatenate([msds.mean(axis=1, keepdims=True), without_one(msds)], axis=1)
    alphas = np.polyfit(np.log(lags), np.log(np.maximum(means, 1e-12)), 1)[0]
    return float(alphas[0]), jackknife(alphas[1:])


def _window(lags: Floats, msds: Floats) -> RegimeDoc:
    alpha, error = _with_error(lags, msds)
    end = float(msds[-1].mean())
    return RegimeDoc(alpha=alpha, alpha_error=error, start=float(lags[0]), end=float(lags[-1]), msd=end)


def _judge(found: RegimeDoc, lags: Floats, msds: Floats, boxes: Floats | None, longest: float) -> None:
    """Write into what was found its D, or why there is none and what would be needed, by the longest lag (ps)."""
    halves = [lags <= lags[-1] / sqrt(10), lags >= lags[-1] / sqrt(10)]
    early, late = (_with_error(lags[half], msds[half]) for half in halves)
    steady = all(LOW - 2 * error < alpha < HIGH + 2 * error for alpha, error in (early, late))
    alpha = found.alpha or 0.0
    if LOW < alpha < HIGH and steady and found.msd > FAR:
        found.diffusivity = float(slopes(lags, msds.mean(axis=1, keepdims=True))[0]) / 6 * PS_TO_CM2_S
        errors = [jackknife(slopes(lags, without_one(msds)))]
        if boxes is not None and boxes.shape[1] > 1:
            errors.append(float(np.std(slopes(lags, boxes), ddof=1)) / sqrt(boxes.shape[1]))
        found.diffusivity_error = max(errors) / 6 * PS_TO_CM2_S
        return
    if alpha < TRAPPED:
        found.reason = f"bound, no D: the MSD stays at {found.msd:.2g} Å² (α = {alpha:.2f}); no longer run changes that"
        return
    where = f"from {found.start:.3g} to {found.end:.3g} ps"
    if alpha <= LOW:
        what = f"sub-diffusive, no D: α = {alpha:.2f} {where}"
    elif alpha >= HIGH:
        what = f"ballistic or drifting, no D: α = {alpha:.2f} {where}"
    elif not steady:
        what = f"not yet diffusive, no D: α goes from {early[0]:.2f} to {late[0]:.2f} {where}"
    else:
        what = f"not far enough, no D: the MSD is {found.msd:.2g} Å² at {found.end:.3g} ps, allowed: above {FAR:.0f}"
    far = found.end * max(1.0, (FAR / found.msd)) ** (1 / max(late[0], TRAPPED))
    settled = LOW < late[0] < HIGH
    decade = found.end if LOW < alpha < HIGH and steady else found.end * (sqrt(10) if settled else 10)
    found.needed = max(far, decade, longest) / LONGEST
    reachable = found.needed < UNREACHABLE
    found.reason = f"{what}; needed: {f'at least {duration(found.needed)}' if reachable else 'longer than MD reaches'}"


def duration(time: float) -> str:
    """Write a time (ps) in the unit it is read best in: ``20 ps``, ``3.2 ns``, ``1.5 µs``."""
    for unit, size in (("s", 1e12), ("ms", 1e9), ("µs", 1e6), ("ns", 1e3)):
        if time >= size:
            return f"{time / size:.2g} {unit}" if time < 100 * size else f"{time / size:.0f} {unit}"
    return f"{time:.3g} ps"


def _short(lags: Floats, msds: Floats, why: str) -> RegimeDoc:
    msd = float(msds[-1].mean())
    return RegimeDoc(start=float(lags[0]), end=float(lags[-1]), msd=msd, reason=f"no D: {why}")
