"""Transport read off trajectories whose answer is known: exponents, D or none, shells, pairing, who carries whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from scipy.spatial.transform import Rotation
from trajectories import BESIDE, SIDE, box, chains, fractional, grid, matrix, trapped, walk

from barriers.analysis.trajectory.bonding import bonds_by_distance, molecules_of
from barriers.analysis.trajectory.contacts import residence
from barriers.analysis.trajectory.displacement import collective, lags, shared, squared, van_hove
from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.frames import Trajectory, centres, unwrapped
from barriers.analysis.trajectory.kinds import kinds
from barriers.analysis.trajectory.regime import RegimeDoc, duration, grouped, regime
from barriers.analysis.trajectory.result import transport
from barriers.analysis.trajectory.shells import shell


def judged(paths: np.ndarray, step: float = 1.0, families: np.ndarray | None = None) -> RegimeDoc:
    at, groups, boxes = grouped([paths], None if families is None else [families])
    return regime(at * step, groups, boxes)


def test_displacements_are_those_of_all_pairs_of_frames() -> None:
    one, other = walk(1, 40, 3, 0.5), walk(2, 40, 3, 0.7)
    at = np.array([1, 7, 39])
    by_hand = [
        np.mean([((one[t + k] - one[t]) * (other[t + k] - other[t])).sum(-1) for t in range(40 - k)], 0) for k in at
    ]
    np.testing.assert_allclose(shared(one, other, at), by_hand, atol=1e-10)
    far = one + 1e5  # far from the origin nothing is lost
    np.testing.assert_allclose(squared(far, at), squared(one, at), rtol=1e-6)


def test_a_random_walk_has_its_d_within_the_errors_that_are_given() -> None:
    found = [judged(walk(seed, 600, 40, 1.0), step=2.0) for seed in range(40)]
    with_d = [each for each in found if each.diffusivity is not None]
    values = np.array([each.diffusivity for each in with_d])
    pulls = (values - 0.25e-4) / np.array([each.diffusivity_error for each in with_d])
    assert len(with_d) > 35
    assert values.mean() == pytest.approx(0.25e-4, rel=0.05)
    assert abs(np.mean(pulls)) < 0.7
    assert 0.7 < np.std(pulls) < 1.5
    exponents = np.array([(each.alpha - 1) / each.alpha_error for each in found])  # type: ignore[operator]
    assert 0.7 < np.std(exponents) < 1.5


def test_few_ions_have_errors_from_blocks_in_time() -> None:
    pulls = []
    for seed in range(60):
        found = judged(walk(seed, 4000, 4, 1.0))
        if found.diffusivity is not None and found.diffusivity_error is not None:
            pulls.append((found.diffusivity - 0.5e-4) / found.diffusivity_error)
    assert len(pulls) > 20
    assert np.std(pulls) < 2.0  # of five blocks


def test_atoms_of_one_chain_count_once() -> None:
    centres = walk(3, 400, 20, 1.0)
    together = np.repeat(centres, 30, axis=1)
    alone, chained = judged(centres), judged(together, families=np.repeat(np.arange(20), 30))
    assert chained.alpha_error == pytest.approx(alone.alpha_error, rel=1e-6)


@pytest.mark.parametrize(
    ("paths", "alpha", "said"),
    [
        (trapped(0, 1000, 30), 0.0, "bound, no D"),
        (np.arange(500.0)[:, None, None] * np.random.default_rng(1).normal(size=(1, 30, 3)), 2.0, "ballistic"),
        (5 * fractional(0, 1000, 30, 0.25), 0.5, "sub-diffusive, no D"),
        (5 * fractional(1, 1000, 30, 0.35), 0.7, "sub-diffusive, no D"),
    ],
)
def test_what_does_not_diffuse_has_no_d_and_words(paths: np.ndarray, alpha: float, said: str) -> None:
    found = judged(paths)
    assert found.alpha == pytest.approx(alpha, abs=0.1)
    assert found.diffusivity is None
    assert found.reason is not None
    assert found.reason.startswith(said)
    if alpha:
        assert "needed: at least" in found.reason
        assert found.needed is not None and found.needed >= 20 * found.end
    else:
        assert found.needed is None


def test_what_went_not_far_enough_is_told_how_long_it_would_take() -> None:
    found = judged(walk(0, 1000, 60, 0.05))  # 25 Å² = 3 · 0.05² · t after 3333 ps, and lags end at half of a run
    assert found.reason is not None
    assert found.reason.startswith("not far enough")
    assert found.needed == pytest.approx(6667, rel=0.3)
    assert judged(walk(0, 1000, 60, 0.5)).diffusivity is not None


def test_a_crossover_within_the_decade_is_no_diffusion() -> None:
    slow = 0.35 * fractional(4, 1000, 200, 0.25) * 4
    late = walk(5, 1000, 200, 0.25)
    found = judged(slow + late)
    assert found.diffusivity is None
    assert found.reason is not None
    assert "sub-diffusive" in found.reason or "α goes from" in found.reason


def test_times_are_written_in_their_units() -> None:
    assert [duration(t) for t in (20, 3200, 1.5e6, 345.6e3)] == ["20 ps", "3.2 ns", "1.5 µs", "346 ns"]


def everything(document: TransportDoc) -> list[float]:
    """Numbers that may not depend on how a trajectory is written."""
    motions = [value for motion in document.motions for value in (*motion.msd, motion.regime.alpha)]
    shells = [value for each in document.shells for value in (each.cutoff or 0.0, each.number or 0.0)]
    partners = [value for each in document.mechanism.partners for value in (each.share, each.kept)]
    pairs = document.pairing
    assert pairs is not None
    return [*motions, *shells, *partners, pairs.free, pairs.pair, document.matrix.density]  # type: ignore[list-item]


def rewrapped(made: Trajectory) -> Trajectory:
    images = np.random.default_rng(9).integers(-2, 3, made.positions.shape)
    return replace(made, positions=made.positions + images * SIDE)


def reordered(made: Trajectory) -> Trajectory:
    order = np.random.default_rng(8).permutation(len(made.species))
    new = np.argsort(order)
    return replace(
        made,
        positions=made.positions[:, order],
        species=tuple(made.species[atom] for atom in order),
        bonds=new[made.bonds],
        molecules=made.molecules[order],
    )


def turned(made: Trajectory) -> Trajectory:
    turn = Rotation.random(random_state=7).as_matrix()
    return replace(made, positions=made.positions @ turn.T, cells=made.cells @ turn.T)


def skewed(made: Trajectory) -> Trajectory:
    """The same lattice by other vectors."""
    cells = made.cells.copy()
    cells[:, 1] += cells[:, 0]
    return replace(made, cells=cells)


def later(made: Trajectory) -> Trajectory:
    return replace(made, times=made.times + 1e4)


@pytest.mark.parametrize("change", [rewrapped, reordered, turned, skewed, later])
def test_the_answer_does_not_depend_on_how_it_is_written(change: Callable[[Trajectory], Trajectory]) -> None:
    made = matrix(carrier="anions", frames=120)
    np.testing.assert_allclose(
        everything(transport([change(made)])), everything(transport([made])), rtol=1e-6, atol=1e-6
    )


def test_the_drift_of_the_box_is_taken_off() -> None:
    made = matrix(frames=120)
    moving = replace(made, positions=made.positions + np.arange(120)[:, None, None] * np.array([0.5, 0.0, 0.0]))
    paths, drift = unwrapped(moving)
    assert drift > 50
    np.testing.assert_allclose(paths - paths[0], unwrapped(made)[0] - unwrapped(made)[0][0], atol=1e-8)


def test_a_molecule_across_the_border_moves_as_one() -> None:
    made = box(np.repeat(walk(1, 30, 1, 0.5), 2, axis=1) + np.array([[0.0], [1.0]]), ("C", "O"), [(0, 1)])
    paths = made.positions.copy()
    moved = centres(unwrapped(replace(made, positions=paths))[0], made.masses, made.molecules)
    np.testing.assert_allclose(moved, 0.0, atol=1e-8)  # it is all there is: its own centre of mass


def test_two_kinds_in_one_box_keep_their_own_d() -> None:
    paths, species, bonds = chains(np.tile(grid(3), (800, 1, 1)))
    ions = np.concatenate([walk(1, 800, 40, 0.6), walk(2, 800, 40, 0.3)], axis=1)
    made = box(np.concatenate([paths, ions], axis=1), species + ("Li",) * 40 + ("Cl",) * 40, bonds)
    document = transport([made], temperature=400.0)
    for name, expected in (("Li", 0.18e-4), ("Cl⁻", 0.045e-4)):
        found = document.motion(name)
        assert found is not None
        assert found.count == 40
        value, error = found.regime.diffusivity, found.regime.diffusivity_error
        assert value is not None and error is not None
        assert abs(value - expected) < 3 * error
    assert document.conductivity is not None
    assert document.conductivity.transference == pytest.approx(0.8, abs=0.08)


def test_pairs_that_move_together_carry_no_current() -> None:
    document = transport([matrix(carrier="anions")], temperature=400.0)
    found = document.conductivity
    assert found is not None and found.nernst_einstein is not None and found.collective is not None
    assert found.nernst_einstein > 5 * (found.nernst_einstein_error or 0.0) > 0
    assert abs(found.collective) < 1e-3 * found.nernst_einstein
    assert found.transference_collective is None


def test_the_conductivity_of_free_ions_is_that_of_nernst_and_einstein() -> None:
    """σ = 2 n e² D / kT: 80 ions of D = 1.8e-5 cm²/s in 64 nm³ at 400 K; n = 1.25e21 / cm³ gives 0.104 S/cm."""
    found = []
    for seed in range(4):
        paths, species, bonds = chains(np.tile(grid(2), (800, 1, 1)))
        ions = walk(seed, 800, 80, 0.6)
        made = box(np.concatenate([paths, ions], axis=1), species + ("Li",) * 40 + ("Cl",) * 40, bonds)
        document = transport([made], temperature=400.0).conductivity
        assert document is not None
        found.append(document)
    expected = 1.25e21 * 1.602176634e-19**2 * 1.8e-5 / (1.380649e-23 * 400.0)
    assert expected == pytest.approx(0.1046, rel=1e-3)
    assert np.mean([each.nernst_einstein for each in found]) == pytest.approx(expected, rel=0.1)  # type: ignore[arg-type]
    values = [each.collective for each in found]
    error = np.sqrt(np.sum([(each.collective_error or 0.0) ** 2 for each in found])) / 4
    assert abs(np.mean(values) - expected) < 3 * error  # type: ignore[arg-type]


def test_collective_displacement_of_one_particle_is_its_own() -> None:
    paths = walk(4, 200, 1, 1.0)
    at = lags(200)
    np.testing.assert_allclose(collective(paths, np.array([2.0]), at), 4 * squared(paths, at)[:, 0])


def test_an_ideal_gas_has_no_shells() -> None:
    paths = np.random.default_rng(0).uniform(0, 20, (40, 400, 3))
    made = box(paths, ("Li",) * 100 + ("Cl",) * 300, side=20.0)
    found = shell([(made, np.arange(100), np.arange(100, 400))], "Cl")
    assert found.cutoff is None and found.number is None
    far = np.array(found.g)[np.array(found.r) > 1.0]
    assert far.mean() == pytest.approx(1.0, abs=0.01)
    own = shell([(made, np.arange(100), np.arange(100))], "Li")  # no atom is its own neighbour
    assert np.array(own.g)[np.array(own.r) > 1.0].mean() == pytest.approx(1.0, abs=0.01)
    assert own.g[0] == 0.0


@pytest.mark.parametrize(("structure", "number"), [("rocksalt", 6), ("zincblende", 4), ("cesiumchloride", 8)])
def test_the_coordination_of_a_crystal_is_exact_in_its_smallest_cell(structure: str, number: int) -> None:
    lattice = {"rocksalt": 4.02, "zincblende": 4.4, "cesiumchloride": 2.5}[structure]
    atoms = bulk("LiF", structure, a=lattice)
    noise = np.random.default_rng(1).normal(0, 0.03, (30, 2, 3))
    made = Trajectory(
        atoms.positions + noise, np.tile(atoms.cell.array, (30, 1, 1)), np.arange(30.0), ("Li", "F"),
        np.empty((0, 2), dtype=int), np.array([0, 1]),
    )  # fmt: skip
    found = shell([(made, np.array([0]), np.array([1]))], "F")
    assert found.number == pytest.approx(number, abs=1e-9)
    assert found.peak == pytest.approx(atoms.get_distance(0, 1, mic=True), abs=0.08)


@pytest.mark.parametrize(
    ("carrier", "said"),
    [("chains", "mostly with chains"), ("anions", "mostly with F⁻"), ("hops", "hopping from partner to partner")],
)
def test_who_carries_the_ion_is_told(carrier: str, said: str) -> None:
    document = transport([matrix(carrier=carrier)])
    assert said in document.mechanism.sentence
    stays = {each.partner: each for each in document.residences}
    if carrier == "hops":
        assert stays["chains"].bound == "exact"
        assert stays["chains"].time == pytest.approx(-1 / np.log(0.6), abs=0.8)  # two of five steps are jumps
    else:
        assert stays["chains" if carrier == "chains" else "F⁻"].bound == "at least"


def test_an_ion_that_stays_has_no_mechanism() -> None:
    document = transport([matrix(carrier="chains", chain_step=0.01, frames=100)])
    assert "no mechanism can be told" in document.mechanism.sentence


def test_ions_are_sorted_by_their_anions() -> None:
    """Of 6 Li: two free, one with an anion of its own, two at one anion, one with two anions."""
    ions = np.array([[5, 5, 5], [5, 5, 15], [15, 5, 5], [25, 5, 5], [29, 5, 5], [15, 25, 25]], dtype=float)
    anions = np.array([[15, 5, 7], [27, 5, 5], [15, 25, 27], [15, 25, 23]], dtype=float)
    noise = np.random.default_rng(0).normal(0, 0.02, (40, 10, 3))
    made = box(np.concatenate([ions, anions]) + noise, ("Li",) * 6 + ("F",) * 4)
    found = transport([made]).pairing
    assert found is not None
    assert (found.free, found.pair, found.aggregate) == pytest.approx((2 / 6, 1 / 6, 3 / 6))


def test_the_time_of_a_contact_is_that_of_its_making() -> None:
    """Contacts that end with a chance of 1/20 a frame, and are made with any of five."""
    random = np.random.default_rng(0)
    partner = np.zeros((3000, 40), dtype=int)
    for frame in range(1, 3000):
        leaving = random.random(40) < 0.05
        partner[frame] = np.where(leaving, random.integers(0, 5, 40), partner[frame - 1])
    touch = partner[:, :, None] == np.arange(5)
    found = residence("x", [touch], 2.0)
    assert found is not None
    assert found.bound == "exact"
    assert found.time == pytest.approx(-2 / np.log(0.95), rel=0.1)


def test_van_hove_of_a_walk_is_gaussian_and_that_of_hops_is_not() -> None:
    _, density, alpha2 = van_hove(walk(0, 500, 50, 1.0), 10)
    assert density.sum() * 0.25 == pytest.approx(1.0)
    assert abs(alpha2) < 0.1
    jumps = np.where(np.random.default_rng(0).random((500, 50, 1)) < 0.02, 5.0, 0.0) * [1.0, 0, 0]
    assert van_hove(np.cumsum(jumps, axis=0), 10)[2] > 1


def test_molecules_are_found_by_distance_and_their_backbone_with_them() -> None:
    """Nine chains beside each other, each across a border, with an ion at the oxygen of each."""
    places = np.array([place for place in grid(3, 100.0) if place[0] == 0])
    paths, species, bonds = chains(np.tile(places, (20, 1, 1)))
    made = box(
        np.concatenate([paths, np.tile(places + BESIDE, (20, 1, 1))], axis=1), species + ("Li",) * 9, bonds, 100.0
    )
    found = bonds_by_distance(made.positions[0], made.cell, made.species)
    assert found.tolist() == sorted(made.bonds.tolist())
    assert len(set(molecules_of(found, len(made.species)).tolist())) == 9 * 2
    sorted_out = kinds(made, "Li")
    assert (len(sorted_out.ions), len(sorted_out.chains), len(sorted_out.backbone)) == (9, 9, 9 * 50)


def test_a_branch_is_no_backbone() -> None:
    """A line of 45 carbons with hydrogen on each and a carbon at its middle."""
    line = [(atom, atom + 1) for atom in range(44)]
    made = box(
        np.zeros((20, 92, 3)), ("C",) * 46 + ("H",) * 45 + ("Li",), [*line, (22, 45), *((i, 46 + i) for i in range(45))]
    )
    assert kinds(made, "Li").backbone.tolist() == list(range(45))


def refused(**change: object) -> str:
    made = matrix(frames=30)
    with pytest.raises(ValueError) as stopped:
        unwrapped(replace(made, **change))  # type: ignore[arg-type]
    assert "\n" not in str(stopped.value)
    return str(stopped.value)


def test_what_is_no_trajectory_at_fixed_volume_is_refused_in_words() -> None:
    made = matrix(frames=30)
    breathing = made.cells * (1 + 1e-3 * np.sin(np.arange(30)))[:, None, None]
    assert "NPT" in refused(cells=breathing)
    assert "evenly spaced" in refused(times=np.concatenate([made.times[:15], made.times[14:29]]))
    assert "no element" in refused(species=("C1", *made.species[1:]))
    assert "no cell" in refused(cells=np.zeros_like(made.cells))
    apart = made.positions + 18.0 * np.random.default_rng(0).normal(size=made.positions.shape)
    assert "written more often" in refused(positions=apart)
    unwrapped(replace(made, positions=apart, unwrapped=True))
    with pytest.raises(ValueError, match=r"10 frames; allowed: 20"):
        replace(made, positions=made.positions[:10])
    with pytest.raises(ValueError, match=r"ion: 'Na' is not in made up; allowed: Li"):
        transport([made], "Na")


def test_boxes_of_two_matrices_are_not_averaged() -> None:
    with pytest.raises(ValueError, match="independent boxes of one matrix"):
        transport([matrix(frames=30), box(walk(0, 30, 9, 0.3), ("Li",) * 9)])
    slower = box(walk(0, 30, 9, 0.3), ("Li",) * 9, step=2.0)
    with pytest.raises(ValueError, match="frames 2 ps apart"):
        transport([box(walk(0, 30, 9, 0.3), ("Li",) * 9), slower])


def test_boxes_that_differ_widen_the_error() -> None:
    """Three boxes of which one is five times faster: the spread of boxes counts."""
    document = transport(
        [box(walk(seed, 800, 40, step), ("Li",) * 40) for seed, step in ((1, 0.5), (2, 0.5), (3, 1.2))]
    )
    found = document.motions[0]
    assert found.regime.diffusivity_error is not None
    assert found.regime.diffusivity_error >= 0.99 * np.std(found.boxes, ddof=1) / np.sqrt(3)
    assert document.notes[-1].startswith("D is that of the periodic box")
