"""Running a series on this machine, a value at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobflow import Flow

from barriers.analysis.series import UNITS, PointDoc
from barriers.dispatch.local import LocalRun
from barriers.documents import BarrierDoc
from barriers.workflow.series import Choice, SeriesPlan, barrier_flow

Found = tuple[BarrierDoc | None, str | None]
"""The barrier of a value, and why it is none that counts."""


class SeriesRun:
    """The barriers of a series, each computed when it is asked for.

    One after the other, since a band of a smaller ``fmax`` goes on from the one before it.

    Parameters
    ----------
    plan : SeriesPlan
        What :func:`~barriers.workflow.series.plan_series` gives.
    run : callable
        Runs a flow, such as :func:`barriers.run` in the study's results folder.

    Attributes
    ----------
    barriers : dict[str, BarrierDoc]
        Those there are, converged or not, by setting and value; the study's own once.
    missing : list[str]
        Values that were computed without giving a barrier.
    total : LocalRun
        Failures and force calls of all flows.
    """

    def __init__(self, plan: SeriesPlan, run: Callable[[Flow], LocalRun]) -> None:
        self.plan, self._run = plan, run
        self.barriers: dict[str, BarrierDoc] = {}
        self.missing: list[str] = []
        self.total = LocalRun()
        self._own: Found | None = None

    def points(self, setting: str) -> Iterator[PointDoc]:
        """Compute the values of a setting, the coarsest first, and give what each is and has."""
        which = self.plan.study.comparison.barrier
        for choice in self.plan.choices[setting]:
            barrier, reason = self._own if choice.own and self._own else self._barrier(setting, choice)
            if choice.own:
                self._own = barrier, reason
            yield PointDoc(
                value=choice.value,
                own=choice.own,
                atoms=len(choice.member.slab.structure) if choice.member else None,
                barrier=getattr(barrier, which, None),
                uncertainty=barrier.plus_minus(which) if barrier else None,
                reason=reason,
            )

    def _barrier(self, setting: str, choice: Choice) -> Found:
        """Compute the barrier of a value, or say why there is none."""
        if choice.member is None:
            return None, choice.reason
        name = named(setting, choice.value)
        outcome = self._run(barrier_flow(self.plan, choice.member, name))
        self.total.force_calls += outcome.force_calls
        self.total.failures |= {f"{name}, {job}": message for job, message in outcome.failures.items()}
        barrier: BarrierDoc | None = outcome.output
        if barrier is not None:
            self.barriers[name] = barrier
        if barrier is None or not barrier.converged:
            self.missing.append(name)
        if barrier is None:
            return None, next(iter(outcome.failures.values()), "a calculation it needs failed")
        return barrier, None if barrier.converged else f"not converged, {barrier.reason}"


def named(setting: str, value: str) -> str:
    """Name a value with its setting and unit: ``vacuum 16 Å``."""
    return f"{setting} {value} {UNITS[setting]}".rstrip()
