"""The page of ``barriers report``: what stands in it, what it weighs, and that nothing in a study can harm it."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from conftest import Outcome
from example_structures import STUDY
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_study import HEIGHTS, REACTION, made_up_study
from monty.json import MontyEncoder
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from barriers.analysis.energetics import PlacementRow, PlacementsDoc
from barriers.documents import BandDoc, IterationDoc, SlabDoc, StudyDoc
from barriers.report.exports import band_extxyz, profile_csv, states
from barriers.report.figures import draw_profiles
from barriers.report.html.chart import chart
from barriers.report.html.convergence import BOTTOM, HEIGHT, TOP, convergence
from barriers.report.html.library import library
from barriers.report.html.origin import changed
from barriers.report.html.page import render_page, write_report
from barriers.report.html.saves import saves
from barriers.report.html.scene import scene
from barriers.study.file import load_study

Cli = Callable[..., Outcome]
NASTY = ("<script>alert(1)</script>", 'NCM@PVDF & "x"', "it's--></script><b>")


class Page(HTMLParser):
    """Elements of a page with their attributes, and its text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw[self.elements[-1][1].get("id") or self.cdata_elem] = data
        else:
            self.words += data.split()

    def count(self, tag: str) -> int:
        return [name for name, _ in self.elements].count(tag)

    @property
    def text(self) -> str:
        return " ".join(self.words)


@cache
def study() -> StudyDoc:
    return made_up_study()


def without_atoms(band: BandDoc) -> BandDoc:
    return band.model_copy(update={"structure": Structure(Lattice.cubic(1.0), [], []), "positions": [[], []]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A results folder with its study file."""
    shutil.copy(STUDY, tmp_path / "study.yaml")
    return tmp_path


def test_the_comparison_comes_first_and_has_every_barrier(folder: Path) -> None:
    page = Page(render_page(study(), folder))
    for sentence in study().sentences:
        assert sentence in page.text
    assert page.text.index(study().sentences[0]) < page.text.index("NCM, sub-surface Forward")
    for barrier in study().barriers:
        assert f"{barrier.forward:.3f}" in page.text
    # Saddle of h sin²(πs/L) + r s/L: at the middle and a little beyond; forward minus reverse is r.
    assert study().barriers[0].forward == pytest.approx(HEIGHTS[0] + REACTION / 2, abs=0.005)
    row = re.search(r"NCM@PVDF-HF sub-surface ([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) \+([\d.]+)", page.text)
    assert row
    assert float(row[1]) - float(row[3]) == pytest.approx(REACTION, abs=0.002)
    assert float(row[5]) == pytest.approx(HEIGHTS[2] - HEIGHTS[1], abs=0.002)


def test_the_page_is_the_same_to_the_byte_and_fetches_nothing(folder: Path) -> None:
    text = render_page(study(), folder)
    assert text == render_page(StudyDoc.model_validate(json.loads(json.dumps(study(), cls=MontyEncoder))), folder)
    page = Page(text)
    targets = {
        value or "" for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")
    }
    assert {value.partition(":")[0] for value in targets if not value.startswith("#")} == {"data"}
    policy = next(
        attributes["content"] for tag, attributes in page.elements if tag == "meta" and "http-equiv" in attributes
    )
    assert policy and policy.startswith("default-src 'none'")
    assert "@import" not in page.raw["style"] and "url(" not in page.raw["style"]


def test_names_are_text_whatever_they_are(folder: Path) -> None:
    plain, nasty = (Page(render_page(made_up_study(names=names), folder)) for names in ((), NASTY))
    assert [tag for tag, _ in plain.elements] == [tag for tag, _ in nasty.elements]
    for name in NASTY:
        assert " ".join(name.split()) in nasty.text
    lines = [
        json.loads(attributes["data-lines"] or "") for _, attributes in nasty.elements if "data-lines" in attributes
    ]
    assert [name for _, name in lines[0]] == [f"{name}, sub-surface" for name in NASTY]


def test_three_systems_of_nine_images_and_150_atoms_stay_below_ten_megabytes(folder: Path) -> None:
    large = made_up_study(images=9, layers=6)
    assert [len(barrier.band.positions) for barrier in large.barriers] == [9, 9, 9]
    assert max(len(barrier.band.structure) for barrier in large.barriers) > 150
    assert write_report(large, folder).stat().st_size < 6_000_000


def test_files_can_be_saved_and_are_those_that_are_written_beside_the_page(folder: Path) -> None:
    page = Page(render_page(study(), folder))
    saved = {
        attributes["download"]: base64.b64decode((attributes["href"] or "").partition("base64,")[2]).decode()
        for _, attributes in page.elements
        if "download" in attributes
    }
    assert len(saved) == 3 * 8 + 2
    barrier = study().barriers[2]
    assert saved["NCM+PVDF-HF--sub-surface-profile.csv"] == profile_csv(barrier)
    assert saved["NCM+PVDF-HF--sub-surface.extxyz"] == band_extxyz(barrier)
    saddle = saved["NCM+PVDF-HF--sub-surface-saddle.vasp"]
    assert saddle.splitlines()[0] == "NCM@PVDF-HF, sub-surface: saddle"
    assert np.allclose(Poscar.from_str(saddle).structure.cart_coords, states(barrier)["saddle"].cart_coords, atol=1e-6)
    assert saved["references.bib"].startswith("@article{cineb")
    (none,) = saves([barrier.model_copy(update={"profile": None, "band": without_atoms(barrier.band)})])
    assert none == []


def test_there_is_room_for_so_much_and_no_more_to_save(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(len(each.address) for each in saves(study().barriers)[0])
    monkeypatch.setattr("barriers.report.html.saves.MOST", int(1.5 * size))
    assert [len(each) for each in saves(study().barriers)] == [8, 0, 0]


def test_slab_placements_convergence_and_trust_are_told(folder: Path) -> None:
    told = study().model_copy(deep=True)
    told.slab = SlabDoc(thickness=4.26, formula="Li18 O36", atoms=72, frozen=24, dipole=0.0, ordering="sqs, seed 3")
    rows = [
        PlacementRow(energy=energy, converged=converged, lowest=2.5, bonds=[], like=like)
        for energy, converged, like in ((-9.0, True, None), (-9.25, True, None), (-9.25, False, 2))
    ]
    told.placements = [PlacementsDoc(system="NCM@PVDF", kept=2, rows=rows)]
    band = told.barriers[0].band
    band.history = [
        IterationDoc(stage=stage, iteration=number, max_force=force, highest_image=0.4, force_calls=8 * number)
        for number, (stage, force) in enumerate((("plain", 2.0), ("plain", 0.2), ("climbing", 0.3), ("climbing", 0.04)))
    ]
    page = Page(render_page(told, folder))
    assert "Frozen 24 of 72 atoms" in page.text and "Dipole along the normal none" in page.text
    assert "Ordering of the metals sqs, seed 3" in page.text
    assert "NCM@PVDF 1 0.250 2.50 none — NCM@PVDF 2 0.000 2.50 none relaxed fully" in page.text
    assert "NCM@PVDF 3 0.000 2.50 none as placement 2, not converged" in page.text
    assert "Largest force, from 2 to 0.04 eV/Å in 4 iterations" in page.text
    drawn = convergence(band)
    assert drawn and convergence(told.barriers[1].band) is None
    # On a logarithmic axis each decade is as high as the other, and the stages begin with a stroke of their own.
    assert np.diff([place for place, _ in drawn.up]) == pytest.approx(-(HEIGHT - TOP - BOTTOM) / 3, abs=0.11)
    assert [(stage.path.count("M"), stage.path.count("L")) for stage in drawn.stages] == [(1, 1), (1, 1)]
    trust = page.text[page.text.index("How far to trust it") :]
    assert "made-up 1.0: what it was trained on is not known here" in trust
    titles = {attributes.get("title") for tag, attributes in page.elements if tag == "abbr"}
    assert any((title or "").startswith("Saddle minus final state") for title in titles)


def test_polyhedra_hold_the_oxygen_around_each_metal_in_every_image(folder: Path) -> None:
    content = scene(study().barriers[0])
    assert {content["elements"][one["centre"]] for one in content["polyhedra"]} == {"Ni", "Co", "Mn"}
    for image in content["images"]:
        places = np.reshape(image, (-1, 3))
        for one in content["polyhedra"]:
            corners = np.array([places[atom] + way for atom, *way in one["corners"]])
            assert 4 <= len(corners) <= 6
            assert {content["elements"][atom] for atom, *_ in one["corners"]} == {"O"}
            assert np.linalg.norm(corners - places[one["centre"]], axis=1).max() < 2.7
            assert sorted(set(np.ravel(one["faces"]))) == list(range(len(corners)))
    looks = content["looks"]
    assert looks["O"]["radius"] == max(look["radius"] for look in looks.values())
    assert (looks["O"]["colour"], looks["Li"]["colour"]) == ("#fe0300", "#86df73")
    assert content["saddle"] in (2, 3)


def test_a_curve_under_another_is_drawn_wider() -> None:
    drawn = chart(study().barriers, [0, 1, 2])
    assert drawn
    assert [bool(line.wide) for line in drawn.lines] == [True, False, False]  # NCM and NCM@PVDF have one height
    wide = [line for line in draw_profiles(study().barriers).lines if line.get_alpha() == 0.3]
    assert len(wide) == 1 and wide[0].get_linewidth() > 4


def test_an_unconverged_band_has_a_viewer_and_no_barrier(folder: Path) -> None:
    page = Page(render_page(made_up_study(failed=(2,)), folder))
    assert "No barrier 0.512 eV/Å after 300 iterations, 0.05 asked for" in page.text
    drawn = [attributes["data-lines"] for _, attributes in page.elements if "data-lines" in attributes]
    assert [len(json.loads(lines or "")) for lines in drawn] == [2, 1, 1]
    assert len(json.loads(page.raw["data"])) == 3


def test_a_study_without_any_barrier_has_a_page(tmp_path: Path) -> None:
    page = Page(render_page(made_up_study(failed=(0, 1, 2)), tmp_path))
    assert page.text.count("No barrier") == 3
    assert not any("data-lines" in attributes for _, attributes in page.elements)


def test_the_settings_named_are_those_of_the_study_file_that_are_no_defaults() -> None:
    rows = {setting.path: (setting.value, setting.default) for setting in changed(load_study(STUDY))}
    assert rows["surface.layers"] == ("3", "5")
    assert rows["systems[2].fragment.eliminate"] == ("HF", "left out")
    assert rows["systems[0].name"] == ("NCM", "none")
    assert not any(path.startswith(("neb.", "relax.", "engine.", "hops")) for path in rows)


def test_without_a_study_file_the_band_says_its_settings(tmp_path: Path) -> None:
    edited = study().model_copy(deep=True)
    for barrier in edited.barriers:
        barrier.band.settings["fmax"] = 0.02
    text = Page(render_page(edited, tmp_path)).text
    assert "path.n_images" not in text  # four, the default
    assert "neb.fmax 0.02 eV/Å 0.05 eV/Å" in text
    assert "barriers neb INITIAL FINAL --images 4 --model made-up --fmax 0.02" in text
    assert "--max-steps" not in text  # as in any run of barriers neb


def test_a_study_file_of_another_version_is_shown_as_it_is(folder: Path) -> None:
    (folder / "study.yaml").write_text("name: old\nforgotten_section: {}\n", "utf-8")
    text = Page(render_page(study(), folder)).text
    assert "another version" in text
    assert "forgotten_section: {}" in text


def test_provenance_names_engine_checksum_packages_and_commands(folder: Path) -> None:
    text = Page(render_page(study(), folder)).text
    for words in ("mlip: made-up, version 1.0", "0" * 64, "cutoff 5", "jobflow 0.4", "barriers run study.yaml"):
        assert words in text


def test_the_library_is_that_of_the_installed_package_and_its_licences_go_with_it(folder: Path) -> None:
    text = render_page(study(), folder)
    script = Page(text).raw["library"]
    assert "window.$3Dmol=" in script and "triTable2" in script  # what the page's own scripts build on
    assert library().script in script and len(script) < 3_300_000
    assert not re.search("<!--.*<script|</script", script, re.S)  # neither a parser nor a reader loses its way
    notices = script[: script.index("*/")]
    for words in ("chemiscope 1.1", "BSD-3-Clause", "University of Pittsburgh", "IMPLIED WARRANTIES", "jQuery", "MIT"):
        assert words in notices
    assert "3-D views by 3Dmol.js, from chemiscope 1.1" in Page(text).text


def test_without_the_library_the_page_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.report.html.library.NOTICES", "chemiscope/none.txt")
    with pytest.raises(ValueError, match=r"^chemiscope, which holds .* not whole here; pip install li-barriers$"):
        library()


def test_roles_of_the_atoms() -> None:
    for barrier, fragment in zip(study().barriers, (0, 14, 12), strict=True):
        roles = scene(barrier)["roles"]
        assert roles.count("moving") == 1
        assert roles.count("fragment") == fragment
        assert roles.count("frozen") == 24
        assert scene(barrier)["elements"][roles.index("moving")] == "Li"


def test_the_cell_is_drawn_around_the_atoms_and_without_its_vacuum() -> None:
    barrier = study().barriers[1]
    content = scene(barrier)
    heights = np.array(content["images"]).reshape(-1, 3)[:, 2]
    corners = np.array(content["edges"])
    assert (corners[..., 2].min(), corners[..., 2].max()) == pytest.approx((heights.min(), heights.max()), abs=2e-3)
    lengths = np.sort(np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)).reshape(3, 4)
    lattice = barrier.band.structure.lattice
    assert sorted([lattice.a, lattice.b, np.ptp(heights)]) == pytest.approx(lengths.mean(axis=1).tolist(), abs=5e-3)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**20), system=st.integers(0, 2))
def test_wrapping_a_slab_atom_in_any_image_does_not_change_the_picture(seed: int, system: int) -> None:
    barrier = study().barriers[system].model_copy(deep=True)
    plain = scene(barrier)
    generator = np.random.default_rng(seed)
    positions = np.array(barrier.band.positions)
    shifts = generator.integers(-1, 2, (*positions.shape[:2], 2)) @ barrier.band.structure.lattice.matrix[:2]
    shifts[:, [role == "fragment" for role in plain["roles"]]] = 0
    barrier.band.positions = (positions + shifts).tolist()
    wrapped = scene(barrier)
    assert wrapped["roles"] == plain["roles"]
    # The whole picture may stand elsewhere in the plane, by whole lattice vectors.
    moved = [np.array(one["images"]).reshape(positions.shape) for one in (plain, wrapped)]
    paths = [one[:, plain["moving"]] for one in moved]
    assert np.allclose(paths[0] - paths[0][0], paths[1] - paths[1][0], atol=2.1e-3)
    for one in moved:
        assert np.linalg.norm(np.diff(one, axis=0), axis=2).max() < 1.0
        middle = one[[0, -1], plain["moving"]].mean(axis=0)
        around = barrier.band.structure.lattice.get_fractional_coords(one[0] - middle)[:, :2]
        assert np.abs(around[np.array(plain["roles"]) != "fragment"]).max() < 0.502


def test_the_drawing_is_to_scale() -> None:
    drawn = chart(study().barriers, [0])
    profile = study().barriers[0].profile
    assert drawn and profile
    (line,) = drawn.lines
    across = np.polyfit(profile["distances"], [image.x for image in line.images], 1, full=True)
    up = np.polyfit(profile["energies"], [image.y for image in line.images], 1, full=True)
    assert across[1][0] < 0.1 and up[1][0] < 0.1
    assert np.polyval(up[0], profile["forward"]) == pytest.approx(line.saddle.y, abs=0.2)
    for place, text in drawn.up:
        assert np.polyval(up[0], float(text.replace("−", "-"))) == pytest.approx(place, abs=0.2)


def test_the_command_writes_the_page_of_a_run(cli: Cli, gold_files: tuple[Path, Path], tmp_path: Path) -> None:
    results = tmp_path / "results"
    assert cli("neb", *gold_files, "--model", "emt", "--results", results).code == 0
    run = results / "neb-au_initial--au_final"
    outcome = cli("report", run)
    assert (outcome.code, outcome.out.strip()) == (0, str(run / "report.html"))
    page = Page((run / "report.html").read_text("utf-8"))
    forward = json.loads((run / "study.json").read_text("utf-8"))["barriers"][0]["forward"]
    assert forward == pytest.approx(0.3744, abs=0.001)
    assert f"au_initial→au_final {forward:.3f} eV" in page.text
    content = json.loads(page.raw["data"])[0]["scene"]
    assert content["elements"][content["moving"]] == "Au"
    assert json.loads(cli("report", run / "study.json", "--json").out) == [str(run / "report.html")]


def test_a_folder_without_results_is_refused_in_one_line(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("report", tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"wrong input: {tmp_path}: no results here")
    assert len(outcome.err.splitlines()) == 1
