"""A process of its own for what needs the libraries of materials science: the server stays small, and outlives it."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from barriers.secrecy import hide

IDLE_SECONDS = 120.0
"""The process ends when it has had nothing to do for so long (s)."""

MOST_SECONDS = 60.0
"""An answer that takes longer is none (s)."""


class Helper:
    """Calls functions of the package in another process, one at a time; it begins with the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function.

        Raises
        ------
        RuntimeError
            With its words if it raises, or if its process died or does not answer: the next call begins another one.
        """
        with self._lock:
            pipe = self._begun()
            try:
                pipe.send((function, arguments))
                if not pipe.poll(MOST_SECONDS):
                    raise TimeoutError
                fine, answer = pipe.recv()
            except (EOFError, OSError) as error:
                self._end()
                raise RuntimeError("what draws it died or took too long; try again") from error
        if not fine:
            raise RuntimeError(answer)
        return answer

    def stop(self) -> None:
        """End the process."""
        self._end()

    def _begun(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._end()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()
        return self._pipe

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _serve(pipe: Connection) -> None:
    """Answer until nobody asks any more, or whoever asked is gone; signals of the terminal are for the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while pipe.poll(IDLE_SECONDS):
            function, arguments = pipe.recv()
            try:
                answer = True, function(*arguments)
            except Exception as error:
                answer = False, (hide(str(error)).splitlines() or [type(error).__name__])[0]
            pipe.send(answer)
    except (EOFError, OSError):
        return
