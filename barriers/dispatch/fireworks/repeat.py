"""Putting jobs back so that they run again, together with everything that was computed from them.

FireWorks puts back what is behind a job in its own workflow. Jobs of other workflows get their gates again
(:mod:`barriers.dispatch.fireworks.gates`), before the job itself is put back: it might end at once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.private import forget_launches
from barriers.dispatch.fireworks.suspect import Suspect
from barriers.dispatch.fireworks.workflow import changing

if TYPE_CHECKING:
    from fireworks import LaunchPad

LOCK_SECONDS = 30
"""How long another process may be busy with a workflow (s)."""

NOT_TO_CHANGE = ("DEFUSED", "ARCHIVED")
"""Withdrawn: such a job stays where it is."""

FIELDS = {"fw_id": 1, "state": 1, "spec.barriers.uuid": 1, "spec.barriers.parents": 1}


def take(launchpad: LaunchPad, suspect: Suspect) -> bool:
    """Take a job from whoever ran it; False if there was a sign of life meanwhile.

    A process that wakes up later does not find its mark any more, and ends itself.
    """
    about, record = suspect.about, suspect.record
    fields = ("scope", "name", "kind", "system", "hop")
    over = {"state": "repeated", "token": None, "lost": 0, **{field: about[field] for field in fields}}
    if suspect.trouble in ("lost", "not started"):
        over |= {"state": "lost", "message": suspect.words, "lost": losses(suspect), "lost_at": place(suspect)}
    seen = {field: record.get(field) for field in ("launch", "beat", "token")}
    try:
        change = {"$set": over, "$setOnInsert": {"attempts": 0}}
        done = runs(launchpad).update_one({"_id": about["uuid"], **seen}, change, upsert=not record)
    except DuplicateKeyError:
        return False
    return bool(done.matched_count or done.upserted_id)


def losses(suspect: Suspect) -> int:
    """Say how often in a row a job was lost without getting any further, this time included."""
    known = suspect.record
    return 1 + (known.get("lost", 0) if known.get("lost_at") == place(suspect) else 0)


def place(suspect: Suspect) -> dict[str, Any] | None:
    """How far a job is; evaluations and time are left out, because a new start has some of both."""
    progress = suspect.record.get("progress")
    counted = {"wall_time", "force_calls"}
    return progress and {key: value for key, value in progress.items() if key not in counted}


def move(launchpad: LaunchPad, suspect: Suspect, into: Path) -> str:
    """Give a job another folder, and copy what it has there; say what came of it."""
    study = suspect.about["study"]
    where = {"$set": {"spec.barriers.folder": f"{into}/{study}"}}
    launchpad.fireworks.update_one({"fw_id": suspect.firework["fw_id"]}, where)
    if not (told := suspect.record.get("folder")):
        return ""
    old = Path(told)
    new = into / study / "jobs" / old.name
    if old == new:
        return ""
    if not old.is_dir():
        return f"{old} cannot be seen from here, so it starts anew"
    shutil.copytree(old, new, dirs_exist_ok=True)
    return f"copied from {old}"


def repeat(launchpad: LaunchPad, suspects: Iterable[Suspect]) -> dict[int, int]:
    """Put jobs back that were taken, and what is behind them.

    Returns
    -------
    dict
        By the Firework of each job that was put back: how many jobs behind it that had begun were, too. A job that
        somebody else changed meanwhile is left out.
    """
    chosen = {suspect.firework["fw_id"]: suspect for suspect in suspects}
    closed = {fw_id: _behind(launchpad, suspect.about) for fw_id, suspect in chosen.items()}
    everything = {fw_id: firework for behind in closed.values() for fw_id, firework in behind.items()}
    started = {fw_id: each for fw_id, each in everything.items() if each["state"] not in ("WAITING", "PAUSED")}
    for firework in started.values():
        _stop(launchpad, firework["spec"]["barriers"]["uuid"])
    closing = outside(launchpad, everything, {suspect.about["uuid"] for suspect in chosen.values()})
    put_back: set[int] = set()
    # Fireworks that were added later wait for earlier ones, never the other way round.
    which = {"nodes": {"$in": [*chosen, *everything]}}
    for workflow in launchpad.workflows.find(which, {"nodes": 1}).sort("nodes", -1):
        here = set(workflow["nodes"])
        waiting = {fw_id: closing[fw_id] for fw_id in here & closing.keys()}
        if fw_ids := here & (chosen.keys() | started.keys() | waiting.keys()):
            put_back |= _put_back(launchpad, fw_ids, waiting, chosen)
    return {fw_id: len(closed[fw_id].keys() & started.keys() & put_back) for fw_id in chosen if fw_id in put_back}


def _behind(launchpad: LaunchPad, about: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Find every Firework that waits, or waited, for a job; also in other workflows."""
    found: dict[int, dict[str, Any]] = {}
    level = [about["uuid"]]
    while level:
        which = {"spec.barriers.parents": {"$in": level}, "state": {"$nin": NOT_TO_CHANGE}}
        new = [each for each in launchpad.fireworks.find(which, FIELDS) if each["fw_id"] not in found]
        found |= {each["fw_id"]: each for each in new}
        level = [each["spec"]["barriers"]["uuid"] for each in new]
    return found


def outside(launchpad: LaunchPad, behind: dict[int, dict[str, Any]], repeated: set[str]) -> dict[int, list[str]]:
    """Parents of each Firework that run again and that its workflow does not make it wait for."""
    again = repeated | {each["spec"]["barriers"]["uuid"] for each in behind.values()}
    found: dict[int, list[str]] = {}
    for workflow in launchpad.workflows.find({"nodes": {"$in": list(behind)}}, {"nodes": 1, "parent_links": 1}):
        inside = launchpad.fireworks.find({"fw_id": {"$in": workflow["nodes"]}}, {"fw_id": 1, "spec.barriers.uuid": 1})
        uuids = {each["fw_id"]: each["spec"]["barriers"]["uuid"] for each in inside}
        for fw_id in behind.keys() & set(workflow["nodes"]):
            linked = {uuids[parent] for parent in workflow["parent_links"].get(str(fw_id), ())}
            parents = set(behind[fw_id]["spec"]["barriers"]["parents"]) & again - linked
            if parents:
                found[fw_id] = sorted(parents)
    return found


def _stop(launchpad: LaunchPad, uuid: str) -> None:
    """Let a process end that computes with what is going to change: its next sign of life finds no mark."""
    runs(launchpad).update_one({"_id": uuid}, {"$set": {"state": "repeated", "token": None}})


def _put_back(
    launchpad: LaunchPad, fw_ids: set[int], waiting: dict[int, list[str]], chosen: dict[int, Suspect]
) -> set[int]:
    """Put back Fireworks of one workflow, parents first; those with parents elsewhere get their gates again."""
    with changing(launchpad, min(fw_ids), LOCK_SECONDS) as (workflow, changed):
        gates.close(launchpad, workflow.metadata["scope"], waiting, min(workflow.id_fw))
        for fw_id in sorted(fw_ids):
            firework = workflow.id_fw[fw_id]
            if fw_id in chosen and not _as_seen(launchpad, chosen[fw_id]):
                continue
            forget_launches(firework)
            if fw_id in waiting:
                firework.state = "PAUSED"
            workflow.fw_states[fw_id] = firework.state
            changed.update({fw_id}, workflow.refresh(fw_id))
    return changed


def _as_seen(launchpad: LaunchPad, suspect: Suspect) -> bool:
    which = {field: suspect.firework[field] for field in ("fw_id", "state", "launches")}
    return launchpad.fireworks.find_one(which, {"_id": 1}) is not None
