"""What stands on the LaunchPad for a job: the job itself as text, whose it is, and what it asks for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from jobflow import Job, OnMissing
from monty.json import MontyEncoder

from barriers.dispatch.fireworks.resources import Resources
from barriers.structures.path.start import Start
from barriers.study.file import naming_lines
from barriers.workflow.labels import Kind

OURS = ("barriers", "_tasks")
"""Keys of a Firework's spec that a job cannot set."""


def spec_of(job: Job, parents: set[str], scope: str, study: str, resources: Resources) -> tuple[dict[str, Any], str]:
    """Say what a job needs and whose it is, and write it as text, with the command line of a DFT code in it.

    Parameters
    ----------
    job : Job
        ``config.manager_config`` comes before what its kind gets, as in jobflow's own way to FireWorks.
    parents : set of str
        Uuids of the jobs that it takes outputs from.
    scope, study : str
        Owner and study, and the study's name.
    resources : Resources
        What each kind of job gets.

    Returns
    -------
    dict, str
        The Firework's spec, and the job as JSON.

    Raises
    ------
    ValueError
        If ``manager_config`` asks for what the job script has no place for.
    """
    start = next((item for item in job.function_args if isinstance(item, Start)), None)
    kind: Kind = job.metadata.get("kind") or ("analysis" if job.maker is None else "relax")
    needs = resources.for_job(kind, start.n_images if start else None)
    if needs.command is not None and hasattr(job.maker, "running"):
        job.maker.running = replace(job.maker.running, command=needs.command)
    about = {
        "scope": scope,
        "study": study,
        "owner": resources.owner,
        "uuid": job.uuid,
        "parents": sorted(parents),
        "name": job.name,
        "kind": kind,
        "system": job.metadata.get("system", ""),
        "hop": job.metadata.get("hop", ""),
        "folder": f"{resources.folder}/{study}",
        "cores": needs.cores,
        "heartbeat": resources.heartbeat,
    }
    spec = {"_category": needs.category, "_priority": needs.priority, "_add_launchpad_and_fw_id": True}
    if job.config.on_missing_references != OnMissing.ERROR:
        spec["_allow_fizzled_parents"] = True
    if hasattr(job.maker, "ends_at_once"):
        about["may_end_at_once"] = True
    own = job.config.manager_config
    with naming_lines(f"{job.name}: config.manager_config"):
        if taken := [key for key in OURS if key in own]:
            raise ValueError(f"{taken[0]}: is not a job's to set; allowed: FireWorks' own keys, such as _priority")
        asked = resources.checked(own.get("_queueadapter", {}))
    named = {"job_name": resources.job_name(study, job.name)}
    spec |= {**own, "_queueadapter": {**named, **needs.queueadapter, **asked}}
    text = json.dumps({**job.as_dict(), "hosts": []}, cls=MontyEncoder)  # jobflow numbers hosts anew each time
    content = hashlib.sha256(json.dumps([spec, about, text], sort_keys=True).encode()).hexdigest()[:16]
    return {**spec, "barriers": {**about, "content": content}}, text
