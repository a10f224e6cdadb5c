"""Whatever happens to a job that computes, its study completes, with the same result and hardly a calculation more."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import espresso_cases
import psutil
import pytest
from dispatched import (
    band,
    completed,
    drive,
    gold_flow,
    iteration,
    outcome,
    start_band,
    start_worker,
    states,
    write_cluster,
)
from external import need, wait_for
from mongo import Mongod, find_mongod
from slurm import PARTITION, Slurm

from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.recover import recover
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.local import run
from barriers.study.file import load_study
from barriers.workflow.study import StudyMaker

pytestmark = [pytest.mark.mongo, pytest.mark.slow]

SLOW = "slow_emt:SlowEMT"

EACH_ITERATION = 2
"""Evaluations in an iteration of the band."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, int]:
    """Barrier (eV) and evaluations of a run that nothing happens to."""
    done = run(gold_flow(SLOW), tmp_path_factory.mktemp("local"))
    return done.output.forward, done.force_calls


@pytest.fixture
def own_mongod(tmp_path: Path) -> Iterator[Mongod]:
    """A server that may be killed."""
    need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    server = Mongod(tmp_path / "mongod")
    server.folder.mkdir()
    try:
        yield server.start()
    finally:
        server.stop()


def is_undisturbed(cluster: Cluster, undisturbed: tuple[float, int], kills: int = 1) -> None:
    """The result is the same, and each end cost no more than the iteration under way, which no document counts."""
    barrier, calls = outcome(cluster)
    assert abs(barrier - undisturbed[0]) < 1e-6
    assert undisturbed[1] <= calls <= calls + kills * EACH_ITERATION <= 1.1 * undisturbed[1]


def test_a_killed_rocket_is_found_and_its_band_goes_on(
    mongod: Mongod, tmp_path: Path, undisturbed: tuple[float, int]
) -> None:
    cluster, other = (write_cluster(tmp_path / owner, mongod.port, owner, "killed") for owner in ("ada", "bob"))
    submit([gold_flow(SLOW)], "gold", cluster)
    worker = start_worker(cluster, tmp_path / "worker", "rapidfire")
    wait_for(lambda: iteration(cluster) >= 4, 60, "band")
    assert recover(cluster, "ada/gold") == []
    worker.kill()
    worker.wait()
    time.sleep(2.5)
    assert recover(other, "bob/gold") == []
    [job] = recover(cluster, "ada/gold")
    assert (job.name, job.done) == ("barrier: band idpp", "put back")
    assert job.happened == f"lost: process {worker.pid} on {os.uname().nodename} is gone"
    assert job.iteration is not None and job.iteration >= 4
    assert job.force_calls is not None and 2 < job.seconds_lost < 30
    assert recover(cluster, "ada/gold") == []
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(180) == 0
    assert completed(cluster)
    is_undisturbed(cluster, undisturbed)


@pytest.mark.slurm
def test_cancelled_jobs_pending_or_running_go_back_into_the_queue(
    mongod: Mongod, slurm: Slurm, tmp_path: Path, undisturbed: tuple[float, int]
) -> None:
    cluster = write_cluster(tmp_path, mongod.port, name="cancelled")
    submit([gold_flow(SLOW)], "gold", cluster)
    slurm.ask("scontrol", "update", f"PartitionName={PARTITION}", "State=DOWN")
    drive(cluster, "gold", lambda: len(slurm.jobs()) == 2)
    assert recover(cluster, "ada/gold") == []
    slurm.ask("scancel", slurm.jobs()[0])
    wait_for(lambda: len(slurm.jobs()) == 1, 20, "end of the pending job")
    [pending] = recover(cluster, "ada/gold")
    assert pending.happened.startswith("not started: queue job ") and pending.done == "put back"
    slurm.ask("scontrol", "update", f"PartitionName={PARTITION}", "State=UP")

    drive(cluster, "gold", lambda: iteration(cluster) >= 4)
    slurm.ask("scancel", band(cluster)["queue_id"])
    wait_for(lambda: not slurm.jobs(), 20, "end of the running job")
    time.sleep(2)
    [running] = recover(cluster, "ada/gold")
    assert running.happened.startswith("lost: ") and "CANCELLED" in running.happened
    drive(cluster, "gold", lambda: completed(cluster))
    is_undisturbed(cluster, undisturbed)


@pytest.mark.slurm
def test_a_walltime_too_short_by_half_needs_nobody(
    mongod: Mongod, slurm: Slurm, tmp_path: Path, undisturbed: tuple[float, int]
) -> None:
    """The end that a walltime makes, SIGTERM and SIGKILL to everything, twice: a walltime itself counts in minutes."""
    cluster = write_cluster(tmp_path, mongod.port, name="walltime")
    first = start_band(cluster)
    put_back = []
    for further in (3, 7):
        put_back += drive(cluster, "gold", lambda: iteration(cluster) >= further)  # noqa: B023
        slurm.ask("scancel", "--full", "--signal=KILL", band(cluster)["queue_id"])
        wait_for(lambda: not slurm.jobs(), 20, "end of the job")
    put_back += drive(cluster, "gold", lambda: completed(cluster))
    assert [job.name for job in put_back] == [first["name"]] * 2
    assert band(cluster)["attempts"] == 3
    is_undisturbed(cluster, undisturbed, kills=2)


@pytest.mark.parametrize(("patience", "outage"), [(60_000, 4), (1_000, 12)])
def test_a_database_that_dies_in_mid_run_costs_no_evaluation(
    own_mongod: Mongod, tmp_path: Path, undisturbed: tuple[float, int], patience: int, outage: float
) -> None:
    cluster = write_cluster(tmp_path / "cluster", own_mongod.port)
    with (cluster.folder / "my_launchpad.yaml").open("a") as file:
        file.write(f"mongoclient_kwargs: {{serverSelectionTimeoutMS: {patience}}}\n")
    submit([gold_flow(SLOW)], "gold", cluster)
    worker = start_worker(cluster, tmp_path / "worker", "rapidfire")
    wait_for(lambda: iteration(cluster) >= 4, 60, "band")
    own_mongod.kill()
    time.sleep(outage)
    own_mongod.restart()
    put_back = [job for job in recover(cluster, "ada/gold") if not job.done.startswith("left alone")]
    assert put_back == [] or worker.poll() is not None
    worker.wait(180)
    recover(cluster, "ada/gold")
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(180) == 0
    assert completed(cluster)
    assert band(cluster)["attempts"] == (1 if patience > 1000 * outage else 2)
    is_undisturbed(cluster, undisturbed)


def test_a_full_disk_is_named_and_left_for_another(
    mongod: Mongod, tmp_path: Path, undisturbed: tuple[float, int]
) -> None:
    cluster = write_cluster(tmp_path / "cluster", mongod.port, name="full")
    disk, roomy = cluster.folder / "cluster", tmp_path / "roomy"
    need(os.geteuid() == 0, "root, to make a small disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], check=True)
    try:
        submit([gold_flow(SLOW)], "gold", cluster)
        worker = start_worker(cluster, tmp_path / "worker", "rapidfire")
        wait_for(lambda: iteration(cluster) >= 4, 60, "band")
        with (disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space"):
            while True:
                ballast.write(bytes(512))
        worker.wait(180)
        assert states(cluster.launchpad(), "ada/gold")["barrier: band idpp"] == "FIZZLED"
        [job] = recover(cluster, "ada/gold", roomy)
        assert "barrier: band idpp: OSError" in job.happened and "No space left on device" in job.happened
        assert f"files and error.txt in {job.folder}" in job.happened
        assert job.done == f"put back, copied from {job.folder}"
    finally:
        subprocess.run(["umount", disk], check=True)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(180) == 0
    assert completed(cluster)
    assert Path(band(cluster)["folder"]).is_relative_to(roomy)
    is_undisturbed(cluster, undisturbed)


@pytest.mark.slurm
@pytest.mark.qe
def test_a_killed_neb_x_goes_on(mongod: Mongod, slurm: Slurm, tmp_path: Path, li2o_results: Path) -> None:
    espresso_cases.need_qe()
    cluster = write_cluster(tmp_path, mongod.port, name="neb_x")
    study = load_study(espresso_cases.STUDY)
    submit([StudyMaker().make(study)], study.name, cluster)
    drive(cluster, study.name, lambda: iteration(cluster, study.name) >= 2)
    rocket = psutil.Process(band(cluster, study.name)["pid"])
    code = [child for child in rocket.children(recursive=True) if child.name() == "neb.x"]
    assert code
    rocket.send_signal(signal.SIGKILL)
    [job] = drive(cluster, study.name, lambda: completed(cluster, study.name))
    assert job.done == "put back" and job.iteration is not None and job.iteration >= 2
    [local] = run(StudyMaker().make(study), li2o_results).output.barriers
    [barrier] = [doc["output"] for doc in cluster.store().query(load=True) if "forward" in doc["output"]]
    assert abs(barrier["forward"] - local.forward) < 1e-3
    assert barrier["cost"]["force_calls"] <= 1.1 * local.cost.force_calls
