"""Files as people keep them: compressed or not."""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path

from monty.io import zopen

COMPRESSED = (".gz", ".bz2", ".xz", ".lzma")
"""Endings of compressed files that every reader takes in the place of the plain ones."""

HEAD = 50_000
"""A code names itself within so many bytes of its output, whatever the queue printed before."""


def there(path: Path) -> Path | None:
    """Find a file under its own name, or compressed; None where there is none, or it is empty."""
    for ending in ("", *COMPRESSED):
        candidate = path.with_name(path.name + ending)
        if candidate.is_file() and candidate.stat().st_size:
            return candidate
    return None


def is_of_a_code(path: Path) -> bool:
    """Whether an ``.xyz`` is what CP2K or Quantum ESPRESSO write beside a band: a replica's history, or pictures."""
    name = plain_name(path)
    return "-pos-Replica_nr_" in name or there(path.with_name(name.removesuffix(".xyz") + ".axsf")) is not None


def plain_name(path: Path) -> str:
    """Name of a file without the ending that its compression gave it."""
    return path.name.removesuffix(path.suffix) if path.suffix in COMPRESSED else path.name


def read_bytes(path: Path, first: int = -1) -> bytes:
    """Read a file, compressed or not; only so many of its ``first`` bytes where that is not negative.

    Raises
    ------
    ValueError
        One line, if it is not a whole compressed file.
    """
    try:
        with zopen(path, mode="rb") as file:
            return bytes(file.read(first))
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"{path}: is no whole compressed file: {error}") from error


def read_text(path: Path, first: int = -1) -> str:
    """Read a text file, or its beginning, as :func:`read_bytes` does; what is no UTF-8 is replaced."""
    return read_bytes(path, first).decode("utf-8", errors="replace").replace("\r\n", "\n")


def beginning(path: Path) -> str:
    """First words of a file that may be anything; empty where it cannot be read."""
    try:
        return read_text(path, HEAD)
    except (OSError, ValueError):
        return ""


def files_with(place: Path, words: str) -> list[Path]:
    """Files of a folder that have some words at their beginning, whatever they are called; or the one file itself."""
    paths = sorted(place.iterdir()) if place.is_dir() else [place]
    return [path for path in paths if path.is_file() and words in beginning(path)]


def same_content(paths: list[Path]) -> bool:
    """Whether files hold the same once they are unpacked."""
    first, *others = (read_bytes(path) for path in paths)
    return all(other == first for other in others)
