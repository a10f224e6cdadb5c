"""Jobs that wait for jobs of other workflows.

A study of thousands of hops is many workflows, because FireWorks reads and writes a whole workflow whenever one of its
jobs changes. A job whose parent is in another workflow is added paused, with a gate that names its parents; a job that
ends opens the gates that wait for it.
"""

from __future__ import annotations

import itertools
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


def check(launchpad: LaunchPad, scope: str, store: JobStore) -> int:
    """Open every gate of a study whose jobs have ended unnoticed, as in a database that was away for a moment."""
    waited = gates(launchpad).distinct("waits_for", {"scope": scope})
    again = runs(launchpad).distinct("_id", {"_id": {"$in": waited}, "state": {"$in": list(PUT_BACK)}})
    which = {"spec.barriers.uuid": {"$in": waited, "$nin": again}, "state": "COMPLETED"}
    completed = launchpad.fireworks.distinct("spec.barriers.uuid", which)
    ended = store.distinct("uuid", {"uuid": {"$in": completed}})
    gates(launchpad).update_many({"scope": scope}, {"$pull": {"waits_for": {"$in": ended}}})
    return _open(launchpad, {"scope": scope})


def readmit(launchpad: LaunchPad, fw_id: int) -> None:
    """Let a withdrawn Firework take part again, behind its gate where that is still closed."""
    if gates(launchpad).find_one({"_id": fw_id}) is None:
        launchpad.reignite_fw(fw_id)
    else:
        launchpad.fireworks.update_one({"fw_id": fw_id, "state": "DEFUSED"}, {"$set": {"state": "PAUSED"}})
        launchpad._refresh_wf(fw_id)


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
