"""Hops: all of them, each once, under a name that stays; their endpoints; carried to interfaces."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from barriers.structures.cathode import bulk, known_cathodes, order_metals
from barriers.structures.hop import Hop, final_in_initial_order, hop_ends, make_endpoint, moving_index
from barriers.structures.hop_choice import select_hops
from barriers.structures.hop_search import find_fragment_hops, find_hops
from barriers.structures.surface import LAYER, cut_slab

CATHODES = known_cathodes()
seeds = st.integers(0, 10_000)


def build(name: str, layers: int = 4, frozen: int = 2, lengths: tuple[float, float] = (8.0, 11.0)) -> Structure:
    cathode = CATHODES[name]
    return order_metals(cut_slab(bulk(cathode), (1, 0, 4), layers, lengths, 12.0, frozen), cathode.metals, 0)


@pytest.fixture(scope="module")
def slab() -> Structure:
    return build("NCM811")


@pytest.fixture(scope="module")
def hops(slab: Structure) -> list[Hop]:
    return find_hops(slab)


def kinds(found: list[Hop]) -> dict[str, int]:
    return dict(Counter(hop.kind for hop in found))


def test_bulk_lithium_nickel_oxide_has_one_hop_through_each_gap() -> None:
    """By hand: one Li site (3b) with six Li around it, all alike under its site symmetry -3m, so one vacancy hop.

    Beside each jump lie two tetrahedra, one above the Li plane and one below, and the twofold axis through the middle
    of the jump exchanges them: one divacancy hop. A crystal has no surface for an added ion.
    """
    crystal = bulk(CATHODES["LiNiO2"])
    crystal.make_supercell([3, 3, 1])
    found = find_hops(crystal)
    assert kinds(found) == {"vacancy": 1, "divacancy": 1}
    assert {hop.environments for hop in found} == {("O6; Ni 6", "O6; Ni 6")}
    assert [hop.mechanism for hop in found] == ["oxygen dumbbell", "tetrahedral"]
    assert all(hop.distance == pytest.approx(CATHODES["LiNiO2"].a) and hop.depth is None for hop in found)


@pytest.mark.parametrize(
    ("layers", "frozen", "expected"),
    [
        (4, 2, {"vacancy": 3, "divacancy": 4, "interstitial": 4}),
        (5, 1, {"vacancy": 7, "divacancy": 12, "interstitial": 4}),
        (4, 0, {"vacancy": 4, "divacancy": 6, "interstitial": 4}),
    ],
)
def test_hops_of_the_104_slab_agree_with_counting_by_hand(layers: int, frozen: int, expected: dict[str, int]) -> None:
    """By hand, for n free layers of LiNiO2.

    The Li planes cut each (104) layer in rows along [010]. A Li has two neighbours in its row, two in the layer above
    and two in the one below; the mirror plane across the row makes each two alike. Vacancy hops: one in each layer,
    one between each two layers: n + (n - 1).

    Two neighbours in a row and one in the next layer make a triangle with one tetrahedron of oxygen: from each two
    layers two triangles, in each one hop along the row and (the mirror again) one between the layers: 4 (n - 1). The
    surface lacks the oxygen straight above each Li, which is in no such tetrahedron.

    Each of the two O in the surface cell holds one added Li, and these places form a square net: along the row from
    one O and from the other, across the Li row, across the Ni row: 4.

    With no frozen layer a twofold axis along the rows exchanges top and bottom. Of four layers two remain and of the
    three gaps two, the middle one mapped on itself: 2 + 2, and 4 + 4 / 2.
    """
    assert kinds(find_hops(build("LiNiO2", layers, frozen))) == expected


def test_a_random_cation_ordering_makes_every_hop_distinct(slab: Structure, hops: list[Hop]) -> None:
    """By hand: 12 free Li in two layers, one jump in the row each, and two from each Li below to the layer above.

    Each of the 12 Li of the lower layer's... pairs of triangles has three hops; 12 surface O with two jumps each.
    """
    assert kinds(hops) == {"vacancy": 12 + 12, "divacancy": 12 * 3, "interstitial": 12 * 2}
    assert len({hop.label for hop in hops}) == len(hops)
