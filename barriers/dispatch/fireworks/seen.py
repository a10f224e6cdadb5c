"""Where the jobs of a submitted study stand, as LaunchPad and running jobs tell it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from barriers.dispatch.fireworks.collections import runs, time_there, utc
from barriers.dispatch.fireworks.heartbeat import SILENT_BEATS
from barriers.dispatch.status import FIREWORKS, LOCAL, JobStatus, with_expected

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster


def dispatched_status(cluster: Cluster, study: str) -> list[JobStatus]:
    """Read where the jobs of a submitted study stand, in the order in which they were added.

    Raises
    ------
    ValueError
        If nothing of the study is on the LaunchPad.
    """
    launchpad = cluster.launchpad()
    scope = cluster.scope(study)
    fields = {"name": 1, "state": 1, "launches": {"$slice": -1}, "spec.barriers": 1}
    fireworks = list(launchpad.fireworks.find({"spec.barriers.scope": scope}, fields).sort("fw_id"))
    reserved = [firework["launches"][-1] for firework in fireworks if firework["state"] == "RESERVED"]
    numbers = {
        launch["launch_id"]: launch["state_history"][-1].get("reservation_id")
        for launch in launchpad.launches.find({"launch_id": {"$in": reserved}}, {"launch_id": 1, "state_history": 1})
    }
    told = {run["_id"]: run for run in runs(launchpad).find({"scope": scope})}
    now = time_there(launchpad)
    return with_expected([_job(firework, told, numbers, now) for firework in fireworks])


def _job(firework: dict[str, Any], told: dict[str, Any], numbers: dict[int, Any], now: datetime) -> JobStatus:
    about = firework["spec"]["barriers"]
    run = told.get(about["uuid"], {})
    state = FIREWORKS[firework["state"]]
    queue_id = run.get("queue_id")
    if state == "done":
        state = LOCAL.get(run.get("state", ""), "done")
    elif state == "queued":
        queue_id, run = numbers.get(firework["launches"][-1]), {}
    elif state == "running" and run.get("launch") in firework["launches"] and _silent(run, now):
        state = "lost"
    elapsed = run.get("seconds")
    if state == "running" and "started" in run:
        elapsed = (now - utc(run["started"])).total_seconds()
    return JobStatus(
        name=firework["name"],
        kind=about["kind"],
        system=about["system"],
        hop=about["hop"],
        state=state,
        progress=run.get("progress") or {},
        elapsed=elapsed,
        queue_id=str(queue_id or ""),
        host=run.get("host", ""),
        folder=run.get("folder", ""),
        message=run.get("message", ""),
        force_calls=run.get("force_calls", 0),
        uuid=about["uuid"],
        started=utc(run["started"]).timestamp() if "started" in run else None,
        barrier=run.get("barrier"),
    )


def _silent(run: dict[str, Any], now: datetime) -> bool:
    """Whether a running job has given no sign of life for too long; `barriers recover` finds out why."""
    return (now - utc(run["beat"])).total_seconds() > SILENT_BEATS * float(run["every"])
