"""Relaxing one structure, its frozen atoms and its cell fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import LBFGS
from pymatgen.core import Structure

from barriers.analysis.forces import largest_force
from barriers.documents import CostDoc, EngineDoc, RelaxDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.mlip.models import Evaluation
from barriers.engines.mlip.secants import Secants

MAX_STEP = 0.1
"""Longest move of an atom in one step (Å)."""

STIFFNESS = 15.0
"""First guess of the Hessian's diagonal (eV/Å²): a lattice has 50, a molecule on it far less.

With 50 a slab takes 21 evaluations instead of 11, PVDF that stands off it 117 instead of 11; with 5 that takes 34.
"""

SOFT = 0.2
"""The energy left may be that of a mode of this stiffness (eV/Å²) at the largest force: 2 meV at 0.03 eV/Å.

Force alone stops a molecule that slides over a surface anywhere on its way: 14 meV apart in two runs of one study.
"""


class Evaluates(Protocol):
    """What gives energies and forces, and counts how often."""

    force_calls: int

    def evaluate(self, structures: Sequence[Atoms]) -> list[Evaluation]:
        """Evaluate structures."""


class EvaluatorCalculator(Calculator):
    """Puts what :class:`Evaluates` behind ASE's calculator interface."""

    implemented_properties: tuple[str, ...] = ("energy", "forces")

    def __init__(self, evaluator: Evaluates) -> None:
        super().__init__()
        self.evaluator = evaluator

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy and forces."""
        super().calculate(atoms, properties, system_changes)
        (result,) = self.evaluator.evaluate([self.atoms])
        self.results = {"energy": result.energy, "forces": result.forces}


@dataclass
class Relaxed:
    """Outcome of :func:`relax`; ``downhill`` if a mode is known that leads further down."""

    atoms: Atoms
    energy: float
    forces: np.ndarray
    max_force: float
    energy_left: float
    converged: bool
    steps: int
    force_calls: int
    earlier_force_calls: int
    wall_time: float
    downhill: bool = False

    def reason(self, fmax: float) -> str | None:
        """Say why it is not relaxed to ``fmax`` (eV/Å); None if it is."""
        if self.converged:
            return None
        if self.downhill:
            return f"a mode still leads downhill after {self.steps} steps: no minimum"
        if self.max_force <= fmax:
            return f"{1000 * self.energy_left:.0f} meV above a minimum after {self.steps} steps"
        return f"{self.max_force:.3f} eV/Å after {self.steps} steps, {fmax:g} asked for"

    @property
    def cost(self) -> CostDoc:
        """What it cost, earlier runs included."""
        return CostDoc(
            force_calls=self.force_calls, earlier_force_calls=self.earlier_force_calls, wall_time=self.wall_time
        )

    def document(self, structure: Structure, fmax: float, engine: EngineDoc, scf_cycles: int = 0) -> RelaxDoc:
        """Say it as a job does, with ``structure`` at the positions that were found, for a force of ``fmax`` (eV/Å)."""
        return RelaxDoc(
            structure=structure,
            energy=self.energy,
            forces=self.forces.tolist(),
            converged=self.converged,
            reason=self.reason(fmax),
            max_force=self.max_force,
            energy_left=self.energy_left,
            fmax=fmax,
            steps=self.steps,
            cost=self.cost.model_copy(update={"scf_cycles": scf_cycles}),
            engine=engine,
        )


def relax(atoms: Atoms, evaluator: Evaluates, fmax: float, max_steps: int, checkpoint: Checkpoint) -> Relaxed:
    """Relax with L-BFGS until the largest force is below ``fmax`` and little energy is left.

    For a slab with a bonded fragment it takes about half the evaluations of FIRE and ends lower.

    Parameters
    ----------
    atoms : Atoms
        Start; its constraints are kept.
    evaluator : Evaluates
        The model.
    fmax : float
        Tolerance (eV/Å) on atoms that may move; with :data:`SOFT` one on the energy too.
    max_steps : int
        Most steps in this run.
    checkpoint : Checkpoint
        Where the state is kept; an earlier run's state is taken up.
    """
    atoms = atoms.copy()
    atoms.calc = EvaluatorCalculator(evaluator)
    optimizer = LBFGS(atoms, logfile=None, maxstep=MAX_STEP, alpha=STIFFNESS)
    calls_before, steps, calls_at_start, secants = 0, 0, evaluator.force_calls, Secants()
    if state := checkpoint.load():
        atoms.positions = state["positions"]
        calls_before, steps = state["force_calls"], state["steps"]
        secants = Secants(state.get("secants"))
    last = steps + max_steps
    while True:
        max_force = largest_force(atoms.get_forces())
        secants.add(atoms)
        energy, forces = atoms.get_potential_energy(), atoms.get_forces(apply_constraint=False)
        force_calls = calls_before + evaluator.force_calls - calls_at_start
        checkpoint.save(
            {"positions": atoms.positions, "steps": steps, "force_calls": force_calls, "secants": secants.state},
            {
                "iteration": steps,
                "max_force": max_force,
                "target": fmax,
                "energy": energy,
                "force_calls": force_calls,
            },
        )
        converged = max_force <= fmax and secants.energy_left() <= fmax**2 / (2 * SOFT)
        if converged or steps >= last:
            break
        optimizer.step()
        steps += 1
    wall_time = checkpoint.wall_time
    return Relaxed(
        atoms,
        energy,
        forces,
        max_force,
        secants.energy_left(),
        converged,
        steps,
        force_calls,
        calls_before,
        wall_time,
    )
