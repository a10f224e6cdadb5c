"""Conductivity and transference: of independent ions, and of all ions together with what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, sqrt

import numpy as np

from barriers.analysis.diffusion import conductivity as ionic_conductivity
from barriers.analysis.trajectory.boxes import FollowedBox, centres_of
from barriers.analysis.trajectory.displacement import collective, lags, shared
from barriers.analysis.trajectory.documents import ConductivityDoc, MotionDoc
from barriers.analysis.trajectory.frames import Floats
from barriers.analysis.trajectory.kinds import CHARGES
from barriers.analysis.trajectory.regime import BLOCKS, PS_TO_CM2_S, jackknife, slopes

KNOWN = 3.0
"""Standard errors that a conductivity must be above zero before shares of it are told."""


def nernst_einstein(
    densities: Mapping[str, tuple[float, int]], diffusivities: Mapping[str, tuple[float, float]], temperature: float
) -> tuple[float, float]:
    """Conductivity e²/(kT) Σ n z² D of independent ions (S/cm), and its error.

    Parameters
    ----------
    densities : mapping to (float, int)
        Ions per Å³, and their charge (e), by name.
    diffusivities : mapping to (float, float)
        D and its error (cm²/s), by name.
    temperature : float
        In K.
    """
    parts = {name: float(ionic_conductivity(1.0, n, z, temperature)) for name, (n, z) in densities.items()}
    value = sum(part * diffusivities[name][0] for name, part in parts.items())
    return value, hypot(*(part * diffusivities[name][1] for name, part in parts.items()))


def conduct(
    boxes: Sequence[tuple[Floats, Floats, float]], window: tuple[float, float], step: float, temperature: float
) -> tuple[float, float, tuple[float, float] | None]:
    """Conductivity from the displacement of all charges together, and the cations' share of it.

    σ = d⟨(Σ z Δr)²⟩/dt / 6VkT. A box gives one such sum alone, so that the error comes from blocks in time and boxes.

    Parameters
    ----------
    boxes : sequence of ((T, M, 3), (M,), float)
        Unwrapped positions (Å) and charges (e) of all ions, and the volume (Å³), of each box.
    window : (float, float)
        Lags that the slope is taken over (ps).
    step : float
        Between frames (ps).
    temperature : float
        In K.

    Returns
    -------
    float, float, (float, float) or None
        S/cm, its standard error, and the share of the positive ions with its own; None where the whole is not known to
        a third.
    """
    values, positive = [], []
    for paths, charges, volume in boxes:
        long = len(paths) // BLOCKS
        for block in (paths[i * long : (i + 1) * long] for i in range(BLOCKS)):
            at = lags(long)
            inside = (at * step >= window[0]) & (at * step <= window[1])
            inside = inside if inside.sum() > 2 else at * step >= at[-1] * step / 10
            factor = float(ionic_conductivity(PS_TO_CM2_S / 6, 1 / volume, 1, temperature))
            moved = block - block[0].astype(float)
            whole = np.einsum("tnx,n->tx", moved, charges)[:, None]
            part = np.einsum("tnx,n->tx", moved, np.maximum(charges, 0))[:, None]
            times = at[inside] * step
            values.append(factor * float(slopes(times, collective(block, charges, at)[inside, None])[0]))
            positive.append(factor * float(slopes(times, shared(part, whole, at)[inside])[0]))
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values))
    if mean < KNOWN * error:
        return mean, error, None
    rest = [np.delete(positive, i).sum() / np.delete(values, i).sum() for i in range(len(values))]
    return mean, error, (float(np.sum(positive) / np.sum(values)), jackknife(rest))


def independent(
    numbers: Mapping[str, int], ion: str, volume: float, motions: Sequence[MotionDoc], temperature: float
) -> ConductivityDoc:
    """Give the conductivity of ions that know nothing of each other, or why there is none: every ion needs its D.

    Parameters
    ----------
    numbers : mapping
        Ions of each kind in a box; all but ``ion`` are anions of charge −1.
    ion : str
        Element of the cation.
    volume : float
        Of a box (Å³).
    motions : sequence of MotionDoc
        Those of the ions, and others.
    temperature : float
        In K.
    """
    document = ConductivityDoc(temperature=temperature)
    moving = {motion.name: motion.regime for motion in motions if motion.name in numbers}
    without = ", ".join(name for name, found in moving.items() if found.diffusivity is None)
    if without or len(numbers) < 2:
        document.reason = f"no conductivity: {f'no D of {without}' if without else 'no anion was found'}"
        return document
    charges = {**dict.fromkeys(numbers, -1), ion: CHARGES[ion]}
    known = {name: (found.diffusivity or 0.0, found.diffusivity_error or 0.0) for name, found in moving.items()}
    densities = {name: (numbers[name] / volume, charges[name]) for name in numbers}
    document.nernst_einstein, document.nernst_einstein_error = nernst_einstein(densities, known, temperature)
    parts = {name: densities[name][0] * charges[name] ** 2 * known[name][0] for name in numbers}
    share = parts[ion] / sum(parts.values())
    relative = hypot(*(known[name][1] / known[name][0] for name in list(numbers)[:2]))
    document.transference, document.transference_error = share, float(share * (1 - share) * relative)
    return document


def conductivity(
    boxes: Sequence[FollowedBox], motions: Sequence[MotionDoc], step: float, temperature: float
) -> ConductivityDoc:
    """Give conductivities of a matrix at a temperature (K), or why there are none."""
    kind, volume = boxes[0].kinds, float(np.mean([box.trajectory.volume for box in boxes]))
    numbers = {kind.ion: len(kind.ions), **{name: len(each) for name, each in kind.anions.items()}}
    document = independent(numbers, kind.ion, volume, motions, temperature)
    if document.reason is not None:
        return document
    moving = [motion.regime for motion in motions if motion.name in numbers]
    charges = [kind.charge, *[-1] * len(kind.anions)]
    window = (max(found.start for found in moving), min(found.end for found in moving))
    charged = [
        (
            np.concatenate(
                [box.paths[:, box.kinds.ions], *(centres_of(box, each) for each in box.kinds.anions.values())], 1
            ),
            np.repeat(charges, list(numbers.values())).astype(float),
            box.trajectory.volume,
        )
        for box in boxes
    ]
    document.collective, document.collective_error, part = conduct(charged, window, step, temperature)
    if part is not None:
        document.transference_collective, document.transference_collective_error = part
    return document
