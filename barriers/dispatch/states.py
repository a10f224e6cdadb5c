"""What each job of a results folder is doing: a table that the local runner writes and anyone reads."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import psutil

from barriers.dispatch.opening import DOCUMENTS, of_the_system, opened

State = Literal["waiting", "running", "done", "reused", "unconverged", "failed", "skipped"]


@dataclass(frozen=True)
class JobState:
    """One job of a run.

    Attributes
    ----------
    uuid, name : str
        The job.
    kind, system, hop : str
        What it is for: its metadata.
    number : int
        Its place in the flow, from 1.
    state : str
        ``waiting``, ``running``, ``done``, ``reused``, ``unconverged``, ``failed`` or ``skipped``.
    folder : str
        Where it runs or ran.
    started, ended : float or None
        Times (s since 1970).
    message : str
        Why it failed, was skipped or is not converged.
    force_calls : int
        Evaluations of this run.
    pid, host : int or None, str
        Process that runs it, and on which machine.
    cores : int
        Cores it was given.
    """

    uuid: str
    name: str
    kind: str
    system: str
    hop: str
    number: int
    state: State = "waiting"
    folder: str = ""
    started: float | None = None
    ended: float | None = None
    message: str = ""
    force_calls: int = 0
    pid: int | None = None
    host: str = ""
    cores: int = 0

    @property
    def process(self) -> psutil.Process | None:
        """The process that runs the job, if it is on this machine and alive."""
        if self.state != "running" or self.pid is None or self.started is None or self.host != platform.node():
            return None
        try:
            process = psutil.Process(self.pid)
            # A process that began later has been given the number of one that is gone.
            alive = process.create_time() <= self.started + 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if alive else None

    @property
    def is_stopped(self) -> bool:
        """Whether the job was running when the run was asked to stop: the next run continues it."""
        return self.state == "waiting" and self.message == STOPPED

    @property
    def is_lost(self) -> bool:
        """Whether the job was running when its process was killed: the next run continues it."""
        return self.state == "running" and self.host == platform.node() and self.process is None


STOPPED = "stopped"
"""Message of a job that waits because the run was asked to stop while it was running."""

COLUMNS = tuple(field.name for field in fields(JobState))


class JobStates:
    """The states of the jobs of one results folder, in the file that holds the documents.

    Parameters
    ----------
    folder : Path
        Results folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / DOCUMENTS

    def begin(self, states: Sequence[JobState]) -> None:
        """Forget the last run, and write the jobs of a new one."""
        values = [[getattr(state, name) for name in COLUMNS] for state in states]
        with self._opened() as database:
            database.execute(f"CREATE TABLE IF NOT EXISTS jobs ({', '.join(COLUMNS)}, PRIMARY KEY (uuid))")
            database.execute("DELETE FROM jobs")
            database.executemany(f"INSERT INTO jobs VALUES ({', '.join('?' * len(COLUMNS))})", values)

    def change(self, uuid: str, **values: Any) -> None:
        """Write fields of one job."""
        assignments = ", ".join(f"{name} = ?" for name in values)
        with self._opened() as database:
            database.execute(f"UPDATE jobs SET {assignments} WHERE uuid = ?", [*values.values(), uuid])

    def read(self, state: State | None = None) -> list[JobState]:
        """Give the jobs in the flow's order, all or those in one state; none where nothing was run."""
        if not self.path.exists():
            return []
        chosen = ("WHERE state = ?", [state]) if state else ("", [])
        with self._opened() as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'jobs'").fetchone():
                return []
            rows = database.execute(f"SELECT {', '.join(COLUMNS)} FROM jobs {chosen[0]} ORDER BY number", chosen[1])
            return [JobState(*row) for row in rows]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with of_the_system(self.path), closing(opened(self.path)) as connection, connection:
            yield connection
