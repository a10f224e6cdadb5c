"""A potential that costs little: soft repulsion of lithium by the other atoms of a cathode, all held where they are."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.geometry import get_distances


class SoftPairs(Calculator):
    """Energies are sums of Gaussians over pairs of lithium and others: a hop has a hill, higher beside some metals.

    Waves across the lattice vectors, which keep the energy periodic, hold what a repulsion alone would let fly apart:
    fine ones all atoms but lithium, a coarse one lithium in the layers of NCM811's (104) slab, 2.03 Å apart. Without
    them nothing has a minimum.
    """

    implemented_properties = ("energy", "forces")
    heights: ClassVar[dict[str, float]] = {"O": 0.3, "Ni": 0.2, "Co": 0.4, "Mn": 0.6}  # eV; others attract by 0.1
    width = 1.3  # Å
    hold, fine, coarse = 0.15, 0.8, 2.0  # eV, Å, Å

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        symbols = np.array(self.atoms.get_chemical_symbols())
        ions, others = np.flatnonzero(symbols == "Li"), np.flatnonzero(symbols != "Li")
        steps, distances = get_distances(
            self.atoms.positions[ions], self.atoms.positions[others], self.atoms.cell, self.atoms.pbc
        )
        heights = np.array([self.heights.get(symbol, -0.1) for symbol in symbols[others]])
        terms = heights * np.exp(-((distances / self.width) ** 2))
        pushes = (2 / self.width**2 * terms)[..., None] * steps
        crests = np.full((len(symbols), 3), self.fine)
        crests[ions] = np.inf, np.inf, self.coarse
        waves = 2 * np.pi * np.round(self.atoms.cell.lengths() / crests)
        phases = self.atoms.cell.scaled_positions(self.atoms.positions) * waves
        phases[ions, 2] += np.pi
        forces = -self.hold * (np.sin(phases) * waves) @ self.atoms.cell.reciprocal()
        forces[ions] -= pushes.sum(axis=1)
        forces[others] += pushes.sum(axis=0)
        self.results = {"energy": float(terms.sum() + self.hold * (1 - np.cos(phases)).sum()), "forces": forces}
