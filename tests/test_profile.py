import json
from dataclasses import asdict

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS
from ase.utils.forcecurve import fit_images
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from barriers.analysis.band import minimum_image_displacements, moment_jumps, problems
from barriers.analysis.curves import curves_of
from barriers.analysis.forces import largest_band_force
from barriers.analysis.profile import Profile, analyse

CELL = np.array([[6.0, 0.0, 0.0], [2.0, 6.5, 0.0], [-1.0, 1.5, 7.0]])
SEEDS = st.integers(0, 2**32 - 1)
NUMBERS = ("forward", "reverse", "span", "reaction_energy", "fit_spread", "saddle_distance", "path_length")

Band = tuple[np.ndarray, np.ndarray, np.ndarray]


def double_well(n: int, height: float = 0.5, tilt: float = 0.1, total: float = -1234.5) -> Band:
    """One atom in a curved double well, x from -1 to 1 Å, with neighbours on springs that give way.

    E(x, y, z, u) = height (x² - 1)² + tilt x + k/2 [(y - x²)² + z² + Σ|u - d (1 - x²)|²]. On the floor of the
    valley, y = x², z = 0, u = d (1 - x²), the springs are at rest: energy and forces are the double well's.
    """
    x = np.linspace(-1, 1, n)
    give = np.array([[0.3, 0.0, 0.1], [0.0, -0.2, 0.05]])
    sites = np.array([[3.0, 3.0, 3.0], [3.2, 1.0, 4.0], [3.1, 5.0, 2.5]])
    positions = np.tile(sites, (n, 1, 1))
    positions[:, 0] += np.stack([x, x**2, 0 * x], axis=1)
    positions[:, 1:] += (1 - x**2)[:, None, None] * give
    energies = total + height * (x**2 - 1) ** 2 + tilt * x
    forces = np.zeros_like(positions)
    forces[:, 0, 0] = -(4 * height * x * (x**2 - 1) + tilt)
    return positions, energies, forces


def exact_barriers(height: float, tilt: float) -> tuple[float, float]:
    x = max(
        np.roots([4 * height, 0, -4 * height, tilt]).real,
        key=lambda r: height * (r**2 - 1) ** 2 + tilt * r - 9 * (abs(r) > 0.9),
    )
    top = height * (x**2 - 1) ** 2 + tilt * x
    return top + tilt, top - tilt


def rough_band(seed: int) -> Band:
    """A band of no particular physics: what must hold holds for any energies and forces."""
    rng = np.random.default_rng(seed)
    positions, energies, forces = double_well(6)
    return (
        positions + rng.normal(0, 0.03, positions.shape),
        energies + rng.normal(0, 0.2, energies.shape),
        forces + rng.normal(0, 0.3, forces.shape),
    )


def assert_same(one: Profile, other: Profile) -> None:
    for name in NUMBERS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9), name
    assert one.curvature == pytest.approx(other.curvature, abs=1e-6)
    assert one.curve_energy == pytest.approx(other.curve_energy, abs=1e-9)
    assert one.fits == pytest.approx(other.fits, abs=1e-9)
    assert one.warnings == other.warnings


@given(st.floats(0.2, 1.0), st.floats(-0.15, 0.15))
@settings(max_examples=25, deadline=None)
def test_barriers_of_a_known_surface(height, tilt):
    positions, energies, forces = double_well(15, height, tilt)
    profile = analyse(positions, CELL, energies, forces)
    forward, reverse = exact_barriers(height, tilt)
    assert profile.forward == pytest.approx(forward, abs=2e-3)
    assert profile.reverse == pytest.approx(reverse, abs=2e-3)
    assert profile.reaction_energy == pytest.approx(2 * tilt, abs=1e-9)
    assert profile.fits["highest_image"] <= profile.forward + 1e-12
    assert profile.fit_spread < 0.02


def test_a_cubic_energy_on_a_straight_path_is_exact_and_its_saddle_lies_between_images():
    x = np.array([0.0, 0.9, 1.7, 3.0])
    energies = 7 + 0.3 * x**2 - 0.1 * x**3
    positions = np.zeros((4, 2, 3))
    positions[:, :, 0] = x[:, None]
    forces = np.zeros_like(positions)
    forces[:, 0, 0] = -(0.6 * x - 0.3 * x**2)
    profile = analyse(positions, np.eye(3) * 20, energies, forces)
    assert profile.distances == pytest.approx(np.sqrt(2) * x)
    assert profile.slopes == pytest.approx((0.6 * x - 0.3 * x**2) / np.sqrt(2))
    assert profile.saddle_distance == pytest.approx(2 * np.sqrt(2), abs=1e-9)
    assert profile.forward == pytest.approx(0.4, abs=1e-12)
    assert profile.fits["energies_only"] == pytest.approx(0.4, abs=1e-12)
    assert profile.fit_spread == pytest.approx(0.4 - max(0.3 * x**2 - 0.1 * x**3))


def test_the_curvature_at_a_saddle_is_the_slope_of_the_forces_along_the_path():
    # Forces that are a cubic of the way are met exactly, whichever images there are; energies of fourth order are not.
    x = np.array([-1.0, -0.55, -0.2, 0.15, 0.6, 1.0])
    positions, forces = np.zeros((6, 1, 3)), np.zeros((6, 1, 3))
    positions[:, 0, 0], forces[:, 0, 0] = x, -(2 * x * (x**2 - 1) + 0.1)
    profile = analyse(positions, np.eye(3) * 20, 0.5 * (x**2 - 1) ** 2 + 0.1 * x, forces)
    saddle = profile.saddle_distance - 1
    assert profile.curvature == pytest.approx(6 * saddle**2 - 2, abs=1e-9)
    assert profile.curvature == pytest.approx(-2, abs=0.03)


def test_the_tangent_bisects_the_segments_however_long_they_are():
    positions = np.array([[[0.0, 0, 0]], [[1.0, 0, 0]], [[2.0, np.sqrt(3), 0]]])
    force = np.tile([0.0, -1.0, 0.0], (3, 1, 1))
    profile = analyse(positions, np.eye(3) * 20, [0.0, 1.0, 0.0], force)
    assert profile.distances == pytest.approx([0.0, 1.0, 3.0])
    assert profile.slopes == pytest.approx([0.0, np.sin(np.radians(30)), np.sin(np.radians(60))])


def test_a_flat_band_has_no_barrier():
    profile = shaped([0.0, 0.0, 0.0, 0.0])
    assert (profile.forward, profile.reverse, profile.span) == (0.0, 0.0, 0.0)
    assert len(profile.warnings) == 2


def test_the_energies_of_three_images_are_a_parabola():
    # E = 1.75 s - 0.75 s² goes through the three.
    assert shaped([0.0, 1.0, 0.5]).fits["energies_only"] == pytest.approx(1.75**2 / 3)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_wrapping_atoms_by_lattice_vectors_changes_nothing(seed):
    positions, energies, forces = rough_band(seed)
    shifts = np.random.default_rng(seed).integers(-3, 4, positions.shape)
    assert_same(analyse(positions, CELL, energies, forces), analyse(positions + shifts @ CELL, CELL, energies, forces))


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_moving_turning_and_renumbering_the_whole_band_changes_nothing(seed):
    positions, energies, forces = rough_band(seed)
    rng = np.random.default_rng(seed)
    turn, order = Rotation.random(rng=rng).as_matrix(), rng.permutation(3)
    moved = (positions + rng.normal(0, 5, 3)) @ turn
    turned = analyse(moved[:, order], CELL @ turn, energies, (forces @ turn)[:, order])
    assert_same(analyse(positions, CELL, energies, forces), turned)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_reversal_swaps_forward_and_reverse(seed):
    positions, energies, forces = rough_band(seed)
    there = analyse(positions, CELL, energies, forces)
    back = analyse(positions[::-1], CELL, energies[::-1], forces[::-1])
    assert back.forward == pytest.approx(there.reverse, abs=1e-9)
    assert back.reverse == pytest.approx(there.forward, abs=1e-9)
    assert back.saddle_distance == pytest.approx(there.distances[-1] - there.saddle_distance, abs=1e-6)
    assert back.fit_spread == pytest.approx(there.fit_spread, abs=1e-9)
    assert back.curve_energy[::-1] == pytest.approx(np.subtract(there.curve_energy, there.reaction_energy), abs=1e-9)
    assert back.curvature == pytest.approx(there.curvature, abs=1e-4)


@given(SEEDS)
@settings(max_examples=40, deadline=None)
def test_span_is_the_largest_climb_and_never_less_than_forward(seed):
    profile = analyse(*_args(rough_band(seed)))
    drawn = np.array(profile.curve_energy)
    climbed = max(drawn[i:].max() - drawn[i] for i in range(len(drawn)))
    assert profile.span >= profile.forward
    assert climbed <= profile.span + 1e-12
    assert profile.span == pytest.approx(climbed, abs=5e-3)


def _args(band: Band) -> tuple[np.ndarray, ...]:
    return band[0], CELL, band[1], band[2]


def test_shortest_copies_in_a_strongly_skewed_cell():
    skewed = np.array([[10.0, 0, 0], [7.0, 3.0, 0], [0, 0, 20.0]])
    step = minimum_image_displacements([[[0, 0, 0]], [[-2.5, 0.9, 0]]], skewed)
    assert step[0, 0] == pytest.approx([0.5, -2.1, 0.0])
    free = minimum_image_displacements([[[0, 0, 0]], [[0, 0, 19.0]]], skewed, (True, True, False))
    assert free[0, 0] == pytest.approx([0, 0, 19.0])


def test_forces_on_frozen_atoms_do_not_count():
    positions, energies, forces = double_well(7)
    positions[:, 2] = positions[0, 2]
    positions[3, 2, 0] += 5e-4  # as a file with few digits has it
    pushed = forces.copy()
    pushed[:, 2] += 5.0
    assert_same(
        analyse(positions, CELL, energies, forces, frozen=[2]),
        analyse(positions, CELL, energies, pushed, frozen=[2]),
    )
    assert pushed[0, 2, 0] == 5.0 + forces[0, 2, 0]


def shaped(energies: list[float]) -> Profile:
    positions = np.zeros((len(energies), 1, 3))
    positions[:, 0, 0] = np.arange(len(energies))
    return analyse(positions, np.eye(3) * 30, energies, np.zeros_like(positions))


def test_a_minimum_below_an_end_gives_a_span_above_forward_and_says_so():
    profile = shaped([0.0, 0.01, -0.067, 0.028, 0.0])
    assert profile.forward == pytest.approx(0.028)
    assert profile.span == pytest.approx(0.095)
    assert profile.minima == [{"distance": pytest.approx(2.0), "energy": pytest.approx(-0.067)}]
    assert profile.warnings == [
        "an intermediate minimum at 2.00 Å lies 0.067 eV below the initial state: give the span (0.095 eV)",
        "an intermediate minimum at 2.00 Å lies 0.067 eV below the final state: give the span (0.095 eV)",
    ]


@pytest.mark.parametrize(
    ("energies", "saddle", "low"),
    [
        ([0.0, 0.5, 0.2, 0.4, 0.0], True, False),
        ([0.0, 0.5, -0.1, 0.4, 0.0], True, True),
        ([0.0, 0.5, 0.2, 0.6, 0.3], True, True),  # below the final state alone
        ([0.0, 0.5, -0.1, 0.4, -0.3], True, True),  # below the initial state alone
        ([0.0, 0.5, -0.004, 0.4, 0.0], True, False),
        ([0.0, 0.5, -0.006, 0.4, 0.0], True, True),
        ([0.0, 0.004, 0.002, -0.3], False, False),
        ([0.3, 0.302, 0.304, 0.0], False, False),
        ([0.0, 0.006, 0.003, -0.3], True, False),
        ([0.0, 0.3, 0.306, 0.3], True, False),
        ([0.0, 0.3, 0.304, 0.3], False, False),
    ],
)
def test_a_check_fails_where_a_warning_says_why_and_nowhere_else(energies, saddle, low):
    profile = shaped(energies)
    assert profile.checks == {
        "saddle between the endpoints": saddle,
        "no minimum below an endpoint": not low,
        "images close enough": True,
    }
    assert any("no saddle above" in line for line in profile.warnings) == (not saddle)
    assert any("an intermediate minimum" in line for line in profile.warnings) == low
    assert (profile.curvature is None) == (not saddle)


def test_a_minimum_above_both_ends_is_listed_without_warning():
    profile = shaped([0.0, 0.5, 0.2, 0.4, 0.0])
    assert profile.minima[0]["energy"] == pytest.approx(0.2)
    assert profile.span == profile.forward
    assert profile.warnings == []


@pytest.mark.parametrize(("sign", "end", "zero"), [(1, "final", "reverse"), (-1, "initial", "forward")])
def test_a_path_without_a_saddle_has_no_barrier_one_way_and_says_so(sign, end, zero):
    profile = shaped([0.0, sign * 0.1, sign * 0.2, sign * 0.3])
    assert getattr(profile, zero) == pytest.approx(0.0)
    assert profile.forward - profile.reverse == pytest.approx(sign * 0.3)
    assert profile.saddle_distance == {"initial": 0.0, "final": profile.distances[-1]}[end]
    assert profile.warnings == [f"no saddle above the {end} state: the {zero} barrier is 0.000 eV"]


def test_a_profile_is_ready_for_json():
    profile = analyse(*_args(double_well(7)))
    assert json.loads(json.dumps(asdict(profile), allow_nan=False)) == asdict(profile)


def broken(**changes) -> list[str]:
    positions, energies, forces = double_well(6)
    band = {"positions": positions, "cell": CELL, "energies": energies, "forces": forces} | changes
    found = problems(**band)
    with pytest.raises(ValueError) as error:
        analyse(**band)
    assert str(error.value) == found[0]
    return found


def test_a_band_with_values_missing_is_no_band():
    positions, energies, forces = double_well(6)
    assert problems(positions, CELL, energies, forces) == []
    assert broken(energies=[None, *energies[1:5], np.nan]) == [
        "image 0 (initial) has no finite energy",
        "image 5 (final) has no finite energy",
    ]
    assert broken(forces=[*forces[:3], None, *forces[4:]]) == ["image 3 has no finite forces"]
    lost = positions.copy()
    lost[2, 1, 0] = np.inf
    assert broken(positions=lost) == ["image 2 has no finite positions"]
    assert broken(cell=CELL * np.nan) == ["the cell is not finite"]


def test_a_band_of_unequal_parts_is_no_band():
    positions, energies, forces = double_well(6)
    assert "5 energies" in broken(energies=energies[:5])[0]
    assert broken(forces=[*forces[:4], forces[4][:2], forces[5]]) == [
        "image 4 has forces of shape (2, 3), expected (3, 3)"
    ]
    assert "2 images" in broken(positions=positions[::5], energies=energies[::5], forces=forces[::5])[0]
    assert "cell has shape" in broken(cell=np.ones(3))[0]


def test_repeated_and_turning_images_are_no_band():
    positions = double_well(6)[0]
    wrapped = positions[1] + CELL[0]
    assert broken(positions=[*positions[:2], wrapped, *positions[3:]])[0].startswith("images 1 and 2 are the same")
    swapped = positions[[0, 1, 3, 2, 4, 5]]
    assert [line[:30] for line in broken(positions=swapped)] == [
        "the path turns back at image 2",
        "the path turns back at image 3",
    ]


def test_frozen_atoms_stand_still():
    positions, energies, forces = double_well(6)
    assert problems(positions, CELL, energies, forces, frozen=[1])[0].startswith("frozen atom 1 moves 0.2")
    positions[:, 1] = positions[0, 1]
    positions[3, 1] += CELL[2]
    assert problems(positions, CELL, energies, forces, frozen=[1]) == []


def test_a_spin_flip_is_flagged_where_it_happens():
    calm = np.array([[1.0, 0.1, np.nan], [1.1, 0.1, np.nan], [1.2, 0.0, np.nan]])
    assert moment_jumps(None) == moment_jumps(calm) == []
    exchanged = calm.copy()
    exchanged[1:, :2] = exchanged[1:, 1::-1]
    (line,) = moment_jumps(exchanged)
    assert line.startswith("magnetic moments jump between images 0 and 1: atom 0 from 1.00 to 0.10 µB, atom 1")
    assert "total" not in line
    spread = [[0.0, 0.0, None], [0.4, 0.4, None]]
    assert moment_jumps(spread) == ["magnetic moments jump between images 0 and 1: the total by +0.80 µB"]
    assert moment_jumps(spread[::-1]) == ["magnetic moments jump between images 0 and 1: the total by -0.80 µB"]


def gold_on_aluminium(between: int, climb: bool) -> list[Atoms]:
    """A gold atom from one hollow of Al(100) to the next, the band of ASE's tutorial."""
    initial = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(initial, "Au", 1.7, "hollow")
    initial.center(axis=2, vacuum=4.0)
    initial.set_constraint(FixAtoms(mask=initial.get_tags() > 1))
    final = initial.copy()
    final.positions[-1, 0] += final.cell[0, 0] / 2
    images = [initial, *(initial.copy() for _ in range(between)), final]
    for image in images:
        image.calc = EMT()
    for end in (initial, final):
        BFGS(end, logfile=None).run(fmax=0.01)
    neb = NEB(images, method="improvedtangent", climb=climb)
    neb.interpolate()
    assert BFGS(neb, logfile=None).run(fmax=0.03)
    return images


def across_the_edge(images: list[Atoms]) -> list[Atoms]:
    """The same band, written in a cell whose edge the gold atom crosses."""
    edge = np.mean([image.positions[-1, 0] for image in images[2:4]])
    wrapped = []
    for image in images:
        moved = image.copy()
        moved.positions[image.positions[:, 0] > edge] -= image.cell[0]
        moved.calc = SinglePointCalculator(
            moved, energy=image.get_potential_energy(), forces=image.get_forces(apply_constraint=False)
        )
        wrapped.append(moved)
    return wrapped


def analyse_images(images: list[Atoms]) -> Profile:
    return analyse(
        [image.positions for image in images],
        images[0].cell,
        [image.get_potential_energy() for image in images],
        [image.get_forces(apply_constraint=False) for image in images],
        pbc=images[0].pbc,
        frozen=images[0].constraints[0].index,
    )


def test_gold_on_aluminium_has_its_known_barrier():
    profile = analyse_images(gold_on_aluminium(between=3, climb=True))
    assert profile.forward == pytest.approx(0.374, abs=2e-3)
    assert profile.reaction_energy == pytest.approx(0.0, abs=2e-3)


def test_the_cell_edge_changes_the_fit_of_ase_but_not_this_one():
    images = gold_on_aluminium(between=4, climb=False)
    wrapped = across_the_edge(images)
    profile = analyse_images(images)
    assert profile.forward == pytest.approx(0.374, abs=2e-3)
    assert_same(profile, analyse_images(wrapped))
    # fit_images takes the minimum image for the path length, but not for the tangent.
    assert max(fit_images(images).fit_energies) == pytest.approx(profile.forward, abs=2e-3)
    assert max(fit_images(wrapped).fit_energies) < profile.forward - 0.01


@pytest.mark.parametrize(("angle", "sound"), [(0, True), (85, True), (95, False), (170, False)])
def test_a_path_may_turn_by_a_right_angle_at_an_image(angle, sound):
    turn = np.radians(angle)
    positions = np.array([[[0.0, 0, 0]], [[1.0, 0, 0]], [[1 + np.cos(turn), np.sin(turn), 0]]])
    found = problems(positions, 20 * np.eye(3), [0.0, 1.0, 0.0], np.zeros((3, 1, 3)))
    assert found == ([] if sound else [f"the path turns back at image 1, by {angle}°"])


@pytest.mark.parametrize(("step", "sound"), [(0.01, True), (0.0011, True), (0.0009, False)])
def test_images_a_hundredth_of_an_angstrom_apart_are_two(step, sound):
    positions = np.array([0.0, 1.0, 1.0 + step, 2.0])[:, None, None] * [1.0, 0, 0]
    found = problems(positions, 20 * np.eye(3), [0.0, 1.0, 1.0, 0.0], np.zeros((4, 1, 3)))
    assert found == ([] if sound else [f"images 1 and 2 are the same: {step:.1e} Å apart"])


def test_the_slopes_of_a_steep_step_are_cut_to_the_circle_of_fritsch_and_carlson():
    positions, forces = np.zeros((4, 1, 3)), np.zeros((4, 1, 3))
    positions[:, 0, 0], forces[:, 0, 0] = np.arange(4), [0.0, 4.0, 4.0, 0.0]
    curves = curves_of(positions, 20 * np.eye(3), [0.0, -0.1, -0.9, -1.0], forces)
    # -4 eV/Å at both images where the secant is -0.8: five times too steep, and at most 3/√2 times is allowed.
    assert curves.hermite.derivative()(1.0) == pytest.approx(-0.8 * 3 / np.sqrt(2))


@pytest.mark.parametrize(
    ("how", "force"),
    [
        ({}, 0.2),  # across the path
        ({"spring": 2.0}, np.hypot(2.0, 0.2)),  # the springs are 1 and 2 Å long
        ({"climb": True}, np.hypot(0.5, 0.2)),  # along the path turned round, and no spring
        ({"climb": True, "spring": 2.0}, np.hypot(0.5, 0.2)),
    ],
)
def test_the_force_on_a_band_is_that_of_the_springs_along_it_and_its_own_across(how, force):
    positions, forces = np.zeros((3, 1, 3)), np.zeros((3, 1, 3))
    positions[:, 0, 0], forces[1, 0] = [0.0, 1.0, 3.0], [0.5, 0.2, 0.0]
    found = largest_band_force(positions, 20 * np.eye(3), [0.0, 1.0, 0.0], forces, **how)
    assert found == pytest.approx(force)
