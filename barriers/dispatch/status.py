"""Where a study stands: the state of each job, and of each system and hop, wherever the jobs run."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any, Literal, get_args

from barriers.dispatch.opening import output_of
from barriers.dispatch.states import JobState, JobStates
from barriers.engines.progress import latest_progress

State = Literal[
    "failed",
    "lost",
    "running",
    "queued",
    "ready",
    "stopped",
    "not converged",
    "waiting",
    "skipped",
    "withdrawn",
    "done",
]

STATES: tuple[State, ...] = get_args(State)
"""From the one that a reader must know of to the one that needs nothing any more."""

RESULT = ": barrier"
"""End of the name of a job that gives a barrier, as in workflow/labels.py, which loads more than a status waits for."""

UNDER_WAY = ("running", "queued", "ready")

CLOCK_TICKS = 3.0
"""No file system's clock is coarser than this (s)."""

LOCAL: dict[str, State] = {
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "reused": "done",
    "unconverged": "not converged",
    "failed": "failed",
    "skipped": "skipped",
}
"""States of the local runner."""

FIREWORKS: dict[str, State] = {
    "COMPLETED": "done",
    "RUNNING": "running",
    "RESERVED": "queued",
    "READY": "ready",
    "WAITING": "waiting",
    "PAUSED": "waiting",
    "FIZZLED": "failed",
    "DEFUSED": "withdrawn",
    "ARCHIVED": "withdrawn",
}
"""States of FireWorks."""


@dataclass(frozen=True)
class JobStatus:
    """One job.

    Attributes
    ----------
    name, kind, system, hop : str
        What it is for.
    state : str
        One of :data:`STATES`.
    progress : dict
        The engine's newest line: stage, iteration, largest force and its goal (eV/Å), highest image (eV).
    elapsed, expected : float or None
        Seconds since it started, or that it took; and what jobs of its kind took in this study (median).
    queue_id, host, folder, message : str
        Its number in the queue, where it runs, and its last words.
    force_calls : int
        Evaluations of its last run, once that has ended.
    uuid : str
        What its result is filed under.
    started : float or None
        When it started (s since 1970).
    barrier : float or None
        The forward barrier that it has given (eV), where it gives one.
    """

    name: str
    kind: str
    system: str
    hop: str
    state: State
    progress: dict[str, Any] = field(default_factory=dict)
    elapsed: float | None = None
    expected: float | None = None
    queue_id: str = ""
    host: str = ""
    folder: str = ""
    message: str = ""
    force_calls: int = 0
    uuid: str = ""
    started: float | None = None
    barrier: float | None = None


@dataclass(frozen=True)
class GroupStatus:
    """The jobs of one system and hop, or those that its hops share.

    Attributes
    ----------
    system, hop : str
        Empty for the slab, and for what hops share.
    state : str
        ``done`` if all jobs are; else the state of the job that is told of.
    jobs, done : int
        Number of jobs, and of those that are done.
    job : JobStatus
        The job that matters most: the first of the foremost state in :data:`STATES`.
    members : list of JobStatus
        All of them.
    barrier : float or None
        The result's forward barrier (eV), and until it is there the highest image of the newest band above the initial
        state: the barrier so far.
    """

    system: str
    hop: str
    state: State
    jobs: int
    done: int
    job: JobStatus
    members: list[JobStatus]
    barrier: float | None


class LocalStatus:
    """Reads where the jobs of a results folder stand, again and again.

    A job that has ended is not looked at twice. As long as nothing runs and nothing changes, the same list is given.

    Parameters
    ----------
    folder : Path
        Results folder.
    """

    def __init__(self, folder: Path) -> None:
        self.states = JobStates(folder)
        self._stamp: tuple[int, int, float] | None = None
        self._read: list[JobState] = []
        self._jobs: list[JobStatus] = []
        self._ended: dict[JobState, JobStatus] = {}

    def __call__(self) -> list[JobStatus]:
        """Give all jobs, in the flow's order; none where nothing was run."""
        if not self._changed() and not any(state.state == "running" for state in self._read):
            return self._jobs
        stamp, self._stamp = self._stamp, None  # what cannot be read now is looked at again
        self._read = self.states.read()
        self._stamp = stamp
        jobs = [self._ended.get(state) or _local(state, self.states.path) for state in self._read]
        pairs = zip(self._read, jobs, strict=True)
        self._ended = {state: job for state, job in pairs if state.state not in ("waiting", "running")}
        self._jobs = with_expected(jobs)
        return self._jobs

    def _changed(self) -> bool:
        try:
            found = self.states.path.stat()
        except FileNotFoundError:
            self._stamp = None
            return True
        before, self._stamp = self._stamp, (found.st_mtime_ns, found.st_size, time.time())
        # What was written within the last ticks of a file system's clock may not be all that was read.
        return before is None or before[:2] != self._stamp[:2] or before[2] - found.st_mtime < CLOCK_TICKS


def _local(state: JobState, documents: Path) -> JobStatus:
    ended = time.time() if state.state == "running" else state.ended
    tells = bool(state.folder) and (state.kind == "neb" or state.state == "running")
    gives = state.name.endswith(RESULT) and bool(state.ended)
    return JobStatus(
        name=state.name,
        kind=state.kind,
        system=state.system,
        hop=state.hop,
        state="lost" if state.is_lost else "stopped" if state.is_stopped else LOCAL[state.state],
        progress=(latest_progress(Path(state.folder)) if tells else None) or {},
        elapsed=ended - state.started if state.started is not None and ended is not None else None,
        host=state.host,
        folder=state.folder,
        message=state.message,
        force_calls=state.force_calls,
        uuid=state.uuid,
        started=state.started,
        barrier=output_of(documents, state.uuid).get("forward") if gives else None,
    )


def with_expected(jobs: list[JobStatus]) -> list[JobStatus]:
    """Add how long jobs take, from those of the same kind that this study has done."""
    took: dict[str, list[float]] = {}
    for job in jobs:
        if job.state == "done" and job.elapsed is not None and job.force_calls:
            took.setdefault(job.kind, []).append(job.elapsed)
    usual = {kind: median(seconds) for kind, seconds in took.items()}
    return [replace(job, expected=usual.get(job.kind)) for job in jobs]


def grouped(jobs: Iterable[JobStatus]) -> list[GroupStatus]:
    """Put jobs together by system and hop, in the order in which they first appear."""
    groups: dict[tuple[str, str], list[JobStatus]] = {}
    for job in jobs:
        groups.setdefault((job.system, job.hop), []).append(job)
    return [_group(of_group) for of_group in groups.values()]


def _group(jobs: list[JobStatus]) -> GroupStatus:
    first = min(jobs, key=lambda job: STATES.index(job.state))
    results = [job.barrier for job in jobs if job.barrier is not None]
    heights = [job.progress["highest_image"] for job in jobs if "highest_image" in job.progress]
    done = sum(job.state == "done" for job in jobs)
    return GroupStatus(
        first.system,
        first.hop,
        first.state,
        len(jobs),
        done,
        first,
        jobs,
        next(iter([*results[-1:], *heights[-1:]]), None),
    )


def is_over(jobs: Iterable[JobStatus]) -> bool:
    """Whether nothing is under way any more."""
    return not any(job.state in UNDER_WAY for job in jobs)
