"""Files that a calculation keeps in its folder: outputs of its attempts, corrections, and which process runs it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CORRECTIONS = "corrections.json"


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
