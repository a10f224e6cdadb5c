"""Points through the LaunchPad: one that is not wanted is never sent to a queue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from corrected import TRUTH, corrector, flaky, gold
from dispatched import completed, drive, start_worker, states, write_cluster
from external import wait_for
from flaky_emt import HUNG, called
from mongo import Mongod
from slurm import Slurm

from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.seen import dispatched_status
from barriers.dispatch.fireworks.submit import submit

pytestmark = pytest.mark.mongo


@pytest.fixture
def cluster(mongod: Mongod, tmp_path: Path) -> Cluster:
    return write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))


def test_points_that_are_not_wanted_end_where_the_proposal_ends(cluster: Cluster, tmp_path: Path) -> None:
    submit([gold(corrector(flaky(tmp_path, fail=[1]), then_band=True, points=12))], "gold", cluster)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(240) == 0
    found = states(cluster.launchpad(), "ada/gold")
    assert {name for name, state in found.items() if state != "COMPLETED"} == {"gold: point saddle 1"}
    assert found["gold: point saddle 1"] == "FIZZLED"
    record = cluster.store().query_one({"name": "gold: barrier"}, load=True)["output"]
    assert record["forward"] == pytest.approx(TRUTH, abs=0.01)
    sent = {run["name"] for run in runs(cluster.launchpad()).find({})}
    points = [name for name in sent if ": point" in name]
    assert len(points) == sum(record["points"].values()) == len(called(tmp_path))
    at_once = found.keys() - sent
    assert {"gold: point saddle 7", "gold: propose saddle 7", "gold: point initial 4"} <= at_once
    assert {"gold: relax on initial", "gold: relax on final", "gold: band carried"} <= at_once
    assert {job.state for job in dispatched_status(cluster, "gold") if job.name in at_once} == {"done"}
    launches = cluster.launchpad().launches.distinct("fw_id")
    assert len(launches) == len(found)


def test_a_study_with_points_is_there_once_and_more_of_them_add_rounds(cluster: Cluster, tmp_path: Path) -> None:
    few, more = (gold(corrector(flaky(tmp_path), points=points)) for points in (6, 11))
    first, again = submit([few], "gold", cluster), submit([gold(corrector(flaky(tmp_path), points=6))], "gold", cluster)
    assert (again.added, again.changed) == (0, 0)
    added = submit([more], "gold", cluster, withdraw=True)
    kept = sum(added.present.values())
    assert kept + added.added == len(list(gold(corrector(flaky(tmp_path), points=11)).iterflow()))
    # The model's four jobs, and the three rounds of the initial end; all behind rests on what closes that.
    assert kept == 10
    assert first.added - kept == added.withdrawn


@pytest.mark.slurm
@pytest.mark.slow
def test_a_point_that_is_killed_in_the_queue_is_all_that_is_lost(
    cluster: Cluster, slurm: Slurm, tmp_path: Path
) -> None:
    submit([gold(corrector(flaky(tmp_path, hang=2), points=9))], "gold", cluster)
    drive(cluster, "gold", (tmp_path / HUNG).exists)

    def at_work() -> list[str]:
        found = states(cluster.launchpad(), "ada/gold")
        return [name for name, state in found.items() if state == "RUNNING" and ": point" in name]

    wait_for(lambda: len(at_work()) == 1, 60, "end of the other points")
    hung = runs(cluster.launchpad()).find_one({"name": at_work()[0]})
    slurm.ask("scancel", "--full", "--signal=KILL", hung["queue_id"])
    wait_for(lambda: hung["queue_id"] not in slurm.jobs(), 20, "end of the job")
    put_back = drive(cluster, "gold", lambda: states(cluster.launchpad(), "ada/gold")[hung["name"]] == "COMPLETED")
    assert [each.name for each in put_back] == [hung["name"]]
    wait_for(lambda: not slurm.jobs(), 60, "end of what is in the queue")
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    assert completed(cluster)
    record = cluster.store().query_one({"name": "gold: barrier"}, load=True)["output"]
    assert record["forward"] == pytest.approx(TRUTH, abs=0.005)
    assert len(called(tmp_path)) == sum(record["points"].values()) + 1
