"""Adding a study to the LaunchPad: once, in batches, found again by what it computes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fireworks import Firework, LaunchPad, Workflow
from jobflow import Flow, Job, OnMissing
from monty.json import MontyEncoder

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.collections import ensure_indices, scope_of
from barriers.dispatch.fireworks.resources import Resources
from barriers.dispatch.fireworks.task import StudyFiretask
from barriers.dispatch.identity import identify
from barriers.structures.path.start import Start
from barriers.workflow.labels import Kind

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster

NOT_BEGUN = ("WAITING", "READY", "PAUSED", "FIZZLED", "DEFUSED")
"""States in which a Firework may still be changed."""


@dataclass
class Submitted:
    """What became of the jobs of a study.

    Attributes
    ----------
    scope : str
        Owner and study, under which it is found again.
    added : int
        Jobs that are new on the LaunchPad.
    present : dict[str, int]
        Number of jobs that were there already, by FireWorks state.
    changed : int
        Jobs of those, not begun yet, that got new settings or resources.
    withdrawn : int
        Jobs of an earlier version of the study that are not part of it any more, and had not begun.
    workflows : int
        Workflows added.
    """

    scope: str
    added: int = 0
    present: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    withdrawn: int = 0
    workflows: int = 0


def submit(parts: Iterable[Flow], study: str, cluster: Cluster) -> Submitted:
    """Add a study to the LaunchPad; what is there already is left as it is.

    Parameters
    ----------
    parts : iterable of Flow
        The study in parts (:meth:`barriers.StudyMaker.parts`), each of which becomes a workflow; or one flow in a list.
    study : str
        Name of the study; with the owner it tells whose jobs these are.
    cluster : Cluster
        The LaunchPad, and the resources of each kind of job.

    Returns
    -------
    Submitted
        What was added and what was there.
    """
    launchpad = cluster.launchpad()
    ensure_indices(launchpad)
    resources = cluster.resources()
    batches = _Batches(launchpad, resources, study)
    for number, part in enumerate(parts):
        batches.add(identify(part, batches.outcome.scope), number)
    batches.withdraw()
    gates.check(launchpad, batches.outcome.scope, cluster.store())
    return batches.outcome


class _Batches:
    """Adds one part after the other, and keeps of each no more than its jobs' names."""

    def __init__(self, launchpad: LaunchPad, resources: Resources, study: str) -> None:
        self.launchpad, self.resources, self.study = launchpad, resources, study
        self.outcome = Submitted(scope_of(resources.owner, study))
        self.uuids: set[str] = set()
        self.behind: dict[str, frozenset[str]] = {}
        self.first: frozenset[str] = frozenset()

    def add(self, part: Flow, number: int) -> None:
        """Add the jobs of a part that are not there, as one workflow."""
        jobs = list(part.iterflow())
        uuids = [job.uuid for job, _ in jobs]
        self.uuids.update(uuids)
        there = self._present(uuids)
        fireworks: dict[str, Firework] = {}
        waiting: dict[str, list[str]] = {}
        for job, _ in jobs:
            parents = set(job.input_uuids)
            self.behind[job.uuid] = frozenset(parents).union(*(self.behind.get(parent, ()) for parent in parents))
            spec, text = self._spec(job, parents)
            if job.uuid in there:
                self._renew(there[job.uuid], spec, text)
                continue
            inside = [fireworks[uuid] for uuid in sorted(parents & fireworks.keys())]
            fireworks[job.uuid] = Firework([StudyFiretask(job=text)], spec, name=job.name, parents=inside or None)
            if outside := self._outside(parents, fireworks):
                waiting[job.uuid] = outside
        if fireworks:
            self._insert(fireworks, waiting, f"{self.study} {number}")
        self._forget(uuids)

    def withdraw(self) -> None:
        """Defuse what an earlier version of the study wanted and this one does not, where it has not begun."""
        found = self.launchpad.fireworks.find(
            {"spec.barriers.scope": self.outcome.scope, "state": {"$in": [*NOT_BEGUN[:-1], "RESERVED"]}},
            {"fw_id": 1, "spec.barriers.uuid": 1},
        )
        for firework in found:
            if firework["spec"]["barriers"]["uuid"] not in self.uuids:
                self.launchpad.defuse_fw(firework["fw_id"])
                self.outcome.withdrawn += 1

    def _present(self, uuids: list[str]) -> dict[str, dict[str, Any]]:
        found = self.launchpad.fireworks.find(
            {"spec.barriers.uuid": {"$in": uuids}},
            {"fw_id": 1, "state": 1, "spec.barriers.uuid": 1, "spec.barriers.content": 1},
        )
        return {firework["spec"]["barriers"]["uuid"]: firework for firework in found}

    def _forget(self, uuids: list[str]) -> None:
        """Keep of a part's jobs only which jobs of the first part they wait for, in sets that they share."""
        self.first = self.first or frozenset(uuids)
        shared: dict[frozenset[str], frozenset[str]] = {}
        for uuid in uuids:
            kept = self.behind[uuid] & self.first
            self.behind[uuid] = shared.setdefault(kept, kept)

    def _outside(self, parents: set[str], inside: dict[str, Firework]) -> list[str]:
        """Give the parents that no other parent waits for, and that this workflow does not hold."""
        implied = frozenset().union(*(self.behind.get(parent, ()) for parent in parents))
        return sorted(parents - inside.keys() - implied)

    def _renew(self, firework: dict[str, Any], spec: dict[str, Any], text: str) -> None:
        """Count a job that is there; if it has not begun, it gets the settings and resources of today."""
        fw_id, state = firework["fw_id"], firework["state"]
        self.outcome.present[state] = self.outcome.present.get(state, 0) + 1
        if state in NOT_BEGUN and firework["spec"]["barriers"]["content"] != spec["barriers"]["content"]:
            new = {f"spec.{key}": value for key, value in spec.items()} | {"spec._tasks.0.job": text}
            self.launchpad.fireworks.update_one({"fw_id": fw_id, "state": state}, {"$set": new})
            self.outcome.changed += 1
        if state == "DEFUSED":
            gates.readmit(self.launchpad, fw_id)

    def _spec(self, job: Job, parents: set[str]) -> tuple[dict[str, Any], str]:
        """Say what a job needs and whose it is, and write it as text, with the command line of a DFT code in it."""
        start = next((item for item in job.function_args if isinstance(item, Start)), None)
        kind: Kind = job.metadata.get("kind") or ("analysis" if job.maker is None else "relax")
        needs = self.resources.for_job(kind, start.n_images if start else None)
        if needs.command is not None and hasattr(job.maker, "running"):
            job.maker.running = replace(job.maker.running, command=needs.command)
        about = {
            "scope": self.outcome.scope,
            "study": self.study,
            "owner": self.resources.owner,
            "uuid": job.uuid,
            "parents": sorted(parents),
            "name": job.name,
            "kind": kind,
            "system": job.metadata.get("system", ""),
            "hop": job.metadata.get("hop", ""),
            "folder": f"{self.resources.folder}/{self.study}",
            "cores": needs.cores,
            "heartbeat": self.resources.heartbeat,
        }
        spec = {
            "_category": needs.category,
            "_priority": needs.priority,
            "_queueadapter": {"job_name": self.resources.job_name(self.study, job.name), **needs.queueadapter},
            "_add_launchpad_and_fw_id": True,
        }
        if job.config.on_missing_references != OnMissing.ERROR:
            spec["_allow_fizzled_parents"] = True
        if hasattr(job.maker, "ends_at_once"):
            about["may_end_at_once"] = True
        text = _text(job)
        content = hashlib.sha256(json.dumps([spec, about, text], sort_keys=True).encode()).hexdigest()[:16]
        return {**spec, "barriers": {**about, "content": content}}, text

    def _insert(self, fireworks: dict[str, Firework], waiting: dict[str, list[str]], name: str) -> None:
        """Insert a workflow as FireWorks does, but with jobs that wait for other workflows paused from the start.

        The workflow goes in before its Fireworks: a launcher that takes one looks for it at once.
        """
        launchpad = self.launchpad
        metadata = {"scope": self.outcome.scope, "study": self.study, "owner": self.resources.owner}
        workflow = Workflow(list(fireworks.values()), name=name, metadata=metadata)
        first = launchpad.get_new_fw_id(quantity=len(fireworks))
        new = {old: first + position for position, old in enumerate(workflow.id_fw)}
        for firework in workflow.fws:
            firework.fw_id = new[firework.fw_id]
        workflow._reassign_ids(new)
        paused = {fireworks[uuid].fw_id: uuids for uuid, uuids in waiting.items()}
        roots = set(workflow.root_fw_ids)
        for fw_id, firework in workflow.id_fw.items():
            state = "PAUSED" if fw_id in paused else "READY" if fw_id in roots else "WAITING"
            firework.state = workflow.fw_states[fw_id] = state
        gates.close(launchpad, self.outcome.scope, paused, first)
        launchpad.workflows.insert_one(workflow.to_db_dict())
        launchpad.fireworks.insert_many(firework.to_db_dict() for firework in workflow.fws)
        self.outcome.added += len(fireworks)
        self.outcome.workflows += 1


def _text(job: Job) -> str:
    """Write a job without its hosts: jobflow numbers the flows that hold it anew each time."""
    return json.dumps({**job.as_dict(), "hosts": []}, cls=MontyEncoder)
