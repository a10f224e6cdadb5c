"""What one file tells of the atoms of a band of Quantum ESPRESSO, and what its labels mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from ase.io.espresso import label_to_symbol
from numpy.typing import NDArray


@dataclass
class Told:
    """What one file tells.

    Attributes
    ----------
    path : Path
        The file.
    labels : list[str]
        Label of each atom, as the user chose it.
    cell : (3, 3) or None
        Lattice vectors as rows (Å).
    kinds : dict[str, tuple[float, str]]
        Mass (u) and pseudopotential file of each label.
    settings : dict[str, str]
        What enters the energy.
    electrons : bool or None
        Whether the last self-consistent calculation converged.
    must_converge : bool or None
        Whether the code was told to stop where electrons do not converge; only an input says so.
    energy : float
        Energy of the image whose file it is (eV).
    """

    path: Path
    labels: list[str]
    cell: NDArray[np.float64] | None
    kinds: dict[str, tuple[float, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    electrons: bool | None = None
    must_converge: bool | None = None
    energy: float = float("nan")

    def species(self) -> list[str]:
        """Element of each atom.

        Raises
        ------
        ValueError
            If a label begins with no element.
        """
        known = {label: self._element(label) for label in dict.fromkeys(self.labels)}
        return [known[label] for label in self.labels]

    def _element(self, label: str) -> str:
        """Element of a label; ``HO`` is holmium, or a hydrogen called O: its pseudopotential or its mass tells."""
        mass, file = self.kinds.get(label, (0.0, ""))
        found = _candidates(label)
        if not found:
            raise ValueError(f"{self.path}: label {label!r} begins with no element; rename it as Ni, Ni1 or Ni_a")
        named = re.match(r"[A-Za-z]{1,2}(?![A-Za-z])", file)
        if len(found) > 1 and named and (exact := named[0].capitalize()) in found:
            return exact
        if len(found) > 1 and mass > 0:
            return min(found, key=lambda symbol: abs(float(atomic_masses[atomic_numbers[symbol]]) - mass))
        return next(iter(found))

    def difference(self, species: list[str]) -> str:
        """Say which label first cannot be the element that another file has there; empty where none."""
        pairs = enumerate(zip(self.labels, species, strict=True), 1)
        return next((f"atom {n} is {a} and {b}" for n, (a, b) in pairs if b not in _candidates(a)), "")


def _candidates(label: str) -> list[str]:
    """Elements that a label may mean, the one of two letters first."""
    return list(dict.fromkeys(symbol for part in (label, label[:1]) for symbol in _symbol(part)))


def element(label: str) -> str:
    """Element that a label begins with, such as Ni for ``Ni_up``; ValueError where it begins with none."""
    found = _symbol(label)
    if not found:
        raise ValueError(f"label {label!r} begins with no element")
    return found[0]


def _symbol(label: str) -> list[str]:
    try:
        return [symbol for symbol in [label_to_symbol(label)] if symbol != "X"]
    except KeyError:
        return []


def pseudopotentials(kinds: dict[str, tuple[float, str]]) -> str:
    """Name the pseudopotential file of each label."""
    return ", ".join(f"{label} {file}" for label, (_, file) in sorted(kinds.items()))
