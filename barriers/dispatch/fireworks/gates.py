"""Jobs that wait for jobs of other workflows.

A study of thousands of hops is many workflows, because FireWorks reads and writes a whole workflow whenever one of its
jobs changes. A job whose parent is in another workflow is added paused, with a gate that names its parents; a job that
ends opens the gates that wait for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jobflow import JobStore
from pymongo import UpdateOne

from barriers.dispatch.fireworks.collections import PUT_BACK, gates, runs
from barriers.dispatch.fireworks.workflow import changing

if TYPE_CHECKING:
    from fireworks import LaunchPad


def close(launchpad: LaunchPad, scope: str, waiting: dict[int, list[str]], workflow: int) -> None:
    """Set gates before paused Fireworks, or add to those that are there.

    Parameters
    ----------
    launchpad : LaunchPad
        The database.
    scope : str
        Owner and study.
    waiting : dict
        Uuids of the jobs that each Firework waits for.
    workflow : int
        Lowest number in the workflow that the Fireworks are in: a name may come back when a study is submitted again.
    """
    if waiting:
        whose = {"$setOnInsert": {"scope": scope, "workflow": workflow}}
        gates(launchpad).bulk_write(
            [
                UpdateOne({"_id": fw_id}, {**whose, "$addToSet": {"waits_for": {"$each": uuids}}}, upsert=True)
                for fw_id, uuids in waiting.items()
            ]
        )


def done(launchpad: LaunchPad, uuid: str) -> int:
    """Open what waited for a job and for nothing else; give the number of Fireworks that go on."""
    touched = [gate["_id"] for gate in gates(launchpad).find({"waits_for": uuid}, {"_id": 1})]
    gates(launchpad).update_many({"_id": {"$in": touched}}, {"$pull": {"waits_for": uuid}})
    return _open(launchpad, {"_id": {"$in": touched}})


def failed(launchpad: LaunchPad, uuids: Iterable[str]) -> int:
    """Let jobs go on without what failed and whatever waits for it, if that is how they take what is missing.

    FireWorks itself does so for a job whose own parents have failed, in its own workflow only. A parent that waits for
    a failed job is cut off; should it run after all, it is a gate that the job waits at.

    Returns
    -------
    int
        Fireworks that go on.
    """
    missing = set(uuids)
    blocked, tolerant = _without(launchpad, missing)
    behind = [fw_id for fw_id in tolerant if gates(launchpad).find_one({"_id": fw_id}, {"_id": 1})]
    gone = list(missing | blocked.keys())
    gates(launchpad).update_many({"_id": {"$in": behind}}, {"$pull": {"waits_for": {"$in": gone}}})
    opened = _open(launchpad, {"_id": {"$in": behind}})
    for fw_id in tolerant:
        linked = launchpad.workflows.find_one({"nodes": fw_id}, {f"parent_links.{fw_id}": 1})["parent_links"]
        if cut := set(linked.get(str(fw_id), ())) & set(blocked.values()):
            with changing(launchpad, fw_id) as (workflow, changed):
                for parent in cut:
                    workflow.links[parent].remove(fw_id)
                changed.update({fw_id}, workflow.refresh(fw_id))
            opened += 1
    return opened


def _without(launchpad: LaunchPad, missing: set[str]) -> tuple[dict[str, int], list[int]]:
    """Find what can never run without some results: by uuid; and what waits for any of these and runs without."""
    blocked: dict[str, int] = {}
    tolerant: dict[int, None] = {}
    level = missing
    while level:
        which = {"spec.barriers.parents": {"$in": sorted(level)}, "state": {"$in": ["WAITING", "PAUSED"]}}
        fields = {"fw_id": 1, "spec.barriers.uuid": 1, "spec._allow_fizzled_parents": 1}
        level = set()
        for found in launchpad.fireworks.find(which, fields).sort("fw_id"):
            uuid = found["spec"]["barriers"]["uuid"]
            if found["spec"].get("_allow_fizzled_parents"):
                tolerant[found["fw_id"]] = None
            elif uuid not in blocked:
                blocked[uuid] = found["fw_id"]
                level.add(uuid)
    return blocked, list(tolerant)


def check(launchpad: LaunchPad, scope: str, store: JobStore) -> int:
    """Open every gate of a study whose jobs have ended unnoticed, as in a database that was away for a moment."""
    waited = gates(launchpad).distinct("waits_for", {"scope": scope})
    again = runs(launchpad).distinct("_id", {"_id": {"$in": waited}, "state": {"$in": list(PUT_BACK)}})
    which = {"spec.barriers.uuid": {"$in": waited, "$nin": again}, "state": "COMPLETED"}
    completed = launchpad.fireworks.distinct("spec.barriers.uuid", which)
    ended = store.distinct("uuid", {"uuid": {"$in": completed}})
    gates(launchpad).update_many({"scope": scope}, {"$pull": {"waits_for": {"$in": ended}}})
    opened = _open(launchpad, {"scope": scope})
    which = {"spec.barriers.scope": scope, "state": "FIZZLED"}
    return opened + failed(launchpad, launchpad.fireworks.distinct("spec.barriers.uuid", which))


def readmit(launchpad: LaunchPad, fw_id: int) -> None:
    """Let a withdrawn Firework take part again, behind its gate where that is still closed."""
    if gates(launchpad).find_one({"_id": fw_id}) is None:
        launchpad.reignite_fw(fw_id)
        return
    with changing(launchpad, fw_id) as (workflow, changed):
        workflow.id_fw[fw_id].state = workflow.fw_states[fw_id] = "PAUSED"
        changed.add(fw_id)


def _open(launchpad: LaunchPad, which: dict[str, Any]) -> int:
    """Let Fireworks go on that wait for nothing more, one workflow after the other."""
    found = gates(launchpad).find({**which, "waits_for": {"$size": 0}}).sort("workflow")
    opened = 0
    for _, group in itertools.groupby(found, key=lambda gate: gate["workflow"]):
        fw_ids = [gate["_id"] for gate in group]
        _resume(launchpad, fw_ids)
        gates(launchpad).delete_many({"_id": {"$in": fw_ids}})
        opened += len(fw_ids)
    return opened


def _resume(launchpad: LaunchPad, fw_ids: list[int]) -> None:
    """Resume paused Fireworks of one workflow: ``resume_fw`` would read and write the workflow for each."""
    with changing(launchpad, fw_ids[0]) as (workflow, changed):
        which = {"fw_id": {"$in": fw_ids}, "state": "PAUSED"}
        paused = launchpad.fireworks.distinct("fw_id", which)
        launchpad.fireworks.update_many(which, {"$set": {"state": "WAITING"}})
        for fw_id in paused:
            workflow.fw_states[fw_id] = "WAITING"
            changed.update({fw_id}, workflow.refresh(fw_id))
