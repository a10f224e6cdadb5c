"""What pictures of structures show: atoms, frozen layers, hops, and the same however the file is written."""

from __future__ import annotations

from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest
from ase.data import chemical_symbols
from example_structures import systems
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrow
from pymatgen.core import Lattice, Structure

from barriers.report.elements import APART, ARROW, COMMON, FLAT_COLOURS, FROM_MARKS, MOVING, colour, oklab
from barriers.report.sheet import Drawn, contact_sheet, draw_system
from barriers.report.structures import draw_structure, drawn_radius
from barriers.report.views import HopEnds, view_of
from barriers.structures.surface.slab import FRAGMENT, LAYER, frozen_atoms

COUNTS = {"NCM": 72, "NCM@PVDF": 86, "NCM@PVDF-HF": 84}


def oblique(frozen: bool = True) -> tuple[Structure, HopEnds]:
    """Two layers of two Li in a cell of 60°; the upper one jumps 0.2 a across the border of the cell."""
    places = [[0.9, 0.5, 0.3], [0.1, 0.5, 0.3], [0.2, 0.2, 0.1], [0.7, 0.2, 0.1]]
    free = [[True] * 3] * 2 + [[not frozen] * 3] * 2
    slab = Structure(
        Lattice.from_parameters(9, 8, 20, 90, 90, 60),
        ["Li"] * 4,
        places,
        site_properties={LAYER: [1, 1, 0, 0], "selective_dynamics": free},
    )
    start = slab[0].coords
    return slab, (start, start + 0.2 * slab.lattice.matrix[0])


def circles(axes: Axes) -> list[Circle]:
    return [patch for patch in axes.patches if isinstance(patch, Circle)]


def arrow(axes: Axes, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle of the tail and tip of the only arrow, which points along ``direction``."""
    (patch,) = [patch for patch in axes.patches if isinstance(patch, FancyArrow)]
    corners = np.unique(np.round(patch.get_xy(), 6), axis=0)
    along = corners @ direction
    return corners[np.isclose(along, along.min(), atol=1e-4)].mean(axis=0), corners[along.argmax()]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("name", COUNTS)
def test_the_side_view_has_a_circle_for_each_atom(name: str) -> None:
    system = systems()[name]
    axes = draw_structure(system.structure, hop_ends=system.hop_ends)
    assert len(circles(axes)) == COUNTS[name]
    heights = sorted(circle.center[1] for circle in circles(axes))
    assert heights == pytest.approx(sorted(system.structure.cart_coords[:, 2]))
    radii = sorted(circle.radius for circle in circles(axes))
    assert radii == pytest.approx(sorted(drawn_radius(site.specie.symbol) for site in system.structure))


@pytest.mark.parametrize("name", COUNTS)
def test_the_top_view_shows_the_two_upper_layers_and_the_fragment(name: str) -> None:
    system = systems()[name]
    axes = draw_structure(system.structure, hop_ends=system.hop_ends, view="top")
    layers = np.array(system.structure.site_properties[LAYER])
    assert len(circles(axes)) == np.isin(layers, [1, 2, FRAGMENT]).sum() == COUNTS[name] - 24
    assert not any(circle.get_hatch() for circle in circles(axes))


def test_the_top_view_goes_down_to_the_ions_of_a_deep_hop() -> None:
    slab, _ = oblique()  # the lower layer is 4 Å below the upper one
    deep = (slab[2].coords, slab[3].coords)
    assert [len(circles(draw_structure(slab, hop_ends=hops, view="top"))) for hops in ({}, {"deep": deep})] == [2, 4]
    assert len(circles(draw_structure(systems()["NCM"].structure, view="top"))) == 48


def test_from_the_side_the_ions_of_the_hop_stand_before_what_would_hide_them() -> None:
    slab, ends = oblique()
    for ahead in (-0.3, 0.3):  # before the moving ion, whichever end of b one looks from
        slab.append("Ni", slab[0].frac_coords + np.array([0, ahead, 0]), properties=slab[0].properties)
    view = view_of(slab, {"hop": ends}, "side")
    assert set(view.atoms[-2:]) == {0, 1}
    assert view.depth[-2:].tolist() == [0.0, 0.0]


def test_frozen_atoms_are_hatched_and_counted_in_the_legend() -> None:
    system = systems()["NCM@PVDF"]
    side, top = draw_system("NCM@PVDF", system)
    frozen = {round(system.structure.cart_coords[index, 2], 6) for index in frozen_atoms(system.structure)}
    hatched = [circle for circle in circles(side) if circle.get_hatch()]
    assert {round(circle.center[1], 6) for circle in hatched} == frozen
    figure = side.get_figure()
    assert figure is top.get_figure()
    elements = ["H", "Li", "C", "O", "F", "Mn", "Co", "Ni"]
    assert legend(figure) == [*elements, "frozen (24 atoms)", "hop: sub-surface"]
    slab, ends = oblique(frozen=False)
    assert legend(draw_structure(slab, hop_ends={"hop": ends}).get_figure()) == ["Li", "hop: hop"]


def test_the_arrow_of_the_study_runs_along_the_row_of_lithium() -> None:
    system = systems()["NCM"]
    start, end = system.hop_ends["sub-surface"]
    side, top = draw_system("NCM", system)
    for axes, axis in ((side, 2), (top, 1)):  # the hop is along x; heights from the side, y from the top
        tail, tip = arrow(axes, np.array([1.0, 0.0]))
        assert tip - tail == pytest.approx([2.9128, 0.0], abs=1e-3)
        assert tail == pytest.approx([start[0], start[axis]], abs=1e-5)
        assert tip == pytest.approx([end[0], end[axis]], abs=1e-5)


def test_arrows_lie_over_the_atoms() -> None:
    axes = draw_structure(systems()["NCM"].structure, hop_ends=systems()["NCM"].hop_ends)
    (hop,) = [patch for patch in axes.patches if isinstance(patch, FancyArrow)]
    assert hop.get_zorder() > max(circle.get_zorder() for circle in circles(axes))


@pytest.mark.parametrize("view", ["side", "top"])
def test_a_hop_across_an_oblique_border_is_drawn_from_ion_to_ion(view: str) -> None:
    slab, ends = oblique()
    axes = draw_structure(slab, hop_ends={"hop": ends}, view=view)
    tail, tip = arrow(axes, np.array([1.0, 0.0]))
    centres = [circle.center for circle in circles(axes)]
    assert len(centres) == (4 if view == "side" else 2)
    for end in (tail, tip):
        assert min(np.hypot(*(np.array(centre) - end)) for centre in centres) < 1e-4
    # From the side, one looks along b, which is 60° off a.
    assert tip - tail == pytest.approx([1.8 * np.sin(np.pi / 3) if view == "side" else 1.8, 0.0], abs=1e-4)
    (cell,) = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 2]
    for point in (tail, tip):
        assert cell[:, 0].min() < point[0] < cell[:, 0].max()


@settings(deadline=None, max_examples=25)
@given(shift=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), seed=st.integers(0, 99), name=st.sampled_from([*COUNTS]))
def test_neither_origin_nor_wrapping_nor_order_changes_the_picture(
    shift: tuple[float, float], seed: int, name: str
) -> None:
    system = systems()[name]
    order = np.random.default_rng(seed).permutation(len(system.structure))
    moved = Structure.from_sites([system.structure[index] for index in order])
    moved.translate_sites(list(range(len(moved))), [*shift, 0], to_unit_cell=False)
    slab = [index for index, layer in enumerate(moved.site_properties[LAYER]) if layer != FRAGMENT]
    moved.translate_sites(slab, [0, 0, 0], to_unit_cell=True)
    by = moved.lattice.get_cartesian_coords([*shift, 0])
    ends = {name: (start + by, end + by) for name, (start, end) in system.hop_ends.items()}
    for direction in ("side", "top"):
        one, other = (view_of(*each, direction) for each in (system, (moved, ends)))
        relative = [np.round(view.points - view.hops["sub-surface"][0], 4) + 0.0 for view in (one, other)]
        assert np.allclose(*(sorted(points.tolist()) for points in relative), atol=1e-3)
        assert np.allclose(one.depth, other.depth, atol=1e-6)
        jumps = [np.diff(view.hops["sub-surface"], axis=0) for view in (one, other)]
        assert jumps[0] == pytest.approx(jumps[1], abs=1e-6)


def test_the_bond_to_the_surface_is_drawn_where_there_is_one() -> None:
    for name, expected in (("NCM@PVDF", 13), ("NCM@PVDF-HF", 12)):  # 14 atoms in a chain; 12, and one bond to oxygen
        assert len(view_of(*systems()[name], "side").bonds) == expected


def test_hops_are_numbered_and_those_over_each_other_share_an_arrow() -> None:
    slab, (start, end) = oblique()
    behind = slab.lattice.matrix[1] * 0.3
    up = np.array([0.0, 0.0, 3.0])
    hops = {"one": (start, end), "behind": (start + behind, end + behind), "up": (start, start + up)}
    side = draw_structure(slab, hop_ends=hops)
    assert [text.get_text() for text in side.texts if "Å" not in text.get_text()] == ["1, 2", "3"]
    assert [text for text in legend(side.get_figure()) if "hop" in text] == ["hop 1: one", "hop 2: behind", "hop 3: up"]
    top = draw_structure(slab, hop_ends=hops, view="top")
    assert sum(isinstance(patch, FancyArrow) for patch in top.patches) == 2  # the third points at the viewer: a ring
    assert sum(line.get_marker() == "o" for line in top.lines) == 1


@pytest.mark.parametrize("length", [5, 20, 40])
def test_the_legend_fits_whatever_the_names_of_the_hops(length: int) -> None:
    system = systems()["NCM@PVDF"]
    ends = system.hop_ends["sub-surface"]
    hops = {f"{number}" + "x" * (length - 1): ends for number in range(3)}
    side, top = draw_system("NCM@PVDF", Drawn(system.structure, hops))
    figure = side.get_figure()
    figure.draw_without_rendering()
    (box,) = [item.get_window_extent() for item in figure.legends]
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert not any(box.overlaps(panel.get_window_extent()) for panel in (side, top))
    assert len(legend(figure)) == 8 + 1 + 3


def test_a_dollar_in_a_name_is_no_formula() -> None:
    slab, ends = oblique()
    side, _ = draw_system("a$^$b", Drawn(slab, {"c$^$d": ends}))
    figure = side.get_figure()
    figure.draw_without_rendering()
    assert "hop: c\\$^\\$d" in legend(figure)


def test_elements_differ_in_lightness_or_in_size() -> None:
    def lightness(symbol: str) -> float:
        """CIE L* of a colour, from its sRGB values (IEC 61966-2-1)."""
        values = np.array(to_rgb(FLAT_COLOURS[symbol]))
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16)

    assert {"Li", "Ni", "Co", "Mn", "O", "H", "C", "F", "N", "S"} <= FLAT_COLOURS.keys()
    for one, other in combinations(FLAT_COLOURS, 2):
        small, large = sorted((drawn_radius(one), drawn_radius(other)))
        assert abs(lightness(one) - lightness(other)) > 10 or large > 1.3 * small, (one, other)


@pytest.mark.parametrize("flat", [True, False])
def test_no_two_elements_have_like_colours_nor_one_that_of_the_moving_ion(flat: bool) -> None:
    """In OKLab, where two colours 0.02 apart can just be told apart; those of black and white are 1 apart."""
    assert oklab(np.array([[0.0, 0, 0], [1, 1, 1]])) == pytest.approx(np.array([[0, 0, 0], [1, 0, 0]]), abs=1e-4)
    own = [*FLAT_COLOURS] if flat else []  # on paper these ten differ in lightness or size, as above
    symbols = [symbol for symbol in chemical_symbols[1:] if symbol not in own]
    places = dict(zip(symbols, oklab(np.array([colour(symbol, flat) for symbol in symbols])), strict=True))
    for one, other in combinations(symbols, 2):
        least = APART[one in COMMON and other in COMMON] - 1e-3
        assert np.linalg.norm(places[one] - places[other]) > least, (one, other)
    marks = oklab(np.array([to_rgb(mark) for mark in ((ARROW, MOVING) if flat else (MOVING,))]))
    ten = oklab(np.array([to_rgb(each) for each in FLAT_COLOURS.values()]))
    for symbol, place in places.items():
        assert np.linalg.norm(place - marks, axis=1).min() > FROM_MARKS - 1e-3, symbol
        assert not flat or np.linalg.norm(place - ten, axis=1).min() > APART[symbol in COMMON] - 1e-3, symbol
    assert f'MOVING = "{MOVING}"' in (files("barriers.report.html") / "viewer.js").read_text()


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_the_contact_sheet_has_a_panel_for_each_system_on_one_scale(count: int) -> None:
    kinds = list(systems().values())
    drawn = {f"{number}-$^$" + "x" * 35: kinds[number % 3] for number in range(count)}
    panels = contact_sheet(drawn)
    figure = panels[0].get_figure()
    assert len(panels) == len(figure.axes) == count
    assert [panel.get_title().replace("\n", "") for panel in panels] == list(drawn)
    assert [len(circles(panel)) for panel in panels] == [len(system.structure) for system in drawn.values()]
    assert figure.get_figheight() <= 11
    figure.draw_without_rendering()
    scales = [panel.get_window_extent().width / np.ptp(panel.get_xlim()) for panel in panels]
    assert scales == pytest.approx([scales[0]] * count, rel=1e-3)
    extents = [panel.title.get_window_extent() for panel in panels]
    assert not any(one.overlaps(other) for one, other in combinations(extents, 2))
    assert figure.legends[0].get_window_extent().width < figure.bbox.width
