"""A calculator of layered oxides in hexagonal cells whose best lattice is known: springs, no chemistry."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

A, C = 2.9, 14.0
"""Lattice without stress (Å)."""

STIFF = np.array([4.0, 4.0, 3.0])
"""Spring constants of the cell along x, y and z (eV an atom)."""


class Springs(Calculator):
    """Energy of the cell's logarithmic strain against A and C, twelve sites a hexagonal cell; no force on any ion."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        repeats = round(np.sqrt(len(self.atoms) / 12 + 0.2))
        x, y, z = self.atoms.cell.cellpar()[0] / repeats, self.atoms.cell[1, 1] / repeats, self.atoms.cell[2, 2]
        strain = np.log(np.array([x, y, z]) / [A, A * np.sqrt(3) / 2, C])
        stress = len(self.atoms) * STIFF * strain / self.atoms.get_volume()
        self.results = {
            "energy": float(len(self.atoms) * (STIFF * strain**2).sum() / 2),
            "forces": np.zeros((len(self.atoms), 3)),
            "stress": np.array([*stress, 0.0, 0.0, 0.0]),
        }


class Stressless(Springs):
    """The same without a stress."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results.pop("stress")
