"""A trivial job through database and queue, to see whether a cluster works; what does not is said with file and key."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fireworks import Firework, FWorker, LaunchPad
from fireworks.user_objects.firetasks.script_task import PyTask

from barriers.dispatch.fireworks.blame import blame
from barriers.dispatch.fireworks.config import LAUNCHPAD, QUEUE, RESOURCES, Cluster, find_cluster
from barriers.dispatch.fireworks.in_queue import states_in_queue
from barriers.dispatch.fireworks.send import send
from barriers.distribution import versions

CATEGORY = "barriers-setup"
"""Category of the trial: no worker that computes takes it by chance."""

POLL = 1.0
"""Seconds between looks at the job."""

GRACE = 10.0
"""Seconds for which an answer, or the job's files, may come later than the end of the job."""


def look_around(folder: str) -> dict[str, str]:
    """Do what the trial does on the machine that computes: use its configuration folder, job folder and results store.

    Returns
    -------
    dict
        ``host`` and the version of ``barriers`` there.
    """
    cluster = find_cluster(Path(folder))
    jobs = cluster.resources().folder
    try:
        jobs.mkdir(parents=True, exist_ok=True)
        trial = jobs / f".{platform.node()}.trial"
        trial.write_text("")
        trial.unlink()
    except OSError as error:
        raise ValueError(
            f"{cluster.folder / RESOURCES}: folder: {platform.node()} cannot write in {jobs}: {error.strerror}"
        ) from None
    with cluster.store() as store:
        store.count({"uuid": ""})
    return {"host": platform.node()} | versions()


def try_queue(cluster: Cluster, seconds: float, say: Callable[[str], None]) -> str:
    """Send a trivial job through the queue and wait for it.

    Parameters
    ----------
    cluster : Cluster
        With a database that is set up.
    seconds : float
        Longest wait.
    say : callable
        Gets a line whenever something has happened.

    Returns
    -------
    str
        What came back, for people.

    Raises
    ------
    ValueError
        One line that says what to mend, with file and key. The trial is defused in the database then, unless it still
        waits in the queue.
    """
    launchpad = cluster.launchpad()
    resources = cluster.resources()
    task = PyTask(func=f"{__name__}.look_around", args=[str(cluster.folder)], stored_data_varname="found")
    spec = {"_category": CATEGORY, "_queueadapter": resources.for_job("analysis").queueadapter}
    firework = Firework([task], spec=spec, name="barriers-setup")
    number = next(iter(launchpad.add_wf(firework).values()))
    try:
        worker = FWorker(platform.node(), CATEGORY)
        job = send(cluster, launchpad, worker, resources.folder / "trials", ["analysis"], number)
        if job is None:
            raise ValueError(f"{cluster.folder / LAUNCHPAD}: name: somebody else took Firework {number}; try again")
        say(f"job {job} is in the queue, Firework {number} in the database")
        found = _wait(cluster, launchpad, number, job, seconds, say)
    except ValueError:
        launchpad.defuse_fw(number)
        raise
    here = versions()["barriers"]
    differs = f"; here it is {here}: install the same in both places" if found["barriers"] != here else ""
    return f"{found['host']} ran it with barriers {found['barriers']}{differs}"


def _wait(
    cluster: Cluster, launchpad: LaunchPad, number: int, job: str, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    kind = cluster.qadapter().q_type
    end, gone, seen = time.monotonic() + seconds, None, ""
    while True:
        firework = launchpad.get_fw_by_id(number)
        action = firework.launches[-1].action
        if firework.state == "COMPLETED":
            return dict(action.stored_data["found"])
        if firework.state == "FIZZLED":
            raise ValueError(blame(cluster, str(action.stored_data["_exception"]["_stacktrace"]), job))
        state = states_in_queue(kind, [job]).get(job, "unknown: the queue does not answer")
        if state is None:
            gone = gone or time.monotonic()
            if time.monotonic() > gone + GRACE:
                folder = Path(firework.launches[-1].launch_dir)
                raise ValueError(blame(cluster, _output(folder), f"{job} in {folder}"))
        elif state != seen:
            say(f"job {job}: {state}")
            seen = state
        if time.monotonic() > end:
            raise TimeoutError(
                f"{cluster.folder / QUEUE}: queue: job {job} has no answer after {seconds:g} s ({state or 'over'}); it "
                f"is left in the queue, `lpad -c {cluster.folder} get_fws -i {number}` shows how it ends"
            )
        time.sleep(POLL)


def _output(folder: Path) -> str:
    """What a job printed, errors last."""
    paths = [path for ending in (".out", ".error") for path in sorted(folder.glob(f"*{ending}"))]
    return "\n".join(path.read_text("utf-8", "replace") for path in paths)
