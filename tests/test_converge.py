"""Series as they are run and read: shared results, words, files and the figure."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Outcome
from grooves import hill
from series_study import TEXT, study_of
from typer.testing import CliRunner

from barriers import StudyMaker, load_study, run
from barriers.analysis.series import ConvergenceDoc, PointDoc, series_document
from barriers.cli import app
from barriers.dispatch.series import SeriesRun
from barriers.report.figures.series import draw_series
from barriers.report.style import figure_of
from barriers.workflow.series import plan_series


def points(barriers: list[float | None], own: int = 0, uncertainty: float = 0.001) -> list[PointDoc]:
    return [
        PointDoc(
            value=str(number + 3),
            own=number == own,
            barrier=barrier,
            uncertainty=None if barrier is None else uncertainty,
            reason="it failed" if barrier is None else None,
        )
        for number, barrier in enumerate(barriers)
    ]


@pytest.mark.parametrize(
    ("barriers", "own", "reached", "says"),
    [
        (
            [0.53, 0.509, 0.512, 0.513],
            1,
            "4",
            [
                "layers: 10 meV is reached at 4, which is 4 meV from the finest, 6",
                "your layers: 4 is 4 meV from the finest, 6",
            ],
        ),
        (
            [0.512, 0.53, 0.504, 0.513],
            0,
            "5",
            [
                "layers: 10 meV is reached at 5, which is 9 meV from the finest, 6",
                "your layers: 3 is 1 meV from the finest, 6",
            ],
        ),
        (
            [0.5, 0.52, 0.51],
            2,
            "3",
            [
                "layers: 10 meV is reached at 3, which is 10 meV from the finest, 5",
                "your layers: 5 is the finest of the series",
            ],
        ),
        (
            [0.513, 0.513, 0.524],
            1,
            None,
            [
                "layers: 10 meV is not reached: 4 is 11 meV from the finest, 5",
                "your layers: 4 is 11 meV from the finest, 5",
            ],
        ),
        (
            [0.53, None, 0.521, 0.52, None],
            1,
            "3",
            ["layers: 10 meV is reached at 3, which is 10 meV from the finest, 6", "your layers: 4 has no barrier"],
        ),
        (
            [None, 0.5],
            1,
            None,
            [
                "layers: fewer than two barriers, which say nothing about 10 meV",
                "your layers: 4 is the finest of the series",
            ],
        ),
        ([None, None], 1, None, ["layers: fewer than two barriers, which say nothing about 10 meV"]),
    ],
)
def test_reached_is_where_all_further_values_are_near_the_finest(
    barriers: list[float | None], own: int, reached: str | None, says: list[str]
) -> None:
    series = series_document("layers", points(barriers, own))
    assert (series.reached, series.sentences) == (reached, says)


def test_words_say_when_the_finest_is_not_known_to_the_tolerance_itself() -> None:
    series = series_document("vacuum", points([0.5, 0.5], uncertainty=0.025))
    assert series.sentences[0].endswith("; that one is itself known to ± 25 meV only")
    assert "known to" not in series_document("vacuum", points([0.5, 0.5])).sentences[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A study that was run, and then converged over layers and fmax: the folder, and what ``--json`` said."""
    folder = tmp_path_factory.mktemp("series")
    (folder / "study.yaml").write_text(TEXT)
    alone = run(StudyMaker().make(study_of()), folder / "results" / "grooves")
    own = said(folder, "images=3")
    document = said(folder, "layers=5,7,fmax=0.1")
    alone_said = {"of_study": alone.force_calls, "barrier": alone.output.barriers[0].forward}
    return folder, document | alone_said | {"calls_of_own": own["force_calls_this_run"]}


def said(folder: Path, over: str) -> dict[str, Any]:
    outcome = CliRunner().invoke(
        app, ["converge", str(folder / "study.yaml"), "--over", over, "--results", str(folder / "results"), "--json"]
    )
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout) | {"progress": outcome.stderr}


@pytest.mark.slow
def test_barriers_are_those_of_the_slabs_and_the_study_s_own_is_not_computed_again(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    _, document = finished
    layers, fmax = document["series"]
    assert [point["value"] for point in layers["points"]] == ["4", "5", "7"]
    assert [point["barrier"] for point in layers["points"]] == pytest.approx([hill(n) for n in (4, 5, 7)], abs=3e-3)
    assert [point["atoms"] for point in layers["points"]] == [96, 120, 168]
    assert all(point["uncertainty"] > 0 for point in layers["points"])
    assert document["calls_of_own"] == 0
    assert layers["points"][0]["barrier"] == fmax["points"][0]["barrier"] == document["barrier"]
    assert layers["reached"] == "5" and "your layers: 4 is" in layers["sentences"][1]
    # Own slab, ends and band are there: of two slabs the whole, of the smaller fmax what is left of the band.
    assert document["force_calls_this_run"] < 2.9 * document["of_study"]
    assert "layers 5: 0.3" in document["progress"] and "= [2/9] slab: relax  done before" in document["progress"]


@pytest.mark.slow
def test_a_second_call_computes_nothing_and_further_values_compute_themselves_alone(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    folder, document = finished
    again = said(folder, "layers=5,7,fmax=0.1")
    assert again["force_calls_this_run"] == 0
    assert again["series"] == document["series"]
    assert 0 < said(folder, "images=5")["force_calls_this_run"] < document["of_study"]


def to_clean(folder: Path) -> set[str]:
    """What ``barriers clean`` would remove, by what it is."""
    results = str(folder / "results")
    outcome = CliRunner().invoke(app, ["clean", str(folder / "study.yaml"), "--results", results, "--json"])
    assert outcome.exit_code == 0, outcome.stderr
    return {each["what"] for each in json.loads(outcome.stdout)["found"]}


@pytest.mark.slow
def test_cleaning_leaves_what_the_series_would_go_on_from(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished[0], tmp_path / "copy"))
    said(folder, "images=5")
    said(folder, "layers=5,7,fmax=0.1")
    assert to_clean(folder) == set()
    asked = folder / "results" / "grooves" / "converge" / "asked.json"
    text = asked.read_text("utf-8")
    assert len(json.loads(text)) == 3  # the fixture's images=3 too, and each once
    asked.write_text("[]")
    assert to_clean(folder) == {"document", "folder"}
    asked.write_text(text, "utf-8")
    (folder / "study.yaml").write_text(TEXT.replace("NCM}", "other}"))
    run(StudyMaker().make(load_study(folder / "study.yaml")), folder / "results" / "grooves")
    assert to_clean(folder) == {"document", "folder"}  # of a system that the study has no more


@pytest.mark.slow
def test_a_smaller_fmax_goes_on_from_the_band_before_it(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = finished
    plan = plan_series(study_of(), "fmax=0.1")
    running = SeriesRun(plan, lambda flow: run(flow, folder / "results" / "grooves"))
    assert [point.value for point in running.points("fmax")] == ["0.2", "0.1"]
    assert running.total.force_calls == 0
    bands = {name: barrier.band.went_on_from for name, barrier in running.barriers.items()}
    assert bands == {"fmax 0.2 eV/Å": None, "fmax 0.1 eV/Å": "0.2 eV/Å"}


@pytest.mark.slow
def test_files_hold_the_numbers_and_the_figure_every_point(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = finished
    document = said(folder, "layers=5,7,fmax=0.1")
    place = Path(document["results"])
    assert place == folder / "results" / "grooves" / "converge"
    assert {path.name for path in place.iterdir()} == {
        *(f"converge.{end}" for end in ("json", "csv", "png", "svg", "pdf")),
        "asked.json",
    }
    kept = ConvergenceDoc.model_validate_json((place / "converge.json").read_text("utf-8"))
    assert kept.model_dump()["series"] == document["series"]
    with (place / "converge.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["setting"], row["value"], row["own"]) for row in rows] == [
        ("layers", "4", "True"),
        ("layers", "5", "False"),
        ("layers", "7", "False"),
        ("fmax", "0.2", "True"),
        ("fmax", "0.1", "False"),
    ]
    assert float(rows[1]["from_finest"]) == pytest.approx(float(rows[1]["barrier"]) - float(rows[2]["barrier"]))


@pytest.mark.slow
def test_a_value_that_fails_is_a_gap_and_the_others_are_there(tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    (tmp_path / "study.yaml").write_text(TEXT.replace("grooves:Grooves", "grooves:Shallow"))
    over = "vacuum=10,20"
    code, out, err = cli("converge", tmp_path / "study.yaml", "--over", over, "--results", tmp_path / "results")
    assert code == 1
    assert "your vacuum: 12 Å is the finest of the series" in out
    assert "vacuum: 10 meV is reached at 10 Å" in out
    assert "! vacuum 20 Å: no barrier, RuntimeError: too high a cell" in out
    assert "failed: vacuum 20 Å, slab: relax: RuntimeError: too high a cell" in err
    assert "no barrier: vacuum 20 Å; this continues it: barriers converge " in err


def test_the_figure_draws_bars_tolerance_and_gaps() -> None:
    values = points([None, 0.53, 0.512, 0.513], own=2, uncertainty=0.004)
    document = ConvergenceDoc(
        name="x", system="NCM", hop="jump", label="l", which="forward", series=[series_document("layers", values)]
    )
    axes = draw_series(document)
    (bars,) = axes.containers
    line, _, (error,) = bars.lines
    assert line.get_xdata().tolist() == [1, 2, 3] and line.get_ydata().tolist() == [0.53, 0.512, 0.513]
    assert [np.ptp(segment[:, 1]) for segment in error.get_segments()] == pytest.approx([0.008] * 3)
    assert [patch.get_y() for patch in axes.patches] == pytest.approx([0.503])
    assert [patch.get_height() for patch in axes.patches] == pytest.approx([0.02])
    drawn = {tuple(map(float, line.get_xdata())) for line in axes.lines}
    assert {(0.0,), (2.0,), (2.0, 2.0)} <= drawn, "gap, the study's own, and where the tolerance is reached"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["3", "4", "5", "6"]
    several = document.model_copy(update={"series": document.series * 5})
    assert len([one for one in figure_of(draw_series(several)).axes if one.axison]) == 5


def test_help_says_what_it_does(cli: Callable[..., Outcome]) -> None:
    code, out, _ = cli("converge", "--help")
    assert code == 0
    words = " ".join(out.replace("│", " ").split())
    for text in (
        "one hop's barrier",
        "layers=4,5,6,fmax=0.05,0.02",
        "within 10 meV of the finest",
        "goes on where it stopped",
    ):
        assert text in words
