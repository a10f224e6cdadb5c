"""Programs from outside Python that some tests run: skipped where one is missing, a failure in CI, which has them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

CODES = Path(os.environ.get("CODES", "build/codes")).absolute()
"""Where ``.ci/codes`` installs programs."""


def need(there: bool, what: str) -> None:
    """Skip the test that asks if something is not there."""
    if not there:
        assert not os.environ.get("CI"), f"CI has {what}"
        pytest.skip(f"needs {what}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_service(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server in the foreground that ends with this process, however that ends."""
    with log.open("ab") as out:
        return subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=log.parent,
            env=dict(environment) if environment is not None else None,
        )


def end_service(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Ask a server to end, and make it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(happened: Callable[[], bool], seconds: float, what: str) -> None:
    """Look again and again until something has happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"{what}: not after {seconds} s"
        time.sleep(0.1)
