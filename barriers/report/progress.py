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
from barriers.engines.checkpoint import latest_progress

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
        self.running: JobEvent | None = None
        self.since = time.monotonic()
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
            self.running, self.since = event, time.monotonic()
            return
        self.running = None
        seconds = f"  {event.seconds:.1f} s" if event.seconds >= 0.1 else ""
        note = f"  {event.message}" if event.message else ("  done before" if event.state == "reused" else "")
        line = f"{SIGNS[event.state]} [{event.number}/{event.total}] {event.name}{seconds}{note}"
        self.console.print(Text(line, style=STYLES[event.state]))

    def _status(self) -> str | None:
        event = self.running
        if event is None or event.folder is None:
            return None
        progress = latest_progress(event.folder)
        words = describe_progress(progress) if progress else "starting"
        return f"… [{event.number}/{event.total}] {event.name}: {words}, {time.monotonic() - self.since:.0f} s"

    def _render(self) -> Group:
        status = self._status()
        return Group(Text(status, style="cyan")) if status else Group()

    def _tick(self) -> None:
        while not self._stop.wait(PLAIN_SECONDS):
            if status := self._status():
                self.console.print(status)
