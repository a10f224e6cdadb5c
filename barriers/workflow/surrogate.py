"""The rounds of a correction, unrolled when the flow is built: propose a point, evaluate it, and so on, then close."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobflow import Flow, Job

from barriers.engines.surrogate import SurrogateEngine
from barriers.structures.path.start import Start
from barriers.study.models import RelaxSection
from barriers.workflow.keywords import Settings
from barriers.workflow.labels import despite_failures

Label = Callable[[Job, str], Job]
"""Names a job after the system, the hop and what it does."""


def corrected_end(
    engine: SurrogateEngine,
    relax: RelaxSection,
    scouted: Any,
    which: str,
    label: Label,
    twin: tuple[Any, ...] = (),
    most: int | None = None,
) -> Flow:
    """Build the rounds that relax one end state.

    Parameters
    ----------
    engine : SurrogateEngine
        Model and expensive engine.
    relax : RelaxSection
        Tolerance.
    scouted : RelaxDoc
        The end state as the model relaxed it.
    which : str
        Its name.
    label : callable
        Names jobs.
    twin : (EndDoc, Twin)
        The other end, corrected, and how it is the same; empty where it is not.
    most : int or None
        Most points; those of any end if None.
    """
    propose, close = engine.end(relax.fmax)
    jobs, results = _rounds(engine, propose, [scouted], twin, most or engine.rounds_of_end, which, label)
    end = label(despite_failures(close.make(scouted, *results, *twin)), f"relax {which}")
    return Flow([*jobs, end], output=end.output, name=end.name)


def corrected_band(
    engine: SurrogateEngine, settings: Settings, between: tuple[Any, Any, Any], start: Start, label: Label
) -> tuple[list[Job], tuple[Any, Any]]:
    """Build the rounds that find the saddle of a hop, and the whole band where one is to follow.

    Parameters
    ----------
    engine : SurrogateEngine
        Model and expensive engine.
    settings : Settings
        Tolerances.
    between : (BandDoc, EndDoc, EndDoc)
        The model's band, and the corrected ends.
    start : Start
        Carried over, for a whole band.
    label : callable
        Names jobs.

    Returns
    -------
    list[Job]
        The last gives the band.
    (RelaxDoc, RelaxDoc)
        The ends of that band.
    """
    propose, close = engine.saddle(**settings.neb.of_band)
    jobs, results = _rounds(engine, propose, between, (), engine.rounds_of_saddle, "saddle", label)
    band = label(despite_failures(close.make(*between, *results)), "band corrected")
    if not engine.then_band:
        return [*jobs, band], between[1:]
    relax = engine.relax_on(settings.relax.fmax, settings.relax.max_steps)
    ends = [
        label(relax.make(end, band.output.converged), f"relax on {which}")
        for end, which in zip(between[1:], ("initial", "final"), strict=True)
    ]
    relaxed = ends[0].output, ends[1].output
    whole = engine.whole_band(**settings.neb.of_band).make(band.output, *relaxed, start)
    return [*jobs, band, *ends, label(whole, f"band {start.name}")], relaxed


def _rounds(
    engine: SurrogateEngine, propose: Any, inputs: Any, more: tuple[Any, ...], number: int, what: str, label: Label
) -> tuple[list[Job], tuple[list[Any], list[Any]]]:
    """Build so many rounds; give their jobs, and references to the proposals and to the points."""
    jobs: list[Job] = []
    proposals: list[Any] = []
    points: list[Any] = []
    for each in range(1, number + 1):
        # Ends that took few points leave more to the saddle; only a round that may be one too many counts them.
        budget = [engine.points] if what == "saddle" and each > engine.points - 2 * engine.rounds_of_end else []
        proposal = propose.make(*inputs, list(proposals), list(points), *more, *budget)
        point = engine.point().make(proposal.output.structure)
        jobs += [
            label(despite_failures(proposal), f"propose {what} {each}"),
            label(point, f"point {what} {each}"),
        ]
        proposals.append(proposal.output)
        points.append(point.output)
    return jobs, (proposals, points)
