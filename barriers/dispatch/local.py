"""Running a Flow on this machine, in a results folder that a later run continues from.

Results go to a store, so that a calculation whose result is there is not run again and an edited study runs only what
the edit touches. Each job has a folder named after what it computes, where a job that was killed finds its checkpoint.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jobflow import Flow, Job, JobStore, OnMissing
from jobflow.core.reference import find_and_get_references, find_and_resolve_references
from maggma.stores import MemoryStore

from barriers.disk import writes_folder
from barriers.dispatch.execution import Executed, with_inputs
from barriers.dispatch.identity import contents, identify, key_of
from barriers.dispatch.lock import only_run
from barriers.dispatch.schedule import Schedule
from barriers.dispatch.slots import Here, Slot, Worker, death_of, end_codes_of_the_dead, run_job
from barriers.dispatch.states import STOPPED, JobState, JobStates
from barriers.dispatch.store import results_store
from barriers.engines.mlip.pool import available_cores
from barriers.secrecy import told
from barriers.study.kept import keep_study

LOOK_SECONDS = 0.3
"""How often worker processes are looked at (s)."""

LEFTOVER_SECONDS = 10.0
"""Workers of a killed run notice that within two seconds; a new run waits this long for them to end (s)."""


Happening = Literal["started", "done", "reused", "unconverged", "failed", "skipped"]


@dataclass(frozen=True)
class JobEvent:
    """What happened to a job: sent to whoever watches a run; ``left`` counts the jobs by kind that have not ended."""

    state: Happening
    name: str
    number: int
    total: int
    folder: Path | None = None
    seconds: float = 0.0
    message: str = ""
    force_calls: int = 0
    kind: str = ""
    left: dict[str, int] = field(default_factory=dict)


@dataclass
class LocalRun:
    """Outcome of :func:`run`.

    Attributes
    ----------
    output : Any
        The flow's output (a document), or None if the job that gives it failed or was skipped.
    failures : dict[str, str]
        Name of each failed or skipped job, and why; jobs that share a name have their number in the run behind it.
    force_calls : int
        Energy and force evaluations of this run; 0 when everything was there.
    """

    output: Any = None
    failures: dict[str, str] = field(default_factory=dict)
    force_calls: int = 0


@writes_folder
def run(
    flow: Flow,
    folder: Path | str,
    on_event: Callable[[JobEvent], None] | None = None,
    workers: int = 1,
    store: JobStore | None = None,
    study_file: Path | None = None,
) -> LocalRun:
    """Run a flow's jobs on this machine, without those whose result is there.

    1. Give each job a lasting uuid, and note all of them in the table of job states.
    2. Start jobs as soon as those they need are done; share the cores of the machine among them.
    3. Read the flow's output from the store.

    Parameters
    ----------
    flow : Flow
        Jobs that return documents; jobs that replace or add jobs are not supported.
    folder : Path or str
        Results folder; made if it is not there. Jobs go to its ``jobs`` folder.
    on_event : callable
        Called when a job starts and when it ends.
    workers : int
        Most jobs at once. One runs in this process; more run in worker processes.
    store : JobStore
        Where results go; :func:`~barriers.dispatch.store.results_store` of the folder if None.
    study_file : Path
        Kept in the folder as ``study.yaml`` from the start, with the structure files that it names.

    Returns
    -------
    LocalRun
        The output and the failures. A failed job stops only the jobs that depend on it, and of those not the ones that
        take None for what is missing (``OnMissing.NONE``).

    Raises
    ------
    BlockingIOError
        If another run is at work in the folder.
    ValueError
        If several workers are to share a store that lives in one process.
    """
    folder = Path(folder).resolve()
    store = store or results_store(folder)
    if workers > 1 and isinstance(store.docs_store, MemoryStore):
        raise ValueError(f"workers: {workers} with {type(store.docs_store).__name__}, which one process alone can use")
    with only_run(folder):
        _await_leftovers(JobStates(folder))
        if study_file is not None:
            keep_study(study_file, folder)
        return _Run(flow, folder, on_event or (lambda _event: None), workers, store).go()


class _Run:
    """One run: what is to start, what runs where, and what became of it."""

    def __init__(
        self, flow: Flow, folder: Path, watch: Callable[[JobEvent], None], workers: int, store: JobStore
    ) -> None:
        self.flow = deepcopy(flow)  # the caller's own keeps its uuids: other flows may refer to them
        self.folder, self.watch, self.store = folder, watch, store
        self.jobs, parents = lasting(self.flow)
        self.numbers = {uuid: number for number, uuid in enumerate(self.jobs, 1)}
        self.names = _told_apart(self.jobs)
        light = [uuid for uuid, job in self.jobs.items() if job.maker is None]
        tolerant = [uuid for uuid, job in self.jobs.items() if job.config.on_missing_references != OnMissing.ERROR]
        self.schedule = Schedule(parents, light, available_cores(), workers, tolerant)
        self.free: list[Slot] = [Here()] if workers == 1 else [Worker() for _ in range(workers)]
        self.running: dict[Future[Executed], tuple[str, Slot]] = {}
        self.keys: dict[str, str] = {}
        self.left = Counter(_kind(job) for job in self.jobs.values())
        self.seen: set[str] = set()
        self.states = JobStates(folder)
        self.outcome = LocalRun()

    def go(self) -> LocalRun:
        """Run all jobs."""
        self.store.connect()
        self.states.begin([_state(job, self.numbers[uuid]) for uuid, job in self.jobs.items()])
        try:
            while not self.schedule.is_over:
                for uuid, cores in self.schedule.start():
                    self._start(uuid, cores)
                for future in wait(self.running, LOOK_SECONDS, FIRST_COMPLETED).done:
                    self._end(future)
                self._look()
        finally:
            for slot in [*self.free, *(slot for _, slot in self.running.values())]:
                slot.stop()
            for state in self.states.read("running"):  # also the one of this process, which no future stands for
                self.states.change(state.uuid, state="waiting", message=STOPPED)
        wanted = self.flow.output
        if wanted is not None and not any(
            reference.uuid in self.schedule.broken for reference in find_and_get_references(wanted)
        ):
            self.outcome.output = find_and_resolve_references(wanted, self.store)
        return self.outcome

    def _start(self, uuid: str, cores: int) -> None:
        if (twin := self._twin(uuid)) is not None:
            self.schedule.hold(uuid, twin)
            return
        slot = self.free.pop()
        tell = self._started if isinstance(slot, Here) else None
        future = slot.submit(run_job, self.jobs[uuid], self.store, self.folder, cores, tell)
        self.running[future] = (uuid, slot)

    def _twin(self, uuid: str) -> str | None:
        """Find the running job, if any, that computes what this one would: its result is worth waiting for."""
        if self.jobs[uuid].maker is None or isinstance(self.free[-1], Here):
            return None
        with suppress(Exception):  # inputs that cannot be had: the job itself says so when it runs
            self.keys[uuid] = key_of(contents(with_inputs(self.jobs[uuid], self.store)))
        running = (other for other, _ in self.running.values() if other in self.keys)
        return next((other for other in running if self.keys[other] == self.keys.get(uuid)), None)

    def _look(self) -> None:
        """Tell of the jobs that worker processes have begun."""
        if self.running:
            for state in self.states.read("running"):
                self._started(state.uuid, Path(state.folder))

    def _started(self, uuid: str, folder: Path) -> None:
        if uuid not in self.seen:
            self.seen.add(uuid)
            self.watch(self._event(uuid, "started", folder=folder))

    def _end(self, future: Future[Executed]) -> None:
        """Note what became of a job, and what can never start after it."""
        uuid, slot = self.running.pop(future)
        self.free.append(slot)
        error = future.exception()
        done = future.result() if error is None else self._died(uuid, slot, error)
        if done.state != "reused":
            self._started(uuid, done.folder)
        message = done.message
        if done.state == "failed" and str(done.folder) not in message:
            message = f"{message}; files in {done.folder}"
        values = {"folder": done.folder, "seconds": done.seconds, "message": message, "force_calls": done.force_calls}
        self._close(uuid, self._event(uuid, done.state, **values))
        for skipped, culprit in self.schedule.end(uuid, done.state != "failed"):
            self._close(skipped, self._event(skipped, "skipped", message=f"needs {self.names[culprit]!r}"))

    def _died(self, uuid: str, slot: Slot, error: BaseException) -> Executed:
        """Make a failure of what kept a job from saying itself what became of it."""
        words = told(error)
        state = next((state for state in self.states.read("running") if state.uuid == uuid), None)
        folder = Path(state.folder) if state else self.folder / "jobs"
        if isinstance(error, BrokenExecutor):
            words = death_of(error)
            slot.stop()
            end_codes_of_the_dead(folder)
        if state:
            (folder / "error.txt").write_text(f"{words}\n", "utf-8")
        return Executed("failed", folder, message=words)

    def _event(self, uuid: str, state: Happening, **values: Any) -> JobEvent:
        job = self.jobs[uuid]
        if state != "started":
            self.left[_kind(job)] -= 1
        values |= {"kind": _kind(job), "left": dict(self.left)}
        return JobEvent(state, job.name, self.numbers[uuid], len(self.jobs), **values)

    def _close(self, uuid: str, event: JobEvent) -> None:
        """Write and tell what became of a job."""
        if event.state in {"failed", "skipped"}:
            self.outcome.failures[self.names[uuid]] = event.message
        self.outcome.force_calls += event.force_calls
        values = {"state": event.state, "message": event.message, "force_calls": event.force_calls}
        self.states.change(uuid, folder=str(event.folder or ""), ended=time.time(), **values)
        self.watch(event)


def lasting(flow: Flow) -> tuple[dict[str, Job], dict[str, list[str]]]:
    """Give jobs and parents by uuids that say what is computed; of jobs that compute the same, one is left."""
    listed = list(flow.iterflow())
    passing = [job.uuid for job, _ in listed]
    identify(flow, "")
    lasting = {old: job.uuid for old, (job, _) in zip(passing, listed, strict=True)}
    parents = {job.uuid: [lasting[parent] for parent in needed] for job, needed in listed}
    return {job.uuid: job for job, _ in listed}, parents


def _told_apart(jobs: dict[str, Job]) -> dict[str, str]:
    """Name jobs so that no two names are the same: as the progress shows them, where several share a name."""
    shared = Counter(job.name for job in jobs.values())
    numbered = enumerate(jobs.items(), 1)
    return {uuid: job.name if shared[job.name] == 1 else f"{job.name} [{n}/{len(jobs)}]" for n, (uuid, job) in numbered}


def _kind(job: Job) -> str:
    return str(job.metadata.get("kind", ""))


def _state(job: Job, number: int) -> JobState:
    kind, system, hop = (str(job.metadata.get(key, "")) for key in ("kind", "system", "hop"))
    return JobState(job.uuid, job.name, kind, system, hop, number)


def _await_leftovers(states: JobStates) -> None:
    """Wait for the workers of a killed run to notice that they are to end.

    Raises
    ------
    RuntimeError
        If one does not.
    """
    deadline = time.monotonic() + LEFTOVER_SECONDS
    for state in states.read("running"):
        while (process := state.process) is not None and process.pid != os.getpid():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{state.folder}: process {process.pid} of an earlier run is still there; stop it")
            time.sleep(0.1)
