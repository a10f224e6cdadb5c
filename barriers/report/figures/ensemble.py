"""Figures of an ensemble: its differences as a strip, and a map of the surface with each hop in its colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex
from matplotlib.lines import Line2D

from barriers.analysis.ensemble import DistributionDoc, EnsembleDoc, PairDoc
from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.ensemble import headings
from barriers.report.figures.paths import moving_path
from barriers.report.numbers import signed
from barriers.report.sheet import Drawn, draw_system
from barriers.report.style import COLOURS, MARKERS, ONE_COLUMN, STYLE, TWO_COLUMNS, figure_of, legend_above, own_axes

WIDTH = 0.7
"""Width that the points of a distribution take on an axis where distributions are 1 apart."""

FOR_A_VIOLIN = 8
"""Number of pairs from which on their density is drawn."""

MAP_COLOURS = "coolwarm"


def draw_distribution(ensemble: EnsembleDoc, which: str) -> Axes:
    """Draw every pair of an ensemble as a point, side by side for each system: a strip, with the mean as a line.

    Parameters
    ----------
    ensemble : EnsembleDoc
        Members and distributions.
    which : str
        Barrier that is compared.

    Returns
    -------
    Axes
        Differences (eV) with their uncertainties; one distribution at each whole number, the mean as a line and its
        standard error as a band. Points of one ordering have one colour and one place. From eight pairs on, the
        density of the differences lies behind them.
    """
    columns = headings(ensemble.distributions)
    orderings = sorted({member.ordering for member in ensemble.members})
    with mpl.rc_context(STYLE):
        axes = own_axes(ONE_COLUMN if len(columns) <= 3 else TWO_COLUMNS)
        axes.axhline(0, color="0.5", linewidth=0.8, linestyle="--", zorder=0)
        for place, distribution in enumerate(columns.values()):
            if distribution.pairs:
                _draw_strip(axes, place, distribution, orderings)
        labels = [f"{name}\n{_falls(one)}" for name, one in columns.items()]
        axes.set_xticks(range(len(columns)), labels)
        axes.set(xlim=(-0.6, len(columns) - 0.4), ylabel=rf"$\Delta$ {which} barrier (eV)")
        axes.tick_params(axis="x", length=0)
        handles = [Line2D([], [], linestyle="", label=f"ordering {n}", **_look(n)) for n in orderings]
        handles.append(Line2D([], [], color="black", linewidth=1.4, label="mean ± standard error"))
        legend_above(axes, handles)
    return axes


def draw_maps(study: StudyDoc) -> Iterator[tuple[tuple[str, str], tuple[Axes, Axes]]]:
    """Draw each system on each ordering from the side and the top, with every hop as an arrow in the colour of its Δ.

    The atoms stand as in the initial state of the first hop, of the lowest placement that has a barrier. All maps of a
    study have one scale of colours, symmetric about 0.

    Parameters
    ----------
    study : StudyDoc
        Of an ensemble.

    Yields
    ------
    tuple[tuple[str, str], tuple[Axes, Axes]]
        System, and tag of the member; side and top view.
    """
    assert study.ensemble is not None
    barriers = {(barrier.system, barrier.hop_name): barrier for barrier in study.barriers}
    found = study.ensemble.distributions
    largest = max((abs(pair.delta) for one in found for pair in one.pairs), default=0.0)
    colours = ScalarMappable(Normalize(-(largest or 1.0), largest or 1.0), MAP_COLOURS)
    for distribution in found:
        for ordering in sorted({pair.ordering for pair in distribution.pairs}):
            pairs = [pair for pair in distribution.pairs if pair.ordering == ordering]
            shown = [(pair, _barrier(study.ensemble, distribution, pair, barriers)) for pair in pairs]
            tag = pairs[0].hop.removesuffix(f"-{pairs[0].of_hop}")
            title = f"{distribution.system}, {tag} (seed {pairs[0].seed})"
            axes = _draw_map(title, shown, colours, rf"$\Delta$ {study.which} barrier (eV)")
            yield (distribution.system, tag), axes


def _draw_map(
    name: str, shown: list[tuple[PairDoc, BarrierDoc]], colours: ScalarMappable, label: str
) -> tuple[Axes, Axes]:
    named = {f"{pair.of_hop} {signed(pair.delta, pair.uncertainty)} eV": (pair, barrier) for pair, barrier in shown}
    ends = {text: [(path := moving_path(barrier))[0], path[-1]] for text, (_, barrier) in named.items()}
    hues = dict(zip(named, map(to_hex, colours.to_rgba(np.array([pair.delta for pair, _ in shown]))), strict=True))
    with mpl.rc_context(STYLE):
        side, top = draw_system(name, Drawn(shown[0][1].band.structure, ends), hues)
        figure_of(side).colorbar(colours, ax=[side, top], label=label, shrink=0.7, pad=0.01, aspect=25)
    return side, top


def _barrier(
    ensemble: EnsembleDoc,
    distribution: DistributionDoc,
    pair: PairDoc,
    barriers: dict[tuple[str, str], BarrierDoc],
) -> BarrierDoc:
    """Find the barrier of a pair's lowest placement that has one."""
    wanted = distribution.system, pair.hop, min(pair.placements)
    member = next(one for one in ensemble.members if (one.of_system, one.hop, one.placement) == wanted)
    return barriers[member.system, member.hop]


def _draw_strip(axes: Axes, place: int, distribution: DistributionDoc, orderings: list[int]) -> None:
    """Draw the points of one distribution, its mean and its density."""
    deltas = [pair.delta for pair in distribution.pairs]
    if len(deltas) >= FOR_A_VIOLIN and np.ptp(deltas) > 0:
        density: dict[str, Any] = axes.violinplot(deltas, [place], widths=0.95, showextrema=False)
        for body in density["bodies"]:
            body.set(facecolor="0.8", alpha=0.5, edgecolor="none", zorder=0)
    for ordering in orderings:
        pairs = [pair for pair in distribution.pairs if pair.ordering == ordering]
        share = (orderings.index(ordering) + 0.5) / len(orderings) - 0.5
        x = np.full(len(pairs), place + WIDTH * share)
        errors = [pair.uncertainty or 0.0 for pair in pairs]
        look: dict[str, Any] = {"linestyle": "", "elinewidth": 0.8, "zorder": 3, **_look(ordering)}
        axes.errorbar(x, [pair.delta for pair in pairs], errors, **look)
    if distribution.mean is not None:
        span = [place - 0.42, place + 0.42]
        axes.plot(span, [distribution.mean] * 2, color="black", linewidth=1.4, zorder=2)
        if (error := distribution.standard_error) is not None:
            band = distribution.mean - error, distribution.mean + error
            axes.fill_between(span, *band, color="black", alpha=0.12, linewidth=0, zorder=1)


def _falls(distribution: DistributionDoc) -> str:
    return f"{distribution.falls} of {len(distribution.pairs)} fall"


def _look(ordering: int) -> dict[str, Any]:
    number = ordering - 1
    return {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
