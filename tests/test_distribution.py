"""The distribution of an ensemble: whose partner each barrier is, what a failed one leaves out, and what it says."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from barriers.analysis.comparison import Row, compare
from barriers.analysis.ensemble import EnsembleDoc, MemberDoc, ensemble_document, standard_error


def members(orderings: int, hops: int, placements: int = 1, systems: tuple[str, ...] = ("A", "B")) -> list[MemberDoc]:
    return [
        MemberDoc(
            system=f"{system}.p{placement}" if system != "A" and placements > 1 else system,
            hop=f"o{ordering}-h{hop}",
            of_system=system,
            of_hop=f"h{hop}",
            placement=placement,
            ordering=ordering,
            seed=ordering - 1,
            lithium=1.0,
        )
        for ordering in range(1, orderings + 1)
        for system in systems
        for placement in range(1, 1 + (placements if system != "A" else 1))
        for hop in range(1, hops + 1)
    ]


SETTINGS = {"slab": "s", "hop": "h", "engine": "e"}


def described(listed: list[MemberDoc], barriers: dict[tuple[str, str], float | None]) -> EnsembleDoc:
    """Compare barriers (eV), None for one that failed; rows in a random order."""
    rows = [
        Row(each.system, each.hop, value, 0.003, SETTINGS, None if value is not None else "did not converge")
        for each in listed
        for value in [barriers[each.system, each.hop]]
    ]
    random.Random(1).shuffle(rows)
    return ensemble_document(listed, compare(rows, "A", "forward"), "A")


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_partners_are_the_same_hop_on_the_same_ordering_in_whatever_order(
    orderings: int, hops: int, chance: random.Random
) -> None:
    listed = members(orderings, hops)
    base = {(one.ordering, one.of_hop): 10 * one.ordering + int(one.of_hop[1:]) for one in listed}
    delta = {key: chance.choice([-0.2, -0.1, 0.1, 0.3]) for key in base}
    barriers = {
        (one.system, one.hop): base[one.ordering, one.of_hop]
        + (delta[one.ordering, one.of_hop] if one.system == "B" else 0.0)
        for one in listed
    }
    chance.shuffle(listed)
    (found,) = described(listed, barriers).distributions
    assert {(pair.ordering, pair.of_hop): round(pair.delta, 9) for pair in found.pairs} == delta
    assert found.falls == sum(value < 0 for value in delta.values())
    assert found.falls + found.rises == len(delta)
    assert found.mean == pytest.approx(np.mean(list(delta.values())))


def test_a_failed_barrier_leaves_out_its_own_pair_alone_and_is_named() -> None:
    listed = members(2, 2)
    barriers: dict[tuple[str, str], float | None] = {(one.system, one.hop): 0.5 for one in listed}
    for hop in ("o1-h1", "o1-h2", "o2-h1"):
        barriers["B", hop] = 0.4
    barriers["B", "o2-h2"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.hop for pair in found.pairs] == ["o1-h1", "o1-h2", "o2-h1"]
    assert found.missing == ["B o2-h2: did not converge"]
    barriers["A", "o1-h1"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.hop for pair in found.pairs] == ["o1-h2", "o2-h1"]
    assert found.missing == ["B o1-h1: A has no barrier: did not converge", "B o2-h2: did not converge"]
    assert "2 of 2 hops fall" in found.sentence and "left out: 2 of the barriers" in found.sentence


def test_placements_are_averaged_within_their_pair_and_add_no_pairs() -> None:
    listed = members(1, 2, placements=3)
    barriers = {(one.system, one.hop): 0.5 if one.system == "A" else 0.5 + 0.1 * one.placement for one in listed}
    (found,) = described(listed, barriers).distributions
    assert len(found.pairs) == 2
    assert found.pairs[0].placements == pytest.approx({1: 0.1, 2: 0.2, 3: 0.3})
    assert found.pairs[0].delta == pytest.approx(0.2)
    barriers["B.p3", "o1-h1"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.delta for pair in found.pairs] == pytest.approx([0.15, 0.2])
    assert found.missing == ["B.p3 o1-h1: did not converge"]


def test_the_sentence_of_seven_hops_of_nine() -> None:
    """Sign test by hand: 2 · (1 + 9 + 36) / 2⁹ = 0.18."""
    deltas = [-0.10, -0.09, -0.08, -0.07, -0.06, -0.05, -0.03, 0.05, 0.07]
    listed = members(3, 3)
    values = iter(deltas)
    barriers = {(one.system, one.hop): 0.5 + (next(values) if one.system == "B" else 0.0) for one in listed}
    (found,) = described(listed, barriers).distributions
    assert found.p_value == pytest.approx(2 * (1 + 9 + 36) / 2**9)
    assert found.spread == pytest.approx(np.std(deltas, ddof=1))
    assert found.sentence == (
        "B against A: 7 of 9 hops fall, mean Δ −0.04 ± 0.04 eV, spread 0.06 eV, sign test p = 0.18"
    )


def test_the_standard_error_covers_the_mean_where_hops_of_an_ordering_depend_on_each_other() -> None:
    """Of 400 made-up ensembles of 12 orderings that shift all their hops alike, the mean lies within 2 s.e. as often
    as it should; the error of independent hops would be three times too small."""
    rng = np.random.default_rng(0)
    orderings = np.repeat(np.arange(12), 9)
    within, plain = [], []
    for _ in range(400):
        deltas = rng.normal(0, 0.1, 12)[orderings] + rng.normal(0, 0.01, len(orderings))
        error = standard_error(deltas.tolist(), orderings.tolist())
        assert error is not None
        within.append(abs(deltas.mean()) < 2 * error)
        plain.append(abs(deltas.mean()) < 2 * deltas.std(ddof=1) / np.sqrt(len(deltas)))
    assert np.mean(within) > norm.cdf(2) - norm.cdf(-2) - 0.06
    assert np.mean(plain) < 0.7


def test_independent_hops_have_the_plain_standard_error() -> None:
    deltas = [0.1, -0.1, 0.3, -0.3]
    assert standard_error(deltas, [1, 1, 2, 2]) == pytest.approx(np.std(deltas, ddof=1) / 2)
    assert standard_error(deltas, [1, 1, 1, 1]) == pytest.approx(np.std(deltas, ddof=1) / 2)
    assert standard_error([0.1], [1]) is None
