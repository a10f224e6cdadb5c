"""Whether a figure can be read: no two texts overlap, and everything lies inside the page."""

from __future__ import annotations

from itertools import combinations

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SLACK = 0.5
"""Two boxes may overlap by this much (points): the boxes of lines of text stand closer than their letters."""


def texts(figure: Figure) -> dict[str, Bbox]:
    """Boxes of all texts that are drawn (points from the lower left corner), by their content and number."""
    figure.draw_without_rendering()
    hidden = {id(label) for axes in figure.findobj(_is_axes) for label in _labels_outside(axes)}
    seen = {}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden:
            box = Text.get_window_extent(text)  # without the arrow of an annotation
            seen[f"{text.get_text()!r} {len(seen)}"] = _points(figure, box)
    return seen


def overlapping(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that overlap."""
    return [
        (one, other)
        for (one, box), (other, second) in combinations(texts(figure).items(), 2)
        if _depth(box, second) > SLACK
    ]


def cut_off(figure: Figure) -> list[str]:
    """Texts, axes and legends that are not inside the page."""
    boxes = texts(figure)
    boxes |= {f"axes {number}": _points(figure, axes.get_window_extent()) for number, axes in enumerate(figure.axes)}
    width, height = figure.get_size_inches() * 72
    return [
        name
        for name, box in boxes.items()
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > width + SLACK or box.y1 > height + SLACK
    ]


def assert_readable(axes: Axes) -> None:
    """Fail where the figure of an Axes cannot be read."""
    figure = axes.get_figure()
    assert texts(figure)
    assert not (found := overlapping(figure)), f"overlapping: {found}"
    assert not (found := cut_off(figure)), f"cut off: {found}"
    for panel in figure.axes:  # a squeezed panel would be neither overlapped nor cut off
        box = _points(figure, panel.get_window_extent())
        assert min(box.width, box.height) > 50


def _points(figure: Figure, box: Bbox) -> Bbox:
    return Bbox(box.get_points() * 72 / figure.dpi)


def _depth(one: Bbox, other: Bbox) -> float:
    across = Bbox.intersection(one, other)
    return 0.0 if across is None else min(across.width, across.height)


def _is_axes(artist: Artist) -> bool:
    return hasattr(artist, "get_xlim")  # a secondary axis is none of the figure's axes


def _labels_outside(axes: Axes) -> list[Text]:
    """Labels of ticks beyond the ends of an axis, or of one that is switched off, which are not drawn."""
    labels = []
    for axis in (axes.xaxis, axes.yaxis):
        scaled = axis.get_transform().transform
        low, high = sorted(scaled(axis.get_view_interval()))
        room = 1e-6 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not axes.axison or not low - room <= scaled([tick.get_loc()])[0] <= high + room:
                labels += [tick.label1, tick.label2]
    return labels
