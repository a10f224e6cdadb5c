"""Which process runs in a folder, so that two runs never share one and an orphan is ended."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import psutil

RUNNING = "running.json"


def note_running(folder: Path, pid: int) -> None:
    """Note which process runs in a folder, and who started it."""
    record = {"host": platform.node(), "pid": pid, "parent": os.getpid()}
    (folder / RUNNING).write_text(json.dumps(record), "utf-8")


def is_running(folder: Path) -> bool:
    """Whether the code that was last started in a folder, on this machine, still runs."""
    path = folder / RUNNING
    if not path.exists():
        return False
    record = json.loads(path.read_text("utf-8"))
    if record["host"] != platform.node():
        return False
    try:
        process = psutil.Process(record["pid"])
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def end_orphan(folder: Path) -> None:
    """End a code that an earlier process, now dead, left running in a folder.

    Raises
    ------
    RuntimeError
        If the process that started it is alive: two runs must not share a folder.
    """
    if not is_running(folder):
        return
    record = json.loads((folder / RUNNING).read_text("utf-8"))
    if record["parent"] != os.getpid() and psutil.pid_exists(record["parent"]):
        raise RuntimeError(f"{folder}: process {record['parent']} runs this calculation already")
    process = psutil.Process(record["pid"])
    for each in [*process.children(recursive=True), process]:
        each.terminate()
    psutil.wait_procs([process], timeout=30)


def end_this_process() -> None:
    """End this process at once, and all that it started."""
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)
