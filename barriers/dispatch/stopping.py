"""Signals that ask this process to stop: where it may end at once, and where it first brings something to its end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
"""Ctrl-C, the end of a batch job or container, and the warning that Slurm sends before it if asked to."""


PATIENCE = 10.0
"""What is stopped gets this time (s) to end before a further signal counts: `timeout` sends its own twice."""


class Stopped(BaseException):
    """A signal to stop, under a name that neither Typer nor a library takes for its own.

    Attributes
    ----------
    signal : signal.Signals
        Which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = signal.Signals(number)


def stop_softly() -> None:
    """Raise :class:`Stopped` where this process is when it is asked to stop, and let it end in peace then."""
    last = -PATIENCE

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last >= PATIENCE:
            last = time.monotonic()
            raise Stopped(number)

    for number in STOPPING:
        signal.signal(number, stop)


@contextmanager
def before_stopping() -> Iterator[None]:
    """Put off a stop until what is done here has ended, where a library would take it for a failure of its own."""
    if threading.current_thread() is not threading.main_thread():  # signals never come here
        yield
        return
    came: list[int] = []
    usual = {number: signal.signal(number, lambda number, _: came.append(number)) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    for first in came[:1]:
        signal.raise_signal(first)
