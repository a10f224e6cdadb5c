"""Submitting: a study takes nothing from another of its name unasked, and is added whole or not at all."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from ase.io import write
from conftest import ROOT, Outcome, gold_on_aluminium
from counting import count, double
from dispatched import empty, states, work
from jobflow import Flow
from pymongo.collection import Collection

from barriers.dispatch.fireworks.collections import gates, staged, time_there
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.submit import WithdrawalError, submit

pytestmark = pytest.mark.mongo

SCOPE = "ada/counting"

WRITES = ("insert_one", "insert_many", "update_one", "update_many", "bulk_write", "delete_one", "delete_many")
WRITES += ("find_one_and_update", "find_one_and_replace")


@pytest.fixture
def cluster(here: Cluster) -> Cluster:
    return here


def parts(*untils: int) -> list[Flow]:
    """Counters in a workflow of their own, and in another one what doubles them."""
    counters = [count(until) for until in untils]
    doubles = [double(counter.output) for counter in counters]
    for until, counter, doubled in zip(untils, counters, doubles, strict=True):
        counter.name, doubled.name = f"count {until}", f"double {until}"
    return [Flow(counters), Flow(doubles)]


def everything(cluster: Cluster) -> dict[str, list[dict[str, Any]]]:
    """What the database holds of jobs."""
    db = cluster.launchpad().db
    names = ("fireworks", "workflows", "launches", "barriers_gates", "barriers_staged", "barriers_runs")
    return {name: list(db[name].find({})) for name in names}


def restore(cluster: Cluster, content: dict[str, list[dict[str, Any]]]) -> None:
    """Bring back what the database held."""
    empty(cluster)
    for name, documents in content.items():
        if documents:
            cluster.launchpad().db[name].insert_many(documents)


def is_whole(cluster: Cluster) -> None:
    """Each job is there once and in one workflow that has all of its jobs; each gate is before a job that waits."""
    launchpad = cluster.launchpad()
    fireworks = list(launchpad.fireworks.find({}))
    nodes = [fw_id for workflow in launchpad.workflows.find({}) for fw_id in workflow["nodes"]]
    assert sorted(nodes) == sorted(each["fw_id"] for each in fireworks)
    assert set(Counter(each["spec"]["barriers"]["uuid"] for each in fireworks).values()) == {1}
    inside = {int(fw_id): state for each in launchpad.workflows.find({}) for fw_id, state in each["fw_states"].items()}
    assert inside == {each["fw_id"]: each["state"] for each in fireworks}
    waits = {each["fw_id"] for each in fireworks if each["state"] in ("PAUSED", "DEFUSED")}
    assert {gate["_id"] for gate in gates(launchpad).find({})} <= waits
    assert staged(launchpad).count_documents({}) == 0


def test_a_second_study_of_the_same_name_takes_nothing_from_the_first_unasked(cluster: Cluster) -> None:
    submit(parts(1, 2), "counting", cluster)
    before = everything(cluster)
    with pytest.raises(WithdrawalError, match=r"'counting' of ada has 2 jobs .* the first 'count 2', added 20.*--yes"):
        submit(parts(1, 3), "counting", cluster)
    assert everything(cluster) == before
    assert submit(parts(1, 3), "counting", cluster, withdraw=True).withdrawn == 2
    is_whole(cluster)
    assert work(cluster, SCOPE) == {
        **dict.fromkeys(("count 1", "double 1", "count 3", "double 3"), "COMPLETED"),
        **dict.fromkeys(("count 2", "double 2"), "DEFUSED"),
    }


def test_a_study_with_more_jobs_than_the_first_of_its_name_asks_nothing(cluster: Cluster) -> None:
    submit(parts(1), "counting", cluster)
    assert submit(parts(1, 2), "counting", cluster).added == 2


def test_jobs_of_the_first_study_that_are_done_are_asked_for_by_nobody(cluster: Cluster) -> None:
    submit(parts(1), "counting", cluster)
    work(cluster, SCOPE)
    assert submit(parts(2), "counting", cluster).withdrawn == 0


class Typed(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


def test_the_command_asks_before_it_withdraws(
    cluster: Cluster, cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, atoms in zip(("initial.traj", "final.traj"), gold_on_aluminium(), strict=True):
        write(tmp_path / name, atoms)
    study, options = tmp_path / "study.yaml", ("--config", cluster.folder)
    text = "name: gold\nendpoints: {initial: initial.traj, final: final.traj}\nengine: {kind: mlip, model: emt}\n"
    study.write_text(text)
    assert cli("submit", study, *options).code == 0
    study.write_text(f"{text}neb: {{spring: 2.0}}\n")
    before = everything(cluster)
    code, out, err = cli("submit", study, *options, "--json")
    assert (code, json.loads(out)["exit_code"]) == (2, 2) and "'gold' of ada has 2 jobs" in err
    monkeypatch.setattr("sys.stdin", Typed("n\n"))
    assert cli("submit", study, *options).code == 1
    assert everything(cluster) == before
    monkeypatch.setattr("sys.stdin", Typed("y\n"))
    assert cli("submit", study, *options).code == 0
    assert Counter(states(cluster.launchpad(), "ada/gold").values())["DEFUSED"] == 0  # the new ones bear their names
    assert cluster.launchpad().fireworks.count_documents({"state": "DEFUSED"}) == 2
    study.write_text(text)
    assert cli("submit", study, *options, "--yes").code == 0
    assert cluster.launchpad().fireworks.count_documents({"state": "DEFUSED"}) == 2


class Killed(BaseException):
    """Nothing that this process would write reaches the database any more."""


def kill_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many writes through, and half of one more that writes many documents."""
    left = iter(range(writes))

    def dying(name: str) -> Callable[..., Any]:
        whole = getattr(Collection, name)

        def write(collection: Collection[dict[str, Any]], what: Any, *rest: Any, **options: Any) -> Any:
            if next(left, None) is not None:
                return whole(collection, what, *rest, **options)
            if name == "insert_many" and (half := (documents := list(what))[: len(documents) // 2]):
                whole(collection, half)
            raise Killed

        return write

    for name in WRITES:
        monkeypatch.setattr(Collection, name, dying(name))


def test_a_submit_that_is_killed_at_any_write_is_finished_or_taken_back_by_the_next(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.dispatch.fireworks.consistency.PATIENCE", 0.0)

    def second_version() -> None:
        submit(parts(3, 4), "counting", cluster, withdraw=True)

    submit(parts(2, 3), "counting", cluster)
    submit(parts(2), "counting", cluster, withdraw=True)
    launchpad = cluster.launchpad()
    launchpad.fireworks.update_many({"name": "count 3"}, {"$set": {"spec.barriers.content": "another"}})
    first_version = everything(cluster)
    second_version()
    whole = states(cluster.launchpad(), SCOPE)
    assert Counter(whole.values()) == {"READY": 2, "PAUSED": 2, "DEFUSED": 2}
    done = work(cluster, SCOPE)
    wanted = {name for name, state in done.items() if state == "COMPLETED"}
    assert Counter(done.values()) == {"COMPLETED": 4, "DEFUSED": 2}
    for writes in range(1000):
        restore(cluster, first_version)
        with pytest.MonkeyPatch.context() as patch:
            kill_after(writes, patch)
            try:
                second_version()
            except Killed:
                pass
            else:
                break
        go_on = not writes % 3 and not launchpad.workflows.find_one({"locked": True})
        if go_on:
            assert not {"RUNNING", "RESERVED", "FIZZLED"} & set(work(cluster, SCOPE).values())
        second_version()
        is_whole(cluster)
        if go_on:
            after = work(cluster, SCOPE)
            assert {name: after[name] for name in wanted} == dict.fromkeys(wanted, "COMPLETED")
            is_whole(cluster)
        else:
            assert states(launchpad, SCOPE) == whole
    assert writes > 20


def test_a_submit_whose_process_is_killed_leaves_nothing_that_runs(cluster: Cluster) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from barriers.dispatch.fireworks.config import Cluster\n"
        "from barriers.dispatch.fireworks.staging import Stage\n"
        "from barriers.dispatch.fireworks.submit import submit; import test_submit\n"
        f"Stage.release = lambda *_: os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
        "submit(test_submit.parts(1, 2), 'counting', Cluster(Path(sys.argv[1])))\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    assert (
        subprocess.run([sys.executable, "-c", code, cluster.folder], env=environment, check=False).returncode
        == -signal.SIGKILL
    )
    assert cluster.launchpad().fireworks.count_documents({}) == 4
    assert set(work(cluster, SCOPE).values()) == {"WAITING", "PAUSED"}
    assert submit(parts(1, 2), "counting", cluster).added == 4
    is_whole(cluster)
    assert set(work(cluster, SCOPE).values()) == {"COMPLETED"}


def test_a_submit_that_is_under_way_is_not_disturbed_by_another(cluster: Cluster) -> None:
    launchpad, parent = cluster.launchpad(), psutil.Process(os.getppid())
    head = {"_id": SCOPE, "host": os.uname().nodename, "pid": parent.pid, "process_started": parent.create_time()}
    staged(launchpad).insert_one({**head, "at": time_there(launchpad)})
    with pytest.raises(ValueError, match=rf"{SCOPE}: process {parent.pid} on .* is submitting it"):
        submit(parts(1), "counting", cluster)
    staged(launchpad).update_one({"_id": SCOPE}, {"$set": {"host": "elsewhere"}})
    with pytest.raises(ValueError, match="on elsewhere is submitting it"):
        submit(parts(1), "counting", cluster)
    assert launchpad.fireworks.count_documents({}) == 0
    staged(launchpad).update_one({"_id": SCOPE}, {"$set": {"process_started": 0.0, "host": head["host"]}})
    assert submit(parts(1), "counting", cluster).added == 2


def test_a_submit_that_was_taken_for_dead_releases_nothing(cluster: Cluster) -> None:
    launchpad = cluster.launchpad()

    def slow() -> Iterator[Flow]:
        yield parts(1)[0]
        staged(launchpad).update_one({"_id": SCOPE}, {"$set": {"host": "elsewhere", "pid": 1}})

    with pytest.raises(ValueError, match=f"{SCOPE}: another submit of it took this one for dead"):
        submit(slow(), "counting", cluster)
    assert states(launchpad, SCOPE) == {"count 1": "WAITING"}
    staged(launchpad).update_one({"_id": SCOPE}, {"$set": {"at": datetime(2020, 1, 1, tzinfo=UTC)}})
    assert submit(parts(1), "counting", cluster).added == 2
    is_whole(cluster)
