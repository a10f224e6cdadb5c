"""The last structures of a relaxation or of a climbing image: what they show of the stiffness around them."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from ase import Atoms

from barriers.analysis.uncertainty import energy_left

KEPT = 12
"""So many structures are kept: as many pairs as L-BFGS usually remembers."""

State = dict[str, Any]
"""``image`` that was last looked at, and positions (Å) and forces (eV/Å, frozen atoms at 0) where it ``stood``."""


class Secants:
    """Remembers where a structure was and what it felt there.

    Parameters
    ----------
    state : State or None
        What an earlier run remembered.
    """

    def __init__(self, state: State | None = None) -> None:
        known = state or {"image": 0, "stood": []}
        self._image: int = known["image"]
        self._seen: deque[tuple[np.ndarray, np.ndarray]] = deque(known["stood"], KEPT)

    def add(self, atoms: Atoms, image: int = 0) -> None:
        """Remember atoms that have a calculator, once in each place; another image makes it forget the one before."""
        if image != self._image:
            self._seen.clear()
        self._image = image
        if not self._seen or (self._seen[-1][0] != atoms.positions).any():
            self._seen.append((atoms.positions.copy(), atoms.get_forces()))

    @property
    def state(self) -> State:
        """What is remembered, for a checkpoint."""
        return {"image": self._image, "stood": list(self._seen)}

    @property
    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Steps (Å) from the last structure to those before it, and how much the forces differed there (eV/Å)."""
        *earlier, (positions, forces) = self._seen
        return [(places - positions, felt - forces) for places, felt in earlier]

    def energy_left(self) -> float:
        """Energy between the last structure and the stationary point beside it (eV)."""
        pairs = self.pairs
        return energy_left(self._seen[-1][1], [step for step, _ in pairs], [change for _, change in pairs])
