"""Relaxing a crystal: its cell and its ions at once, with the embedded engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import all_changes
from ase.constraints import FixSymmetry
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.optimize import LBFGS
from jobflow import job
from pymatgen.core import Lattice, Structure

from barriers.analysis.forces import largest_force
from barriers.documents import CellDoc, CostDoc
from barriers.engines.base import BaseRelaxMaker
from barriers.engines.common import atoms_of
from barriers.engines.mlip.jobs import MlipMaker
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import MAX_STEP, EvaluatorCalculator
from barriers.structures.crystal import SYMPREC

STIFFNESS = 50.0
"""First guess of the Hessian's diagonal (eV/Å²), for ions and cell."""

STRESS = 0.05
"""Largest stress at the end (GPa): a strain of less than 0.001 in a layered oxide."""


class StressCalculator(EvaluatorCalculator):
    """Gives the stress, too."""

    implemented_properties = ("energy", "forces", "stress")
    needed_by: ClassVar[str] = "crystal.relax needs one; allowed there: false"
    evaluator: Evaluator

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy, forces and stress."""
        super(EvaluatorCalculator, self).calculate(atoms, properties, system_changes)
        (result,) = self.evaluator.evaluate([self.atoms], stress=True)
        if result.stress is None:
            name = self.evaluator.spec.name
            raise RuntimeError(f"model {name} gives no stress: {self.needed_by}")
        self.results = {"energy": result.energy, "forces": result.forces, "stress": result.stress}


class HexagonalCalculator(StressCalculator):
    """Gives the stress that strains a hexagonal cell to a hexagonal one, c along z: the same along all of the plane."""

    needed_by: ClassVar[str] = "cathode.relax needs one, or a and c of the study's own"

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy, forces and stress."""
        super().calculate(atoms, properties, system_changes)
        stress = np.array(self.results["stress"])
        plane, normal = stress[:2].mean(), stress[2]
        self.results["stress"] = np.array([plane, plane, normal, 0.0, 0.0, 0.0])


@dataclass
class CellMaker(BaseRelaxMaker, MlipMaker):
    """Relaxation of cell and ions of a hexagonal crystal, c along z, which stays hexagonal.

    Attributes
    ----------
    stress : float
        Largest stress at the end (GPa).
    """

    name: str = "relax cell"
    stress: float = STRESS
    computes: ClassVar[str] = "relax cell/1"
    calculator: ClassVar[type[StressCalculator]] = HexagonalCalculator
    cell_filter: ClassVar[Any] = UnitCellFilter

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {"fmax": self.fmax, "stress": self.stress}

    @job(output_schema=CellDoc)
    def make(self, structure: Structure) -> CellDoc:
        """Relax cell and ions of ``structure``."""
        return self.relaxed(structure)

    def free(self, atoms: Atoms) -> Atoms:
        """Give the atoms with what is to hold of them."""
        return atoms

    def told(self, stress: np.ndarray) -> tuple[float, ...]:
        """Give of a stress (6,) what is said of it: in the plane and along c."""
        return float(stress[0]), float(stress[2])

    def relaxed(self, structure: Structure) -> CellDoc:
        """Relax cell and ions of a structure."""
        checkpoint = self.checkpoint("cell", structure, self.fmax, self.stress)
        evaluator = self.evaluator
        atoms = self.free(atoms_of(structure))
        atoms.calc = self.calculator(evaluator)
        before, steps, first = 0, 0, evaluator.force_calls
        built = None
        if state := checkpoint.load():
            atoms.set_cell(state["cell"], apply_constraint=False)
            atoms.set_positions(state["positions"], apply_constraint=False)
            before, steps, built = state["force_calls"], state["steps"], state["built"]
        optimizer = LBFGS(self.cell_filter(atoms), logfile=None, maxstep=MAX_STEP, alpha=STIFFNESS)
        last = steps + self.max_steps
        while True:
            forces, stress = atoms.get_forces(), atoms.get_stress() / units.GPa
            built = built or self.told(stress)
            max_force, max_stress = largest_force(forces), float(np.abs(stress).max())
            calls = before + evaluator.force_calls - first
            kept = {"cell": np.array(atoms.cell), "positions": atoms.positions, "built": built}
            said = {"iteration": steps, "max_force": max_force, "target": self.fmax, "force_calls": calls}
            checkpoint.save(kept | {"steps": steps, "force_calls": calls}, said | {"stress": max_stress})
            done = max_force <= self.fmax and max_stress <= self.stress
            if done or steps >= last:
                break
            optimizer.step()
            steps += 1
        reason = f"{max_force:.3f} eV/Å and {max_stress:.2f} GPa after {steps} steps, {self.fmax:g} and {self.stress:g}"
        return CellDoc(
            structure=Structure(
                Lattice(atoms.cell.array), structure.species, atoms.positions, coords_are_cartesian=True
            ),
            energy=atoms.get_potential_energy(),
            forces=forces.tolist(),
            converged=done,
            reason=None if done else f"{reason} asked for",
            max_force=max_force,
            fmax=self.fmax,
            steps=steps,
            stress_before=built,
            stress=self.told(stress),
            cost=CostDoc(force_calls=calls, earlier_force_calls=before, wall_time=checkpoint.wall_time),
            engine=self.describe(),
        )


@dataclass
class CrystalCellMaker(CellMaker):
    """Relaxation of cell and ions of any crystal, which keeps its symmetry."""

    computes: ClassVar[str] = "relax crystal/1"
    calculator: ClassVar[type[StressCalculator]] = StressCalculator
    cell_filter: ClassVar[Any] = FrechetCellFilter

    def free(self, atoms: Atoms) -> Atoms:
        """Hold the symmetry, and nothing else."""
        atoms.set_constraint(FixSymmetry(atoms, symprec=SYMPREC))
        return atoms

    def told(self, stress: np.ndarray) -> tuple[float, ...]:
        """Give all six numbers."""
        return tuple(map(float, stress))
