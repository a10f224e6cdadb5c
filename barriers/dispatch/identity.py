"""Who is who: which jobs are the same job, and which calculations the same calculation.

A job is known by its uuid before anything has run, a calculation by its key once its inputs are there. Equal uuids let
a study that is sent off twice find its own jobs; equal keys let an edited study reuse what the edit does not touch.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jobflow import Flow, Job, OutputReference
from monty.json import MontyEncoder

from barriers.documents import SCHEMA_VERSION

NO_PART_OF_IDENTITY = {"@version", "cost", "device", "max_steps", "packages", "running", "wall_time", "workers"}
"""Keys of settings and documents that say how a number was obtained, not which number it is."""


def job_key(job: Job, scope: str = "") -> str:
    """Digest of what a job with resolved inputs computes: function, maker settings and inputs.

    Parameters
    ----------
    job : Job
        With its inputs resolved.
    scope : str
        Whose results are shared: owner and study, where several of them share a store.
    """
    return _digest(_content(job) | {"scope": scope})[:12]


def identify(flow: Flow, scope: str) -> Flow:
    """Give each job of a flow a uuid that says what it computes, so that the same study gives the same uuids.

    Parameters
    ----------
    flow : Flow
        Changed in place. Jobs that it takes outputs from, but does not hold, have their lasting uuids already.
    scope : str
        Owner and study: the same work of two owners is two jobs.
    """
    lasting: dict[str, str] = {}
    for job, _ in flow.iterflow():
        _rename([job.function_args, job.function_kwargs], lasting)
        uuid = _digest(_content(job) | {"scope": scope, "name": job.name})[:32]
        lasting[job.uuid] = uuid
        job.set_uuid(uuid)
    for part in _flows(flow):
        _rename(part.output, lasting)
    return flow


def _content(job: Job) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "function": f"{job.function.__module__}.{getattr(job.function, '__qualname__', '')}",
        "maker": {**(job.maker.as_dict() if job.maker else {}), "name": None},
        "args": job.function_args,
        "kwargs": job.function_kwargs,
    }


def _digest(content: dict[str, Any]) -> str:
    plain = json.loads(json.dumps(content, cls=MontyEncoder))
    return hashlib.sha256(json.dumps(_identity(plain), sort_keys=True).encode()).hexdigest()


def _identity(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _identity(item) for key, item in value.items() if key not in NO_PART_OF_IDENTITY}
    return [_identity(item) for item in value] if isinstance(value, list) else value


def _rename(value: Any, lasting: dict[str, str]) -> None:
    """Point references at the lasting uuids, those made from another reference's attributes included."""
    if isinstance(value, OutputReference):
        value.set_uuid(lasting.get(value.uuid, value.uuid))
    elif isinstance(value, dict):
        _rename(list(value.values()), lasting)
    elif isinstance(value, list | tuple):
        for item in value:
            _rename(item, lasting)


def _flows(flow: Flow) -> list[Flow]:
    return [flow, *(inner for part in flow.jobs if isinstance(part, Flow) for inner in _flows(part))]
