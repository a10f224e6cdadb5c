"""A calculator of a user's own that counts its calls, and does at some of them what DFT codes do."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT

CALLS, HUNG = "calls", "hung"


class FlakyEMT(EMT):
    """EMT with moments; the file with its weights says which calls at saddles fail or flip, how long one takes.

    Its ``hang``-th call hangs until it is killed, once.
    """

    implemented_properties = (*EMT.implemented_properties, "magmoms")

    def __init__(self, model: str) -> None:
        super().__init__()
        self.weights = Path(model)
        self.troubles = json.loads(self.weights.read_text())
        self.last: Any = None

    def check_state(self, atoms: Any, tol: float = 1e-15) -> list[str]:
        """Take no structure for one that was evaluated before, were it at the same place."""
        return super().check_state(atoms, tol) if atoms is self.last else all_changes

    def calculate(self, atoms: Any, *args: Any, **kwargs: Any) -> None:
        self.last = atoms
        time.sleep(self.troubles.get("seconds", 0))
        where = "saddle" if on_a_bridge(atoms) else "end"
        with (self.weights.parent / CALLS).open("a") as file:
            file.write(f"{where}\n")
        hung = self.weights.parent / HUNG
        if len(called(self.weights.parent)) == self.troubles.get("hang") and not hung.exists():
            hung.touch()
            time.sleep(3600)
        number = called(self.weights.parent).count("saddle") if where == "saddle" else 0
        if number in self.troubles.get("fail", []):
            raise RuntimeError("convergence NOT achieved")
        self.initialize(atoms)
        super().calculate(atoms, *args, **kwargs)
        moments = np.ones(len(atoms))
        moments[0] = -1 if number in self.troubles.get("flip", []) else 1
        self.results["magmoms"] = moments


def on_a_bridge(atoms: Any) -> bool:
    """Whether the last atom has two near neighbours, and not four as in a hollow."""
    distances = np.sort(atoms.get_distances(-1, range(len(atoms) - 1), mic=True))
    return bool(distances[2] - distances[1] > 0.5)


def called(folder: Path) -> list[str]:
    """Where the calculator was called so far."""
    path = folder / CALLS
    return path.read_text().split() if path.exists() else []
