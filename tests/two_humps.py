"""Potentials of one ion on a line with an intermediate minimum, whose two saddles are known."""

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms

LENGTH = 3.0
"""Length of the hop (Å)."""


class FirstHigher(Calculator):
    """Humps at a quarter and at three quarters of the way."""

    implemented_properties = ("energy", "forces")
    heights: ClassVar[tuple[float, float]] = (0.30, 0.28)
    """Of the humps (eV)."""

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[-1]
        first, second = self.heights
        share, wave = np.tanh((x - LENGTH / 2) / 0.1), 4 * np.pi * x / LENGTH
        height, hump = first + (second - first) * (1 + share) / 2, (1 - np.cos(wave)) / 2
        growth, slope = (second - first) * (1 - share**2) / 0.2, 2 * np.pi / LENGTH * np.sin(wave)
        forces = np.zeros((len(self.atoms), 3))
        forces[-1] = -(growth * hump + height * slope), -4 * y, -4 * z
        self.results = {"energy": float(height * hump + 2 * (y**2 + z**2)), "forces": forces}


class SecondHigher(FirstHigher):
    """The same, with the humps in the other order."""

    heights: ClassVar[tuple[float, float]] = (0.30, 0.33)


class SecondMuchHigher(FirstHigher):
    """The same, with a second hump that is too high."""

    heights: ClassVar[tuple[float, float]] = (0.28, 0.45)


class Equal(FirstHigher):
    """The same, with equal humps."""

    heights: ClassVar[tuple[float, float]] = (0.30, 0.30)


def ends() -> tuple[Atoms, Atoms]:
    """The ion at both ends, a frozen atom beside it."""
    initial = Atoms("AlLi", [[5, 5, 5], [0, 0, 0]], cell=[10, 10, 10], pbc=True, constraint=FixAtoms([0]))
    final = initial.copy()
    final.positions[-1, 0] = LENGTH
    return initial, final
