"""A barrier over the settings that it was converged in."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from barriers.analysis.series import ConvergenceDoc, SeriesDoc
from barriers.report.figures.labels import say_below
from barriers.report.style import COLOURS, HEIGHT, ONE_COLUMN, STYLE, TWO_COLUMNS, legend_above

ABREAST = 3
"""Series beside each other in one row of the figure."""


def draw_series(document: ConvergenceDoc) -> Axes:
    """Draw a barrier over each setting, side by side, on one scale of energies.

    Parameters
    ----------
    document : ConvergenceDoc
        Its series, one or more.

    Returns
    -------
    Axes
        Those of the first series: barriers (eV) with their uncertainties over the values, the coarsest left. The band
        is the tolerance about the finest; the study's own value is filled; a dashed line stands where the tolerance is
        reached, a cross where there is no barrier.
    """
    columns = min(len(document.series), ABREAST)
    rows = -(-len(document.series) // ABREAST)
    with mpl.rc_context(STYLE):
        width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
        figure = Figure(figsize=(width, rows * HEIGHT), layout="constrained")
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        for axes, series in zip(panels, document.series, strict=False):
            _draw(axes, series, document.tolerance)
        for axes in panels[len(document.series) :]:
            axes.remove()
        for axes in panels[: len(document.series) : ABREAST]:
            axes.set_ylabel(f"{document.which.capitalize()} barrier (eV)")
        say_below(panels[0], f"{document.system}, {document.hop}; {document.model}")
        legend_above(panels[0], _handles(document))
    first: Axes = panels[0]
    return first


def _draw(axes: Axes, series: SeriesDoc, tolerance: float) -> None:
    known = [(place, point) for place, point in enumerate(series.points) if point.barrier is not None]
    axes.set_xticks(range(len(series.points)), [point.value for point in series.points])
    unit = f" ({series.unit})" if series.unit else ""
    axes.set(xlabel=f"{series.setting}{unit}", xlim=(-0.5, len(series.points) - 0.5))
    gaps = [place for place, point in enumerate(series.points) if point.barrier is None]
    axes.plot(gaps, [0.04] * len(gaps), "x", color="0.4", transform=axes.get_xaxis_transform())
    if not known:
        return
    finest = next(point.barrier for _, point in known if point.value == series.finest)
    assert finest is not None
    axes.axhspan(finest - tolerance, finest + tolerance, color="0.9", zorder=0)
    places = [place for place, _ in known]
    barriers = [point.barrier or 0.0 for _, point in known]
    axes.errorbar(
        places,
        barriers,
        [point.uncertainty or 0.0 for _, point in known],
        color=COLOURS[0],
        marker="o",
        markerfacecolor="white",
        capsize=2,
        linewidth=1.0,
    )
    own = [(place, point.barrier or 0.0) for place, point in known if point.own]
    axes.plot(*zip(*own, strict=True), "o", color=COLOURS[0], zorder=4) if own else None
    for place, point in known:
        if point.value == series.reached:
            axes.axvline(place, color=COLOURS[1], linestyle="--", linewidth=0.9, zorder=1)


def _handles(document: ConvergenceDoc) -> list[Line2D | Patch]:
    goal = f"{document.tolerance * 1000:.0f} meV"
    marker = {"color": COLOURS[0], "marker": "o", "linestyle": ""}
    handles: list[Line2D | Patch] = [
        Line2D([], [], label="the study's own", **marker),  # type: ignore[arg-type]
        Line2D([], [], label="other values", markerfacecolor="white", **marker),  # type: ignore[arg-type]
        Patch(color="0.9", label=f"{goal} about the finest"),
    ]
    if any(series.reached for series in document.series):
        handles.append(Line2D([], [], color=COLOURS[1], linestyle="--", label=f"{goal} reached"))
    if any(point.barrier is None for series in document.series for point in series.points):
        handles.append(Line2D([], [], color="0.4", marker="x", linestyle="", label="no barrier"))
    return handles
