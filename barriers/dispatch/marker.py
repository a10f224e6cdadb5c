"""A note in a results folder that its study was dispatched, and with which configuration."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from barriers.disk import writes_folder

MARKER = "dispatched.json"


@dataclass(frozen=True)
class Marker:
    """Configuration folder a study was submitted with, and when (s since 1970)."""

    config: Path
    since: float


@writes_folder
def write_marker(folder: Path, config: Path) -> None:
    """Note that a study was submitted; the note holds a path and nothing secret."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text(json.dumps({"config": str(config), "since": time.time()}), "utf-8")


def read_marker(folder: Path) -> Marker | None:
    """Read the note; None where there is none."""
    path = folder / MARKER
    if not path.exists():
        return None
    content = json.loads(path.read_text("utf-8"))
    return Marker(Path(content["config"]), content["since"])
