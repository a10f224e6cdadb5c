"""Structures as coordinates of their free atoms, and a model as a surface over these."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from pymatgen.core import Structure

from barriers.documents import EngineDoc, Vectors
from barriers.engines.common import at_positions, atoms_of, placed
from barriers.structures.digest import rounded
from barriers.structures.directions import free_directions


class _Evaluation(Protocol):
    energy: float
    forces: np.ndarray


class _Evaluator(Protocol):
    def evaluate(self, structures: Sequence[Any]) -> Sequence[_Evaluation]: ...


class Model(Protocol):
    """What a correction asks of the model: the embedded engine's makers offer it."""

    @property
    def evaluator(self) -> _Evaluator:
        """The model at work."""

    def identity(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say what the model's numbers rest on."""

    def describe(self) -> EngineDoc:
        """Say which model gives the numbers."""


@dataclass(frozen=True)
class Frame:
    """The free atoms of a structure: D coordinates, which no periodic boundary wraps.

    Attributes
    ----------
    structure : Structure
        Species, cell, frozen atoms.
    """

    structure: Structure

    @cached_property
    def _may_move(self) -> np.ndarray:
        return free_directions(self.structure)

    @cached_property
    def _free(self) -> np.ndarray:
        free: np.ndarray = np.any(self._may_move, axis=1)
        return free

    def near(self, positions: Vectors) -> np.ndarray:
        """Positions (Å), shape (N, 3), each atom in the periodic image nearest to its place in the structure."""
        return placed(self.structure, np.asarray(positions, dtype=float))

    def flat(self, positions: Vectors | np.ndarray) -> np.ndarray:
        """Coordinates of the free atoms (Å), shape (D,)."""
        coordinates: np.ndarray = np.asarray(positions, dtype=float)[self._free].ravel()
        return coordinates

    def flat_forces(self, forces: Vectors | np.ndarray) -> np.ndarray:
        """Forces along the coordinates (eV/Å), shape (D,); none where an atom is held in one direction."""
        free: np.ndarray = np.where(self._may_move, np.asarray(forces, dtype=float), 0.0)[self._free].ravel()
        return free

    def positions(self, x: np.ndarray) -> np.ndarray:
        """Positions of all atoms (Å), shape (N, 3), on the grid that structures are known by."""
        whole = self.structure.cart_coords.copy()
        whole[self._free] = rounded(x.reshape(-1, 3))
        return whole

    def forces(self, forces: np.ndarray) -> np.ndarray:
        """Forces on all atoms (eV/Å), shape (N, 3): 0 on frozen ones."""
        whole = np.zeros((len(self.structure), 3))
        whole[self._free] = forces.reshape(-1, 3)
        return whole

    def at(self, x: np.ndarray) -> Structure:
        """Structure at a point."""
        return at_positions(self.structure, self.positions(x))


class ModelSurface:
    """A model over the free coordinates of a structure."""

    def __init__(self, model: Model, frame: Frame) -> None:
        self.model, self.frame = model, frame
        self._atoms = atoms_of(frame.structure)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (eV) and forces (eV/Å, shape (D,)) at a point (Å)."""
        self._atoms.set_positions(self.frame.positions(x), apply_constraint=False)
        (result,) = self.model.evaluator.evaluate([self._atoms])
        return result.energy, self.frame.flat_forces(result.forces)
