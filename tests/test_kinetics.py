"""Frequencies, attempt frequencies, rates and diffusion coefficients against numbers known beforehand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.vibrations import Vibrations
from conftest import ROOT, gold_on_aluminium
from hypothesis import given, settings
from hypothesis import strategies as st
from jobflow import Flow
from monty.json import MontyEncoder
from scipy.spatial.transform import Rotation

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.kinetics import NOT_INCLUDED, arrhenius, diffusivity, jump_rate, ratio
from barriers.analysis.vibrations import atoms_around, attempt_frequency, displaced, frequencies, hessian
from barriers.documents import BarrierDoc
from barriers.files.structures import to_structure
from barriers.workflow.attempt_frequency import AttemptFrequencyDoc, AttemptFrequencyMaker

GOLD = 12
SEEDS = st.integers(0, 2**32 - 1)


def test_a_lithium_atom_on_springs_has_the_frequency_calculated_by_hand() -> None:
    # 10 eV/Å² = 160.2177 N/m; 6.94 u = 1.152416e-26 kg; sqrt(160.2177 / 1.152416e-26) / 2π = 18.7660 THz
    assert frequencies(np.diag([10.0, 10.0, -2.5]), [6.94]) == pytest.approx([-9.3830, 18.7660, 18.7660], abs=1e-3)


def springs(seed: int, atoms: int = 2) -> np.ndarray:
    """A random symmetric Hessian."""
    matrix = np.random.default_rng(seed).normal(0, 5, (3 * atoms, 3 * atoms))
    return matrix + matrix.T


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_the_hessian_of_springs_is_found_and_third_order_terms_cancel(seed: int) -> None:
    matrix, rest = springs(seed), np.random.default_rng(seed).normal(0, 3, (4, 3))
    atoms = [3, 1]
    cubic = np.random.default_rng(seed + 1).normal(0, 20, 6)
    forces = []
    for positions in displaced(rest, atoms):
        moved = (positions - rest)[atoms].ravel()
        everywhere = np.full((4, 3), 7.0)  # a residual force, which cancels too
        everywhere[atoms] += (-matrix @ moved + cubic * moved**2).reshape(2, 3)
        forces.append(everywhere)
    assert hessian(forces, atoms) == pytest.approx(matrix, abs=1e-9)


def test_only_one_atom_moves_by_one_step_in_each_structure() -> None:
    rest = np.arange(12.0).reshape(4, 3)
    steps = displaced(rest, [2, 0], delta=0.02) - rest
    assert steps.shape == (12, 4, 3)
    assert np.count_nonzero(np.abs(steps) > 1e-9) == 12
    assert steps[0, 2] == pytest.approx([0.02, 0, 0])
    assert steps[3, 2] == pytest.approx([0, -0.02, 0])
    assert steps[10, 0] == pytest.approx([0, 0, 0.02])


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_frequencies_do_not_depend_on_axes_or_the_order_of_atoms(seed: int) -> None:
    matrix, masses = springs(seed), np.array([6.94, 16.0])
    turn = np.kron(np.eye(2), Rotation.random(rng=np.random.default_rng(seed)).as_matrix())
    order = [3, 4, 5, 0, 1, 2]
    turned = (turn @ matrix @ turn.T)[np.ix_(order, order)]
    assert frequencies(turned, masses[::-1]) == pytest.approx(frequencies(matrix, masses), abs=1e-9)


def well_and_saddle(x: float) -> np.ndarray:
    """Hessian (eV/Å²) of E = 0.5 (x² − 1)² + 4 y² (1 + x²/4) + 3 z² at y = z = 0, x = ±1 or 0."""
    return np.diag([0.5 * (12 * x**2 - 4), 8 * (1 + x**2 / 4), 6.0])


def test_the_attempt_frequency_of_a_known_surface() -> None:
    # In the well 4, 10 and 6 eV/Å², at the saddle -2, 8 and 6: ν* = √(4·10/8) / 2π = √5 eV/Å² / 2π, any mass.
    found = [frequencies(well_and_saddle(x), [6.94]) for x in (-1.0, 0.0)]
    assert attempt_frequency(*found) == pytest.approx(np.sqrt(5 / 10) * 18.7660e12, rel=1e-4)


@pytest.mark.parametrize(
    ("minimum", "saddle", "message"),
    [
        ([-1, 5, 6], [-4, 5, 6], "1 imaginary modes at the minimum, allowed: 0; lowest frequencies -1.00, 5.00 THz"),
        ([4, 5, 6], [4, 5, 6], "0 imaginary modes at the saddle, allowed: 1; lowest frequencies 4.00, 5.00 THz"),
        ([4, 5, 6], [-4, -2, 6], "2 imaginary modes at the saddle, allowed: 1"),
        ([0.05, 5, 6], [-4, 5, 6], "a mode of 0.050 THz at the minimum is too soft; allowed: 0.1"),
        ([4, 5, 6], [-4, 5, 6, 7, 8, 9], "3 modes at the minimum and 6 at the saddle: not the same atoms"),
    ],
)
def test_what_is_no_minimum_or_no_saddle_has_no_attempt_frequency(minimum, saddle, message) -> None:
    with pytest.raises(ValueError, match=message):
        attempt_frequency(minimum, saddle)


def test_forces_that_are_not_there_make_no_hessian() -> None:
    with pytest.raises(ValueError, match="5 structures for 1 atoms; allowed: 6"):
        hessian(np.zeros((5, 2, 3)), [0])
    with pytest.raises(ValueError, match="not all are finite"):
        hessian(np.full((6, 2, 3), np.nan), [0])


def test_neighbours_are_found_across_the_cell_edge_and_in_either_end() -> None:
    ends = np.array([[[0.5, 0, 0], [9.5, 0, 0], [3.6, 0, 0], [0.5, 1.0, 0], [5.0, 5.0, 5.0]]] * 2)
    ends[1, 0, 0] = 2.5
    assert atoms_around(ends, 10 * np.eye(3), 0, 1.5, frozen=[3]) == [0, 1, 2]
    assert atoms_around(ends[:1], 10 * np.eye(3), 0, 1.5) == [0, 1, 3]
    assert atoms_around(ends, 10 * np.eye(3), 0, 1.5, pbc=(False, True, True), frozen=[3]) == [0, 2]


def test_the_rate_and_the_diffusion_coefficient_calculated_by_hand() -> None:
    # k_B · 300 K = 0.02585200 eV; 0.5 / 0.02585200 = 19.34086; exp(-19.34086) = 3.98446e-9
    rate = jump_rate(0.5, 300.0)
    assert rate == pytest.approx(3.98446e4, rel=1e-4)
    # 6 · 3.98446e4 /s · (2.88e-8 cm)² / 4
    assert diffusivity(rate, 2.88, directions=6, dimensions=2) == pytest.approx(4.95731e-11, rel=1e-4)
    assert diffusivity(rate, 2.88, directions=2, dimensions=1) == pytest.approx(rate * 2.88e-8**2, rel=1e-9)
    assert diffusivity(rate, 2.88, directions=12, dimensions=3) == pytest.approx(2 * rate * 2.88e-8**2, rel=1e-9)


def test_the_arrhenius_table_is_a_straight_line_with_the_barrier_as_slope() -> None:
    rows = arrhenius(0.42, 0.01, [250.0, 300.0, 400.0], jump_length=2.9, network=(6, 2))
    for row in (rows[0], rows[2]):
        rise = np.log(row.diffusivity) - np.log(rows[1].diffusivity)
        assert rise == pytest.approx(-0.42 / 8.617333262e-5 * (row.inverse - rows[1].inverse) / 1000, rel=1e-9)
    assert rows[1].factor == pytest.approx(np.exp(0.01 / 0.025852), rel=1e-4)
    assert rows[0].factor > rows[2].factor
    wide = arrhenius(0.42, 0.0, [300.0], jump_length=2.9, network=(6, 2), attempt_frequency=2e13)
    assert wide[0].rate == pytest.approx(2 * rows[1].rate)
    assert wide[0].factor == 1


def test_the_ratio_between_systems_and_its_uncertainty() -> None:
    faster = ratio((1.10, 1.51), (0.003, 0.004), 300.0)
    # exp(0.41 / 0.02585200) = 7.7214e6; both spreads in quadrature are 0.005 eV, a factor of 1.2134
    assert faster.value == pytest.approx(7.7214e6, rel=1e-3)
    assert (faster.high / faster.value, faster.value / faster.low) == pytest.approx((1.2134, 1.2134), rel=1e-3)
    back = ratio((1.51, 1.10), (0.004, 0.003), 300.0)
    assert (back.value, back.low, back.high) == pytest.approx((1 / faster.value, 1 / faster.high, 1 / faster.low))
    assert ratio((0.5, 0.5), (0, 0), 300.0, (2e13, 1e13)).value == pytest.approx(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jump_rate(0.5, 0.0), "temperature: 0 K; allowed: above 0"),
        (lambda: jump_rate(-0.1, 300.0), "barrier: -0.1 eV; allowed: not below 0"),
        (lambda: jump_rate(float("nan"), 300.0), "barrier: nan eV"),
        (lambda: jump_rate(0.5, 300.0, -1e13), "attempt_frequency: -1e"),
        (lambda: diffusivity(1e4, 0.0, 6, 2), "jump_length: 0 Å"),
        (lambda: diffusivity(1e4, 2.9, 6, 4), "dimensions: 4; allowed: 1, 2, 3"),
        (lambda: diffusivity(1e4, 2.9, 2, 2), "directions: 2 for 2 dimensions; allowed: at least 3"),
        (lambda: ratio((0.5, 0.4), (0, 0), 5.0), "5 K is too low for a rate"),
    ],
)
def test_numbers_out_of_their_limits_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_what_the_numbers_do_not_include_is_said() -> None:
    page = (ROOT / "docs" / "kinetics.md").read_text("utf-8")
    assert [line for line in NOT_INCLUDED if f"{line[1:]}.\n" not in page] == []


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> tuple[BarrierDoc, AttemptFrequencyDoc]:
    engine = MlipEngine(model="emt")
    barrier = BarrierMaker(name="Au", engine=engine).make(*map(to_structure, gold_on_aluminium()))
    vibrations = AttemptFrequencyMaker(engine=engine).make(barrier.output.band, around_gold())
    folder = tmp_path_factory.mktemp("gold")
    document = run(barrier, folder).output
    outcome = run(Flow([barrier, vibrations], output=vibrations.output), folder)
    assert not outcome.failures
    return document, outcome.output


def around_gold() -> list[int]:
    initial, final = gold_on_aluminium()
    ends = [initial.positions, final.positions]
    return atoms_around(ends, initial.cell, GOLD, 3.2, pbc=initial.pbc, frozen=initial.constraints[0].index)


def test_gold_on_aluminium_vibrates_with_the_four_atoms_below(gold) -> None:
    document = gold[1]
    assert document.atoms == [8, 9, 10, 11, GOLD]
    assert document.cost.force_calls == 12 * 5
    assert (np.array(document.saddle) < 0).sum() == 1
    assert min(document.minimum) > 0.5
    assert document.attempt_frequency == pytest.approx(np.prod(document.minimum) / np.prod(document.saddle[1:]) * 1e12)
    assert 1e11 < document.attempt_frequency < 1e13
    again = AttemptFrequencyDoc.model_validate(json.loads(json.dumps(document, cls=MontyEncoder)))
    assert again == document


def test_the_frequencies_are_those_of_ase(gold, tmp_path: Path) -> None:
    barrier, document = gold
    highest = int(np.argmax(barrier.band.energies))
    for image, found in ((0, document.minimum), (highest, document.saddle)):
        structure = barrier.band.structure
        atoms = Atoms(
            [site.specie.symbol for site in structure],
            barrier.band.positions[image],
            cell=structure.lattice.matrix,
            pbc=structure.lattice.pbc,
            calculator=EMT(),
            masses=[float(site.specie.atomic_mass) for site in structure],
        )
        vibrations = Vibrations(atoms, indices=document.atoms, name=str(tmp_path / str(image)))
        vibrations.run()
        energies = vibrations.get_energies()  # eV, imaginary ones as such
        terahertz = np.sort((energies.real - energies.imag) / 4.135667696e-3)
        assert found == pytest.approx(terahertz.tolist(), abs=1e-3)


def test_the_atoms_below_make_gold_try_more_often(gold, tmp_path: Path) -> None:
    flow = AttemptFrequencyMaker(engine=MlipEngine(model="emt")).make(gold[0].band, [GOLD])
    alone = run(flow, tmp_path).output
    assert alone.cost.force_calls == 12
    assert alone.attempt_frequency == pytest.approx(1.33e12, rel=0.04)
    assert gold[1].attempt_frequency == pytest.approx(5.35e12, rel=0.06)  # 5.35 at 0.003 eV/Å


def test_a_state_that_is_no_saddle_gives_the_reason_and_no_number(gold, tmp_path: Path) -> None:
    band = gold[0].band.model_copy(deep=True)
    highest = int(np.argmax(band.energies))
    band.positions[highest] = band.positions[0]
    flow = AttemptFrequencyMaker(engine=MlipEngine(model="emt")).make(band, [GOLD])
    document = run(flow, tmp_path).output
    assert document.attempt_frequency is None
    assert document.reason.startswith("0 imaginary modes at the saddle, allowed: 1")


@pytest.mark.parametrize(
    ("change", "atoms", "message"),
    [
        ({"converged": False, "reason": "too few steps"}, [GOLD], "not converged: too few steps"),
        ({"energies": [0.0, -0.1, -0.2, -0.3, -0.4]}, [GOLD], "the highest image is an end"),
        ({}, [0, GOLD], "atoms: 0 is frozen or not there; allowed: one of the 5 free ones"),
        ({"name": "another"}, [GOLD], "the band and the forces are of different engines: name: another / "),
    ],
)
def test_a_flow_that_cannot_give_a_frequency_says_why(gold, tmp_path: Path, change, atoms, message) -> None:
    band = gold[0].band.model_copy(deep=True)
    if "name" in change:
        change = {"engine": band.engine.model_copy(update=change)}
    flow = AttemptFrequencyMaker(engine=MlipEngine(model="emt")).make(band.model_copy(update=change), atoms)
    assert message in " ".join(run(flow, tmp_path).failures.values())


def test_a_flow_without_an_atom_or_with_one_twice_is_refused() -> None:
    maker = AttemptFrequencyMaker(engine=MlipEngine(model="emt"))
    with pytest.raises(ValueError, match="atoms: none given"):
        maker.make(None, [])
    with pytest.raises(ValueError, match="atoms: one named twice"):
        maker.make(None, [GOLD, GOLD])
