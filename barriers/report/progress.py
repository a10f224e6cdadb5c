"""Showing a run while it goes on, from the events of the runner and the progress lines engines write."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from barriers.dispatch.local import JobEvent
from barriers.engines.progress import latest_progress
from barriers.report.forecast import Forecast, in_words

SIGNS = {"done": "✓", "reused": "=", "unconverged": "!", "failed": "✗", "skipped": "-"}
STYLES = {"done": "green", "reused": "dim", "unconverged": "yellow", "failed": "red", "skipped": "dim"}
AWAITED = dict.fromkeys(("relax", "neb", "static"), "loading its model or starting its code, no energy yet") | {
    "md": "building its box or minimising"
}
"""What a calculation that has just begun is at, by its kind."""

BAR = 24
"""Width of the bar (columns)."""

PLAIN_SECONDS = 10.0
"""Without a terminal, a running job writes a line this often (s)."""


def describe_progress(progress: dict[str, Any]) -> str:
    """Say in a few words how far a job is."""
    if progress["kind"] == "md":
        return dynamics_words(progress)
    words = f"iteration {progress['iteration']}, largest force {progress['max_force']:.3f} eV/Å"
    words += f" (goal {progress['target']:g})"
    if progress["kind"] == "neb":
        return f"{progress['stage']} band, {words}, barrier so far {progress['highest_image']:.3f} eV"
    return f"relaxing, {words}"


def dynamics_words(progress: dict[str, Any]) -> str:
    """Say how far molecular dynamics is: its stage before the production, then ns done of ns asked for."""
    if not progress["ns"]:
        density = f", {progress['density']:.3f} g/cm³" if progress["density"] else ""
        return f"{progress['stage']}{density}, then {progress['ns_asked']:.3g} ns"
    return f"{progress['ns']:.3g} of {progress['ns_asked']:.3g} ns, {progress['ns_per_day']:.3g} ns/day"


class RunView:
    """Watches a run: live in a terminal, line by line elsewhere. Use as a context manager, call with events.

    Parameters
    ----------
    seconds_per_call : float
        What the engine expects of an evaluation (s), until some have been seen; 0 if that is not known.
    quiet : bool
        Show nothing.
    """

    def __init__(self, seconds_per_call: float = 0.0, quiet: bool = False) -> None:
        self.console = Console(file=sys.stderr, highlight=False, quiet=quiet)
        self.running: dict[int, tuple[JobEvent, float]] = {}
        self.forecast = Forecast(seconds_per_call)
        self.ended = self.total = 0
        self._live = Live(get_renderable=self._render, console=self.console, refresh_per_second=2, transient=True)
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live.start()
        else:
            self._ticker.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stop.set()
        if self.console.is_terminal:
            self._live.stop()

    def __call__(self, event: JobEvent) -> None:
        """Take an event of the runner."""
        self.total = event.total
        self.forecast.take(event)
        if event.state == "started":
            started = self.running | {event.number: (event, time.monotonic())}
            self.running = dict(sorted(started.items()))
            return
        self.ended += 1
        self.running = {number: each for number, each in self.running.items() if number != event.number}
        seconds = f"  {event.seconds:.1f} s" if event.seconds >= 0.1 else ""
        note = f"  {event.message}" if event.message else ("  done before" if event.state == "reused" else "")
        line = f"{SIGNS[event.state]} [{event.number}/{event.total}] {event.name}{seconds}{note}"
        self.console.print(Text(line, style=STYLES[event.state]))

    def _status(self) -> list[str]:
        """One line for each running job, in the flow's order."""
        lines = []
        for event, since in self.running.values():
            progress = latest_progress(event.folder) if event.folder else None
            awaited = AWAITED.get(event.kind, "starting")
            words = describe_progress(progress) if progress else awaited
            lines.append(f"… [{event.number}/{event.total}] {event.name}: {words}, {time.monotonic() - since:.0f} s")
        return lines

    def _overall(self) -> str:
        """Say how many jobs have ended, and how long the others take."""
        now = time.monotonic()
        left = self.forecast.seconds_left([(event.kind, now - since) for event, since in self.running.values()])
        words = f", {in_words(left)} left" if left and left >= 1 else ""
        return f"{self.ended} of {self.total} jobs{words}"

    def _render(self) -> Group:
        if not self.total:
            return Group(Text("waiting for the first job", style="cyan"))
        overall = Table.grid(padding=(0, 1))
        overall.add_row(ProgressBar(self.total, self.ended, width=BAR), Text(self._overall()))
        return Group(*(Text(line, style="cyan") for line in self._status()), overall)

    def _tick(self) -> None:
        while not self._stop.wait(PLAIN_SECONDS):
            for line in [*self._status(), *([self._overall()] if self.total else [])]:
                self.console.print(line)
