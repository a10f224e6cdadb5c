"""Series of a barrier over a study's settings: the same hop on the same metals, shared results, words and files."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Outcome
from grooves import hill
from pymatgen.core import Structure
from typer.testing import CliRunner

from barriers import StudyMaker, run
from barriers.analysis.series import ConvergenceDoc, PointDoc, series_document
from barriers.cli import app
from barriers.dispatch.local import lasting
from barriers.dispatch.series import SeriesRun
from barriers.report.figures.series import draw_series
from barriers.report.style import figure_of
from barriers.structures.hop.carried import check_carried
from barriers.structures.hop.hop import Hop, hop_ends, make_endpoint
from barriers.structures.hop.same_place import at_same_place
from barriers.structures.hop.search import find_hops
from barriers.structures.rounding import rounded
from barriers.study.file import read_study
from barriers.study.models import Study
from barriers.workflow.series import Choice, SeriesPlan, barrier_flow, plan_series

TEXT = """
name: grooves
surface: {layers: 4, frozen_layers: 1}
systems: [{name: NCM}]
engine: {model: "grooves:Grooves", workers: 1}
relax: {fmax: 0.1, rough_fmax: 0.1}
neb: {fmax: 0.2, rough_fmax: 0.5}
path: {n_images: 3, starts: 1}
"""


def study_of(surface: str = "", cathode: str = "", hops: str = "", layers: int = 4) -> Study:
    of_surface = f"layers: {layers}, frozen_layers: 1{f', {surface}' if surface else ''}"
    text = TEXT.replace("layers: 4, frozen_layers: 1", of_surface)
    text += (f"cathode: {{{cathode}}}\n" if cathode else "") + (f"hops: [{hops}]\n" if hops else "")
    study = read_study(text)
    assert isinstance(study, Study)
    return study


def chosen(plan: SeriesPlan, setting: str) -> dict[str, Choice]:
    return {choice.value: choice for choice in plan.choices[setting]}


def slab_of(choice: Choice) -> Structure:
    assert choice.member is not None, choice.reason
    return choice.member.slab.structure


def places(slab: Structure, wide: Structure | None = None) -> Counter[tuple[Any, ...]]:
    """Element and place below the topmost atom of every atom, in-plane within the cell of ``wide`` (0.001 Å)."""
    matrix = (wide or slab).lattice.matrix
    depths = slab.cart_coords - [0, 0, slab.cart_coords[:, 2].max()]
    flat = np.linalg.solve(matrix[:2, :2].T, depths[:, :2].T).T
    flat = rounded((flat + 1e-6) % 1, 4) % 1
    return Counter(
        (site.specie.symbol, *shares, depth)
        for site, shares, depth in zip(slab, flat.tolist(), rounded(depths[:, 2], 3).tolist(), strict=True)
    )


@pytest.mark.parametrize("cathode", ["seed: 3", "lithium: 0.7", "antisites: 0.1", "name: NCM111, ordering: sqs"])
def test_a_thinner_slab_is_the_upper_part_of_a_thicker_one(cathode: str) -> None:
    plan = plan_series(study_of(cathode=cathode), "layers=3,5,7")
    slabs = [slab_of(choice) for choice in plan.choices["layers"]]
    assert [max(slab.site_properties["layer"]) + 1 for slab in slabs] == [3, 4, 5, 7]
    for thin, thick in pairwise(slabs):
        assert places(thin) <= places(thick)
        assert len(thick) > len(thin)
    below = places(slabs[3]) - places(slabs[2])
    assert len({element for element, *_ in below}) > 2, "layers below have metals of their own"


def test_a_wider_slab_repeats_the_study_s_own_and_more_vacuum_moves_no_atom() -> None:
    plan = plan_series(study_of(), "size=2x1,2x2,vacuum=16")
    own = plan.own.slab.structure
    for value, times in (("2x1", (2, 1, 1)), ("2x2", (2, 2, 1))):
        wide = slab_of(chosen(plan, "size")[value])
        assert places(wide) == places(own * times, wide)
        assert wide.lattice.abc[:2] == pytest.approx([times[0] * own.lattice.a, times[1] * own.lattice.b])
    taller = slab_of(chosen(plan, "vacuum")["16"])
    assert taller.species == own.species
    assert taller.cart_coords == pytest.approx(own.cart_coords, abs=1e-6)
    assert taller.lattice.c == pytest.approx(own.lattice.c + 4, abs=1e-6)


@pytest.mark.parametrize("surface", ["", "facet: [0, 0, 1]", "facet: [1, 0, 1]"])
def test_every_kind_of_hop_stays_the_same_hop_at_its_place(surface: str) -> None:
    plan = plan_series(study_of(surface, hops="{layer: any}"), "layers=5,size=2x2")
    own = plan.own.slab.structure
    kinds: dict[str, Hop] = {}
    for hop in find_hops(own):
        kinds.setdefault(f"{hop.kind} {hop.image != (0, 0, 0)}", hop)
    assert {"vacancy", "divacancy"} < {kind.split()[0] for kind in kinds}
    for setting, value in (("layers", "5"), ("size", "2x2")):
        other = slab_of(chosen(plan, setting)[value])
        rise = float(other.cart_coords[:, 2].max() - own.cart_coords[:, 2].max())
        for hop in kinds.values():
            there = at_same_place(hop, own, other, rise)
            steps = [np.subtract(*hop_ends(*each)) for each in ((other, there), (own, hop))]
            assert steps[0] == pytest.approx(steps[1], abs=1e-5)
            check_carried(other, other, there)
            for mine, its in ((hop.initial, there.initial), (hop.final, there.final)):
                assert len(mine.removed) == len(its.removed)
                alone = make_endpoint(own, mine), make_endpoint(other, its)
                assert [len(each) - len(slab) for each, slab in zip(alone, (own, other), strict=True)] == [
                    (mine.added is not None) - len(mine.removed)
                ] * 2
            if hop.through is not None and there.through is not None:
                shift = hop_ends(other, there)[0] - hop_ends(own, hop)[0]
                assert there.through.position(other) - hop.through.position(own) == pytest.approx(shift, abs=1e-5)
                near = other.lattice.get_fractional_coords(there.through.position(other))
                far = [other[atom].distance_and_image_from_frac_coords(near)[0] for atom in there.removed]
                assert max(far) < 2.5, "the second vacancy is the one beside the jump"


@pytest.mark.parametrize(
    ("surface", "depth", "value", "reason"),
    [
        ("", "[3.5, 4.5]", "3", " is in the frozen part"),
        ("", "[5.5, 6.5]", "3", "no Li at the place of the hop's atom"),
        ("frozen: none", "[3.5, 4.5]", "3", "a site of the hop has the neighbours O"),
    ],
)
def test_a_slab_that_cannot_have_the_hop_is_a_gap_with_its_reason(
    surface: str, depth: str, value: str, reason: str
) -> None:
    study = study_of(surface, hops=f"{{layer: any, depth: {depth}}}", layers=6)
    gap = chosen(plan_series(study, f"layers={value}"), "layers")[value]
    assert gap.member is None
    assert reason in str(gap.reason)


def test_values_follow_from_the_study_or_are_given_and_its_own_is_among_them() -> None:
    def values(study: Study, over: str) -> dict[str, list[str]]:
        plan = plan_series(study, over)
        for choices in plan.choices.values():
            assert sum(choice.own for choice in choices) == 1
            assert next(choice.member for choice in choices if choice.own) is plan.own
        return {setting: [choice.value for choice in choices] for setting, choices in plan.choices.items()}

    assert values(study_of(), "layers, vacuum,size,images,fmax") == {
        "layers": ["3", "4", "5", "6"],
        "vacuum": ["8", "12", "16", "20"],
        "size": ["1x1", "2x1", "1x2", "2x2"],
        "images": ["2", "3", "5", "7"],
        "fmax": ["0.2", "0.1", "0.05"],
    }
    assert values(study_of(), "fmax=0.05,0.4,images=5") == {"fmax": ["0.4", "0.2", "0.05"], "images": ["3", "5"]}
    assert values(study_of("frozen: core", layers=5), "layers") == {"layers": ["3", "5", "7", "9"]}


def test_a_value_changes_its_setting_and_nothing_else() -> None:
    plan = plan_series(study_of(), "layers=5,vacuum=16,size=2x1,images=5,fmax=0.05")
    for setting, section in (("layers", "surface"), ("vacuum", "surface"), ("size", "surface"), ("images", "path")):
        (choice,) = (choice for choice in plan.choices[setting] if not choice.own)
        assert choice.member is not None
        changed = choice.member.study.model_dump(exclude={section})
        assert changed == plan.study.model_dump(exclude={section})
        before, after = (getattr(study, section).model_dump() for study in (plan.study, choice.member.study))
        assert sum(before[key] != after[key] for key in before) == 1
    tight = chosen(plan, "fmax")["0.05"].member
    assert tight is not None
    assert (tight.study.neb.fmax, tight.study.relax.fmax) == (0.05, 0.05)
    assert tight.slab is plan.own.slab


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ("layer", "--over: 'layer' is no setting; allowed: layers, vacuum"),
        ("5,layers", "--over: '5' is no setting"),
        ("layers,layers=5", "--over: layers stands twice; allowed: each once"),
        ("layers=x", "--over: 'x' is no value of layers; allowed: such as 4"),
        ("size=2", "--over: '2' is no value of size; allowed: such as 2x1"),
        ("images=4,fmx", "--over: 'fmx' is no value of images; allowed: such as 6; did you mean 'fmax'?"),
        ("layers=30", "--over: surface.layers: 30 is too large; allowed: 3 to 20"),
        ("fmax=0.6", "--over: neb.fmax: 0.6 is too large"),
    ],
)
def test_what_is_no_series_is_refused_in_one_line(over: str, says: str) -> None:
    with pytest.raises(ValueError) as refused:
        plan_series(study_of(), over)
    assert str(refused.value).startswith(says)


def test_an_unknown_system_or_hop_and_a_study_of_two_structures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--system: 'NMC' is no system; allowed: NCM; did you mean 'NCM'\?"):
        plan_series(study_of(), "images", system="NMC")
    with pytest.raises(ValueError, match="hops: 'inward'"):
        plan_series(study_of(), "images", hop="inward")
    pair = read_study("name: pair\nendpoints: {initial: a.vasp, final: b.vasp}\n")
    with pytest.raises(ValueError, match="endpoints: two given structures have no slab to vary; allowed: "):
        plan_series(pair, "images")


def test_a_hop_is_named_as_in_the_study_or_by_its_label() -> None:
    study = study_of(hops="{name: first}, {name: second, rank: 2}")
    assert plan_series(study, "images").own.hops[0].name == "first"
    second = plan_series(study, "images", hop="second").own.hops[0]
    assert second.name == "second"
    assert plan_series(study, "images", hop=second.label).own.hops[0].moving == second.moving


@pytest.mark.parametrize("system", ["NCM", "NCM@PVDF-HF"])
def test_the_own_value_has_the_jobs_of_the_study(system: str) -> None:
    fragment = "fragment: {polymer: PVDF, units: 1, eliminate: HF}, placement: {mode: bonded}"
    systems = f"[{{name: NCM@PVDF-HF, {fragment}}}, {{name: NCM}}]"
    study = read_study(TEXT.replace("[{name: NCM}]", systems) + "hops: [{name: first}, {name: second, rank: 2}]\n")
    assert isinstance(study, Study)
    plan = plan_series(study, "images=5", system=system, hop="second")
    own = {uuid for uuid, job in lasting(barrier_flow(plan, plan.own, "images 3"))[0].items() if job.maker}
    of_study = {uuid for uuid, job in lasting(StudyMaker().make(study))[0].items() if job.maker}
    assert own < of_study
    more = chosen(plan, "images")["5"].member
    assert more is not None
    others = {uuid for uuid, job in lasting(barrier_flow(plan, more, "images 5"))[0].items() if job.maker}
    assert len(others - of_study) == len(others) - len(own & others) == (1 if system == "NCM" else 2)


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
    assert alone.output.barriers[0].converged
    return folder, said(folder, "layers=5,7,fmax=0.1", alone.force_calls)


def said(folder: Path, over: str, of_study: int = 0) -> dict[str, Any]:
    outcome = CliRunner().invoke(
        app, ["converge", str(folder / "study.yaml"), "--over", over, "--results", str(folder / "results"), "--json"]
    )
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout) | {"of_study": of_study, "progress": outcome.stderr}


@pytest.mark.slow
def test_barriers_are_those_of_the_slabs_and_the_study_s_own_is_not_computed_again(
    finished: tuple[Path, dict[str, Any]],
) -> None:
    _, document = finished
    layers, fmax = document["series"]
    assert [point["value"] for point in layers["points"]] == ["4", "5", "7"]
    assert [point["barrier"] for point in layers["points"]] == pytest.approx([hill(n) for n in (4, 5, 7)], abs=6e-3)
    assert [point["atoms"] for point in layers["points"]] == [96, 120, 168]
    assert all(point["uncertainty"] > 0 for point in layers["points"])
    assert fmax["points"][0]["barrier"] == layers["points"][0]["barrier"]
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
        f"converge.{end}" for end in ("json", "csv", "png", "svg", "pdf")
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
    for text in ("one hop's barrier", "layers=4,5,6,fmax=0.05,0.02", "within 10 meV of the finest", "goes on where it stopped"):
        assert text in words
