"""The whole, the slab or the fragment alone: one run of ``pw.x`` and the grids that ``pp.x`` makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from pymatgen.core import Structure

from barriers.analysis.density import Grid
from barriers.analysis.electrons import GridDoc
from barriers.engines.common import atoms_of
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.cell import dipole_keywords
from barriers.engines.espresso.faults import failure
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.inputs import PREFIX, Case
from barriers.engines.espresso.jobs import PwRun, run_pw
from barriers.engines.espresso.post import DONE, cube_of, make_cube
from barriers.engines.espresso.results import results_file
from barriers.engines.volumetric import Quantity, read_for, record

FFT_GRID = ("nr1", "nr2", "nr3")


class Part:
    """One part of a structure, or the whole.

    Parameters
    ----------
    maker : EspressoMaker
        Settings and command.
    case : Case
        The whole's, so that all parts have its cutoffs.
    structure : Structure
        Atoms of this part, in the cell of the whole.
    name : str
        ``whole``, ``slab`` or ``fragment``.
    plots : sequence of str
        Grids that are wanted.
    shared : Mapping
        Keywords that follow from the whole; none for the whole itself.
    """

    def __init__(
        self,
        maker: EspressoMaker,
        case: Case,
        structure: Structure,
        name: str,
        plots: tuple[str, ...],
        shared: Mapping[str, Any],
    ) -> None:
        self.maker, self.structure, self.name, self.plots = maker, structure, name, plots
        keywords = {**case.settings["keywords"], "disk_io": "low", **shared}
        self.case = replace(case, settings={**case.settings, "keywords": keywords})
        self.checkpoint = maker.workspace("density", structure, dict(shared), case.cutoffs())
        self.folder = self.checkpoint.folder
        self.records: list[GridDoc] = []

    def converge(self) -> PwRun:
        """Converge the electrons; anew where the wavefunctions that grids are made of are gone.

        Raises
        ------
        EspressoError
            If they do not converge, or their time is up.
        """
        if not self._has_wavefunctions() and not all(cube_of(self.folder, name).exists() for name in self.plots):
            results_file(self.folder).unlink(missing_ok=True)
        run = run_pw(self.maker, self.case, self.checkpoint, self.structure, "scf", fmax=1.0, steps=1)
        if run.outcome.kind is not None or not run.evaluations:
            raise failure(f"{self.name}: {run.outcome.line}", self.folder)
        return run

    def _has_wavefunctions(self) -> bool:
        """Whether ``pw.x`` ended by itself and left density and wavefunctions; the XML it writes before them."""
        written = outputs(self.folder, "pw")
        save = self.folder / "out" / f"{PREFIX}.save"
        left = any(save.glob("charge-density.*")) and any(save.glob("wfc*"))
        return bool(written) and left and DONE in written[-1].read_text("utf-8", "replace")

    def shared(self) -> dict[str, Any]:
        """Keywords that give slab and fragment the FFT grid and the dipole correction of this whole."""
        grid = ElementTree.parse(results_file(self.folder)).getroot().find("output/basis_set/fft_grid")
        if grid is None:
            raise failure("pw.x does not say its FFT grid", self.folder)
        dipole = dipole_keywords([atoms_of(self.structure)]) if self.case.settings["dipole"] else {}
        return {name: int(grid.attrib[name]) for name in FFT_GRID} | dipole

    def grid(self, name: str) -> Grid:
        """Give a grid, made by ``pp.x`` if that has not been done before."""
        quantity: Quantity = "elf" if name == "elf" else "density"
        path = make_cube(self.maker.command, self.folder, name, self.maker.running.max_seconds)
        grid = read_for(path, self.structure, quantity)
        called = name if self.name == "whole" else f"{self.name} {name}"
        self.records.append(record(called, path, grid, quantity))
        return grid
