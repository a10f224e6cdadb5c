"""Where a study stands: what is told of each system and hop, here and on a LaunchPad."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Outcome
from dispatched import gold_flow, iteration, start_worker, write_cluster
from dispatched import outcome as dispatched_outcome
from external import wait_for
from hypothesis import given
from hypothesis import strategies as st
from mongo import Mongod
from rich.console import Console

from barriers import run
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.seen import dispatched_status
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.marker import write_marker
from barriers.dispatch.states import JobStates
from barriers.dispatch.status import STATES, JobStatus, LocalStatus, grouped, is_over
from barriers.report.status import MOST_ROWS, clock, status_view


def job(state: str, system: str = "NCM", hop: str = "one", **values: object) -> JobStatus:
    return JobStatus(f"{system} {hop}: band", "neb", system, hop, state, **values)  # type: ignore[arg-type]


def shown(jobs: list[JobStatus], width: int = 250) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as caught:
        console.print(status_view("study", jobs))
    return caught.get()


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=8))
def test_a_hop_is_done_when_all_its_jobs_are_and_else_tells_of_the_foremost(states: list[str]) -> None:
    (group,) = grouped([job(state) for state in states])
    assert (group.state == "done") == (set(states) == {"done"})
    assert group.done == states.count("done")
    assert not any(STATES.index(state) < STATES.index(group.state) for state in states)
    assert group.job.state == group.state


def test_systems_and_hops_keep_their_order_and_their_own_jobs() -> None:
    jobs = [job("done"), job("running", "NCM@PVDF"), job("waiting"), job("failed", hop="two", message="no SCF")]
    groups = grouped(jobs)
    assert [(group.system, group.hop, group.state) for group in groups] == [
        ("NCM", "one", "waiting"),
        ("NCM@PVDF", "one", "running"),
        ("NCM", "two", "failed"),
    ]
    assert "failed: NCM two: band: no SCF" in shown(jobs)
    assert not is_over(jobs)
    assert is_over([each for each in jobs if each.state != "running"])


def test_the_barrier_so_far_force_and_times_are_shown() -> None:
    progress = {"stage": "climbing", "iteration": 34, "max_force": 0.1234, "target": 0.05, "highest_image": 0.4321}
    line = next(
        line
        for line in shown(
            [job("running", progress=progress, elapsed=3661, expected=7322, queue_id="4711")]
        ).splitlines()
        if "NCM" in line
    )
    for words in ("34 climbing", "0.123 → 0.05", "0.432", "1:01:01 of 2:02:02", "4711"):
        assert words in line


def test_of_thousands_of_hops_those_that_need_attention_are_shown() -> None:
    jobs = [job("done", hop=f"hop{number}") for number in range(2000)]
    jobs[1234] = job("failed", hop="hop1234", message="broken")
    text = shown(jobs)
    assert len(text.splitlines()) < MOST_ROWS
    assert "hop1234" in text
    assert "1999 of 2000 systems and hops not shown" in text


def test_times_are_written_with_hours() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 3599, 360_000)] == ["0:00:00", "0:01:00", "0:59:59", "100:00:00"]


def test_a_run_here_tells_of_running_jobs_and_of_those_whose_process_is_gone(tmp_path: Path) -> None:
    done = run(gold_flow(), tmp_path).output
    assert {each.state for each in LocalStatus(tmp_path)()} == {"done"}
    assert grouped(LocalStatus(tmp_path)())[-1].barrier == done.forward  # the result's, not that of the highest image
    states = JobStates(tmp_path)
    band = next(state for state in states.read() if state.kind == "neb")
    mine = {"state": "running", "pid": os.getpid(), "host": platform.node(), "started": time.time(), "ended": None}
    states.change(band.uuid, **mine)
    seen = next(each for each in LocalStatus(tmp_path)() if each.kind == "neb")
    assert seen.state == "running"
    assert seen.progress["stage"] == "climbing"
    assert seen.progress["highest_image"] == pytest.approx(0.374, abs=0.001)
    assert 0 <= seen.elapsed < 5
    states.change(band.uuid, pid=2**22 + 1)
    assert next(each for each in LocalStatus(tmp_path)() if each.kind == "neb").state == "lost"
    states.change(band.uuid, state="waiting", message="stopped")
    assert next(each for each in LocalStatus(tmp_path)() if each.kind == "neb").state == "stopped"


def test_without_a_run_there_is_no_status(cli: Callable[..., Outcome], tmp_path: Path) -> None:
    study = ROOT / "inputs" / "ncm811_pvdf.yaml"
    outcome = cli("status", study, "--results", tmp_path)
    assert outcome.code == 2
    assert "nothing was run or submitted here" in outcome.err


@pytest.fixture
def cluster(mongod: Mongod, tmp_path: Path) -> Cluster:
    return write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))


@pytest.mark.mongo
def test_a_submitted_study_tells_of_its_jobs_while_they_run(cluster: Cluster, tmp_path: Path) -> None:
    submit([gold_flow("slow_emt:SlowEMT")], "gold", cluster)
    assert [each.state for each in dispatched_status(cluster, "gold")] == ["ready", "ready", "waiting", "waiting"]
    worker = start_worker(cluster, tmp_path / "worker", "rapidfire")
    wait_for(lambda: iteration(cluster) >= 2, 120, "the band")
    seen = {each.name: each for each in dispatched_status(cluster, "gold")}
    band = seen["barrier: band idpp"]
    assert band.state == "running"
    assert band.progress["iteration"] >= 2
    assert 0 < band.progress["highest_image"] < 1
    assert 0 < band.elapsed < 120
    assert Path(band.folder).is_dir()
    assert seen["barrier: relax initial"].state == "done"
    worker.kill()
    wait_for(
        lambda: {each.name: each.state for each in dispatched_status(cluster, "gold")}["barrier: band idpp"] == "lost",
        30,
        "silence",
    )


@pytest.mark.mongo
def test_the_command_finds_where_the_study_was_sent(
    cluster: Cluster, cli: Callable[..., Outcome], tmp_path: Path
) -> None:
    study = tmp_path / "gold.yaml"
    study.write_text((ROOT / "inputs" / "ncm811_pvdf.yaml").read_text().replace("name: ncm811_pvdf", "name: gold"))
    submit([gold_flow()], "gold", cluster)
    write_marker(tmp_path / "results" / "gold", cluster.folder)
    told = json.loads(cli("status", study, "--results", tmp_path / "results", "--json").out)
    assert told["states"] == {"ready": 2, "waiting": 2}
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    live = cli("status", study, "--results", tmp_path / "results", "--watch")
    assert "gold: 4 done" in live.out
    there = json.loads(cli("status", study, "--results", tmp_path / "results", "--json").out)
    forward, _ = dispatched_outcome(cluster)
    assert there["hops"][0]["barrier_so_far"] == forward  # the result's, not that of the highest image
    here = run(gold_flow(), tmp_path / "results" / "gold").output
    told = json.loads(cli("status", study, "--results", tmp_path / "results", "--json").out)
    assert {each["host"] for each in told["jobs"]} == {platform.node()}
    assert told["hops"][0]["barrier_so_far"] == pytest.approx(here.forward, abs=0.01)


@pytest.mark.mongo
def test_a_study_that_was_never_submitted_is_named(cluster: Cluster) -> None:
    with pytest.raises(ValueError, match="gold: no such study of ada on the LaunchPad"):
        dispatched_status(cluster, "gold")
