"""Showing what is on a LaunchPad: what was added, what is under way, whose studies there are."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from barriers.dispatch.status import FIREWORKS, STATES

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.launch import Round
    from barriers.dispatch.fireworks.listing import StudyOnLaunchPad
    from barriers.dispatch.fireworks.recover import Recovered
    from barriers.dispatch.fireworks.submit import Submitted


def submitted_lines(done: Submitted, study_file: Path) -> list[str]:
    """Say what was added and what was there, and what to do next."""
    lines = [f"{done.scope}: {_number(done.added, 'job')} added in {_number(done.workflows, 'workflow')}"]
    if done.present:
        lines.append(f"there already: {_counted(done.present)}")
    if done.changed:
        lines.append(f"{done.changed} of them, not begun yet, got new settings or resources")
    if done.withdrawn:
        lines.append(f"{done.withdrawn} jobs of an earlier version of the study were withdrawn (DEFUSED)")
    if done.present.get("FIZZLED"):
        lines.append(
            f"failed jobs: `barriers status {study_file}` says why, `barriers recover {study_file}` repeats them"
        )
    lines.append(f"next: `barriers launch {study_file}`, or FireWorks' own qlaunch")
    return lines


def studies_table(studies: list[StudyOnLaunchPad]) -> Table:
    """Lay out the studies on a LaunchPad."""
    table = Table(header_style="bold")
    for heading in ("Owner", "Study", "Since (UTC)", "Jobs"):
        table.add_column(heading)
    for study in studies:
        table.add_row(study.owner, study.study, study.since[:16].replace("T", " "), _counted(study.states))
    return table


def recovered_table(jobs: list[Recovered]) -> Table:
    """Lay out what had happened to jobs, and what was done."""
    table = Table(header_style="bold")
    for heading in ("Job", "What had happened", "What was done", "Goes on from", "Lost (s)"):
        table.add_column(heading, overflow="fold")
    for job in jobs:
        known = {"iteration": job.iteration, "force calls": job.force_calls}
        place = ", ".join(f"{word} {number}" for word, number in known.items() if number is not None)
        where = "\n".join(filter(None, (place, job.folder)))
        table.add_row(job.name, job.happened, job.done, where, f"{job.seconds_lost:.0f}")
    return table


class RoundView:
    """Writes a line whenever the count of jobs changes; called with rounds."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self.last = ""

    def trouble(self, line: str) -> None:
        """Take what keeps the launcher from looking."""
        self.console.print(f"{line}; trying again")

    def __call__(self, seen: Round) -> None:
        """Take a look of the launcher."""
        for job in seen.put_back:
            self.console.print(f"{job.name}: {job.happened}: {job.done}")
        line = _counted(seen.states) or "nothing to do"
        if line != self.last:
            self.console.print(line)
            self.last = line


def _counted(states: dict[str, int]) -> str:
    """Count jobs by FireWorks' states in the words of `barriers status`, what needs help first."""
    numbers: Counter[str] = Counter()
    for state, number in states.items():
        numbers[FIREWORKS.get(state, "waiting")] += number
    return ", ".join(f"{numbers[state]} {state}" for state in STATES if numbers[state])


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
