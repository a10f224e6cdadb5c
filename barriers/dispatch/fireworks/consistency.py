"""Mending workflows that a launcher left halfway when it was killed: locked, or with states that disagree.

FireWorks changes a job in several writes, to the job, its launch and its workflow. What looks halfway may be under way,
so it is mended only if it is just the same some seconds later.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from barriers.dispatch.fireworks.workflow import changing

if TYPE_CHECKING:
    from fireworks import LaunchPad

PATIENCE = 10.0
"""Seconds until the second look."""

ENDED = ("COMPLETED", "FIZZLED")

Halfway = dict[Any, tuple[str, Any]]
"""By workflow: what is the matter, and a mark that changes with the workflow."""


def mend_halfway(launchpad: LaunchPad, scope: str) -> list[tuple[str, str]]:
    """Mend the workflows of a study that were left halfway.

    Returns
    -------
    list of (str, str)
        The name of each, and what was the matter.
    """
    first = halfway(launchpad, scope)
    if not first:
        return []
    time.sleep(PATIENCE)
    stuck = {key: found for key, found in halfway(launchpad, scope).items() if first.get(key) == found}
    return [(mend(launchpad, key), what) for key, (what, _) in stuck.items()]


def halfway(launchpad: LaunchPad, scope: str) -> Halfway:
    """Find the workflows of a study that are locked or disagree with their jobs."""
    which = {"spec.barriers.scope": scope}
    jobs = {each["fw_id"]: each for each in launchpad.fireworks.find(which, {"fw_id": 1, "state": 1, "launches": 1})}
    under_way = [each["launches"][-1] for each in jobs.values() if each["launches"] and each["state"] not in ENDED]
    launches = launchpad.launches.find({"launch_id": {"$in": under_way}}, {"launch_id": 1, "state": 1})
    launched = {each["launch_id"]: each["state"] for each in launches}
    fields = {"nodes": 1, "fw_states": 1, "locked": 1, "updated_on": 1}
    found: Halfway = {}
    for workflow in launchpad.workflows.find({"metadata.scope": scope}, fields):
        if not all(fw_id in jobs for fw_id in workflow["nodes"]):
            continue  # being added
        inside = [jobs[fw_id] for fw_id in workflow["nodes"]]
        wrong = [
            (job["fw_id"], job["state"])
            for job in inside
            if workflow["fw_states"][str(job["fw_id"])] != job["state"] or _disagrees(job, launched)
        ]
        if wrong or workflow.get("locked"):
            what = "locked" if workflow.get("locked") else "states that disagree"
            found[workflow["_id"]] = what, (workflow.get("updated_on"), wrong)
    return found


def _disagrees(job: dict[str, Any], launched: dict[int, str]) -> bool:
    """Whether FireWorks wrote what became of a launch, but not to its job."""
    if job["state"] not in ("RUNNING", "RESERVED") or not job["launches"]:
        return False
    return launched.get(job["launches"][-1], job["state"]) != job["state"]


def mend(launchpad: LaunchPad, workflow_id: Any) -> str:
    """Unlock a workflow and bring its states in line, its jobs in the order in which they wait for one another.

    Returns
    -------
    str
        The workflow's name.
    """
    workflow = launchpad.workflows.find_one_and_update({"_id": workflow_id}, {"$unset": {"locked": ""}})
    fw_ids = sorted(workflow["nodes"])  # a study's jobs are numbered in that order
    with changing(launchpad, fw_ids[0]) as (whole, changed):
        for fw_id in fw_ids:
            before = whole.fw_states[fw_id]
            changed.update(whole.refresh(fw_id))
            if whole.fw_states[fw_id] != before:  # which refreshing a paused or withdrawn job does not tell
                changed.add(fw_id)
    return str(workflow["name"])
