"""Electron densities that a study asks for: which structures, how they are parted, and where they are told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Outcome
from density_documents import made_up
from made_up_study import made_up_study
from test_parts import TEXT

from barriers import StudyMaker
from barriers.by_hand import write as by_hand
from barriers.documents import StudyDoc
from barriers.report.folder import write_results
from barriers.report.html.page import write_report
from barriers.study.file import read_study
from barriers.workflow.beside_documents import electrons_rows
from barriers.workflow.labels import jobs_of

ESPRESSO = TEXT.replace("ENGINE", "espresso").replace("SOURCE", "idpp")


def densities(text: str) -> dict[str, int | None]:
    """Jobs that compute a density, and the number of slab atoms that each is told."""
    study = read_study(text)
    jobs = [job for part in StudyMaker().parts(study) for job in jobs_of(part)]
    return {job.name: job.function_args[1] for job in jobs if job.name.endswith(": electrons")}


@pytest.mark.parametrize("text", [ESPRESSO, TEXT.replace("ENGINE", "vasp").replace("SOURCE", "idpp")])
def test_slab_and_interfaces_are_taken_apart_where_the_slab_ends(text: str) -> None:
    if "vasp" in text and not os.environ.get("CI"):  # there, a missing part fails
        pytest.importorskip("atomate2")
    found = densities(text + "electrons: {}\n")
    assert found == {"NCM, relaxed: electrons": None, "NCM@PVDF, relaxed: electrons": 72}
    of_bands = densities(text + "electrons: {interfaces: false, bands: true}\n")
    states = ("initial", "saddle", "final")
    expected = {f"NCM sub-surface, {state}: electrons": None for state in states}
    assert of_bands == expected | {f"NCM@PVDF sub-surface, {state}: electrons": 71 for state in states}
    added = densities(text + "electrons: {interfaces: false, bands: true}\nhops: [{kind: interstitial}]\n")
    assert set(added.values()) == {None}, "an added ion stands behind the fragment"
    assert densities(text) == {}


def test_inputs_by_hand_have_none_and_the_embedded_engine_is_not_asked_for_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(by_hand, "_embedded", lambda calculation, *_, **__: asked.append(calculation.job.name))
    bare = "name: bare\ncathode: {name: LiCoO2}\nsurface: {layers: 3, frozen_layers: 1}\nsystems: [{name: bare}]\n"
    study = read_study(bare + "engine: espresso\npath: {from: idpp}\nelectrons: {bands: true}\n")
    told: list[str] = []
    content = by_hand.write_inputs(study, tmp_path / "to", tmp_path / "results", "7.2", embedded=True, tell=told.append)
    assert sum(name.endswith(": electrons") for name in told) == 4
    assert not any("electrons" in each for each in [*asked, *(row.job for row in content.written)])


def test_what_a_model_found_is_relaxed_by_the_studys_own_engine_once() -> None:
    text = TEXT.replace("ENGINE", "espresso").replace("SOURCE", "mlip") + "electrons: {}\nenergetics: {}\n"
    names = [job.name for part in StudyMaker().parts(read_study(text)) for job in jobs_of(part)]
    assert [name for name in names if name.endswith("by engine espresso")] == [
        "slab: relax by engine espresso",
        "NCM@PVDF: relax interface by engine espresso",
    ]
    plain = TEXT.replace("ENGINE", "espresso").replace("SOURCE", "mlip")
    assert not any("by engine" in job.name for part in StudyMaker().parts(read_study(plain)) for job in jobs_of(part))


@pytest.mark.parametrize(
    ("cathode", "raised", "alone"),
    [("NCM811", {}, (65.0, 780.0)), ("LiCoO2", {"ecutwfc": 60.0, "ecutrho": 480.0}, (60.0, 480.0))],
)
def test_all_structures_of_a_study_have_one_cutoff(cathode: str, raised: dict, alone: tuple[float, float]) -> None:
    text = ESPRESSO.replace("name: parts", f"name: parts\ncathode: {{name: {cathode}}}") + "energetics: {}\n"
    jobs = [job for part in StudyMaker().parts(read_study(text)) for job in jobs_of(part) if job.maker is not None]
    fragment = [job.maker.physics.keywords for job in jobs if "fragment alone" in job.name]
    assert [(each["ecutwfc"], each["ecutrho"]) for each in fragment] == [alone] * 2
    others = [job.maker.physics.keywords for job in jobs if "fragment alone" not in job.name]
    assert others == [raised] * len(others)
    given = ESPRESSO.replace("engine: espresso", "engine: {kind: espresso, keywords: {ecutwfc: 40, ecutrho: 320}}")
    assert all(
        job.maker.physics.keywords == {"ecutwfc": 40, "ecutrho": 320}
        for part in StudyMaker().parts(read_study(given + "energetics: {}\n"))
        for job in jobs_of(part)
        if job.maker is not None
    )


def test_an_engine_without_densities_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"electrons: .mlip. gives no electron densities; allowed: engine espresso or vasp"
    ):
        read_study(TEXT.replace("ENGINE", "mlip").replace("SOURCE", "idpp") + "electrons: {}\n")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyDoc:
    document = made_up(tmp_path_factory.mktemp("grids"))
    beside = {"NCM@PVDF, relaxed: electrons": document, "NCM, relaxed: electrons": None}
    return made_up_study().model_copy(update={"electrons": electrons_rows(beside)})


def test_they_are_told_in_table_page_and_files(
    study: StudyDoc, tmp_path: Path, cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    written = {str(path.relative_to(tmp_path)) for path in write_results(study, tmp_path)}
    assert any(name.endswith("charges.csv") for name in written)
    assert any(name.endswith("difference.svg") for name in written)
    shown, page = cli("show", tmp_path).out, write_report(study, tmp_path).read_text()
    for told in (shown, page):
        assert "To fragment" in told and "+0.20" in told
        assert "NCM, relaxed: no electron density: a calculation it needs failed" in told
    assert page.count("data:image/svg+xml;base64,") == 2
    lacking, of_interface = sorted(json.loads(cli("show", tmp_path, "--json").out)["electrons"], key=len)
    assert lacking == {"system": "NCM", "state": "relaxed", "reason": "a calculation it needs failed"}
    document = study.electrons[0].document
    assert document is not None
    told = ("transferred", "moved", "left", "electrons", "plane")
    assert [of_interface[name] for name in told] == [getattr(document, name) for name in told]
    assert [atom["bader"] for atom in of_interface["atoms"]] == document.bader.charges
    assert of_interface["units"]["charge"] == "e" and "structure" not in of_interface
    figures = sorted(path.relative_to(tmp_path) for path in tmp_path.glob("electrons/*/*.svg"))
    for path in figures:
        (tmp_path / path).unlink()
    drawn = {Path(path).relative_to(tmp_path) for path in json.loads(cli("plot", tmp_path, "--json").out)}
    assert set(figures) <= drawn and all((tmp_path / path).is_file() for path in figures)


def test_without_the_grids_the_rest_is_told(study: StudyDoc, tmp_path: Path) -> None:
    row = study.electrons[0]
    assert row.document is not None
    gone = [grid.model_copy(update={"path": "/nowhere/difference.cube"}) for grid in row.document.grids]
    elsewhere = row.model_copy(update={"document": row.document.model_copy(update={"grids": gone})})
    away = study.model_copy(update={"electrons": [elsewhere]})
    written = {path.name for path in write_results(away, tmp_path)}
    assert "planar-average.png" in written and "difference.png" not in written
    assert write_report(away, tmp_path).read_text().count("data:image/svg+xml;base64,") == 1
