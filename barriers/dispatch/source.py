"""Where the state of a study is read: where it runs here, or where it was dispatched to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barriers.dispatch.marker import MARKER, read_marker
from barriers.dispatch.states import JobStates
from barriers.dispatch.status import JobStatus, LocalStatus

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster


def status_source(folder: Path, config: Path | None) -> Callable[[], list[JobStatus]]:
    """Find out whether a study runs here or was dispatched last, and give what reads its jobs.

    Parameters
    ----------
    folder : Path
        Its results folder.
    config : Path or None
        Configuration folder, which says that it was dispatched.

    Raises
    ------
    ValueError
        If it was neither run nor submitted from here.
    """
    if (cluster := cluster_of(folder, config)) is None:
        return LocalStatus(folder)
    from barriers.dispatch.fireworks.seen import dispatched_status

    return lambda: dispatched_status(cluster, folder.name)


def following_source(folder: Path, config: Path | None) -> Callable[[], list[JobStatus]]:
    """Give what reads a study's jobs wherever it is run next: here, or dispatched, or not yet at all.

    What it gives raises ValueError as long as nothing was run or submitted; see :func:`status_source`.
    """
    last: tuple[Any, Callable[[], list[JobStatus]]] | None = None

    def read() -> list[JobStatus]:
        nonlocal last
        sent, here = (_changed(path) for path in (folder / MARKER, JobStates(folder).path))
        now = sent, here > 0, here > sent
        if last is None or last[0] != now:
            last = now, status_source(folder, config)
        return last[1]()

    return read


def _changed(path: Path) -> float:
    """When a file was changed last (s since 1970); 0 where there is none."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def cluster_of(folder: Path, config: Path | None) -> Cluster | None:
    """Find out where a study was dispatched to; None if it ran here last. As for :func:`status_source`."""
    marker = read_marker(folder)
    local = JobStates(folder)
    if config is None and local.read() and (marker is None or local.path.stat().st_mtime > marker.since):
        return None
    if marker is None and config is None:
        raise ValueError(f"{folder}: nothing was run or submitted here; `barriers run` or `barriers submit` does")
    from barriers.dispatch.fireworks.config import find_cluster

    return find_cluster(config or (marker.config if marker else None))
