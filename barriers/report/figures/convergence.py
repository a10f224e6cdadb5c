"""How a band converged."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from barriers.documents import BandDoc, BarrierDoc
from barriers.report.figures.labels import title
from barriers.report.style import COLOURS, HEIGHT, MARKERS, ONE_COLUMN, STYLE, add_title, fitted_legend

STAGES = {"plain": ("plain band", "rough_fmax"), "climbing": ("climbing image", "fmax")}
"""What the legend calls a stage, and the setting that holds its tolerance."""


def draw_convergence(barrier: BarrierDoc) -> tuple[Axes, Axes]:
    """Draw the largest force and the highest image of a barrier's band over its iterations.

    Parameters
    ----------
    barrier : BarrierDoc
        Its band is drawn, converged or not.

    Returns
    -------
    tuple[Axes, Axes]
        Largest force (eV/Å) on a logarithmic axis, each stage with its tolerance as a dashed line; highest image
        (eV, from the initial state). The climbing stage is shaded.

    Raises
    ------
    ValueError
        If the band has no history, because its endpoints were not relaxed.
    """
    if not barrier.band.history:
        raise ValueError(f"{title(barrier)}: the band has no convergence history: {barrier.reason}")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(ONE_COLUMN, 1.35 * HEIGHT), layout="constrained")
        force, image = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        handles = [line for stage in STAGES for line in _draw_stage(force, image, barrier.band, stage)]
        handles.append(Line2D([], [], color="0.3", linestyle="--", label="tolerance"))
        force.set(ylabel="Largest force (eV/Å)", yscale="log")
        low, high = force.get_ylim()
        # Within a decade or two, powers of ten alone are too few ticks.
        force.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,)))
        force.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        force.yaxis.set_minor_formatter(NullFormatter())
        image.set(xlabel="Iteration", ylabel="Highest\nimage (eV)")
        image.xaxis.set_major_locator(MaxNLocator(integer=True))
        add_title(force, title(barrier))
        fitted_legend(figure, handles, loc="outside lower center")
    return force, image


def _draw_stage(force: Axes, image: Axes, band: BandDoc, stage: str) -> list[Line2D]:
    """Draw one stage with its tolerance; give its line for the legend, none where the band did not come to it."""
    steps = [step for step in band.history if step.stage == stage]
    if not steps:
        return []
    number, (name, tolerance) = list(STAGES).index(stage), STAGES[stage]
    line: dict[str, Any] = {"color": COLOURS[number], "marker": MARKERS[number], "markersize": 3, "linewidth": 0.9}
    at = [step.iteration for step in steps]
    # A path that was mended goes through its stages again, and no line leads from one time to the next.
    breaks = np.flatnonzero(np.diff(at) > 1) + 1
    along, forces, heights = (
        np.insert(np.array(values, dtype=float), breaks, np.nan)
        for values in (at, [step.max_force for step in steps], [step.highest_image for step in steps])
    )
    drawn = force.plot(along, forces, **line, label=name)
    image.plot(along, heights, **line)
    if tolerance in band.settings:
        force.hlines(band.settings[tolerance], at[0] - 0.5, at[-1] + 0.5, color=COLOURS[number], linestyle="--")
    if stage == "climbing":
        for axes in (force, image):
            axes.axvspan(at[0] - 0.5, at[-1] + 0.5, color="0.92", zorder=0)
    return drawn
