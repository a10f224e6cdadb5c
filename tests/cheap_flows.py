"""Flows of barriers that take seconds, and jobs that misbehave, for tests of what runs them."""

from __future__ import annotations

import os
import signal
import time

from conftest import gold_on_aluminium
from jobflow import Flow, job

from barriers import BarrierMaker, MlipEngine
from barriers.engines.mlip.pool import available_cores
from barriers.files.structures import to_structure
from barriers.study.models import NebSection


def golds(*springs: float) -> Flow:
    """The hop of Au on Al(100), each time with another spring: bands of their own between the same endpoints."""
    initial, final = map(to_structure, gold_on_aluminium())
    engine = MlipEngine(model="emt")
    parts = [
        BarrierMaker(f"gold {spring:g}", engine=engine, neb=NebSection(spring=spring)).make(initial, final)
        for spring in springs
    ]
    return Flow(parts, output=[part.output for part in parts])


@job
def wait_and_say(number: int, seconds: float) -> list[float]:
    """Take a while; give the cores this job had, and when it started and ended."""
    started = time.time()
    time.sleep(seconds)
    return [available_cores(), started, time.time()]


@job
def add_lengths(lists: list[list[float]]) -> int:
    """Need the outputs of others."""
    return sum(map(len, lists))


@job
def die() -> None:
    """End the process that runs this job, as the system does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
