"""One style for all figures: journal widths, colours, markers and lines that differ in grey too, and saving."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.textpath import text_to_path

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's colour-blind-safe palette, https://jfly.uni-koeln.de/color."""

LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # text stays text
    "ps.fonttype": 42,  # Matplotlib 3.11 goes by it in PDFs too, and embeds a font once for each 256 characters else
    "svg.fonttype": "none",
    "svg.hashsalt": "barriers",  # the same figure gives the same bytes
}

ONE_COLUMN, TWO_COLUMNS = 3.5, 7.0
"""Widths of figures over one and two columns of a journal (inch)."""

HEIGHT = 2.6
"""Height of a one-column figure without its legend (inch)."""

FORMATS = ("png", "svg", "pdf")

POINTS = 72
"""Points in an inch."""


def own_axes(width: float = ONE_COLUMN) -> Axes:
    """Make the axes of a new figure of that width (inch)."""
    return Figure(figsize=(width, HEIGHT), layout="constrained").subplots()


def look(number: int) -> dict[str, Any]:
    """Colour, line and marker of the system of that number."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": LINES[number % len(LINES)],
        "marker": MARKERS[number % len(MARKERS)],
    }


def plain(text: str) -> str:
    """Keep Matplotlib from reading dollar signs as the borders of a formula."""
    return text.replace("$", r"\$")


def wrapped(text: str, width: float, size: float) -> str:
    """Break a text into lines no wider than ``width`` (inch) at that font size (points)."""
    characters = len(text)
    lines = [text]
    while characters > 1 and max(_drawn_width(line, size) for line in lines) > width:
        characters -= 1 + characters // 16
        lines = wrap(re.sub("([@_])", r"\1 ", text), characters)  # names break at these, as at hyphens
        lines = [re.sub("([@_]) ", r"\1", line) for line in lines]
    return plain("\n".join(lines))


def _drawn_width(line: str, size: float) -> float:
    """Width of a line of text (inch) at a font size (points)."""
    width: float = text_to_path.get_text_width_height_descent(line, FontProperties(size=size), ismath=False)[0]
    return width / POINTS


def add_title(axes: Axes, text: str) -> None:
    """Name what the axes of a one-column figure show, and make room for the lines that takes beyond the first."""
    title = axes.set_title(wrapped(text, 0.72 * ONE_COLUMN, STYLE["axes.titlesize"]))
    figure = figure_of(axes)
    further_lines = title.get_text().count("\n")
    figure.set_figheight(figure.get_figheight() + further_lines * 1.3 * STYLE["axes.titlesize"] / POINTS)


def fitted_legend(owner: Figure, handles: Sequence[Artist], **place: Any) -> Legend:
    """Add a legend in as few rows as fit the figure's width."""
    for rows in range(1, len(handles) + 1):
        legend = owner.legend(handles=handles, ncols=ceil(len(handles) / rows), **place)
        if legend.get_window_extent().width < 0.95 * owner.bbox.width:
            break
        if rows < len(handles):
            legend.remove()
    return legend


def legend_above(axes: Axes, handles: Sequence[Artist]) -> None:
    """Put a legend above the axes of a new figure, which grows by the legend's height."""
    figure = figure_of(axes)
    legend = fitted_legend(figure, handles, loc="outside upper center", columnspacing=1.2, handlelength=2.8)
    figure.set_figheight(figure.get_figheight() + legend.get_window_extent().height / figure.dpi)


def figure_of(axes: Axes) -> Figure:
    """Give the figure that axes stand in."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def save_figure(axes: Axes, stem: Path) -> list[Path]:
    """Save the figure of an Axes as PNG (300 dpi), SVG and PDF beside each other."""
    paths = [stem.with_name(f"{stem.name}.{ending}") for ending in FORMATS]
    dates: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure = figure_of(axes)
    engine, dpi = figure.get_layout_engine(), figure.dpi
    with mpl.rc_context(STYLE):
        figure.set_dpi(STYLE["savefig.dpi"])
        if engine is not None:  # laid out once, by itself: to save a figure that has an engine draws it twice
            engine.execute(figure)
            figure.set_layout_engine(None)
        for path, ending in zip(paths, FORMATS, strict=True):
            figure.savefig(path, metadata=dates.get(ending))
    figure.set_dpi(dpi)
    figure.set_layout_engine(engine)
    return paths
