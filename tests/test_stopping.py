"""Signals that ask to stop: put off where something is in the middle, never lost, and never a job's failure."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Outcome
from external import wait_for
from jobflow import Flow, Job
from mongo import Mongod

from barriers import run
from barriers.dispatch.states import JobStates
from barriers.dispatch.stopping import STOPPING, Stopped, before_stopping, stop_softly

SIGNALS = pytest.mark.parametrize("sent", STOPPING, ids=lambda sent: sent.name)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put the handlers of the tests' own process back."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@SIGNALS
def test_a_signal_stops_once_and_leaves_what_follows_it_in_peace(sent: signal.Signals) -> None:
    stop_softly()
    with pytest.raises(Stopped) as stopped:
        signal.raise_signal(sent)
    assert stopped.value.signal == sent
    for again in STOPPING:
        signal.raise_signal(again)


@SIGNALS
def test_a_stop_waits_for_the_end_of_what_is_not_to_be_cut_in_two(sent: signal.Signals) -> None:
    stop_softly()
    done = []
    with pytest.raises(Stopped) as stopped, before_stopping():
        signal.raise_signal(sent)
        signal.raise_signal(sent)
        done.append("the rest")
    assert (done, stopped.value.signal) == (["the rest"], sent)


def test_other_threads_need_no_waiting() -> None:
    done = []

    def work() -> None:
        with before_stopping():
            done.append("work")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["work"]


def test_the_job_that_a_stop_interrupts_waits_to_go_on_and_is_not_lost(tmp_path: Path) -> None:
    def stopped() -> None:
        raise Stopped(signal.SIGTERM)

    with pytest.raises(Stopped):
        run(Flow([Job(stopped, name="long")]), tmp_path)
    (state,) = JobStates(tmp_path).read()
    assert (state.name, state.state, state.message) == ("long", "waiting", "stopped")


@pytest.mark.mongo
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1], ids=lambda sent: sent.name)
def test_a_launch_that_is_stopped_ends_the_job_it_runs_and_says_how_to_go_on(
    sent: signal.Signals, mongod: Mongod, tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    dispatched = pytest.importorskip("dispatched")
    cluster = dispatched.write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))
    study = tmp_path / "study.yaml"
    study.write_text("name: small\nsystems: [{name: NCM}]\n", "utf-8")
    config = ["--config", str(cluster.folder)]
    assert cli("submit", study, *config, "--results", tmp_path / "results").code == 0
    command = [sys.executable, "-m", "barriers", "launch", str(study), *config]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
    launchpad = cluster.launchpad()
    wait_for(lambda: launchpad.fireworks.find_one({"state": "RUNNING"}), 60, "a job")
    os.killpg(process.pid, sent)
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + sent, message
    last = f"stopped by {sent.name}; this continues it: barriers launch {study} --config {cluster.folder}"
    assert message.strip().splitlines()[-1] == last
    assert dispatched.states(launchpad, "ada/small")["slab: as built"] == "COMPLETED"
    assert not {"RUNNING", "FIZZLED"} & set(dispatched.states(launchpad, "ada/small").values())
