"""Studies with gaps: barriers that are wanted and not there, in everything that is made of a study's document."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Collection, Mapping
from itertools import product
from pathlib import Path

import pytest
from ase.io import read
from conftest import ROOT, Outcome
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up_study import made_up_study
from matplotlib.axes import Axes
from monty.json import MontyEncoder
from readable import assert_readable
from rich.console import Console
from stored import barrier_of
from test_report import Page

from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.comparison import comparison_json, comparison_latex, write_comparison
from barriers.report.figures import draw_profiles, draw_states
from barriers.report.figures.labels import say_how_many
from barriers.report.folder import read_results, write_figures, write_results
from barriers.report.html.page import render_page, write_report
from barriers.report.tables import barrier_json, gap_json, study_json, study_notes, study_table
from barriers.workflow.comparison_job import study_document

Cli = Callable[..., Outcome]
Pair = tuple[str, str]
SYSTEMS, HOPS = ("NCM", "NCM@PVDF", "NCM@PVDF-HF"), ("first", "second")
WANTED = list(product(SYSTEMS, HOPS))
FAILED = "a calculation it needs failed"
QUEUED = "its band is in the queue"
SOME: dict[Pair, str | None] = {("NCM@PVDF", "first"): QUEUED, ("NCM", "second"): None}
"""One system of the first hop, and the reference of the second."""


def study_without(missing: Mapping[Pair, str | None]) -> StudyDoc:
    """Three systems and two hops, in the study's order, without some of the barriers."""
    barriers = [
        missing[system, hop] if (system, hop) in missing else barrier_of(system, 0.4 + number / 100, hop=hop)
        for number, (system, hop) in enumerate(WANTED)
    ]
    document: StudyDoc = study_document.original("gaps", barriers, "NCM", "forward", ["polar"], WANTED)
    return document


def read_again(study: StudyDoc) -> StudyDoc:
    return StudyDoc.model_validate(json.loads(json.dumps(study, cls=MontyEncoder)))


@settings(deadline=None, max_examples=15)
@given(missing=st.sets(st.sampled_from(WANTED)))
@example(missing=set())
@example(missing=set(WANTED))
def test_every_barrier_that_is_wanted_has_its_row_and_a_gap_has_no_difference(missing: Collection[Pair]) -> None:
    study = read_again(study_without(dict.fromkeys(missing, QUEUED)))
    assert [(row.system, row.hop) for row in study.rows] == WANTED
    assert [(gap.system, gap.hop) for gap in study.gaps] == [pair for pair in WANTED if pair in missing]
    assert len(study.sentences) == len(WANTED) - len(HOPS)
    for row, barrier in study.paired():
        assert (barrier is None) == ((row.system, row.hop) in missing)
        assert row.barrier == (barrier and barrier.forward)
        if barrier is None:
            assert (row.difference, row.uncertainty, row.reason) == (None, None, QUEUED)
            continue
        assert (barrier.system, barrier.hop_name) == (row.system, row.hop)
        without_reference = ("NCM", row.hop) in missing
        assert (row.difference is None) == without_reference
        assert row.reason == (f"NCM has no barrier: {QUEUED}" if without_reference else None)


def test_a_study_of_an_earlier_version_has_no_gaps(tmp_path: Path) -> None:
    content = json.loads((ROOT / "docs" / "data" / "ncm811_pvdf.json").read_text("utf-8"))
    del content["gaps"]  # as studies were written before there were any
    (tmp_path / "study.json").write_text(json.dumps(content | {"schema_version": 2}), "utf-8")
    study = read_results(tmp_path)
    assert study.gaps == []
    assert all(barrier for _, barrier in study.paired())


def test_a_reason_is_one_line_and_its_default_says_that_something_failed() -> None:
    study = study_without({("NCM", "first"): "SCF did not\n  converge\n", ("NCM", "second"): None})
    assert [gap.reason for gap in study.gaps] == ["SCF did not converge", FAILED]
    assert study.rows[0].reason == "SCF did not converge"


def test_what_is_missing_has_to_be_named() -> None:
    with pytest.raises(ValueError, match="zip"):
        study_document.original("gaps", [None, barrier_of("NCM", 0.4)], "NCM", "forward")


def test_the_terminal_shows_a_row_and_a_note_for_each_gap() -> None:
    study = study_without(SOME)
    console = Console(width=200)
    with console.capture() as captured:
        console.print(study_table(study))
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in captured.get().splitlines() if "│" in line]
    assert [tuple(line[:2]) for line in lines] == WANTED
    assert lines[1] == ["NCM", "second", *["—"] * 4, "reference", "", *["—"] * 3]
    assert lines[2] == ["NCM@PVDF", "first", *["—"] * 9]
    assert lines[0][2] == "0.40" and lines[3][6] == "—"
    notes = [f"NCM second: not there yet, {FAILED}", f"NCM@PVDF first: not there yet, {QUEUED}"]
    assert study_notes(study)[:3] == ["polar", *notes]


def test_tables_on_disk_have_a_row_with_the_reason_for_each_gap(tmp_path: Path) -> None:
    study = study_without(SOME)
    write_results(study, tmp_path)
    for name in ("barriers.csv", "comparison.csv"):
        with (tmp_path / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["system"], row["hop"]) for row in rows] == WANTED
        assert [row["reason"] for row in rows][1:3] == [FAILED, QUEUED]
        assert [row["forward"] == "" for row in rows] == [pair in SOME for pair in WANTED]
        assert [row["difference"] == "" for row in rows] == [False, True, True, True, False, True]
    rows = json.loads(comparison_json(study))["rows"]
    assert [row["forward"] is None for row in rows] == [pair in SOME for pair in WANTED]
    typeset = comparison_latex(study)
    assert f"% NCM@PVDF first: {QUEUED}" in typeset
    assert r"NCM@PVDF & first & --- & --- & --- & --- \\" in typeset


def test_json_tells_barriers_from_gaps() -> None:
    said = study_json(study_without(SOME))
    assert len(said["barriers"]) == 4
    assert said["gaps"] == [
        {"system": "NCM", "hop": "second", "reason": FAILED},
        {"system": "NCM@PVDF", "hop": "first", "reason": QUEUED},
    ]
    assert [(row["system"], row["hop"]) for row in said["differences"]] == WANTED
    study = study_without(SOME)
    assert list(gap_json(study.gaps[0])) == list(barrier_json(study.barriers[0]))


def overlaid(page: Page) -> list[list[str]]:
    """Titles of the profiles over each other, for each hop."""
    drawn = [attributes["data-lines"] for _, attributes in page.elements if "data-lines" in attributes]
    return [[title for _, title in json.loads(lines or "")] for lines in drawn[: len(HOPS)]]


def test_the_page_shows_barriers_under_their_own_names_and_lists_what_is_not_there(tmp_path: Path) -> None:
    study = study_without(SOME)
    text = render_page(study, tmp_path)
    page = Page(text)
    assert "2 of 6 barriers are not there yet" in page.text
    assert f"Not there yet System Hop Reason NCM second {FAILED} NCM@PVDF first {QUEUED}" in page.text
    assert "NCM second not there yet NCM@PVDF first not there yet NCM@PVDF second 0.43" in page.text
    assert page.text.count("2 of 3 systems") == 2
    titles = [f"{barrier.system}, {barrier.hop_name}" for barrier in study.barriers]
    sections = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert sections == ["comparison", *(f"system-{number}" for number in range(4)), "methods", "provenance"]
    row = r'<a href="#system-(\d)">([^<]+)</a></th>\s*<td data-label="Hop" class="name">([^<]+)</td>'
    links = re.findall(row, text)
    assert links == [(str(number), *title.split(", ")) for number, title in enumerate(titles)]
    for barrier, title in zip(study.barriers, titles, strict=True):
        assert f"{title} Forward {barrier.forward:.2f} eV" in page.text
    assert overlaid(page) == [titles[0::2], titles[1::2]]
    assert "not there yet" not in Page(render_page(study_without({}), tmp_path)).text


@pytest.mark.parametrize("missing", [WANTED[0], WANTED[3]])
def test_profiles_over_each_other_on_the_page_are_of_one_hop(missing: Pair, tmp_path: Path) -> None:
    page = Page(render_page(study_without({missing: None}), tmp_path))
    titles = [[f"{system}, {hop}" for system in SYSTEMS if (system, hop) != missing] for hop in HOPS]
    assert overlaid(page) == titles


def test_figures_say_how_many_of_how_many_systems_they_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    written = {path.stem: path for path in write_figures(study_without({("NCM@PVDF", "first"): None}), tmp_path)}
    compared = [name for name in written if name.startswith(("profiles", "states"))]
    assert compared == ["profiles-first", "profiles-second", "states-first", "states-second"]
    titles = [re.findall(r"\d of \d systems", written[name].read_text("utf-8")) for name in compared]
    assert titles == [["2 of 3 systems"], [], ["2 of 3 systems"], []]
    assert "path-NCM+PVDF--first" not in written and "path-NCM+PVDF--second" in written


@pytest.mark.parametrize("draw", [draw_profiles, draw_states])
def test_what_figures_say_of_gaps_can_be_read(draw: Callable[[list[BarrierDoc]], Axes]) -> None:
    barriers = study_without(SOME).barriers
    for count in (1, 4):
        axes = say_how_many(draw(barriers[:count]), count, 12)
        assert axes.get_title() == f"{count} of 12 systems"
        assert_readable(axes)


def test_rates_are_those_of_the_barriers_that_are_there(cli: Cli, tmp_path: Path) -> None:
    write_results(study_without(SOME), tmp_path)
    said = json.loads(cli("rates", tmp_path, "--temperatures", "300,400", "--json").out)
    ratios = {(row["system"], row["hop"]): row["ratio"] is not None for row in said["rows"]}
    assert ratios == {pair: pair[1] == "first" for pair in WANTED if pair not in SOME}
    assert [gap["reason"] for gap in said["gaps"]] == [FAILED, QUEUED]
    assert f"! NCM@PVDF first: not there yet, {QUEUED}" in cli("rates", tmp_path, "--temperatures", "300").out
    assert "2 of 3 systems" in (tmp_path / "arrhenius-first.svg").read_text("utf-8")


def test_a_study_without_any_barrier_is_written_read_and_shown(cli: Cli, tmp_path: Path) -> None:
    nothing = study_without(dict.fromkeys(WANTED, QUEUED))
    written = {path.name for path in write_results(nothing, tmp_path)}
    assert written == {"study.json", "barriers.csv", "comparison.csv", "comparison.json", "comparison.tex"}
    assert write_comparison(nothing, tmp_path)[0].read_text("utf-8").count(QUEUED) == len(WANTED)
    assert read_results(tmp_path).gaps == nothing.gaps
    assert cli("show", tmp_path).out.count(QUEUED) == len(WANTED)
    page = Page(render_page(nothing, tmp_path))
    assert "6 of 6 barriers are not there yet" in page.text
    assert "Not known: no band is there yet" in page.text
    assert "barriers neb" not in page.text


@pytest.mark.parametrize("known", [0, 1, 5])
def test_bands_of_which_images_were_never_computed_are_written_drawn_and_told(
    known: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    study = made_up_study(failed=(0, 1, 2))
    for barrier in study.barriers:
        band = barrier.band
        missing = len(band.positions) - known
        band.energies[known:], band.forces[known:] = [None] * missing, [[]] * missing
    written = [*write_results(study, tmp_path), *write_figures(study, tmp_path), write_report(study, tmp_path)]
    assert all(path.stat().st_size > 100 for path in written)
    for path in tmp_path.glob("structures/*.extxyz"):
        images = read(path, ":")
        assert [image.calc is not None for image in images] == [number < known for number in range(len(images))]
    assert "0.512 eV/Å after 300 iterations" in (tmp_path / "barriers.csv").read_text("utf-8")
    assert read_results(tmp_path).barriers[0].band.energies[known:] == [None] * (6 - known)
