"""Energy profiles: one system with its barriers as arrows, and several systems over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from barriers.analysis.profile import SHALLOWEST
from barriers.documents import BarrierDoc
from barriers.report.figures.corrected import Correction, correction_of, draw_correction, draw_error
from barriers.report.figures.covered import WIDER, covered
from barriers.report.figures.labels import energy, say_model, title
from barriers.report.style import COLOURS, ONE_COLUMN, STYLE, add_title, legend_above, look, own_axes, wrapped

HEADROOM = 0.24
"""Share of the axes' height above the saddle that the labels of the arrows take."""

SHORTEST_ARROW = 0.06
"""An arrow shorter than this share of the axes' height would be all heads; its label alone is drawn."""


def draw_profile(barrier: BarrierDoc) -> Axes:
    """Draw one system's energy profile: images, curve, and forward and reverse barrier as labelled arrows.

    Parameters
    ----------
    barrier : BarrierDoc
        One hop in one system. The span is written between the two where it exceeds the forward barrier. Without a
        converged band the reason stands in the empty axes. Of a corrected barrier, the model's band, the error band
        and the engine's points are drawn too, those on the model's stationary points hollow.

    Returns
    -------
    Axes
        Energies (eV, from the initial state) over path length (Å).
    """
    with mpl.rc_context(STYLE):
        axes = own_axes()
        axes.set(xlabel="Path length (Å)", ylabel="Energy (eV)")
        add_title(axes, title(barrier))
        if barrier.profile is None:
            reason = wrapped(f"not converged: {barrier.reason}", 0.6 * ONE_COLUMN, STYLE["font.size"])
            axes.text(0.5, 0.5, reason, ha="center", va="center", transform=axes.transAxes)
            axes.set(xticks=[], yticks=[])
            return axes
        (curve,) = axes.plot(barrier.profile["curve_distance"], barrier.profile["curve_energy"], color=COLOURS[0])
        axes.plot(barrier.profile["distances"], barrier.profile["energies"], "o", color=COLOURS[0])
        correction = correction_of(barrier)
        if correction is not None:
            curve.set_label("corrected")
            draw_correction(axes, correction)
        _draw_barriers(axes, barrier, correction)
        if correction is not None:
            legend_above(axes, axes.get_legend_handles_labels()[0])
        say_model(axes, [barrier])
    return axes


def _draw_barriers(axes: Axes, barrier: BarrierDoc, correction: Correction | None) -> None:
    """Draw the arrows beside the curve, from either end up to the saddle, and the labels above all that is drawn."""
    assert barrier.profile is not None and barrier.forward is not None
    length, drawn = barrier.profile["distances"][-1], list(barrier.profile["curve_energy"])
    if correction is not None:
        length, drawn = max(length, correction.farthest), [*drawn, *correction.heights]
    final, top, low, highest = (
        barrier.profile["energies"][-1],
        barrier.forward,
        min(drawn),
        max(barrier.forward, *drawn),
    )
    height = (highest - low or 1.0) / (1 - HEADROOM - 0.06)
    left, right, beyond = -0.08 * length, 1.08 * length, 0.06 * length
    axes.set(xlim=(left - beyond, right + beyond), ylim=(low - 0.06 * height, low + 0.94 * height))
    guide: dict[str, Any] = {"color": "0.55", "linewidth": 0.7, "linestyle": (0, (1, 2)), "zorder": 0}
    axes.plot([left, right], [top, top], **guide)
    for place, start, end in ((left, 0.0, 0.0), (right, length, final)):
        axes.plot([place, start], [end, end], **guide)
        if abs(top - end) > SHORTEST_ARROW * height:
            arrow: dict[str, Any] = {"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0, "linewidth": 0.9}
            axes.annotate("", (place, top), (place, end), arrowprops=arrow)
    labels: list[tuple[str, float | None, float, str]] = [("forward", barrier.forward, left - 0.8 * beyond, "left")]
    if barrier.span is not None and barrier.span - barrier.forward > SHALLOWEST:
        labels.append(("span", barrier.span, length / 2, "center"))
    labels.append(("reverse", barrier.reverse, right + 0.8 * beyond, "right"))
    for name, value, place, side in labels:
        text = f"{name}\n{energy(value, barrier)}"
        axes.annotate(text, (place, highest), (0, 3), textcoords="offset points", ha=side, va="bottom")


def draw_profiles(barriers: Sequence[BarrierDoc]) -> Axes:
    """Draw the energy profiles of several systems over each other, with images, curve and forward barriers.

    Parameters
    ----------
    barriers : Sequence[BarrierDoc]
        One hop in several systems. The legend gives each its forward barrier; one without a converged band is named
        there and not drawn. A corrected barrier has its error band; the only one, all that :func:`draw_profile` draws.

    Returns
    -------
    Axes
        Energies (eV, from each initial state) over path length (Å).
    """
    with mpl.rc_context(STYLE):
        axes = own_axes()
        axes.set(xlabel="Path length (Å)", ylabel="Energy (eV)")
        axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        handles: list[Artist] = []
        drawn = [number for number, barrier in enumerate(barriers) if barrier.profile]
        hidden = dict(zip(drawn, covered([barriers[number].profile or {} for number in drawn]), strict=True))
        for number, barrier in enumerate(barriers):
            label = f"{barrier.system}: {energy(barrier.forward, barrier) if barrier.profile else 'not converged'}"
            named = wrapped(label, 0.75 * ONE_COLUMN, STYLE["legend.fontsize"])
            if barrier.profile is None:
                handles.append(Line2D([], [], color=COLOURS[number % len(COLOURS)], linestyle="", label=named))
                continue
            line = look(number)
            curve = barrier.profile["curve_distance"], barrier.profile["curve_energy"]
            if hidden[number]:
                axes.plot(*curve, color=line["color"], linewidth=2 + WIDER * hidden[number], alpha=0.3)
            axes.plot(*curve, **line | {"marker": ""})
            axes.plot(barrier.profile["distances"], barrier.profile["energies"], **line | {"linestyle": ""})
            handles.append(Line2D([], [], **line, label=named))
            if (correction := correction_of(barrier)) is None:
                continue
            if len(barriers) == 1:
                draw_correction(axes, correction)
                handles += axes.get_legend_handles_labels()[0]
            else:
                draw_error(axes, correction, line["color"])
        if not any(np.size(line.get_xdata()) for line in axes.lines[1:]):
            axes.set(xticks=[], yticks=[])
        legend_above(axes, handles)
        say_model(axes, barriers)
    return axes
