"""Calculators of a user's own that fail for one element, until that is mended."""

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT

MENDED = ".mended"
"""A file of the weights' name and this ending mends the calculator, and leaves the weights' checksum as it was."""


class BrittleEMT(EMT):
    """EMT; the file with its weights holds the element it fails for."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.weights = Path(model)

    def calculate(self, atoms: Atoms, *args: Any, **kwargs: Any) -> None:
        break_for(atoms, self.weights)
        super().calculate(atoms, *args, **kwargs)


class BrittleNothing(Calculator):
    """No energy and no force for any element, and the same failures."""

    implemented_properties = ("energy", "forces")

    def __init__(self, model: str) -> None:
        super().__init__()
        self.weights = Path(model)

    def calculate(self, atoms: Atoms, *args: Any, **kwargs: Any) -> None:
        break_for(atoms, self.weights)
        super().calculate(atoms, *args, **kwargs)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3))}


def break_for(atoms: Atoms, weights: Path) -> None:
    if weights.read_text("utf-8") in atoms.symbols and not weights.with_suffix(MENDED).exists():
        raise RuntimeError("the\npower went out")
