"""What users see of corrected barriers: figures, tables, the report, points and surface for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from conftest import Outcome
from corrected import corrector, gold
from made_up_study import made_up_study
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from readable import assert_readable
from test_comparison_files import terminal
from test_report import Page

from barriers import MlipEngine, corrected_calculator, draw_profile, draw_profiles, run
from barriers.analysis.paths import length_at
from barriers.documents import BarrierDoc, StudyDoc
from barriers.engines.common import at_positions, atoms_of
from barriers.files.exports import write_points
from barriers.report.comparison import write_comparison
from barriers.report.figures.corrected import correction_of
from barriers.report.folder import read_results, write_figures, write_results
from barriers.report.html.chart import chart
from barriers.report.html.page import render_page
from barriers.report.rates import rate_rows
from barriers.report.tables import study_json, study_table
from barriers.structures.hop.hop import Hop
from barriers.workflow.comparison_job import study_document

HOP = Hop(name="hollow → hollow", moving=12, distance=2.86)


@pytest.fixture(scope="module")
def barrier(tmp_path_factory: pytest.TempPathFactory) -> BarrierDoc:
    """The corrected barrier of Au on Al(100), run once, with uncertainties of this test."""
    found = run(gold(corrector()), tmp_path_factory.mktemp("gold")).output
    rests_on = found.band.surrogate.model_copy(update={"uncertainty_reverse": 0.03})
    alike = {"slab": "Al12", "hop": "hollow", "engine": "emt"}
    band = found.band.model_copy(update={"surrogate": rests_on})
    sure = {
        "uncertainty": 0.0016,
        "uncertainty_parts": {"correction": 0.00096, "relaxation": 0.00128 * 0.6, "tolerance": 0.00128 * 0.8},
    }
    return found.model_copy(update={"hop": HOP, "band": band, "fingerprint": alike, **sure})


def spent(barrier: BarrierDoc) -> tuple[int, int]:
    """Points on the ends, and on the saddle."""
    kinds = [point.kind for point in barrier.band.surrogate.points]
    return kinds.count("initial") + kinds.count("final"), kinds.count("saddle")


def plain(barrier: BarrierDoc, system: str = "plain", spread: float = 0.02) -> BarrierDoc:
    """The same band as if the engine had made it all."""
    none = {"uncertainty": None, "uncertainty_parts": {}, "raw": None, "points": {}, "model_calls": None}
    band = barrier.band.model_copy(update={"surrogate": None})
    return barrier.model_copy(update=none | {"system": system, "band": band, "fit_spread": spread})


def named(barrier: BarrierDoc, system: str, uncertainty: float) -> BarrierDoc:
    return barrier.model_copy(update={"system": system, "uncertainty": uncertainty})


def study_of(*barriers: BarrierDoc, which: str = "forward") -> StudyDoc:
    document: StudyDoc = study_document.original("gold", list(barriers), barriers[0].system, which)
    return document


def line(axes: Axes, label: str) -> Line2D:
    (found,) = [each for each in axes.lines if each.get_label() == label]
    return found


def test_a_profile_shows_the_model_the_error_and_the_points(barrier: BarrierDoc) -> None:
    axes, rests_on = draw_profile(barrier), barrier.band.surrogate
    assert_readable(axes)
    energies = np.array(rests_on.model_energies)
    model = line(axes, "model").get_xydata()
    assert model[:, 1] == pytest.approx(energies - energies[0])
    assert model[-1, 0] == pytest.approx(np.linalg.norm(np.diff(rests_on.model_positions, axis=0), axis=(1, 2)).sum())
    (shade,) = [each for each in axes.collections if isinstance(each, PolyCollection)]
    distances, low, high = correction_of(barrier).error.T
    edge = shade.get_paths()[0].vertices
    assert (edge[:, 1].min(), edge[:, 1].max()) == pytest.approx((low.min(), high.max()))
    assert (low + high) / 2 == pytest.approx(np.array(barrier.profile["curve_energy"]))
    at_images = np.interp(barrier.profile["distances"], distances, (high - low) / 2)
    assert at_images == pytest.approx(rests_on.deviations, abs=3e-4)
    assert max(rests_on.deviations) > 0.01  # so that this says something
    heights = {(each.kind, each.round): each.energy - barrier.band.energies[0] for each in rests_on.points}
    for label, first in (("points", False), ("first points", True)):
        wanted = [height for (_, number), height in heights.items() if (number == 1) == first]
        drawn = line(axes, label)
        assert sorted(drawn.get_ydata()) == pytest.approx(sorted(wanted))
        assert (drawn.get_markerfacecolor() == "none") == first
    saddle = barrier.profile["saddle_distance"]
    assert np.abs(line(axes, "points").get_xdata() - saddle).min() < 0.1
    low, high = axes.get_ylim()
    assert low < min(heights.values()) < max(heights.values()) < high


def test_points_that_are_of_no_use_are_not_drawn(barrier: BarrierDoc) -> None:
    rests_on = barrier.band.surrogate
    lost = [rests_on.points[0].model_copy(update={"reason": "it failed", "energy": None}), *rests_on.points[1:]]
    band = barrier.band.model_copy(update={"surrogate": rests_on.model_copy(update={"points": lost})})
    correction = correction_of(barrier.model_copy(update={"band": band}))
    assert correction.names == [f"{each.kind} {each.round}" for each in rests_on.points[1:]]


def test_the_profiles_of_a_hop_show_all_of_one_barrier_and_the_error_of_several(barrier: BarrierDoc) -> None:
    alone = draw_profiles([barrier])
    assert_readable(alone)
    assert {"model", "points", "first points"} <= {each.get_label() for each in alone.lines}
    several = draw_profiles([barrier, plain(barrier)])
    assert_readable(several)
    assert not any(each.get_label() == "model" for each in several.lines)
    assert [isinstance(each, PolyCollection) for each in several.collections] == [True]


def test_a_profile_of_a_whole_band_is_drawn_as_ever(barrier: BarrierDoc) -> None:
    for axes in (draw_profile(plain(barrier)), draw_profiles([plain(barrier)])):
        assert not axes.collections
        assert not {"model", "points"} & {each.get_label() for each in axes.lines}
    after = barrier.model_copy(update={"uncertainty": None})  # points were spent, and a whole band followed
    assert correction_of(after) is None
    assert not draw_profile(after).collections


def test_where_a_band_comes_nearest_to_a_structure() -> None:
    band = np.array([[[0.0, 0, 0]], [[2, 0, 0]], [[2, 3, 0]]])
    structures = [[[0.5, 0, 1]], [[2.4, 1, 0]], [[-1, 0, 0]], [[2, 4, 0]], [[2, -8.5, 0]]]
    assert length_at(structures, band, np.diag([20.0, 10, 20])) == pytest.approx([0.5, 3, 0, 5, 3.5])
    assert length_at(structures[-1:], band, np.diag([20.0, 10, 20]), (False,) * 3) == pytest.approx([2])


def test_tables_give_its_uncertainty_what_it_rests_on_and_nothing_of_the_fits(barrier: BarrierDoc) -> None:
    assert barrier.fit_spread < 0.001
    (row,) = terminal(study_of(barrier))
    assert row[:7] == ["gold", "0.374", "0.002", "0.374", "0.374", "0.389", "{} + {}".format(*spent(barrier))]
    assert int(row[7]) == barrier.model_calls
    assert "± is one standard deviation of the correction" in study_table(study_of(barrier)).caption
    (row,) = terminal(study_of(plain(barrier)))
    assert row[:6] == ["plain", "0.37", "0.02", "0.37", "0.37", "1 of 1"]
    assert study_table(study_of(plain(barrier))).caption.startswith("eV; ± is the spread of the fits, the least")
    (row,) = terminal(study_of(named(barrier, "gold", 0.04)))
    assert row[1:4] == ["0.37", "0.04", "0.37"]


def test_files_have_the_columns_of_a_correction(barrier: BarrierDoc, tmp_path: Path) -> None:
    study = study_of(barrier, plain(barrier))
    write_results(study, tmp_path)
    with (tmp_path / "barriers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["uncertainty"]) == barrier.uncertainty
    parts = [float(rows[0][f"uncertainty_{part}"]) for part in ("correction", "relaxation", "tolerance")]
    assert np.linalg.norm(parts) == pytest.approx(barrier.uncertainty)
    assert [float(rows[0][name]) for name in ("raw", "uncertainty_reverse")] == [barrier.raw, 0.03]
    counts = ("points_ends", "points_saddle", "model_calls")
    assert [rows[0][name] for name in counts] == [*map(str, spent(barrier)), str(barrier.model_calls)]
    assert [rows[1][name] for name in ("uncertainty", "raw", *counts)] == [""] * 5
    said = study_json(read_results(tmp_path))["barriers"]
    assert [said[0][name] for name in counts] == [*spent(barrier), barrier.model_calls]
    assert said[1]["uncertainty"] is None


def test_the_comparison_is_alike_in_csv_json_and_latex(barrier: BarrierDoc, tmp_path: Path) -> None:
    table, document, typeset = write_comparison(study_of(barrier, plain(barrier)), tmp_path)
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = ("forward", "uncertainty", "raw", "points_ends", "points_saddle", "model_calls")
    assert [rows[0][name] for name in names] == [
        "0.374",
        "0.002",
        "0.389",
        *map(str, spent(barrier)),
        str(barrier.model_calls),
    ]
    stored = json.loads(document.read_text("utf-8"))["rows"]
    assert [stored[0][name] for name in names] == [0.374, 0.002, 0.389, *spent(barrier), barrier.model_calls]
    assert [stored[1][name] for name in names[1:]] == [None] * 5
    text = typeset.read_text("utf-8")
    points = "{} + {}".format(*spent(barrier))
    assert rf"gold & $0.374 \pm 0.002$ & $0.374$ & $0.374$ & reference & $0.389$ & ${points}$ &" in text
    assert r"plain & $0.37 \pm 0.02$" in text
    columns = text.partition(r"\begin{tabular}{")[2].partition("}")[0]
    assert {each.count(" & ") + 1 for each in text.splitlines() if " & " in each} == {len(columns)}


def test_uncertainties_add_in_squares(barrier: BarrierDoc) -> None:
    one, other, whole = named(barrier, "one", 0.003), named(barrier, "other", 0.004), plain(barrier)
    rows = study_of(one, other, whole).rows
    assert [row.difference_uncertainty for row in rows] == pytest.approx([0.0, 0.005, np.hypot(0.003, 0.02)])
    rows = study_of(one, other, whole, which="reverse").rows
    assert [row.difference_uncertainty for row in rows[1:]] == pytest.approx(
        [np.hypot(0.03, 0.03), np.hypot(0.03, 0.02)]
    )


def test_rates_are_as_sure_as_the_barrier(barrier: BarrierDoc) -> None:
    factors = [rate_rows(study_of(each), [300.0], 1e13)[0]["factor"] for each in (barrier, plain(barrier))]
    kt = 8.617333e-5 * 300
    assert factors == pytest.approx([np.exp(barrier.uncertainty / kt), np.exp(0.02 / kt)], rel=1e-4)


def test_the_report_tells_the_rounds(barrier: BarrierDoc, tmp_path: Path) -> None:
    page = Page(render_page(study_of(barrier), tmp_path))
    assert "Forward 0.374 ± 0.002 eV, reverse 0.374 ± 0.03 eV" in page.text
    assert f"{spent(barrier)[1]} on the saddle; {barrier.model_calls} evaluations of near_emt:NearEMT" in page.text
    first = next(each for each in barrier.band.surrogate.rounds if each.kind == "saddle")
    rough = f"saddle 1 {first.points} {first.forward:.3f} 0.003 {first.max_force:.3f}"
    assert first.uncertainty < 0.004  # moved as its ends were, it is nearly there
    assert rough in page.text
    assert f"initial 1 1 — — {barrier.band.surrogate.rounds[0].max_force:.3f}" in page.text
    assert "near_emt:NearEMT" in page.text.partition("Provenance")[2]
    classes = [attributes.get("class") for _, attributes in page.elements]
    assert [classes.count(name) for name in ("error", "model", "point", "point first")] == [
        1,
        1,
        sum(spent(barrier)) - 3,
        3,
    ]
    refused = barrier.model_copy(
        update={"converged": False, "reason": "too few", "profile": None, "forward": None, "uncertainty": None}
    )
    page = Page(render_page(study_of(refused), tmp_path))
    assert rough in page.text  # how far it came
    page = Page(render_page(made_up_study(), tmp_path))
    assert "rounds" not in [attributes.get("class") for _, attributes in page.elements]


def test_the_drawing_of_the_report_holds_all_that_is_drawn(barrier: BarrierDoc) -> None:
    drawn = chart([barrier], [0])
    low, high = drawn.span["energy"]
    heights = correction_of(barrier).heights
    assert low < heights.min() < heights.max() < high
    (only,) = drawn.lines
    assert (len(only.first), len(only.points)) == (3, sum(spent(barrier)) - 3)
    (saddle,) = [point for point in only.first if point.label.startswith("saddle 1")]
    assert saddle.y == pytest.approx(only.saddle.y, abs=2)  # displaced along the path, it is hardly lower
    over, plain_line = chart([barrier, plain(barrier)], [0, 1]).lines
    assert over.error
    assert (over.model, over.points, over.first) == ("", [], [])
    assert plain_line.error == ""


def shared(barrier: BarrierDoc, order: np.ndarray) -> BarrierDoc:
    """A barrier of another hop that begins where this one ends, its atoms in another order and another cell."""
    rests_on = barrier.band.surrogate
    ends = [each for each in rests_on.points if each.kind == "final"]
    away = barrier.band.structure.lattice.matrix[0]
    points = [
        each.model_copy(
            update={
                "kind": "initial",
                "positions": (np.array(each.positions)[order] + away).tolist(),
                "forces": np.array(each.forces)[order].tolist(),
            }
        )
        for each in ends
    ]
    band = barrier.band.model_copy(update={"surrogate": rests_on.model_copy(update={"points": points})})
    return barrier.model_copy(update={"hop": HOP.model_copy(update={"name": "b"}), "band": band})


def test_points_are_read_back_once_each_with_what_was_computed(barrier: BarrierDoc, tmp_path: Path) -> None:
    rests_on, path = barrier.band.surrogate, tmp_path / "points.extxyz"
    moments = np.linspace(-1, 1, 13)
    points = [each.model_copy() for each in rests_on.points]
    points[-1].moments = moments.tolist()
    points.append(points[0].model_copy(update={"energy": None, "forces": None, "reason": "it failed"}))
    points.append(points[1].model_copy(update={"energy": -9.0, "reason": "its spin flipped: atom 0"}))
    band = barrier.band.model_copy(update={"surrogate": rests_on.model_copy(update={"points": points})})
    first = barrier.model_copy(update={"band": band})
    other = shared(barrier, np.array([*range(8), 9, 8, *range(10, 13)]))
    assert write_points(study_of(first, other, plain(barrier)), path)
    images = read(path, ":")
    assert len(images) == len(rests_on.points)
    for image, point in zip(images, rests_on.points, strict=True):
        assert image.get_potential_energy() == pytest.approx(point.energy, abs=1e-6)
        assert image.positions == pytest.approx(np.array(point.positions), abs=1e-6)
        assert image.get_forces(apply_constraint=False) == pytest.approx(np.array(point.forces), abs=1e-6)
        assert np.abs(image.get_forces(apply_constraint=False)[:8]).max() > 0.01  # of frozen atoms too
        assert image.info == {"system": "gold", "hop": HOP.name, "kind": point.kind, "round": point.round}
        assert image.cell.array == pytest.approx(barrier.band.structure.lattice.matrix)
    assert images[-1].get_magnetic_moments() == pytest.approx(moments, abs=1e-6)
    assert "magmoms" not in images[0].calc.results
    nameless = first.model_copy(update={"hop": None})
    write_points(study_of(nameless), path)
    assert read(path, 0).info == {"system": "gold", "kind": "initial", "round": 1}


def test_results_hold_the_points_where_there_are_any(barrier: BarrierDoc, tmp_path: Path) -> None:
    written = write_results(study_of(barrier), tmp_path / "corrected")
    assert tmp_path / "corrected" / "points.extxyz" in written
    assert len(read(tmp_path / "corrected" / "points.extxyz", ":")) == sum(spent(barrier))
    write_results(study_of(plain(barrier)), tmp_path / "plain")
    assert not (tmp_path / "plain" / "points.extxyz").exists()


def test_the_commands_show_it(
    barrier: BarrierDoc, cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    write_results(study_of(barrier), tmp_path)
    assert "{} + {}".format(*spent(barrier)) in cli("show", tmp_path).out
    said = json.loads(cli("show", tmp_path, "--json").out)["barriers"][0]
    assert (said["uncertainty"], said["points_saddle"]) == (0.0016, spent(barrier)[1])
    (figure,) = [path for path in write_figures(read_results(tmp_path), tmp_path) if "profile-" in path.name]
    assert "first points" in figure.read_text("utf-8")


def test_the_corrected_surface_is_a_calculator(barrier: BarrierDoc) -> None:
    calculator, band = corrected_calculator(barrier), barrier.band
    of_model = MlipEngine(barrier.band.surrogate.model.name, workers=1).static().evaluator
    for positions, energy, forces in zip(band.positions, band.energies, band.forces, strict=True):
        atoms = atoms_of(at_positions(band.structure, positions))
        atoms.calc = calculator
        assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-4)
        assert atoms.get_forces()[8:] == pytest.approx(np.array(forces)[8:], abs=1e-4)
    atoms.positions[8:] += np.random.default_rng(0).normal(0, 0.05, (5, 3))
    energy, forces = atoms.get_potential_energy(), atoms.get_forces(apply_constraint=False)
    assert forces[:8] == pytest.approx(of_model.evaluate([atoms])[0].forces[:8], abs=1e-9)
    for atom in (8, 12):
        for axis in range(3):
            heights = []
            for step in (1e-4, -1e-4):
                moved = atoms.copy()
                moved.positions[atom, axis] += step
                heights.append(calculator.get_potential_energy(moved))
            assert forces[atom, axis] == pytest.approx((heights[1] - heights[0]) / 2e-4, abs=1e-6)
    atoms.wrap()
    assert atoms.get_potential_energy() == pytest.approx(energy, abs=1e-9)


def test_a_surface_that_is_not_the_documents_is_refused(barrier: BarrierDoc) -> None:
    with pytest.raises(ValueError, match="rests on no points; allowed: one of engine"):
        corrected_calculator(plain(barrier))
    with pytest.raises(ValueError, match=r"meV from the document's, which had near_emt:NearEMT"):
        corrected_calculator(barrier, MlipEngine("emt"))
    calculator = corrected_calculator(barrier)
    atoms = atoms_of(barrier.band.structure)
    for change in ("numbers", "cell"):
        other = atoms.copy()
        if change == "numbers":
            other.numbers[0] = 29
        else:
            other.set_cell(1.01 * atoms.cell, scale_atoms=False)
        with pytest.raises(ValueError, match="other atoms or another cell"):
            calculator.get_potential_energy(other)
