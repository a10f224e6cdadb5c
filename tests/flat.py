"""A world without forces: whatever is relaxed stays where it is, so that a study's flow runs in seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes


class Flat(Calculator):
    """No energy, no forces."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3))}


class Broken(Flat):
    """Fails at every structure."""

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        raise RuntimeError("broken")


class PerAtom(Flat):
    """An electronvolt down for each atom."""

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] = -float(len(atoms))


class FailsAtNitrogens(Flat):
    """Fails where there is more than one nitrogen."""

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        if atoms.get_chemical_symbols().count("N") > 1:
            raise RuntimeError("two nitrogens")
        super().calculate(atoms, properties, system_changes)


class LikesFluorine(Flat):
    """Lithium gains 0.1 eV by each fluorine within 2.1 Å, and two carbons within 2.9 Å push it off."""

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        (lithium,) = np.flatnonzero(atoms.symbols == "Li")
        arms = atoms.positions[lithium] - atoms.positions
        apart = np.linalg.norm(arms, axis=1)
        near = np.flatnonzero((atoms.symbols == "C") & (apart < 2.9))
        overlap = 2.9 - apart[near] if len(near) > 1 else np.zeros(len(near))
        self.results["energy"] = float(5 * (overlap**2).sum() - 0.1 * ((atoms.symbols == "F") & (apart < 2.1)).sum())
        self.results["forces"][lithium] = (10 * overlap / apart[near]) @ arms[near]
