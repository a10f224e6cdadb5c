"""Transport of an ion in a matrix: everything that is read off the trajectories of its boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from barriers.analysis.trajectory.binding import bind
from barriers.analysis.trajectory.boxes import BACKBONE, FollowedBox, check_alike, families, particles
from barriers.analysis.trajectory.conductivity import conductivity
from barriers.analysis.trajectory.displacement import van_hove
from barriers.analysis.trajectory.documents import MatrixDoc, MotionDoc, TransportDoc, VanHoveDoc
from barriers.analysis.trajectory.frames import Floats, Ints, Trajectory, unwrapped
from barriers.analysis.trajectory.kinds import formula, kinds
from barriers.analysis.trajectory.mechanism import lag_for
from barriers.analysis.trajectory.regime import (
    FEWEST,
    PS_TO_CM2_S,
    exponents,
    grouped,
    jackknife,
    regime,
    slopes,
    without_one,
)

SHOWN = 3
"""Lags of the van Hove function, up to the longest, a factor of ten apart."""

FINITE = (
    "D is that of the periodic box: it was not corrected for the box's size (Yeh and Hummer's 2.837 kT/6πηL needs the "
    "viscosity η of the melt)"
)
ONE_BOX = "one box: the errors know nothing of how boxes differ; three independently made ones tell"


def transport(trajectories: Sequence[Trajectory], ion: str = "Li", temperature: float | None = None) -> TransportDoc:
    """Read off how an ion moves in a matrix, by how much, and with whom.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        Independent boxes of one matrix, at one time between frames.
    ion : str
        Element of the ion.
    temperature : float or None
        In K; no conductivity without it.

    Raises
    ------
    ValueError
        One line, if the boxes are not of one kind, or one of them tells nothing.
    """
    followed = [(each, *unwrapped(each)) for each in trajectories]
    boxes = [FollowedBox(each, paths, kinds(each, ion)) for each, paths, _ in followed]
    check_alike(boxes)
    step, length = boxes[0].trajectory.step, min(len(box.paths) - 1 for box in boxes) * boxes[0].trajectory.step
    motions = [
        _motion(name, paths, families(boxes) if name == BACKBONE else None, step)
        for name, paths in particles(boxes).items()
    ]
    lead = motions[0]
    at = np.round(np.array(lead.lags) / step).astype(int)
    lag = lag_for(at, np.array(lead.msd))
    shells, pairs, residences, mechanism = bind(boxes, lag, step, (at, np.array(lead.msd)))
    return TransportDoc(
        files=[each.name for each in trajectories],
        matrix=_matrix(boxes),
        temperature=temperature,
        length=length,
        step=step,
        drift=max(drift for _, _, drift in followed),
        motions=motions,
        shells=shells,
        pairing=pairs,
        residences=residences,
        van_hove=[_van_hove(boxes, int(each), step) for each in _shown(at)],
        conductivity=None if temperature is None else conductivity(boxes, motions, step, temperature),
        mechanism=mechanism,
        notes=[FINITE] * any(m.regime.diffusivity is not None for m in motions) + [ONE_BOX] * (len(boxes) == 1),
    )


def _motion(name: str, paths: list[Floats], together: list[Ints] | None, step: float) -> MotionDoc:
    at, groups, boxes = grouped(paths, together)
    return motion(name, sum(each.shape[1] for each in paths), at * step, groups, boxes)


def motion(name: str, count: int, lags: Floats, groups: Floats, boxes: Floats) -> MotionDoc:
    """Judge how particles move.

    Parameters
    ----------
    name : str
        Of the particles.
    count : int
        How many there are in all boxes.
    lags : (L,)
        In ps.
    groups, boxes : (L, G), (L, B)
        Mean squared displacement (Å²) of each independent group, and of each box.
    """
    msd, found = groups.mean(axis=1), regime(lags, groups, boxes)
    window = (lags >= found.start * 0.999) & (lags <= found.end * 1.001)
    of_boxes = slopes(lags[window], boxes[window]) / 6 * PS_TO_CM2_S
    errors = [jackknife(each) if groups.shape[1] >= FEWEST else None for each in without_one(groups)]
    alpha = [None if np.isnan(each) else float(each) for each in exponents(lags, msd)]
    return MotionDoc(
        name=name, count=count, lags=lags.tolist(), msd=msd.tolist(), msd_error=errors, alpha=alpha, regime=found,
        boxes=of_boxes.tolist(), groups=groups.tolist(),
    )  # fmt: skip


def _matrix(boxes: Sequence[FollowedBox]) -> MatrixDoc:
    first, kind = boxes[0].trajectory, boxes[0].kinds
    density = [box.trajectory.density for box in boxes]
    symbols = np.array(first.species)
    others = Counter(formula(symbols[first.molecules == number].tolist()) for number in kind.others)
    return MatrixDoc(
        ion=kind.ion,
        ions=len(kind.ions),
        anions={name: len(numbers) for name, numbers in kind.anions.items()},
        chains=len(kind.chains),
        backbone=len(kind.backbone) / max(len(kind.chains), 1),
        others=dict(others),
        formula=dict(sorted(Counter(first.species).items())),
        density=float(np.mean(density)),
        density_spread=float(np.std(density, ddof=1)) if len(density) > 1 else None,
    )


def _shown(at: Ints) -> list[int]:
    wanted = [at[-1] / 10**power for power in range(SHOWN) if at[-1] / 10**power >= 1]
    return sorted({int(at[np.argmin(abs(np.log(at / each)))]) for each in wanted})


def _van_hove(boxes: Sequence[FollowedBox], lag: int, step: float) -> VanHoveDoc:
    least = min(len(box.paths) for box in boxes)
    r, density, alpha2 = van_hove(np.concatenate([box.paths[:least, box.kinds.ions] for box in boxes], axis=1), lag)
    return VanHoveDoc(lag=lag * step, r=r.tolist(), density=density.tolist(), alpha2=alpha2)
