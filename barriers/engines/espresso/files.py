"""Files that the codes leave in a calculation's folder."""

from __future__ import annotations

from pathlib import Path


def outputs(folder: Path, name: str) -> list[Path]:
    """List the standard outputs of all attempts in a folder, oldest first."""
    return sorted(folder.glob(f"{name}.*.out"), key=lambda path: int(path.suffixes[0][1:]))
