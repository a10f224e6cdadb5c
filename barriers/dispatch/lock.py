"""One run at a time in a results folder."""

from __future__ import annotations

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "run.lock"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Keep other runs out of a results folder; the system lets go of it when this process ends, however it ends.

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
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            whose = json.loads(file.read() or "{}")
            raise BlockingIOError(
                f"{folder}: process {whose.get('pid')} on {whose.get('host')} runs here; wait for it, or stop it"
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": platform.node()}))
        file.flush()
        yield
