"""A calculation with a smaller tolerance goes on from a stored one that had a larger one, instead of from scratch.

The stored result becomes an input, so the key of the new one says what it was computed from. Its metadata say which
calculation from scratch it stands for, so that it is found again whatever is stored later.
"""

from __future__ import annotations

from typing import Any

from jobflow import Job, JobStore
from monty.json import MontyDecoder

from barriers.contents import canonical

BEFORE = "before"
"""Input of makers that can go on from a result of their own."""

STANDS_FOR = "tightens"
"""In the metadata: key of the calculation from scratch."""

LOOSER = ("fmax", "rough_fmax")
"""Tolerances that may be other than those of the result to go on from."""

FOLLOWED = ("initial", "final", "guide", "known", BEFORE)
"""Inputs that may be other: endpoints that are tighter themselves, which the maker looks at, and other bands."""


def in_its_place(name: str, key: str, store: JobStore) -> dict[str, Any] | None:
    """Find the converged result that stands for a calculation from scratch, by the name and key of that."""
    for record in store.query({"name": name, f"metadata.{STANDS_FOR}": key}, load=True):
        if record["output"]["converged"]:
            return dict(record)
    return None


def to_go_on_from(job: Job, content: dict[str, Any], store: JobStore) -> Any:
    """Find the result that a job can go on from.

    Parameters
    ----------
    job : Job
        Its inputs resolved.
    content : dict[str, Any]
        What it is computed from, by :func:`~barriers.dispatch.identity.contents`.
    store : JobStore
        Connected.

    Returns
    -------
    RelaxDoc, BandDoc or None
        The converged one of a job of this name, with the same settings and start, that has the smallest larger
        ``fmax`` and fits; None where there is none, or the maker cannot go on.
    """
    fits = getattr(job.maker, "goes_on_from", None)
    if fits is None or job.function_kwargs.get(BEFORE) is not None:
        return None
    records = store.query({"name": job.name}, properties=["uuid", "index", "metadata"])
    looser = [each for each in records if _is_looser(each["metadata"].get("computed_from"), content)]
    for each in sorted(looser, key=lambda each: (_fmax(each["metadata"]["computed_from"]), each["metadata"]["key"])):
        (record,) = store.query({"uuid": each["uuid"], "index": each["index"]}, load=True)
        before = MontyDecoder().process_decoded(record["output"])
        if before.converged and fits(before, *job.function_args):
            return before
    return None


def _fmax(content: dict[str, Any]) -> float:
    return float(content["tolerances"]["fmax"])


def _is_looser(other: dict[str, Any] | None, content: dict[str, Any]) -> bool:
    """Whether contents are the same but for a larger tolerance and what follows from it."""
    if other is None or "fmax" not in other.get("tolerances", {}):
        return False
    return _fmax(other) > _fmax(content) and _core(other) == _core(content)


def _core(content: dict[str, Any]) -> Any:
    tolerances = {name: value for name, value in content["tolerances"].items() if name not in LOOSER}
    inputs = {name: value for name, value in content["inputs"].items() if name not in FOLLOWED}
    return canonical({**content, "tolerances": tolerances, "inputs": inputs})
