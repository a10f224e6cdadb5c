"""Makers of other packages as ASE calculators, which the embedded engine takes as models."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, Calculator, all_changes
from jobflow import Maker, Response
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.words import show

MOVED = 1e-3
"""A site or a cell vector that differs by more than this (Å) after a single evaluation has been relaxed."""


def as_calculator(maker: Maker) -> BaseCalculator:
    """Make the ASE calculator of another package's Maker.

    One that has a calculator, as atomate2's makers with ASE and force fields do, gives it. Any other has to be a Maker
    of single evaluations whose document holds ``output.energy`` (eV) and ``output.forces`` (eV/Å), as atomate2's static
    makers of DFT codes do. Relaxations and bands are then this package's own, and each evaluation is one run of it.

    Parameters
    ----------
    maker : Maker
        The Maker.

    Raises
    ------
    ValueError
        If there is no calculator to be had from it.
    """
    if not isinstance(maker, Maker):
        raise ValueError(f"{show(maker)} is no Maker; allowed: one of single evaluations, or with an ASE calculator")
    calculator = getattr(maker, "calculator", None)
    return calculator if isinstance(calculator, BaseCalculator) else MakerCalculator(maker)


class MakerCalculator(Calculator):
    """Runs a Maker's job of a single evaluation, in a folder of its own that is kept where it fails."""

    implemented_properties = ("energy", "forces")

    def __init__(self, maker: Maker) -> None:
        super().__init__()
        if not hasattr(maker.make, "original"):  # what jobflow's decorator leaves
            raise ValueError(f"{type(maker).__name__} makes no job by itself; allowed: a Maker of one job")
        self.maker, self.function = maker, maker.make.original

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Evaluate energy and forces.

        Raises
        ------
        ValueError
            If the job's document has no energy and forces, or not those of the structure that was given.
        """
        super().calculate(atoms, properties, system_changes)
        folder = Path(mkdtemp(prefix=f"{type(self.maker).__name__}-", dir=Path.cwd()))
        with contextlib.chdir(folder):
            given = self.function(self.maker, AseAtomsAdaptor.get_structure(self.atoms))
        document = given.output if isinstance(given, Response) else given
        output, structure = getattr(document, "output", None), getattr(document, "structure", None)
        energy, forces = getattr(output, "energy", None), getattr(output, "forces", None)
        if energy is None or forces is None or structure is None:
            what = "structure, output.energy and output.forces"
            raise ValueError(f"{type(self.maker).__name__} gives no document with {what}; files in {folder}")
        order = self._order(structure)
        self.results = {"energy": float(energy), "forces": np.array(forces)[order]}
        shutil.rmtree(folder)

    def _order(self, evaluated: Structure) -> list[int]:
        """Where each atom is in the structure that was evaluated: input sets sort by element."""
        asked = AseAtomsAdaptor.get_structure(self.atoms)
        same = len(asked) == len(evaluated) and np.allclose(asked.lattice.matrix, evaluated.lattice.matrix, atol=MOVED)
        apart = asked.lattice.get_all_distances(asked.frac_coords, evaluated.frac_coords)
        order: list[int] = apart.argmin(axis=1).tolist()
        if not same or apart.min(axis=1).max() > MOVED or [evaluated.species[i] for i in order] != asked.species:
            raise ValueError(f"{type(self.maker).__name__} moves atoms; allowed: a Maker of single evaluations")
        return order
