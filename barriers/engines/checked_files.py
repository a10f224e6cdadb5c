"""Files that a number rests on: their checksums and their contents, read again only where the file has changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

YOUNG = 2e9
"""Within this time (ns) a file may be written again without a new time stamp, on file systems with coarse ones."""


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, computed once for each state of the file in this process.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return _once_for_each_state(_sha256, path)


def read_yaml(path: Path) -> Any:
    """Read a YAML file, once for each state of the file in this process; the content may be changed.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return deepcopy(_once_for_each_state(_yaml, path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


def _once_for_each_state(read: Callable[[Path], Any], path: Path) -> Any:
    path = path.absolute()
    state = path.stat()
    if time.time_ns() - state.st_mtime_ns < YOUNG:
        return read(path)
    return _kept(read, path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=64)
def _kept(read: Callable[[Path], Any], path: Path, _state: tuple[int, ...]) -> Any:
    return read(path)
