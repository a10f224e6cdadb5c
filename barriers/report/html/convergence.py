"""How a band converged, as the page's drawing: its largest force over the iterations, on a logarithmic axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from matplotlib.ticker import MaxNLocator

from barriers.documents import BandDoc, IterationDoc

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 46
FRAME = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM}

STAGES = {"plain": ("plain band", "rough_fmax"), "climbing": ("climbing image", "fmax")}
"""What the key calls a stage, and the setting that holds its tolerance."""


@dataclass(frozen=True)
class Stage:
    """One stage of a band on the drawing.

    Attributes
    ----------
    name : str
        What it is called.
    path : str
        Its forces, in SVG's words.
    tolerance : str
        The force that it went on to, as a line; empty where that is not known.
    """

    name: str
    path: str
    tolerance: str


@dataclass(frozen=True)
class Convergence:
    """The drawing: its stages, ticks along both axes, and what it says in words."""

    stages: list[Stage]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]
    words: str


def convergence(band: BandDoc) -> Convergence | None:
    """Lay out how a band converged; None of one that has no history."""
    steps = [step for step in band.history if step.max_force > 0]
    if len(steps) < 2:
        return None
    tolerances = [float(band.settings[name]) for _, name in STAGES.values() if name in band.settings]
    forces = [step.max_force for step in steps]
    low, high = floor(log10(min(forces + tolerances))), ceil(log10(max(forces + tolerances)))
    high = max(high, low + 1)
    last = max(step.iteration for step in steps)

    def x(iteration: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * iteration / max(last, 1), 1)

    def y(force: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - log10(force)) / (high - low), 1)

    stages = []
    for kind, (name, setting) in STAGES.items():
        of_stage = [step for step in steps if step.stage == kind]
        if not of_stage:
            continue
        ends = x(of_stage[0].iteration), x(of_stage[-1].iteration)
        line = f"M{ends[0]} {y(band.settings[setting])}H{ends[1]}" if setting in band.settings else ""
        stages.append(Stage(name, _path([(step, x(step.iteration), y(step.max_force)) for step in of_stage]), line))
    ticks = MaxNLocator(nbins=7, integer=True).tick_values(0, last)
    across = [(x(tick), f"{tick:.0f}") for tick in ticks if 0 <= tick <= last]
    up = [(y(10.0**power), f"{10.0**power:g}") for power in range(low, high + 1)]
    return Convergence(stages, across, up, f"from {forces[0]:.2g} to {forces[-1]:.2g} eV/Å in {len(steps)} iterations")


def _path(points: list[tuple[IterationDoc, float, float]]) -> str:
    """Join points, but not those of two times: a path that was mended goes through its stages again."""
    words, before = [], None
    for step, x, y in points:
        words.append(f"{'L' if before == step.iteration - 1 else 'M'}{x} {y}")
        before = step.iteration
    return "".join(words)
