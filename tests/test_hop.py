"""Hops: all of them, each once, under a name that stays; their endpoints; carried to interfaces."""

from __future__ import annotations

import re
import time
from collections import Counter
from functools import cache

import numpy as np
import pytest
from conftest import ROOT, ordered_slab
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers import load_study
from barriers.construction import hop_of, slab_of
from barriers.structures.cathode import bulk, known_cathodes
from barriers.structures.endpoints import overlap
from barriers.structures.hop import Hop, final_in_initial_order, hop_ends, make_endpoint, midpoint, moving_index
from barriers.structures.hop_carried import check_carried
from barriers.structures.hop_choice import select_hops
from barriers.structures.hop_search import find_fragment_hops, find_hops
from barriers.structures.interface import place_at_distance
from barriers.structures.polymer import build_fragment
from barriers.structures.surface import LAYER, frozen_atoms, set_vacuum

CATHODES = known_cathodes()
seeds = st.integers(0, 10_000)


def build(name: str, layers: int = 4, frozen: int = 2, lengths: tuple[float, float] = (8.0, 11.0)) -> Structure:
    return ordered_slab(name, layers, lengths, frozen)


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
    """By hand: rows of 6 Li in two free layers. 6 + 6 jumps along rows, 6 x 2 between the layers.

    Each of the 12 jumps along a row makes one triangle with the other layer, in which each side is a hop. Each of the
    12 surface O has four neighbours on the square net: 12 x 4 / 2.
    """
    assert kinds(hops) == {"vacancy": 12 + 12, "divacancy": 12 * 3, "interstitial": 24}
    assert len({hop.label for hop in hops}) == len(hops)


def described(found: list[Hop]) -> list[tuple[object, ...]]:
    """All that matters about hops, in no order."""
    return sorted((hop.label, hop.kind, hop.layers, *sorted(hop.environments), round(hop.distance, 4)) for hop in found)


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_order_translation_and_wrapping_of_atoms_change_nothing(seed: int) -> None:
    slab, random = build("NCM811"), np.random.default_rng(seed)
    changed = slab.copy()
    changed.translate_sites(range(len(slab)), [*random.random(2), 0.1], to_unit_cell=False)
    for index in range(len(slab)):
        changed.translate_sites([index], [*random.integers(-1, 2, 2), 0], to_unit_cell=False)
    changed = Structure.from_sites([changed[int(index)] for index in random.permutation(len(slab))])
    assert described(find_hops(changed)) == described(find_hops(slab))


@settings(max_examples=6, deadline=None)
@given(seeds)
def test_symmetry_is_found_wherever_the_atoms_are_written(seed: int) -> None:
    crystal, random = bulk(CATHODES["LiCoO2"]), np.random.default_rng(seed)
    crystal.make_supercell([3, 3, 1])
    crystal.translate_sites(range(len(crystal)), random.random(3), to_unit_cell=bool(seed % 2))
    assert kinds(find_hops(crystal)) == {"vacancy": 1, "divacancy": 1}


def test_the_higher_vacuum_leaves_the_names(slab: Structure, hops: list[Hop]) -> None:
    assert described(find_hops(set_vacuum(slab, 25.0))) == described(hops)


def test_the_hop_of_the_example_study_is_the_one_its_numbers_are_for() -> None:
    study = load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")
    hop = hop_of(slab_of(study.cathode, study.surface), study.hops[0])
    assert (hop.name, hop.moving, hop.target, hop.image) == ("sub-surface", 1, 3, (0, 0, 0))


def test_hops_join_free_sites_shortest_first(slab: Structure, hops: list[Hop]) -> None:
    frozen, top = set(frozen_atoms(slab)), slab.cart_coords[:, 2].max()
    assert np.diff([hop.distance for hop in hops]).min() > -0.01
    for hop in hops:
        first, last = hop_ends(slab, hop)
        assert np.linalg.norm(last - first) == pytest.approx(hop.distance, abs=1e-6)
        assert top - midpoint(slab, hop)[2] == pytest.approx(hop.depth, abs=1e-6)
        assert not frozen & {*hop.initial.removed, *hop.final.removed}
        assert Hop.model_validate_json(hop.model_dump_json()) == hop


def test_a_divacancy_hop_passes_a_tetrahedron_of_oxygen(slab: Structure, hops: list[Hop]) -> None:
    """Tetrahedral Li has four O at 1.97 Å by Shannon's radii; the lattice is not relaxed around the empty centre."""
    for hop in select_hops(hops, kind="divacancy"):
        assert hop.through is not None
        centre = hop.through.position(slab)
        near = [site for site in slab.get_sites_in_sphere(centre, 2.6) if site.specie.symbol == "O"]
        assert len(near) == 4
        assert all(site.nn_distance == pytest.approx(1.97, abs=0.2) for site in near)
        assert np.linalg.norm(centre - midpoint(slab, hop)) < 1.2


def test_an_added_ion_sits_on_oxygen_and_clear_of_cations(slab: Structure, hops: list[Hop]) -> None:
    """Shannon's radii of fourfold Li and O: 0.59 + 1.38 Å."""
    for hop in select_hops(hops, kind="interstitial"):
        for state in (hop.initial, hop.final):
            ion = make_endpoint(slab, state)[-1]
            around = make_endpoint(slab, state).get_neighbors(ion, 2.7)
            assert [site.specie.symbol for site in around] == ["O"]
            assert around[0].nn_distance == pytest.approx(1.97)


def test_endpoints_differ_by_the_moving_ion_alone(slab: Structure, hops: list[Hop]) -> None:
    for hop in hops:
        initial = make_endpoint(slab, hop.initial)
        final = final_in_initial_order(make_endpoint(slab, hop.final), hop)
        moving = moving_index(hop, len(initial))
        moves = final.cart_coords - initial.cart_coords
        first, last = hop_ends(slab, hop)
        assert initial.species == final.species and initial[moving].specie.symbol == "Li"
        assert (
            np.delete(initial.site_properties[LAYER], moving).tolist()
            == np.delete(final.site_properties[LAYER], moving).tolist()
        )
        assert np.abs(np.delete(moves, moving, axis=0)).max() == 0
        assert moves[moving] == pytest.approx(last - first, abs=1e-9)
        assert (np.abs(slab.lattice.get_fractional_coords(moves[moving])) < 0.5).all()
        removed = {"vacancy": 1, "divacancy": 2, "interstitial": -1}[hop.kind]
        assert len(initial) == len(slab) - removed


def test_hops_share_their_end_states(hops: list[Hop]) -> None:
    """12 vacancies, 12 + 12 pairs of neighbours, 12 places above the surface."""
    states = {state for hop in hops for state in (hop.initial, hop.final)}
    assert len(states) == 12 + 24 + 12
    assert len({state.label for state in states}) == len(states)


def test_selection_by_what_a_hop_is(hops: list[Hop]) -> None:
    assert {hop.layers for hop in select_hops(hops, layer="sub-surface", kind="vacancy")} == {(1, 1)}
    assert {hop.mechanism for hop in select_hops(hops, mechanism="tetrahedral")} == {"tetrahedral"}
    assert len(select_hops(hops, length=(2.8, 2.9), depth=(1.0, 1.2), kind="vacancy")) == 12
    assert select_hops(hops, label=hops[7].label) == [hops[7]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"length": (5, 6)}, r"no hop with length \(5, 6\); there are: .*24 vacancy \(oxygen dumbbell\), 2.87 Å long"),
        ({"layer": "top"}, "layer: unknown 'top'; allowed: surface, sub-surface$"),
        ({"kind": "vacency"}, "allowed: vacancy, divacancy, interstitial; did you mean 'vacancy'"),
        ({"mechanism": "dumbbell"}, "mechanism: unknown 'dumbbell'.*did you mean 'oxygen dumbbell'"),
    ],
)
def test_a_selection_of_nothing_says_what_there_is(hops: list[Hop], asked: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        select_hops(hops, **asked)
    assert "\n" not in str(refusal.value)


def test_a_mistyped_label_is_answered_with_the_closest(hops: list[Hop]) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{re.escape(hops[3].label)}'"):
        select_hops(hops, label=hops[3].label + "x")


def test_a_cell_too_small_for_a_hop_is_refused() -> None:
    with pytest.raises(ValueError, match=r"meets its own image; use a larger min_lengths"):
        find_hops(build("NCM811", lengths=(5.0, 5.0)))


def test_a_slab_without_free_lithium_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair of free Na sites"):
        find_hops(build("NCM811"), ion="Na")


def test_a_thousand_atoms_are_searched_in_seconds() -> None:
    slab = build("NCM811", layers=10, lengths=(16.0, 20.0))
    start = time.process_time()
    found = find_hops(slab)
    assert time.process_time() - start < 10  # 2 s on an idle core
    assert len(slab) == 960
    assert len({hop.label for hop in found}) == len(found) == 1632


@cache
def interface() -> Structure:
    """A PVDF dimer above the slab, its F atoms among the surface's places for an added ion."""
    bare = build("NCM811")
    centre = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])
    return place_at_distance(bare, build_fragment("PVDF", 2, None), centre.tolist(), 3.0, 12.0, 2)[1]


def test_hops_into_a_fragment_end_at_its_fluorine(slab: Structure) -> None:
    """Shannon's radii of fourfold Li and F: 0.59 + 1.31 Å."""
    found = find_fragment_hops(interface())
    assert {hop.mechanism for hop in found} == {"fragment"}
    for hop in found:
        initial = make_endpoint(interface(), hop.initial)
        final = final_in_initial_order(make_endpoint(interface(), hop.final), hop)
        fluorine = [site for site in final if site.specie.symbol == "F"]
        assert min(final[-1].distance(site) for site in fluorine) == pytest.approx(1.90, abs=1e-6)
        assert initial.species == final.species and len(initial) == len(interface()) + 1
        assert np.linalg.norm(final[-1].coords - initial[-1].coords) == pytest.approx(hop.distance, abs=1e-6)
        assert (final.cart_coords[:-1] == initial.cart_coords[:-1]).all()
        for structure in (initial, final):
            assert overlap(AseAtomsAdaptor.get_atoms(structure)) is None
    with pytest.raises(ValueError, match="allowed: a fragment with F, N or O near the surface"):
        find_fragment_hops(slab)


def test_hops_are_carried_to_an_interface_and_to_a_relaxed_slab(slab: Structure, hops: list[Hop]) -> None:
    relaxed = slab.copy().perturb(0.2, seed=1)
    for hop in hops:
        check_carried(slab, interface(), hop)
        check_carried(slab, relaxed, hop)
        first, last = hop_ends(slab, hop)
        there = hop_ends(interface(), hop)
        assert there[1] - there[0] == pytest.approx(last - first, abs=1e-6)


def test_a_site_that_is_not_the_same_is_named(slab: Structure, hops: list[Hop]) -> None:
    hop = select_hops(hops, kind="vacancy", layer="sub-surface")[0]
    assert hop.moving is not None
    exchanged, moved, wide, far = slab.copy(), slab.copy(), slab.copy(), slab.copy()
    exchanged.replace(hop.moving, "Ni", properties=slab[hop.moving].properties)
    moved.translate_sites([hop.moving], [1.1, 0, 0], frac_coords=False)
    wide.scale_lattice(slab.volume * 1.1)
    neighbour = slab.get_neighbors(slab[hop.moving], 2.3)[0].index
    far.translate_sites([neighbour], [0, 0, 9], frac_coords=False)
    for system, message in (
        (exchanged, f"atom {hop.moving} is not the slab's site: Ni instead of Li"),
        (moved, r"1\.10 Å aside"),
        (far, f"its neighbour {neighbour} .* Å away"),
        (wide, "surface vectors differ"),
        (Structure.from_sites(slab.sites[:-1]), f"{len(slab) - 1} atoms, fewer than"),
    ):
        with pytest.raises(ValueError, match=message):
            check_carried(slab, system, hop)
