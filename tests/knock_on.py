"""A calculator of a fluorite lattice in which every ion has a well on each site and in each void, and ions repel."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

A = 4.62
"""Cubic lattice constant of Li2O (Å)."""

DEPTH = {"Li": 0.12, "O": 2.0}
"""A third of the height of the saddle between two wells (eV)."""

HEIGHT, RANGE, REACH = 60.0, 0.3, 4.5
"""Repulsion of two ions: at no distance (eV), by which length it falls (Å), and where it ends (Å)."""


class Wells(Calculator):
    """E = −Σ u (cos X cos Y + cos Y cos Z + cos Z cos X) + Σ h exp(−d/ρ), with X = 4πx/a."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        wave = 4 * np.pi / A
        cos, sin = np.cos(wave * self.atoms.positions), np.sin(wave * self.atoms.positions)
        depth = np.array([DEPTH[symbol] for symbol in self.atoms.symbols])
        others = np.roll(cos, 1, axis=1) + np.roll(cos, 2, axis=1)
        energy = -(depth * (cos * np.roll(cos, 1, axis=1)).sum(axis=1)).sum()
        forces = -depth[:, None] * wave * sin * others
        first, length, vectors = neighbor_list("idD", self.atoms, REACH)
        pushes = HEIGHT * np.exp(-length / RANGE)
        energy += pushes.sum() / 2
        np.subtract.at(forces, first, (pushes / RANGE / length)[:, None] * vectors)
        self.results = {"energy": float(energy), "forces": forces}
