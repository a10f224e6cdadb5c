"""Correcting a model by few points: exact inference, consistent forces, searches, rounds that cannot run away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from barriers.analysis.forces import largest_force
from barriers.analysis.stationary import Surface, find_stationary
from barriers.analysis.surrogate.process import ENERGY_NOISE, FORCE_NOISE, LONG, OFFSET, GradientProcess, Kernel, fit
from barriers.analysis.surrogate.rounds import (
    ENOUGH,
    FIRST_RADIUS,
    Attempt,
    CorrectedSurface,
    Proposal,
    propose,
    standing,
)

D = 9
KERNEL = Kernel(0.6, 0.7, 1.5)


def known(n: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(n, D)), random.normal(size=n), random.normal(size=(n, D))


def dense(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Covariance of energies and forces, written out entry by entry: shape (n, 1 + D, n', 1 + D)."""
    covariance = np.zeros((len(first), 1 + D, len(second), 1 + D))
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            apart = one - other
            covariance[i, 0, j, 0] = OFFSET**2
            for length, amplitude in ((KERNEL.length, KERNEL.amplitude), (LONG, KERNEL.trend)):
                like = amplitude**2 * np.exp(-apart @ apart / 2 / length**2)
                covariance[i, 0, j, 0] += like
                covariance[i, 0, j, 1:] -= like * apart / length**2
                covariance[i, 1:, j, 0] += like * apart / length**2
                covariance[i, 1:, j, 1:] += like * (np.eye(D) / length**2 - np.outer(apart, apart) / length**4)
    return covariance


def test_inference_is_that_of_the_whole_covariance() -> None:
    positions, energies, forces = known()
    process = GradientProcess(positions, energies, forces, KERNEL)
    noise = np.tile([ENERGY_NOISE**2, *[FORCE_NOISE**2] * D], len(positions))
    whole = dense(positions, positions).reshape(len(noise), -1) + np.diag(noise)
    targets = np.column_stack([energies - energies.mean(), forces]).ravel()
    weights = np.linalg.solve(whole, targets)
    assert process.evidence == pytest.approx(-0.5 * (targets @ weights + np.linalg.slogdet(whole)[1]), abs=1e-8)
    asked, _, _ = known(3, seed=1)
    crossed = dense(asked, positions).reshape(3 * (1 + D), -1)
    for place, expected in zip(asked, (crossed @ weights).reshape(3, -1), strict=True):
        energy, force = process(place)
        assert energy == pytest.approx(expected[0] + energies.mean(), abs=1e-10)
        assert force == pytest.approx(expected[1:], abs=1e-10)
    rest = dense(asked, asked).reshape(3 * (1 + D), -1) - crossed @ np.linalg.solve(whole, crossed.T)
    expected = rest.reshape(3, 1 + D, 3, 1 + D)[:, 0, :, 0]
    assert process.covariance(asked) == pytest.approx(expected, abs=1e-9)


def test_forces_are_minus_the_derivative_of_the_energy() -> None:
    process = fit(*known())
    place, step = known(1, seed=2)[0][0], 1e-4
    for axis in np.eye(D):
        ends = [process(place + factor * step * axis)[0] for factor in (-2, -1, 1, 2)]
        slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        assert process(place)[1] @ axis == pytest.approx(-slope, abs=1e-9)


def test_one_point_is_taken_over_and_forgotten_far_away() -> None:
    positions, energies, forces = known(1)
    process = GradientProcess(positions, energies, forces, KERNEL)
    assert process(positions[0])[0] == pytest.approx(energies[0], abs=1e-3)
    assert process(positions[0])[1] == pytest.approx(forces[0], abs=1e-2)
    near, far = process.covariance(np.array([positions[0], positions[0] + 50.0]))[[0, 1], [0, 1]]
    assert near < 2 * ENERGY_NOISE**2
    unknown = KERNEL.amplitude**2 + KERNEL.trend**2
    assert far == pytest.approx(unknown + OFFSET**2 * unknown / (OFFSET**2 + unknown), rel=1e-3)


def test_constant_difference_costs_nothing() -> None:
    """Total energies of two codes differ by thousands of eV."""
    positions, energies, forces = known()
    near, far = (GradientProcess(positions, energies + shift, forces, KERNEL) for shift in (0.0, -5e4))
    place = positions[0] + 0.1
    assert far(place)[0] + 5e4 == pytest.approx(near(place)[0], abs=1e-6)
    assert far.evidence == pytest.approx(near.evidence, abs=1e-5)


def test_turned_coordinates_give_the_same() -> None:
    positions, energies, forces = known()
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(D, D)))[0]
    plain, turned = fit(positions, energies, forces), fit(positions @ turn.T, energies, forces @ turn.T)
    place = positions[1] + 0.2
    assert turned(turn @ place)[0] == pytest.approx(plain(place)[0], abs=1e-6)
    assert turned(turn @ place)[1] == pytest.approx(turn @ plain(place)[1], abs=1e-6)


def double_well(softer: float = 1.0, tilt: float = 0.0, shift: float = 0.0) -> Surface:
    """Minima near ±1 along the first coordinate and a saddle between them, stiff and soft modes across, all coupled."""
    stiff = np.array([0.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 4.0]) * softer

    def surface(x: np.ndarray) -> tuple[float, np.ndarray]:
        y = x - shift * np.arange(D) / D
        away = y[1:] - 0.1 * y[0] ** 2
        energy = 0.5 * softer * (y[0] ** 2 - 1) ** 2 + tilt * y[0] + 0.5 * stiff[1:] @ away**2
        slope = np.concatenate(
            [[2 * softer * (y[0] ** 2 - 1) * y[0] + tilt - 0.2 * y[0] * (stiff[1:] @ away)], stiff[1:] * away]
        )
        return float(energy), -slope

    return surface


ALONG = np.eye(D)[0]


@pytest.mark.parametrize("uphill", [False, True])
def test_search_finds_the_stationary_point(uphill: bool) -> None:
    surface = double_well(tilt=0.05)
    start = np.full(D, 0.15) + (0.0 if uphill else 0.8) * ALONG
    found = find_stationary(surface, start, ALONG if uphill else None, radius=2.0, fmax=1e-3, most_calls=200)
    assert largest_force(found.forces) < 1e-3
    step = 1e-4
    hessian = [
        -(surface(found.position + step * e)[1] - surface(found.position - step * e)[1]) / 2 / step for e in np.eye(D)
    ]
    assert (np.linalg.eigvalsh(hessian) < 0).sum() == (1 if uphill else 0)
    assert found.left < 1e-5
    assert found.calls < 60


def test_search_stays_within_its_radius() -> None:
    start = np.full(D, 0.15) + 0.8 * ALONG
    found = find_stationary(double_well(), start, None, radius=0.1, fmax=1e-3, most_calls=200)
    assert np.linalg.norm(found.position - start) <= 0.1 + 1e-12
    assert found.left > 1e-3


def correct(
    truth: Surface, model: Surface, start: np.ndarray, mode: np.ndarray | None, most: int
) -> tuple[list[Attempt], Proposal]:
    """Run rounds until enough is known."""
    attempts = [Attempt(start, *truth(start))]
    while True:
        proposal = propose(CorrectedSurface(model, attempts), attempts, mode, 0.01, mode is not None)
        if proposal.x is None or len(attempts) == most:
            return attempts, proposal
        found = proposal.stationary
        attempts.append(Attempt(proposal.x, *truth(proposal.x), found.energy, found.forces))


@pytest.mark.parametrize("softer", [0.9, 0.7, 0.5])
def test_rounds_reach_what_the_expensive_surface_says(softer: float) -> None:
    """Model too soft, at other places and tilted: barrier within 5 meV, and within three of its standard deviations."""
    truth, model = double_well(tilt=0.05), double_well(softer, -0.02, 0.15)
    heights, gains, points = [], [], 0
    for uphill, near in ((True, 0.0), (False, 1.0)):
        mode = ALONG if uphill else None
        start = find_stationary(model, near * ALONG, mode, radius=2.0, fmax=1e-3, most_calls=300).position
        exact = find_stationary(truth, near * ALONG, mode, radius=2.0, fmax=1e-4, most_calls=300).energy
        attempts, proposal = correct(truth, model, start, mode, 12)
        assert proposal.converged
        heights.append(proposal.stationary.energy - exact)
        gains.append(proposal.gain)
        points += len(attempts)
    assert abs(heights[0] - heights[1]) < 5e-3
    assert points <= 14


def test_step_that_makes_it_worse_is_not_taken_but_remembered() -> None:
    truth = double_well()
    start, worse = 0.9 * ALONG, 0.9 * ALONG + 0.4
    attempts = [Attempt(start, *truth(start)), Attempt(worse, *truth(worse), truth(start)[0] - 0.1, np.zeros(D))]
    now = standing(attempts, uphill=False)
    assert now.centre == 0
    assert now.accepted == [True, False]
    assert now.radius == pytest.approx(0.5 * np.linalg.norm(worse - start))
    assert len(CorrectedSurface(double_well(0.8), attempts).points) == 2


def test_good_prediction_widens_the_radius_and_a_failed_point_narrows_it() -> None:
    truth = double_well()
    start, better = 0.4 * ALONG, 0.9 * ALONG
    steps = [Attempt(start, *truth(start)), Attempt(better, *truth(better), *truth(better))]
    assert standing(steps, uphill=False).radius == pytest.approx(2 * np.linalg.norm(better - start))
    failed = standing([*steps, Attempt(better + 0.1)], uphill=False)
    assert failed.centre == 1
    assert failed.radius == pytest.approx(0.5 * np.linalg.norm(np.full(D, 0.1)))
    assert standing(steps[:1], uphill=False).radius == FIRST_RADIUS


def test_saddle_is_followed_by_its_forces_not_its_energy() -> None:
    truth = double_well()
    start, nearer, further = 0.3 * ALONG, 0.1 * ALONG, 0.6 * ALONG
    assert standing([Attempt(start, *truth(start)), Attempt(nearer, *truth(nearer), *truth(nearer))], True).centre == 1
    lower = [Attempt(nearer, *truth(nearer)), Attempt(further, *truth(further), *truth(further))]
    assert truth(further)[0] < truth(nearer)[0]
    assert standing(lower, uphill=True).centre == 0


def test_small_gain_is_enough_unless_the_model_is_far_off() -> None:
    """Where the true forces at the model's own minimum were large, its curvatures are not to be trusted either."""
    truth = double_well()
    good = 0.995 * ALONG + 0.1 * (1 - ALONG)
    far, near = Attempt(1.6 * ALONG, *truth(1.6 * ALONG)), Attempt(good, *truth(good))
    step = replace(near, predicted_energy=truth(good)[0], predicted_forces=truth(good)[1])
    loose, tight = 1.01 * largest_force(truth(good)[1]), 0.5 * largest_force(truth(good)[1])
    for attempts, fmax, expected in (([far, step], tight, False), ([far, step], loose, True), ([near], tight, True)):
        proposal = propose(CorrectedSurface(truth, attempts), attempts, None, fmax)
        assert proposal.gain <= ENOUGH
        assert proposal.converged is expected


def test_small_forces_are_not_enough_while_there_is_something_to_gain() -> None:
    """A soft mode hides much energy behind small forces."""
    truth = double_well()
    attempts = [Attempt(0.9 * ALONG, *truth(0.9 * ALONG))]
    proposal = propose(CorrectedSurface(double_well(0.5), attempts), attempts, None, 10.0)
    assert proposal.gain > ENOUGH
    assert not proposal.converged


def test_small_forces_at_a_saddle_are_enough_where_nothing_better_is_foretold() -> None:
    """Beside a saddle of second order each step down the second mode makes the forces larger."""

    def ridge(x: np.ndarray) -> tuple[float, np.ndarray]:
        curvatures = np.array([-3.0, -2.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0, 30.0])
        return 0.5 * float(curvatures @ x**2), -curvatures * x

    near = np.array([0.0, 0.1, *[0.0] * (D - 2)])
    attempts = [Attempt(near, *ridge(near)), Attempt(near, *ridge(near), *ridge(near))]
    for fmax, expected in ((0.25, True), (0.1, False)):
        proposal = propose(CorrectedSurface(ridge, attempts), attempts, ALONG, fmax, True)
        assert np.linalg.norm(proposal.stationary.forces) > 0.2
        assert proposal.gain > ENOUGH
        assert proposal.converged is expected
