"""What a running calculation tells of itself: a line for each iteration, and of a band how it looks just now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LINES, NOW = ".progress.jsonl", ".now.json"
"""Endings of the files that lines, and the newest state of a band, are written to."""

Row = dict[str, Any]


def latest_progress(folder: Path) -> Row | None:
    """Read the newest progress line of a job's folder; None before its first."""
    files = newest_last(folder, f"*{LINES}")
    return next(iter(_whole(reversed(_lines(files[-1])))), None) if files else None


def progress_of(folder: Path, kind: str) -> list[Row]:
    """Read all progress lines of a kind of calculation in a job's folder; a calculation after the other."""
    return [row for path in newest_last(folder, f"{kind}-*{LINES}") for row in _whole(_lines(path))]


def newest_last(folder: Path, pattern: str) -> list[Path]:
    """Give the files of a folder that fit a pattern, by the time of their last change; none that goes meanwhile."""
    found = []
    for path in folder.glob(pattern):
        try:
            found.append((path.stat().st_mtime, path))
        except FileNotFoundError:
            continue
    return [path for _, path in sorted(found)]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def _whole(lines: Any) -> Any:
    """Give the rows of lines that are whole: a job that is being killed, or a full disk, leaves half of one."""
    for line in lines:
        if not line.endswith("}"):
            continue
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row
