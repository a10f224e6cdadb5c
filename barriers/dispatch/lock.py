"""One run at a time in a results folder, and what to do where files cannot be locked."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TextIO

from barriers.disk import NO_LOCKS

LOCK, NOTE = "run.lock", "no-locks.txt"

HANDED_ON = 2.0
"""A process killed while it starts a program leaves its lock to that child until the program begins, that long (s)."""

logger = logging.getLogger(__name__)


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Keep other runs out of a results folder; the system lets go of it when this process ends, however it ends.

    On a file system without locks nothing is kept out, and a warning says so.

    Parameters
    ----------
    folder : Path
        Results folder; made if it is not there.

    Raises
    ------
    BlockingIOError
        If another process runs there: one line that names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except BlockingIOError:
            file.seek(0)
            whose = json.loads(file.read() or "{}")
            raise BlockingIOError(
                f"{folder}: process {whose.get('pid')} on {whose.get('host')} runs here; wait for it, or stop it"
            ) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            logger.warning("! %s: this file system has no locks; start one run at a time in this folder", folder)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        file.flush()
        yield


def _lock(file: TextIO) -> None:
    """Lock a file at once, or as soon as it is free within :data:`HANDED_ON`."""
    until = time.monotonic() + HANDED_ON
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@cache
def has_locks(folder: Path) -> bool:
    """Whether SQLite can lock a file in a folder.

    Where it cannot, a note stays in the folder: a machine that mounts the same file system with locks has to guard the
    file in the same way as those that do not.
    """
    note = folder / NOTE
    if note.exists():
        return False
    try:
        with tempfile.TemporaryFile(dir=folder) as file:  # closing a file of SQLite's own would drop its locks
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            return True  # SQLite will say what is wrong with the folder
        with suppress(OSError):
            note.write_text("File system without locks: a folder *.lock guards each SQLite file here.\n", "utf-8")
        return False
    return True
