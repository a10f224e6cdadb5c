"""Figures: one style, one function each, returning the Axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from barriers.documents import BarrierDoc

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colour-blind-safe palette, https://jfly.uni-koeln.de/color."""

LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 9,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "svg.hashsalt": "barriers",  # the same figure gives the same bytes
}

ONE_COLUMN = (3.5, 2.8)
"""Width and height of a one-column figure (inch)."""


def draw_profiles(barriers: Sequence[BarrierDoc], ax: Axes | None = None) -> Axes:
    """Draw energy profiles over each other, with images, curve and labelled forward barriers.

    Parameters
    ----------
    barriers : Sequence[BarrierDoc]
        One hop in several systems. A barrier without a converged band is named in the legend and not drawn.
    ax : Axes or None
        Where to draw; a new one-column figure if None.

    Returns
    -------
    Axes
        Energies (eV, from each initial state) over path length (Å).
    """
    with mpl.rc_context(STYLE):
        axes = Figure(figsize=ONE_COLUMN, layout="constrained").subplots() if ax is None else ax
        peaks = []
        for number, barrier in enumerate(barriers):
            colour = COLOURS[number % len(COLOURS)]
            if barrier.profile is None:
                axes.plot([], [], color=colour, label=f"{barrier.system}: not converged")
                continue
            profile = barrier.profile
            look: dict[str, Any] = {"color": colour, "linestyle": LINES[number % len(LINES)]}
            axes.plot(profile["curve_distance"], profile["curve_energy"], **look)
            axes.plot(profile["distances"], profile["energies"], MARKERS[number % len(MARKERS)], color=colour)
            axes.plot([], [], marker=MARKERS[number % len(MARKERS)], label=barrier.system, **look)
            peaks.append((profile["saddle_distance"], profile["forward"], colour))
        axes.set_xlabel("Path length (Å)")
        axes.set_ylabel("Energy (eV)")
        axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        _label_peaks(axes, peaks)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, max(1, len(barriers))))
    return axes


def _label_peaks(axes: Axes, peaks: list[tuple[float, float, str]]) -> None:
    """Write each barrier beside the others above the profiles, joined to its saddle by a thin line."""
    if not peaks:
        return
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    axes.set_ylim(low, high + 0.18 * (high - low))
    ordered = sorted(peaks)
    for slot, (distance, energy, colour) in enumerate(ordered):
        axes.annotate(
            f"{energy:.2f} eV",
            xy=(distance, energy),
            xytext=(left + (right - left) * (slot + 0.5) / len(ordered), high + 0.09 * (high - low)),
            color=colour,
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkB": 3},
        )


def save_figure(axes: Axes, stem: Path) -> list[Path]:
    """Save the figure of an Axes as PNG (300 dpi) and SVG beside each other."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "svg")]
    with mpl.rc_context(STYLE):
        for path in paths:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths
