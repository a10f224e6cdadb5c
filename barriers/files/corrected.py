"""The corrected surface of a barrier, as an ASE calculator for other programs."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from barriers.analysis.surrogate.rounds import CorrectedSurface
from barriers.documents import BarrierDoc, SurrogateDoc
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.mlip import MlipEngine
from barriers.engines.surrogate.frame import Frame, ModelSurface
from barriers.engines.surrogate.points import attempts_of
from barriers.structures.path.mapping import unwrap

SAME_ENERGY = 1e-3
"""The surface gives an image the energy that the document says, within this (eV)."""

SAME_CELL = 1e-4
"""Cells alike to this (Å) are one."""


def corrected_calculator(barrier: BarrierDoc, engine: MlipEngine | None = None) -> Calculator:
    """Make the ASE calculator of the surface that a barrier was found on: the model, corrected at points of the engine.

    It is worth most near the points; far from them it is the model, shifted.

    Parameters
    ----------
    barrier : BarrierDoc
        A barrier of ``neb: surrogate``, converged or not.
    engine : MlipEngine or None
        The embedded engine with the model; the one of that name if None.

    Returns
    -------
    Calculator
        Energy (eV, that of the engine) and forces (eV/Å) of the barrier's atoms in their order, wrapped or not. Frozen
        atoms have the model's forces.

    Raises
    ------
    ValueError
        In one line, if the barrier is not a corrected one, or the surface is not the one that the document tells of.
    """
    rests_on = barrier.band.surrogate
    if rests_on is None or not any(point.reason is None for point in rests_on.points):
        raise ValueError(f"barrier {barrier.system}: rests on no points; allowed: one of engine.neb: surrogate")
    calculator = CorrectedCalculator(barrier, rests_on, engine or MlipEngine(rests_on.model.name, workers=1))
    if rests_on.forward is not None:
        _check(barrier, rests_on, calculator)
    return calculator


def _check(barrier: BarrierDoc, rests_on: SurrogateDoc, calculator: Calculator) -> None:
    """Refuse a model, or a version of the mathematics, that gives other numbers than the document's.

    They would differ most at the image that is known least: next to a point, any model is corrected to the same.
    """
    image = int(np.argmax(rests_on.deviations))
    atoms = atoms_of(at_positions(barrier.band.structure, barrier.band.positions[image]))
    off = abs(calculator.get_potential_energy(atoms) - (barrier.band.energies[image] or 0.0))
    if off > SAME_ENERGY:
        of_model = f"{rests_on.model.name} {rests_on.model.version}, SHA-256 of its weights {rests_on.model.checksum}"
        raise ValueError(
            f"engine: gives image {image} an energy {1000 * off:.0f} meV from the document's, which had {of_model}; "
            "allowed: that model, with the version of barriers that wrote the document"
        )


class CorrectedCalculator(Calculator):
    """A model and its correction; see :func:`corrected_calculator`."""

    implemented_properties = ("energy", "forces")

    def __init__(self, barrier: BarrierDoc, rests_on: SurrogateDoc, engine: MlipEngine) -> None:
        super().__init__()
        self._model, self._frame = engine.static(), Frame(barrier.band.structure)
        self._path = [atoms_of(at_positions(barrier.band.structure, image)) for image in barrier.band.positions]
        self._surface = CorrectedSurface(
            ModelSurface(self._model, self._frame), attempts_of(rests_on.points, self._frame)
        )

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy and forces.

        Raises
        ------
        ValueError
            If the atoms are not those of the barrier, in their order and cell.
        """
        super().calculate(atoms, properties, system_changes)
        own = self._path[0]
        alike = np.array_equal(self.atoms.numbers, own.numbers) and np.allclose(
            self.atoms.cell, own.cell, atol=SAME_CELL
        )
        if not alike:
            raise ValueError(f"atoms: {self.atoms.symbols}, other atoms or another cell; allowed: those of the band")
        (of_model,) = self._model.evaluator.evaluate([self.atoms])
        energy, forces = self._surface.process(self._frame.flat(self._unwrapped()))
        self.results = {"energy": of_model.energy + energy, "forces": of_model.forces + self._frame.forces(forces)}

    def _unwrapped(self) -> np.ndarray:
        """Positions (Å, shape (N, 3)) in the periodic images nearest to those of the band, whichever of its images."""
        moved = [(unwrap(self.atoms.positions, image), image.positions) for image in self._path]
        nearest, _ = min(moved, key=lambda pair: float(np.linalg.norm(pair[0] - pair[1])))
        return nearest
