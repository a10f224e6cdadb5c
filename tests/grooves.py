"""A potential whose barrier is known: lithium along rows of NCM811's (104) slab, over hills that thick slabs lower."""

from __future__ import annotations

from math import exp, pi
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

STEP, ROWS, HEIGHT = 2.872, 5.779471, 2.037014
"""Distance of lithium along a row, of the rows, and of the layers (Å)."""

TOP, BOTTOM = (1.436, 1.5441), 1.069
"""Lithium's place in the topmost layer (x and y), and its height in the lowest (Å)."""

SIDE = 1.4275
"""How far a layer lies aside of the one above it, across the rows (Å); along them by half a step."""

SITES = np.array([2, 4, 1])
"""Sites of metals and oxygen between two of lithium, along a row, across it and along the normal."""


def hill(layers: int) -> float:
    """Barrier (eV) of every hop along a row: 22, 8, 3 meV higher with 4, 5, 6 layers than with many."""
    return 0.3 + 1.0 * exp(0.2 - layers)


class Grooves(Calculator):
    """Each lithium alone in waves along the row, across it and along the normal; other atoms in hollows of 1 eV."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        symbols = np.array(self.atoms.get_chemical_symbols())
        repeats = [round(length / step) for length, step in zip(self.atoms.cell.lengths(), (STEP, ROWS), strict=False)]
        layers = round((symbols == "O").sum() / (2 * repeats[0] * repeats[1]))
        along, across = (self.atoms.cell.lengths()[:2] / repeats).tolist()
        ions = symbols == "Li"
        # Layers from the top, linear in the height, so that lithium's places are those where all phases are whole.
        waves = np.array([[1 / along, 0, 0.5 / HEIGHT], [0, 1 / across, -SIDE / across / HEIGHT], [0, 0, 1 / HEIGHT]])
        origin = np.array([*TOP, BOTTOM + (layers - 1) * HEIGHT])
        heights = np.array([hill(layers), 2.0, 1.0])
        phases = 2 * pi * (self.atoms.positions - origin) @ waves.T
        phases[~ions] *= SITES
        forces = -pi * (np.where(ions[:, None], heights, SITES) * np.sin(phases)) @ waves
        energy = (heights * (1 - np.cos(phases[ions]))).sum() / 2 + (1 - np.cos(phases[~ions])).sum() / 2
        self.results = {"energy": float(energy), "forces": forces}


class Shallow(Grooves):
    """The same, which fails in cells higher than 24 Å."""

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        if atoms is not None and atoms.cell.lengths()[2] > 24:
            raise RuntimeError("too high a cell")
        super().calculate(atoms, properties, system_changes)
