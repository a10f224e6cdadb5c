"""Files that the codes leave in a calculation's folder."""

from __future__ import annotations

from pathlib import Path


def outputs(folder: Path, name: str) -> list[Path]:
    """List the standard outputs of all attempts in a folder, oldest first."""
    return numbered(folder, f"{name}.*.out")


def numbered(folder: Path, pattern: str) -> list[Path]:
    """List files of all attempts whose second part is their number, e.g. ``pw.1.out``, oldest first."""
    return sorted(folder.glob(pattern), key=lambda path: int(path.suffixes[0][1:]))
