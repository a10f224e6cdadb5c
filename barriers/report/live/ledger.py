"""What the live page shows of a study: a row for each system and hop, and which of them have changed since when."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from barriers.dispatch.status import GroupStatus, JobStatus, grouped, is_over
from barriers.report.status import HEADINGS, cells, clock, counted, last_words
from barriers.secrecy import hide

TELLS = ("failed", "lost", "not converged", "skipped", "withdrawn")
"""States whose reason stands below their row."""

LOG_LINES = 80
"""Newest lines of the log that are shown."""

QUIET_SECONDS = 3.0
"""Nothing runs for a moment between two jobs; a run has ended when that lasts."""

MOST_SEEN = 2000
"""Iterations of a band that are remembered where its files are not seen from here."""


class Row(NamedTuple):
    """A system and hop: its state, the texts of its cells, and why it is not done."""

    state: str
    cells: list[str]
    reason: str


class Ledger:
    """Keeps what was seen last, and numbers the changes: who knows the last number is told only of what is newer.

    Parameters
    ----------
    study : str
        Name of the study.
    """

    def __init__(self, study: str) -> None:
        self.study, self.revision = study, 0
        self.groups: list[GroupStatus] = []
        self.trouble = ""
        self.curves: dict[str, list[list[float]]] = {}
        self._taken: Sequence[JobStatus] = ()
        self._seen: tuple[list[Row], list[tuple[float, str, str]], dict[str, int]] = [], [], {}
        self._rows: list[Row] = []
        self._changed: list[int] = []
        self._words: dict[str, Any] = {}
        self._said_at = 0
        self._quiet_since: float | None = None

    def take(self, jobs: Sequence[JobStatus], trouble: str = "") -> None:
        """Take in what was seen of the jobs."""
        if jobs is not self._taken:
            self._taken, self.groups = jobs, grouped(jobs)
            self._seen = [_row(group) for group in self.groups], _log(jobs), counted(jobs)
        rows, log, states = self._seen
        same = len(rows) == len(self._rows)
        changed = [at for at, row in enumerate(rows) if not same or row != self._rows[at]]
        self._remember(jobs)
        words = {
            "states": states,
            "jobs": len(jobs),
            "over": self._is_over(jobs),
            "log": log,
            "trouble": trouble,
        }
        if not changed and same and words == self._words:
            return
        self.revision += 1
        if not same:
            self._changed = [self.revision] * len(rows)
        for at in changed:
            self._changed[at] = self.revision
        if words != self._words:
            self._said_at = self.revision
        self._rows, self._words, self.trouble = rows, words, trouble

    def fail(self, trouble: str) -> None:
        """Note that nothing could be seen, and why; what was seen before stays."""
        if trouble != self.trouble or not self._words:
            self.revision += 1
            self.trouble, self._said_at = trouble, self.revision
            empty = {"states": {}, "jobs": 0, "over": False, "log": []}
            self._words = (self._words or empty) | {"trouble": trouble}

    def since(self, revision: int) -> dict[str, Any]:
        """Give what is newer than a revision; everything after revision 0."""
        rows = zip(self._rows, self._changed, strict=True)
        newer = [[at, *row] for at, (row, changed) in enumerate(rows) if changed > revision]
        head = {"study": self.study, "revision": self.revision, "total": len(self._rows), "rows": newer}
        head |= {"headings": HEADINGS} if revision == 0 else {}
        return head | (self._words if self._said_at > revision else {})

    def _is_over(self, jobs: Sequence[JobStatus]) -> bool:
        if not is_over(jobs) or not jobs:
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = time.monotonic() - (0.0 if self._words else QUIET_SECONDS)
        return time.monotonic() - self._quiet_since >= QUIET_SECONDS

    def _remember(self, jobs: Sequence[JobStatus]) -> None:
        """Keep the forces that running jobs tell of, for those whose files are not seen from here."""
        for job in jobs:
            told = job.progress
            if job.state == "running" and job.queue_id and "iteration" in told:
                curve = self.curves.setdefault(job.uuid, [])
                point = [told["iteration"], told["max_force"]]
                if curve[-1:] != [point]:
                    curve.append(point)
                    del curve[:-MOST_SEEN]


def _row(group: GroupStatus) -> Row:
    reason = hide(last_words(group.job)) if group.state in TELLS else ""
    return Row(group.state, cells(group), reason)


def _log(jobs: Sequence[JobStatus]) -> list[tuple[float, str, str]]:
    """Give the newest things that happened: time (s since 1970), state, and words."""
    return heapq.nlargest(LOG_LINES, (event for job in jobs if job.started is not None for event in _events(job)))


def _events(job: JobStatus) -> Iterator[tuple[float, str, str]]:
    started = round(job.started or 0.0)
    yield started, "started", job.name
    if job.state not in ("running", "queued", "ready", "waiting") and job.elapsed is not None:
        calls = f", {job.force_calls} force calls" if job.force_calls else ""
        why = f": {hide(job.message)}" if job.message else ""
        yield round(started + job.elapsed), job.state, f"{job.name} in {clock(job.elapsed)}{calls}{why}"
