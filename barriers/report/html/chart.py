"""Energy profiles as the page's drawings: where lines, images and ticks stand, in the units of an SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from barriers.documents import BarrierDoc
from barriers.report.figures.corrected import Correction, Numbers, correction_of
from barriers.report.figures.covered import WIDER, covered
from barriers.report.html.scene import image_names
from barriers.report.numbers import MINUS, energy

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 22, 50
Place = Callable[[float], float]
"""Where a path length or an energy stands on the drawing."""

HEADROOM = 0.12
"""Room above and below the curves, in parts of their height."""

DASHES = ("", "7 4", "8 3 2 3", "2 3")
SHAPES = (
    "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
    "M-4-4h8v8h-8z",
    "M0-5.5L5 3.5h-10z",
    "M0-5.5L5.5 0L0 5.5L-5.5 0z",
    "M0 5.5L5-3.5h-10z",
)
"""Markers of the images: circle, square, triangle, diamond, triangle upside down."""


@dataclass(frozen=True)
class Image:
    """An image of a band on the drawing, with what is said of it."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Line:
    """The profile of one barrier on the drawing.

    Attributes
    ----------
    number : int
        Which of the page's barriers this is.
    colour : int
        Number of its colour.
    path : str
        Its curve, in SVG's words.
    dash : str
        Its dashes.
    shape : str
        Outline of the markers of its images.
    images : list[Image]
        Its images.
    saddle : Image
        The highest point of the curve, with the forward barrier.
    wide : float
        Width of what is drawn under a curve that others lie on, so that it is seen; nothing under others.
    error : str
        Outline of the error band of a corrected barrier, in SVG's words.
    model : str
        The model's band, in SVG's words, where the barrier stands alone.
    points, first : list[Image]
        The engine's points, and the first of each search, where it does.
    """

    number: int
    colour: int
    path: str
    dash: str
    shape: str
    images: list[Image]
    saddle: Image
    wide: float = 0.0
    error: str = ""
    model: str = ""
    points: list[Image] = field(default_factory=list)
    first: list[Image] = field(default_factory=list)


@dataclass(frozen=True)
class Chart:
    """Profiles over each other, and the axes they share.

    Attributes
    ----------
    lines : list[Line]
        One for each barrier with a converged band.
    across, up : list[tuple[float, str]]
        Ticks: place and text.
    zero : float
        Height of energy zero.
    span : dict[str, list[float]]
        Path length (Å) and energy (eV) at the two ends of the axes.
    """

    lines: list[Line]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    zero: float
    span: dict[str, list[float]]

    def named(self, titles: Sequence[str]) -> list[tuple[int, str]]:
        """Number of each line's barrier and what it is called."""
        return [(line.number, titles[line.number]) for line in self.lines]


def chart(barriers: Sequence[BarrierDoc], numbers: Sequence[int]) -> Chart | None:
    """Lay out the profiles of some barriers.

    Parameters
    ----------
    barriers : Sequence[BarrierDoc]
        All barriers of the page.
    numbers : Sequence[int]
        Which of them; their order gives colours and markers.

    Returns
    -------
    Chart or None
        None if none of them has a converged band.
    """
    drawn = {number: profile for number in numbers if (profile := barriers[number].profile) is not None}
    if not drawn:
        return None
    beside = {number: beside for number in drawn if (beside := correction_of(barriers[number])) is not None}
    alone = beside.values() if len(numbers) == 1 else ()
    heights = np.concatenate(
        [profile[key] for profile in drawn.values() for key in ("curve_energy", "energies")]
        + [each.error[:, 1:].ravel() for each in beside.values()]
        + [each.heights for each in alone]
    )
    room = HEADROOM * max(float(np.ptp(heights)), 0.01)
    low, high = float(heights.min()) - room, float(heights.max()) + room
    longest = max([profile["curve_distance"][-1] for profile in drawn.values()] + [each.farthest for each in alone])

    def x(distance: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * distance / longest, 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    lines = []
    hidden = dict(zip(drawn, covered(list(drawn.values())), strict=True))
    for colour, number in enumerate(numbers):
        if (profile := drawn.get(number)) is None:
            continue
        named = zip(image_names(len(profile["energies"])), profile["distances"], profile["energies"], strict=True)
        sure = barriers[number].band.converged
        told = energy(barriers[number].forward) + " eV" if sure else energy(profile["forward"]) + " eV so far"
        top = Image(x(profile["saddle_distance"]), y(profile["forward"]), told)
        lines.append(
            Line(
                number=number,
                colour=colour % 7,
                path=_path(np.column_stack([profile["curve_distance"], profile["curve_energy"]]), x, y),
                dash=DASHES[colour % len(DASHES)],
                shape=SHAPES[colour % len(SHAPES)],
                images=[Image(x(s), y(e), f"{name}: {energy(e)} eV at {s:.2f} Å") for name, s, e in named],
                saddle=top,
                wide=2 + 2 * WIDER * hidden[number] if hidden[number] else 0.0,
                **(_beside(beside[number], len(numbers) == 1, x, y) if number in beside else {}),
            )
        )
    span = {"distance": [0.0, longest], "energy": [low, high]}
    return Chart(lines, _ticks(0.0, longest, x), _ticks(low, high, y), y(0.0), span)


def _beside(correction: Correction, alone: bool, x: Place, y: Place) -> dict[str, Any]:
    """Lay out what is drawn of a correction: its error band, and all else where its barrier stands alone."""
    distances, low, high = correction.error.T
    outline = np.column_stack([np.append(distances, distances[::-1]), np.append(low, high[::-1])])
    drawn: dict[str, Any] = {"error": _path(outline, x, y) + "z"}
    if alone:
        named = zip(correction.names, correction.points.tolist(), strict=True)
        points = [Image(x(s), y(e), f"{name}: {energy(e)} eV") for name, (s, e) in named]
        for name, which in (("first", True), ("points", False)):
            drawn[name] = [point for point, first in zip(points, correction.first, strict=True) if first == which]
        drawn["model"] = _path(correction.model, x, y)
    return drawn


def _path(points: Numbers, x: Place, y: Place) -> str:
    return "M" + "L".join(f"{x(distance)} {y(value)}" for distance, value in points.tolist())


def _ticks(low: float, high: float, place: Place) -> list[tuple[float, str]]:
    """Round values between two ends."""
    values = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    step = float(values[1] - values[0])
    decimals = next(count for count in range(6) if np.isclose(round(step, count), step, rtol=1e-6))
    inside = [float(value) for value in values if low - 1e-9 <= value <= high + 1e-9]
    return [(place(value), f"{value:z.{decimals}f}".replace("-", MINUS)) for value in inside]
