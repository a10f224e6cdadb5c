"""What a LaunchPad may look like after an accident, and how it is put right: a real database, no queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import ROOT, Outcome
from counting import count, double
from dispatched import states, write_cluster
from fireworks import FWorker, LaunchPad
from fireworks.core.rocket_launcher import rapidfire
from jobflow import Flow
from mongo import Mongod

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.collections import GATES, runs
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.heartbeat import RUN, Heartbeat
from barriers.dispatch.fireworks.recover import put_back_lost, recover
from barriers.dispatch.fireworks.seen import dispatched_status
from barriers.dispatch.fireworks.submit import submit

pytestmark = pytest.mark.mongo

SCOPE = "ada/counting"


def parts(until: int = 1) -> Iterator[Flow]:
    """Two workflows: the second waits for the first behind a gate."""
    counted = count(until)
    counted.name, counted.metadata = "count", {"kind": "relax"}
    yield Flow([counted])
    doubled = double(counted.output)
    doubled.name = "double"
    yield Flow([doubled])


@pytest.fixture
def cluster(mongod: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = write_cluster(tmp_path / "cluster", mongod.port, name=f"{tmp_path.parent.name}-{tmp_path.name}"[-60:])
    monkeypatch.setenv("BARRIERS_CONFIG", str(cluster.folder))
    monkeypatch.setattr("fireworks.core.rocket.ROCKET_STREAM_LOGLEVEL", "CRITICAL")
    monkeypatch.chdir(tmp_path)
    return cluster


def work(cluster: Cluster) -> dict[str, str]:
    """Run what is ready here; give the states."""
    rapidfire(cluster.launchpad(), FWorker(), strm_lvl="CRITICAL")
    return states(cluster.launchpad(), SCOPE)


def result(cluster: Cluster) -> Any:
    return next(record["output"] for record in cluster.store().query({"name": "double"}, load=True))


def job(cluster: Cluster, name: str) -> dict[str, Any]:
    return cluster.launchpad().fireworks.find_one({"name": name}) or {}


def test_what_did_not_converge_goes_on_and_everything_behind_it_is_done_again(cluster: Cluster) -> None:
    submit(parts(until=3), "counting", cluster)
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}
    for reached in (1, 2):
        assert result(cluster) == 2 * reached
        [done] = recover(cluster, SCOPE)
        assert (done.name, done.happened) == ("count", "not converged")
        assert done.done == "put back, with 1 jobs behind it"
        assert states(cluster.launchpad(), SCOPE) == {"count": "READY", "double": "PAUSED"}
        assert recover(cluster, SCOPE) == []
        assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}
    assert result(cluster) == 6
    assert recover(cluster, SCOPE) == []
    assert cluster.launchpad().db[GATES].count_documents({}) == 0


def test_a_failed_job_is_repeated_and_its_message_told(cluster: Cluster) -> None:
    (cluster.folder / "cluster" / "counting").mkdir()
    (cluster.folder / "cluster" / "counting" / "fail").touch()
    submit(parts(), "counting", cluster)
    assert work(cluster) == {"count": "COMPLETED", "double": "FIZZLED"}
    assert put_back_lost(cluster, SCOPE) == []
    [done] = recover(cluster, SCOPE)
    assert done.happened.startswith("failed: double: ArithmeticError: told to fail; files and error.txt in /")
    (cluster.folder / "cluster" / "counting" / "fail").unlink()
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_a_result_that_is_not_in_the_store_is_made_again(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    work(cluster)
    cluster.launchpad().db.barriers_documents.delete_one({"name": "double"})
    assert [(done.name, done.happened) for done in recover(cluster, SCOPE)] == [("double", "no result")]
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}
    assert result(cluster) == 2


def test_another_store_than_the_workers_is_no_reason_to_compute_everything_again(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    work(cluster)
    (cluster.folder / "store.yaml").write_text(
        f"docs_store: {{type: SqliteStore, path: {cluster.folder}/other.sqlite}}\n"
    )
    with pytest.raises(ValueError, match="none of the results of 2 jobs that ended"):
        recover(cluster, SCOPE)


def started_long_ago(launchpad: LaunchPad, state: str, seconds: float) -> None:
    """A launcher took the first job and was never heard of again."""
    _, launch_id = launchpad.checkout_fw(FWorker(), "/nowhere", host="elsewhere", state=state)
    then = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds))
    change = {"$set": {"state_history.0.updated_on": then, "state_history.0.created_on": then}}
    launchpad.launches.update_one({"launch_id": launch_id}, change)


@pytest.mark.parametrize(("state", "known"), [("RUNNING", 60), ("RESERVED", 300)])
def test_a_job_that_never_said_anything_is_lost_after_a_while(cluster: Cluster, state: str, known: float) -> None:
    submit(parts(), "counting", cluster)
    started_long_ago(cluster.launchpad(), state, known - 20)
    assert recover(cluster, SCOPE) == []
    cluster.launchpad().fireworks.update_one({"name": "count"}, {"$set": {"state": "READY", "launches": []}})
    started_long_ago(cluster.launchpad(), state, known + 20)
    assert recover(Cluster(cluster.folder), "bob/counting") == []
    [done] = recover(cluster, SCOPE)
    assert done.done == "put back" and done.seconds_lost > known
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_a_job_that_starts_again_is_not_shown_as_lost(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    started_long_ago(cluster.launchpad(), "RESERVED", 400)
    recover(cluster, SCOPE)
    cluster.launchpad().checkout_fw(FWorker(), "/nowhere", state="RUNNING")
    assert [shown.state for shown in dispatched_status(cluster, "counting")] == ["running", "waiting"]


def test_a_job_that_is_lost_again_and_again_is_given_up_until_somebody_asks(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    for _ in range(2):
        started_long_ago(cluster.launchpad(), "RUNNING", 100)
        assert [done.done for done in put_back_lost(cluster, SCOPE)] == ["put back"]
    started_long_ago(cluster.launchpad(), "RUNNING", 100)
    assert [done.done for done in put_back_lost(cluster, SCOPE)] == ["given up after 3 losses: marked failed"]
    assert states(cluster.launchpad(), SCOPE)["count"] == "FIZZLED"
    [done] = recover(cluster, SCOPE)
    assert "lost 3 times without getting any further" in done.happened
    started_long_ago(cluster.launchpad(), "RUNNING", 100)
    assert [done.done for done in put_back_lost(cluster, SCOPE)] == ["put back"]
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


@pytest.mark.parametrize("locked", [True, False])
def test_a_workflow_left_halfway_is_mended(cluster: Cluster, locked: bool) -> None:
    submit(parts(), "counting", cluster)
    launchpad = cluster.launchpad()
    launchpad.checkout_fw(FWorker(), "/nowhere", state="RUNNING")
    first = job(cluster, "count")
    launchpad.launches.update_one({"launch_id": first["launches"][0]}, {"$set": {"state": "FIZZLED"}})
    if locked:
        launchpad.workflows.update_one({"nodes": first["fw_id"]}, {"$set": {"locked": True}})
    mended, failed = recover(cluster, SCOPE)
    what = "locked" if locked else "states that disagree"
    assert (mended.name, mended.happened) == ("workflow counting 0", f"left by a launcher: {what}")
    assert failed.happened.startswith("failed")
    assert recover(cluster, SCOPE) == []
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_what_a_killed_recover_began_is_finished_by_the_next(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    work(cluster)
    launchpad, waiting = cluster.launchpad(), job(cluster, "double")
    [parent] = waiting["spec"]["barriers"]["parents"]
    runs(launchpad).update_one({"_id": parent}, {"$set": {"state": "repeated", "token": None}})
    gates.close(launchpad, SCOPE, {waiting["fw_id"]: [parent]}, "counting 1")
    assert gates.check(launchpad, SCOPE, cluster.store()) == 0
    assert [done.name for done in recover(cluster, SCOPE)] == ["count"]
    assert states(launchpad, SCOPE) == {"count": "READY", "double": "PAUSED"}
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_a_gate_that_nobody_opened_is_opened(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    work(cluster)
    launchpad, waiting = cluster.launchpad(), job(cluster, "double")
    parents = waiting["spec"]["barriers"]["parents"]
    launchpad.db[GATES].insert_one({"_id": waiting["fw_id"], "scope": SCOPE, "workflow": "x", "waits_for": parents})
    launchpad.fireworks.update_one({"name": "double"}, {"$set": {"state": "PAUSED", "launches": []}})
    launchpad._refresh_wf(waiting["fw_id"])
    launchpad.db.barriers_documents.delete_one({"name": "double"})
    recover(cluster, SCOPE)
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_a_job_that_was_put_back_by_hand_while_it_ran_is_left_to_its_first_start(cluster: Cluster) -> None:
    submit(parts(), "counting", cluster)
    about = job(cluster, "count")["spec"]["barriers"]
    with Heartbeat(runs(cluster.launchpad()), about, 0.2, 0) as alive:
        assert work(cluster) == {"count": "FIZZLED", "double": "PAUSED"}
        for _ in range(2):
            [done] = recover(cluster, SCOPE)
            assert "count runs already" in done.happened and done.done == "left alone: it may be alive"
        alive.end("failed", message="")
    assert [done.done for done in recover(cluster, SCOPE)] == ["put back"]
    assert work(cluster) == {"count": "COMPLETED", "double": "COMPLETED"}


def test_a_process_that_wakes_up_after_its_job_was_put_back_ends_itself(cluster: Cluster, tmp_path: Path) -> None:
    launchpad = cluster.launchpad()
    code = (
        "import sys; from pymongo import MongoClient; from barriers.dispatch.fireworks.heartbeat import Heartbeat\n"
        "about = dict.fromkeys(('scope', 'name', 'kind', 'system', 'hop'), 'x') | {'uuid': 'sleeper'}\n"
        "runs = MongoClient('127.0.0.1', int(sys.argv[1]))[sys.argv[2]].barriers_runs\n"
        "with Heartbeat(runs, about, 0.2, 1):\n    print('started', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(launchpad.port), launchpad.name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sleeper:
        assert sleeper.stdout is not None and sleeper.stdout.readline() == b"started\n"
        time.sleep(0.5)
        assert sleeper.poll() is None
        runs(launchpad).update_one({"_id": "sleeper"}, {"$set": {"state": "lost", "token": None}})
        assert sleeper.wait(10) == 1


def test_what_a_killed_run_left_behind_is_ended_before_the_job_starts_again(cluster: Cluster) -> None:
    about = dict.fromkeys(("scope", "name", "kind", "system", "hop"), "x") | {"uuid": "mine"}
    alive, gone = f"{os.getpid()} {psutil.Process().create_time()}", "999999999 0.0"
    runs_of = {"mine, left": ("mine", gone), "mine, alive": ("mine", alive), "another's": ("other", gone)}
    processes = {
        name: subprocess.Popen(["sleep", "60"], env={RUN: f"{uuid} {process}"})
        for name, (uuid, process) in runs_of.items()
    }
    try:
        with Heartbeat(runs(cluster.launchpad()), about, 1, 1):
            assert [name for name, each in processes.items() if each.poll() is not None] == ["mine, left"]
    finally:
        for each in processes.values():
            each.kill()
            each.wait()


def test_the_command_says_what_it_did(cluster: Cluster, cli: Callable[..., Outcome]) -> None:
    study = ROOT / "inputs" / "li2o_espresso.yaml"
    unknown = cli("recover", study, "--config", cluster.folder)
    assert unknown.code == 2 and "li2o_espresso: no such study" in unknown.err
    submit(parts(until=2), "li2o_espresso", cluster)
    assert cli("recover", study, "--config", cluster.folder) == (0, "nothing to recover\n", "")
    rapidfire(cluster.launchpad(), FWorker(), strm_lvl="CRITICAL")
    code, out, _ = cli("recover", study, "--config", cluster.folder, "--json")
    [done] = json.loads(out)
    assert (code, done["name"], done["done"]) == (0, "count", "put back, with 1 jobs behind it")
    started_long_ago(cluster.launchpad(), "RUNNING", 100)
    code, out, _ = cli("recover", study, "--config", cluster.folder)
    assert code == 0 and "lost: no sign of life" in out and "next: `barriers launch" in out
