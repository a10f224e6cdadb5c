"""Who is who: which jobs are the same job, and which calculations the same calculation.

A job is known by its uuid before anything has run, a calculation by its key once its inputs are there. Equal uuids let
a study that is sent off twice find its own jobs; equal keys let an edited study reuse what the edit does not touch.
Both are digests of contents: what function of physics, with which settings, files and structures.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from jobflow import Flow, Job, Maker, OutputReference
from pymatgen.core import IStructure

from barriers.contents import canonical, digest
from barriers.documents import SCHEMA_VERSION


def contents(job: Job, scope: str = "") -> dict[str, Any]:
    """Say what a job is computed from, in the form that its key is a digest of.

    Parameters
    ----------
    job : Job
        With its inputs resolved, or with references in their place.
    scope : str
        Whose results are shared: owner and study, where several of them share a store.

    Returns
    -------
    dict[str, Any]
        Plain JSON: ``computes``, what its maker says of settings and files, ``inputs`` by the name of the parameter,
        those at their defaults left out, ``schema`` and ``scope``.
    """
    inputs = _inputs(job)
    by = _computes(job.function) if job.maker is None else _of_maker(job.maker, _elements(inputs))
    content: dict[str, Any] = canonical(by)
    return {**content, "inputs": canonical(inputs), "schema": SCHEMA_VERSION, "scope": scope}


def key_of(content: dict[str, Any]) -> str:
    """Key of a calculation by its :func:`contents`."""
    return digest(content)[:12]


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
        uuid = digest(contents(job, scope) | {"name": job.name})[:32]
        lasting[job.uuid] = uuid
        job.set_uuid(uuid)
    for part in _flows(flow):
        _rename(part.output, lasting)
    return flow


def _of_maker(maker: Maker, elements: list[str] | None) -> dict[str, Any]:
    """Let a maker say what it computes; of one that does not, everything but its name counts."""
    if (identity := getattr(maker, "identity", None)) is not None:
        said: dict[str, Any] = identity(elements)
        return said
    settings = canonical(maker)
    settings.pop("name", None)
    return {"computes": settings.pop("@class"), "settings": settings}


def _computes(function: Callable[..., Any]) -> dict[str, Any]:
    """Name a function: this package's own without their module, which may move."""
    name = getattr(function, "__qualname__", repr(function))
    own = function.__module__.partition(".")[0] == __name__.partition(".")[0]
    return {"computes": name if own else f"{function.__module__}.{name}"}


def _inputs(job: Job) -> dict[str, Any]:
    """Inputs by the name of the parameter, without those that are at their defaults."""
    try:
        signature = inspect.signature(job.function)
        given = signature.bind(*job.function_args, **job.function_kwargs).arguments
    except (TypeError, ValueError):  # a built-in function, or arguments that do not fit: the job will say so
        return {**dict(enumerate(job.function_args)), **job.function_kwargs}
    defaults = {name: signature.parameters[name].default for name in given}
    return {
        name: value
        for name, value in given.items()
        if defaults[name] is inspect.Parameter.empty or canonical(value) != canonical(defaults[name])
    }


def _elements(inputs: dict[str, Any]) -> list[str] | None:
    """Elements of the structures among inputs; None where none is there yet."""
    found = [getattr(value, "structure", value) for value in inputs.values() if not isinstance(value, OutputReference)]
    structures = [value for value in found if isinstance(value, IStructure)]
    return sorted({site.specie.symbol for each in structures for site in each}) if structures else None


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
