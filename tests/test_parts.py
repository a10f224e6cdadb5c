"""A study built in parts: the same jobs, references that follow new uuids, and nothing held of earlier parts."""

from __future__ import annotations

import gc
import json
import weakref
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from conftest import ordered_slab
from jobflow import Flow, Job
from monty.json import MontyEncoder
from pydantic import BaseModel

from barriers import StudyMaker
from barriers.documents import BandDoc, BarrierDoc, RelaxDoc, StaticDoc, StudyDoc
from barriers.study.file import read_study
from barriers.study.models import HopSection, Study
from barriers.workflow.comparison_job import study_document
from barriers.workflow.labels import barrier_outputs, jobs_of
from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

TEXT = """
name: parts
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
  - {name: NCM}
engine: ENGINE
path: {from: SOURCE, starts: 2}
"""

CORRECTED = "{kind: espresso, neb: surrogate then band, points: 6}"


@cache
def study_of(hops: int, source: str = "idpp") -> Study:
    corrected = source == "corrected"
    text = TEXT.replace("ENGINE", CORRECTED if corrected else "espresso")
    study = read_study(text.replace("SOURCE", "idpp" if corrected else source))
    sections = tuple(HopSection(name=f"hop{rank}", layer="any", rank=rank) for rank in range(1, hops + 1))
    return study.model_copy(update={"hops": sections})


def contents(jobs: list[Job]) -> dict[str, str]:
    """What each job computes, by its name, with names in place of uuids."""
    names = {job.uuid: job.name for job in jobs}
    found = {}
    for job in jobs:
        text = json.dumps([job.maker, job.function_args, job.function_kwargs], cls=MontyEncoder)
        for uuid in job.input_uuids:
            text = text.replace(uuid, names[uuid])
        found[job.name] = text
    return found


@pytest.mark.parametrize("source", ["idpp", "mlip", "corrected"])
@pytest.mark.parametrize("hops_at_once", [1, 3, 50])
def test_parts_are_the_jobs_of_the_whole_but_for_the_comparison(source: str, hops_at_once: int) -> None:
    study = study_of(7, source)
    whole = contents(list(jobs_of(StudyMaker().make(study))))
    parts = [job for part in StudyMaker().parts(study, hops_at_once) for job in jobs_of(part)]
    assert len(parts) == len({job.uuid for job in parts}) == len(whole) - 1
    assert contents(parts) == {name: text for name, text in whole.items() if name != "parts: comparison"}


def renamed(parts: Iterator[Flow], new: set[str]) -> Iterator[Flow]:
    """Give each job another uuid as soon as its part is there."""
    for part in parts:
        inside = {job.uuid for job in jobs_of(part)}
        for job in jobs_of(part):
            outside = set(job.input_uuids) - inside
            assert outside <= new, f"{job.name} refers to a uuid of before"
        for job in jobs_of(part):
            job.set_uuid(f"new-{len(new)}")
            new.add(job.uuid)
        yield part


@pytest.mark.parametrize("source", ["idpp", "mlip", "corrected"])
def test_later_parts_refer_to_the_uuids_that_jobs_were_given(source: str) -> None:
    new: set[str] = set()
    parts = list(renamed(StudyMaker().parts(study_of(7, source), 2), new))
    across = Counter()
    for part in parts[1:]:
        inside = {job.uuid for job in jobs_of(part)}
        across.update(uuid for job in jobs_of(part) for uuid in job.input_uuids if uuid in new - inside)
    names = {job.uuid: job.name for part in parts for job in jobs_of(part)}
    met = {names[uuid] for uuid in across}
    assert {"slab: as built", "slab: relax", "NCM@PVDF: relax interface"} <= met
    assert any(name.startswith("NCM: relax vacancy") for name in met), "end states are shared between parts"


@pytest.mark.parametrize("source", ["mlip", "corrected"])
def test_no_job_of_an_earlier_part_is_held(source: str) -> None:
    parts = StudyMaker().parts(study_of(9, source), 2)
    earlier: list[weakref.ref[Job]] = []
    for part in parts:
        gc.collect()
        assert [job().name for job in earlier if job() is not None] == []
        earlier += [weakref.ref(job) for job in jobs_of(part)]
        del part
    assert len(earlier) > 100


def test_jobs_grow_with_the_hops_and_no_part_grows_at_all() -> None:
    def sizes(hops: int) -> list[int]:
        return [len(part.job_uuids) for part in StudyMaker().parts(study_of(hops), 3)]

    few, more, most = sizes(6), sizes(12), sizes(24)
    for hops, found in ((6, few), (12, more), (24, most)):
        assert len(found) == 1 + hops / 3
        # A relaxation and its construction for at most two end states, the final endpoint, the bands and the barrier.
        assert max(found[1:]) <= 3 * ((4 + 1 + 1 + 1) + (4 + 1 + 2 + 1))
    assert few[0] == more[0] == most[0]
    assert sum(most) - sum(more) <= 2.2 * (sum(more) - sum(few))


def test_points_of_an_end_state_are_those_of_all_hops_that_end_there() -> None:
    study = study_of(7, "corrected")
    names = Counter(job.name for part in StudyMaker().parts(study, 2) for job in jobs_of(part))
    assert max(names.values()) == 1
    slab = build_slab(crystal_of(study.cathode), study.cathode, study.surface).structure
    states = {state.label for hop in hops_of(slab, study.hops) for state in (hop.initial, hop.final)}
    assert len(states) < 2 * len(study.hops)
    for system in study.system_names:
        assert {f"{system}: point {state} 1" for state in states} <= names.keys()
        saddles = [name for name in names if name.startswith(f"{system} ") and ": point saddle" in name]
        assert len(saddles) == 4 * len(study.hops)
    points = sum(": point " in name for name in names)
    assert points == len(study.systems) * (4 * len(study.hops) + 2 * len(states))


def test_the_comparison_is_made_of_barriers_in_the_order_of_the_file() -> None:
    study = study_of(5)
    known = {}
    for part in StudyMaker().parts(study, 2):
        known |= barrier_outputs(part)
    names = {output.uuid: of for of, output in known.items()}
    late = StudyMaker().summary(study, dict(sorted(known.items(), reverse=True)))
    order = [(system, f"hop{rank}") for system in ("NCM@PVDF", "NCM") for rank in range(1, 6)]
    assert [names[reference.uuid] for reference in late.function_args[1]] == order
    whole = list(jobs_of(StudyMaker().make(study)))[-1]
    assert (late.function_args[0], late.function_args[2:]) == (whole.function_args[0], whole.function_args[2:])
    del known["NCM", "hop2"]
    assert StudyMaker().summary(study, known).function_args[1].count(None) == 1


def test_a_part_of_no_hop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^hops_at_once: 0; allowed: 1 or more$"):
        StudyMaker().parts(study_of(2), 0)


@pytest.mark.parametrize("document", [StaticDoc, RelaxDoc, BandDoc, BarrierDoc, StudyDoc])
def test_the_schema_that_every_reference_asks_for_is_made_once(document: type[BaseModel]) -> None:
    assert document.model_json_schema() is document.model_json_schema()
    assert document.model_json_schema() == BaseModel.model_json_schema.__func__(document)
    assert document.model_json_schema(mode="serialization")["title"] == document.__name__


def test_a_hop_whose_reference_failed_is_a_row_without_a_difference() -> None:
    hops = hops_of(ordered_slab(), study_of(2).hops)
    alike = {"slab": "a", "hop": "b", "engine": "c"}
    known = {
        (system, hop.name): BarrierDoc.model_construct(
            system=system, hop=hop, forward=0.4, fit_spread=0.01, fingerprint=alike, reason=None
        )
        for system in ("NCM@PVDF", "NCM")
        for hop in hops
    }
    del known["NCM@PVDF", "hop2"]
    job = StudyMaker().summary(study_of(2), known)
    document = study_document.original(*job.function_args, **job.function_kwargs)
    assert document.sentences[0] == "NCM@PVDF 0.40 eV → NCM 0.40 eV (Δ +0.00 eV)"
    assert "Δ" not in document.sentences[1]
    assert [(gap.system, gap.hop) for gap in document.gaps] == [("NCM@PVDF", "hop2")]
    assert document.rows[-1].difference is None
