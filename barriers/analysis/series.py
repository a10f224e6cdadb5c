"""Series of a barrier over one setting: from which value on it stays as it is, and where the study's own stands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from pydantic import BaseModel, Field

TOLERANCE = 0.010
"""A barrier that changes by less (eV) with a finer setting counts as converged in it."""

UNITS = {"layers": "", "vacuum": "Å", "size": "", "images": "", "fmax": "eV/Å"}
"""Settings that a series may be over, and their units."""


class PointDoc(BaseModel):
    """The barrier at one value of a setting."""

    value: str = Field(description="as it is written, without its unit")
    own: bool = Field(False, description="whether it is the study's own")
    atoms: int | None = Field(None, description="atoms of the bare slab")
    barrier: float | None = Field(None, description="the barrier that the study compares (eV)")
    uncertainty: float | None = Field(None, description="what stands behind ± (eV)")
    from_finest: float | None = Field(None, description="barrier minus that of the finest value (eV)")
    reason: str | None = Field(None, description="why there is no barrier")


class SeriesAsked(BaseModel):
    """Series that were asked for: of which system and hop, and which values of which settings."""

    system: str
    hop: str
    over: dict[str, list[str]]


class SeriesDoc(BaseModel):
    """The barriers of one hop over one setting, from the coarsest value to the finest."""

    setting: str = Field(description="layers, vacuum, size, images or fmax")
    unit: str = Field("", description="unit of the values")
    points: list[PointDoc]
    finest: str | None = Field(None, description="the last value that has a barrier")
    reached: str | None = Field(None, description="value from which on all barriers are within the tolerance of it")
    sentences: list[str] = Field(default_factory=list, description="the result in words")


class ConvergenceDoc(BaseModel):
    """How the barrier of one hop of a study depends on its settings."""

    name: str = Field(description="name of the study")
    system: str
    hop: str = Field(description="name of the hop")
    label: str = Field(description="label of the hop on the study's own slab")
    which: str = Field(description="barrier that is followed: forward, reverse or span")
    tolerance: float = Field(TOLERANCE, description="what counts as converged (eV)")
    series: list[SeriesDoc] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list, description="what is to be known of the barriers and slabs")
    models: list[str] = Field(default_factory=list, description="what is to be known of what gave the energies")
    model: str = Field("", description="the same in the few words that fit under a figure")


def series_document(setting: str, points: Sequence[PointDoc]) -> SeriesDoc:
    """Say from which value on a barrier stays within the tolerance of the finest one.

    Parameters
    ----------
    setting : str
        What is varied.
    points : Sequence[PointDoc]
        From the coarsest value to the finest; how far each is from the finest is written into them. One without a
        barrier is left out of what is said.
    """
    known = [point for point in points if point.barrier is not None]
    for point in known:
        point.from_finest = (point.barrier or 0.0) - (known[-1].barrier or 0.0)
    document = SeriesDoc(setting=setting, unit=UNITS[setting], points=list(points))
    if known:
        document.finest = known[-1].value
    settled = list(takewhile(_is_near, reversed(known)))
    if len(settled) > 1:  # the finest is always near itself
        document.reached = settled[-1].value
    document.sentences = [_reached(document, known), *_own(document)]
    return document


def _is_near(point: PointDoc) -> bool:
    return point.from_finest is not None and abs(point.from_finest) <= TOLERANCE + 1e-9


def _reached(series: SeriesDoc, known: Sequence[PointDoc]) -> str:
    name, goal = series.setting, _milli(TOLERANCE)
    if len(known) < 2:
        return f"{name}: fewer than two barriers, which say nothing about {goal}"
    finest = known[-1]
    if series.reached is None:
        said = f"{name}: {goal} is not reached: {_far(series, known[-2])}"
    else:
        point = next(point for point in known if point.value == series.reached)
        said = f"{name}: {goal} is reached at {_far(series, point, ', which')}"
    doubt = finest.uncertainty is not None and finest.uncertainty > TOLERANCE
    return said + (f"; that one is itself known to ± {_milli(finest.uncertainty or 0.0)} only" if doubt else "")


def _own(series: SeriesDoc) -> list[str]:
    """Say where the study's own value stands."""
    point = next((point for point in series.points if point.own), None)
    if point is None or series.finest is None:
        return []
    if point.barrier is None:
        return [f"your {series.setting}: {_value(series, point.value)} has no barrier"]
    if point.value == series.finest:
        return [f"your {series.setting}: {_value(series, point.value)} is the finest of the series"]
    return [f"your {series.setting}: {_far(series, point)}"]


def _far(series: SeriesDoc, point: PointDoc, which: str = "") -> str:
    """How far a value is from the finest: ``5 is 4 meV from the finest, 7``."""
    apart = _milli(point.from_finest or 0.0)
    return f"{_value(series, point.value)}{which} is {apart} from the finest, {_value(series, series.finest or '')}"


def _value(series: SeriesDoc, value: str) -> str:
    return f"{value} {series.unit}".rstrip()


def _milli(energy: float) -> str:
    return f"{abs(energy) * 1000:.0f} meV"
