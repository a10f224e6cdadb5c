"""Cleaning removes what it has shown, and nothing that any run of the study would go on from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ase.io import write
from conftest import Outcome, gold_on_aluminium
from counting import count, double
from dispatched import states, work
from jobflow import Flow

from barriers import StudyMaker, load_study, run
from barriers.dispatch.fireworks.clean import withdraw_ended
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.recover import recover
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.leftovers import Leftover, remove
from barriers.dispatch.local import LocalRun
from barriers.dispatch.store import results_store

STUDY = """
name: gold
endpoints: {initial: initial.traj, final: final.traj}
engine: {kind: mlip, model: emt}
"""
EDITED = STUDY + "neb: {spring: 2.0}\n"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study file in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, atoms in zip(("initial.traj", "final.traj"), gold_on_aluminium(), strict=True):
        write(tmp_path / name, atoms)
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def run_here(study: Path) -> LocalRun:
    return run(StudyMaker().make(load_study(study)), "results/gold")


def files(folder: Path) -> dict[str, bytes]:
    """Everything in the folders of the jobs."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def found(cli: Callable[..., Outcome], study: Path, *options: object) -> list[tuple[str, str]]:
    """What and of which job, as JSON says it."""
    code, out, err = cli("clean", study, "--json", *options)
    assert code == 0, err
    return sorted((each["what"], each["job"]) for each in json.loads(out)["found"])


OLD = [(what, f"gold: {job}") for what in ("document", "folder") for job in ("band idpp", "barrier", "comparison")]


def test_what_an_edit_replaced_goes_once_the_edited_study_has_converged(
    study: Path, cli: Callable[..., Outcome]
) -> None:
    first = run_here(study)
    jobs = Path("results/gold/jobs").resolve()
    [relaxed] = jobs.glob("gold-relax-initial-*")
    (relaxed / "error.txt").write_text("of a run before")
    (jobs / "my own notes").mkdir()
    study.write_text(EDITED)
    before = files(jobs)
    out = cli("clean", study, "--json").out
    assert json.loads(out)["unfinished"] == ["gold: band idpp", "gold: barrier", "gold: comparison"]
    assert found(cli, study) == [("error", "gold: relax initial")]
    code, out, err = cli("clean", study)
    assert code == 2 and "1 error" in out and "'gold: band idpp'" in out and "--yes removes them" in err
    assert files(jobs) == before
    run_here(study)
    before = files(jobs)
    shown = json.loads(cli("clean", study, "--json").out)
    assert sorted((each["what"], each["job"]) for each in shown["found"]) == sorted(
        [*OLD, ("error", "gold: relax initial")]
    )
    gone = tuple(each["where"] for each in shown["found"] if each["what"] != "document")
    assert sum(each["size"] for each in shown["found"]) == sum(
        len(content) for path, content in before.items() if path.startswith(gone)
    )
    assert cli("clean", study, "--yes").code == 0
    assert files(jobs) == {path: content for path, content in before.items() if not path.startswith(gone)}
    assert (jobs / "my own notes").is_dir()
    assert found(cli, study) == []
    assert run_here(study).force_calls == 0
    study.write_text(STUDY)
    again = run_here(study)
    assert again.output.barriers[0].forward == first.output.barriers[0].forward
    assert 0 < again.force_calls < first.force_calls


def test_what_a_band_would_go_on_from_stays(study: Path, cli: Callable[..., Outcome]) -> None:
    run_here(study)
    study.write_text(STUDY + "neb: {spring: 2.0, rough_fmax: 0.05, max_steps: 3}\n")
    stopped = run_here(study)  # before it climbs: else its saddle would be searched for
    assert not stopped.output.barriers[0].converged
    before = files(Path("results/gold/jobs"))
    assert found(cli, study, "--yes") == []
    assert files(Path("results/gold/jobs")) == before
    study.write_text(STUDY + "neb: {spring: 2.0, rough_fmax: 0.05}\n")
    whole = run_here(study).output.barriers[0]
    assert whole.converged and whole.band.cost.earlier_force_calls > 0


def test_results_in_a_store_of_all_studies_stay(
    study: Path, cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BARRIERS_CONFIG", str(tmp_path))
    (tmp_path / "store.yaml").write_text(f"docs_store: {{type: SqliteStore, path: {tmp_path}/all.sqlite}}\n")
    run_here(study)
    study.write_text(EDITED)
    run_here(study)
    assert {what for what, _ in found(cli, study, "--yes")} == {"folder"}
    assert results_store(Path("results/gold")).count() == 8


@pytest.mark.mongo
def test_a_submitted_study_is_cleaned_and_nothing_of_it_is_missed(
    study: Path, here: Cluster, cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.parent)
    scope, options = "ada/gold", ("--config", here.folder)

    def send(text: str) -> dict[str, str]:
        study.write_text(text)
        submit(StudyMaker().parts(load_study(study)), "gold", here)
        return work(here, scope)

    def documents() -> dict[str, Any]:
        return {each["uuid"]: each["name"] for each in here.store().query({})}

    send(STUDY)
    first = documents()
    send(EDITED)
    kept = {uuid: name for uuid, name in documents().items() if uuid not in first or ": relax" in name}
    assert found(cli, study, *options) == [each for each in OLD if "comparison" not in each[1]]
    assert len(documents()) == 6
    assert cli("clean", study, "--yes", *options).code == 0
    assert documents() == kept
    assert recover(here, scope) == []
    assert cli("collect", study, *options).code == 0
    assert set(send(STUDY).values()) == {"COMPLETED"}
    assert documents() == first | kept
    runs = here.launchpad().db.barriers_runs.find({"name": re.compile("band")})
    assert sorted(each["attempts"] for each in runs) == [1, 2]


@pytest.mark.mongo
def test_cleaned_jobs_that_are_wanted_again_wait_for_one_another(here: Cluster) -> None:
    def parts() -> list[Flow]:
        counted = count(1)
        return [Flow([counted]), Flow([double(counted.output)])]

    submit(parts(), "counting", here)
    work(here, "ada/counting")
    gone = [Leftover("document", each["name"], each["uuid"], 0, "") for each in here.store().query({})]
    withdraw_ended(here.launchpad(), gone)
    remove(gone, here.store())
    assert states(here.launchpad(), "ada/counting") == {"count": "DEFUSED", "double": "DEFUSED"}
    assert recover(here, "ada/counting") == []
    submit(parts(), "counting", here)
    assert states(here.launchpad(), "ada/counting") == {"count": "READY", "double": "PAUSED"}
    assert work(here, "ada/counting") == {"count": "COMPLETED", "double": "COMPLETED"}
