"""Signs of life of a running job, with how far it is: what ``status`` shows and ``recover`` judges by."""

from __future__ import annotations

import contextlib
import os
import platform
import secrets
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
from pymongo.errors import DuplicateKeyError, PyMongoError

from barriers.engines.processes import end_this_process
from barriers.engines.progress import latest_progress

if TYPE_CHECKING:
    from pymongo.collection import Collection

QUEUE_VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "LSB_JOBID")
"""Environment variables in which a queue tells a job its number."""

SILENT_BEATS = 6
"""A run is lost when that many signs of life in a row have not come."""

RUN = "BARRIERS_RUN"
"""Environment variable of what a job starts: the job, and the process that runs it with its time of birth."""


class Heartbeat:
    """Tells the database every few seconds that a job is alive; use as a context manager.

    Parameters
    ----------
    collection : Collection
        Where the runs are kept.
    about : dict
        The job: its ``uuid``, ``scope``, ``name``.
    every : float
        Seconds between two signs of life.
    launch : int
        FireWorks' number of this launch of the job.

    Raises
    ------
    RuntimeError
        If another process runs the job and is alive.
    """

    def __init__(
        self, collection: Collection[dict[str, Any]], about: dict[str, Any], every: float, launch: int
    ) -> None:
        self.collection, self.about, self.every, self.launch = collection, about, every, launch
        self.token = secrets.token_hex(8)
        self.folder: Path | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._claim()
        _end_leftovers(self.about["uuid"])
        os.environ[RUN] = f"{self.about['uuid']} {os.getpid()} {psutil.Process().create_time()}"
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._ended.set()
        self._thread.join()

    def end(self, state: str, **words: Any) -> None:
        """Write how the job ended; a job that was taken for lost does not get so far."""
        self._ended.set()
        if not self._update({"state": state, **words}):
            end_this_process()

    def started(self, folder: Path) -> None:
        """Say where the job runs."""
        self.folder = folder
        self._update({"folder": str(folder)})

    def _claim(self) -> None:
        """Take the job, unless another process has it and is alive; the database decides between two at once."""
        silent = 1000 * SILENT_BEATS * self.every
        alive = {"$and": [{"$eq": ["$state", "running"]}, {"$gt": ["$beat", {"$subtract": ["$$NOW", silent]}]}]}
        mine = {
            **{key: self.about[key] for key in ("scope", "name", "kind", "system", "hop")},
            "state": "running",
            "token": self.token,
            "host": platform.node(),
            "pid": os.getpid(),
            "process_started": psutil.Process().create_time(),
            "launch": self.launch,
            "queue_id": next((os.environ[name] for name in QUEUE_VARIABLES if name in os.environ), None),
            "message": "",
            "every": self.every,
        }
        with contextlib.suppress(DuplicateKeyError):
            self.collection.insert_one({"_id": self.about["uuid"], "state": "new", "attempts": 0})
        taken = self.collection.update_one(
            {"_id": self.about["uuid"], "$expr": {"$not": [alive]}},
            {"$set": mine, "$currentDate": {"beat": True, "started": True}, "$inc": {"attempts": 1}},
        )
        if not taken.matched_count:
            other = self.collection.find_one({"_id": self.about["uuid"]}) or {}
            raise RuntimeError(
                f"{self.about['name']} runs already: process {other.get('pid')} on {other.get('host')}, "
                f"queue job {other.get('queue_id')}"
            )

    def _beat(self) -> None:
        while not self._ended.wait(self.every):
            try:
                if not self._update(self._progress()):
                    end_this_process()
            except PyMongoError:
                continue  # the database is away: the job itself needs it only when it ends

    def _progress(self) -> dict[str, Any]:
        try:
            return {"progress": latest_progress(self.folder)} if self.folder else {}
        except (OSError, ValueError):  # a full disk leaves half a line
            return {}

    def _update(self, words: dict[str, Any]) -> bool:
        """Write words under this run's token; False where the job was given to another run."""
        change = {"$set": words, "$currentDate": {"beat": True}}
        return self.collection.update_one({"_id": self.about["uuid"], "token": self.token}, change).matched_count == 1


def is_there(pid: int, started: float) -> bool:
    """Whether a process of this machine lives that was started at a certain time (s): numbers are used again."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end_leftovers(uuid: str) -> None:
    """End what a killed run of this job left on this machine: a DFT code that goes on writing to its folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            job, *parent = process.environ().get(RUN, "").split() or [""]
            if job == uuid and not is_there(int(parent[0]), float(parent[1])):
                process.kill()
                process.wait(10)
