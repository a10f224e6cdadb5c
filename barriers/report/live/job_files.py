"""What the files of a system and hop tell while it runs: forces over the iterations, profile, last lines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from barriers.dispatch.status import GroupStatus, JobStatus
from barriers.engines.progress import NOW, latest_progress, newest_last, progress_of
from barriers.report.status import clock
from barriers.secrecy import hide

TEXTS = ("error.txt", "*.out", "*/*.out", "*/OSZICAR", "*/*/OSZICAR", "*/vasp.out")
"""What codes write that a person reads, below a job's folder."""

TAIL_BYTES, TAIL_LINES = 4096, 12


def details(group: GroupStatus, seen: list[list[float]]) -> dict[str, Any]:
    """Tell of a system and hop what a row has no room for.

    Parameters
    ----------
    group : GroupStatus
        Its jobs.
    seen : list of [iteration, force]
        What was seen of its job while it was watched, for want of its files.

    Returns
    -------
    dict[str, Any]
        ``jobs``: cells of a table; ``forces``: iteration and largest force (eV/Å) each; ``target``: its goal;
        ``profile``: path lengths (Å) and energies (eV) of the newest band; ``lines``: the last of its output;
        ``where``: of whose files; ``stamp``: another one once the band has changed; ``has_band``: whether there may be
        one to be seen.
    """
    job = told_of(group)
    folder = Path(job.folder) if job.folder else None
    here = folder is not None and folder.is_dir()
    rows = progress_of(folder, "neb" if job.kind == "neb" else "relax") if folder and here else []
    newest = (latest_progress(folder) if folder and here else None) or job.progress
    bands = [each for each in group.members if each.kind == "neb"]
    done = any(each.state in ("done", "not converged") for each in bands)
    return {
        "jobs": [_cells(each) for each in group.members],
        "job": job.name,
        "forces": [[number, row["max_force"]] for number, row in enumerate(rows) if "max_force" in row] or seen,
        "target": newest.get("target"),
        "profile": newest.get("profile"),
        "lines": list(_tail(folder)) if folder and here else [],
        "where": _where(job, here),
        "stamp": _stamp(group, folder if here else None),
        "has_band": done or bool(here and job.kind == "neb"),
    }


def told_of(group: GroupStatus) -> JobStatus:
    """Choose the job whose files are shown: one that runs, else the last band or calculation that has begun."""
    running = [job for job in group.members if job.state == "running"]
    begun = [job for job in group.members if job.folder and job.kind != "analysis"]
    bands = [job for job in begun if job.kind == "neb"]
    return next(iter([*running, *bands[-1:], *begun[-1:]]), group.job)


def _cells(job: JobStatus) -> list[str]:
    time = "" if job.elapsed is None else clock(job.elapsed)
    return [job.name, job.state, time, job.queue_id, job.host, job.folder, hide(job.message)]


def _where(job: JobStatus, here: bool) -> str:
    if not job.folder:
        return "not begun yet: no files"
    return job.folder if here else f"{job.folder} on {job.host or 'another machine'}, not seen from here"


def _stamp(group: GroupStatus, folder: Path | None) -> str:
    bands = newest_last(folder, f"*{NOW}") if folder else []
    changed = bands[-1].stat().st_mtime_ns if bands and bands[-1].exists() else 0
    return f"{group.done}-{group.state}-{changed}"


def _tail(folder: Path) -> Iterator[str]:
    """Give the last lines of what was written last; of a job that writes none, of its progress."""
    texts = [path for pattern in TEXTS for path in newest_last(folder, pattern)[-1:]]
    newest = max(texts, key=lambda path: path.stat().st_mtime if path.exists() else -math.inf, default=None)
    if newest is not None and newest.exists():
        with newest.open("rb") as file:
            file.seek(max(0, newest.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
        yield f"{newest.relative_to(folder)}:"
        yield from hide(text).splitlines()[-TAIL_LINES:]
        return
    for row in [*progress_of(folder, "relax"), *progress_of(folder, "neb")][-TAIL_LINES:]:
        if "max_force" in row:
            height = f", highest image {row['highest_image']:.3f} eV" if "highest_image" in row else ""
            calls = f", {row['force_calls']} force calls" if "force_calls" in row else ""
            stage = row.get("stage") or row.get("kind", "")
            yield f"{stage} {row.get('iteration', '')}: largest force {row['max_force']:.3f} eV/Å{height}{calls}"
