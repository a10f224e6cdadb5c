"""Putting one job into the queue; what the queue refuses is said with file and key."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fireworks import FWorker, LaunchPad
from fireworks.queue.queue_launcher import launch_rocket_to_queue

from barriers.disk import writing
from barriers.dispatch.fireworks.blame import refused
from barriers.dispatch.fireworks.config import QUEUE, RESOURCES, Cluster
from barriers.study.file import naming_lines
from barriers.workflow.labels import Kind


def send(
    cluster: Cluster,
    launchpad: LaunchPad,
    worker: FWorker,
    folder: Path,
    kinds: Sequence[Kind],
    fw_id: int | None = None,
) -> str | None:
    """Reserve a job and submit it to the queue.

    Parameters
    ----------
    cluster : Cluster
        The queue.
    launchpad : LaunchPad
        Connected.
    worker : FWorker
        Which jobs may be taken.
    folder : Path
        Where the job script goes, in a folder of its own.
    kinds : sequence of str
        Kinds of job it may be: where the blame goes if the queue refuses it.
    fw_id : int or None
        The job; the first that is ready if None.

    Returns
    -------
    str or None
        Its number in the queue; None if no job was ready.

    Raises
    ------
    ValueError
        One line that says what to mend, with file and key, if the queue takes no jobs or not this one.
    """
    adapter = cluster.qadapter()
    command = adapter.q_commands[adapter.q_type]["submit_cmd"]
    if shutil.which(command) is None:
        raise ValueError(
            f"{cluster.folder / QUEUE}: _fw_q_type: no command {command} of {adapter.q_type} here; run this where "
            f"jobs are submitted, or name another queueing system"
        )
    with naming_lines(f"{cluster.folder / RESOURCES}: folder"), writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    options = {"reserve": True, "strm_lvl": "CRITICAL", "create_launcher_dir": True, "fw_id": fw_id}
    with _heard(f"qadapter.{adapter.q_name}", "queue.launcher") as lines:
        job = launch_rocket_to_queue(launchpad, worker, adapter, str(folder), **options)
    if job:
        return str(job)
    if job is None or any("No jobs exist" in line for line in lines):
        return None
    raise ValueError(refused(cluster, lines, kinds))


@contextmanager
def _heard(*names: str) -> Iterator[list[str]]:
    """Collect what FireWorks logs: it tells in no other way why a job could not be submitted."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    for name in names:
        logging.getLogger(name).addHandler(handler)
    try:
        yield lines
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(handler)
