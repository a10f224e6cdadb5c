"""Potentials of one ion on a line whose bands end on what is no path, and whose true saddles are known."""

from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.constraints import FixAtoms

LENGTH = 3.0
"""Length of the hop (Å)."""

RIDGE, DROP, WIDTH = 0.50, 0.0625, 0.50
"""Height of the ridge (eV), how much lower the saddles beside it are, and how far beside it (Å)."""


FAR_ATOM = np.array([10.0, 10.0, 10.0])
"""Middle of the two places of an atom that the ion does not reach (Å)."""


class _OnALine(Calculator):
    """The ion is the last atom; along z it is bound."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        x, y, z = self.atoms.positions[-1]
        energy, slope = self.surface(x, y)
        forces = np.zeros((len(self.atoms), 3))
        forces[-1] = -slope[0], -slope[1], -4 * z
        self.results = {"energy": float(energy + 2 * z**2), "forces": forces}

    def surface(self, x: float, y: float) -> tuple[float, tuple[float, float]]:
        raise NotImplementedError


class Ridge(_OnALine):
    """A straight band meets the top of a ridge, from which the ion falls to both sides: saddles of 0.4375 eV."""

    def surface(self, x: float, y: float) -> tuple[float, tuple[float, float]]:
        hill, climb = np.sin(np.pi * x / LENGTH) ** 2, np.pi / LENGTH * np.sin(2 * np.pi * x / LENGTH)
        beside, push = (
            DROP * ((y / WIDTH) ** 4 - 2 * (y / WIDTH) ** 2),
            4 * DROP / WIDTH**2 * ((y / WIDTH) ** 2 - 1) * y,
        )
        valley = y**2
        energy = hill * (RIDGE + beside) + (1 - hill) * valley
        return energy, (climb * (RIDGE + beside - valley), hill * push + (1 - hill) * 2 * y)


class Wells(_OnALine):
    """Equal wells 3 Å apart, 0.5 eV between them."""

    def surface(self, x: float, y: float) -> tuple[float, tuple[float, float]]:
        wave = 2 * np.pi * x / LENGTH
        return (1 - np.cos(wave)) / 4 + y**2, (np.pi / LENGTH / 2 * np.sin(wave), 2 * y)


class Detour(_OnALine):
    """A straight line between two wells meets a hill; the way round leads past a third well and two saddles."""

    saddle: ClassVar[tuple[float, float]] = (0.917, 0.901)
    """The higher of the two (Å)."""
    parts: ClassVar = (0.0, 0.0, -0.5), (LENGTH, 0.0, -0.5), (1.6, 1.7, -0.45), (1.5, -0.2, 0.25)

    def surface(self, x: float, y: float) -> tuple[float, tuple[float, float]]:
        energy, slope = 0.1 * y**2, np.array([0.0, 0.2 * y])
        for at, beside, height in self.parts:
            part = height * np.exp(-((x - at) ** 2 + (y - beside) ** 2) / 0.8)
            energy, slope = energy + part, slope - part / 0.4 * np.array([x - at, y - beside])
        return energy, (slope[0], slope[1])


class Cliff(_OnALine):
    """A hump of 0.4 eV, then a drop by 1 eV within some tenths of an Å."""

    def surface(self, x: float, y: float) -> tuple[float, tuple[float, float]]:
        hump, fallen = 0.4 * np.exp(-(((x - 0.75) / 0.3) ** 2)), np.tanh((x - LENGTH / 2) / 0.15)
        slope = -2 * (x - 0.75) / 0.3**2 * hump - 0.5 / 0.15 * (1 - fallen**2)
        return hump - (1 + fallen) / 2 + y**2, (slope, 2 * y)


def ion(x: float, y: float = 0.0) -> Atoms:
    """The ion at a place on the line or beside it (Å), and a frozen atom."""
    return Atoms("AlLi", [[5, 5, 5], [x, y, 0]], cell=[10, 10, 10], pbc=True, constraint=FixAtoms([0]))


class Flips(Wells):
    """Beside the wells, far off, an atom that may be on either of two sides (y = ±0.5 Å), 1 eV between them.

    ``tilt`` is how much lower (eV) its second side is, and ``follows`` how much lower still while the ion is at the
    second well, and higher while it is at the first.
    """

    tilt, follows = 0.0, 0.0

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        place, x = self.atoms.positions[0] - FAR_ATOM, self.atoms.positions[-1][0]
        side = place[1] / 0.5
        turn, turning = np.cos(np.pi * x / LENGTH), -np.pi / LENGTH * np.sin(np.pi * x / LENGTH)
        lean = self.tilt / 2 - self.follows / 2 * turn
        energy = (side**2 - 1) ** 2 - lean * side + 2 * (place[0] ** 2 + place[2] ** 2)
        self.results["energy"] += float(energy)
        self.results["forces"][0] = -4 * place[0], -(4 * side * (side**2 - 1) - lean) / 0.5, -4 * place[2]
        self.results["forces"][-1][0] -= self.follows / 2 * turning * side


class Leans(Flips):
    tilt = 0.02


class Follows(Flips):
    follows = 0.4


def beside(x: float, side: int) -> Atoms:
    """The ion, and the atom far off on one of its sides."""
    return Atoms("CuLi", [FAR_ATOM + np.array([0, 0.5 * side, 0]), [x, 0, 0]], cell=[20, 20, 20], pbc=True)
