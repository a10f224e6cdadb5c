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

from barriers.engines.checkpoint import latest_progress

if TYPE_CHECKING:
    from pymongo.collection import Collection

QUEUE_VARIABLES = ("SLURM_JOB_ID", "PBS_JOBID", "JOB_ID", "LSB_JOBID")
"""Environment variables in which a queue tells a job its number."""

SILENT_BEATS = 6
"""A run is lost when that many signs of life in a row have not come."""


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

    Raises
    ------
    RuntimeError
        If another process runs the job and is alive.
    """

    def __init__(self, collection: Collection[dict[str, Any]], about: dict[str, Any], every: float) -> None:
        self.collection, self.about, self.every = collection, about, every
        self.token = secrets.token_hex(8)
        self.folder: Path | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._claim()
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._ended.set()
        self._thread.join()

    def end(self, state: str, **words: Any) -> None:
        """Write how the job ended."""
        self._ended.set()
        self._update({"state": state, **words})

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
                progress = latest_progress(self.folder) if self.folder else None
                if not self._update({"progress": progress}):
                    _end_this_process()
            except (PyMongoError, OSError):
                continue  # the database is away: the job itself needs it only when it ends

    def _update(self, words: dict[str, Any]) -> bool:
        """Write words under this run's token; False where the job was given to another run."""
        change = {"$set": words, "$currentDate": {"beat": True}}
        return self.collection.update_one({"_id": self.about["uuid"], "token": self.token}, change).matched_count == 1


def _end_this_process() -> None:
    """End at once, with all that was started: the job was taken for lost, and another process has it."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)
