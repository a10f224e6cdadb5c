"""What jobs of a study are called, and what their metadata say of them."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest
from espresso_cases import STUDY
from jobflow import Flow, Job

from barriers import StudyMaker
from barriers.study.file import load_study, read_study
from barriers.study.models import HopSection, PlacementSection

TEXT = """
name: labelled
surface: {layers: 3, frozen_layers: 1}
systems:
  - {name: slab}
  - name: slab@PVDF
    fragment: {polymer: PVDF, units: 1}
  - name: "mlip:"
    fragment: {polymer: PVDF, units: 1}
engine: espresso
path: {from: SOURCE, starts: 2}
"""

KINDS = ("vacancy", "divacancy", "interstitial")


@cache
def jobs_of(source: str) -> list[Job]:
    """Jobs of a study with hops that share end states, and with placements that are screened."""
    study = read_study(TEXT.replace("SOURCE", source))
    hops = tuple(
        HopSection(name=f"{kind}-{rank}", kind=kind, layer="any", rank=rank) for kind in KINDS for rank in range(1, 7)
    )
    screened = PlacementSection(screened=4, candidates=2)
    systems = (*study.systems[:2], study.systems[2].model_copy(update={"placement": screened}))
    return jobs(StudyMaker().make(study.model_copy(update={"hops": hops, "systems": systems})))


def jobs(flow: Flow) -> list[Job]:
    return [job for job, _ in flow.iterflow()]


@pytest.mark.parametrize("source", ["idpp", "mlip"])
def test_each_job_has_a_name_of_its_own_on_one_short_line(source: str) -> None:
    counted = Counter(job.name for job in jobs_of(source))
    assert max(counted.values()) == 1
    assert len(counted) > 300
    assert all(name.isprintable() and len(name) < 60 for name in counted)


@pytest.mark.parametrize("source", ["idpp", "mlip"])
def test_metadata_say_kind_system_and_hop_of_every_job(source: str) -> None:
    made = jobs_of(source)
    assert {frozenset(job.metadata) for job in made} == {frozenset({"kind", "system", "hop"})}
    for job in made:
        maker = type(job.maker).__name__
        calculation = {"StaticMaker": "static", "RelaxMaker": "relax", "NebMaker": "neb"}
        assert job.metadata["kind"] == calculation.get(maker, "analysis"), job.name
        hops = [word for word in re.findall(r" (\S+):", job.name) if word.startswith(KINDS)]
        assert job.metadata["hop"] == "".join(hops), job.name
    whole = {job.name: job.metadata["kind"] for job in made if not job.metadata["system"]}
    assert whole == {"slab: as built": "analysis", "slab: relax": "relax", "labelled: comparison": "analysis"}
    for system in ("slab", "slab@PVDF", "mlip:"):
        assert sum(job.metadata["system"] == system for job in made) > 50


@pytest.mark.parametrize("source", ["idpp", "mlip"])
def test_metadata_of_the_barrier_jobs_name_each_system_and_hop_once(source: str) -> None:
    barriers = [job for job in jobs_of(source) if job.name.endswith(": barrier")]
    named = {(job.metadata["system"], job.metadata["hop"]) for job in barriers}
    assert named == {(job.function_args[3], job.function_args[4].name) for job in barriers}
    assert len(named) == len(barriers) == 3 * 18


def test_a_pair_of_endpoints_is_a_system_without_a_hop() -> None:
    study = load_study(STUDY)
    handed = study.model_copy(update={"path": study.path.model_copy(update={"from_": "mlip"})})
    made = jobs(StudyMaker().make(handed))
    assert Counter((job.metadata["kind"], job.metadata["system"], job.metadata["hop"]) for job in made) == {
        ("relax", "li2o_espresso", ""): 4,
        ("neb", "li2o_espresso", ""): 2,
        ("analysis", "li2o_espresso", ""): 2,
        ("analysis", "", ""): 1,
    }
