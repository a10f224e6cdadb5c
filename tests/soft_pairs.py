"""A potential that costs little: soft repulsion of lithium by the other atoms of a cathode, all held on their sites."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes
from ase.geometry import get_distances
from grooves import Grooves


class SoftPairs(Grooves):
    """To hills along the rows of lithium come Gaussians over pairs with others: higher hops beside some metals.

    Atoms of fragments, which have no sites, are held by fine waves across the lattice vectors.
    """

    heights: ClassVar[dict[str, float]] = {"O": 0.3, "Ni": 0.2, "Co": 0.4, "Mn": 0.6}  # eV; others attract by 0.1
    width = 1.3  # Å
    hold, fine = 0.05, 0.3  # eV, Å

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        whole = (self.atoms if atoms is None else atoms).copy()
        symbols = np.array(whole.get_chemical_symbols())
        of_slab = np.isin(symbols, ["Li", *self.heights])
        super().calculate(whole[of_slab], properties, system_changes)
        ions, others = np.flatnonzero(symbols == "Li"), np.flatnonzero(symbols != "Li")
        steps, distances = get_distances(whole.positions[ions], whole.positions[others], whole.cell, whole.pbc)
        terms = np.array([self.heights.get(symbol, -0.1) for symbol in symbols[others]])
        terms = terms * np.exp(-((distances / self.width) ** 2))
        pushes = (2 / self.width**2 * terms)[..., None] * steps
        waves = 2 * np.pi * np.round(whole.cell.lengths() / self.fine)
        phases = whole.cell.scaled_positions(whole.positions[~of_slab]) * waves
        forces = np.zeros((len(whole), 3))
        forces[of_slab] = self.results["forces"]
        forces[~of_slab] = -self.hold * (np.sin(phases) * waves) @ whole.cell.reciprocal()
        forces[ions] -= pushes.sum(axis=1)
        forces[others] += pushes.sum(axis=0)
        self.results["energy"] += float(terms.sum() + self.hold * (1 - np.cos(phases)).sum())
        self.results["forces"] = forces
        self.atoms = whole
