"""A potential that costs nothing: soft repulsion of lithium by all other atoms, which leaves structures as they are."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.geometry import get_distances


class SoftPairs(Calculator):
    """Energies are sums of Gaussians over pairs of lithium and others: a hop has a hill, higher beside some metals."""

    implemented_properties = ("energy", "forces")
    heights: ClassVar[dict[str, float]] = {"O": 0.3, "Ni": 0.2, "Co": 0.4, "Mn": 0.6}  # eV; other elements 0.1
    width = 1.3  # Å

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        symbols = np.array(self.atoms.get_chemical_symbols())
        ions, others = np.flatnonzero(symbols == "Li"), np.flatnonzero(symbols != "Li")
        steps, distances = get_distances(
            self.atoms.positions[ions], self.atoms.positions[others], self.atoms.cell, self.atoms.pbc
        )
        heights = np.array([self.heights.get(symbol, 0.1) for symbol in symbols[others]])
        terms = heights * np.exp(-((distances / self.width) ** 2))
        pushes = (2 / self.width**2 * terms)[..., None] * steps
        forces = np.zeros((len(symbols), 3))
        forces[ions] -= pushes.sum(axis=1)
        forces[others] += pushes.sum(axis=0)
        self.results = {"energy": float(terms.sum()), "forces": forces}
