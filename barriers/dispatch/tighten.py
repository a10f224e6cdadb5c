"""A calculation with a smaller tolerance goes on from a stored one that had a larger one, instead of from scratch.

The stored result becomes an input, so the key of the new one says what it was computed from. Its metadata say which
calculation from scratch it stands for, so that it is found again whatever is stored later.
"""

from __future__ import annotations

from typing import Any

from jobflow import Job, JobStore
from monty.json import MontyDecoder

from barriers.contents import digest

BEFORE = "before"
"""Input of makers that can go on from a result of their own."""

STANDS_FOR = "tightens"
"""In the metadata: key of the calculation from scratch."""

ALIKE = "alike"
"""In the metadata: :func:`alike`. Stores have an index of it, so that no look-up grows with all that is stored."""

LOOSER = ("fmax", "rough_fmax")
"""Tolerances that may be other than those of the result to go on from."""

FOLLOWED = ("initial", "final", "guide", "known", BEFORE)
"""Inputs that may be other: endpoints that are tighter themselves, which the maker looks at, and other bands."""


def alike(job: Job, content: dict[str, Any]) -> str | None:
    """Give what calculations have in common of which one can go on from another; None for a job that never can."""
    if not hasattr(job.maker, "goes_on_from") or "fmax" not in content.get("tolerances", {}):
        return None
    tolerances = {name: value for name, value in content["tolerances"].items() if name not in LOOSER}
    inputs = {name: value for name, value in content["inputs"].items() if name not in FOLLOWED}
    return digest([job.name, {**content, "tolerances": tolerances, "inputs": inputs}])


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
    common = alike(job, content)
    if common is None or job.function_kwargs.get(BEFORE) is not None:
        return None
    fmax = content["tolerances"]["fmax"]
    records = store.query({f"metadata.{ALIKE}": common}, properties=["uuid", "index", "metadata"])
    looser = [each for each in records if _fmax(each) > fmax]
    for each in sorted(looser, key=lambda each: (_fmax(each), each["metadata"]["key"])):
        (record,) = store.query({"uuid": each["uuid"], "index": each["index"]}, load=True)
        before = MontyDecoder().process_decoded(record["output"])
        if before.converged and job.maker.goes_on_from(before, *job.function_args):
            return before
    return None


def _fmax(record: dict[str, Any]) -> float:
    return float(record["metadata"]["computed_from"]["tolerances"]["fmax"])
