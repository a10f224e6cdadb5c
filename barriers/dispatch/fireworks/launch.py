"""Keeping a study going from one process: what is cheap runs here, everything else goes to the queue."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import fireworks.core.rocket
from fireworks.core.fworker import FWorker
from fireworks.core.rocket_launcher import launch_rocket
from pymongo.errors import PyMongoError

from barriers.dispatch.fireworks.at_once import nothing_to_do
from barriers.dispatch.fireworks.database import UnreachableError
from barriers.dispatch.fireworks.recover import Recovered, put_back_lost
from barriers.dispatch.fireworks.resources import ANALYSIS, COMPUTE
from barriers.dispatch.fireworks.send import send
from barriers.dispatch.stopping import before_stopping
from barriers.secrecy import hide
from barriers.workflow.labels import Kind

if TYPE_CHECKING:
    from fireworks import LaunchPad

    from barriers.dispatch.fireworks.config import Cluster

UNDER_WAY = ("READY", "RESERVED", "RUNNING")
"""States that lead somewhere without anyone's help; a WAITING job whose parents failed does not."""

CALCULATIONS: tuple[Kind, ...] = ("relax", "neb", "static")

QUIET = "CRITICAL"

T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """One look at a study.

    Attributes
    ----------
    analysed, queued : int
        Jobs that were run here, because they are cheap or have nothing to do, and sent to the queue, just now.
    states : dict[str, int]
        Number of jobs in each state.
    put_back : list of Recovered
        Jobs that had got lost.
    """

    analysed: int
    queued: int
    states: dict[str, int]
    put_back: list[Recovered]

    @property
    def over(self) -> bool:
        """Whether nothing is under way."""
        return not any(self.states.get(state) for state in UNDER_WAY)


def launch(
    cluster: Cluster,
    scope: str,
    every: float,
    on_round: Callable[[Round], None],
    on_trouble: Callable[[str], None] = lambda _line: None,
) -> Round:
    """Run and send to the queue what is ready, until nothing of the study is under way.

    Parameters
    ----------
    cluster : Cluster
        The LaunchPad, the queue and the folder on this machine.
    scope : str
        Owner and study; nothing else on the LaunchPad is touched.
    every : float
        Seconds between two looks.
    on_round : callable
        Called after each look.
    on_trouble : callable
        Called with one line whenever the database does not answer; the next look tries again.

    Returns
    -------
    Round
        The last look.

    Raises
    ------
    ValueError
        One line with file and key, if the configuration is wrong or the queue refuses a job.
    """
    cluster.launchpad()  # what is wrong from the start is no trouble that passes
    while True:
        try:
            seen = look(cluster, scope)
        except (UnreachableError, PyMongoError) as error:
            on_trouble(hide(str(error)).splitlines()[0])
            time.sleep(every)
            continue
        on_round(seen)
        if seen.over:
            return seen
        if not seen.analysed:
            time.sleep(every)


def look(cluster: Cluster, scope: str) -> Round:
    """Put back what was lost, run what is ready and cheap or has nothing to do, and fill the queue."""
    fireworks.core.rocket.ROCKET_STREAM_LOGLEVEL = QUIET
    launchpad = cluster.launchpad()
    put_back = put_back_lost(cluster, scope)
    resources = cluster.resources()
    folder = resources.folder / "launches"
    folder.mkdir(parents=True, exist_ok=True)
    analysed, queued = 0, 0
    here, store = _worker(scope, ANALYSIS), cluster.store()
    there, adapter = _worker(scope, COMPUTE), cluster.qadapter()
    room = resources.max_in_queue - (adapter.get_njobs_in_queue() or 0)
    with (folder / "analysis.log").open("a", encoding="utf-8") as log, contextlib.chdir(folder):
        while _done_whole(launch_rocket, launchpad, here, strm_lvl=QUIET, err_file=log):
            analysed += 1
        while queued < room and (firework := _next(launchpad, there)) is not None:
            it = _worker(scope, COMPUTE, firework["fw_id"])
            if nothing_to_do(firework, store):
                analysed += _done_whole(launch_rocket, launchpad, it, strm_lvl=QUIET, err_file=log)
            else:
                queued += _done_whole(send, cluster, launchpad, it, folder, CALCULATIONS) is not None
    return Round(analysed, queued, states(launchpad, scope), put_back)


def _done_whole(step: Callable[..., T], *arguments: Any, **options: Any) -> T:
    """Take a step that a stop must not cut in two: FireWorks would take it for a failure of the job."""
    with before_stopping():
        return step(*arguments, **options)


def states(launchpad: Any, scope: str) -> dict[str, int]:
    """Count a study's jobs by FireWorks state."""
    counted = launchpad.fireworks.aggregate(
        [{"$match": {"spec.barriers.scope": scope}}, {"$group": {"_id": "$state", "jobs": {"$sum": 1}}}]
    )
    return {each["_id"]: each["jobs"] for each in counted}


def _next(launchpad: LaunchPad, worker: FWorker) -> dict[str, Any] | None:
    """Find the job that FireWorks would take next."""
    order = [("spec._priority", -1), ("fw_id", 1)]
    found: dict[str, Any] | None = launchpad.fireworks.find_one({**worker.query, "state": "READY"}, sort=order)
    return found


def _worker(scope: str, category: str, fw_id: int | None = None) -> FWorker:
    which = {"spec.barriers.scope": scope} | ({} if fw_id is None else {"fw_id": fw_id})
    return FWorker(name="barriers", category=[category], query=which)
