"""Running a Flow in this process, in a results folder that a later run continues from.

Each job gets a folder named after what it computes: its function, its settings and its resolved inputs. A calculation
whose output is there is not run again, an edited study runs only what the edit touches, and a job that was killed finds
its checkpoint in the folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobflow import Flow, Job, JobStore
from jobflow.core.reference import find_and_get_references
from maggma.stores import MemoryStore
from monty.json import MontyEncoder

from barriers.documents import SCHEMA_VERSION

OUTPUT = "output.json"

NO_PART_OF_IDENTITY = {"@version", "cost", "device", "max_steps", "packages", "running", "wall_time", "workers"}
"""Keys of settings and documents that say how a number was obtained, not which number it is."""


@dataclass(frozen=True)
class JobEvent:
    """What happened to a job: sent to whoever watches a run."""

    state: Literal["started", "done", "reused", "unconverged", "failed", "skipped"]
    name: str
    number: int
    total: int
    folder: Path | None = None
    seconds: float = 0.0
    message: str = ""
    force_calls: int = 0


@dataclass
class LocalRun:
    """Outcome of :func:`run`.

    Attributes
    ----------
    output : Any
        The flow's output (a document), or None if a job it depends on failed.
    failures : dict[str, str]
        Name of each failed or skipped job, and why.
    force_calls : int
        Energy and force evaluations of this run; 0 when everything was there.
    """

    output: Any
    failures: dict[str, str]
    force_calls: int


def run(flow: Flow, folder: Path | str, on_event: Callable[[JobEvent], None] | None = None) -> LocalRun:
    """Run a flow's jobs one after the other, skipping what the folder already holds.

    Parameters
    ----------
    flow : Flow
        Jobs that return documents; jobs that replace or add jobs are not supported.
    folder : Path or str
        Results folder; made if it is not there. Jobs go to its ``jobs`` folder.
    on_event : callable
        Called when a job starts and when it ends.

    Returns
    -------
    LocalRun
        The output and the failures. A failed job stops only the jobs that depend on it.
    """
    store = JobStore(MemoryStore())
    store.connect()
    watch = on_event or (lambda _event: None)
    jobs = list(flow.iterflow())
    failed: dict[str, str] = {}
    failures: dict[str, str] = {}
    force_calls = 0
    for number, (job, parents) in enumerate(jobs, 1):
        if broken := [parent for parent in parents if parent in failed]:
            event = JobEvent("skipped", job.name, number, len(jobs), message=f"needs {failed[broken[0]]!r}")
        else:
            event = _run_job(job, store, Path(folder).resolve() / "jobs", number, len(jobs), watch)
        if event.state in {"failed", "skipped"}:
            failed[job.uuid] = job.name
            failures[job.name] = event.message
        force_calls += event.force_calls
        watch(event)
    wanted = flow.output
    missing = wanted is None or any(reference.uuid in failed for reference in find_and_get_references(wanted))
    return LocalRun(None if missing else wanted.resolve(store), failures, force_calls)


def job_key(job: Job, store: JobStore) -> str:
    """Digest of what a job computes: function, maker settings and resolved inputs."""
    resolved = job.resolve_args(store, inplace=False)
    content = {
        "schema": SCHEMA_VERSION,
        "function": f"{job.function.__module__}.{getattr(job.function, '__qualname__', '')}",
        "maker": {**(job.maker.as_dict() if job.maker else {}), "name": None},
        "args": resolved.function_args,
        "kwargs": resolved.function_kwargs,
    }
    plain = json.loads(json.dumps(content, cls=MontyEncoder))
    return hashlib.sha256(json.dumps(_identity(plain), sort_keys=True).encode()).hexdigest()[:12]


def _run_job(
    job: Job, store: JobStore, folder: Path, number: int, total: int, watch: Callable[[JobEvent], None]
) -> JobEvent:
    key = job_key(job, store)
    job_folder = folder / f"{_slug(job.name)}-{key}"
    if (record := _finished(job_folder)) is not None:
        store.update([record | {"uuid": job.uuid, "index": job.index}], key=["uuid", "index"])
        return JobEvent("reused", job.name, number, total, job_folder)
    job_folder.mkdir(parents=True, exist_ok=True)
    watch(JobEvent("started", job.name, number, total, job_folder))
    started = time.monotonic()
    try:
        with contextlib.chdir(job_folder):
            response = job.run(store)
        if response.replace or response.detour or response.addition:
            raise NotImplementedError("the local runner takes no jobs that add or replace jobs")
    except Exception as error:
        (job_folder / "error.txt").write_text(traceback.format_exc(), "utf-8")
        message = f"{type(error).__name__}: {error}"
        return JobEvent("failed", job.name, number, total, job_folder, time.monotonic() - started, message)
    record = store.query_one({"uuid": job.uuid, "index": job.index}, load=True)
    record.pop("_id", None)
    partial = job_folder / f"{OUTPUT}.partial"
    partial.write_text(json.dumps(record, cls=MontyEncoder), "utf-8")
    partial.replace(job_folder / OUTPUT)
    state: Literal["unconverged", "done"] = "unconverged" if _unconverged(record) else "done"
    reason = (record["output"].get("reason") or "") if isinstance(record["output"], dict) else ""
    seconds, calls = time.monotonic() - started, _new_force_calls(record)
    return JobEvent(state, job.name, number, total, job_folder, seconds, reason, calls)


def _finished(job_folder: Path) -> dict[str, Any] | None:
    """Read the output of a calculation that need not run again.

    An unconverged one runs on from its checkpoint. Jobs without an engine are cheap and always run, so that their
    results are those of the code as it is now.
    """
    path = job_folder / OUTPUT
    if not path.exists():
        return None
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return record if _is_calculation(record) and not _unconverged(record) else None


def _unconverged(record: dict[str, Any]) -> bool:
    output = record["output"]
    return isinstance(output, dict) and output.get("converged") is False and not output.get("merged_into")


def _new_force_calls(record: dict[str, Any]) -> int:
    """Count what an engine's job evaluated in this run; documents made from others' results evaluate nothing."""
    cost = record["output"]["cost"] if _is_calculation(record) else {"force_calls": 0, "earlier_force_calls": 0}
    return int(cost["force_calls"]) - int(cost["earlier_force_calls"])


def _is_calculation(record: dict[str, Any]) -> bool:
    return isinstance(record["output"], dict) and {"engine", "cost"} <= record["output"].keys()


def _identity(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _identity(item) for key, item in value.items() if key not in NO_PART_OF_IDENTITY}
    return [_identity(item) for item in value] if isinstance(value, list) else value


def _slug(name: str) -> str:
    return re.sub(r"[^\w.+@-]+", "-", name).strip("-")
