"""What reaches the terminal, whatever its encoding."""

from __future__ import annotations

import codecs
import io
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from barriers.words import in_ascii


def take_any_text() -> None:
    """Let standard output and error take any text: what their encoding lacks is written in ASCII."""
    codecs.register_error("in_ascii", _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="in_ascii")


def say(text: object, err: bool = False) -> None:
    """Print a line. Typer's own ``echo`` would write UTF-8 where ASCII is asked for."""
    print(text, file=sys.stderr if err else sys.stdout, flush=True)


def by_figure(paths: Iterable[str]) -> list[str]:
    """Name the files of a figure in a line: ``results/profiles.png, .svg, .pdf``."""
    endings: dict[Path, list[str]] = {}
    for path in map(Path, paths):
        endings.setdefault(path.with_suffix(""), []).append(path.suffix)
    return [f"{stem}{', '.join(found)}" for stem, found in endings.items()]


def this_command() -> str:
    """Give the command line of this process, as it is typed."""
    return shlex.join(["barriers", *sys.argv[1:]])


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":  # stands for a byte of a file's name that the locale could not read
        return letter.encode("utf-8", "surrogateescape"), error.start + 1
    return in_ascii(letter), error.start + 1
