"""Opening the file that holds a study's documents and the states of its jobs: SQLite alone, no maggma."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from barriers.dispatch.lock import has_locks

DOCUMENTS = "documents.sqlite"
"""Its name in a results folder."""

BUSY_SECONDS = 60.0
"""How long a process waits for another one that writes (s)."""

ERRORS = {sqlite3.SQLITE_FULL: errno.ENOSPC, sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_BUSY: errno.EBUSY}
"""What SQLite's errors are in the system's numbers."""


def opened(path: Path | str) -> sqlite3.Connection:
    """Open a file that other processes use too.

    Where the file system has no locks, a folder ``PATH.lock`` stands for the lock: making one is a single step on every
    file system. SQLite without any lock would let a reader undo what another process is writing.
    """
    path = Path(path).absolute()
    locking = "" if has_locks(path.parent) else "?vfs=unix-dotfile"
    return sqlite3.connect(f"{path.as_uri()}{locking}", uri=True, timeout=BUSY_SECONDS)


@contextmanager
def of_the_system(path: Path | str) -> Iterator[None]:
    """Raise what SQLite says of disk and file system as the system's own errors, with the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        number = ERRORS.get(error.sqlite_errorcode & 0xFF)
        if number is None:
            raise
        left = Path(f"{path}.lock")
        words = f"locked; if nothing runs, a killed process left {left}: remove it" if left.is_dir() else str(error)
        raise OSError(number, os.strerror(number) if number != errno.EBUSY else words, str(path)) from error


def output_of(path: Path, uuid: str) -> dict[str, Any]:
    """Read the newest output of a job as plain JSON, without the classes it stands for; empty where there is none."""
    newest = "SELECT output FROM documents WHERE uuid = ? AND output IS NOT NULL ORDER BY id DESC LIMIT 1"
    with of_the_system(path), closing(opened(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
            return {}  # the documents are in a store elsewhere, and only the states of jobs here
        row = connection.execute(newest, [uuid]).fetchone()
    content = json.loads(zlib.decompress(row[0])) if row else None
    return content if isinstance(content, dict) else {}
