"""Adding a study to the LaunchPad: once, in batches, found again by what it computes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fireworks import Firework, Workflow
from jobflow import Flow

from barriers.dispatch.fireworks.collections import ensure_indices, scope_of
from barriers.dispatch.fireworks.resources import Resources
from barriers.dispatch.fireworks.spec import spec_of
from barriers.dispatch.fireworks.staging import NOT_BEGUN, Stage, staging
from barriers.dispatch.fireworks.task import StudyFiretask
from barriers.dispatch.identity import identify

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster

LEAVE = ("WAITING", "READY", "PAUSED", "FIZZLED", "RESERVED")
"""States in which a Firework is withdrawn that the study does not want any more."""


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


class WithdrawalError(ValueError):
    """The LaunchPad has jobs of that name that the study does not hold: of an earlier version, or of another study."""


def submit(parts: Iterable[Flow], study: str, cluster: Cluster, withdraw: bool = False) -> Submitted:
    """Add a study to the LaunchPad, all of it or nothing; what is there already is left as it is.

    Parameters
    ----------
    parts : iterable of Flow
        The study in parts (:meth:`barriers.StudyMaker.parts`), each of which becomes a workflow; or one flow in a list.
    study : str
        Name of the study; with the owner it tells whose jobs these are.
    cluster : Cluster
        The LaunchPad, and the resources of each kind of job.
    withdraw : bool
        Whether jobs of that name that have not begun, and that these parts do not hold, may be withdrawn.

    Returns
    -------
    Submitted
        What was added and what was there.

    Raises
    ------
    WithdrawalError
        If there are such jobs, and they may not be; nothing is added then.
    ValueError
        If another submit of the study is under way.
    """
    launchpad = cluster.launchpad()
    ensure_indices(launchpad)
    resources = cluster.resources()
    with staging(launchpad, cluster.store(), scope_of(resources.owner, study)) as stage:
        batches = _Batches(stage, resources, study)
        for number, part in enumerate(parts):
            batches.add(identify(part, stage.scope), number)
        leaving = batches.leaving()
        if leaving and not withdraw:
            raise WithdrawalError(_refusal(leaving, study, resources.owner))
        stage.release([firework["fw_id"] for firework in leaving])
    batches.outcome.withdrawn = len(leaving)
    return batches.outcome


def _refusal(leaving: list[dict[str, Any]], study: str, owner: str) -> str:
    since = min(str(firework["created_on"]) for firework in leaving)[:16].replace("T", " ")
    return (
        f"name: {study!r} of {owner} has {len(leaving)} jobs on the LaunchPad, the first {leaving[0]['name']!r}, added "
        f"{since} UTC, that are not done and not part of this study; --yes (withdraw=True) withdraws them; if another "
        f"study wants them, give this one another name"
    )


class _Batches:
    """Adds one part after the other, and keeps of each no more than its jobs' names."""

    def __init__(self, stage: Stage, resources: Resources, study: str) -> None:
        self.stage, self.launchpad, self.resources, self.study = stage, stage.launchpad, resources, study
        self.outcome = Submitted(stage.scope)
        self.uuids: set[str] = set()
        self.behind: dict[str, frozenset[str]] = {}
        self.first: frozenset[str] = frozenset()

    def add(self, part: Flow, number: int) -> None:
        """Hold back the jobs of a part that are not there, as one workflow."""
        jobs = [job for job, _ in part.iterflow()]
        uuids = [job.uuid for job in jobs]
        self.uuids.update(uuids)
        there = self._present(uuids)
        missing = sum(uuid not in there for uuid in uuids)
        following = itertools.count(self.launchpad.get_new_fw_id(quantity=missing)) if missing else iter(())
        fireworks: dict[str, Firework] = {}
        waiting: dict[int, list[str]] = {}
        changes = []
        for job in jobs:
            parents = set(job.input_uuids)
            self.behind[job.uuid] = frozenset(parents).union(*(self.behind.get(parent, ()) for parent in parents))
            spec, text = spec_of(job, parents, self.stage.scope, self.study, self.resources)
            if job.uuid in there:
                if self._is_to_change(there[job.uuid], spec):
                    changes.append({"fw_id": there[job.uuid]["fw_id"], "spec": spec, "job": text})
                continue
            inside = [fireworks[uuid] for uuid in sorted(parents & fireworks.keys())]
            fw_id = next(following)
            task = StudyFiretask(job=text)
            fireworks[job.uuid] = Firework([task], spec, name=job.name, parents=inside or None, fw_id=fw_id)
            if outside := self._outside(parents, fireworks):
                waiting[fw_id] = outside
        metadata = {"scope": self.stage.scope, "study": self.study, "owner": self.resources.owner}
        new = list(fireworks.values())
        workflow = Workflow(new, name=f"{self.study} {number}", metadata=metadata) if new else None
        self.stage.hold(workflow, waiting, changes)
        self.outcome.added += len(new)
        self.outcome.workflows += bool(new)
        self._forget(uuids)

    def leaving(self) -> list[dict[str, Any]]:
        """Find what has not begun, and is on the LaunchPad under this name but not in this study."""
        which = {"spec.barriers.scope": self.stage.scope, "state": {"$in": LEAVE}}
        fields = {"fw_id": 1, "name": 1, "created_on": 1, "spec.barriers.uuid": 1}
        found = self.launchpad.fireworks.find(which, fields).sort("fw_id")
        return [firework for firework in found if firework["spec"]["barriers"]["uuid"] not in self.uuids]

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

    def _is_to_change(self, firework: dict[str, Any], spec: dict[str, Any]) -> bool:
        """Count a job that is there; say whether it gets the settings and resources of today, or takes part again."""
        state = firework["state"]
        self.outcome.present[state] = self.outcome.present.get(state, 0) + 1
        differs = state in NOT_BEGUN and firework["spec"]["barriers"]["content"] != spec["barriers"]["content"]
        self.outcome.changed += differs
        return differs or state == "DEFUSED"
