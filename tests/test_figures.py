"""What the figures of results show, and that each can be read: no text overlaps, nothing is cut off."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from readable import assert_readable, cut_off, overlapping
from stored import REASON, barrier_of, stored, study_of

from barriers.analysis.band import minimum_image_displacements
from barriers.documents import BarrierDoc, IterationDoc
from barriers.report.figures import (
    draw_convergence,
    draw_path,
    draw_profile,
    draw_profiles,
    draw_states,
    save_figure,
)
from barriers.report.figures.paths import moving_path
from barriers.report.folder import write_figures
from barriers.report.style import COLOURS, LINES, MARKERS, ONE_COLUMN, TWO_COLUMNS, look, wrapped
from barriers.report.views import view_of
from barriers.structures.hop.hop import moving_index

sys.path.append(str(ROOT / "docs"))
from draw_figures import figures_of

SHORT = ("NCM", "NCM@PVDF", "NCM@PVDF-HF", "NCM@PAN", "NCM@PAN-HCN", "b", "c")
LONG = tuple(f"{number}NMC622-doped@poly-vinylidene-fluoride_after$elimination$of-HF"[:60] for number in range(7))
WIDE = tuple(f"{number}" + "W" * 59 for number in range(7))
HEIGHTS = {
    "usual": (1.51, 1.10, 0.43, 0.431, 0.48, 0.402, 0.9),
    "tiny": (0.0004, 0.43, 0.001, 0.0, 0.002, 0.0001, 0.0),
    "negative": (-0.2, 0.4, -0.001, -0.43, 0.1, -1.2, 0.0),
    "unconverged": (None, 0.43, None, 0.5, None, None, 0.1),
    "none": (None,) * 7,
}


def several(count: int, names: tuple[str, ...] = SHORT, heights: str = "usual") -> list[BarrierDoc]:
    return [barrier_of(name, height) for name, height in zip(names[:count], HEIGHTS[heights], strict=False)]


def written(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text()]


def legend(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_figure().legends[0].get_texts()]


@pytest.mark.parametrize(
    ("count", "names", "heights"),
    [
        *((count, SHORT, heights) for count, heights in enumerate([*HEIGHTS, "usual", "tiny"], 1)),
        *((count, LONG, "usual") for count in (1, 3, 4, 7)),
        *((count, WIDE, "unconverged") for count in (1, 3, 4, 7)),
        *((7, SHORT, heights) for heights in HEIGHTS),
        (3, WIDE, "negative"),
    ],
)
def test_figures_of_several_systems_can_be_read(count: int, names: tuple[str, ...], heights: str) -> None:
    barriers = several(count, names, heights)
    for draw in (draw_profiles, draw_states):
        assert_readable(draw(barriers))


@pytest.mark.parametrize("height", [1.51, 0.43, 0.004, 0.0, -0.3, None])
@pytest.mark.parametrize("name", [SHORT[2], LONG[0], WIDE[0]], ids=["short", "long", "wide"])
def test_figures_of_one_system_can_be_read(name: str, height: float | None) -> None:
    barrier = barrier_of(name, height, 0.0004, hop="x" * 40)
    assert_readable(draw_profile(barrier))
    assert_readable(draw_convergence(barrier)[0])


@pytest.mark.parametrize("name", [SHORT[2], WIDE[0]], ids=["short", "wide"])
def test_path_panels_can_be_read(name: str) -> None:
    assert_readable(draw_path(stored().barriers[-1].model_copy(update={"system": name}))[0])


def test_the_check_sees_overlapping_and_cut_off_text() -> None:
    figure = Figure(figsize=(3, 3))
    axes = figure.subplots()
    assert (overlapping(figure), cut_off(figure)) == ([], [])
    axes.text(0.5, 0.5, "one")
    axes.text(0.55, 0.5, "other")
    assert [pair[0][:5] for pair in overlapping(figure)] == ["'one'"]
    axes.text(0.9, 0.2, "far too long for the page")
    assert [name[:8] for name in cut_off(figure)] == ["'far too"]


def test_the_profile_shows_images_curve_and_barriers() -> None:
    (barrier,) = (barrier for barrier in stored().barriers if barrier.system == "NCM@PVDF-HF")
    axes = draw_profile(barrier)
    profile = barrier.profile
    (images,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert np.allclose(images.get_xydata(), np.transpose([profile["distances"], profile["energies"]]))
    assert written(axes) == [f"forward\n{barrier.forward:.3f} eV", f"reverse\n{barrier.reverse:.3f} eV"]
    arrows = [text for text in axes.texts if text.arrow_patch is not None]
    climbs = [arrow.xy[1] - arrow.xyann[1] for arrow in arrows]
    assert climbs == pytest.approx([barrier.forward, barrier.reverse], abs=2e-5)  # stored with five decimals
    assert "NCM@PVDF-HF, sub-surface" in axes.get_title()


def test_a_barrier_too_low_for_an_arrow_is_still_written_and_a_span_above_it_too() -> None:
    flat = barrier_of("NCM", 0.0, 0.0001)
    assert written(draw_profile(flat)) == ["forward\n0.000 eV", "reverse\n0.000 eV"]
    assert not [text for text in draw_profile(flat).texts if text.arrow_patch is not None]
    dipped = barrier_of("NCM", 0.028, 0.001).model_copy(update={"span": 0.095})
    axes = draw_profile(dipped)
    assert written(axes)[1] == "span\n0.095 eV"
    assert_readable(axes)


def test_a_band_that_is_not_converged_has_its_reason_and_no_barrier() -> None:
    lost = barrier_of("NCM", None)
    assert [" ".join(text.split()) for text in written(draw_profile(lost))] == [f"not converged: {REASON}"]
    assert draw_profile(lost).lines[:] == []
    assert "not\nconverged" in written(draw_states([lost, barrier_of("b", 0.3)]))
    assert legend(draw_profiles([lost, barrier_of("b", 0.3)])) == ["NCM: not converged", "b: 0.30 eV"]


def test_the_labels_have_the_digits_of_the_table() -> None:
    barriers = [barrier_of("a", 0.4334, 0.0001), barrier_of("b", 0.4334, 0.02)]
    assert legend(draw_profiles(barriers)) == ["a: 0.433 eV", "b: 0.43 eV"]
    assert written(draw_states(barriers)) == ["0.433 eV", "0.43 eV"]


def test_systems_differ_by_marker_and_line_not_by_colour_alone() -> None:
    looks = [look(number) for number in range(7)]
    assert len({each["color"] for each in looks}) == len({each["marker"] for each in looks}) == 7
    assert len({(each["marker"], each["linestyle"]) for each in (look(number) for number in range(28))}) == 28
    drawn = draw_profiles(several(7)).lines
    assert {line.get_marker() for line in drawn} >= set(MARKERS)
    assert {line.get_linestyle() for line in drawn} >= set(LINES)
    assert len(COLOURS) == 7


def test_figures_are_as_wide_as_a_journals_columns() -> None:
    widths = [draw_states(several(count)).get_figure().get_figwidth() for count in (1, 3, 4, 7)]
    assert widths == [ONE_COLUMN, ONE_COLUMN, TWO_COLUMNS, TWO_COLUMNS]
    one = [draw_profile(several(1)[0]), draw_profiles(several(7, WIDE)), draw_convergence(several(1)[0])[0]]
    assert {axes.get_figure().get_figwidth() for axes in one} == {ONE_COLUMN}
    assert draw_path(stored().barriers[0])[0].get_figure().get_figwidth() == TWO_COLUMNS


def test_no_line_leads_from_a_stage_to_its_next_time() -> None:
    """A path that was mended goes through its stages again."""
    barrier = several(1)[0]
    steps = [("plain", 0), ("plain", 1), ("climbing", 2), ("plain", 3), ("climbing", 4), ("climbing", 5)]
    barrier.band.history = [
        IterationDoc(stage=stage, iteration=at, max_force=0.1 + at, highest_image=0.5, force_calls=at)
        for stage, at in steps
    ]
    force, _ = draw_convergence(barrier)
    plain, climbing = (np.asarray(line.get_xdata(), dtype=float) for line in force.lines[:2])
    assert np.array_equal(plain, [0, 1, np.nan, 3], equal_nan=True)
    assert np.array_equal(climbing, [2, np.nan, 4, 5], equal_nan=True)


def test_the_convergence_shows_both_stages_with_their_tolerances() -> None:
    barrier = stored().barriers[0]
    history = barrier.band.history
    force, image = draw_convergence(barrier)
    for axes, name in ((force, "max_force"), (image, "highest_image")):
        drawn = np.vstack([line.get_xydata() for line in axes.lines])
        drawn = drawn[~np.isnan(drawn[:, 0])]
        by_stage = sorted(history, key=lambda step: step.stage == "climbing")
        assert np.allclose(drawn, [[step.iteration, getattr(step, name)] for step in by_stage])
    assert force.get_yscale() == "log"
    levels = [lines.get_segments()[0][0, 1] for lines in force.collections]
    assert levels == [barrier.band.settings["rough_fmax"], barrier.band.settings["fmax"]]
    (shaded,) = force.patches
    climbing = [step.iteration for step in history if step.stage == "climbing"]
    assert (shaded.get_x(), shaded.get_x() + shaded.get_width()) == (climbing[0] - 0.5, climbing[-1] + 0.5)
    bare = barrier.model_copy(update={"band": barrier.band.model_copy(update={"history": []}), "reason": "loose ends"})
    with pytest.raises(ValueError, match="NCM, sub-surface: the band has no convergence history: loose ends"):
        draw_convergence(bare)


def test_the_path_goes_through_all_images_wherever_they_are_wrapped() -> None:
    barrier = stored().barriers[0]
    moving = moving_index(barrier.hop, len(barrier.band.structure))
    steps = minimum_image_displacements(barrier.band.positions, barrier.band.structure.lattice.matrix)[:, moving]
    path = np.array(moving_path(barrier))
    assert np.allclose(np.diff(path, axis=0), steps)
    assert np.allclose(path[0], barrier.band.positions[0][moving])
    shifts = np.random.default_rng(0).integers(-2, 3, (len(path), 3)) @ barrier.band.structure.lattice.matrix
    positions = np.array(barrier.band.positions) + shifts[:, None]
    positions[0] = barrier.band.positions[0]
    wrapped_band = barrier.band.model_copy(update={"positions": positions.tolist()})
    assert np.allclose(moving_path(barrier.model_copy(update={"band": wrapped_band})), path)
    without_hop = barrier.model_copy(update={"hop": None})
    assert np.allclose(moving_path(without_hop), path)  # the ion moves furthest
    for axes, plane in zip(draw_path(barrier), ([0, 2], [0, 1]), strict=True):  # the hop is along x
        (line,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert np.allclose(np.diff(line.get_xydata(), axis=0), steps[:, plane], atol=1e-6)


def test_a_path_is_seen_from_where_its_hop_is_seen() -> None:
    barrier = stored().barriers[0]
    path = moving_path(barrier)
    around = [path[0], *(place + np.array([0.0, 5.0, 0.0]) for place in path[1:-1]), path[-1]]
    for direction in ("side", "top"):
        straight, bent = (
            view_of(barrier.band.structure, {"hop": places}, direction) for places in ([path[0], path[-1]], around)
        )
        assert straight.points.tolist() == bent.points.tolist()
        assert np.allclose(straight.hops["hop"], bent.hops["hop"][[0, -1]])


def test_a_wrapped_text_is_the_text_in_lines_that_fit() -> None:
    assert wrapped("short", 3.0, 8) == "short"
    assert wrapped("a$b$", 3.0, 8) == r"a\$b\$"
    lines = wrapped(WIDE[0], 1.0, 8).splitlines()
    assert "".join(lines) == WIDE[0]
    assert len(lines) > 5
    assert wrapped("", 1.0, 8) == ""
    assert wrapped("NMC622@PVDF-HF", 0.7, 8) == "NMC622@\nPVDF-HF"


def test_the_figures_of_the_docs_are_drawn_by_the_code_beside_them_and_can_be_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = ROOT / "docs" / "figures.md"
    drawn = figures_of(page)
    assert f"```latex\n{capsys.readouterr().out}```" in page.read_text("utf-8")
    assert len(drawn) == 6
    for image, axes in drawn.items():
        assert (ROOT / "docs" / image).is_file()
        assert_readable(axes)


def test_a_figure_is_saved_thrice_and_the_same_each_time(tmp_path: Path) -> None:
    first, again = (save_figure(draw_profiles(several(3)), tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in first] == ["one.png", "one.svg", "one.pdf"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert first[2].read_bytes().startswith(b"%PDF")
    assert "NCM@PVDF-HF: 0.43 eV" in first[1].read_text("utf-8")
    size = np.frombuffer(first[0].read_bytes()[16:24], ">u4")
    assert size[0] == 300 * ONE_COLUMN


def test_plot_writes_every_figure_that_can_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    study = study_of({"NCM": (0.43, 0.01), "NCM@PVDF$": (None, 0.0)})
    paths = write_figures(study, tmp_path)
    assert all(path.stat().st_size > 1000 for path in paths)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "profiles-sub-surface.svg",
        "figures/states-sub-surface.svg",
        "figures/profile-NCM--sub-surface.svg",
        "figures/convergence-NCM--sub-surface.svg",
        "figures/path-NCM--sub-surface.svg",
        "figures/convergence-NCM+PVDF---sub-surface=7c39f714.svg",
        "figures/path-NCM+PVDF---sub-surface=7c39f714.svg",
    ]
