"""How long a run will still take: what evaluations cost here, times how many there will be, both as far as seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from barriers.dispatch.local import JobEvent

USUAL = {"relax": 40, "neb": 180, "static": 1}
"""Usual number of evaluations of a job by its kind, until some of that kind have been seen; other kinds take none."""


class Forecast:
    """Learns from the events of a run.

    Parameters
    ----------
    seconds_per_call : float
        What the engine expects of an evaluation (s); 0 if that is not known.
    """

    def __init__(self, seconds_per_call: float = 0.0) -> None:
        self.expected = seconds_per_call
        self.left: dict[str, int] = {}
        self.jobs: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.seconds = 0.0

    def take(self, event: JobEvent) -> None:
        """Take an event of the runner; what was taken from earlier runs says nothing of time."""
        self.left = event.left
        if event.force_calls:
            self.jobs[event.kind] += 1
            self.calls[event.kind] += event.force_calls
            self.seconds += event.seconds

    def seconds_left(self, running: Iterable[tuple[str, float]] = ()) -> float | None:
        """Say how long what is left takes (s), None where nothing is known.

        Parameters
        ----------
        running : Iterable of (str, float)
            Kind of each job that runs, and for how long it has (s).
        """
        calls = self.calls.total()
        a_call = self.seconds / calls if calls else self.expected
        if not a_call:
            return None
        usual = {
            kind: self.calls[kind] / self.jobs[kind] if self.jobs[kind] else USUAL.get(kind, 0) for kind in self.left
        }
        spent = [min(since, a_call * usual.get(kind, 0)) for kind, since in running]
        whole = a_call * sum(number * usual[kind] for kind, number in self.left.items())
        return max(0.0, whole - sum(spent)) / max(1, len(spent))


def in_words(seconds: float) -> str:
    """Say a time roughly: ``40 s``, ``about 3 min``, ``about 2 h 10 min``."""
    if seconds < 60:
        return f"about {max(10, round(seconds, -1)):.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"about {hours} h {minutes} min" if hours else f"about {minutes} min"
