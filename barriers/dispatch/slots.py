"""Where the jobs of a local run go: this process, or worker processes of which each may die alone."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any, Protocol

from jobflow import Job, JobStore
from loky import ProcessPoolExecutor

from barriers.dispatch.execution import Executed, execute
from barriers.dispatch.states import JobStates
from barriers.engines.mlip.pool import CORES, WORKER_ENVIRONMENT, follow_parent, start_tracker
from barriers.engines.processes import RUNNING, end_orphan
from barriers.secrecy import keep_secret

NO_LEAK = "ignore:resource_tracker:UserWarning"
"""A killed worker leaves semaphores behind. Loky's tracker removes them, and would print that they had leaked."""


class Slot(Protocol):
    """Runs one call at a time."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start a call."""

    def stop(self) -> None:
        """End whatever runs, with all that it started."""


class Here:
    """The runner's own process: the call is over when its future is given."""

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Run a call."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    def stop(self) -> None:
        """Nothing runs here any more."""


class Worker:
    """A process of its own, which stays for the next call; where it died, the next call starts another one."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None
        if NO_LEAK not in sys.warnoptions:  # the tracker starts with this process's options
            sys.warnoptions.append(NO_LEAK)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start a call in the process."""
        try:
            future: Future[Any] = self._process().submit(call, *arguments)
        except BrokenExecutor:  # it died while it had nothing to do
            self.stop()
            future = self._process().submit(call, *arguments)
        return future

    def stop(self) -> None:
        """Kill the process and its descendants."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
        self._executor = None

    def _process(self) -> ProcessPoolExecutor:
        if self._executor is None:
            start_tracker()
            self._executor = ProcessPoolExecutor(
                max_workers=1, timeout=None, initializer=follow_parent, initargs=(os.getpid(),), env=WORKER_ENVIRONMENT
            )
        return self._executor


def run_job(
    job: Job, store: JobStore, folder: Path, cores: int, started: Callable[[str, Path], None] | None
) -> Executed:
    """Run a job in this process, with so many cores, and note where and when it starts.

    Parameters
    ----------
    job : Job
        With the outputs of others that it needs in the store.
    store : JobStore
        Results; connected here.
    folder : Path
        Results folder.
    cores : int
        What :func:`~barriers.engines.mlip.pool.available_cores` gives while the job runs.
    started : callable
        Called with the job's uuid and folder when it starts.
    """
    states = JobStates(folder)

    def note(job_folder: Path) -> None:
        where = {"folder": str(job_folder), "pid": os.getpid(), "host": platform.node()}
        states.change(job.uuid, state="running", started=time.time(), cores=cores, **where)
        if started is not None:
            started(job.uuid, job_folder)

    keep_secret([vars(each) for each in (store.docs_store, *store.additional_stores.values())])
    store.connect()
    before = os.environ.get(CORES)
    os.environ[CORES] = str(cores)
    try:
        return execute(job, store, folder, on_start=note)
    finally:
        del os.environ[CORES]
        os.environ.update({CORES: before} if before else {})


def death_of(error: BrokenExecutor) -> str:
    """Say how a worker process died."""
    codes = re.search(r"\{(.*)\}", str(error))
    return f"its process died{f' of {codes[1]}' if codes else ''}: killed by someone, or out of memory"


def end_codes_of_the_dead(folder: Path) -> None:
    """End the codes that a dead worker process left running below a job's folder."""
    for path in folder.rglob(RUNNING):
        end_orphan(path.parent)
