"""A status that renews itself on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from barriers.dispatch.status import JobStatus, is_over
from barriers.report.fitting import fitted
from barriers.report.status import status_view

EVERY = 2.0
"""Seconds between two looks."""


def show_live(name: str, read: Callable[[], list[JobStatus]]) -> None:
    """Show where a study stands until nothing of it is under way."""
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="visible") as live:
        while True:
            jobs = read()
            live.update(fitted(status_view(name, jobs), console.width), refresh=True)
            if is_over(jobs):
                return
            time.sleep(EVERY)
