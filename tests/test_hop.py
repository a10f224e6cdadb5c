"""Hops: all of them, each once, under a name that stays, and their endpoints."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest
from conftest import ROOT, ordered_slab
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Structure
from pymatgen.core.surface import SlabGenerator

from barriers import load_study
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop, final_in_initial_order, hop_ends, make_endpoint, midpoint, moving_index
from barriers.structures.hop.search import find_hops
from barriers.structures.hop.spoken import spoken_labels
from barriers.structures.surface.slab import LAYER, frozen_atoms, set_vacuum
from barriers.workflow.lattice import settled_lattice
from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

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


def test_a_tetrahedron_that_lacks_an_oxygen_is_none() -> None:
    crystal = bulk(CATHODES["LiNiO2"])
    crystal.make_supercell([3, 3, 1])
    vacant = crystal.copy()
    vacant.remove_sites([crystal.indices_from_symbol("O")[0]])
    whole, broken = (select_hops(find_hops(structure), kind="divacancy") for structure in (crystal, vacant))
    assert len(whole) == 1
    for hop in broken:
        assert hop.through is not None
        around = vacant.get_sites_in_sphere(hop.through.position(vacant), 2.2)
        assert sum(site.specie.symbol == "O" for site in around) == 4
    assert "single oxygen" in {hop.mechanism for hop in find_hops(vacant)}


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


@pytest.mark.parametrize("ion", ["Na", "K", "Mg", "Ca", "Zn", "Al"])
def test_a_slab_of_another_ion_has_the_hops_of_lithium_s(ion: str) -> None:
    """By hand, as for Li above: 3 vacancy and 4 divacancy hops. The lattice stays Li's."""
    slab = build("LiNiO2", 4, 2).copy()
    slab.replace_species({"Li": ion})
    found = find_hops(slab, ion)
    assert (kinds(found)["vacancy"], kinds(found)["divacancy"]) == (3, 4)
    assert {hop.ion for hop in found} == {ion}
    deep = select_hops(found, kind="divacancy", layer="sub-surface")
    assert {hop.environments[0].partition(";")[0] for hop in deep} == {"O6"}


def oxygen_ended_003() -> Structure:
    """A polar slab of LiNiO2 with its topmost layer of Ni taken off, two Li layers free."""
    plain = SlabGenerator(bulk(CATHODES["LiNiO2"]), (0, 0, 1), 10, 12, center_slab=False, primitive=True).get_slabs()
    slabs = [Structure.from_sites(slab.get_orthogonal_c_slab().sites) for slab in plain]
    slab = next(slab for slab in slabs if max(slab, key=lambda site: site.z).specie.symbol == "O")
    slab.make_supercell([3, 3, 1], to_unit_cell=False)
    heights = slab.cart_coords[:, 2] - slab.cart_coords[:, 2].min()
    slab.add_site_property(LAYER, [round(height) for height in heights])
    slab.add_site_property("selective_dynamics", [[height > 2] * 3 for height in heights])
    return slab


def test_hops_of_an_oxygen_ended_003_slab_agree_with_counting_by_hand() -> None:
    """By hand: the Li planes lie in the surface, so in each of two all jumps are alike: 2 vacancy hops.

    Here top and bottom of a Li plane differ, and with them the tetrahedra above and below it: 2 x 2 divacancy hops.
    An added ion has two hollows between three O each, with and without Ni straight below; they alternate on a
    honeycomb, whose edges are alike: 1. Over single O or pairs of them it rolls into a hollow.
    """
    found = find_hops(oxygen_ended_003())
    assert kinds(found) == {"vacancy": 2, "divacancy": 4, "interstitial": 1}
    assert len({hop.label for hop in found}) == 7
    (added,) = (hop for hop in found if hop.kind == "interstitial")
    assert sorted(added.environments) == ["O3; Ni 1", "O3; Ni 3"]
    assert added.distance == pytest.approx(CATHODES["LiNiO2"].a / 3**0.5, abs=0.05)


def test_a_random_cation_ordering_makes_every_hop_distinct() -> None:
    """By hand: rows of 6 Li in two free layers. 6 + 6 jumps along rows, 6 x 2 between the layers.

    Each of the 12 jumps along a row makes one triangle with the other layer, in which each side is a hop. Each of the
    12 surface O has four neighbours on the square net: 12 x 4 / 2.
    """
    # With seed 0 a mirror runs through the upper layers, which the code around eight of the hops cannot see past.
    hops = find_hops(ordered_slab(seed=1))
    assert kinds(hops) == kinds(find_hops(ordered_slab())) == {"vacancy": 24, "divacancy": 12 * 3, "interstitial": 24}
    # A label with a number would mean that the code within it does not tell two hops apart.
    assert len({hop.label for hop in hops if hop.label.count("_") == 3}) == len(hops)


def described(found: list[Hop]) -> list[tuple[object, ...]]:
    """All that matters about hops, in no order."""
    return sorted((hop.label, hop.kind, hop.layers, *sorted(hop.environments), round(hop.distance, 4)) for hop in found)


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_order_translation_and_wrapping_of_atoms_change_nothing(seed: int) -> None:
    slab, random = build("NCM811"), np.random.default_rng(seed)
    changed = slab.copy()
    changed.translate_sites(range(len(slab)), [*random.random(2), 0.1], to_unit_cell=False)
    for index in range(len(slab)):
        changed.translate_sites([index], [*random.integers(-1, 2, 2), 0], to_unit_cell=False)
    changed = Structure.from_sites([changed[int(index)] for index in random.permutation(len(slab))])
    assert described(find_hops(changed)) == described(find_hops(slab))


@settings(max_examples=4, deadline=None)
@given(seeds)
def test_symmetry_is_found_wherever_the_atoms_are_written(seed: int) -> None:
    crystal, random = bulk(CATHODES["LiCoO2"]), np.random.default_rng(seed)
    crystal.make_supercell([3, 3, 1])
    crystal.translate_sites(range(len(crystal)), random.random(3), to_unit_cell=bool(seed % 2))
    assert kinds(find_hops(crystal)) == {"vacancy": 1, "divacancy": 1}


def test_the_higher_vacuum_leaves_the_names(slab: Structure, hops: list[Hop]) -> None:
    assert described(find_hops(set_vacuum(slab, 25.0))) == described(hops)


def test_the_hop_of_the_example_study_is_the_one_its_numbers_are_for() -> None:
    study, _ = settled_lattice(load_study(ROOT / "inputs" / "ncm811_pvdf.yaml"))
    built = build_slab(crystal_of(study.cathode), study.cathode, study.surface)
    (hop,) = hops_of(built.structure, study.hops)
    assert (hop.name, hop.moving, hop.target, hop.image) == ("sub-surface", 6, 8, (0, 0, 0))
    assert (hop.label, hop.environments[0]) == ("oxygen-dumbbell_2.91_z-2.1_a6e36e", "O6; Ni 5 Co 1")


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


def test_a_hop_has_a_name_that_people_can_say_and_that_chooses_it(hops: list[Hop]) -> None:
    names = spoken_labels(hops)
    assert len(set(names)) == len(hops)
    assert set(names) >= {"sub-surface dumbbell 2.87 Å a", "surface adatom 2.70 Å a"}
    for hop, name in zip(hops, names, strict=True):
        assert f"{hop.distance:.2f} Å" in name
        for label in (name, name.replace("Å", "A"), hop.label):
            assert select_hops(hops, label=label) == [hop]
    with pytest.raises(ValueError, match=r"did you mean 'sub-surface dumbbell 2\.87 Å a'"):
        select_hops(hops, label="sub-surface dumbell 2.87 Å a")


def test_letters_go_on_after_z(hops: list[Hop]) -> None:
    one = hops[0].model_copy(update={"layers": None})
    names = spoken_labels([one] * 28)
    assert [name.rpartition(" ")[2] for name in names][-3:] == ["z", "aa", "ab"]


def test_a_cell_too_small_for_a_hop_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"surface vector of 5\.7 Å: .* use a larger surface \(min_lengths of a slab that is cut\)"
    ):
        find_hops(build("NCM811", lengths=(5.0, 5.0)))
    with pytest.raises(ValueError, match=r"cell vector of 2\.9 Å: a hop meets its own image; use a larger cell"):
        find_hops(bulk(CATHODES["LiNiO2"]))


def test_a_crystal_without_lithium_is_refused() -> None:
    crystal = bulk(CATHODES["LiNiO2"])
    crystal.make_supercell([3, 3, 1])
    crystal.remove_species(["Li"])
    with pytest.raises(ValueError, match="no hop: no two free Li sites"):
        find_hops(crystal)


def test_a_thousand_atoms_are_searched_in_seconds() -> None:
    slab = build("NCM811", layers=10, lengths=(16.0, 20.0))
    start = time.process_time()
    found = find_hops(slab)
    assert time.process_time() - start < 20  # 2 s on an idle core
    assert len(slab) == 960
    assert len({hop.label for hop in found if hop.label.count("_") == 3}) == len(found) == 1632
