"""Files that a calculation keeps in its folder: outputs of its attempts, corrections, and which process runs it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

CORRECTIONS = "corrections.json"
RUNNING = "running.json"


def outputs(folder: Path, name: str) -> list[Path]:
    """List the standard outputs of all attempts in a folder, oldest first."""
    return sorted(folder.glob(f"{name}.*.out"), key=lambda path: int(path.suffixes[0][1:]))


@dataclass
class Corrections:
    """Keywords that handlers have changed in a calculation, kept in its folder for later runs.

    Attributes
    ----------
    keywords : dict
        The keywords.
    rungs : dict[str, int]
        How far each ladder of handlers has been climbed.
    """

    keywords: dict[str, Any] = field(default_factory=dict)
    rungs: dict[str, int] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Keep them."""
        (folder / CORRECTIONS).write_text(json.dumps(asdict(self)), "utf-8")


def load_corrections(folder: Path) -> Corrections:
    """Read what handlers have changed; nothing where there is no such file."""
    path = folder / CORRECTIONS
    return Corrections(**json.loads(path.read_text("utf-8"))) if path.exists() else Corrections()


def note_running(folder: Path, pid: int) -> None:
    """Note which process runs in a folder, and who started it."""
    record = {"host": platform.node(), "pid": pid, "parent": os.getpid()}
    (folder / RUNNING).write_text(json.dumps(record), "utf-8")


def end_orphan(folder: Path) -> None:
    """End a code that an earlier process, now dead, left running in a folder.

    Raises
    ------
    RuntimeError
        If the process that started it is alive: two runs must not share a folder.
    """
    path = folder / RUNNING
    if not path.exists():
        return
    record = json.loads(path.read_text("utf-8"))
    if record["host"] != platform.node():
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(record["pid"])
        if process.status() == psutil.STATUS_ZOMBIE or Path(process.cwd()) != folder.resolve():
            return
        if record["parent"] != os.getpid() and psutil.pid_exists(record["parent"]):
            raise RuntimeError(f"{folder}: process {record['parent']} runs this calculation already")
        for each in [*process.children(recursive=True), process]:
            each.terminate()
        psutil.wait_procs([process], timeout=30)
