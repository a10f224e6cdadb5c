"""A flow through the LaunchPad: added once, run wherever a worker is, and the same numbers as here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cheap_flows import golds
from conftest import Outcome
from dispatched import gold_flow, start_worker, states, write_cluster
from jobflow import Flow, Job
from mongo import Mongod

from barriers import run
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.launch import Round, launch, look
from barriers.dispatch.fireworks.listing import studies
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.identity import identify
from barriers.documents import BarrierDoc

pytestmark = pytest.mark.mongo


@pytest.fixture
def cluster(mongod: Mongod, tmp_path: Path) -> Cluster:
    return write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))


def barrier_of(cluster: Cluster, study: str) -> BarrierDoc:
    """The barrier that a dispatched flow stored."""
    uuid = cluster.launchpad().fireworks.find_one(
        {"spec.barriers.study": study, "spec.barriers.owner": cluster.owner, "name": "barrier: barrier"}
    )["spec"]["barriers"]["uuid"]
    return BarrierDoc.model_validate(cluster.store().query_one({"uuid": uuid}, load=True)["output"])


def in_two_parts(**neb: float) -> list[Flow]:
    """The endpoints of the gold flow in a workflow of their own, band and barrier in another."""
    ends, rest = [], []
    for job, _ in identify(gold_flow(**neb), "ada/gold").iterflow():
        job.hosts = []
        (ends if ": relax" in job.name else rest).append(job)
    return [Flow(ends), Flow(rest)]


def test_a_flow_gives_the_same_barrier_through_the_launchpad(cluster: Cluster, tmp_path: Path) -> None:
    submit([gold_flow()], "gold", cluster)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    assert set(states(cluster.launchpad(), "ada/gold").values()) == {"COMPLETED"}
    here = run(gold_flow(), tmp_path / "here").output
    there = barrier_of(cluster, "gold")
    assert there.forward == pytest.approx(here.forward, abs=1e-9)
    assert there.cost.force_calls == here.cost.force_calls


def test_the_same_flow_twice_is_there_once(cluster: Cluster) -> None:
    first, second = submit([gold_flow()], "gold", cluster), submit([gold_flow()], "gold", cluster)
    assert (first.added, second.added, second.changed) == (4, 0, 0)
    assert sum(second.present.values()) == 4
    assert cluster.launchpad().fireworks.count_documents({}) == 4


def test_an_edit_adds_what_it_touches_and_withdraws_the_rest(cluster: Cluster, tmp_path: Path) -> None:
    submit([gold_flow()], "gold", cluster)
    edited = submit([gold_flow(fmax=0.02)], "gold", cluster, withdraw=True)
    assert (edited.added, edited.withdrawn) == (2, 2)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    counted = Counter(item["state"] for item in cluster.launchpad().fireworks.find({}))
    assert counted == {"COMPLETED": 4, "DEFUSED": 2}
    back = submit([gold_flow()], "gold", cluster)
    assert back.added == 0
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    assert set(states(cluster.launchpad(), "ada/gold").values()) == {"COMPLETED"}


def test_settings_that_change_no_number_reach_jobs_that_have_not_begun(cluster: Cluster) -> None:
    submit([gold_flow()], "gold", cluster)
    again = submit([gold_flow(max_steps=7)], "gold", cluster)
    assert (again.added, again.changed) == (0, 1)
    band = cluster.launchpad().fireworks.find_one({"name": "barrier: band idpp"})
    assert '"max_steps": 7' in band["spec"]["_tasks"][0]["job"]


def test_a_job_waits_for_a_job_of_another_workflow(cluster: Cluster, tmp_path: Path) -> None:
    added = submit(in_two_parts(), "gold", cluster)
    assert added.workflows == 2
    seen = states(cluster.launchpad(), "ada/gold")
    assert (seen["barrier: relax initial"], seen["barrier: band idpp"], seen["barrier: barrier"]) == (
        "READY",
        "PAUSED",
        "WAITING",
    )
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    assert set(states(cluster.launchpad(), "ada/gold").values()) == {"COMPLETED"}
    assert cluster.launchpad().db.barriers_gates.count_documents({}) == 0
    assert barrier_of(cluster, "gold").converged


def test_jobs_added_later_wait_for_the_same_job_in_a_workflow_of_their_own(cluster: Cluster, tmp_path: Path) -> None:
    ends, rest = in_two_parts()
    submit([ends, rest], "gold", cluster)
    ends, other = in_two_parts(spring=2.0)
    assert submit([ends, other, in_two_parts()[1]], "gold", cluster).added == 2
    names = [workflow["name"] for workflow in cluster.launchpad().workflows.find({})]
    assert len(set(names)) < len(names)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120) == 0
    counted = Counter(item["state"] for item in cluster.launchpad().fireworks.find({}))
    assert counted == {"COMPLETED": 6}


def test_what_is_done_already_is_not_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    ends, rest = in_two_parts()
    submit([ends], "gold", cluster)
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    submit([ends, rest], "gold", cluster)
    assert states(cluster.launchpad(), "ada/gold")["barrier: band idpp"] == "READY"


def test_a_withdrawn_job_that_waits_is_readmitted_behind_its_gate(cluster: Cluster) -> None:
    ends, rest = in_two_parts()
    submit([ends, rest], "gold", cluster)
    assert submit([ends], "gold", cluster, withdraw=True).withdrawn == 2
    submit([ends, rest], "gold", cluster)
    assert states(cluster.launchpad(), "ada/gold")["barrier: band idpp"] == "PAUSED"


def test_jobs_that_the_launchpad_has_forgotten_find_their_results_in_the_store(
    cluster: Cluster, tmp_path: Path
) -> None:
    submit([gold_flow()], "gold", cluster)
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    cluster.launchpad().fireworks.update_many({}, {"$set": {"spec.barriers.uuid": "lost"}})
    assert submit([gold_flow()], "gold", cluster).added == 4
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    runs = list(cluster.launchpad().db.barriers_runs.find({"kind": {"$ne": "analysis"}}))
    assert {item["state"] for item in runs} == {"reused"}
    assert sum(item["force_calls"] for item in runs) == 0


def test_of_a_study_with_one_hop_more_only_that_hop_is_computed(cluster: Cluster, tmp_path: Path) -> None:
    submit([golds(1.0, 2.0)], "golds", cluster)
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    submit([golds(1.0, 2.0, 3.0)], "golds", cluster)
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(120)
    runs = list(cluster.launchpad().db.barriers_runs.find({"name": re.compile("gold 3")}))
    assert {item["name"]: item["state"] for item in runs} == {
        "gold 3: relax initial": "reused",
        "gold 3: relax final": "reused",
        "gold 3: band idpp": "done",
        "gold 3: barrier": "done",
    }
    assert set(cluster.launchpad().db.barriers_runs.distinct("attempts")) == {1}


def test_four_workers_run_two_hundred_jobs_once_each(cluster: Cluster, tmp_path: Path) -> None:
    counted = [Job(_note, (str(tmp_path / "ran"), number), name=f"job {number}") for number in range(200)]
    (tmp_path / "ran").mkdir()
    submit([Flow(counted)], "many", cluster)
    workers = [start_worker(cluster, tmp_path / f"worker-{number}", "rapidfire") for number in range(4)]
    assert [worker.wait(300) for worker in workers] == [0] * 4
    lines = (tmp_path / "ran" / "numbers").read_text().split()
    assert sorted(map(int, lines)) == list(range(200))
    assert set(states(cluster.launchpad(), "ada/many").values()) == {"COMPLETED"}
    runs = list(cluster.launchpad().db.barriers_runs.find({}))
    assert len(runs) == 200
    assert {item["attempts"] for item in runs} == {1}
    assert len({item["pid"] for item in runs}) > 1


def _note(folder: str, number: int) -> int:
    with (Path(folder) / "numbers").open("a") as file:
        file.write(f"{number}\n")
    return number


def test_two_owners_do_not_touch_one_another(cluster: Cluster, mongod: Mongod, tmp_path: Path) -> None:
    other = write_cluster(tmp_path / "other", mongod.port, owner="grace", name=cluster.launchpad().name)
    submit([gold_flow()], "gold", cluster)
    submit([gold_flow(fmax=0.02)], "gold", other)
    assert submit([gold_flow(fmax=0.04)], "gold", other, withdraw=True).withdrawn == 2
    mine = set(states(cluster.launchpad(), "ada/gold").values())
    assert mine == {"READY", "WAITING"}
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(200) == 0
    runs = list(cluster.launchpad().db.barriers_runs.find({"kind": "relax"}))
    assert Counter(item["scope"] for item in runs) == {"ada/gold": 2, "grace/gold": 2}
    assert all(item["force_calls"] > 0 for item in runs)
    assert {(study.owner, study.study) for study in studies(cluster.launchpad())} == {
        ("ada", "gold"),
        ("grace", "gold"),
    }


def test_the_list_names_owner_study_and_states(cluster: Cluster, cli: Callable[..., Outcome]) -> None:
    submit([gold_flow()], "gold", cluster)
    shown = cli("list", "--config", cluster.folder).out
    assert re.search(r"ada .* gold .* 2 ready, 2 waiting", shown)


def test_a_failed_job_names_itself_its_folder_and_the_last_words(cluster: Cluster, tmp_path: Path) -> None:
    failing = Job(int, ("no number",), name="NCM hop: band")
    behind = Job(int, (failing.output,), name="NCM hop: barrier")
    beside = Job(int, ("1",), name="NCM other: band")
    submit([Flow([failing, behind, beside])], "bad", cluster)
    start_worker(cluster, tmp_path / "worker", "rapidfire").wait(60)
    assert states(cluster.launchpad(), "ada/bad") == {
        "NCM hop: band": "FIZZLED",
        "NCM hop: barrier": "WAITING",
        "NCM other: band": "COMPLETED",
    }
    message = cluster.launchpad().db.barriers_runs.find_one({"name": "NCM hop: band"})["message"]
    assert message.startswith("NCM hop: band: ValueError: invalid literal")
    folder = re.search(r"files and error.txt in (\S+)", message)[1]
    assert "Traceback" in (Path(folder) / "error.txt").read_text()


def test_no_secret_goes_into_the_database(cluster: Cluster, mongod: Mongod, tmp_path: Path) -> None:
    submit([gold_flow()], "gold", cluster)
    for firework in cluster.launchpad().fireworks.find({}):
        assert str(mongod.port) not in str(firework)


def test_cheap_jobs_run_in_the_launching_process(cluster: Cluster, slurm: object) -> None:
    submit([Flow([Job(int, (text,), name=f"analysis {text}") for text in "123"])], "cheap", cluster)
    seen = look(cluster, "ada/cheap")
    assert (seen.analysed, seen.queued) == (3, 0)
    assert seen.over


def test_a_queue_that_refuses_a_job_stops_the_launch_with_file_and_key(cluster: Cluster, slurm: object) -> None:
    resources = cluster.folder / "resources.yaml"
    resources.write_text(resources.read_text().replace("relax: {cores: 1}", "relax: {cores: 1, queue: nowhere}"))
    submit([gold_flow()], "gold", cluster)
    with pytest.raises(ValueError, match=re.escape(f"{resources}: kinds.relax.queue: 'nowhere' is refused")):
        look(cluster, "ada/gold")
    assert states(cluster.launchpad(), "ada/gold")["barrier: relax initial"] == "READY"


def test_the_launching_process_outlives_a_database_that_goes_away(tmp_path: Path, slurm: object) -> None:
    server = Mongod(tmp_path)
    server.start()
    try:
        cluster = write_cluster(tmp_path / "cluster", server.port)
        submit([gold_flow()], "gold", cluster)
        rounds: list[Round] = []
        troubles: list[str] = []

        def on_round(seen: Round) -> None:
            rounds.append(seen)
            if not troubles:
                server.kill()

        def on_trouble(line: str) -> None:
            troubles.append(line)
            server.restart()

        assert launch(cluster, "ada/gold", 0.5, on_round, on_trouble).over
        assert len(troubles) == 1
        assert str(server.port) in troubles[0]
        assert rounds[-1].states == {"COMPLETED": 4}
    finally:
        server.stop()
