"""What a job may ask of the LaunchPad: resources, to run despite failures, and never to be queued for nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cheap_flows import golds
from counting import count, double, how_many
from dispatched import states, work
from jobflow import Flow, Job, OnMissing

from barriers import MlipEngine
from barriers.dispatch.fireworks.collections import GATES
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.launch import Round, look
from barriers.dispatch.fireworks.recover import recover
from barriers.dispatch.fireworks.submit import submit
from barriers.engines.surrogate.points import PointMaker

pytestmark = pytest.mark.mongo

SCOPE = "ada/asking"


@pytest.fixture
def cluster(here: Cluster) -> Cluster:
    return here


def named(job: Job, name: str) -> Job:
    job.name = name
    return job


def test_what_a_job_says_to_its_manager_comes_before_what_its_kind_gets(cluster: Cluster) -> None:
    job = named(count(1), "mine")
    own = {"_priority": 77, "_fworker": "big", "_queueadapter": {"walltime": "1:00:00"}}
    job.update_config({"manager_config": own})
    submit([Flow([job, named(count(2), "other")])], "asking", cluster)
    spec = cluster.launchpad().fireworks.find_one({"name": "mine"})["spec"]
    assert {key: spec[key] for key in ("_priority", "_fworker")} == {"_priority": 77, "_fworker": "big"}
    assert spec["_queueadapter"] == {"job_name": "asking_mine", "ntasks": 1, "walltime": "1:00:00"}
    assert work(cluster, SCOPE) == {"mine": "READY", "other": "COMPLETED"}
    assert work(cluster, SCOPE, "big") == {"mine": "COMPLETED", "other": "COMPLETED"}


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (
            {"_queueadapter": {"waltime": "1:00:00"}},
            r"mine: config.manager_config: .*waltime.* has no place .*walltime",
        ),
        ({"barriers": {}}, "mine: config.manager_config: barriers: is not a job's to set"),
    ],
)
def test_what_no_job_can_ask_for_is_refused_and_nothing_added(
    cluster: Cluster,
    config: dict[str, Any],
    line: str,
) -> None:
    job = named(count(1), "mine")
    job.update_config({"manager_config": config})
    with pytest.raises(ValueError, match=line):
        submit([Flow([named(count(2), "other")]), Flow([job])], "asking", cluster)
    assert cluster.launchpad().fireworks.count_documents({}) == 0


@pytest.mark.parametrize("workflows", ["one", "the first apart", "the last apart", "each its own"])
def test_a_job_that_runs_despite_failures_waits_for_nothing_that_cannot_run(
    cluster: Cluster,
    workflows: str,
) -> None:
    """One parent has failed, one waits for it, one is done."""
    (cluster.folder / "cluster" / "asking").mkdir(exist_ok=True)
    told_to_fail = cluster.folder / "cluster" / "asking" / "fail"
    told_to_fail.touch()
    first = named(count(1), "count")
    failing = named(double(first.output), "failing")
    blocked = named(how_many([failing.output]), "blocked")
    last = named(how_many([first.output, failing.output, blocked.output]), "last")
    last.config.on_missing_references = OnMissing.NONE
    last.config.manager_config = {"_priority": 99}  # goes first of all that are ready
    cuts = {"one": (), "the first apart": (1, 2), "the last apart": (3,), "each its own": (1, 2, 3)}[workflows]
    jobs = [first, failing, blocked, last]
    parts = [Flow(jobs[start:end]) for start, end in zip((0, *cuts), (*cuts, 4), strict=True)]
    submit(parts, "asking", cluster)
    seen = work(cluster, SCOPE)
    assert seen.pop("blocked") in ("WAITING", "PAUSED")
    assert seen == {"count": "COMPLETED", "failing": "FIZZLED", "last": "COMPLETED"}
    assert cluster.store().query_one({"name": "last"})["output"] == 1
    told_to_fail.unlink()
    assert [done.done for done in recover(cluster, SCOPE)] == ["put back, with 1 jobs behind it"]
    assert states(cluster.launchpad(), SCOPE)["last"] in ("WAITING", "PAUSED")
    assert set(work(cluster, SCOPE).values()) == {"COMPLETED"}
    assert cluster.store().query_one({"name": "last"})["output"] == 3
    assert cluster.launchpad().db[GATES].count_documents({}) == 0


def no_structure() -> None:
    """Propose no point."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the jobs that were put into a queue that runs nothing."""
    names: list[str] = []

    def send(_cluster: Cluster, launchpad: Any, worker: Any, *_rest: Any) -> str:
        names.append(launchpad.reserve_fw(worker, "/nowhere")[0].name)
        return "1"

    monkeypatch.setattr("barriers.dispatch.fireworks.launch.send", send)
    monkeypatch.setattr("fireworks.user_objects.queue_adapters.common_adapter.CommonAdapter.get_njobs_in_queue", int)
    monkeypatch.setattr("barriers.dispatch.fireworks.lost.states_in_queue", lambda *_: {})
    return names


def looks(cluster: Cluster, study: str) -> list[Round]:
    """Look for as long as something is run here."""
    seen = [look(cluster, f"ada/{study}")]
    while seen[-1].analysed:
        seen.append(look(cluster, f"ada/{study}"))
    return seen


@pytest.mark.parametrize("together", [True, False])
def test_an_empty_point_is_never_sent_to_the_queue(
    cluster: Cluster,
    sent: list[str],
    together: bool,
) -> None:
    proposal = Job(no_structure, name="propose")
    points = [
        named(PointMaker(maker=MlipEngine(model="emt").static()).make(proposal.output), name) for name in ("a", "b")
    ]
    for point in points:
        point.metadata["kind"] = "static"
    parts = [Flow([proposal, *points])] if together else [Flow([proposal]), Flow(points)]
    submit(parts, "asking", cluster)
    looks(cluster, "asking")
    assert states(cluster.launchpad(), SCOPE) == dict.fromkeys(("propose", "a", "b"), "COMPLETED")
    later = named(PointMaker(maker=MlipEngine(model="emt").static()).make(proposal.output), "later")
    later.metadata["kind"] = "static"
    submit([*parts, Flow([later])], "asking", cluster)
    assert states(cluster.launchpad(), SCOPE)["later"] == "READY"
    looks(cluster, "asking")
    assert states(cluster.launchpad(), SCOPE)["later"] == "COMPLETED"
    assert sent == []


def test_a_calculation_whose_result_is_stored_is_not_sent_to_the_queue(
    cluster: Cluster,
    sent: list[str],
    tmp_path: Path,
) -> None:
    submit([golds(1.0)], "golds", cluster)
    work(cluster, "ada/golds")
    submit([golds(1.0, 2.0)], "golds", cluster)
    looks(cluster, "golds")
    assert sent == ["gold 2: band idpp"]
    assert states(cluster.launchpad(), "ada/golds")["gold 2: relax initial"] == "COMPLETED"
