"""Showing where a study stands: a table of its systems and hops, and JSON with every job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from barriers.dispatch.status import STATES, GroupStatus, JobStatus, grouped

STYLES = {
    "failed": "red",
    "lost": "red",
    "running": "cyan",
    "stopped": "yellow",
    "not converged": "yellow",
    "skipped": "yellow",
    "withdrawn": "dim",
    "done": "green",
}

HEADINGS = ("System", "Hop", "State", "Job", "Iteration", "Force (eV/Å)", "Barrier so far (eV)", "Time", "Queue")
WORDS = HEADINGS[:4]

MOST_ROWS = 60
"""Systems and hops that are shown each; of more, those that are done or wait are only counted."""


def status_json(study: str, jobs: Sequence[JobStatus]) -> dict[str, Any]:
    """What ``--json`` says of where a study stands: times in seconds, forces in eV/Å, energies in eV."""
    return {
        "study": study,
        "states": counted(jobs),
        "hops": [
            {
                "system": group.system,
                "hop": group.hop,
                "state": group.state,
                "jobs": group.jobs,
                "done": group.done,
                "barrier_so_far": group.barrier,
                "job": group.job.name,
            }
            for group in grouped(jobs)
        ],
        "jobs": [asdict(job) for job in jobs],
    }


def counted(jobs: Sequence[JobStatus]) -> dict[str, int]:
    """Number of jobs in each state, what needs help first."""
    numbers = Counter(job.state for job in jobs)
    return {state: numbers[state] for state in STATES if state in numbers}


def status_view(study: str, jobs: Sequence[JobStatus]) -> Group:
    """Lay out where a study stands."""
    groups = grouped(jobs)
    shown = groups
    if len(groups) > MOST_ROWS:
        shown = [group for group in groups if group.state not in ("done", "waiting")][:MOST_ROWS]
    words = ", ".join(f"{number} {state}" for state, number in counted(jobs).items())
    lines = [Text(f"{study}: {words}")]
    if hidden := len(groups) - len(shown):
        lines.append(Text(f"{hidden} of {len(groups)} systems and hops not shown; --json has every job"))
    return Group(_table(shown), *lines, *(Text(line, style="red") for line in _troubles(jobs)))


def _table(groups: Sequence[GroupStatus]) -> Table:
    table = Table(header_style="bold", caption="time: so far, of what jobs of its kind took in this study (h:mm:ss)")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in WORDS else "right")
    for group in groups:
        table.add_row(*map(escape, cells(group)), style=STYLES.get(group.state))
    return table


def cells(group: GroupStatus) -> list[str]:
    """Write down where a system and hop stands: a text for each of :data:`HEADINGS`."""
    job = group.job
    goal = job.progress.get("target")
    force = f"{job.progress['max_force']:.3f} → {goal:g}" if goal is not None else ""
    usual = f" of {clock(job.expected)}" if job.expected is not None and job.state == "running" else ""
    return [
        group.system or "study",
        group.hop or "—",
        f"{group.state} {group.done}/{group.jobs}",
        "" if group.state == "done" else job.name.partition(": ")[2] or job.name,
        _iteration(job) if group.state != "done" else "",
        force if group.state != "done" else "",
        "" if group.barrier is None else f"{group.barrier:.3f}",
        "" if job.elapsed is None or group.state == "done" else f"{clock(job.elapsed)}{usual}",
        job.queue_id if group.state != "done" else "",
    ]


def _iteration(job: JobStatus) -> str:
    """Say how far a job is: its iteration, or the ns of molecular dynamics that are done, of those asked for."""
    if "ns_asked" in job.progress:
        made, asked = job.progress["ns"], job.progress["ns_asked"]
        return f"{made:.3g} of {asked:.3g} ns" if made else str(job.progress["stage"])
    stage = {"plain": " plain", "climbing": " climbing"}.get(job.progress.get("stage", ""), "")
    return f"{job.progress['iteration']}{stage}" if "iteration" in job.progress else ""


def _troubles(jobs: Sequence[JobStatus]) -> list[str]:
    """Last words of what failed, got lost or did not converge."""
    told = ("failed", "lost", "not converged")
    return [f"{job.state}: {last_words(job)}" for job in jobs if job.state in told][:MOST_ROWS]


def last_words(job: JobStatus) -> str:
    """Say why a job failed, got lost or did not converge, and which it is."""
    words = job.message or (f"no sign of life; files in {job.folder}" if job.folder else "no sign of life")
    return words if words.startswith(job.name) else f"{job.name}: {words}"


def clock(seconds: float) -> str:
    """Write a time as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
