"""Static and relaxation jobs of PySCF."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from typing import Any

from ase import Atoms
from jobflow import job
from pymatgen.core import Structure

from barriers.distribution import versions
from barriers.documents import CostDoc, EngineDoc, RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker, EngineMaker
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.mlip.relax import relax
from barriers.engines.pyscf.evaluator import MoleculeEvaluator
from barriers.engines.pyscf.method import Method
from barriers.structures.alone import charge_of, together, unpaired_electrons


@dataclass
class PyscfMaker(EngineMaker):
    """What the two makers share.

    Attributes
    ----------
    name : str
        Name of the job.
    method : Method
        What is computed.
    """

    name: str = "pyscf"
    method: Method = field(default_factory=Method)

    def rests_on(self, _elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings the numbers rest on; charge and spin are the structure's."""
        return {"engine": "pyscf", "settings": self.method.settings}

    def checkpoint(self, kind: str, *inputs: Any) -> Checkpoint:
        """State of a calculation, named after all that its numbers depend on."""
        return Checkpoint(kind, [*inputs, self.rests_on()])

    def molecule(self, structure: Structure) -> tuple[Atoms, MoleculeEvaluator]:
        """Give a molecule whole, and what evaluates it.

        Raises
        ------
        ValueError
            If it is no molecule alone in a box, cannot have its spin, or PySCF lacks something.
        """
        atoms = atoms_of(structure)
        atoms.set_positions(together(structure), apply_constraint=False)
        unpaired = unpaired_electrons(structure)
        self.method.check(sorted(structure.symbol_set))
        return atoms, MoleculeEvaluator(self.method, charge_of(structure), unpaired)

    def describe(self) -> EngineDoc:
        """Say what gives the numbers."""
        packages = versions("pyscf", "ase")
        with suppress(PackageNotFoundError):  # needed for dispersion alone
            packages |= versions("pyscf-dispersion")
        settings = self.method.settings
        return EngineDoc(
            kind="pyscf",
            name=settings.pop("functional"),
            version=packages["pyscf"],
            settings=settings,
            packages=packages,
        )


@dataclass
class StaticMaker(PyscfMaker):
    """Energy and forces of one molecule."""

    name: str = "static"

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        checkpoint = self.checkpoint("static", structure)
        atoms, evaluator = self.molecule(structure)
        (result,) = evaluator.evaluate([atoms])
        return StaticDoc(
            structure=structure,
            energy=result.energy,
            forces=result.forces.tolist(),
            cost=CostDoc(force_calls=1, wall_time=checkpoint.wall_time, scf_cycles=evaluator.cycles),
            engine=self.describe(),
        )


@dataclass
class RelaxMaker(BaseRelaxMaker, PyscfMaker):
    """Relaxation of one molecule with L-BFGS, frozen atoms held; a run that was killed goes on from its last point."""

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        atoms, evaluator = self.molecule(structure)
        cells = atoms.positions - structure.cart_coords
        result = relax(atoms, evaluator, self.fmax, self.max_steps, self.checkpoint("relax", structure, self.fmax))
        relaxed = at_positions(structure, result.atoms.positions - cells)
        return result.document(relaxed, self.fmax, self.describe(), evaluator.cycles)
