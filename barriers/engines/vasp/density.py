"""Electron densities with VASP: Δρ, Bader's charges, ELF, in one job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from atomate2.vasp.jobs.base import BaseVaspMaker
from jobflow import job
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar

from barriers.documents import CostDoc
from barriers.engines.density import DensityDoc, Electrons, check_n_slab, check_shared_out, electron_numbers
from barriers.engines.dft import Outcome
from barriers.engines.vasp.density_part import FFT_GRID, Part
from barriers.engines.vasp.inputs import SingleSetGenerator
from barriers.engines.vasp.jobs import FromInputSet
from barriers.engines.vasp.potcars import find_potcars
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.system import System
from barriers.engines.volumetric import difference_file

OF_THE_WHOLE = ("NELECT", "NUPDOWN")
"""What a whole has of these cannot be shared out among its parts."""

REFERENCE = "density with the cores of all elements (AECCAR0 + AECCAR2)"

NOTES = (
    "ELF: qualitative, VASP's is of the smooth wavefunctions of PAW; both spins together, weighted by their densities",
    "no Löwdin charges: VASP projects onto spheres (LORBIT), whose charges are of another kind",
)


@dataclass
class DensityMaker(FromInputSet, BaseVaspMaker):
    """Electrons of a structure, and where they go when a fragment meets a slab.

    1. Converge the whole; then slab and fragment alone, each where it is in the whole, in the same cell, with the same
       k-points and dipole correction, on the same fine FFT grid.
    2. VASP writes the valence density of all three (CHGCAR), the ELF of the whole and of the fragment (ELFCAR), and
       the density with cores (AECCAR0, AECCAR2).
    3. Work out Δρ, its average over planes, Bader's charges, the ELF along bonds.

    All happens in one job, since jobs may not share a file system. Parts that are done are kept: a job that was killed
    goes on with what is left. Grids stay files, in the folder of the job.

    Attributes
    ----------
    name : str
        Name of the job.
    input_set_generator : SingleSetGenerator
        Settings that change the numbers; atomate2's powerups reach it.
    running : Running
        How VASP is started. No part of the job's identity.
    """

    name: str = "density"
    computes: ClassVar[str] = "density/1"
    kind: ClassVar[str] = "static"
    input_set_generator: SingleSetGenerator = field(default_factory=SingleSetGenerator)
    running: Running = field(default_factory=Running)

    def check(self) -> None:
        """Raise ``ValueError`` if a setting does not go with densities."""
        own = self.input_set_generator.physics.resolved()["incar"]["own"]
        if Incar({"ADDGRID": own.get("ADDGRID", False)})["ADDGRID"]:
            raise ValueError("engine.incar: ADDGRID: puts densities on one more grid than is written; leave it out")

    @job(output_schema=DensityDoc)
    def make(self, structure: Structure, n_slab: int | None = None) -> DensityDoc:
        """Compute the electrons of ``structure``.

        Parameters
        ----------
        structure : Structure
            Not moved; usually relaxed.
        n_slab : int or None
            Number of slab atoms, which come first; the rest is the fragment. None for a structure in one piece.
        """
        generator, settings = self.input_set_generator, self.input_set_generator.physics.resolved()
        own = settings["incar"]["own"]
        check_n_slab(structure, n_slab)
        check_shared_out(n_slab, "engine.incar", own, OF_THE_WHOLE)
        self.check()
        potcars = find_potcars(structure.symbol_set, generator.physics)
        valence = [float(potcars[site.specie.symbol].zval) for site in structure]
        system = System.of(structure, settings)

        def part(name: str, atoms: Structure, plots: tuple[str, ...], shared: dict[str, int]) -> Part:
            found = Part(generator, self.running, atoms, 0.0, name, plots, system, shared)
            found.converge()
            return found

        whole = part("whole", structure, ("density", "elf", "reference"), {})
        grids = {("whole", plot): whole.grid(plot) for plot in whole.plots}
        parts = [whole]
        if n_slab is not None:
            shared = dict(zip(FFT_GRID, grids["whole", "density"].shape, strict=True))
            for name, sites, plots in (
                ("slab", structure[:n_slab], ("density",)),
                ("fragment", structure[n_slab:], ("density", "elf")),
            ):
                parts.append(part(name, Structure.from_sites(sites), plots, shared))
                grids |= {(name, plot): parts[-1].grid(plot) for plot in plots}
        electrons = Electrons(
            structure=structure,
            valence=valence,
            density=grids["whole", "density"],
            slab=grids.get(("slab", "density")),
            fragment=grids.get(("fragment", "density")),
            reference=grids["whole", "reference"],
            elf=grids["whole", "elf"],
            elf_alone=grids.get(("fragment", "elf")),
            charge=sum(valence) - float(own.get("NELECT") or sum(valence)),
        )
        difference = electrons.difference()
        fields = electron_numbers(electrons, difference, n_slab, REFERENCE)
        numbers = [each.numbers(Outcome()) for each in parts]
        costs = [each["cost"] for each in numbers]
        # The clock of the whole began first and runs on.
        together = {"wall_time": costs[0].wall_time, "earlier_force_calls": sum(c.earlier_force_calls for c in costs)}
        return DensityDoc(
            **{**fields, "warnings": [*fields["warnings"], *NOTES, *generator.physics.warnings()]},
            moments=numbers[0]["moments"],
            grids=[*difference_file(whole.folder, difference), *(each for one in parts for each in one.records)],
            cost=CostDoc.total(costs).model_copy(update=together),
            engine=numbers[0]["engine"],
        )
