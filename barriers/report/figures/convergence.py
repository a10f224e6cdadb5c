"""How a band converged."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from barriers.documents import BarrierDoc
from barriers.report.figures.labels import title
from barriers.report.style import COLOURS, HEIGHT, ONE_COLUMN, STYLE, add_title, fitted_legend

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
    history, settings = barrier.band.history, barrier.band.settings
    if not history:
        raise ValueError(f"{title(barrier)}: the band has no convergence history: {barrier.reason}")
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(ONE_COLUMN, 1.35 * HEIGHT), layout="constrained")
        force, image = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        handles = []
        for number, (stage, (name, tolerance)) in enumerate(STAGES.items()):
            steps = [step for step in history if step.stage == stage]
            if not steps:
                continue
            first, last = steps[0].iteration, steps[-1].iteration
            line = {"color": COLOURS[number], "marker": "os"[number], "markersize": 3, "linewidth": 0.9, "label": name}
            at = [step.iteration for step in steps]
            handles += force.semilogy(at, [step.max_force for step in steps], **line)
            image.plot(at, [step.highest_image for step in steps], **line)
            if tolerance in settings:
                force.hlines(settings[tolerance], first - 0.5, last + 0.5, color=COLOURS[number], linestyle="--")
            if stage == "climbing":
                for axes in (force, image):
                    axes.axvspan(first - 0.5, last + 0.5, color="0.92", zorder=0)
        force.set(ylabel="Largest force (eV/Å)")
        low, high = force.get_ylim()
        # Within a decade or two, powers of ten alone are too few ticks.
        force.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 60 * low else (1,)))
        force.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        force.yaxis.set_minor_formatter(NullFormatter())
        image.set(xlabel="Iteration", ylabel="Highest\nimage (eV)")
        image.xaxis.set_major_locator(MaxNLocator(integer=True))
        handles.append(Line2D([], [], color="0.3", linestyle="--", label="tolerance"))
        add_title(force, title(barrier))
        fitted_legend(figure, handles, loc="outside lower center")
    return force, image
