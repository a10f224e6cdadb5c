"""Getting a study going again after whatever happened to its jobs; nothing that is alive is touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fireworks.core.launchpad import LockedWorkflowError

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.consistency import mend_halfway
from barriers.dispatch.fireworks.lost import Look
from barriers.dispatch.fireworks.repeat import losses, move, repeat, take
from barriers.dispatch.fireworks.suspect import Suspect
from barriers.engines.progress import latest_progress

if TYPE_CHECKING:
    from fireworks import LaunchPad

    from barriers.dispatch.fireworks.config import Cluster

MOST_LOSSES = 3
"""A job that is lost so often without getting any further is not put back by itself any more."""

ON_THE_WAY = ("WAITING", "READY", "PAUSED")


@dataclass(frozen=True)
class Recovered:
    """What had happened to a job, or to a workflow, and what was done.

    Attributes
    ----------
    name : str
        Name of the job.
    happened : str
        What was the matter, in the words of the job or of the queue where there are some.
    done : str
        What was done.
    folder : str
        The job's folder, from whose checkpoint it continues; empty if it has none.
    iteration, force_calls : int or None
        Where it continues, as far as is known.
    seconds_lost : float
        Since its last sign of life (s).
    """

    name: str
    happened: str
    done: str
    folder: str = ""
    iteration: int | None = None
    force_calls: int | None = None
    seconds_lost: float = 0.0


def recover(cluster: Cluster, scope: str, into: Path | None = None) -> list[Recovered]:
    """Put back what was lost, has failed or has not converged; each job continues from its checkpoint.

    Parameters
    ----------
    cluster : Cluster
        The LaunchPad, the store and the queue.
    scope : str
        Owner and study; nothing else on the LaunchPad is touched.
    into : Path or None
        Folder for jobs that are put back or have not begun, instead of the one they were submitted with, where its
        disk is full or gone; what a job has there is copied as far as it can be seen from here.

    Returns
    -------
    list of Recovered
        Empty if nothing was the matter.

    Raises
    ------
    ValueError
        If the store cannot be that of the workers.
    """
    launchpad, store = cluster.launchpad(), cluster.store()
    outcome = [
        Recovered(f"workflow {name}", f"left by a launcher: {what}", "mended")
        for name, what in mend_halfway(launchpad, scope)
    ]

    def look() -> dict[int, Suspect]:
        seen = Look(cluster, scope, ("RUNNING", "RESERVED", "FIZZLED", "COMPLETED"))
        found = seen.without_result(store) + seen.suspects()
        return {suspect.firework["fw_id"]: suspect for suspect in found}

    outcome += _put_back(launchpad, _twice(look), into)
    if into is not None:
        which = {"spec.barriers.scope": scope, "state": {"$in": ON_THE_WAY}}
        study = scope.partition("/")[2]
        launchpad.fireworks.update_many(which, {"$set": {"spec.barriers.folder": f"{into}/{study}"}})
    gates.check(launchpad, scope, store)
    return outcome


def put_back_lost(cluster: Cluster, scope: str) -> list[Recovered]:
    """Put back what was lost, but nothing that failed; give up on what is lost again and again.

    Parameters
    ----------
    cluster, scope
        As for :func:`recover`.
    """
    launchpad = cluster.launchpad()

    def look() -> dict[int, Suspect]:
        found = Look(cluster, scope, ("RUNNING", "RESERVED")).suspects()
        return {suspect.firework["fw_id"]: suspect for suspect in found if suspect.trouble != "silent"}

    lost = _twice(look)
    hopeless = [suspect for suspect in lost if losses(suspect) >= MOST_LOSSES]
    given_up = [_give_up(launchpad, suspect) for suspect in hopeless if take(launchpad, suspect)]
    return given_up + _put_back(launchpad, (suspect for suspect in lost if suspect not in hopeless), None)


def _twice(look: Callable[[], dict[int, Suspect]]) -> list[Suspect]:
    """Look, and where that is not enough look again: only what has not changed meanwhile counts."""
    first = look()
    if not (seconds := _patience(first)):
        return list(first.values())
    time.sleep(seconds)
    return [found for key, found in look().items() if key in first and found.mark == first[key].mark]


def _patience(found: dict[int, Suspect]) -> float:
    """Seconds in which whoever is alive says so."""
    doubtful = [suspect for suspect in found.values() if not suspect.sure]
    return max((suspect.about["heartbeat"] + 1.0 for suspect in doubtful), default=0.0)


def _put_back(launchpad: LaunchPad, suspects: Iterable[Suspect], into: Path | None) -> list[Recovered]:
    suspects = list(suspects)
    outcome = [_told(suspect, "left alone: it may be alive") for suspect in suspects if suspect.trouble == "silent"]
    taken = [suspect for suspect in suspects if suspect.trouble != "silent" and take(launchpad, suspect)]
    moved = {suspect.firework["fw_id"]: move(launchpad, suspect, into) for suspect in taken if into is not None}
    try:
        behind = repeat(launchpad, taken)
    except LockedWorkflowError:
        return [*outcome, *(_told(suspect, "not yet put back: its workflow is locked") for suspect in taken)]
    for suspect in taken:
        if (fw_id := suspect.firework["fw_id"]) in behind:
            words = ["put back", f"with {behind[fw_id]} jobs behind it" if behind[fw_id] else "", moved.get(fw_id, "")]
            outcome.append(_told(suspect, ", ".join(filter(None, words))))
    return outcome


def _give_up(launchpad: LaunchPad, suspect: Suspect) -> Recovered:
    """Mark a job failed that is lost again and again, so that nobody waits for it; ``recover`` tries once more."""
    words = f"{suspect.about['name']}: lost {losses(suspect)} times without getting any further; {suspect.words}"
    if folder := suspect.record.get("folder"):
        words += f"; files in {folder}"
    launch = suspect.firework["launches"][-1]
    change = {"$set": {"state": "failed", "message": words, "launch": launch}}
    runs(launchpad).update_one({"_id": suspect.about["uuid"]}, change)
    launchpad.mark_fizzled(launch)
    gates.failed(launchpad, [suspect.about["uuid"]])
    return _told(suspect, f"given up after {losses(suspect)} losses: marked failed")


def _told(suspect: Suspect, done: str) -> Recovered:
    folder = Path(suspect.record.get("folder", ""))
    try:
        progress = latest_progress(folder) if suspect.record.get("folder") else None
    except (OSError, ValueError):
        progress = None
    progress = progress or suspect.record.get("progress") or {}
    happened = f"{suspect.trouble}: {suspect.words}" if suspect.words else suspect.trouble
    return Recovered(
        name=suspect.about["name"],
        happened=happened,
        done=done,
        folder=suspect.record.get("folder", ""),
        iteration=progress.get("iteration"),
        force_calls=progress.get("force_calls"),
        seconds_lost=round(suspect.silent, 1),
    )
