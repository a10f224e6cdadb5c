"""Calculators of a user's own that are near EMT and not EMT: models to be corrected."""

from typing import Any, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT


class NearEMT(Calculator):
    """EMT that takes gold for silver."""

    implemented_properties = ("energy", "forces")
    taken_for: ClassVar[dict[str, str]] = {"Au": "Ag"}

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        symbols = [self.taken_for.get(symbol, symbol) for symbol in self.atoms.symbols]
        other = Atoms(symbols, self.atoms.positions, cell=self.atoms.cell, pbc=self.atoms.pbc, calculator=EMT())
        self.results = {"energy": other.get_potential_energy(), "forces": other.get_forces()}


class FarEMT(NearEMT):
    """EMT that takes gold for nitrogen: so far off that no correction is worth its points."""

    taken_for: ClassVar[dict[str, str]] = {"Au": "N"}


class LithiumEMT(NearEMT):
    """EMT that takes gold for lithium."""

    taken_for: ClassVar[dict[str, str]] = {"Li": "Au"}
