"""Plain keywords of a barrier's maker: what each means, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import gold_on_aluminium
from jobflow import Flow
from monty.json import MontyDecoder, MontyEncoder

from barriers import BarrierMaker, MlipEngine
from barriers.files.structures import to_structure
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.keywords import KEYWORDS, Settings


def settings(**keywords: Any) -> Settings:
    return BarrierMaker(engine=MlipEngine(model="emt"), **keywords).settings


@pytest.mark.parametrize(
    ("keywords", "sections"),
    [
        ({}, {}),
        ({"fmax": 0.02}, {"relax": {"fmax": 0.02}, "neb": {"fmax": 0.02}}),
        ({"fmax": 0.4}, {"relax": {"fmax": 0.4}, "neb": {"fmax": 0.4, "rough_fmax": 0.4}}),
        ({"fmax": 0.4, "rough_fmax": 0.6}, {"relax": {"fmax": 0.4}, "neb": {"fmax": 0.4, "rough_fmax": 0.6}}),
        ({"rough_fmax": 0.2}, {"neb": {"rough_fmax": 0.2}}),
        ({"max_steps": 7}, {"relax": {"max_steps": 7}, "neb": {"max_steps": 7}}),
        ({"spring": 2.0}, {"neb": {"spring": 2.0}}),
        ({"n_images": 7, "starts": 3}, {"path": {"n_images": 7, "starts": 3}}),
        ({"n_images": 7, "neb": NebSection(fmax=0.1)}, {"path": {"n_images": 7}, "neb": {"fmax": 0.1}}),
    ],
)
def test_a_keyword_is_a_field_of_a_section(keywords: dict[str, Any], sections: dict[str, Any]) -> None:
    forms = {"relax": RelaxSection, "path": PathSection, "neb": NebSection}
    assert settings(**keywords)._asdict() == {name: form(**sections.get(name, {})) for name, form in forms.items()}


def test_every_keyword_is_a_field_of_the_sections_it_names() -> None:
    for key, names in KEYWORDS.items():
        assert all(
            key in type(getattr(Settings(RelaxSection(), PathSection(), NebSection()), name)).model_fields
            for name in names
        )


@pytest.mark.parametrize(
    ("keywords", "line"),
    [
        (
            {"fmax": 0.03, "neb": NebSection(spring=2.0)},
            "fmax: 0.03 stands beside neb; allowed: one of the two, or neb=NebSection(fmax=0.03, …)",
        ),
        (
            {"max_steps": 7, "relax": RelaxSection()},
            "max_steps: 7 stands beside relax; allowed: one of the two, or relax=RelaxSection(max_steps=7, …)",
        ),
        (
            {"starts": 7, "path": PathSection()},
            "starts: 7 stands beside path; allowed: one of the two, or path=PathSection(starts=7, …)",
        ),
        ({"neb": {"fmx": 0.03}}, "neb: {'fmx': 0.03} is no NebSection; allowed: neb=NebSection(…)"),
        (
            {"path": NebSection()},
            "path: fmax=0.05 rough_fmax=0.3 max_steps=300 spring=1.0 refine=None verify=None is no PathSection; "
            "allowed: path=PathSection(…)",
        ),
        ({"fmax": "low"}, "fmax: 'low' is no number; allowed: greater than 0, at most 0.5 eV/Å"),
        ({"fmax": 0.7}, "fmax: 0.7 is too large; allowed: greater than 0, at most 0.5 eV/Å"),
        ({"n_images": 0}, "n_images: 0 is too small; allowed: 1 to 50"),
        ({"rough_fmax": 0.01}, "rough_fmax: 0.01 is below fmax 0.05; allowed: at least 0.05, at most 5 eV/Å"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(keywords: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError) as caught:
        BarrierMaker(engine=MlipEngine(model="emt"), **keywords)
    assert str(caught.value) == line


def test_an_unknown_keyword_names_the_closest() -> None:
    with pytest.raises(TypeError, match=r"^BarrierMaker: unknown keyword 'fmaxx'; allowed: .*; did you mean 'fmax'\?$"):
        BarrierMaker(fmaxx=0.03)


@pytest.mark.parametrize(
    "keywords",
    [{}, {"fmax": 0.02, "n_images": 2}, {"neb": NebSection(spring=2.0), "starts": 3}, {"path": PathSection(seed=4)}],
)
def test_a_maker_survives_json_and_is_changed_as_jobflow_changes_one(keywords: dict[str, Any]) -> None:
    maker = BarrierMaker("one", engine=MlipEngine(model="emt"), **keywords)
    again = json.loads(json.dumps(maker, cls=MontyEncoder), cls=MontyDecoder)
    assert isinstance(again, BarrierMaker)
    assert again == maker
    assert again.settings == maker.settings
    assert maker.update_kwargs({"name": "two"}).settings == maker.settings
    if "neb" not in keywords:
        assert maker.update_kwargs({"fmax": 0.01}).settings.neb.fmax == 0.01
        assert maker.update_kwargs({"fmax": 0.01}).settings.path == maker.settings.path


def test_keywords_reach_the_jobs() -> None:
    ends = [to_structure(atoms) for atoms in gold_on_aluminium()]
    flow: Flow = BarrierMaker(engine=MlipEngine(model="emt"), fmax=0.02, max_steps=9, n_images=2).make(*ends)
    makers = {job.metadata["kind"]: job.maker for job, _ in flow.iterflow()}
    assert (makers["relax"].fmax, makers["relax"].max_steps) == (0.02, 9)
    assert (makers["neb"].fmax, makers["neb"].max_steps, makers["neb"].rough_fmax) == (0.02, 9, 0.3)
    band = next(job for job, _ in flow.iterflow() if job.metadata["kind"] == "neb")
    assert band.function_args[2].n_images == 2


def test_a_maker_that_goes_ahead_keeps_the_keywords() -> None:
    from barriers import EspressoEngine

    maker = BarrierMaker(engine=EspressoEngine(), path=PathSection(from_="mlip", n_images=3), fmax=0.02)
    ahead = maker.scout()
    assert ahead is not None
    assert ahead.settings.neb == maker.settings.neb
    assert ahead.settings.path.n_images == 3
