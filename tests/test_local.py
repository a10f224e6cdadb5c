"""The local runner: several jobs at once, kills, Ctrl-C, dead workers, and what a second run repeats."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from ase.io import write
from cheap_flows import add_lengths, die, golds, wait_and_say
from conftest import gold_on_aluminium
from jobflow import Flow, JobStore
from maggma.stores import MemoryStore
from slow_emt import HURRY

from barriers import BarrierMaker, MlipEngine
from barriers.dispatch.local import JobEvent, LocalRun, run
from barriers.dispatch.lock import only_run
from barriers.dispatch.slots import Worker
from barriers.dispatch.states import JobState, JobStates
from barriers.engines.mlip.pool import CORES
from barriers.files.structures import to_structure

HERE = Path(__file__).parent


def watched(flow: Flow, folder: Path, workers: int = 1) -> tuple[LocalRun, list[JobEvent]]:
    events: list[JobEvent] = []
    return run(flow, folder, events.append, workers), events


def states(folder: Path) -> dict[str, str]:
    return {state.name: state.state for state in JobStates(folder).read()}


@pytest.mark.slow
def test_three_workers_give_the_numbers_of_one_and_a_second_run_computes_nothing(tmp_path: Path) -> None:
    one, _ = watched(golds(1.0, 2.0), tmp_path / "one")
    three, events = watched(golds(1.0, 2.0), tmp_path / "three", workers=3)
    assert [document.forward for document in one.output] == pytest.approx([0.3743, 0.3742], abs=1e-3)
    for mine, other in zip(one.output, three.output, strict=True):
        assert mine.forward == pytest.approx(other.forward, abs=1e-6)
    kinds = [event.state for event in events if event.name == "gold 1: band idpp"]
    assert kinds == ["started", "done"]
    assert set(states(tmp_path / "three").values()) <= {"done", "reused"}
    again, events = watched(golds(1.0, 2.0), tmp_path / "three")
    assert again.force_calls == 0
    assert [document.forward for document in again.output] == [document.forward for document in three.output]
    assert {event.name for event in events if event.state == "reused"} == {
        f"gold {spring}: {what}" for spring in (1, 2) for what in ("relax initial", "relax final", "band idpp")
    }
    more, events = watched(golds(1.0, 2.0, 3.0), tmp_path / "three")
    ran = {event.name for event in events if event.state == "done" and event.force_calls}
    assert ran == {"gold 3: band idpp"}
    assert more.force_calls == more.output[2].band.cost.force_calls


def test_jobs_run_at_once_start_when_their_parents_are_done_and_share_the_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CORES, "5")
    jobs = [wait_and_say(number, seconds) for number, seconds in enumerate((3.0, 0.1, 0.1))]
    total = add_lengths([jobs[1].output, jobs[2].output])
    outcome = run(Flow([*jobs, total], output=[job.output for job in (*jobs, total)]), tmp_path, workers=3)
    *said, length = outcome.output
    assert length == 6
    assert [cores for cores, *_ in said] == [1, 1, 1]  # no engine: one core each
    assert said[1][1] < said[0][2]
    rows = {state.name: state for state in JobStates(tmp_path).read()}
    assert rows["add_lengths"].started < said[0][2]
    assert os.environ[CORES] == "5"


def test_a_worker_that_dies_fails_its_job_alone(tmp_path: Path) -> None:
    bad, good = die(), [wait_and_say(number, 0.5) for number in range(3)]
    after = add_lengths([bad.output])
    last = add_lengths([each.output for each in good])
    outcome = run(Flow([bad, *good, after, last], output=last.output), tmp_path, workers=2)
    assert outcome.output == 9
    assert outcome.failures["die"].startswith("its process died of SIGKILL")
    folder = next((tmp_path / "jobs").glob("die-*"))
    assert f"files in {folder}" in outcome.failures["die"]
    assert {name.partition(" [")[0] for name in outcome.failures} == {"die", "add_lengths"}  # two have the second name
    assert states(tmp_path)["die"] == "failed"
    assert "SIGKILL" in (folder / "error.txt").read_text()


def test_what_two_jobs_compute_is_computed_once_with_several_workers_too(tmp_path: Path) -> None:
    initial, final = map(to_structure, gold_on_aluminium())
    named = {name: BarrierMaker(name, MlipEngine(model="emt")).make(initial, final) for name in ("one", "two", "three")}
    alone, _ = watched(named["one"], tmp_path / "alone")
    outcome, events = watched(Flow(list(named.values())), tmp_path / "three", workers=3)
    assert outcome.force_calls == alone.force_calls > 0
    for what in ("relax initial", "relax final", "band idpp"):
        ends = sorted(event.state for event in events if event.name.endswith(what) and event.state != "started")
        assert ends == ["done", "reused", "reused"]


def test_a_worker_that_died_idle_is_replaced() -> None:
    worker = Worker()
    first = worker.submit(os.getpid).result()
    os.kill(first, signal.SIGKILL)
    time.sleep(1.0)
    assert worker.submit(os.getpid).result() != first
    worker.stop()


def test_a_store_of_one_process_is_refused_for_several_workers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers: 2 with MemoryStore"):
        run(golds(1.0), tmp_path, workers=2, store=JobStore(MemoryStore()))


def test_a_folder_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    with only_run(tmp_path), pytest.raises(BlockingIOError, match=f"process {os.getpid()} on .* runs here") as error:
        run(golds(1.0), tmp_path)
    assert "\n" not in str(error.value)
    with only_run(tmp_path):
        pass


LEAVES_ITS_LOCK_TO_A_CHILD = """
import os, sys, time
from pathlib import Path
from barriers.dispatch.lock import only_run
with only_run(Path(sys.argv[1])):
    if not os.fork():
        time.sleep(0.5)
        os._exit(0)
    os.kill(os.getpid(), 9)
"""


def test_a_run_killed_while_it_starts_a_program_can_be_run_again_at_once(tmp_path: Path) -> None:
    """Until the program begins, its process holds what its parent held, the lock too."""
    subprocess.run([sys.executable, "-c", LEAVES_ITS_LOCK_TO_A_CHILD, str(tmp_path)], check=False)
    with only_run(tmp_path):
        pass


def test_states_say_what_waits_runs_and_was_lost(tmp_path: Path) -> None:
    table = JobStates(tmp_path)
    assert table.read() == []
    table.begin([JobState(f"u{number}", f"job {number}", "neb", "NCM", "hop", number) for number in (1, 2)])
    assert [state.state for state in table.read()] == ["waiting", "waiting"]
    here = {"state": "running", "started": time.time(), "host": os.uname().nodename}
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    table.change("u1", pid=os.getpid(), **here)
    table.change("u2", pid=gone.pid, **here)
    assert [state.is_lost for state in table.read("running")] == [False, True]
    table.change("u1", started=1.0)
    assert [state.is_lost for state in table.read("running")] == [True, True]
    table.change("u2", host="elsewhere")
    assert [state.is_lost for state in table.read("running")] == [True, False]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose every evaluation takes 50 ms; no symmetry, which rounding would break one way or the other."""
    for name, atoms in zip(("initial", "final"), gold_on_aluminium(), strict=True):
        atoms.numbers[7] = 28
        atoms.positions[-1, 1] += 0.05 if name == "final" else 0.0
        write(tmp_path / f"{name}.traj", atoms)
    path = tmp_path / "gold.yaml"
    path.write_text(
        "name: gold\nendpoints: {initial: initial.traj, final: final.traj}\n"
        "engine: {kind: mlip, model: slow_emt:SlowEMT}\n"
    )
    return path


def command(study: Path, results: Path, workers: int) -> list[str]:
    options = ["--results", str(results), "--workers", str(workers), "--json"]
    return [sys.executable, "-m", "barriers", "run", str(study), *options]


def started(study: Path, results: Path, workers: int = 2, lines: int = 4) -> subprocess.Popen[str]:
    """A run in the middle of its band."""
    process = subprocess.Popen(
        command(study, results, workers), cwd=HERE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        files = list(results.rglob("neb-*.progress.jsonl"))
        if files and len(files[0].read_text().splitlines()) >= lines:
            return process
        time.sleep(0.05)
    raise AssertionError(f"no band began: {process.communicate()[1]}")


def finished(study: Path, results: Path, workers: int = 1) -> dict[str, Any]:
    done = subprocess.run(
        command(study, results, workers),
        cwd=HERE,
        env=os.environ | {HURRY: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_and_the_next_one_goes_on(study: Path, tmp_path: Path) -> None:
    whole = finished(study, tmp_path / "whole")
    process = started(study, tmp_path / "killed")
    others = descendants(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (lost,) = JobStates(tmp_path / "killed" / "gold").read("running")
    assert lost.name.endswith("band idpp")
    assert (tmp_path / "killed" / "gold" / "study.yaml").read_text() == study.read_text()
    rest = finished(study, tmp_path / "killed")
    assert psutil.wait_procs(others, timeout=10)[1] == []
    assert rest["barriers"][0]["forward"] == pytest.approx(whole["barriers"][0]["forward"], abs=1e-9)
    calls = [each["barriers"][0]["force_calls"] for each in (whole, rest)]
    assert calls[0] <= calls[1] <= 1.1 * calls[0]
    assert rest["force_calls_this_run"] < 0.9 * whole["force_calls_this_run"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1], ids=lambda sent: sent.name)
def test_a_signal_to_stop_ends_all_processes_within_seconds_and_keeps_what_is_done(
    sent: signal.Signals, study: Path, tmp_path: Path
) -> None:
    process = started(study, tmp_path / "results")
    others = descendants(process)
    assert others
    os.killpg(process.pid, sent)
    os.kill(process.pid, sent)  # `timeout` and some batch systems send it twice
    message = process.communicate(timeout=15)[1]
    assert process.returncode == 128 + sent
    how = shlex.join(["barriers", *command(study, tmp_path / "results", 2)[3:]])
    assert message.strip().splitlines()[-1] == f"stopped by {sent.name}; this continues it: {how}"
    assert "Traceback" not in message
    assert psutil.wait_procs(others, timeout=5)[1] == []
    folder = tmp_path / "results" / "gold"
    assert states(folder)["gold: band idpp"] == "waiting"
    outcome = finished(study, tmp_path / "results")
    assert outcome["barriers"][0]["converged"]
    assert states(folder)["gold: relax initial"] == "reused"


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_says_so_and_stops(tmp_path: Path, study: Path) -> None:
    process = started(study, tmp_path / "results", lines=1)
    os.killpg(process.pid, signal.SIGSTOP)  # or a slow machine is done with it before the second one begins
    second = subprocess.run(
        command(study, tmp_path / "results", 1), cwd=HERE, capture_output=True, text=True, check=False
    )
    assert second.returncode != 0
    (line,) = second.stderr.strip().splitlines()
    assert f"process {process.pid} on" in line
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
