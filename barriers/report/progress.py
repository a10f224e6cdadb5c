"""Showing a run while it goes on, from the events of the runner and the progress lines engines write."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from barriers.dispatch.local import JobEvent
from barriers.engines.progress import latest_progress

SIGNS = {"done": "✓", "reused": "=", "unconverged": "!", "failed": "✗", "skipped": "-"}
STYLES = {"done": "green", "reused": "dim", "unconverged": "yellow", "failed": "red", "skipped": "dim"}
PLAIN_SECONDS = 10.0
"""Without a terminal, a running job writes a line this often (s)."""


def describe_progress(progress: dict[str, Any]) -> str:
    """Say in a few words how far a job is."""
    words = f"iteration {progress['iteration']}, largest force {progress['max_force']:.3f} eV/Å"
    words += f" (goal {progress['target']:g})"
    if progress["kind"] == "neb":
        return f"{progress['stage']} band, {words}, barrier so far {progress['highest_image']:.3f} eV"
    return f"relaxing, {words}"


class RunView:
    """Watches a run: live in a terminal, line by line elsewhere. Use as a context manager, call with events."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self.running: dict[int, tuple[JobEvent, float]] = {}
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
        if event.state == "started":
            self.running = self.running | {event.number: (event, time.monotonic())}
            return
        self.running = {number: each for number, each in self.running.items() if number != event.number}
        seconds = f"  {event.seconds:.1f} s" if event.seconds >= 0.1 else ""
        note = f"  {event.message}" if event.message else ("  done before" if event.state == "reused" else "")
        line = f"{SIGNS[event.state]} [{event.number}/{event.total}] {event.name}{seconds}{note}"
        self.console.print(Text(line, style=STYLES[event.state]))

    def _status(self) -> list[str]:
        """One line for each running job."""
        lines = []
        for event, since in self.running.values():
            progress = latest_progress(event.folder) if event.folder else None
            words = describe_progress(progress) if progress else "starting"
            lines.append(f"… [{event.number}/{event.total}] {event.name}: {words}, {time.monotonic() - since:.0f} s")
        return lines

    def _render(self) -> Group:
        return Group(*(Text(line, style="cyan") for line in self._status()))

    def _tick(self) -> None:
        while not self._stop.wait(PLAIN_SECONDS):
            for line in self._status():
                self.console.print(line)
