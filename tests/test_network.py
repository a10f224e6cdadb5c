"""The network of hops of a crystal: every jump, each way, and which are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.search import find_hops
from barriers.structures.network.network import Network, find_network
from barriers.structures.network.window import window

seeds = st.integers(0, 10_000)


def layered(repeats: tuple[int, int, int] = (1, 1, 1), name: str = "LiCoO2") -> Structure:
    crystal = bulk(known_cathodes()[name])
    crystal.make_supercell(repeats)
    return crystal


def unlike_ends() -> Structure:
    """Chains of Li along x whose sites differ: a fluorine stands nearer to every second one."""
    lattice = Lattice.orthorhombic(5.0, 9.0, 10.0)
    sites = [[0, 0, 0], [0.5, 0, 0], [0.0, 0.22, 0], [0.5, 0.3, 0.1]]
    return Structure(lattice, ["Li", "Li", "F", "Cl"], sites)


def alike(network: Network, per_cell: float = 1) -> list[tuple[float, int]]:
    """Lengths and numbers of the distinct hops, for a cell of the given size."""
    numbers = network.multiplicities / per_cell
    return [(round(hop.distance, 3), int(number)) for hop, number in zip(network.hops, numbers, strict=True)]


def test_each_lithium_of_a_layer_has_six_jumps_which_are_all_one_hop() -> None:
    """By hand: three Li in the hexagonal cell, six neighbours each, half of the 18 jumps are ways back."""
    network = find_network(layered())
    assert len(network.hops) == 1
    assert np.bincount(network.first).tolist() == [6, 6, 6]
    assert network.multiplicities.tolist() == [9]
    assert np.linalg.norm(network.vectors, axis=1) == pytest.approx(np.full(18, known_cathodes()["LiCoO2"].a))
    assert network.vectors[:, 2] == pytest.approx(np.zeros(18), abs=1e-9)
    assert network.forward.all()


def test_every_jump_has_its_way_back() -> None:
    network = find_network(unlike_ends())
    ways = {
        (int(first), int(last), tuple(image)): int(hop)
        for first, last, image, hop in zip(
            network.first, network.last, network.images.tolist(), network.hop, strict=True
        )
    }
    for (first, last, image), hop in ways.items():
        assert ways[last, first, tuple(-step for step in image)] == hop


def test_a_hop_between_unlike_sites_runs_forward_from_the_sites_like_its_first() -> None:
    """By hand: along the chain each site reaches the other kind on both sides, 2.5 Å away: two jumps of one hop."""
    crystal = unlike_ends()
    network = find_network(crystal)
    (hop,) = network.hops
    assert network.multiplicities.tolist() == [2]
    assert network.forward.tolist() == (network.first == hop.moving).tolist()


@pytest.mark.parametrize("crystal", [layered((3, 3, 1)), layered((4, 4, 1), "LiNiO2")])
def test_the_hops_are_those_of_the_search_for_bands(crystal: Structure) -> None:
    assert list(find_network(crystal).hops) == select_hops(find_hops(crystal), kind="vacancy")


@pytest.mark.parametrize("crystal", [layered(), unlike_ends()])
def test_a_larger_cell_has_the_same_hops_and_as_many_more_jumps(crystal: Structure) -> None:
    small = find_network(crystal)
    large = find_network(crystal.copy().make_supercell(2))
    assert alike(large, 8) == alike(small)
    assert len(large.first) == 8 * len(small.first)
    primitive = find_network(crystal.get_primitive_structure())
    assert alike(primitive, len(primitive.structure) / len(crystal)) == alike(small)


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_order_translation_and_wrapping_of_atoms_change_nothing(seed: int) -> None:
    crystal, random = unlike_ends(), np.random.default_rng(seed)
    changed = crystal.copy()
    changed.translate_sites(range(len(crystal)), random.random(3), to_unit_cell=bool(seed % 2))
    for index in range(len(crystal)):
        changed.translate_sites([index], random.integers(-1, 2, 3), to_unit_cell=False)
    changed = Structure.from_sites([changed[int(index)] for index in random.permutation(len(crystal))])
    here, there = find_network(crystal), find_network(changed)
    assert [hop.label for hop in there.hops] == [hop.label for hop in here.hops]
    assert there.multiplicities.tolist() == here.multiplicities.tolist()
    assert sorted(there.vectors.round(6).tolist()) == sorted(here.vectors.round(6).tolist())


def test_a_crystal_without_neighbouring_sites_has_no_hop() -> None:
    far = Structure(Lattice.cubic(9.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(ValueError, match="no hop: no two Li sites with a free way of 7 Å"):
        find_network(far)


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        # Through a square of anions of a simple cubic lattice, and a triangle of a close packing.
        (Structure(Lattice.cubic(4.0), ["Li", "Cl"], [[0.5] * 3, [0] * 3]), 4 / 2**0.5 - 1.81),
        (
            Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0.5] * 3, [0] * 3]),
            5.13 / 6**0.5 - 1.81,
        ),
        (
            Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Mg", "O"], [[0.5] * 3, [0] * 3]),
            4.2 / 6**0.5 - 1.40,
        ),
    ],
)
def test_the_window_is_the_circle_between_the_anions(crystal: Structure, expected: float) -> None:
    ion = crystal[0].specie.symbol
    assert find_network(crystal, ion).windows == pytest.approx([expected])


def test_a_void_that_a_cation_fills_is_no_way() -> None:
    """By hand: two octahedra of a close packing share an edge, and so two tetrahedra with a face of each are beside it.

    With one filled the way is over the other one, as wide. With both filled it is over further octahedra, through
    tetrahedra there; with all of them filled there is none.
    """
    packing = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0.5] * 3, [0] * 3])
    ends = [np.array(place) * 5.13 for place in ([0.5, 0, 0], [0, 0.5, 0])]
    tetrahedra = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Zn"], [[0.25] * 3])
    one, all_filled = packing.copy(), packing.copy()
    one.append("Zn", [0.25, 0.25, 0.25])
    for site in tetrahedra:
        all_filled.append("Zn", site.frac_coords)
    assert window(one, *ends) == pytest.approx(window(packing, *ends))
    assert np.isnan(window(all_filled, *ends))


@pytest.mark.parametrize(
    ("ion", "anion", "length", "mechanism"),
    [
        ("Li", "O", 4.2, "oxygen dumbbell"),
        ("Na", "F", 4.63, "anion dumbbell"),
        ("K", "Cl", 6.29, "anion dumbbell"),
        ("Mg", "S", 5.20, "anion dumbbell"),
        ("Ca", "Se", 5.91, "anion dumbbell"),
        ("Zn", "Se", 5.3, "anion dumbbell"),
        ("Al", "N", 4.07, "anion dumbbell"),
        ("Na", "Br", 5.97, "anion dumbbell"),
        ("Li", "I", 6.0, "anion dumbbell"),
        ("Al", "P", 5.2, "anion dumbbell"),
    ],
)
def test_every_ion_in_every_anion_passes_the_dumbbell_of_rock_salt(
    ion: str, anion: str, length: float, mechanism: str
) -> None:
    """By hand: twelve neighbours, all alike, each over the edge that two octahedra share; radii scale the reach."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(length), [ion, anion], [[0.5] * 3, [0] * 3])
    network = find_network(crystal, ion)
    (hop,) = network.hops
    assert (hop.mechanism, hop.ion) == (mechanism, ion)
    assert hop.environments == (f"{anion}6; none",) * 2
    assert network.multiplicities.tolist() == [24]


def test_a_way_through_an_atom_is_none() -> None:
    """By hand: Li at the corners of a cube, Ti in the middle of two of its three kinds of edges."""
    crystal = Structure(Lattice.cubic(4.0), ["Li", "Ti", "Ti"], [[0, 0, 0], [0.5, 0, 0], [0, 0.5, 0]])
    network = find_network(crystal)
    assert np.abs(network.vectors).tolist() == [[0, 0, 4], [0, 0, 4]]


def test_anions_in_one_plane_make_no_window() -> None:
    crystal = Structure(Lattice.orthorhombic(3.5, 3.5, 30.0), ["Li", "O"], [[0, 0, 0], [0.5, 0.5, 0]])
    assert np.isnan(find_network(crystal).windows).all()
