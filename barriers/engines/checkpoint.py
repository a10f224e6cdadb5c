"""What a running calculation keeps on disk: a checkpoint each iteration, and a line of progress.

Files carry a digest of the calculation's input in their names, so jobs that share a folder do not meet, and a job
that runs again in the same folder finds its own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from monty.json import MontyDecoder, MontyEncoder

from barriers.contents import digest
from barriers.disk import writing


class Checkpoint:
    """State of one calculation in the current folder.

    Parameters
    ----------
    kind : str
        ``relax`` or ``neb``.
    inputs : Any
        Everything the result depends on, as for :func:`~barriers.contents.canonical`.

    Attributes
    ----------
    folder : Path
        Where a code that writes files of its own may run; not made here.
    """

    def __init__(self, kind: str, inputs: Any) -> None:
        name = f"{kind}-{digest(inputs)[:12]}"
        self.kind = kind
        self.path = Path.cwd() / f"{name}.checkpoint.json"
        self.folder = Path.cwd() / name
        self.progress = Path.cwd() / f"{name}.progress.jsonl"
        self._started = time.monotonic()
        self._before = 0.0

    def load(self) -> dict[str, Any] | None:
        """Read the last whole state; None where there is none."""
        if not self.path.exists():
            return None
        state: dict[str, Any] = json.loads(self.path.read_text("utf-8"), cls=MontyDecoder)
        self._before = state["wall_time"]
        return state

    @property
    def wall_time(self) -> float:
        """Seconds spent, earlier runs included."""
        return self._before + time.monotonic() - self._started

    def save(self, state: dict[str, Any], progress: dict[str, Any]) -> None:
        """Replace the state in one step, so that a kill leaves the old one or the new one, and log progress."""
        partial = self.path.with_suffix(".partial")
        with writing(self.path):
            partial.write_text(json.dumps(state | {"wall_time": self.wall_time}, cls=MontyEncoder), "utf-8")
            partial.replace(self.path)
        self.tell(progress)

    def tell(self, progress: dict[str, Any]) -> None:
        """Log progress."""
        with self.progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": self.kind, "wall_time": round(self.wall_time, 2)} | progress) + "\n")


def latest_progress(folder: Path) -> dict[str, Any] | None:
    """Read the newest progress line of a job's folder; None before its first."""
    files = sorted(folder.glob("*.progress.jsonl"), key=lambda path: path.stat().st_mtime)
    lines = files[-1].read_text("utf-8").splitlines() if files else []
    whole = [line for line in lines if line.endswith("}")]
    progress: dict[str, Any] | None = json.loads(whole[-1]) if whole else None
    return progress
