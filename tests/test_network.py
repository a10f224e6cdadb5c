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
    with pytest.raises(ValueError, match="no hop: no two Li sites within"):
        find_network(far)
