"""Transport in a matrix: mean squared displacements with their exponent, shells, pairing, van Hove's function."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.regime import FAR, HIGH, LOW, duration
from barriers.report.figures.labels import say_below
from barriers.report.style import HEIGHT, ONE_COLUMN, STYLE, legend_above, look, own_axes

MARKED = 6
"""About so many points of a line have a marker."""


def draw_msd(document: TransportDoc) -> Axes:
    """Draw mean squared displacements over lag, and below them their local exponents.

    Returns
    -------
    Axes
        Of the upper panel, both axes logarithmic: MSD (Å²) with its standard error as a band; the windows that decide
        are thick. The lower one holds α with the range that counts as diffusion in grey.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(ONE_COLUMN, 1.5 * HEIGHT), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        upper.set(xscale="log", yscale="log", ylabel="MSD (Å²)")
        lower.set(xlabel="Lag (ps)", ylabel="α", ylim=(0, 2.1))
        lower.axhspan(LOW, HIGH, color="0.88", zorder=0)
        upper.axhline(FAR, color="0.7", linewidth=0.7, linestyle=":")
        handles = []
        for number, motion in enumerate(document.motions):
            line = look(number)
            lags, msd = np.array(motion.lags), np.array(motion.msd)
            every = max(1, len(lags) // MARKED)
            upper.plot(lags, msd, **line, linewidth=0.8, markevery=every, markersize=3)
            error = np.array([0.0 if each is None else each for each in motion.msd_error])
            low = np.maximum(msd - error, 1e-3 * msd)
            upper.fill_between(lags, low, msd + error, color=line["color"], alpha=0.2, linewidth=0)
            window = (lags >= motion.regime.start * 0.999) & (lags <= motion.regime.end * 1.001)
            upper.plot(lags[window], msd[window], color=line["color"], linewidth=2.5, alpha=0.5, solid_capstyle="butt")
            alpha = np.array([np.nan if each is None else each for each in motion.alpha])
            lower.plot(lags, alpha, **{**line, "marker": ""}, linewidth=0.8)
            handles.append(Line2D([], [], **line, label=motion.name))
        _shade(upper, lower, document)
        say_below(
            lower, f"thick: window; grey: {LOW:g} < α < {HIGH:g}; dotted: {FAR:.0f} Å²; shaded: window of the ion"
        )
        legend_above(upper, handles)
    axes: Axes = upper
    return axes


def _shade(upper: Axes, lower: Axes, document: TransportDoc) -> None:
    found = document.motions[0].regime
    for axes in (upper, lower):
        axes.axvspan(found.start, found.end, color="0.93", zorder=-1)


def draw_shells(document: TransportDoc) -> Axes:
    """Draw radial distribution functions around the ion (Å); a thin line stands at each first minimum."""
    with mpl.rc_context(STYLE):
        axes = own_axes()
        ion = document.matrix.ion
        axes.set(xlabel="r (Å)", ylabel="g(r)", xlim=(1, 8))
        handles = []
        for number, shell in enumerate(document.shells):
            line = {**look(number), "marker": ""}
            axes.plot(shell.r, shell.g, **line)
            if shell.cutoff is not None:
                axes.axvline(shell.cutoff, color=line["color"], linewidth=0.6, linestyle=":")
            handles.append(Line2D([], [], **line, label=f"{ion}-{shell.element}"))
        axes.set_ylim(bottom=0)
        legend_above(axes, handles)
    return axes


def draw_van_hove(document: TransportDoc) -> Axes:
    """Draw the self part of the ion's van Hove function, 4πr²G (1/Å), at a few lags."""
    with mpl.rc_context(STYLE):
        axes = own_axes()
        axes.set(xlabel="r (Å)", ylabel="4πr²G_s(r, t) (1/Å)".replace("G_s", "Gₛ"))
        handles = []
        for number, each in enumerate(document.van_hove):
            line = {**look(number), "marker": ""}
            axes.plot(each.r, each.density, **line)
            handles.append(Line2D([], [], **line, label=f"{duration(each.lag)}, α₂ = {each.alpha2:.2f}"))
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        legend_above(axes, handles)
    return axes


def draw_pairing(document: TransportDoc) -> Axes:
    """Draw the shares of ions that are free, in contact pairs and in aggregates, with standard errors.

    Raises
    ------
    ValueError
        If no pairing is known.
    """
    pairs = document.pairing
    if pairs is None:
        raise ValueError("pairing: the box has no anions, or they have no shell around the ion")
    with mpl.rc_context(STYLE):
        axes = own_axes()
        shares = (pairs.free, pairs.pair, pairs.aggregate)
        colours = [look(number)["color"] for number in range(3)]
        axes.bar(["free", "contact pair", "aggregate"], shares, yerr=pairs.errors, color=colours, capsize=3, width=0.6)
        axes.set(ylabel=f"Share of {document.matrix.ion}", ylim=(0, 1.05))
    return axes
