"""Makers as other packages have them, and calculators of them that a model is named after."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ase.calculators.calculator import BaseCalculator
from ase.calculators.emt import EMT
from jobflow import Flow, Maker, Response, job
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers import as_calculator


@dataclass
class SinglePoint(Maker):
    """Evaluates once, with the atoms sorted by element, as input sets of VASP do."""

    name: str = "single point"
    moves: float = 0.0
    forces: bool = True

    @job
    def make(self, structure: Structure, prev_dir: str | None = None) -> Response:
        ordered = structure.get_sorted_structure(reverse=True)
        atoms = AseAtomsAdaptor.get_atoms(ordered)
        atoms.calc = EMT()
        output = SimpleNamespace(
            energy=atoms.get_potential_energy(),
            forces=atoms.get_forces(apply_constraint=False).tolist() if self.forces else None,
        )
        if self.moves:
            ordered.translate_sites([0], [0, 0, self.moves], frac_coords=False)
        return Response(output=SimpleNamespace(structure=ordered, output=output))


@dataclass
class TwoJobs(Maker):
    """Makes a flow."""

    name: str = "two"

    def make(self, structure: Structure) -> Flow:
        return Flow([SinglePoint().make(structure)])


def of_atomate2() -> Any:
    from atomate2.ase.jobs import EmtRelaxMaker

    return as_calculator(EmtRelaxMaker())


def of_single_points() -> BaseCalculator:
    return as_calculator(SinglePoint())
