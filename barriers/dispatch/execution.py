"""Running one job in a folder of its own, or taking its result from the store: the same under every dispatcher."""

from __future__ import annotations

import contextlib
import json
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobflow import Job, JobStore

from barriers.dispatch.identity import contents, key_of
from barriers.dispatch.tighten import ALIKE, BEFORE, STANDS_FOR, alike, to_go_on_from
from barriers.documents import BarrierDoc
from barriers.secrecy import hide, told

CONTENTS_FILE, ERROR_FILE = "computed_from.json", "error.txt"

ORIGIN = ("key", "computed_from", STANDS_FOR, ALIKE)
"""What the metadata of a result say of where it is from."""

State = Literal["done", "reused", "unconverged", "failed"]


@dataclass(frozen=True)
class Executed:
    """What became of a job.

    Attributes
    ----------
    state : str
        ``done``, ``reused`` (its result was there), ``unconverged`` (the next run continues) or ``failed``.
    folder : Path
        Where it ran, or would have.
    seconds : float
        Time it took now.
    message : str
        Why it failed or is not converged.
    force_calls : int
        Evaluations of this run.
    barrier : float or None
        The forward barrier (eV) of a job that gives one.
    """

    state: State
    folder: Path
    seconds: float = 0.0
    message: str = ""
    force_calls: int = 0
    barrier: float | None = None


def execute(
    job: Job, store: JobStore, root: Path, scope: str = "", on_start: Callable[[Path], None] | None = None
) -> Executed:
    """Run a job, unless a converged result of the same calculation is stored; go on from one with a larger tolerance.

    Jobs without an engine are cheap and always run, so that their results are those of the code as it is now. A
    calculation that has not converged runs on from its checkpoint.

    Parameters
    ----------
    job : Job
        Its inputs are taken from the store.
    store : JobStore
        Connected. The result goes there.
    root : Path
        The job's folder lies in its ``jobs``, named after job and key, so that a later run finds its checkpoint.
    scope : str
        Whose results are shared, as for :func:`~barriers.dispatch.identity.contents`.
    on_start : callable
        Called with the job's folder before the job runs; not called for a result that is there.

    Returns
    -------
    Executed
        Also for a job that raises: its traceback is in ``error.txt`` in its folder then.
    """
    started = time.monotonic()
    resolved = with_inputs(job, store)
    content = contents(resolved, scope)
    key = key_of(content)
    resolved.metadata |= {"key": key, "computed_from": content, ALIKE: alike(resolved, content)}
    folder = root.resolve() / "jobs" / f"{slug(job.name)}-{key}"
    if job.maker is not None:
        if (record := stored_calculation(store, resolved, content)) is not None:
            if record["uuid"] != job.uuid:
                _store_again(record, resolved, store)
            return Executed("reused", folder, time.monotonic() - started)
        if (before := to_go_on_from(resolved, content, store)) is not None:
            resolved.function_kwargs[BEFORE] = before
            content = contents(resolved, scope)
            resolved.metadata |= {"key": key_of(content), "computed_from": content, STANDS_FOR: key}
            folder = root.resolve() / "jobs" / f"{slug(job.name)}-{key_of(content)}"
    folder.mkdir(parents=True, exist_ok=True)
    _note_contents(folder, resolved)
    if on_start is not None:
        on_start(folder)
    try:
        with contextlib.chdir(folder):
            response = resolved.run(store)
        if response.replace or response.detour or response.addition:
            raise NotImplementedError("jobs that add or replace jobs are not supported")
        if job.maker is not None:
            _check_unchanged(resolved, scope, store)
    except Exception as error:
        with contextlib.suppress(OSError):  # a full disk; the message says so
            (folder / ERROR_FILE).write_text(hide(traceback.format_exc()), "utf-8")
        words = told(error)
        return Executed("failed", folder, time.monotonic() - started, words)
    output, seconds = response.output, time.monotonic() - started
    calls = new_force_calls(output) if job.maker is not None else 0
    if unconverged(output):
        return Executed("unconverged", folder, seconds, getattr(output, "reason", "") or "", calls)
    barrier = output.forward if isinstance(output, BarrierDoc) else None
    return Executed("done", folder, seconds, force_calls=calls, barrier=barrier)


def with_inputs(job: Job, store: JobStore) -> Job:
    """Copy a job with its inputs from a store; the flow's own job stays small."""
    resolved = job.resolve_args(store, inplace=False)
    resolved.config.resolve_references = False
    return resolved


def stored_calculation(store: JobStore, job: Job, content: dict[str, Any]) -> dict[str, Any] | None:
    """Find the converged result of a calculation, or the one that went on from a larger tolerance in its place."""
    key, common = key_of(content), alike(job, content)
    places = [{"metadata.key": key}]
    places += [{f"metadata.{ALIKE}": common, f"metadata.{STANDS_FOR}": key}] if common else []
    found = (record for place in places for record in store.query(place, load=True))
    return next((dict(record) for record in found if not unconverged(record["output"])), None)


def unconverged(output: Any) -> bool:
    """Whether a document, or a stored one, is of a calculation that did not converge; a merged band is done."""

    def get(name: str) -> Any:
        return output.get(name) if isinstance(output, dict) else getattr(output, name, None)

    return get("converged") is False and not get("merged_into")


def new_force_calls(output: Any) -> int:
    """Evaluations that a calculation made in its last run."""
    cost = getattr(output, "cost", None)
    return cost.force_calls - cost.earlier_force_calls if cost is not None else 0


def slug(name: str) -> str:
    """Name of a job as part of a folder's name."""
    return re.sub(r"[^\w.+@-]+", "-", name).strip("-")


def _note_contents(folder: Path, job: Job) -> None:
    """Leave what a job is computed from in its folder, where `barriers explain` finds it without a store."""
    about = {name: job.metadata.get(name, "") for name in ("key", "system", "hop", "kind")}
    contents_of_job = {"name": job.name, **about, "contents": job.metadata["computed_from"]}
    (folder / CONTENTS_FILE).write_text(json.dumps(contents_of_job, indent=1), "utf-8")


def _check_unchanged(job: Job, scope: str, store: JobStore) -> None:
    """Throw a result away whose weights, preset or other files were changed while it was computed.

    Raises
    ------
    RuntimeError
        With what is different now.
    """
    before, after = job.metadata["computed_from"], contents(job, scope)
    changed = [name for name in after if name != "inputs" and before.get(name) != after[name]]
    if changed:
        store.remove_docs({"uuid": job.uuid, "index": job.index})
        raise RuntimeError(f"{', '.join(changed)} changed while the job ran; the result is dropped, run again")


def _store_again(record: dict[str, Any], job: Job, store: JobStore) -> None:
    """Give a stored result to another job that computes the same; what it was computed from stays with it."""
    record.pop("_id", None)
    origin = {name: record["metadata"][name] for name in ORIGIN if name in record["metadata"]}
    metadata = job.metadata | origin
    renamed = {"uuid": job.uuid, "index": job.index, "name": job.name, "metadata": metadata, "hosts": job.hosts}
    store.update([record | renamed], key=["uuid", "index"])
