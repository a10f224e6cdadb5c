"""Arrhenius plots."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from barriers.report.style import ONE_COLUMN, STYLE, legend_above, look, own_axes, wrapped

Numbers = NDArray[np.float64]

MARKED = 8
"""About so many points of a line have a marker."""


def draw_arrhenius(
    temperatures: ArrayLike,
    values: Mapping[str, ArrayLike],
    factors: Mapping[str, ArrayLike] | None = None,
    quantity: str = "Jump rate (s⁻¹)",
) -> Axes:
    """Draw jump rates of several systems, or something else that is activated, over the inverse temperature.

    Parameters
    ----------
    temperatures : array, shape (n,)
        Two different ones at least (K).
    values : Mapping[str, array of shape (n,)]
        Rate (1/s) at each temperature, by system; positive.
    factors : Mapping[str, array of shape (n,)] or None
        Uncertainty of each value as the factor by which it may be larger or smaller, at least 1, by system: an
        uncertainty of the barrier of u (eV) is the factor exp(u / kT). Drawn as a band.
    quantity : str
        What the values are, with their unit.

    Returns
    -------
    Axes
        Values, logarithmic, over 1000/T (1/K), the temperatures (K) above.

    Raises
    ------
    ValueError
        One line, if a number is not positive, lengths differ, or a factor is below 1 or of no system.
    """
    at, lines, spreads = _checked_lines(temperatures, values, factors or {})
    order = np.argsort(at)
    inverse = 1000 / at[order]
    with mpl.rc_context(STYLE):
        axes = own_axes()
        axes.set(xlabel="1000 / T (1/K)", ylabel=quantity, yscale="log")
        handles = []
        for number, (name, value) in enumerate(lines.items()):
            line = look(number)
            axes.plot(inverse, value[order], **line, markevery=max(1, round(at.size / MARKED)))
            handles.append(Line2D([], [], **line, label=wrapped(name, 0.75 * ONE_COLUMN, STYLE["legend.fontsize"])))
            if name in spreads:
                low, high = value[order] / spreads[name][order], value[order] * spreads[name][order]
                axes.fill_between(inverse, low, high, color=line["color"], alpha=0.2, linewidth=0)
        _mark_temperatures(axes, at)
        legend_above(axes, handles)
    return axes


def _checked_lines(
    temperatures: ArrayLike, values: Mapping[str, ArrayLike], factors: Mapping[str, ArrayLike]
) -> tuple[Numbers, dict[str, Numbers], dict[str, Numbers]]:
    at = _checked("temperatures", temperatures)
    if np.unique(at).size < 2:
        raise ValueError("temperatures: two different ones at least are needed")
    lines = {name: _checked(name, value, at.shape) for name, value in values.items()}
    spreads = {name: _checked(f"factors of {name}", value, at.shape, 1.0) for name, value in factors.items()}
    if unknown := sorted(spreads.keys() - lines.keys()):
        raise ValueError(f"factors of {unknown[0]!r}: no such system; allowed: {', '.join(lines)}")
    return at, lines, spreads


def _checked(name: str, numbers: ArrayLike, shape: tuple[int, ...] | None = None, least: float = 0.0) -> Numbers:
    values = np.atleast_1d(np.asarray(numbers, dtype=float))
    if values.ndim != 1 or (shape is not None and values.shape != shape):
        raise ValueError(f"{name}: shape {values.shape}, one number for each temperature is needed")
    wrong = values[~(np.isfinite(values) & ((values > 0) & (values >= least)))]
    if wrong.size:
        raise ValueError(f"{name}: {wrong[0]:g} is not {f'{least:g} or more' if least else 'a positive number'}")
    return values


def _mark_temperatures(axes: Axes, temperatures: Numbers) -> None:
    """Write a few round temperatures along the top, evenly spaced."""
    top = axes.secondary_xaxis("top", functions=(_other, _other))
    coldest, hottest = temperatures.min(), temperatures.max()
    step = 10.0 ** np.floor(np.log10(hottest - coldest))
    places = np.unique(np.round(1 / np.linspace(1 / hottest, 1 / coldest, 5) / step * 2) * step / 2)
    marks = places[(places >= coldest * 0.999) & (places <= hottest * 1.001)]
    top.set_xticks(marks if marks.size > 1 else [coldest, hottest])
    top.set_xlabel("T (K)")
    top.minorticks_off()


def _other(values: ArrayLike) -> ArrayLike:
    """Turn temperatures (K) into 1000/T (1/K), and back."""
    with np.errstate(divide="ignore"):
        inverse: Numbers = 1000 / np.asarray(values, dtype=float)
    return inverse
