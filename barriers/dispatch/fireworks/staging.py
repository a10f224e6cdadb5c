"""What a submit adds, held back until all of it is there: it is released in one go, or nothing of it stays.

FireWorks adds a workflow in several writes, and a study is many workflows. Whatever ends a submit on the way, the next
one finds a note of it in ``barriers_staged``: it finishes what was to be released already, and takes back everything
else. Of what is held back nothing can have begun, as none of it is READY and none has a gate that might open.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
from fireworks import Workflow
from pymongo.errors import DuplicateKeyError

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.collections import staged, time_there, utc
from barriers.dispatch.fireworks.consistency import mend_halfway
from barriers.dispatch.fireworks.heartbeat import is_there

if TYPE_CHECKING:
    from fireworks import LaunchPad
    from jobflow import JobStore

NOT_BEGUN = ("WAITING", "READY", "PAUSED", "FIZZLED", "DEFUSED")
"""States in which a Firework may still be changed."""

PATIENCE = 600.0
"""A submit on another machine is taken for dead if it has added nothing for so long (s)."""


@contextmanager
def staging(launchpad: LaunchPad, store: JobStore, scope: str) -> Iterator[Stage]:
    """Hold back what is added to a study, until :meth:`Stage.release`; without that none of it stays.

    Raises
    ------
    ValueError
        If another submit of the study is under way.
    """
    process = psutil.Process()
    who = {"_id": scope, "host": platform.node(), "pid": process.pid, "process_started": process.create_time()}
    stage = Stage(launchpad, store, scope, who)
    stage.open()
    try:
        yield stage
    finally:
        stage.close()


@dataclass(frozen=True)
class Stage:
    """The notes of one submit: a head, whose id is the scope, and one for each workflow and each job to change.

    Attributes
    ----------
    launchpad : LaunchPad
        The database.
    store : JobStore
        Where results go.
    scope : str
        Owner and study.
    who : dict
        The head, by which this submit is known.
    """

    launchpad: LaunchPad
    store: JobStore
    scope: str
    who: dict[str, Any]

    def open(self) -> None:
        """Begin, and settle what a submit that was killed has left: of several that want to, one does."""
        now = time_there(self.launchpad)
        left = staged(self.launchpad).find_one({"_id": self.scope})
        if left is not None:
            dead = {key: left[key] for key in self.who}
            where = f"process {left['pid']} on {left['host']}"
            if self._alive(left) or not staged(self.launchpad).update_one(dead, {"$set": self.who}).matched_count:
                raise ValueError(f"{self.scope}: {where} is submitting it; wait for it to end, or stop it")
            mend_halfway(self.launchpad, self.scope)
            self._settle()
            staged(self.launchpad).update_one(self.who, {"$unset": {"released": ""}, "$set": {"at": now}})
            return
        try:
            staged(self.launchpad).insert_one({**self.who, "at": now})
        except DuplicateKeyError:
            raise ValueError(f"{self.scope}: another process is submitting it; wait for it to end") from None

    def hold(self, workflow: Workflow | None, waiting: dict[int, list[str]], changes: list[dict[str, Any]]) -> None:
        """Add a workflow whose jobs cannot start yet, and note what is to be changed of jobs that are there.

        Parameters
        ----------
        workflow : Workflow or None
            With its final numbers.
        waiting : dict
            Uuids of jobs of other workflows that a Firework waits for.
        changes : list of dict
            ``fw_id``, and ``spec`` and ``job`` as they are to be.
        """
        notes = [{"scope": self.scope, **change} for change in changes]
        if workflow is not None:
            for fw_id, firework in workflow.id_fw.items():
                firework.state = workflow.fw_states[fw_id] = "PAUSED" if fw_id in waiting else "WAITING"
            closed = [{"fw_id": fw_id, "uuids": uuids} for fw_id, uuids in waiting.items()]
            roots = [fw_id for fw_id in workflow.root_fw_ids if fw_id not in waiting]
            notes.append({"scope": self.scope, "nodes": list(workflow.id_fw), "roots": roots, "waiting": closed})
        if notes:
            staged(self.launchpad).insert_many(notes)
            staged(self.launchpad).update_one(self.who, {"$currentDate": {"at": True}})
        if workflow is not None:
            self.launchpad.workflows.insert_one(workflow.to_db_dict())
            self.launchpad.fireworks.insert_many(firework.to_db_dict() for firework in workflow.fws)

    def release(self, withdrawn: list[int]) -> None:
        """Decide that everything that is held back stays: what a kill leaves undone now, the next submit does.

        Parameters
        ----------
        withdrawn : list of int
            Fireworks that are to be defused.
        """
        if withdrawn:
            staged(self.launchpad).insert_many({"scope": self.scope, "withdrawn": fw_id} for fw_id in withdrawn)
        if not staged(self.launchpad).update_one(self.who, {"$set": {"released": True}}).matched_count:
            raise ValueError(f"{self.scope}: another submit of it took this one for dead; submit it again")

    def close(self) -> None:
        """Finish what was released, or take back what was not."""
        if self._settle():
            staged(self.launchpad).delete_one(self.who)

    def _settle(self) -> bool:
        """Do what of that is not done already; False if another submit has taken over."""
        head = staged(self.launchpad).find_one(self.who)
        if head is None:
            return False
        released = head.get("released")
        for note in staged(self.launchpad).find({"scope": self.scope}).sort("_id"):
            if released:
                self._finish(note)
            elif "nodes" in note:
                self.launchpad.fireworks.delete_many({"fw_id": {"$in": note["nodes"]}})
                self.launchpad.workflows.delete_many({"nodes": {"$in": note["nodes"]}})
            staged(self.launchpad).delete_one({"_id": note["_id"]})
        if released:
            gates.check(self.launchpad, self.scope, self.store)
        return True

    def _finish(self, note: dict[str, Any]) -> None:
        if "nodes" in note:
            self._start(note)
        elif "withdrawn" in note:
            self.launchpad.defuse_fw(note["withdrawn"])
        else:
            self._change(note)

    def _alive(self, head: dict[str, Any]) -> bool:
        if head["host"] == platform.node():
            return head["pid"] != os.getpid() and is_there(head["pid"], head["process_started"])
        return (time_there(self.launchpad) - utc(head["at"])).total_seconds() < PATIENCE

    def _start(self, note: dict[str, Any]) -> None:
        """Close the gates of a workflow, and make its first jobs ready: last of all what a launcher takes them by."""
        waiting = {each["fw_id"]: each["uuids"] for each in note["waiting"]}
        gates.close(self.launchpad, self.scope, waiting, min(note["nodes"]))
        which = {"fw_id": {"$in": note["roots"]}, "state": "WAITING"}
        roots = self.launchpad.fireworks.distinct("fw_id", which)
        if roots:
            states = {f"fw_states.{fw_id}": "READY" for fw_id in roots}
            self.launchpad.workflows.update_one({"nodes": roots[0]}, {"$set": states})
            self.launchpad.fireworks.update_many(which, {"$set": {"state": "READY"}})

    def _change(self, note: dict[str, Any]) -> None:
        """Give a job that has not begun today's settings and resources; one that was withdrawn takes part again."""
        new = {f"spec.{key}": value for key, value in note["spec"].items()} | {"spec._tasks.0.job": note["job"]}
        which = {"fw_id": note["fw_id"], "state": {"$in": NOT_BEGUN}}
        before = self.launchpad.fireworks.find_one_and_update(which, {"$set": new}, {"state": 1})
        if before is not None and before["state"] == "DEFUSED":
            gates.readmit(self.launchpad, note["fw_id"])
