"""The whole, the slab or the fragment alone: one static run of VASP and the grids that it writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure
from scipy.ndimage import map_coordinates

from barriers.analysis.density import Grid, Values, check_same_grid
from barriers.analysis.electrons import GridDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.vasp.folder import archive
from barriers.engines.vasp.inputs import SingleSetGenerator
from barriers.engines.vasp.run import VaspError
from barriers.engines.vasp.single import SingleRun
from barriers.engines.vasp.system import System
from barriers.engines.volumetric import Quantity, check_atoms, read_for, read_spins, record, write_volumetric

FILES = {"density": ("CHGCAR",), "reference": ("AECCAR0", "AECCAR2"), "elf": ("ELFCAR",)}
"""Files that VASP writes each grid to; cores and valence are two."""

KEYWORDS: dict[str, dict[str, Any]] = {
    "density": {"LCHARG": True},
    "reference": {"LAECHG": True},
    "elf": {"LELF": True, "NPAR": 1},  # NPAR must be 1 and stand in the INCAR, says VASP's manual
}
"""What makes VASP write them."""

FFT_GRID = ("NGXF", "NGYF", "NGZF")

LAYOUT = ("NCORE", "KPAR")

LEAST = 1e-12
"""Density (e/Å³) below which a spin does not count."""


@dataclass
class Part(SingleRun):
    """One part of a structure, or the whole.

    Attributes
    ----------
    name : str
        ``whole``, ``slab`` or ``fragment``.
    plots : tuple of str
        Grids that are wanted, of :data:`FILES`.
    system : System
        The whole's: k-points and dipole correction are the same for all parts.
    shared : dict
        INCAR keywords that follow from the whole; none for the whole itself.
    records : list of GridDoc
        Files that were read.
    """

    name: str
    plots: tuple[str, ...]
    system: System
    shared: dict[str, int]
    records: list[GridDoc] = field(default_factory=list)

    def workspace(self, rests_on: dict[str, Any]) -> Checkpoint:
        """Folder of the calculation."""
        return Checkpoint("density", [self.structure, self.plots, self.system, self.shared, rests_on])

    @property
    def folder(self) -> Path:
        """Where VASP runs."""
        return self.checkpoint.folder

    def inputs(self, max_steps: int) -> tuple[SingleSetGenerator, Structure]:
        """Give input set and sites, with what makes VASP write the grids."""
        ready, sites = super().inputs(max_steps)
        asked = {key: value for plot in self.plots for key, value in KEYWORDS[plot].items()}
        layout = {key: value for key, value in ready.limits.items() if "NPAR" not in asked or key not in LAYOUT}
        return replace(ready, system=self.system, limits={**layout, **asked, **self.shared}), sites

    def converge(self) -> None:
        """Converge the electrons; anew where files with grids are gone.

        Raises
        ------
        VaspError
            If they do not converge, or VASP leaves no such files.
        """
        wanted = [name for plot in self.plots for name in FILES[plot]]
        if self.folder.exists() and not all((self.folder / name).is_file() for name in wanted):
            archive(self.folder)
            for cube in self.folder.glob("*.cube"):
                cube.unlink()
        outcome = self.run(0)
        if outcome.kind is not None:
            raise VaspError(f"{self.name}: {outcome.line}; files in {self.folder}")
        if missing := [name for name in wanted if not (self.folder / name).is_file()]:
            raise VaspError(f"{self.name}: VASP ended well but wrote no {', '.join(missing)}; files in {self.folder}")

    def grid(self, plot: str) -> Grid:
        """Give a grid; the sum of core and valence density, and the ELF of two spins, are written as cubes."""
        quantity: Quantity = "elf" if plot == "elf" else "density"
        files = [self.folder / name for name in FILES[plot]]
        path = files[0]
        if plot == "reference":
            path = self._as_cube(plot, self._sum(files))
        elif plot == "elf" and len(spins := read_spins(path, "elf")) > 1:
            check_atoms(path, spins[0], self.structure)
            path = self._as_cube(plot, of_both_spins(spins, read_spins(self.folder / "CHGCAR")), "elf")
        grid = read_for(path, self.structure, quantity)
        called = plot if self.name == "whole" else f"{self.name} {plot}"
        self.records.append(record(called, path, grid, quantity))
        return grid

    def _sum(self, files: list[Path]) -> Values:
        one, other = (read_for(path, self.structure) for path in files)
        check_same_grid(files[0].name, one, files[1].name, other)
        return one.values + other.values

    def _as_cube(self, plot: str, values: Values, quantity: Quantity = "density") -> Path:
        path = self.folder / f"{plot}.cube"
        if not path.exists():
            write_volumetric(Grid(values, self.structure), path, quantity)
        return path


def of_both_spins(elf: list[Grid], densities: list[Grid]) -> Values:
    """Average the ELF of two spins, each weighted by its density at the point.

    Parameters
    ----------
    elf : list of Grid
        ELF of spin up and down.
    densities : list of Grid
        Their densities, on a grid of the same cell that may be finer.
    """
    scales = [fine / coarse for fine, coarse in zip(densities[0].shape, elf[0].shape, strict=True)]
    points = np.meshgrid(*(np.arange(n) * scale for n, scale in zip(elf[0].shape, scales, strict=True)), indexing="ij")
    weights = [np.maximum(map_coordinates(spin.values, points, order=1, mode="grid-wrap"), LEAST) for spin in densities]
    values: Values = np.average([spin.values for spin in elf], axis=0, weights=weights)
    return values
