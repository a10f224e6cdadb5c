"""Diffusion tensors and correlation factors against lattices that are solved exactly."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from periodic_networks import LATTICES, shuffled, supercell
from scipy.spatial.transform import Rotation

from barriers.analysis.correlation import Correlation, correlation_factor, tracer_diffusion
from barriers.analysis.diffusion import activation, conductivity, vacancy_diffusion
from barriers.analysis.kinetics import diffusivity
from barriers.analysis.network import Jumps
from barriers.analysis.reduction import reduced
from barriers.analysis.translations import lattice_basis, shortened

SEEDS = st.integers(0, 2**32 - 1)


def diffusion(jumps: Jumps, rates: np.ndarray) -> np.ndarray:
    return vacancy_diffusion(jumps.first, jumps.last, jumps.vectors, rates)


def correlated(jumps: Jumps, fluxes: np.ndarray) -> Correlation:
    return correlation_factor(jumps.first, jumps.last, jumps.images, jumps.lattice, fluxes)


def in_detailed_balance(jumps: Jumps, seed: int, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Random rates, and the flux of each jump, by random energies of sites and saddles in units of k_B T."""
    random = np.random.default_rng(seed)
    sites = random.normal(0, spread, jumps.sites)
    saddles: dict[tuple, float] = {}
    heights = []
    for first, last, image in zip(jumps.first.tolist(), jumps.last.tolist(), jumps.images.tolist(), strict=True):
        one = min((first, last, tuple(image)), (last, first, tuple(-value for value in image)))
        heights.append(saddles.setdefault(one, abs(random.normal(0, spread))))
    return np.exp(sites[jumps.first] - heights), np.exp(-np.array(heights))


@pytest.mark.parametrize(
    ("name", "directions", "dimensions"),
    [("simple cubic", 6, 3), ("triangular", 6, 2), ("chain", 2, 1), ("fcc", 12, 3)],
)
def test_equal_jumps_make_the_random_walk(name: str, directions: int, dimensions: int) -> None:
    jumps = LATTICES[name]
    found = diffusion(jumps, np.full(len(jumps.first), 7.0))
    length = float(np.linalg.norm(jumps.vectors[0]))
    assert np.trace(found) * 1e-16 / dimensions == pytest.approx(diffusivity(7.0, length, directions, dimensions))
    assert np.linalg.matrix_rank(found) == dimensions


def test_a_chain_of_two_rates_diffuses_by_their_harmonic_mean() -> None:
    first, last, vectors = [0, 1, 1, 0], [1, 0, 0, 1], [[0.4], [-0.4], [0.6], [-0.6]]
    found = vacancy_diffusion(first, last, vectors, [2.0, 2.0, 5.0, 5.0])
    assert found[0, 0] == pytest.approx(2 * 5 / (2 + 5) / 2)  # a² w₁ w₂ / 2 (w₁ + w₂), the cell a is 1


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_traps_slow_a_walk_by_the_mean_time_in_them(seed: int) -> None:
    jumps = supercell(LATTICES["simple cubic"], (2, 3, 2))
    leaving = np.exp(np.random.default_rng(seed).normal(0, 3, jumps.sites))
    # Random traps: all jumps from a site have its rate. D = a² / <1/Γ> (Haus and Kehr, Phys. Rep. 150, 263 (1987)).
    assert diffusion(jumps, leaving[jumps.first]) == pytest.approx(
        np.eye(3) / np.mean(1 / leaving), rel=1e-9, abs=1e-12
    )


def test_a_bias_around_the_crystal_is_a_drift_and_does_not_count() -> None:
    # Two sites half a cell apart, 3 forward and 1 back: D = (p + q) a² / 2 for the step a = 1/2.
    first, last, vectors = [0, 1, 1, 0], [1, 0, 0, 1], [[0.4], [-0.4], [0.6], [-0.6]]
    assert vacancy_diffusion(first, last, vectors, [3.0, 1.0, 3.0, 1.0])[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("slow", [1.0, 1e-10, 1e-25])
def test_fast_jumps_in_a_cage_do_not_hide_slow_ones_between_cages(slow: float) -> None:
    first, last = [2, 0, 0, 1, 1, 2, 2, 0], [0, 2, 1, 0, 2, 1, 0, 2]
    one = np.array([[0.9, -0.4], [0.21, 0.1], [-0.13, 0.3], [-0.08, -0.4]])
    vectors = np.stack([one, -one], axis=1).reshape(-1, 2)
    rates = np.repeat([slow, 7e2, 3e2, 1.1e3], 2)
    found = vacancy_diffusion(first, last, vectors, rates)
    inside = 1 / (1.1e3 + 1 / (1 / 7e2 + 1 / 3e2))  # resistance of the triangle between two of its corners
    assert found[0, 0] == pytest.approx(0.98**2 / 3 / (1 / slow + inside), rel=1e-9, abs=0)
    assert found[1, 1] == found[0, 1] == 0


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_cell_numbering_and_axes_change_nothing(seed: int) -> None:
    jumps = supercell(LATTICES["honeycomb"], (2, 1, 1))
    rates = in_detailed_balance(jumps, seed)[0]
    of = {
        (f, la, *np.round(v, 6)): r for f, la, v, r in zip(jumps.first, jumps.last, jumps.vectors, rates, strict=True)
    }
    large = supercell(jumps, (1, 3, 1))
    again = [
        of[(f % jumps.sites, la % jumps.sites, *np.round(v, 6))]
        for f, la, v in zip(large.first, large.last, large.vectors, strict=True)
    ]
    found = diffusion(jumps, rates)
    assert found == pytest.approx(found.T)
    assert diffusion(large, np.array(again)) == pytest.approx(found, rel=1e-9, abs=1e-12)
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    turned = vacancy_diffusion(jumps.first, jumps.last, jumps.vectors @ turn.T, rates)
    assert turned == pytest.approx(turn @ found @ turn.T, rel=1e-9, abs=1e-12)
    order = np.random.default_rng(seed).permutation(jumps.sites)
    assert vacancy_diffusion(order[jumps.first], order[jumps.last], jumps.vectors, rates) == pytest.approx(found)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_time_reversed_a_walk_diffuses_alike(seed: int) -> None:
    jumps = LATTICES["hcp"]
    rates = np.random.default_rng(seed).uniform(0.1, 3, len(jumps.first))  # without detailed balance, with a drift
    forward = diffusion(jumps, rates)
    assert np.linalg.eigvalsh(forward).min() > 0
    out = np.zeros((2, 2))
    np.add.at(out, (jumps.first, jumps.last), rates)
    occupied = np.array([out[1, 0], out[0, 1]])
    backward = vacancy_diffusion(
        jumps.last, jumps.first, -jumps.vectors, occupied[jumps.first] / occupied[jumps.last] * rates
    )
    assert backward == pytest.approx(forward, rel=1e-9)


def test_a_simulated_walk_agrees() -> None:
    jumps = LATTICES["honeycomb"]
    random = np.random.default_rng(3)
    rates = random.uniform(0.2, 2.0, len(jumps.first))  # without detailed balance
    out = [np.flatnonzero(jumps.first == site) for site in range(jumps.sites)]
    walkers, until = 4000, 150.0
    site, time, place = np.zeros(walkers, int), np.zeros(walkers), np.zeros((walkers, 3))
    going = np.arange(walkers)
    while going.size:
        chosen = np.empty(going.size, int)
        for number, jumps_out in enumerate(out):
            here = site[going] == number
            chosen[here] = random.choice(jumps_out, here.sum(), p=rates[jumps_out] / rates[jumps_out].sum())
        leaving = np.array([rates[jumps_out].sum() for jumps_out in out])[site[going]]
        time[going] += random.exponential(1 / leaving)
        still = time[going] < until
        going, chosen = going[still], chosen[still]
        place[going] += jumps.vectors[chosen]
        site[going] = jumps.last[chosen]
    assert np.cov(place.T)[:2, :2] / (2 * until) == pytest.approx(diffusion(jumps, rates)[:2, :2], abs=0.02)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("chain", 0.0),
        ("honeycomb", 1 / 3),
        ("square", 1 / (np.pi - 1)),
        ("triangular", 0.56006),
        ("diamond", 0.5),
        ("simple cubic", 0.65311),
        ("bcc", 0.72719),
        ("fcc", 0.78145),
    ],
)
def test_correlation_factors_are_those_of_the_literature(name: str, factor: float) -> None:
    # Mehrer, Diffusion in Solids (Springer, 2007), chapter 7; of the square lattice 1 / (π − 1)
    jumps = LATTICES[name]
    found = correlated(jumps, np.ones(len(jumps.first)))
    moving = np.diag(np.diag(diffusion(jumps, np.ones(len(jumps.first)))) > 1e-9)
    assert found.tensor == pytest.approx(factor * moving, abs=2e-5)
    assert np.abs(found.change).max() < 1e-5


def test_the_factor_of_a_hexagonal_close_packing_depends_a_little_on_the_direction() -> None:
    jumps = LATTICES["hcp"]
    found = correlated(jumps, np.ones(len(jumps.first))).tensor
    assert found == pytest.approx(np.diag([0.78121, 0.78121, 0.78145]), abs=2e-5)


def with_a_tracer(jumps: Jumps, rates: np.ndarray, box: np.ndarray) -> np.ndarray:
    """N − 1 times the diffusion tensor of one marked ion in a supercell with one vacancy, by its master equation."""
    places = [(*cell, site) for cell in product(*map(range, box)) for site in range(jumps.sites)]
    number = {pair: at for at, pair in enumerate((v, t) for v in places for t in places if v != t)}
    first, last, moved, often = [], [], [], []
    for (vacancy, tracer), state in number.items():
        for jump in np.flatnonzero(jumps.first == vacancy[3]):
            goal = (*((np.array(vacancy[:3]) + jumps.images[jump]) % box).tolist(), int(jumps.last[jump]))
            met = goal == tracer
            first.append(state)
            last.append(number[goal, vacancy if met else tracer])
            moved.append(-jumps.vectors[jump] if met else np.zeros(3))
            often.append(rates[jump])
    return (len(places) - 1) * vacancy_diffusion(first, last, moved, often)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("name", "box"), [("honeycomb", (2, 3, 1)), ("ladder", (1, 6, 1)), ("square", (3, 4, 1))])
def test_a_marked_ion_in_the_same_supercell_diffuses_alike(name: str, box: tuple[int, int, int], seed: int) -> None:
    jumps = LATTICES[name]
    rates, fluxes = in_detailed_balance(jumps, seed)
    occupied = np.zeros(jumps.sites)
    occupied[jumps.first] = fluxes / rates
    periodic = np.array(box) > 1
    found = tracer_diffusion(
        jumps.sites, jumps.first, jumps.last, jumps.images[:, periodic], fluxes, np.array(box)[periodic]
    )
    cell = jumps.lattice[periodic]
    expected = with_a_tracer(jumps, rates, np.array(box))
    assert cell.T @ found @ cell / occupied.sum() == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_dead_end_keeps_its_ion_and_the_others_go_on_as_before() -> None:
    square = LATTICES["square"]
    first, last = np.append(square.first, [0, 1]), np.append(square.last, [1, 0])
    images = np.vstack([square.images, np.zeros((2, 3), int)])
    found = correlation_factor(first, last, images, square.lattice, np.full(6, 2.0))
    assert found.tensor == pytest.approx(np.diag([1, 1, 0]) / (np.pi - 1), abs=1e-4)


def test_much_faster_jumps_have_the_factor_of_the_limit() -> None:
    jumps = LATTICES["diamond"]
    fast = np.abs(jumps.vectors @ [1, 1, 1]) > 0.7
    less, more = (correlated(jumps, np.where(fast, ratio, 1.0)).tensor for ratio in (1e5, 1e14))
    assert more == pytest.approx(less, abs=1e-4)


def test_a_basis_is_made_short_and_spans_the_same_lattice() -> None:
    basis = lattice_basis(np.array([[7, 1, 0], [1, 0, 0], [5, 3, 1], [12, 4, 1]]))
    assert abs(round(float(np.linalg.det(basis)))) == 1
    assert np.abs(shortened(basis, np.eye(3))).sum() == 3
    assert lattice_basis(np.array([[2, 4, 0], [3, 6, 0]])).tolist() in ([[1, 2, 0]], [[-1, -2, 0]])
    skewed = np.array([[1, 0, 0], [7, 1, 0], [5, 3, 1.0]])
    assert np.linalg.norm(shortened(np.eye(3, dtype=int), skewed) @ skewed, axis=1) == pytest.approx(np.ones(3))


def test_a_skewed_cell_gives_the_same_factor() -> None:
    jumps, skew = LATTICES["simple cubic"], np.array([[1, 0, 0], [7, 1, 0], [5, 3, 1]])
    images = np.rint(jumps.images @ np.linalg.inv(skew)).astype(int)
    found = correlation_factor(jumps.first, jumps.last, images, skew @ jumps.lattice, np.ones(6))
    assert found.tensor == pytest.approx(0.65311 * np.eye(3), abs=2e-5)


def test_sites_that_are_a_little_off_are_not_taken_for_others() -> None:
    jumps = supercell(LATTICES["simple cubic"], (2, 2, 24))
    off = np.zeros((jumps.sites, 3))
    off[0] = 0.045  # more than half of a cell divided by the number of sites
    vectors = 3 * jumps.vectors + off[jumps.last] - off[jumps.first]
    small = reduced(Jumps(**{**vars(jumps), "lattice": 3 * jumps.lattice, "vectors": vectors}))[0]
    assert correlated(small, np.ones(len(small.first))).tensor == pytest.approx(0.65311 * np.eye(3), abs=1e-3)


@given(SEEDS)
@settings(max_examples=5, deadline=None)
def test_the_factor_does_not_depend_on_cell_and_numbering(seed: int) -> None:
    jumps = LATTICES["honeycomb"]
    large = shuffled(supercell(jumps, (2, 3, 2)), seed)
    assert correlated(large, np.ones(len(large.first))).tensor == pytest.approx(np.diag([1 / 3, 1 / 3, 0]), abs=1e-5)


@pytest.mark.parametrize(("name", "times"), [("diamond", (3, 4, 2)), ("hcp", (4, 3, 2)), ("chain", (3, 4, 2))])
def test_a_supercell_is_reduced_to_its_primitive_cell(name: str, times: tuple[int, int, int]) -> None:
    jumps = LATTICES[name]
    large = shuffled(supercell(jumps, times), 1)
    small, sites, kept, copies = reduced(large)
    assert (small.sites, len(small.first)) == (jumps.sites, len(jumps.first))
    assert copies.sum() == large.sites
    assert (large.first[kept] == sites[small.first]).all()
    ones = np.ones(len(small.first))
    assert diffusion(small, ones) == pytest.approx(diffusion(jumps, ones))
    assert correlated(small, ones).tensor == pytest.approx(correlated(jumps, ones).tensor, abs=1e-5)


def test_carriers_of_parts_that_are_not_connected_need_weights() -> None:
    first, last, vectors, rates = [0, 0, 1, 1], [0, 0, 1, 1], [[1.0, 0], [-1, 0], [0, 1], [0, -1]], [1.0, 1, 5, 5]
    with pytest.raises(ValueError, match="2 parts of the network are not connected"):
        vacancy_diffusion(first, last, vectors, rates)
    assert vacancy_diffusion(first, last, vectors, rates, [3, 1]) == pytest.approx(np.diag([0.75, 1.25]))
    with pytest.raises(ValueError, match="jumps both ways"):
        vacancy_diffusion([0, 1], [1, 1], [[1.0], [0]], [1.0, 1])
    with pytest.raises(ValueError, match="allowed: above 0"):
        vacancy_diffusion([0, 0], [0, 0], [[1.0], [-1]], [1.0, 0])


def test_conductivity_and_activation_are_those_calculated_by_hand() -> None:
    # 1e22 /cm³ · (1.602177e-19 C)² · 1e-8 cm²/s / (1.380649e-23 J/K · 300 K)
    assert float(conductivity(1e-8, 0.01, 1, 300.0)) == pytest.approx(6.1975e-4, rel=1e-4)
    assert float(conductivity(1e-8, 0.01, 2, 300.0)) == pytest.approx(4 * 6.1975e-4, rel=1e-4)
    line = activation([300.0, 400.0], [3e-3 * np.exp(-0.3 / (8.617333e-5 * t)) for t in (300, 400)])
    assert line is not None
    assert (line.energy, line.prefactor) == pytest.approx((0.3, 3e-3), rel=1e-6)
    assert activation([300.0, 400.0], [1.0, 0.0]) is None
