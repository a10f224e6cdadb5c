"""Looking at a study again and again, as long as somebody asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from barriers.dispatch.status import GroupStatus, JobStatus
from barriers.report.live.ledger import Ledger
from barriers.secrecy import hide

EVERY = 1.0
"""Seconds between two looks, at least."""

SHARE = 4.0
"""A look that takes long is followed by so many times as long without one: a large study costs its database little."""

AGAIN = 3.0
"""Seconds until the next look, where the last one failed."""

FORGOTTEN = 30.0
"""When nobody has asked for so long (s), nobody looks."""


class Watcher:
    """Sees where a study stands, in a thread of its own: whoever asks is answered at once, whatever a database does.

    Parameters
    ----------
    study : str
        Name of the study.
    read : callable
        Reads all its jobs; what it raises is told, and the next look tries again.
    """

    def __init__(self, study: str, read: Callable[[], list[JobStatus]]) -> None:
        self.ledger, self.read = Ledger(study), read
        self._lock = threading.Lock()
        self._asked = time.monotonic()
        self._wanted, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look that hangs in a database is left to end with the process."""
        self._stopped.set()
        self._wanted.set()
        self._thread.join(1.0)

    def since(self, revision: int) -> dict[str, Any] | None:
        """Give what is newer than a revision; None if nothing is."""
        self._asked = time.monotonic()
        self._wanted.set()
        with self._lock:
            return None if revision == self.ledger.revision else self.ledger.since(revision)

    def group(self, at: int) -> tuple[GroupStatus, list[list[float]]] | None:
        """Give a system and hop by its row, and the forces seen of its job; None where there is no such row."""
        with self._lock:
            if not 0 <= at < len(self.ledger.groups):
                return None
            group = self.ledger.groups[at]
            return group, list(self.ledger.curves.get(group.job.uuid, []))

    def look(self) -> bool:
        """Look once; False if there was nothing to be seen."""
        try:
            jobs = self.read()
        except Exception as error:  # a store half written, a database that is away: all of it may be right again later
            words = hide(str(error)).splitlines()
            with self._lock:
                self.ledger.fail(words[0] if words else type(error).__name__)
            return False
        with self._lock:
            self.ledger.take(jobs)
        return True

    def _watch(self) -> None:
        while not self._stopped.is_set():
            began = time.monotonic()
            seen = self.look()
            self._stopped.wait(max(EVERY, SHARE * (time.monotonic() - began)) if seen else AGAIN)
            if time.monotonic() - self._asked > FORGOTTEN:
                self._wanted.clear()
                self._wanted.wait()
