from dataclasses import replace
from math import hypot

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barriers.analysis.comparison import Row, compare, sentence
from barriers.analysis.paths import distinct_paths

SAME = {"slab": "a1", "hop": "b2", "engine": "chgnet 0.3.0", "settings": "c3"}
BARE = Row("NCM", "sub-surface", 0.42, 0.03, SAME)
PVDF = Row("NCM@PVDF", "sub-surface", 0.39, 0.04, SAME)


def test_a_difference_is_row_minus_reference_with_both_spreads_in_quadrature():
    bare, pvdf = compare([BARE, PVDF], "NCM", "forward")
    assert pvdf.delta == pytest.approx(-0.03)
    assert pvdf.uncertainty == pytest.approx(0.05)
    assert (bare.delta, bare.uncertainty, bare.reason) == (0.0, 0.0, None)
    assert pvdf.which == "forward"


@given(st.sampled_from(sorted(SAME)), st.sampled_from(["7net-0", None]))
def test_any_part_of_the_settings_that_differs_refuses_the_difference(part, value):
    fingerprint = {key: text for key, text in {**SAME, part: value}.items() if text is not None}
    difference = compare([BARE, replace(PVDF, settings=fingerprint)], "NCM", "forward")[1]
    if part == "hop" and value is None:
        fingerprint["hop"] = PVDF.hop
    assert difference.delta is None and difference.uncertainty is None
    assert difference.reason == f"differs in {part}: {SAME[part]} / {fingerprint.get(part, 'not given')}"


def test_settings_that_were_not_recorded_are_not_identical():
    rows = [replace(BARE, settings={}), replace(PVDF, settings={})]
    assert compare(rows, "NCM", "forward")[1].reason == "the settings of NCM are not recorded"


@pytest.mark.parametrize("part", ["slab", "hop", "engine"])
def test_bands_of_which_nothing_is_known_are_not_alike(part):
    rows = [replace(row, settings=SAME | {part: "none"}) for row in (BARE, PVDF)]
    bare, pvdf = compare(rows, "NCM", "forward")
    assert (pvdf.delta, pvdf.reason) == (None, f"not known to be alike: nothing is recorded of the {part}")
    assert (bare.delta, bare.reason) == (0.0, None)


def test_a_barrier_that_is_no_number_gives_no_difference():
    broken = compare([BARE, replace(PVDF, barrier=float("nan"))], "NCM", "forward")[1]
    assert (broken.delta, broken.reason) == (None, "NCM@PVDF has no barrier: nan is no number")


def test_every_part_that_differs_is_named():
    foreign = replace(PVDF, settings=SAME | {"slab": "a2", "engine": "7net-0", "n_images": "7"})
    assert compare([BARE, foreign], "NCM", "span")[1].reason == (
        "differs in slab: a1 / a2; engine: chgnet 0.3.0 / 7net-0; n_images: not given / 7"
    )


def test_any_number_of_systems_is_compared_with_any_of_them():
    rows = [replace(BARE, system=f"s{number}", barrier=0.1 * number) for number in range(40)]
    for reference in (0, 17, 39):
        deltas = [difference.delta for difference in compare(rows, f"s{reference}", "forward")]
        assert deltas == pytest.approx([0.1 * (number - reference) for number in range(40)])


def test_a_missing_barrier_gives_no_difference_but_its_reason():
    lost = replace(PVDF, barrier=None, uncertainty=None, reason="not converged after 300 iterations")
    assert compare([BARE, lost], "NCM", "forward")[1].reason == (
        "NCM@PVDF has no barrier: not converged after 300 iterations"
    )
    as_reference = compare([BARE, lost], "NCM@PVDF", "forward")
    assert [difference.delta for difference in as_reference] == [None, None]


def test_hops_are_never_mixed():
    other = replace(BARE, hop="surface", barrier=0.9)
    pvdf_other = replace(PVDF, hop="surface", barrier=1.0)
    deltas = [difference.delta for difference in compare([BARE, other, PVDF, pvdf_other], "NCM", "span")]
    assert deltas == pytest.approx([0.0, 0.0, -0.03, 0.1])
    assert compare([BARE, pvdf_other], "NCM", "span")[1].reason == "NCM has no hop surface"
    with pytest.raises(ValueError, match="two rows"):
        compare([BARE, BARE], "NCM", "forward")
    with pytest.raises(ValueError, match=r"'NMC' is no system; allowed: NCM, NCM@PVDF"):
        compare([BARE, PVDF], "NMC", "forward")


@given(*[st.floats(0, 3)] * 4)
def test_a_difference_changes_sign_with_the_reference(mine, theirs, spread, other_spread):
    rows = [
        replace(BARE, barrier=theirs, uncertainty=spread),
        replace(PVDF, barrier=mine, uncertainty=other_spread),
    ]
    there, back = compare(rows, "NCM", "forward")[1], compare(rows, "NCM@PVDF", "forward")[0]
    assert there.delta == -back.delta
    assert there.uncertainty == back.uncertainty == hypot(spread, other_spread)


def test_the_sentence_of_a_comparison():
    eliminated = Row("NCM@PVDF-HF", "sub-surface", 0.43, 0.01, SAME)
    assert sentence(BARE, PVDF) == "NCM 0.42 eV → NCM@PVDF 0.39 eV (Δ −0.03 eV)"
    assert sentence(BARE, PVDF, eliminated).endswith("(Δ −0.03 eV) → NCM@PVDF-HF 0.43 eV (Δ +0.01 eV)")
    assert sentence(BARE, replace(PVDF, barrier=0.4199)).endswith("(Δ +0.00 eV)")
    assert sentence(BARE, replace(PVDF, barrier=None)) == "NCM 0.42 eV → NCM@PVDF —"
    foreign = replace(PVDF, settings={**SAME, "engine": "7net-0"})
    assert sentence(BARE, foreign).endswith("0.39 eV (Δ —: differs in engine: chgnet 0.3.0 / 7net-0)")


CELL = np.array([[6.0, 0.0, 0.0], [1.5, 6.5, 0.0], [0.5, 1.0, 7.0]])
STRAIGHT = np.linspace(0, 1, 5)[:, None, None] * [[[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]] + [
    [0.2, 0.1, 0.3],
    [3.0, 3.0, 3.0],
]
BULGE = np.sin(np.pi * np.linspace(0, 1, 5))[:, None] * [0.0, 1.0, 0.0]


def bulged(atom: int, height: float) -> np.ndarray:
    band = STRAIGHT.copy()
    band[:, atom] += height * BULGE
    return band


def test_paths_differ_by_geometry_or_by_barrier_and_the_lowest_comes_first():
    bands = [bulged(1, 1.0), STRAIGHT, bulged(0, 0.1), bulged(1, 1.1), STRAIGHT]
    assert distinct_paths(bands, [0.56, 0.555, 0.55, 0.565, 0.80], CELL) == [[2, 1], [0, 3], [4]]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_path_is_the_same_in_whatever_cell_its_atoms_are_written(seed):
    shifts = np.random.default_rng(seed).integers(-2, 3, STRAIGHT.shape)
    assert distinct_paths([STRAIGHT, STRAIGHT + shifts @ CELL], [0.5, 0.51], CELL) == [[0, 1]]


def test_barriers_of_one_path_differ_by_less_than_20_millielectronvolt() -> None:
    assert distinct_paths([STRAIGHT, STRAIGHT], [0.5, 0.519], CELL) == [[0, 1]]
    assert distinct_paths([STRAIGHT, STRAIGHT], [0.5, 0.521], CELL) == [[0], [1]]


def test_a_band_with_images_put_in_is_compared_where_the_other_has_its_own():
    longer = np.concatenate([bulged(1, 1.0)[:2], bulged(1, 1.0)[1:3].mean(axis=0)[None], bulged(1, 1.0)[2:]])
    longer = longer + [[1, 0, 0], [0, -1, 0]] @ CELL
    assert distinct_paths([bulged(1, 1.0), longer, STRAIGHT], [0.5, 0.51, 0.505], CELL) == [[0, 1], [2]]


def test_only_comparable_converged_bands_are_grouped():
    with pytest.raises(ValueError, match="without a barrier"):
        distinct_paths([STRAIGHT], [np.nan], CELL)
    with pytest.raises(ValueError, match="differ in atoms"):
        distinct_paths([STRAIGHT, STRAIGHT[:, :1]], [0.5, 0.5], CELL)
    with pytest.raises(ValueError, match="do not belong"):
        distinct_paths([STRAIGHT], [0.5, 0.5], CELL)
