"""Hops named by their two sites: the listed one either way, the like of it, one that is not listed, and refusals."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import ordered_slab
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.hop.between import hops_between, unlisted
from barriers.structures.hop.hop import Hop, final_in_initial_order, hop_ends, make_endpoint
from barriers.structures.hop.search import find_hops
from barriers.study.models import HopSection
from barriers.workflow.slab_and_hops import hops_of


@pytest.fixture(scope="module")
def slab() -> Structure:
    return ordered_slab()


@pytest.fixture(scope="module")
def hops(slab: Structure) -> list[Hop]:
    return find_hops(slab)


def test_every_hop_of_a_slab_is_found_by_its_atoms_and_by_places_near_them(slab: Structure, hops: list[Hop]) -> None:
    for hop in hops:
        ends = slab.lattice.get_fractional_coords(np.array(hop_ends(slab, hop)))
        near = [tuple((end + [2, -1, 0] + 0.3 / np.array(slab.lattice.abc)).tolist()) for end in ends]
        assert hop in hops_between(slab, hops, *near, hop.kind)
        if hop.moving is not None and hop.target is not None:
            assert hop in hops_between(slab, hops, hop.moving, hop.target, hop.kind)


def test_the_way_back_ends_where_the_hop_starts_and_keeps_its_label(slab: Structure, hops: list[Hop]) -> None:
    for hop in (hop for hop in hops if hop.kind == "vacancy"):
        assert hop.moving is not None and hop.target is not None
        (back,) = hops_between(slab, hops, hop.target, hop.moving)
        assert back.label == hop.label and (back.initial, back.final) == (hop.final, hop.initial)
        first, last = hop_ends(slab, hop)
        start, end = hop_ends(slab, back)
        assert end - start == pytest.approx(first - last, abs=1e-6)
        initial = make_endpoint(slab, back.initial)
        final = final_in_initial_order(make_endpoint(slab, back.final), back)
        moved = np.linalg.norm(final.cart_coords - initial.cart_coords, axis=1)
        assert np.sort(moved)[-2:] == pytest.approx([0, hop.distance], abs=1e-5)


def test_the_like_of_a_hop_by_symmetry_is_that_hop_elsewhere() -> None:
    """By hand: six like neighbours of each Li in LiNiO2, one of which the search lists."""
    crystal = bulk(known_cathodes()["LiNiO2"])
    crystal.make_supercell([3, 3, 1])
    found = find_hops(crystal)
    first = crystal.indices_from_symbol("Li")[0]
    near = [site.index for site in crystal.get_neighbors(crystal[first], 3) if site.specie.symbol == "Li"]
    made = [hops_between(crystal, found, first, other)[0] for other in near]
    assert {hop.label for hop in made} == {found[0].label}
    assert [(hop.moving, hop.target) for hop in made] == [(first, other) for other in near] and len(made) == 6
    assert unlisted(crystal, made) == []
    beside = hops_between(crystal, found, first, near[0], "divacancy")
    assert len(beside) == 2 and {hop.label for hop in beside} == {found[1].label}


def chain(spacing: float, sites: int = 8) -> Structure:
    """Lithium in a row, far from the next row."""
    places = [[number / sites, 0, 0] for number in range(sites)]
    return Structure(Lattice.orthorhombic(spacing * sites, 20, 20), ["Li"] * sites, places)


def test_hops_that_the_search_does_not_list_are_made_and_said_to_be_odd() -> None:
    row = chain(2.5)
    found = find_hops(row)
    assert {hop.distance for hop in found} == {2.5}
    (listed,) = hops_between(row, found, 7, 0)
    (far,) = hops_between(row, found, 1, 3)
    assert listed.image == (1, 0, 0) and listed.distance == pytest.approx(2.5)
    assert (far.distance, far.kind) == (5.0, "vacancy")
    assert unlisted(row, [listed, far]) == [f"hop {far.name}: 5.00 Å long; hops are looked for up to 4.5 Å"]
    (over,) = hops_between(chain(2.2), find_hops(chain(2.2)), 1, 3)
    assert unlisted(chain(2.2), [over]) == [
        f"hop {over.name}: Li 2 lies between its sites, so it may be two hops, not one"
    ]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((0, 12), "from: 0: this Li is held; allowed: a free Li, one of 12 to 23"),
        ((12, 24), "to: 24: this atom is Ni; allowed: a free Li, one of 12 to 23"),
        ((12, 960), "to: 960: the structure has 96 atoms, numbered from 0; allowed: a free Li, one of 12 to 23"),
        ((12, 12), "from and to are one site, Li 12; allowed: two sites"),
        (
            (12, 17),
            "Li 12 and Li 17 are 6.45 Å apart, so that a hop meets its own image in a cell of 8.6 Å; allowed: nearer ",
        ),
        ((12, (0.5, 0.5, 0.9)), "to: [0.5, 0.5, 0.9]: the nearest site, Li 15, is 7.12 Å away; allowed: up to 1 Å"),
        ((12, 18, "interstitial"), "from: 12: an added ion is no atom of the structure yet; allowed: coordinates of"),
        ((12, 17, "divacancy"), "no third Li site shares a tetrahedron with Li 12 and Li 17; allowed: kind vacancy"),
    ],
)
def test_what_is_no_hop_is_told_in_one_line(slab: Structure, hops: list[Hop], asked: tuple, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as refusal:
        hops_between(slab, hops, *asked)
    assert "\n" not in str(refusal.value)


@given(st.integers(0, 2**31 - 1), st.tuples(*[st.integers(-2, 2)] * 2))
def test_places_are_found_whatever_the_order_of_the_atoms_and_their_images(seed: int, cells: tuple[int, int]) -> None:
    slab = ordered_slab()
    hop = next(hop for hop in find_hops(slab) if hop.layers == (1, 0))
    ends = slab.lattice.get_fractional_coords(np.array(hop_ends(slab, hop)))
    order = np.random.default_rng(seed).permutation(len(slab))
    other = Structure.from_sites([slab[int(index)] for index in order])
    other.translate_sites(range(0, len(other), 3), [*cells, 0], to_unit_cell=False)
    (found,) = hops_between(other, [], *map(tuple, ends.tolist()))
    assert (found.label, found.distance) == (hop.label, hop.distance)
    assert [order[index] for index in (found.moving, found.target)] == [hop.moving, hop.target]


def test_a_study_names_its_hops_by_atoms(slab: Structure, hops: list[Hop]) -> None:
    sections = [HopSection(**{"from": 18, "to": 20}), HopSection(name="back", from_=20, to=18)]
    there, back = hops_of(slab, sections)
    assert (there.name, back.name) == ("18-20", "back")
    assert there.model_copy(update={"name": ""}) == hops[0].model_copy(update={"name": ""}) or there.label in {
        hop.label for hop in hops
    }
    assert (there.initial, there.final) == (back.final, back.initial)
    with pytest.raises(
        ValueError, match=r"^hops: '18-3'\.to: 3: this Li is held; allowed: a free Li, one of 12 to 23$"
    ):
        hops_of(slab, [HopSection(from_=18, to=3)])


@pytest.mark.parametrize("edges", [np.eye(3), [[1, 1, 0], [1, 0, 1], [1, 1, 1]]])
def test_a_hop_in_a_crystal_is_measured_against_its_shortest_vector(edges: np.ndarray) -> None:
    """By hand: LiF repeats after 8.06 Å, twice the hop along an edge of its cube, however long the cell's edges are."""
    cubes = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0, 0]])
    cubes.make_supercell(2 * np.array(edges))
    first = cubes[cubes.indices_from_symbol("Li")[0]]
    there = tuple(cubes.lattice.get_fractional_coords(first.coords + np.array([4.03, 0, 0])).tolist())
    with pytest.raises(ValueError, match=r"are 4\.03 Å apart, so that a hop meets its own image in a cell of 8\.1 Å"):
        hops_between(cubes, [], tuple(first.frac_coords.tolist()), there)
