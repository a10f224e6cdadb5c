"""A barrier from a model's band, corrected at single points: what it costs, how sure it is, and when it is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from conftest import ROOT, gold_on_aluminium
from corrected import NEAR, TRUTH, corrector, evaluated, flaky, gold, ran
from flaky_emt import called
from jobflow import Flow
from pymatgen.core import Lattice, Structure, SymmOp

from barriers import AttemptFrequencyMaker, BarrierMaker, EspressoEngine, MlipEngine, SurrogateEngine, run
from barriers.analysis.surrogate.rounds import SMALLEST_RADIUS
from barriers.dispatch.status import LocalStatus, grouped
from barriers.documents import BarrierDoc, EndDoc
from barriers.engines.common import atoms_of
from barriers.files.structures import to_structure
from barriers.structures.path.twin import twin_of


@pytest.fixture(scope="module")
def barrier(tmp_path_factory: pytest.TempPathFactory) -> BarrierDoc:
    """The corrected barrier, run once."""
    return run(gold(corrector()), tmp_path_factory.mktemp("gold")).output


def test_it_is_the_barrier_of_the_engine_from_a_tenth_of_its_evaluations(barrier: BarrierDoc, tmp_path: Path) -> None:
    initial, final = map(to_structure, gold_on_aluminium())
    plain = {
        model: run(BarrierMaker(engine=MlipEngine(model=model), fmax=0.01).make(initial, final), tmp_path / model[:3])
        for model in ("emt", NEAR)
    }
    truth, of_model = plain["emt"].output.forward, plain[NEAR].output.forward
    assert truth == pytest.approx(TRUTH, abs=1e-3)
    assert abs(of_model - truth) > 0.05
    assert barrier.converged
    assert barrier.forward == pytest.approx(truth, abs=0.01)
    assert barrier.reverse == pytest.approx(truth, abs=0.01)
    assert sum(barrier.points.values()) <= plain["emt"].force_calls / 10


def test_what_it_says_of_itself_adds_up(barrier: BarrierDoc) -> None:
    rests_on = barrier.band.surrogate
    assert barrier.uncertainty == pytest.approx(np.linalg.norm(list(barrier.uncertainty_parts.values())))
    assert abs(barrier.forward - TRUTH) < 3 * barrier.uncertainty < 0.03
    on_model = atoms_of(barrier.band.structure)
    on_model.calc, heights = EMT(), []
    for positions in (rests_on.model_positions[0], rests_on.model_positions[np.argmax(rests_on.model_energies)]):
        on_model.set_positions(positions, apply_constraint=False)
        heights.append(on_model.get_potential_energy())
    assert barrier.raw == pytest.approx(heights[1] - heights[0], abs=0.015)
    assert sum(barrier.points.values()) == len(rests_on.points) == barrier.cost.force_calls
    assert rests_on.rounds[-1].points == len(rests_on.points)
    assert rests_on.rounds[-1].forward == pytest.approx(barrier.forward, abs=1e-6)
    assert len(rests_on.deviations) == len(rests_on.model_energies) == len(barrier.band.energies)
    assert rests_on.deviations[0] == 0
    assert barrier.band.engine.name == "emt"
    assert rests_on.model.name == NEAR


def test_the_band_lies_on_one_surface_with_its_saddle_and_its_ends(barrier: BarrierDoc) -> None:
    band = barrier.band
    energies, forces = np.array(band.energies), np.array(band.forces)
    top = int(energies.argmax())
    assert energies[top] - energies[0] == pytest.approx(barrier.forward, abs=1e-6)
    assert np.abs(forces[[0, top, -1]]).max() < 0.05
    frozen = [not any(free) for free in band.structure.site_properties["selective_dynamics"]]
    moved = np.ptp(np.array(band.positions)[:, frozen], axis=0)
    assert moved.max() < 1e-6


def test_a_second_run_asks_for_nothing_and_more_points_use_those_that_are_there(tmp_path: Path) -> None:
    few, ended = ran(gold(corrector(points=6), uneven=True), tmp_path)
    assert not few.output.converged
    assert few.output.forward is None
    assert "raise engine.points" in few.output.reason
    assert few.output.points == {"initial": 2, "final": 2}
    spent = evaluated(ended)
    more, ended = ran(gold(corrector(points=11), uneven=True), tmp_path)
    assert more.output.converged
    assert not set(spent) & set(evaluated(ended))
    assert len(spent) + len(evaluated(ended)) == sum(more.output.points.values())
    (shown,) = grouped(LocalStatus(tmp_path)())
    assert shown.barrier == pytest.approx(more.output.forward, abs=1e-6)
    again, ended = ran(gold(corrector(points=11), uneven=True), tmp_path)
    assert evaluated(ended) == []
    assert again.force_calls == 0
    assert again.output.forward == more.output.forward


def test_two_hops_share_the_points_of_the_end_they_share(tmp_path: Path) -> None:
    initial, final = gold_on_aluminium()
    other = initial.copy()
    other.positions[-1, 1] += initial.cell[1, 1] / 2
    folder, spent = tmp_path / "shared", []
    for end in (final, other):
        flow = BarrierMaker("gold", engine=corrector()).make(to_structure(initial), to_structure(end))
        outcome, ended = ran(flow, folder)
        assert outcome.output.forward == pytest.approx(TRUTH, abs=0.01)
        spent.append(evaluated(ended))
    assert any("initial" in name for name in spent[0])
    assert not any("initial" in name for name in spent[1])


def test_a_killed_run_loses_one_point_and_gives_the_same_barrier(tmp_path: Path) -> None:
    text = (
        "import sys; from pathlib import Path; from corrected import *; from barriers import run\n"
        "print(repr(run(gold(corrector(flaky(Path(sys.argv[1]), seconds=0.1))), sys.argv[2]).output.forward))"
    )
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()

    def start() -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        command = [sys.executable, "-c", text, str(killed), str(killed / "results")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": paths})

    first = start()
    while len(called(killed)) < 4:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    again = float(start().communicate(timeout=120)[0])
    assert again == run(gold(corrector(flaky(whole))), whole / "results").output.forward
    assert len(called(whole)) <= len(called(killed)) <= len(called(whole)) + 1


def test_a_point_that_fails_is_missing_and_two_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    outcome, ended = ran(gold(corrector(flaky(tmp_path / "one", fail=[2]), points=15)), tmp_path / "one" / "results")
    failed = [name for name, event in ended.items() if event.state == "failed"]
    assert failed == ["gold: point saddle 2"]
    assert outcome.output.forward == pytest.approx(TRUTH, abs=0.01)
    lost = [point for point in outcome.output.band.surrogate.points if point.reason]
    assert [(point.kind, point.round, point.energy) for point in lost] == [("saddle", 2, None)]
    (tmp_path / "two").mkdir()
    outcome, ended = ran(gold(corrector(flaky(tmp_path / "two", fail=[2, 3]), points=15)), tmp_path / "two" / "results")
    assert outcome.output.forward is None
    assert "2 of 3 points failed" in outcome.output.reason
    assert called(tmp_path / "two").count("saddle") == 3


def test_the_first_point_of_a_saddle_may_fail(tmp_path: Path) -> None:
    outcome, _ = ran(gold(corrector(flaky(tmp_path, fail=[1]), points=15)), tmp_path / "results")
    first, second = (
        point for point in outcome.output.band.surrogate.points if point.kind == "saddle" and point.round < 3
    )
    assert 0.05 < np.linalg.norm(np.subtract(first.positions, second.positions)) < 0.3
    assert outcome.output.forward == pytest.approx(TRUTH, abs=0.01)


def test_a_spin_that_flips_is_not_used_and_the_next_point_is_nearer(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    outcome, _ = ran(gold(corrector(flaky(tmp_path / "one", flip=[2]), points=15)), tmp_path / "one" / "results")
    first, flipped, again = (
        point for point in outcome.output.band.surrogate.points if point.kind == "saddle" and point.round < 4
    )
    assert "spin flipped: atom 0 from 1.00 to -1.00" in flipped.reason
    assert again.reason is None
    steps = [np.linalg.norm(np.subtract(point.positions, first.positions)) for point in (flipped, again)]
    assert steps[1] <= max(0.5 * steps[0], SMALLEST_RADIUS) + 1e-3
    assert outcome.output.forward == pytest.approx(TRUTH, abs=0.01)
    (tmp_path / "two").mkdir()
    outcome, _ = ran(gold(corrector(flaky(tmp_path / "two", flip=[2, 3]), points=15)), tmp_path / "two" / "results")
    assert outcome.output.forward is None
    assert "spin flipped" in outcome.output.reason
    assert "twice" in outcome.output.reason


def test_a_wrong_model_is_refused_after_one_point(tmp_path: Path) -> None:
    outcome, ended = ran(gold(corrector(prior="near_emt:FarEMT", points=7)), tmp_path)
    assert evaluated(ended) == ["gold: point initial 1"]
    assert outcome.output.forward is None
    assert "the model is wrong here" in outcome.output.reason
    assert "set engine.prior" in outcome.output.reason


def test_a_whole_band_follows_where_the_points_do_not_suffice(tmp_path: Path) -> None:
    outcome, ended = ran(gold(corrector(points=6, uncertainty=0.001, then_band=True)), tmp_path / "few")
    assert outcome.output.forward == pytest.approx(TRUTH, abs=0.005)
    assert outcome.output.correction is None
    assert set(outcome.output.uncertainty_parts) == {"fit", "tolerance", "ends"}  # the band's own
    assert outcome.output.uncertainty == pytest.approx(np.linalg.norm([*outcome.output.uncertainty_parts.values()]))
    assert any("the corrected band was not converged" in line for line in outcome.output.warnings)
    assert ended["gold: band carried"].force_calls > 10
    assert sum(outcome.output.points.values()) <= 6
    outcome, ended = ran(gold(corrector(then_band=True)), tmp_path / "enough")
    assert outcome.output.correction is not None
    assert set(outcome.output.uncertainty_parts) == {"correction", "relaxation", "tolerance"}
    assert ended["gold: band carried"].force_calls == ended["gold: relax on initial"].force_calls == 0


def test_an_end_is_a_relaxed_structure_with_its_points(tmp_path: Path) -> None:
    maker = BarrierMaker("gold", engine=corrector())
    initial, _ = map(to_structure, gold_on_aluminium())
    scout = maker.scout()
    assert scout is not None
    relaxed = scout.relax_endpoint(initial, "initial")
    flow = maker.relax_endpoint(relaxed.output, "initial")
    end = run(Flow([relaxed, flow], output=flow.output), tmp_path).output
    assert isinstance(end, EndDoc)
    assert end.converged
    truth = run(
        Flow([job := MlipEngine(model="emt").relax(0.005, 500).make(initial)], output=job.output), tmp_path
    ).output
    assert end.energy == pytest.approx(truth.energy, abs=0.003)
    assert np.abs(end.structure.cart_coords - truth.structure.cart_coords).max() < 0.05


def test_an_end_that_is_the_other_by_symmetry_takes_one_point(barrier: BarrierDoc, tmp_path: Path) -> None:
    assert barrier.points["final"] == 1 < barrier.points["initial"]
    assert barrier.forward == pytest.approx(barrier.reverse, abs=0.002)
    outcome, _ = ran(gold(corrector(), uneven=True), tmp_path)
    assert outcome.output.points["final"] > 1


def test_a_twin_is_found_whatever_the_order_of_its_atoms_and_the_way_it_is_turned() -> None:
    rng = np.random.default_rng(3)
    cell = Lattice([[5, 0, 0], [0.3, 6, 0], [0.2, 0.1, 7]])
    one = Structure(cell, ["Li", "Co", "O", "O", "O"], rng.random((5, 3)))
    order = rng.permutation(5)
    turned = SymmOp.from_rotation_and_translation(rng.permutation(np.eye(3)) * [1, -1, 1], [0.3, 0.1, 0.7])
    other = one.copy()
    other.apply_operation(turned)
    other = Structure.from_sites([other[number] for number in order])
    twin = twin_of(one, other)
    assert twin is not None
    moved = rng.normal(size=(5, 3))
    assert twin.of(moved) == pytest.approx((moved @ turned.rotation_matrix.T)[order], abs=1e-6)
    other.perturb(0.3, seed=1)
    assert twin_of(one, other) is None


def test_no_job_takes_the_result_of_another_kind_for_its_own() -> None:
    keys: dict[str, set[str]] = {}
    engine = corrector()
    for makers in (engine.end(0.03), engine.saddle(0.05, 0.3, 300, 1.0)):
        for maker in makers:
            keys.setdefault(str(maker.identity(["Al", "Au"])["computes"]), set()).add(type(maker).__name__)
    assert all(len(names) == 1 for names in keys.values())
    assert len(keys) == 4


def test_a_model_that_fails_leaves_a_gap_and_asks_for_no_point(tmp_path: Path) -> None:
    outcome, ended = ran(gold(corrector(prior="flat:Broken", points=6)), tmp_path / "results")
    assert outcome.output is None
    assert evaluated(ended) == []
    assert ended["gold: propose initial 1"].message.startswith("ValueError: scouted: is not there")


def test_only_barriers_are_corrected() -> None:
    with pytest.raises(ValueError, match=r"^engine: SurrogateEngine gives barriers alone; allowed: its "):
        AttemptFrequencyMaker(engine=corrector())
    with pytest.raises(ValueError, match=r"^prior: EspressoEngine is no model; allowed: MlipEngine"):
        SurrogateEngine(MlipEngine(model="emt"), EspressoEngine())
    with pytest.raises(ValueError, match=r"^points: 5 does not fit; allowed: 6 to 60$"):
        corrector(points=5)
    with pytest.raises(ValueError, match=r"^engine\.prior: is the engine's own model; allowed: another one$"):
        corrector(MlipEngine(model="emt"), prior="emt").check()
    with pytest.raises(ValueError, match=r"^engine\.prior: model 'near_emt:Farther' cannot be imported: "):
        corrector(prior="near_emt:Farther").check()
