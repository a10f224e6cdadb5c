"""Two matrices beside each other: like with like or refused, density and chains first, then the ion."""

from __future__ import annotations

from math import hypot

import numpy as np
from pydantic import BaseModel, Field

from barriers.analysis.trajectory.documents import MotionDoc, TransportDoc
from barriers.analysis.trajectory.regime import duration

SAME_TEMPERATURE = 1.0
"""Temperatures of like runs differ by no more than this (K)."""

SAME_CONTENT = 0.05
"""Salt contents and lengths of chains that are alike differ by no more than this share."""

SAME_LENGTH = 2.0
"""Runs are alike if none is longer by more than this factor."""


class RatioDoc(BaseModel):
    """A quantity in two matrices, at one lag where it has one."""

    quantity: str
    reference: float
    other: float
    ratio: float = Field(description="other over reference")
    error: float | None = Field(None, description="its standard error; none where one is not known")


class MatricesDoc(BaseModel):
    """Two matrices compared."""

    lag: float = Field(description="at which motions are compared (ps)")
    rows: list[RatioDoc]
    sentence: str


def compare(reference: TransportDoc, other: TransportDoc) -> MatricesDoc:
    """Compare the transport in two matrices.

    Parameters
    ----------
    reference, other : TransportDoc
        Of the same ion and temperature, salt content, length of chains and of run.

    Raises
    ------
    ValueError
        One line for the first thing that is not alike.
    """
    _check_alike(reference, other)
    ion = reference.matrix.ion
    lag = min(reference.motions[0].lags[-1], other.motions[0].lags[-1]) / 2
    density = RatioDoc(
        quantity="density (g/cm³)",
        reference=reference.matrix.density,
        other=other.matrix.density,
        ratio=other.matrix.density / reference.matrix.density,
    )
    found = {}
    for name in ("backbone", "chains", *reference.matrix.anions, ion):
        one, two = reference.motion(name), other.motion(name)
        if one is not None and two is not None:
            found[name] = _ratio(f"MSD of {name} (Å²)", _at(one, lag), _at(two, lag))
    rows = [density, *found.values()]
    if "backbone" in found:
        rows.append(_over(f"MSD of {ion} over that of the backbone", found[ion], found["backbone"]))
    free = None
    if reference.pairing is not None and other.pairing is not None:
        errors = reference.pairing.errors[0], other.pairing.errors[0]
        free = (other.pairing.free - reference.pairing.free, hypot(*errors))
        rows.append(_ratio("free ions", (reference.pairing.free, errors[0]), (other.pairing.free, errors[1])))
    said = _sentence(reference, rows[0], found, free, lag)
    return MatricesDoc(lag=lag, rows=rows, sentence=said)


def _check_alike(one: TransportDoc, two: TransportDoc) -> None:
    if one.matrix.ion != two.matrix.ion:
        raise ValueError(f"ion: {two.matrix.ion}, of the reference {one.matrix.ion}; allowed: the same")
    if one.temperature is None or two.temperature is None:
        raise ValueError("temperature: not told of one of the two; allowed: the same, given when each was analysed")
    if abs(one.temperature - two.temperature) > SAME_TEMPERATURE:
        raise ValueError(
            f"temperature: {two.temperature:g} K, of the reference {one.temperature:g} K; allowed: the same"
        )
    if set(one.matrix.anions) != set(two.matrix.anions):
        names = [", ".join(each.matrix.anions) or "none" for each in (two, one)]
        raise ValueError(f"anions: {names[0]}, of the reference {names[1]}; allowed: the same")
    contents = [each.matrix.ions / max(each.matrix.chains * each.matrix.backbone, 1) for each in (one, two)]
    if abs(contents[1] / contents[0] - 1) > SAME_CONTENT:
        raise ValueError(
            f"salt content: {contents[1]:.3g} {one.matrix.ion} for each backbone atom, of the reference "
            f"{contents[0]:.3g}; allowed: the same within {SAME_CONTENT:.0%}"
        )
    if abs(two.matrix.backbone - one.matrix.backbone) > SAME_CONTENT * one.matrix.backbone:
        raise ValueError(
            f"length of chains: {two.matrix.backbone:.3g} backbone atoms, of the reference {one.matrix.backbone:.3g}; "
            f"allowed: the same within {SAME_CONTENT:.0%}"
        )
    if max(one.length, two.length) > SAME_LENGTH * min(one.length, two.length):
        raise ValueError(
            f"length of run: {duration(two.length)}, of the reference {duration(one.length)}; "
            f"allowed: within a factor of {SAME_LENGTH:g}"
        )


def _at(motion: MotionDoc, lag: float) -> tuple[float, float | None]:
    """MSD at the lag (Å²) and its error."""
    place = int(np.argmin(abs(np.array(motion.lags) - lag)))
    return motion.msd[place], motion.msd_error[place]


def _ratio(quantity: str, one: tuple[float, float | None], two: tuple[float, float | None]) -> RatioDoc:
    ratio = two[0] / one[0] if one[0] else float("nan")
    known = one[1] is not None and two[1] is not None and one[0] > 0 and two[0] > 0
    error = ratio * hypot(one[1] / one[0], two[1] / two[0]) if known else None  # type: ignore[operator]
    return RatioDoc(quantity=quantity, reference=one[0], other=two[0], ratio=ratio, error=error)


def _over(quantity: str, one: RatioDoc, two: RatioDoc) -> RatioDoc:
    ratio = one.ratio / two.ratio
    known = one.error is not None and two.error is not None
    error = ratio * hypot(one.error / one.ratio, two.error / two.ratio) if known else None  # type: ignore[operator]
    return RatioDoc(
        quantity=quantity,
        reference=one.reference / two.reference,
        other=one.other / two.other,
        ratio=ratio,
        error=error,
    )


def _differs(row: RatioDoc) -> bool:
    """Whether a ratio is away from one by more than two errors."""
    return row.error is not None and abs(row.ratio - 1) > 2 * row.error


def _times(row: RatioDoc) -> str:
    return f"{row.ratio:.2f}" + ("" if row.error is None else f" ± {row.error:.2f}") + " times"


def _sentence(
    reference: TransportDoc,
    density: RatioDoc,
    found: dict[str, RatioDoc],
    free: tuple[float, float] | None,
    lag: float,
) -> str:
    ion = reference.matrix.ion
    first = [f"the density is {100 * (density.ratio - 1):+.1f} %".replace("-", "−")]
    if "backbone" in found:
        first.append(f"the backbone's MSD after {duration(lag)} {_times(found['backbone'])} that of the reference")
    words = [", ".join(first), f"that of {ion} {_times(found[ion])}"]
    if not _differs(found[ion]):
        words.append("no difference is told apart from its error")
    elif "backbone" in found:
        relative = _over("", found[ion], found["backbone"])
        same = not _differs(relative)
        told = "the melt as a whole explains it" if same else "more than the melt as a whole explains"
        words.append(f"relative to the backbone {_times(relative)}, {told}")
    if free is not None:
        change, error = free
        told = "more" if change > 0 else "less"
        differs = abs(change) > 2 * error and abs(change) > 0
        words.append(
            f"the salt dissociates {told} (free ions {100 * change:+.0f} ± {100 * error:.0f} % of all)".replace(
                "-", "−"
            )
            if differs
            else "the salt does not dissociate differently within errors"
        )
    return "; ".join(words)
