"""Bands that end on what is no path between two states: found and mended by themselves."""

from __future__ import annotations

from pathlib import Path

import false_paths
import numpy as np
import pytest
import two_humps
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from jobflow import Flow, run_locally
from scipy.optimize import minimize_scalar
from taken_ends import as_given, barrier_of

from barriers import BarrierMaker, MlipEngine
from barriers.documents import BarrierDoc
from barriers.engines.mlip.feet import beside, is_foot, may_be_ordered
from barriers.files.structures import read_endpoints
from barriers.structures.path.start import Start

INPUTS = Path(__file__).resolve().parents[1] / "inputs"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_band_is_pushed_off_a_saddle_of_second_order() -> None:
    barrier = barrier_of("false_paths:Ridge", false_paths.ion(0), false_paths.ion(false_paths.LENGTH))
    assert barrier.forward == pytest.approx(false_paths.RIDGE - false_paths.DROP, abs=1e-3)
    (saddle,) = barrier.band.saddles
    assert (saddle.order, saddle.image) == (1, 2) and saddle.overlap > 0.99
    y = barrier.band.positions[2][-1][1]
    assert abs(y) == pytest.approx(false_paths.WIDTH, abs=0.02)
    # d²V/dy² there, and d²V/dx² on the saddle
    across = 8 * false_paths.DROP / false_paths.WIDTH**2
    along = -2 * (np.pi / false_paths.LENGTH) ** 2 * (false_paths.RIDGE - false_paths.DROP - false_paths.WIDTH**2)
    assert saddle.curvatures == pytest.approx([along, across], rel=0.1)
    assert barrier.checks["saddle of first order"]
    assert "is of order 2" in barrier.warnings[0] and "pushed off" in barrier.warnings[0]


def test_a_band_over_two_humps_is_cut_at_the_minimum_between_them() -> None:
    barrier = barrier_of("two_humps:SecondHigher", *two_humps.ends(), n_images=4)
    assert barrier.forward == pytest.approx(0.33, abs=1e-3)
    joint = 5  # four images on either side
    assert (barrier.band.joints, barrier.band.inserted, len(barrier.band.positions)) == ([joint], 5, 11)
    assert barrier.band.positions[joint][-1] == pytest.approx([two_humps.LENGTH / 2, 0, 0], abs=0.02)
    assert [saddle.order for saddle in barrier.band.saddles] == [1, 1]
    energies = np.array(barrier.band.energies) - barrier.band.energies[0]
    first, second = (saddle.image for saddle in barrier.band.saddles)
    assert first < joint < second
    assert energies[[first, second]] == pytest.approx([0.30, 0.33], abs=1e-3)
    assert barrier.profile["minima"] == [
        {"distance": pytest.approx(1.5, abs=0.02), "energy": pytest.approx(0, abs=1e-3)}
    ]
    assert any("cut at an intermediate minimum" in line for line in barrier.warnings)
    assert barrier.fingerprint["n_images"] == "4"
    assert barrier.cost.force_calls == barrier.band.cost.force_calls + 2


@pytest.mark.parametrize("end", [0, 1])
def test_a_minimum_takes_the_place_of_an_end_that_slides_into_it(end: int) -> None:
    places = [0, false_paths.LENGTH]
    places[end] += 0.6 if end else -0.6
    barrier = barrier_of("false_paths:Wells", *map(false_paths.ion, places), n_images=5)
    assert [barrier.forward, barrier.reverse] == pytest.approx([0.5, 0.5], abs=1e-3)
    assert barrier.band.positions[-end][-1] == pytest.approx([end * false_paths.LENGTH, 0, 0], abs=0.02)
    assert barrier.band.structure.cart_coords == pytest.approx(np.array(barrier.band.positions[0]))
    (said,) = (line for line in barrier.warnings if "was no minimum" in line)
    assert said.startswith(f"the {('initial', 'final')[end]} state") and "0.173 eV below" in said


@pytest.mark.parametrize(
    ("model", "sides", "anew", "higher"),
    [("Flips", (-1, 1), "final", 0.0), ("Leans", (-1, 1), "initial", -0.02), ("Leans", (1, -1), "final", -0.02)],
)
def test_an_end_is_relaxed_anew_in_the_surroundings_of_the_other(
    model: str, sides: tuple[int, int], anew: str, higher: float
) -> None:
    ends = [false_paths.beside(x, side) for x, side in zip((0, false_paths.LENGTH), sides, strict=True)]
    barrier = barrier_of(f"false_paths:{model}", *ends)
    assert [barrier.forward, barrier.reverse] == pytest.approx([0.5, 0.5], abs=1e-3)
    far = np.array(barrier.band.positions)[:, 0, 1] - false_paths.FAR_ATOM[1]
    assert far == pytest.approx(0.5 * sides[anew == "initial"], abs=0.01)
    (said,) = (line for line in barrier.warnings if "apart between the ends" in line)
    assert f"the {anew} state was relaxed anew" in said and f"{higher:+.3f} eV" in said and "1.00 Å apart" in said
    # As with ends that were in one frame from the start, but for the two relaxations.
    plain = barrier_of(f"false_paths:{model}", *(false_paths.beside(x, sides[anew == "initial"]) for x in (0, 3)))
    assert plain.forward == pytest.approx(barrier.forward, abs=1e-3)
    assert not any("apart" in line for line in plain.warnings)


def test_surroundings_that_follow_the_ion_are_part_of_the_hop() -> None:
    barrier = barrier_of("false_paths:Follows", false_paths.beside(0, -1), false_paths.beside(false_paths.LENGTH, 1))
    assert any("what changes there is in the barrier" in line for line in barrier.band.warnings)
    far = np.array(barrier.band.positions)[:, 0, 1] - false_paths.FAR_ATOM[1]
    assert far[[0, -1]] == pytest.approx([-0.5, 0.5], abs=0.05)


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("ordered", [True, False])
def test_a_path_ends_in_the_lower_minimum_that_it_leads_down_to(
    monkeypatch: pytest.MonkeyPatch, end: int, ordered: bool
) -> None:
    monkeypatch.setattr("barriers.engines.mlip.path.may_be_ordered", lambda _: ordered)
    ends = [false_paths.ion(0), false_paths.ion(false_paths.LENGTH)]
    ends[end].positions[-1, 1] += 0.15
    barrier = barrier_of("false_paths:Wells", *ends)
    low = 0.15**2 * (not ordered)
    expected = [0.5 - low * (end == 0), 0.5 - low * (end == 1)]
    assert [barrier.forward, barrier.reverse] == pytest.approx(expected, abs=1e-3)
    said = [line for line in barrier.warnings if "leads down to" in line]
    assert len(said) == ordered and all("0.022 eV below" in line and ("initial", "final")[end] in line for line in said)


def test_the_next_start_takes_the_ends_that_the_first_has_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.engines.mlip.path.may_be_ordered", lambda _: True)
    ends = [false_paths.ion(0), false_paths.ion(false_paths.LENGTH)]
    ends[1].positions[-1, 1] += 0.15
    engine = MlipEngine(model="false_paths:Wells", workers=1)
    documents = [as_given(engine, end) for end in ends]
    maker = engine.neb(0.01, 0.3, 500, 1.0)
    first, second = Start(method="linear", n_images=3), Start(method="idpp", n_images=3)
    found = maker.make(*documents, first)
    again = maker.make(*documents, second, None, [found.output])
    outputs = run_locally(Flow([found, again]), ensure_success=True, log=False)
    one, other = (outputs[job.uuid][1].output for job in (found, again))
    assert np.array(other.positions[-1]) == pytest.approx(np.array(one.positions[-1]), abs=1e-9)
    assert other.energies[-1] == one.energies[-1]
    assert other.merged_into == one.start or max(other.energies) == pytest.approx(max(one.energies), abs=1e-3)


def test_an_image_beside_an_end_that_is_the_highest_is_not_led_down() -> None:
    images = []
    for energy in (0.0, 0.3, 0.5, 0.4):
        images.append(false_paths.ion(energy))
        images[-1].calc = SinglePointCalculator(images[-1], energy=energy)
    assert beside(images) == [(0, 1)]
    assert beside([images[0], images[2], images[3]]) == []


def test_minima_of_another_site_or_no_lower_are_no_feet() -> None:
    def at(y: float, energy: float) -> Atoms:
        atoms = false_paths.ion(0)
        atoms.positions[-1, 1] = y
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
        return atoms

    end = at(0.0, 0.0)
    assert is_foot(at(0.5, -0.01), end)
    assert not is_foot(at(0.5, -0.001), end)
    assert not is_foot(at(0.9, -0.5), end)


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [("Li3Ni2O4", True), ("LiNiO2", False), ("Al8", False), ("Ni4Al4", False), ("Li4O2", False)],
)
def test_ions_that_may_exchange_charges_are_metals_beside_anions(symbols: str, expected: bool) -> None:
    assert may_be_ordered(Atoms(symbols)) == expected


def test_two_ends_that_slide_into_one_minimum_have_no_barrier_between_them() -> None:
    barrier = barrier_of("false_paths:Wells", false_paths.ion(-0.9), false_paths.ion(0.8), n_images=4)
    assert (barrier.converged, barrier.forward) == (False, None)
    assert barrier.reason == "both ends slide into one minimum between them: there is no saddle"
    assert {step.stage for step in barrier.band.history} == {"plain"}  # nothing to climb


def test_steep_steps_get_images() -> None:
    barrier = barrier_of("false_paths:Cliff", false_paths.ion(0), false_paths.ion(false_paths.LENGTH))
    ridge = minimize_scalar(lambda x: -false_paths.Cliff().surface(x, 0)[0], bounds=(0.5, 1.0), method="bounded")
    assert barrier.forward == pytest.approx(-ridge.fun, abs=1e-3)
    assert barrier.reverse == pytest.approx(1 - ridge.fun, abs=2e-3)
    assert barrier.checks["images close enough"]
    assert barrier.band.inserted >= 1 and barrier.fingerprint["n_images"] == "3"
    assert any("steps that were too steep" in line for line in barrier.warnings)


def test_what_cannot_be_mended_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.engines.mlip.path.MOST_MENDS", 0)
    barrier = barrier_of("false_paths:Ridge", false_paths.ion(0), false_paths.ion(false_paths.LENGTH))
    assert (barrier.converged, barrier.forward) == (False, None)
    assert barrier.reason is not None and "the saddle at image 2 is of order 2: curvatures -" in barrier.reason
    assert "mended 0 times" in barrier.reason
    cut = barrier_of("two_humps:SecondHigher", *two_humps.ends(), n_images=4)
    assert cut.converged and cut.band.joints == []


@pytest.mark.mlip
def test_the_shipped_pair_sits_on_a_saddle_of_second_order_and_is_pushed_off_it() -> None:
    """By symmetry the straight band stays on it, 0.290 eV with CHGNet."""
    structures = read_endpoints(INPUTS / "li2o_initial.vasp", INPUTS / "li2o_final.vasp")[:2]
    flow = BarrierMaker(engine=MlipEngine(), n_images=3, fmax=0.05).make(*structures)
    barrier: BarrierDoc = run_locally(flow, ensure_success=True, log=False)[flow.output.uuid][1].output
    assert "is of order 2" in barrier.warnings[0]
    assert barrier.forward is not None and 0.280 < barrier.forward < 0.2895
    (saddle,) = barrier.band.saddles
    assert saddle.order == 1 and saddle.overlap > 0.9
    assert saddle.curvatures[0] < -1.0 < 0.0 < saddle.curvatures[1]
