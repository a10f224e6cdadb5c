"""Which jobs and calculations are the same: lasting uuids, keys, and results that are taken instead of computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ROOT, gold_on_aluminium
from jobflow import Flow, Job, JobStore
from maggma.stores import MemoryStore

from barriers import BarrierMaker, MlipEngine, StudyMaker, load_study
from barriers.dispatch.execution import execute
from barriers.dispatch.identity import identify
from barriers.files.structures import to_structure
from barriers.study.models import HopSection, NebSection, Study


@pytest.fixture
def store() -> JobStore:
    store = JobStore(MemoryStore())
    store.connect()
    return store


def example(**changes: object) -> Study:
    study = load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")
    assert isinstance(study, Study)
    return study.model_copy(update=changes)


def identified(study: Study, scope: str = "me/study") -> dict[str, Job]:
    return {job.name: job for job, _ in identify(StudyMaker().make(study), scope).iterflow()}


def gold(**neb: float) -> Flow:
    initial, final = map(to_structure, gold_on_aluminium())
    return BarrierMaker(engine=MlipEngine(model="emt"), neb=NebSection(**neb)).make(initial, final)


def test_the_same_study_has_the_same_jobs_and_another_owner_has_others() -> None:
    mine, again, yours = identified(example()), identified(example()), identified(example(), "you/study")
    assert {job.uuid for job in mine.values()} == {job.uuid for job in again.values()}
    assert not {job.uuid for job in mine.values()} & {job.uuid for job in yours.values()}
    assert len({job.uuid for job in mine.values()}) == len(mine)


def test_every_input_is_the_output_of_a_job_of_the_flow() -> None:
    flow = identify(StudyMaker().make(example()), "me/study")
    uuids = set(flow.job_uuids)
    assert all(set(job.input_uuids) <= uuids for job, _ in flow.iterflow())
    assert flow.output.uuid in uuids


def test_an_edit_changes_only_the_jobs_behind_it() -> None:
    before, after = identified(example()), identified(example(neb=NebSection(fmax=0.02)))
    changed = {name for name in before if before[name].uuid != after[name].uuid}
    assert {name for name in before if ": band" in name} <= changed
    assert not {name for name in changed if "relax" in name or "slab" in name or "vacancy" in name}


def test_settings_that_change_no_number_change_no_job() -> None:
    before, after = identified(example()), identified(example(neb=NebSection(max_steps=7)))
    assert all(before[name].uuid == after[name].uuid for name in before)


def test_another_hop_adds_jobs_and_changes_only_the_comparison() -> None:
    one, two = (HopSection(name="one", rank=1), HopSection(name="two", rank=2))
    before, after = identified(example(hops=(one,))), identified(example(hops=(one, two)))
    kept = {name for name in before if name in after and before[name].uuid == after[name].uuid}
    assert {name for name in before if ": band" in name or ": relax" in name or ": barrier" in name} <= kept
    assert len(after) > len(before)


def test_a_stored_calculation_is_not_run_again_nor_under_another_uuid(store: JobStore, tmp_path: Path) -> None:
    first = [execute(job, store, tmp_path) for job, _ in gold().iterflow()]
    again = [execute(job, store, tmp_path / "elsewhere") for job, _ in gold().iterflow()]
    assert sum(done.force_calls for done in first) > 20
    assert sum(done.force_calls for done in again) == 0
    assert [done.state for done in again if done.state != "done"] == ["reused"] * 3
    assert not (tmp_path / "elsewhere" / "jobs").exists() or not list(
        (tmp_path / "elsewhere" / "jobs").glob("*/*.progress.jsonl")
    )


def test_results_of_another_owner_are_not_taken(store: JobStore, tmp_path: Path) -> None:
    calls = [
        sum(execute(job, store, tmp_path / owner, owner).force_calls for job, _ in gold().iterflow())
        for owner in ("me", "you")
    ]
    assert calls[0] == calls[1] > 20


def test_an_unconverged_band_goes_on_where_it_stopped(store: JobStore, tmp_path: Path) -> None:
    rough = {"rough_fmax": 0.05}  # a band that has climbed would have its saddle searched for
    whole = [execute(job, store, tmp_path / "whole") for job, _ in gold(**rough).iterflow()]
    elsewhere = JobStore(MemoryStore())
    elsewhere.connect()
    first = [execute(job, elsewhere, tmp_path) for job, _ in gold(**rough, max_steps=2).iterflow()]
    second = [execute(job, elsewhere, tmp_path) for job, _ in gold(**rough).iterflow()]
    assert [done.state for done in first].count("unconverged") == 2
    assert "asked for" in next(done.message for done in first if done.state == "unconverged")
    assert [done.state for done in second].count("reused") == 2
    spent = sum(done.force_calls for done in first + second)
    at_once = sum(done.force_calls for done in whole)
    assert at_once <= spent <= at_once + 3  # where a band stops, all its images are evaluated


def test_a_flow_keeps_its_references_when_its_jobs_have_run(store: JobStore, tmp_path: Path) -> None:
    flow = gold()
    before = [job.input_uuids for job, _ in flow.iterflow()]
    for job, _ in flow.iterflow():
        execute(job, store, tmp_path)
    assert [job.input_uuids for job, _ in flow.iterflow()] == before


def test_a_job_that_raises_leaves_its_words(store: JobStore, tmp_path: Path) -> None:
    failed = execute(Job(int, ("no number",), name="NCM hop: band"), store, tmp_path)
    assert failed.state == "failed"
    assert "no number" in failed.message
    assert "Traceback" in (failed.folder / "error.txt").read_text("utf-8")
    assert store.count() == 0
