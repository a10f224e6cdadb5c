"""The highest image of a settled band brought to its saddle: by the band, or by a search for it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import sqrt

from barriers.engines.band import BandTask
from barriers.engines.mlip.band import BandRun
from barriers.engines.mlip.refine import NotItsSaddleError, Refined, refined_beside, refined_far


@dataclass(frozen=True)
class Climbed:
    """How a band was brought to its saddle.

    Attributes
    ----------
    saddle : Refined or None
        The saddle that a search found; None where the band alone came to it, or nothing did.
    reason : str or None
        Why it is not there.
    warnings : tuple of str
        What was noticed.
    """

    saddle: Refined | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


def climbed(run: BandRun, settled: bool, task: BandTask, refine: bool) -> Climbed:
    """Let the highest image of a band climb.

    Parameters
    ----------
    run : BandRun
        The band.
    settled : bool
        Whether the plain band is rough.
    task : BandTask
        What is asked for.
    refine : bool
        Climb roughly, and search for the saddle from there; climb on where it is not found. Without it, it is searched
        for only where the band does not converge.
    """
    if not settled:
        return Climbed(reason=_left(run, task))
    fmax, rough = task.settings.fmax, task.settings.rough_fmax
    for force in (rough, sqrt(rough * fmax)) if refine else ():
        if not run.climb(force):
            return _not_converged(run, task)
        with suppress(NotItsSaddleError):
            return Climbed(refined_beside(run.images, run.evaluator, run.seen, fmax))
    return Climbed() if run.climb() else _not_converged(run, task)


def _not_converged(run: BandRun, task: BandTask) -> Climbed:
    """Search for the saddle of a band that ran out of steps; one that fell onto a known path has none of its own."""
    left = _left(run, task)
    if run.merged_into is not None:
        return Climbed(reason=left)
    try:
        saddle = refined_far(run.images, run.evaluator, run.seen, task.settings.fmax, task.initial.fmax)
    except NotItsSaddleError as error:
        return Climbed(reason=f"{left}; {error}")
    return Climbed(
        saddle, warnings=(f"the band is not converged, {left}: its saddle is from {saddle.document.refined}",)
    )


def _left(run: BandRun, task: BandTask) -> str:
    return task.left(run.history[-1].max_force, len(run.history) - 1)
