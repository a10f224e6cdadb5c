"""One result of independent boxes that were looked at apart, each where its trajectory is."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from barriers.analysis.trajectory.conductivity import independent
from barriers.analysis.trajectory.contacts import PairingDoc, ResidenceDoc
from barriers.analysis.trajectory.documents import ConductivityDoc, MotionDoc, TransportDoc, VanHoveDoc
from barriers.analysis.trajectory.mechanism import MechanismDoc, PartnerDoc, mechanism
from barriers.analysis.trajectory.result import FINITE, ONE_BOX, motion
from barriers.analysis.trajectory.shells import ShellDoc, first_shell

SAME_STEP = 1e-6
"""Share by which times between frames of runs of one kind may differ."""


def pooled(boxes: Sequence[TransportDoc]) -> TransportDoc:
    """Put together what was read off independent boxes of one matrix.

    Groups of particles of all boxes decide on α and D, as if the trajectories were read at once; the spread of boxes
    counts where it is larger than the error within them. Shells end at the minimum of the mean g(r).

    Parameters
    ----------
    boxes : sequence of TransportDoc
        Each of one box, of the same matrix, temperature, length and time between frames.

    Raises
    ------
    ValueError
        One line, if they are not alike.
    """
    first = boxes[0]
    for other in boxes[1:]:
        _check_alike(first, other)
    motions = [_motion([_named(box, each.name) for box in boxes]) for each in first.motions]
    densities = [box.matrix.density for box in boxes]
    spread = float(np.std(densities, ddof=1)) if len(boxes) > 1 else None
    matrix = first.matrix.model_copy(update={"density": float(np.mean(densities)), "density_spread": spread})
    return TransportDoc(
        files=[name for box in boxes for name in box.files],
        matrix=matrix,
        temperature=first.temperature,
        length=min(box.length for box in boxes),
        step=first.step,
        drift=max(box.drift for box in boxes),
        motions=motions,
        shells=[_shell(boxes, each.element) for each in first.shells],
        pairing=_pairing(boxes),
        residences=_residences(boxes),
        van_hove=[_van_hove([box.van_hove[number] for box in boxes]) for number in range(len(first.van_hove))],
        conductivity=_conductivity(boxes, motions),
        mechanism=_mechanism(boxes),
        notes=[FINITE] * any(m.regime.diffusivity is not None for m in motions) + [ONE_BOX] * (len(boxes) == 1),
    )


def mean_error(values: Sequence[float], errors: Sequence[float]) -> tuple[float, float]:
    """Mean over boxes and its standard error: that within boxes or that of their spread, whichever is larger."""
    within = sqrt(sum(error**2 for error in errors)) / len(values)
    between = float(np.std(values, ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
    return float(np.mean(values)), max(within, between)


def _check_alike(first: TransportDoc, other: TransportDoc) -> None:
    for what, one, two in (
        ("other atoms", first.matrix.formula, other.matrix.formula),
        ("another temperature", first.temperature, other.temperature),
        ("another number of lags", *(len(each.motions[0].lags) for each in (first, other))),
    ):
        if one != two:
            raise ValueError(f"{other.files[0]}: {what} than {first.files[0]}; allowed: boxes of one matrix and run")
    if abs(other.step / first.step - 1) > SAME_STEP:
        raise ValueError(
            f"{other.files[0]}: frames {other.step:g} ps apart, {first.files[0]} {first.step:g}; allowed: equal"
        )


def _named(box: TransportDoc, name: str) -> MotionDoc:
    found = box.motion(name)
    if found is None or not found.groups:
        raise ValueError(f"{box.files[0]}: no motion of {name} by groups; allowed: boxes that were run here")
    return found


def _motion(parts: Sequence[MotionDoc]) -> MotionDoc:
    groups = np.concatenate([np.array(part.groups) for part in parts], axis=1)
    means = np.stack([np.array(part.msd) for part in parts], axis=1)
    return motion(parts[0].name, sum(part.count for part in parts), np.array(parts[0].lags), groups, means)


def _shell(boxes: Sequence[TransportDoc], element: str) -> ShellDoc:
    """Average g(r), and count within the minimum of the average, each box by its own density."""
    parts = [next(each for each in box.shells if each.element == element) for box in boxes]
    r, functions = np.array(parts[0].r), np.array([part.g for part in parts])
    document = ShellDoc(element=element, r=r.tolist(), g=functions.mean(axis=0).tolist())
    if 2 * sum(part.peak is not None for part in parts) <= len(parts):
        return document
    document.peak, document.cutoff = first_shell(r, functions.mean(axis=0), np.full(len(r), inf))
    if document.cutoff is None:
        return document
    width = r[1] - r[0]
    shells = 4 / 3 * np.pi * ((r + width / 2) ** 3 - (r - width / 2) ** 3)
    inside = r < document.cutoff
    numbers = [
        float((shells * g)[inside].sum()) * box.matrix.formula[element] / _volume(box)
        for box, g in zip(boxes, functions, strict=True)
    ]
    document.number, document.number_error = mean_error(numbers, [part.number_error or 0.0 for part in parts])
    return document


def _volume(box: TransportDoc) -> float:
    """Volume of a box (Å³)."""
    mass = sum(atomic_masses[atomic_numbers[symbol]] * count for symbol, count in box.matrix.formula.items())
    return float(mass * 1.66053907 / box.matrix.density)


def _pairing(boxes: Sequence[TransportDoc]) -> PairingDoc | None:
    parts = [box.pairing for box in boxes if box.pairing is not None]
    if len(parts) < len(boxes):
        return None
    told: dict[str, Any] = {}
    errors = []
    for place, name in enumerate(("free", "pair", "aggregate")):
        told[name], error = mean_error([getattr(p, name) for p in parts], [p.errors[place] for p in parts])
        errors.append(error)
    elements = set.intersection(*(set(part.cutoffs) for part in parts))
    cutoffs = {each: float(np.mean([part.cutoffs[each] for part in parts])) for each in sorted(elements)}
    return PairingDoc(**told, errors=(errors[0], errors[1], errors[2]), cutoffs=cutoffs)


def _residences(boxes: Sequence[TransportDoc]) -> list[ResidenceDoc]:
    found = []
    for partner in dict.fromkeys(stay.partner for box in boxes for stay in box.residences):
        stays = [stay for box in boxes for stay in box.residences if stay.partner == partner]
        times = [stay.time for stay in stays if stay.time is not None]
        bounds = {stay.bound for stay in stays}
        if not times or {"at least", "at most"} <= bounds:
            continue
        moved = [stay.moved for stay in stays if stay.moved is not None]
        found.append(
            ResidenceDoc(
                partner=partner,
                time=float(np.mean(times)),
                bound=next(iter(bounds - {"exact"}), "exact"),
                moved=float(np.mean(moved)) if len(moved) == len(stays) else None,
            )
        )
    return found


def _van_hove(parts: Sequence[VanHoveDoc]) -> VanHoveDoc:
    longest = max(parts, key=lambda part: len(part.r))
    densities = [np.pad(part.density, (0, len(longest.r) - len(part.r))) for part in parts]
    alpha2 = float(np.mean([part.alpha2 for part in parts]))
    return VanHoveDoc(lag=longest.lag, r=longest.r, density=np.mean(densities, axis=0).tolist(), alpha2=alpha2)


def _mechanism(boxes: Sequence[TransportDoc]) -> MechanismDoc:
    """Average shares over boxes; each was read off after the lag at which its ions had left their places."""
    partners = []
    for name in dict.fromkeys(each.partner for box in boxes for each in box.mechanism.partners):
        parts = [each for box in boxes for each in box.mechanism.partners if each.partner == name]
        share, error = mean_error([p.share for p in parts], [p.share_error for p in parts])
        kept, bound = (float(np.mean([getattr(p, what) for p in parts])) for what in ("kept", "bound"))
        partners.append(PartnerDoc(partner=name, share=share, share_error=error, kept=kept, bound=bound))
    lag = float(np.mean([box.mechanism.lag for box in boxes]))
    return mechanism(boxes[0].matrix.ion, lag, float(np.mean([box.mechanism.moved**2 for box in boxes])), partners)


def _conductivity(boxes: Sequence[TransportDoc], motions: Sequence[MotionDoc]) -> ConductivityDoc | None:
    first = boxes[0].matrix
    if boxes[0].temperature is None:
        return None
    volume = float(np.mean([_volume(box) for box in boxes]))
    numbers = {first.ion: first.ions, **first.anions}
    document = independent(numbers, first.ion, volume, motions, boxes[0].temperature)
    together = [box.conductivity for box in boxes if box.conductivity and box.conductivity.collective is not None]
    if document.reason is not None or len(together) < len(boxes):
        return document
    document.collective, document.collective_error = mean_error(
        [each.collective or 0.0 for each in together], [each.collective_error or 0.0 for each in together]
    )
    shares = [each.transference_collective for each in together if each.transference_collective is not None]
    errors = [each.transference_collective_error or 0.0 for each in together]
    if len(shares) == len(boxes):
        document.transference_collective, document.transference_collective_error = mean_error(shares, errors)
    return document
