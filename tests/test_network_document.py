"""Percolation, levels of sites and the document of a network, against networks solved by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from periodic_networks import CUBE, LATTICES, neighbours, shuffled, supercell

from barriers.analysis.kinetics import BOLTZMANN
from barriers.analysis.levels import fit_levels
from barriers.analysis.network import Jumps, as_graph, dimension, percolation
from barriers.analysis.network_document import NetworkDoc
from barriers.analysis.network_result import network_result

SEEDS = st.integers(0, 2**32 - 1)
NAN = float("nan")


def by_axis() -> Jumps:
    """A simple cubic lattice whose jumps along a, b and c are hops 0, 1 and 2."""
    jumps = LATTICES["simple cubic"]
    return replace(jumps, hop=np.abs(jumps.vectors).argmax(axis=1))


def two_sites() -> Jumps:
    """A chain A = B - A along a: hop 0 within the cell, hop 1 to the next, forward from A to B."""
    first, last = np.array([0, 1, 1, 0]), np.array([1, 0, 0, 1])
    images = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [-1, 0, 0]])
    vectors = np.array([[2.0, 0, 0], [-2, 0, 0], [3, 0, 0], [-3, 0, 0]])
    lattice = np.diag([5.0, 4.0, 4.0])
    return Jumps(2, first, last, images, vectors, lattice, np.array([0, 0, 1, 1]), first == 0)


def result(jumps: Jumps, barriers: list[tuple[float, float]], **more: object) -> NetworkDoc:
    names = [f"hop {number}" for number in range(len(barriers))]
    settings = {"names": names, "temperatures": [300.0, 400.0], **more}
    return network_result(jumps, barriers, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected"), [("chain", 1), ("ladder", 1), ("honeycomb", 2), ("square", 2), ("diamond", 3), ("hcp", 3)]
)
@given(SEEDS)
@settings(max_examples=5, deadline=None)
def test_dimensions_of_lattices(name: str, expected: int, seed: int) -> None:
    jumps = shuffled(supercell(LATTICES[name], (2, 1, 2)), seed)
    assert dimension(jumps.first, jumps.last, jumps.images, jumps.sites) == expected


def test_pairs_and_sites_without_jumps_go_nowhere() -> None:
    assert dimension([0, 1], [1, 0], [[1, 2, 0], [-1, -2, 0]], 2) == 0
    assert dimension([], [], [], 3) == 0
    assert dimension([0, 0, 1, 1], [0, 0, 1, 1], [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], 2) == 1


def test_the_highest_saddle_on_the_best_way_is_the_barrier() -> None:
    jumps = by_axis()
    found = percolation(jumps.first, jumps.last, jumps.images, 1, np.array([0.2, 0.3, 0.5])[jumps.hop])
    assert {name: one.barrier for name, one in found.items()} == {
        "1-D": 0.2, "2-D": 0.3, "3-D": 0.5, "a": 0.2, "b": 0.3, "c": 0.5,
    }  # fmt: skip
    assert [jumps.hop[found[name].jump] for name in ("1-D", "2-D", "3-D")] == [0, 1, 2]


def test_a_channel_along_a_diagonal_goes_along_neither_axis() -> None:
    images = np.array([[1, 1, 0], [-1, -1, 0]])
    found = percolation([0, 0], [0, 0], images, 1, [0.4, 0.4], {"a": (1, 0, 0), "[220]": (2, 2, 0)})
    assert {name: one.barrier for name, one in found.items()} == {"1-D": 0.4, "[220]": 0.4}


def test_a_way_round_a_high_saddle_is_taken() -> None:
    jumps = two_sites()
    detour = (np.array([0, 2, 2, 1]), np.array([2, 0, 1, 2]))
    first, last = np.r_[jumps.first, detour[0]], np.r_[jumps.last, detour[1]]
    images = np.vstack([jumps.images, np.zeros((4, 3), int)])
    saddles = np.array([0.9, 0.9, 0.4, 0.4, 0.5, 0.5, 0.3, 0.3])
    found = percolation(first, last, images, 3, saddles)
    assert (found["a"].barrier, found["a"].jump) == (0.5, 4)
    assert set(found) == {"1-D", "a"}


def test_levels_follow_from_barriers_both_ways() -> None:
    levels = fit_levels(two_sites(), [(0.50, 0.30), (0.40, 0.20)])
    assert levels.sites == pytest.approx([0, 0.2])
    assert levels.saddles == pytest.approx([0.5, 0.5, 0.4, 0.4])
    assert levels.misfit == pytest.approx(0)
    contradicting = fit_levels(two_sites(), [(0.50, 0.30), (0.40, 0.10)])
    assert contradicting.sites == pytest.approx([0, 0.25])
    assert contradicting.misfit == pytest.approx(0.05)


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_hop_between_equivalent_sites_has_one_barrier_whichever_way_is_called_forward(seed: int) -> None:
    chain = supercell(LATTICES["chain"], (1, 8, 1))
    random = np.random.default_rng(seed)
    forward = random.random(8) < 0.5
    forward[:2] = True  # else the labels may be those of two kinds of sites in turn
    step = chain.vectors[:, 1] > 0
    starts = np.where(step, chain.first, chain.last)
    levels = fit_levels(replace(chain, forward=forward[starts] == step), [(0.30, 0.31)])
    assert levels.sites == pytest.approx(np.zeros(8))
    assert levels.saddles == pytest.approx(np.full(16, 0.305))
    assert levels.misfit == pytest.approx(0.01)


def test_a_vacancy_climbs_where_the_ion_comes_from() -> None:
    # Ions climb 0.5 eV from A to B with the vacancy on B: it is the vacancy on B that lies 0.2 eV lower here.
    ions = two_sites()
    assert (ions.back().images == -ions.images).all()
    assert (ions.back().vectors == -ions.vectors).all()
    document = result(ions.back(), [(0.50, 0.30), (0.45, 0.25)])
    assert document.levels == pytest.approx([0.2, 0.0])
    one = 1e13 * np.exp(-0.50 / (BOLTZMANN * 300)), 1e13 * np.exp(-0.45 / (BOLTZMANN * 300))
    on_b = 1 / (1 + np.exp(-0.2 / (BOLTZMANN * 300)))
    expected = on_b * one[0] * one[1] / (one[0] + one[1]) * 5.0**2 * 1e-16
    assert document.rows[0].tensor[0][0] == pytest.approx(expected, rel=1e-9, abs=0)
    assert document.rows[0].principal[1:] == [0, 0]
    assert document.percolation[0].barrier == pytest.approx(0.5)
    assert document.percolation[0].hop == "hop 0"


def test_a_simple_cubic_crystal_comes_out_as_by_hand() -> None:
    jumps = replace(LATTICES["simple cubic"], lattice=3 * CUBE, vectors=3 * LATTICES["simple cubic"].vectors)
    document = result(jumps, [(0.3, 0.3)], fraction=0.1, attempt_frequencies=[5e12], uncertainties=[0.02])
    row = document.rows[0]
    expected = 5e12 * np.exp(-0.3 / (BOLTZMANN * 300)) * 9e-16
    assert row.tensor == pytest.approx(expected * CUBE, rel=1e-9, abs=1e-20)
    assert row.correlation == pytest.approx([0.65311] * 3, abs=1e-4)
    assert row.tracer == pytest.approx([expected * 0.65311 / 9] * 3, rel=1e-4, abs=0)
    sigma = 0.1 / 27 * 1e24 * 1.602176634e-19 * expected / (BOLTZMANN * 300)
    assert row.conductivity == pytest.approx([sigma] * 3, rel=1e-6, abs=0)
    assert document.activation_energy == pytest.approx(0.3, abs=1e-6)
    assert document.prefactor == pytest.approx(5e12 * 9e-16, rel=1e-6, abs=0)
    assert (document.dimension, document.misfit, document.notes) == (3, 0, [])
    assert [one.barrier for one in document.percolation] == pytest.approx([0.3] * 6)
    assert document.percolation[0].uncertainty == pytest.approx(0.02, rel=0.2)
    assert row.factor is not None
    assert np.log(row.factor) == pytest.approx(0.02 / (BOLTZMANN * 300), rel=0.2)
    assert NetworkDoc.model_validate_json(document.model_dump_json()) == document


@given(SEEDS)
@settings(max_examples=5, deadline=None)
def test_the_document_does_not_depend_on_the_supercell(seed: int) -> None:
    barriers = [(0.2, 0.2), (0.25, 0.25), (0.4, 0.4)]
    small = result(by_axis(), barriers, fraction=0.2)
    large = result(shuffled(supercell(by_axis(), (3, 2, 4)), seed), barriers, fraction=0.2)
    assert large.percolation == small.percolation
    for one, other in zip(large.rows, small.rows, strict=True):
        assert one.principal == pytest.approx(other.principal, rel=1e-9, abs=0)
        assert one.correlation == pytest.approx(other.correlation, abs=1e-4)
        assert one.conductivity == pytest.approx(other.conductivity, rel=1e-9, abs=0)


def test_hops_without_a_barrier_are_left_out_and_told() -> None:
    document = result(by_axis(), [(0.2, 0.2), (NAN, NAN), (0.4, 0.4)])
    assert document.dimension == 3
    assert {one.name: one.barrier for one in document.percolation} == {
        "1-D": 0.2, "2-D": 0.4, "3-D": None, "a": 0.2, "b": None, "c": 0.4,
    }  # fmt: skip
    assert document.rows[0].tensor[1][1] == 0
    assert document.rows[0].correlation[2] is None
    assert document.notes == [
        "hop 1: no barrier; its jumps are left out, D is a lower bound",
        "the network goes on in 3 dimensions, by the hops that have a barrier in 2",
    ]
    assert document.rows[0].axes == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    nothing = result(by_axis(), [(NAN, NAN)] * 3)
    assert (nothing.rows, nothing.levels, nothing.activation_energy) == ([], [None], None)


def test_barriers_that_contradict_each_other_are_told() -> None:
    document = result(two_sites(), [(1.0, 0.1), (0.05, 0.05)])
    assert document.notes == [
        "barriers both ways differ by 0.450 eV from those that energies of sites allow",
        "hop 1: its saddle lies 0.175 eV below a site; taken as no barrier",
    ]
    assert len(document.rows) == 2


def channels() -> Jumps:
    """Two chains that no hop connects: along a by hop 0, along b by hop 1, each of a site of its own."""
    ends, images = np.array([0, 0, 1, 1]), np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    return Jumps(2, ends, ends, images, 4.0 * images, 4 * CUBE, ends, np.ones(4, bool))


def test_channels_that_are_not_connected_need_the_energies_of_their_sites() -> None:
    document = result(channels(), [(0.3, 0.3), (0.4, 0.4)])
    assert document.rows == []
    assert document.notes[-1].startswith("no D: 2 parts of the network are not connected and diffuse differently")
    known = result(channels(), [(0.3, 0.3), (0.4, 0.4)], energies=[-5.0, -4.9])
    assert known.levels == pytest.approx([0, 0.1])
    assert {one.name: one.barrier for one in known.percolation if one.barrier} == pytest.approx(
        {"1-D": 0.3, "a": 0.3, "b": 0.5}
    )
    share = 1 / (1 + np.exp(0.1 / (BOLTZMANN * 300)))
    other = share * 1e13 * np.exp(-0.4 / (BOLTZMANN * 300)) * 16e-16
    assert known.rows[0].tensor[1][1] == pytest.approx(other, rel=1e-9, abs=0)


def test_parts_count_as_often_as_they_are_there() -> None:
    # Two square layers in the plane of a and b and one chain along b, all with the same rate.
    layers = supercell(LATTICES["square"], (1, 1, 2))
    chain = np.array([[0, 1, 0], [0, -1, 0]])
    jumps = Jumps(
        3,
        np.append(layers.first, [2, 2]),
        np.append(layers.last, [2, 2]),
        np.vstack([layers.images, chain]),
        np.vstack([layers.vectors, chain]),
        layers.lattice,
        np.append(np.zeros(8, int), [1, 1]),
        np.ones(10, bool),
    )
    row = result(jumps, [(0.3, 0.3)] * 2, energies=[1.0, 1.0, 1.0], temperatures=[300.0]).rows[0]
    rate = 1e13 * np.exp(-0.3 / (BOLTZMANN * 300)) * 1e-16
    assert row.tensor == pytest.approx(rate * np.diag([2 / 3, 1, 0]), rel=1e-9, abs=1e-30)
    assert row.axes == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert row.correlation[:2] == pytest.approx([2 / 3 * 0.46694, 0.46694], abs=1e-4)


def test_a_trap_beside_the_way_is_part_of_the_barrier() -> None:
    first, last = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 0])
    images = np.array([[1, 0, 0], [-1, 0, 0], [0, 0, 0], [0, 0, 0]])
    vectors = np.array([[4.0, 0, 0], [-4, 0, 0], [0, 2, 0], [0, -2, 0]])
    trap = Jumps(2, first, last, images, vectors, 4 * CUBE, np.array([0, 0, 1, 1]), first == 0)
    document = result(trap, [(0.3, 0.3), (0.1, 0.4)], temperatures=[250.0, 300.0])
    assert document.percolation[0].barrier == pytest.approx(0.6)
    assert document.activation_energy == pytest.approx(0.6, abs=1e-3)


def test_a_layer_that_ions_seldom_leave_keeps_its_correlation() -> None:
    document = result(by_axis(), [(0.2, 0.2), (0.2, 0.2), (0.9, 0.9)], temperatures=[300.0])
    row = document.rows[0]
    assert row.principal[2] / row.principal[0] == pytest.approx(np.exp(-0.7 / (BOLTZMANN * 300)), rel=1e-6)
    # That of the square lattice within the layer; across, the vacancy is gone long before it could come back.
    assert row.correlation == pytest.approx([0.46694, 0.46694, 1.0], abs=1e-3)
    assert document.notes == []


def test_a_factor_that_is_not_converged_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.analysis.network_result.SURE", 1e-9)
    document = result(by_axis(), [(0.2, 0.2)] * 3, temperatures=[300.0])
    assert document.rows[0].correlation == [None] * 3
    assert document.notes == ["300 K: no correlation factor along 3 of 3 axes: it depends on the supercell"]


def test_thirty_sites_without_symmetry_are_solved() -> None:
    random = np.random.default_rng(7)
    jumps = neighbours(10 * CUBE, random.random((30, 3)).tolist(), 4.5)
    lengths = np.round(np.linalg.norm(jumps.vectors, axis=1), 6)
    hop = np.unique(lengths, return_inverse=True)[1]
    jumps = replace(jumps, hop=hop, forward=jumps.first < jumps.last)
    energies, saddles = random.normal(0, 0.08, 30), random.uniform(0.2, 0.5, hop.max() + 1)
    heights = np.zeros((hop.max() + 1, 2))
    for first, last, number in zip(jumps.first, jumps.last, hop, strict=True):
        heights[number] = saddles[number] - energies[[min(first, last), max(first, last)]]
    document = result(jumps, [tuple(height) for height in heights], temperatures=[300.0])
    assert document.levels == pytest.approx(energies - energies.min())
    assert document.misfit == pytest.approx(0, abs=1e-9)
    assert document.notes == []
    row = document.rows[0]
    assert row.tensor == pytest.approx(np.array(row.tensor).T)
    assert all(0 < factor < 1 for factor in row.correlation if factor is not None)
    assert None not in row.correlation


def test_a_pair_of_sites_and_a_cold_crystal_have_no_diffusion_and_a_reason() -> None:
    pair = result(two_sites().only(np.arange(2)), [(0.3, 0.2)])
    assert (pair.dimension, pair.rows, pair.levels) == (0, [], pytest.approx([0, 0.1]))
    assert pair.notes == ["no D: no chain of hops connects a site with its own images"]
    cold = result(by_axis(), [(0.3, 0.3)] * 3, temperatures=[1.0])
    assert cold.notes == ["no D: temperature: 1 K is too low for a rate; allowed: higher"]


def test_fractions_out_of_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="fraction: 1; allowed: above 0, below 1"):
        result(by_axis(), [(0.2, 0.2)] * 3, fraction=1.0)


def test_a_graph_holds_every_jump() -> None:
    jumps = supercell(neighbours(CUBE, [[0, 0, 0], [0.5, 0.5, 0.5]], 0.9), (2, 1, 1))
    heights = np.full(len(jumps.first), 0.3)
    heights[0] = NAN
    graph = as_graph(jumps, heights, {0: "hop"})
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (4, 32)
    edges = list(graph.edges(data=True))
    assert sum("barrier" in data for _, _, data in edges) == 31
    assert edges[0][2]["length"] == pytest.approx(3**0.5 / 2)
    assert {data["hop"] for _, _, data in edges} == {"hop"}
    assert all(graph.degree(site) == 16 for site in graph)
