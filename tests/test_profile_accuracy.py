"""How near the barriers are to those of potentials whose saddles are known, and what the fit spread says of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from potentials import MINIMA, SADDLES, RandomPath, mueller_brown_band

from barriers.analysis.motion import motion
from barriers.analysis.profile import analyse
from barriers.analysis.segments import Segment, analyse_segments

BOX = 50 * np.eye(3)


@pytest.fixture(scope="module")
def through():
    return mueller_brown_band(MINIMA[0][0], MINIMA[2][0], 7)


@pytest.fixture(scope="module")
def halves():
    return [mueller_brown_band(MINIMA[i][0], MINIMA[i + 1][0], 5) for i in (0, 1)]


@pytest.mark.parametrize("half", [0, 1])
def test_five_images_give_the_barriers_of_mueller_and_brown_within_a_millielectronvolt(halves, half):
    positions, energies, forces = halves[half]
    profile = analyse(positions, BOX, energies, forces)
    assert profile.forward == pytest.approx(SADDLES[half][1] - MINIMA[half][1], abs=1e-3)
    assert profile.reverse == pytest.approx(SADDLES[half][1] - MINIMA[half + 1][1], abs=1e-3)
    assert abs(profile.forward - (SADDLES[half][1] - MINIMA[half][1])) <= profile.fit_spread + 1e-6


def test_segments_join_at_the_minimum_between_them(halves):
    whole = analyse_segments([Segment(*half) for half in halves], BOX)
    first, second = (analyse(half[0], BOX, half[1], half[2]) for half in halves)
    assert whole.forward == first.forward
    assert whole.reverse == pytest.approx(SADDLES[0][1] - MINIMA[2][1], abs=1e-3)
    assert whole.reaction_energy == pytest.approx(MINIMA[2][1] - MINIMA[0][1], abs=1e-9)
    assert whole.path_length == pytest.approx(first.path_length + second.path_length)
    assert len(whole.distances) == 7 + 7 - 1
    (dip,) = whole.minima
    assert dip["distance"] == pytest.approx(first.path_length, abs=1e-3)
    assert dip["energy"] == pytest.approx(MINIMA[1][1] - MINIMA[0][1], abs=1e-3)
    assert whole.curve_energy[100] == pytest.approx(np.interp(0.5, *_fractions(first, second)), abs=2e-3)


def _fractions(first, second):
    way = [*first.curve_distance, *(first.path_length + d for d in second.curve_distance[1:])]
    energy = [*first.curve_energy, *(first.reaction_energy + e for e in second.curve_energy[1:])]
    return np.array(way) / way[-1], energy


def test_the_way_back_through_the_segments_is_the_way_there_reversed(halves):
    there = analyse_segments([Segment(*half) for half in halves], BOX)
    back = analyse_segments([Segment(*(part[::-1] for part in half)) for half in halves[::-1]], BOX)
    assert back.forward == pytest.approx(there.reverse, abs=1e-9)
    assert back.fits["energies_only"] == pytest.approx(there.fits["energies_only"] - there.reaction_energy, abs=1e-9)
    assert back.saddle_fraction == pytest.approx(1 - there.saddle_fraction, abs=1e-6)
    assert back.curvature == pytest.approx(there.curvature, rel=1e-3)


def test_one_band_through_the_intermediate_minimum_tells_the_same_story(halves, through):
    joined = analyse_segments([Segment(*half) for half in halves], BOX)
    positions, energies, forces = through
    profile = analyse(positions, BOX, energies, forces)
    assert profile.forward == pytest.approx(joined.forward, abs=1e-3)
    assert profile.saddle_fraction == pytest.approx(joined.saddle_fraction, abs=0.02)


def test_one_segment_is_a_plain_profile_and_wrapping_a_joint_changes_nothing(halves):
    positions, energies, forces = halves[0]
    assert analyse_segments([Segment(*halves[0])], BOX) == analyse(positions, BOX, energies, forces)
    wrapped = Segment(halves[1][0] + [50.0, -50.0, 100.0], *halves[1][1:])
    there = analyse_segments([Segment(*half) for half in halves], BOX)
    assert analyse_segments([Segment(*halves[0]), wrapped], BOX).forward == pytest.approx(there.forward, abs=1e-9)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p, e, f: (p + 0.1, e, f), "segments 0 and 1 do not meet: an atom lies 0.173 Å, the energy 0.0000 eV"),
        (lambda p, e, f: (p, e + 0.01, f), "segments 0 and 1 do not meet: an atom lies 0.000 Å, the energy 0.0100 eV"),
        (lambda p, e, f: (p, [*e[:3], None, *e[4:]], f), "segment 1: image 3 has no finite energy"),
        (lambda p, e, f: (np.repeat(p, 2, 1), e, np.repeat(f, 2, 1)), "segments 0 and 1 differ in their atoms"),
    ],
)
def test_segments_that_do_not_meet_are_refused(halves, spoil, message):
    with pytest.raises(ValueError, match=message):
        analyse_segments([Segment(*halves[0]), Segment(*spoil(*halves[1]))], BOX)


def test_no_segment_is_no_profile():
    with pytest.raises(ValueError, match="no segment"):
        analyse_segments([], BOX)


def hundred_bands(
    between: tuple[int, int], unevenness: float, bending: tuple[float, float]
) -> list[tuple[float, float]]:
    """Error and fit spread (eV) of a hundred random bands with so many images between the ends."""
    rng, found = np.random.default_rng(7), []
    while len(found) < 100:
        path = RandomPath(rng, rng.uniform(*bending))
        positions, energies, forces = path.band(int(rng.integers(between[0], between[1] + 1)) + 2, unevenness)
        try:
            profile = analyse(positions, BOX, energies, forces)
        except ValueError:  # so winding that it turns back between two images
            continue
        found.append((abs(profile.forward - path.barrier), profile.fit_spread))
    return found


def test_the_spread_of_the_fits_covers_the_error_in_95_of_100_random_bands():
    """Three to seven images between the ends, uneven by a fifth of a step, on paths from straight to winding."""
    found = hundred_bands((3, 7), 0.2, (0, 1))
    assert sum(error <= spread for error, spread in found) >= 95
    assert np.median([error for error, _ in found]) < 0.5e-3


def test_the_spread_of_the_fits_falls_short_with_three_uneven_images_on_winding_paths():
    found = hundred_bands((3, 3), 0.4, (1, 1))
    assert 70 < sum(error <= spread for error, spread in found) < 90


@given(st.floats(0.2, 1.0), st.floats(-0.15, 0.15), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_five_images_on_a_curved_path_in_three_dimensions_are_within_a_millielectronvolt(height, tilt, seed):
    """E = h (x² − 1)² + t x on the floor of a valley that winds through space by x ↦ w sin x, at even steps of x."""
    x = np.linspace(-1, 1, 7)
    winding = np.random.default_rng(seed).uniform(-0.3, 0.3, 2)
    positions = np.stack([x, winding[0] * np.sin(x), winding[1] * np.sin(x)], axis=1)[:, None]
    along = np.stack([x**0, winding[0] * np.cos(x), winding[1] * np.cos(x)], axis=1)
    slope = 4 * height * x * (x**2 - 1) + tilt
    forces = -(slope / (along**2).sum(axis=1))[:, None] * along
    energies = height * (x**2 - 1) ** 2 + tilt * x
    profile = analyse(positions, BOX, energies, forces[:, None])
    middle = sorted(np.roots([4 * height, 0, -4 * height, tilt]).real)[1]
    barrier = height * (middle**2 - 1) ** 2 + tilt * middle + tilt
    assert profile.forward == pytest.approx(barrier, abs=1e-3)
    assert profile.curvature == pytest.approx(height * (12 * middle**2 - 4) / (1 + winding @ winding), rel=0.15)


@given(st.floats(0.05, 0.6), st.floats(-0.5, 1.5), st.sampled_from([-1, 1]), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_step_however_steep_has_no_barrier_down(width, middle, sign, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 10))
    x = np.linspace(0, 1, n)
    x[1:-1] += rng.uniform(-0.2, 0.2, n - 2) / (n - 1)
    positions, forces = np.zeros((n, 1, 3)), np.zeros((n, 1, 3))
    positions[:, 0, 0] = 3 * x
    forces[:, 0, 0] = -sign / (3 * width * np.cosh((x - middle) / width) ** 2)
    profile = analyse(positions, BOX, sign * np.tanh((x - middle) / width), forces)
    assert (profile.reverse if sign > 0 else profile.forward) == pytest.approx(0, abs=1e-9)
    assert profile.curvature is None


def test_a_step_steeper_than_the_images_can_show_is_said():
    positions, forces = np.zeros((4, 1, 3)), np.zeros((4, 1, 3))
    positions[:, 0, 0] = [0, 1, 2, 3]
    forces[:, 0, 0] = [0, 4, 4, 0]
    profile = analyse(positions, BOX, [0.0, -0.1, -0.9, -1.0], forces)
    assert profile.forward == pytest.approx(0.0, abs=1e-12)
    steep = "between images 1 and 2 the forces are too steep for the energies: more images are needed"
    assert steep in profile.warnings
    assert not profile.checks["images close enough"]


def test_a_residual_force_on_an_endpoint_is_no_barrier():
    positions, forces = np.zeros((5, 1, 3)), np.zeros((5, 1, 3))
    positions[:, 0, 0] = np.arange(5)
    forces[:, 0, 0] = [-0.03, 0.1, 0.1, 0.1, 0.0]
    profile = analyse(positions, BOX, [0.0, -0.05, -0.15, -0.25, -0.3], forces)
    assert 0 < profile.forward < 5e-3
    assert profile.warnings[0].startswith("no saddle above the initial state")
    assert not profile.checks["saddle between the endpoints"]


def test_the_motion_of_all_atoms_is_told_apart():
    positions = np.zeros((3, 3, 3))
    positions[:, 0, 0] = [0.0, 1.5, 3.0]  # the ion
    positions[:, 1, 1] = [0.0, 0.4, 0.0]  # gives way and comes back
    positions[1:, 0] += [0, 0, 50.0]  # wrapped
    moved = motion(positions, BOX, 0)
    assert (moved.ion, moved.ion_path, moved.ion_jump) == pytest.approx((0, 3.0, 3.0))
    assert moved == motion(positions, BOX)
    early = positions.copy()
    early[1, 1, 1] = 2.0  # farther than the ion, and back again
    assert (motion(early, BOX).ion, motion(early, BOX).with_it) == (0, [])
    assert (moved.others_farthest, moved.farthest_atom) == (pytest.approx(0.4), 1)
    assert moved.others_share == pytest.approx(2 * 0.4**2 / (2 * 0.4**2 + 2 * 1.5**2))
    alone = motion(positions[:, [0, 2]], BOX, 0)
    assert (alone.others_farthest, alone.farthest_atom, alone.others_share) == (0.0, None, 0.0)
    with pytest.raises(ValueError, match="moving: 3 is no atom of the band; allowed: 0 to 2"):
        motion(positions, BOX, 3)
