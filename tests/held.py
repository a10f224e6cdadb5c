"""A potential whose adsorption energies are known: grooves for lithium, which a fragment that is near holds faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes
from grooves import Grooves

FASTER, STICKS, FREE = 0.1, 0.02, -1.0
"""How much faster lithium is held beside a fragment, how fast each atom of that sticks, and its energy alone (eV)."""

OF_FRAGMENT = ("C", "F", "H")


class Held(Grooves):
    """Atoms of a fragment stay where they are."""

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        assert atoms is not None
        symbols = np.array(atoms.get_chemical_symbols())
        on_top = np.isin(symbols, OF_FRAGMENT)
        forces, energy = np.zeros((len(atoms), 3)), FREE * on_top.sum()
        if not on_top.all():
            super().calculate(atoms[~on_top], properties, system_changes)
            forces[~on_top] = self.results["forces"]
            energy += self.results["energy"]
            energy -= STICKS * on_top.sum() + FASTER * (symbols == "Li").sum() * bool(on_top.any())
        self.results = {"energy": float(energy), "forces": forces}
