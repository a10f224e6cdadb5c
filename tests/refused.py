"""What the tests of readers ask: the barrier of a folder, or why there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from barriers.documents import BarrierDoc
from barriers.parsing import parse_folder


def read(place: Path, endpoints: tuple[Path | str, Path | str] | None = None, **more: Any) -> BarrierDoc:
    """The barrier of a folder or file; it may be refused."""
    given = None if endpoints is None else (str(endpoints[0]), str(endpoints[1]))
    return parse_folder(place, given, **more).barriers[0]


def refusal(*arguments: Any, **more: Any) -> str:
    """Why no barrier is given: the reason in the document, or the line of the error."""
    try:
        barrier = read(*arguments, **more)
    except ValueError as error:
        return str(error)
    assert (barrier.converged, barrier.forward, barrier.profile) == (False, None, None)
    assert barrier.reason
    return barrier.reason
