"""Relaxations: when they are over, and what they do when stopped on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms
from conftest import gold_on_aluminium

from barriers.engines.checkpoint import Checkpoint
from barriers.engines.mlip.models import ModelSpec
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import SOFT, Relaxed, relax

EMT_SPEC, TETHERED = ModelSpec("emt"), ModelSpec("test_relaxation:Tethered")
FMAX = 0.03


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def vacancy() -> Atoms:
    """A vacancy in a rattled crystal of aluminium, its lowest layers frozen."""
    crystal = bulk("Al", cubic=True) * (3, 3, 3)
    crystal.rattle(0.02, seed=1)
    del crystal[60]
    crystal.set_constraint(FixAtoms(indices=[atom.index for atom in crystal if atom.z < 3]))
    return crystal


def tethered(away: float) -> Atoms:
    """The molecule of :class:`Tethered` so far (Å) from its place."""
    atoms = molecule("C6H6")
    atoms.positions[:, 0] += away
    return atoms


def relaxed(atoms: Atoms, steps: int = 300, name: str = "it", fmax: float = FMAX) -> Relaxed:
    return relax(atoms, Evaluator(EMT_SPEC, None), fmax, steps, Checkpoint("relax", name))


def test_a_relaxation_that_was_stopped_ends_in_the_same_place() -> None:
    at_once = relaxed(vacancy(), name="at once")
    stopped = relaxed(vacancy(), steps=4, name="stopped")
    assert not stopped.converged and stopped.force_calls == 5
    resumed = relaxed(vacancy(), name="stopped")
    assert resumed.converged and resumed.earlier_force_calls == stopped.force_calls
    assert resumed.energy == pytest.approx(at_once.energy, abs=2e-3)


def test_frozen_atoms_stay_and_the_energy_is_the_models_own() -> None:
    start = vacancy()
    frozen = start.constraints[0].index
    result = relaxed(start)
    assert (result.atoms.positions[frozen] == start.positions[frozen]).all()
    (asked,) = Evaluator(EMT_SPEC, None).evaluate([result.atoms])
    assert result.energy == pytest.approx(asked.energy, abs=1e-9)


class Tethered(Calculator):
    """Atoms of a molecule on stiff springs to their places in it, and the whole on a soft one along x."""

    implemented_properties = ("energy", "forces")
    stiff, soft = 30.0, 0.05  # eV/Å²

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        places = molecule("C6H6").positions
        whole = (self.atoms.positions - places).mean(axis=0)
        apart = self.atoms.positions - places - whole
        pulls = len(places) * self.soft * whole
        self.results = {
            "energy": float((self.stiff * apart**2).sum() + len(places) * self.soft * (whole**2).sum()) / 2,
            "forces": -self.stiff * apart - pulls / len(places),
        }


def test_a_soft_mode_is_followed_although_no_force_is_large() -> None:
    """Half an ångström from its place no atom feels more than 0.025 eV/Å, but 75 meV are left."""
    start, evaluator = tethered(0.5), Evaluator(TETHERED, None)
    result = relax(start, evaluator, FMAX, 300, Checkpoint("relax", "soft"))
    assert result.converged and result.energy < 1.5 * FMAX**2 / (2 * SOFT)
    one_step = relax(start, evaluator, FMAX, 1, Checkpoint("relax", "one step"))
    assert not one_step.converged and one_step.energy_left > FMAX**2 / (2 * SOFT)


def test_an_adsorbed_atom_ends_in_one_place_from_any_start() -> None:
    levels = []
    for away in (0.05, 0.2, 0.4):
        atoms = gold_on_aluminium()[0]
        atoms.positions[-1] += [away, -away / 2, away / 3]
        levels.append(relaxed(atoms, name=str(away)).energy)
    assert np.ptp(levels) < 2e-3
