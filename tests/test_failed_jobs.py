"""A failed calculation in a study: the others go on, and the study ends with a gap in its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import brittle
import pytest
from ase.io import write
from conftest import Outcome, aluminium_vacancy, gold_on_aluminium
from jobflow import Flow, JobStore, OnMissing, run_locally
from maggma.stores import MemoryStore

from barriers import BarrierMaker, MlipEngine, StudyMaker, run
from barriers.dispatch.local import JobEvent
from barriers.documents import GapDoc, StudyDoc
from barriers.files.structures import to_structure
from barriers.report.folder import read_results
from barriers.study.file import read_study
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.barrier import despite_failures, pair_flow
from barriers.workflow.comparison_job import study_document

Cli = Callable[..., Outcome]
METALS = ("Au", "Ag", "Cu")
FAILED = "a calculation it needs failed"
STUDY = """
name: brittle
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
    placement: {mode: at a distance, candidates: 1}
hops: [{name: first}]
comparison: {reference: NCM@PVDF}
path: {n_images: 1, starts: 1}
"""


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of a calculator that fails for silver."""
    path = tmp_path / "brittle.weights"
    path.write_text("Ag", "utf-8")
    return path


def metal_flow(weights: Path, reference: str = "Au") -> Flow:
    """A study of three metals hopping on Al(100)."""
    engine = MlipEngine(model="brittle:BrittleEMT", weights=str(weights), workers=1)
    flows = []
    for metal in METALS:
        ends = gold_on_aluminium()
        for atoms in ends:
            atoms.symbols[-1] = metal
        maker = BarrierMaker(metal, engine, RelaxSection(fmax=0.1), PathSection(n_images=1), NebSection(fmax=0.1))
        flows.append(maker.make(*map(to_structure, ends)))
    wanted = [(metal, "") for metal in METALS]
    summary = study_document("metals", [flow.output for flow in flows], reference, "forward", None, wanted)
    despite_failures(summary)
    return Flow([*flows, summary], output=summary.output)


def mend(weights: Path) -> None:
    weights.with_suffix(brittle.MENDED).touch()


def test_the_systems_that_did_not_fail_are_compared_and_the_next_run_fills_the_gap(
    weights: Path, tmp_path: Path
) -> None:
    outcome = run(metal_flow(weights), tmp_path / "results")
    study: StudyDoc = outcome.output
    assert [barrier.system for barrier in study.barriers] == ["Au", "Cu"]
    assert study.barriers[0].forward == pytest.approx(0.374, abs=0.003)
    assert study.gaps == [GapDoc(system="Ag", hop="", reason=FAILED)]
    assert [(row.system, row.barrier is None, row.reason) for row in study.rows][1] == ("Ag", True, FAILED)
    assert list(outcome.failures) == ["Ag: relax initial", "Ag: relax final", "Ag: band idpp", "Ag: barrier"]
    mend(weights)
    again = run(metal_flow(weights), tmp_path / "results")
    assert (again.output.gaps, again.failures) == ([], {})
    assert again.force_calls == again.output.barriers[1].cost.force_calls > 0
    assert again.output.barriers[0].forward == study.barriers[0].forward


def test_a_failed_reference_leaves_barriers_without_differences(weights: Path, tmp_path: Path) -> None:
    study: StudyDoc = run(metal_flow(weights, reference="Ag"), tmp_path).output
    assert [row.barrier is None for row in study.rows] == [False, True, False]
    assert {row.difference for row in study.rows} == {None}
    assert study.rows[0].reason == study.rows[2].reason == f"Ag has no barrier: {FAILED}"
    assert study.sentences == [f"Ag — → {row.system} {row.barrier:.2f} eV" for row in study.rows if row.barrier]


def test_other_runners_of_the_flow_leave_the_same_gap(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flow, store = metal_flow(weights), JobStore(MemoryStore())
    run_locally(flow, store=store, create_folders=True, log=False)
    assert [gap.system for gap in StudyDoc.model_validate(flow.output.resolve(store)).gaps] == ["Ag"]


def test_makers_of_one_name_each_have_their_failures_told(weights: Path, tmp_path: Path) -> None:
    ends = gold_on_aluminium()
    for atoms in ends:
        atoms.symbols[-1] = "Ag"
    engine = MlipEngine(model="brittle:BrittleEMT", weights=str(weights), workers=1)
    flows = [
        BarrierMaker("Ag", engine, RelaxSection(fmax=fmax), PathSection(n_images=1)).make(*map(to_structure, ends))
        for fmax in (0.1, 0.2)
    ]
    events: list[JobEvent] = []
    failures = run(Flow(flows), tmp_path / "results", events.append).failures
    told = [event for event in events if event.state in {"failed", "skipped"}]
    assert len(failures) == len(told) == 8
    assert {f"{event.name} [{event.number}/{event.total}]": event.message for event in told} == failures


def test_only_the_comparison_of_a_study_runs_despite_failures(weights: Path) -> None:
    initial, final = map(to_structure, aluminium_vacancy())
    for flow in (
        pair_flow(BarrierMaker(engine=MlipEngine(model="emt")), initial, final, []),
        StudyMaker().make(read_study(STUDY)),
    ):
        runs = [job.name for job, _ in flow.iterflow() if job.config.on_missing_references == OnMissing.NONE]
        (last,) = (job for job, _ in flow.iterflow() if job.uuid == flow.output.uuid)
        assert runs == [last.name]


def test_each_barrier_of_a_study_is_wanted_under_its_own_name() -> None:
    flow = StudyMaker().make(read_study(STUDY.replace("{name: first}", "{name: first}, {name: second, rank: 2}")))
    jobs = {job.uuid: job for job, _ in flow.iterflow()}
    summary = jobs[flow.output.uuid]
    barriers = [jobs[reference.uuid].function_args for reference in summary.function_args[1]]
    assert [(system, hop.name) for *_, system, hop in barriers] == summary.function_kwargs["wanted"]
    assert len(barriers) == 4


def test_one_barrier_that_failed_is_still_a_study(cli: Cli, weights: Path, tmp_path: Path) -> None:
    for name, atoms in zip(("one", "two"), gold_on_aluminium(), strict=True):
        atoms.symbols[-1] = "Ag"
        write(tmp_path / f"{name}.traj", atoms)
    ends = [tmp_path / f"{name}.traj" for name in ("one", "two")]
    model = ("--model", "brittle:BrittleEMT", "--weights", weights, "--images", "1", "--fmax", "0.1")
    command = ("neb", *ends, *model, "--results", tmp_path / "results")
    outcome = cli(*command)
    assert outcome.code == 1
    assert f"! one→two: not there yet, {FAILED}" in outcome.out
    assert "failed: one→two: relax initial: RuntimeError: the" in outcome.err
    assert "1 of 1 barriers not there; this continues it: barriers neb" in outcome.err
    said = json.loads(cli(*command, "--json").out)
    assert (said["system"], said["converged"], said["forward"], said["reason"]) == ("one→two", False, None, FAILED)
    folder = tmp_path / "results" / "neb-one--two"
    assert read_results(str(folder)).barriers == []
    assert not list(folder.glob("profiles*"))
    assert FAILED in cli("show", folder).out
    assert cli("report", folder).code == 0
    assert FAILED in (folder / "report.html").read_text("utf-8")
    assert cli("plot", folder).err.strip() == f"wrong input: {folder}: nothing to draw"
    assert cli("rates", folder).err.strip() == f"wrong input: {folder}: no barrier to make a rate of"
    mend(weights)
    whole = json.loads(cli(*command, "--json").out)
    assert whole.keys() == said.keys()
    assert whole["converged"]


def test_fireworks_is_told_that_the_comparison_may_start_after_failures() -> None:
    pytest.importorskip("fireworks")
    from jobflow.managers.fireworks import flow_to_workflow

    initial, final = map(to_structure, aluminium_vacancy())
    flow = pair_flow(BarrierMaker(engine=MlipEngine(model="emt")), initial, final, [])
    jobs = flow_to_workflow(flow, JobStore(MemoryStore())).fws
    assert [job.name for job in jobs if job.spec.get("_allow_fizzled_parents")] == [flow.jobs[-1].name]


@pytest.mark.slow
def test_a_study_without_one_of_its_systems_is_written_shown_and_continued(
    cli: Cli, weights: Path, tmp_path: Path
) -> None:
    weights.write_text("C", "utf-8")
    engine = f"engine: {{kind: mlip, model: 'brittle:BrittleNothing', weights: {weights}, workers: 1}}\n"
    study, results = tmp_path / "study.yaml", tmp_path / "results"
    study.write_text(STUDY + engine, "utf-8")
    outcome = cli("run", study, "--results", results)
    assert outcome.code == 1
    assert f"! NCM@PVDF first: not there yet, {FAILED}" in outcome.out
    assert "failed: NCM@PVDF: relax placement 1: RuntimeError: the" in outcome.err
    assert "1 of 2 barriers not there; this continues it: barriers run" in outcome.err
    folder = results / "brittle"
    with (folder / "barriers.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["system"], row["reason"]) for row in csv.DictReader(file)] == [("NCM", ""), ("NCM@PVDF", FAILED)]
    assert (folder / "study.yaml").read_text("utf-8") == study.read_text("utf-8")
    assert (folder / "profiles-first.png").is_file()
    mend(weights)
    done = json.loads(cli("run", study, "--results", results, "--json").out)
    assert [barrier["converged"] for barrier in done["barriers"]] == [True, True]
    assert (done["gaps"], cli("show", folder).code) == ([], 0)
