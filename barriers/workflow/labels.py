"""What a job of a study is called, what it says of itself wherever it runs, and what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast, get_args

from jobflow import Flow, Job, OnMissing, OutputReference
from pymatgen.core import Structure

from barriers.documents import BandDoc, RelaxDoc, StaticDoc

Kind = Literal["static", "relax", "neb", "md", "analysis"]

CALCULATIONS: dict[type, Kind] = {
    RelaxDoc: "relax",
    StaticDoc: "static",
    BandDoc: "neb",
}
"""Kind of calculation by the document that an engine's job returns, or a subclass of; a RelaxDoc is a StaticDoc too."""

BARRIER = "barrier"
"""What a job does that gives a barrier of the study; its name ends with it."""

PLACEMENT = "choose placement"

ADSORPTION, ELECTRONS, FREQUENCY, REACTIONS = "adsorption", "electrons", "attempt frequency", "reactions"
BESIDE = (ADSORPTION, ELECTRONS, FREQUENCY, REACTIONS, PLACEMENT)
"""What a job does that gives something else that a study tells of; its name ends with it."""


def label(job: Job, name: str, system: str = "", hop: str = "") -> Job:
    """Name a job, and note in its metadata what it is for.

    The metadata travel with the job to a queue and into the store of results. They are ``kind`` (``static``, ``relax``,
    ``neb`` or ``md`` for an engine's calculations, ``analysis`` for what needs no engine), ``system`` and ``hop``.

    Parameters
    ----------
    job : Job
        Job that a function or an engine's maker gave.
    name : str
        One of its own within the study, to be read in a queue: whom it is for, and what it does.
    system : str
        Name of the system; empty for jobs of the slab and of the whole study.
    hop : str
        Name of the hop; empty for jobs that several hops share.

    Returns
    -------
    Job
        The same job.

    Raises
    ------
    ValueError
        If the maker of an engine from outside gives no job, or one that returns another document.
    """
    kind = _kind(job)
    job.name = name
    job.metadata = {"kind": kind, "system": system, "hop": hop}
    return job


def _kind(job: Job | Flow) -> Kind:
    if isinstance(job, Job) and job.maker is None:
        return "analysis"
    if isinstance(job, Job) and (own := getattr(job.maker, "kind", None)) in get_args(Kind):
        kind: Kind = cast(Kind, own)  # of a maker whose job may give none of these documents
        return kind
    schema = job.output_schema if isinstance(job, Job) else Flow
    for document, kind in CALCULATIONS.items():
        if isinstance(schema, type) and issubclass(schema, document):
            return kind
    whose = type(job.maker).__name__ if isinstance(job, Job) else job.name
    gives = schema.__name__ if isinstance(schema, type) else "nothing that it names"
    allowed = ", ".join(document.__name__ for document in CALCULATIONS)
    raise ValueError(f"engine: {whose} gives {gives}; allowed: a job with output_schema {allowed} or a subclass of it")


def despite_failures(job: Job) -> Job:
    """Let a job run also where jobs it needs have failed: it gets None in the place of what they would have given."""
    job.config.on_missing_references = OnMissing.NONE
    return job


def jobs_of(flow: Flow) -> Iterator[Job]:
    """Give all jobs of a flow in the order in which they were added."""
    for item in flow:
        if isinstance(item, Flow):
            yield from jobs_of(item)
        else:
            yield item


def most_atoms(flow: Flow) -> int:
    """Atoms of the largest structure that a flow starts from; 0 if it starts from none."""
    given = (value for job in jobs_of(flow) for value in (*job.function_args, *job.function_kwargs.values()))
    return max((len(value) for value in given if isinstance(value, Structure)), default=0)


def notes_of(flow: Flow) -> list[str]:
    """Give what a study's results will say of its slab or its structures, before anything has run."""
    return [line for job in jobs_of(flow) for line in job.function_kwargs.get("notes") or []]


def tagged(flow: Flow, tag: str) -> Flow:
    """Put the tag of an ensemble's member before the names of jobs that no hop tells from those of other members."""
    for job in jobs_of(flow) if tag else ():
        if not job.metadata["hop"]:
            job.name = f"{tag} {job.name}"
    return flow


def barrier_outputs(flow: Flow) -> dict[tuple[str, str], OutputReference]:
    """Find the barriers that a flow gives.

    Parameters
    ----------
    flow : Flow
        A study's flow or one of its parts.

    Returns
    -------
    dict[tuple[str, str], OutputReference]
        References to the documents, by system and hop. The hop is empty in a study of two structures.
    """
    return {
        (job.metadata["system"], job.metadata["hop"]): job.output
        for job in jobs_of(flow)
        if job.name.endswith(f": {BARRIER}")
    }


def beside_outputs(flow: Flow) -> dict[str, OutputReference]:
    """Find what a flow gives beside barriers: references to the documents, by the names of their jobs."""
    return {job.name: job.output for job in jobs_of(flow) if job.name.rpartition(": ")[2] in BESIDE}
