"""Ends of hops are minima: symmetry is broken before they are relaxed, and a mode downhill is followed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from conftest import gold_on_aluminium
from jobflow import run_locally

from barriers import BarrierMaker, MlipEngine
from barriers.analysis.modes import lowest_modes
from barriers.documents import RelaxDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.mlip.jobs import RelaxMaker
from barriers.engines.mlip.minimum import to_minimum
from barriers.engines.mlip.models import ModelSpec
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import relax
from barriers.files.structures import to_structure
from barriers.structures.path.rattle import RATTLE, rattled

EMT_SPEC = ModelSpec("emt")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def gold_on_a_bridge() -> Atoms:
    """Au half way between two hollows of Al(100): by symmetry no force pulls it into one."""
    initial, final = gold_on_aluminium()
    initial.positions[-1] = (initial.positions[-1] + final.positions[-1]) / 2 + [0, 0, 0.4]
    return initial


def energy(atoms: Atoms) -> float:
    return relax(atoms, Evaluator(EMT_SPEC, None), 0.01, 300, Checkpoint("relax", atoms.positions.tolist())).energy


def test_a_structure_on_a_saddle_is_pushed_into_the_minimum_beside_it() -> None:
    bridge, evaluator = gold_on_a_bridge(), Evaluator(EMT_SPEC, None)
    stays = relax(bridge, evaluator, 0.01, 300, Checkpoint("relax", "stays"))
    assert stays.converged and stays.energy - energy(gold_on_aluminium()[0]) == pytest.approx(0.374, abs=0.002)
    before = evaluator.force_calls
    falls = to_minimum(bridge, evaluator, 0.01, 300, Checkpoint("relax", "falls"), lambda *at: Checkpoint("more", at))
    assert falls.converged and falls.energy == pytest.approx(energy(gold_on_aluminium()[0]), abs=1e-3)
    assert falls.force_calls == evaluator.force_calls - before


def test_a_structure_that_cannot_be_pushed_off_is_no_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.engines.mlip.minimum.MOST_PUSHES", 0)
    job = RelaxMaker(model=EMT_SPEC, fmax=0.01, end_state=True).make(to_structure(gold_on_a_bridge()))
    monkeypatch.setattr("barriers.engines.mlip.jobs.rattled", lambda atoms: atoms)
    document: RelaxDoc = run_locally(job, log=False)[job.uuid][1].output
    assert not document.converged
    assert document.reason is not None and document.reason.startswith("a mode still leads downhill")


def test_an_end_that_goes_on_is_followed_to_a_minimum_but_not_rattled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def relaxed(fmax: float, *inputs: Any, end_state: bool = False) -> RelaxDoc:
        job = RelaxMaker(model=EMT_SPEC, fmax=fmax, end_state=end_state).make(*inputs)
        document: RelaxDoc = run_locally(job, log=False)[job.uuid][1].output
        return document

    monkeypatch.setattr("barriers.engines.mlip.jobs.rattled", lambda _: pytest.fail("rattled"))
    bridge = to_structure(gold_on_a_bridge())
    before = relaxed(0.1, bridge)
    falls = relaxed(0.01, bridge, before, end_state=True)
    assert falls.converged and falls.went_on_from == "0.1 eV/Å"
    assert before.energy - falls.energy == pytest.approx(0.374, abs=0.01)


def test_ends_of_a_hop_are_rattled_and_no_others() -> None:
    initial, final = map(to_structure, gold_on_aluminium())
    maker = BarrierMaker(engine=MlipEngine(model="emt"))
    ends = [job.maker for job, _ in maker.make(initial, final).iterflow() if "relax" in job.name]
    assert [end.identity()["tolerances"]["rattle"] for end in ends] == [RATTLE, RATTLE]
    slab = MlipEngine(model="emt").relax(0.03, 100)
    assert slab.identity()["tolerances"] == {"fmax": 0.03}


def test_the_rattle_breaks_symmetry_and_depends_on_places_alone() -> None:
    crystal = bulk("Al", cubic=True).repeat(3)
    crystal.calc = EMT()
    assert np.abs(crystal.get_forces()).max() < 1e-6
    moved = rattled(crystal)
    moved.calc = EMT()
    assert np.linalg.norm(moved.get_forces(), axis=1).min() > 1e-3
    pushes = moved.positions - crystal.positions
    assert np.sqrt((pushes**2).sum(axis=1).mean()) == pytest.approx(RATTLE, rel=0.3)
    order = np.random.default_rng(1).permutation(len(crystal))
    other = crystal[order]
    other.positions += np.random.default_rng(2).integers(-2, 3, (len(crystal), 3)) @ crystal.cell.array
    assert rattled(other).positions - other.positions == pytest.approx(pushes[order], abs=1e-9)
    assert np.abs(rattled(crystal[:50]).positions - crystal[:50].positions - pushes[:50]).max() < 1e-12


def test_frozen_atoms_are_not_rattled() -> None:
    slab = gold_on_aluminium()[0]
    moved = rattled(slab).positions - slab.positions
    frozen = slab.constraints[0].index
    assert (moved[frozen] == 0).all()
    assert np.linalg.norm(np.delete(moved, frozen, axis=0), axis=1).min() > 0


@pytest.mark.parametrize("size", [3, 40, 120])
def test_the_lowest_modes_of_a_known_hessian(size: int) -> None:
    """Two are downhill; along the path it is not the lowest."""
    rng = np.random.default_rng(size)
    modes = np.linalg.qr(rng.normal(size=(size, size)))[0]
    values = np.concatenate([[-4.0, -2.0], rng.uniform(1, 40, size - 2)])
    hessian, asked = modes @ np.diag(values) @ modes.T, []

    def times(vector: np.ndarray) -> np.ndarray:
        asked.append(vector)
        return hessian @ vector

    start = modes[:, 0] + 0.3 * rng.normal(size=size) / np.sqrt(size)
    found = lowest_modes(times, start, 10, modes[:, 1])
    assert len(asked) == found.calls <= 10
    assert [np.linalg.norm(vector) for vector in asked] == pytest.approx([1.0] * found.calls)
    assert found.order == 2 and found.curvatures[:2] == pytest.approx([-4.0, -2.0], rel=0.02)
    assert (found.curvatures[:2] >= np.array([-4.0, -2.0]) - 1e-9).all()
    assert abs(found.vectors[0] @ modes[:, 0]) > 0.99


@pytest.mark.parametrize("along", [False, True])
@pytest.mark.parametrize("size", [3, 120])
def test_no_mode_leads_downhill_where_there_are_no_forces(size: int, along: bool) -> None:
    start = np.random.default_rng(0).normal(size=size)
    found = lowest_modes(np.zeros_like, start, 8, np.eye(size)[0] if along else None)
    assert found.order == 0 and 1 <= found.calls <= 8
    assert not found.curvatures.any() and np.linalg.norm(found.vectors, axis=1) == pytest.approx(1)
