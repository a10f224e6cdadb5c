"""Evaluating many structures at once: in worker processes on CPU, in one batch on a GPU.

On CPU one structure per process is faster than a batch in one process, and threads scale worse than processes, so
the images of a band go to as many one-threaded workers as there are; a single structure gets all threads of one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any

import numpy as np
from ase import Atoms

from barriers.contents import digest
from barriers.engines.mlip.models import Evaluation, Model, ModelSpec, is_light, resolve_device
from barriers.engines.mlip.weights import load_as, potential
from barriers.engines.processes import end_this_process

WORKER_ENVIRONMENT = {
    # glibc otherwise returns each large tensor to the system and faults its pages in again at the next call.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "200000000",
    # Threads that spin while they wait make a call five times slower as soon as another program uses a core.
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "1",
    # loky takes the memory a model needs for a leak and restarts the worker, where psutil is installed.
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e12",
}

MOST_WORKERS = 8
"""Worker processes unless the user asks for more; further cores become their threads."""

IDLE_SECONDS = 300
"""Workers without work end after this time (s); they hold a model each."""


CORES = "BARRIERS_CORES"
"""Environment variable with the cores that a process may use, where several share a machine."""


def available_cores() -> int:
    """Cores this process may use: as many as it was given, or as many as the machine lets it."""
    if given := os.environ.get(CORES):
        return max(1, int(given))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers(asked: int | None = None) -> int:
    """As many workers as asked for, else up to 8, and at most one for each core: each holds a model (2 GB and more)."""
    return min(available_cores(), asked or MOST_WORKERS)


class Evaluator:
    """Evaluates structures with one model and counts the calls.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    workers : int or None
        Worker processes; one for each core up to 8 if None. Cheap calculators and GPUs work in this process instead.

    Attributes
    ----------
    potential : dict
        What its numbers rest on: the weights that were loaded, or are to be in each worker.
    """

    def __init__(self, spec: ModelSpec, workers: int | None) -> None:
        self.spec = spec
        self.asked = workers
        in_process = is_light(spec) or (":" not in spec.name and resolve_device(spec) == "cuda")
        self.potential = potential(spec)
        self.model: Model | None = load_as(spec, digest(self.potential)) if in_process else None
        self.force_calls = 0

    @property
    def workers(self) -> int:
        """Worker processes now: the next job of this process may be given more cores, or fewer."""
        return default_workers(self.asked)

    def evaluate(self, structures: Sequence[Atoms], moments: bool = False, stress: bool = False) -> list[Evaluation]:
        """Evaluate structures, in parallel where that pays.

        Parameters
        ----------
        structures : Sequence[Atoms]
            Any number; results come in the same order.
        moments : bool
            Ask for magnetic moments too (dearer; models without them give None).
        stress : bool
            Ask for the stress too, in the same way.

        Raises
        ------
        RuntimeError
            If the model gives numbers that are not finite, or its process dies.
        """
        bare = [Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc) for atoms in structures]
        asked = (moments, stress) if stress else (moments,)
        results = self.model.evaluate(bare, *asked) if self.model else self._in_workers(bare, *asked)
        self.force_calls += len(bare)
        for result in results:
            if not (np.isfinite(result.energy) and np.isfinite(result.forces).all()):
                raise RuntimeError(f"model {self.spec.name} gave an energy or force that is not a number")
        return results

    def _in_workers(self, structures: list[Atoms], *asked: bool) -> list[Evaluation]:
        from loky import get_reusable_executor

        start_tracker()
        executor = get_reusable_executor(
            max_workers=self.workers,
            timeout=IDLE_SECONDS,
            initializer=follow_parent,
            initargs=(os.getpid(),),
            env=WORKER_ENVIRONMENT,
        )
        cores = available_cores()
        threads = max(1, cores // min(len(structures), self.workers))
        submit: Callable[..., Future[Any]] = executor.submit
        what = self.spec, digest(self.potential)
        futures = [submit(evaluate_in_worker, *what, atoms, asked, threads) for atoms in structures]
        return [future.result() for future in futures]


def start_tracker() -> None:
    """Start loky's tracker of semaphores so that a batch system's warning does not end it, as it would by default.

    A process that is started inherits which signals are blocked; those that loky itself blocks, it lets through later.
    """
    from loky.backend import resource_tracker

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        resource_tracker.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stop_workers() -> None:
    """End the worker processes of this process, whatever they are doing."""
    if "loky" in sys.modules:
        from loky import get_reusable_executor

        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def get_evaluator(spec: ModelSpec, workers: int | None) -> Evaluator:
    """Give the one evaluator of this process for a model, so that its weights are loaded once, and again if changed."""
    return _evaluator_of(spec, workers, digest(potential(spec)))


@cache
def _evaluator_of(spec: ModelSpec, workers: int | None, _rests_on: str) -> Evaluator:
    return Evaluator(spec, workers)


def evaluate_in_worker(
    spec: ModelSpec, expected: str, atoms: Atoms, asked: tuple[bool, ...], threads: int
) -> Evaluation:
    """Evaluate one structure in a worker process, with so many threads, with the model that is expected."""
    model = _model_of_this_worker(spec, expected)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    return model.evaluate([atoms], *asked)[0]


@cache
def _model_of_this_worker(spec: ModelSpec, expected: str) -> Model:
    model = load_as(spec, expected)
    if "torch" in sys.modules:
        # Smooth cutoffs leave many denormal numbers, and a call of CHGNet takes 40% longer with them. Threads inherit
        # the setting; it holds for all of a process, so it is made in workers alone.
        sys.modules["torch"].set_flush_denormal(True)
    return model


def follow_parent(parent: int) -> None:
    """End this process when its parent was killed, which nothing else would tell it, and leave stopping to the parent.

    Ctrl-C, and a batch system's signals, come to every process: a worker that ended by itself would be a failed job.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)  # a code that it starts would inherit what is ignored

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(2)
        end_this_process()

    threading.Thread(target=watch, daemon=True).start()
