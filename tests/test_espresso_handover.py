"""Paths handed over from the embedded engine: which jobs run with which engine, and from which band."""

from __future__ import annotations

from collections import Counter

from espresso_cases import STUDY
from jobflow import Flow, Job

from barriers.study.file import load_study, read_study
from barriers.workflow.study import StudyMaker

TEXT = """
name: both
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
engine: espresso
path: {from: SOURCE, starts: 3}
"""


def jobs_of(flow: Flow) -> list[Job]:
    return [job for job, _ in flow.iterflow()]


def engine_jobs(source: str) -> Counter[str]:
    study = read_study(TEXT.replace("SOURCE", source))
    makers = [job.maker for job in jobs_of(StudyMaker().make(study)) if job.maker is not None]
    return Counter(f"{type(maker).__module__.split('.')[2]} {type(maker).__name__}" for maker in makers)


def test_without_a_hand_over_one_engine_does_it_all() -> None:
    assert engine_jobs("idpp") == {"espresso RelaxMaker": 8, "espresso NebMaker": 4}


def test_the_embedded_engine_does_all_but_the_last_relaxations_and_one_band_for_each_hop() -> None:
    assert engine_jobs("mlip") == {
        "mlip RelaxMaker": 8,
        "mlip NebMaker": 4,
        "espresso RelaxMaker": 4,
        "espresso NebMaker": 2,
    }


def test_the_last_band_follows_the_embedded_engines_lowest() -> None:
    study = read_study(TEXT.replace("SOURCE", "mlip"))
    jobs = jobs_of(StudyMaker().make(study))
    names = {job.uuid: job.name for job in jobs}
    bands = [job for job in jobs if type(job.maker).__module__ == "barriers.engines.espresso.neb"]
    for band in bands:
        initial, final, start, guide, known = band.function_args
        assert start.method == "carried" and known == []
        assert names[guide.uuid].startswith("mlip: NCM") and names[guide.uuid].endswith("lowest band")
        assert ": relax vacancy" in names[initial.uuid] and "mlip" not in names[initial.uuid]
        assert "final endpoint" in names[final.uuid] and "mlip" not in names[final.uuid]
        (relaxed,) = (job for job in jobs if job.uuid == initial.uuid)
        (structure,) = relaxed.function_args
        assert names[structure.uuid].startswith("mlip: ")


def test_the_systems_of_the_comparison_keep_their_names() -> None:
    flow = StudyMaker().make(read_study(TEXT.replace("SOURCE", "mlip")))
    name, barriers, *_ = jobs_of(flow)[-1].function_args
    assert name == "both"
    summed = {job.uuid: job.function_args[3] for job in jobs_of(flow) if job.name.endswith(": barrier")}
    assert [summed[reference.uuid] for reference in barriers] == ["NCM", "NCM@PVDF"]


def test_two_endpoints_are_relaxed_twice_and_straight_lines_are_an_option() -> None:
    study = load_study(STUDY)
    (band,) = (job for job in jobs_of(StudyMaker().make(study)) if type(job.maker).__name__ == "NebMaker")
    assert band.function_args[2].method == "linear"
    handed = study.model_copy(update={"path": study.path.model_copy(update={"from_": "mlip"})})
    names = [job.name for job in jobs_of(StudyMaker().make(handed)) if job.maker is not None]
    assert sorted(names) == [
        "li2o_espresso: band carried",
        "li2o_espresso: relax final",
        "li2o_espresso: relax initial",
        "mlip: li2o_espresso: band idpp",
        "mlip: li2o_espresso: relax final",
        "mlip: li2o_espresso: relax initial",
    ]
