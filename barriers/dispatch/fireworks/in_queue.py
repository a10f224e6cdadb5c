"""Asking the queue how jobs stand: by their numbers only, never for everybody's jobs."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

ANSWER_SECONDS = 30
"""A queue that takes longer has not answered."""


@dataclass(frozen=True)
class _Words:
    """How a queueing system is asked, and what it says.

    Attributes
    ----------
    command : str
        What is run.
    arguments : tuple of str
        Before the numbers.
    joint : bool
        Whether the numbers are one argument, with commas.
    row : str
        Pattern of a line on a job: its number, and its state where the line says it.
    unknown : str
        Pattern of what it says of a job that it does not know.
    """

    command: str
    arguments: tuple[str, ...]
    joint: bool
    row: str
    unknown: str


WORDS = {
    "SLURM": _Words("squeue", ("-h", "-o", "%i %T, %r", "-j"), True, r"^(\d+) (.+)$", "Invalid job id"),
    "PBS": _Words("qstat", (), False, r"^(\d+)\S* .* (\w) +\S+ *$", "Unknown Job|has finished"),
    "SGE": _Words("qstat", ("-j",), True, r"^job_number: +(\d+)()", "do not exist"),
    "LoadSharingFacility": _Words("bjobs", ("-noheader", "-o", "jobid stat"), False, r"^(\d+) +(\w+)", "is not found"),
}

ENDED = {"C", "F", "DONE", "EXIT", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
"""States of jobs that a queue still lists, but that have ended; none of them means anything else in another queue."""


def states_in_queue(kind: str, queue_ids: Iterable[str], command: str | None = None) -> dict[str, str | None]:
    """Ask for the states of jobs.

    Parameters
    ----------
    kind : str
        Queueing system, one of :data:`WORDS`.
    queue_ids : iterable of str
        Ids of jobs.
    command : str or None
        Instead of the queueing system's own.

    Returns
    -------
    dict
        By the ids as they were given: the state in the queue's own words, Slurm's with the reason, or None once the job
        is over. Empty when the queue's command is missing or fails: then nothing is known.
    """
    numbers = {queue_id: queue_id.partition(".")[0] for queue_id in sorted(queue_ids)}  # PBS adds its server's name
    if not numbers:
        return {}
    words = WORDS[kind]
    asked = list(dict.fromkeys(numbers.values()))
    try:
        answer = subprocess.run(
            [command or words.command, *words.arguments, *([",".join(asked)] if words.joint else asked)],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if answer.returncode and not re.search(words.unknown, answer.stdout + answer.stderr):
        return {}
    listed = {
        job: state.removesuffix(", None") or "in the queue"
        for job, state in re.findall(words.row, answer.stdout, re.MULTILINE)
        if state.partition(",")[0] not in ENDED
    }
    return {queue_id: listed.get(job) for queue_id, job in numbers.items()}
