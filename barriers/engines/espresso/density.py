"""Electron densities with Quantum ESPRESSO: Δρ, Bader's and Löwdin's charges, ELF, in one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jobflow import job
from pymatgen.core import Structure

from barriers.analysis.electrons import LowdinDoc
from barriers.documents import CostDoc
from barriers.engines.density import DensityDoc, Electrons, check_n_slab, check_shared_out, electron_numbers
from barriers.engines.dft import Corrections
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.command import Command
from barriers.engines.espresso.density_part import Part
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.jobs import PwRun, last_moments
from barriers.engines.espresso.outputs import count_scf
from barriers.engines.espresso.post import kind_of, project
from barriers.engines.protocol import NotHereError
from barriers.engines.volumetric import difference_file

OF_THE_WHOLE = ("tot_charge", "tot_magnetization")
"""What a whole has of these cannot be shared out among its parts."""

NORM_CONSERVING = ("NC", "SL")


@dataclass
class DensityMaker(EspressoMaker):
    """Electrons of a structure, and where they go when a fragment meets a slab: ``pw.x``, ``pp.x``, ``projwfc.x``.

    1. Converge the whole; then slab and fragment alone, each where it is in the whole, in the same cell, with the same
       cutoffs, on the same FFT grid and with the same dipole correction.
    2. Write the valence density of all three, the ELF of the whole and of the fragment, and the density with cores.
    3. Work out Δρ, its average over planes, Bader's charges, the ELF along bonds; project onto atomic orbitals.

    All happens in one job, since jobs may not share a file system. Parts that are done are kept: a job that was killed
    goes on with what is left. Grids stay files, in the folder of the job.
    """

    name: str = "density"
    computes: ClassVar[str] = "density/1"
    kind: ClassVar[str] = "static"

    def check(self) -> None:
        """Raise ``ValueError`` if a program is not here."""
        check_programs(self.command)

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
        case = self.case(structure)
        check_n_slab(structure, n_slab)
        check_shared_out(n_slab, "engine.keywords", case.settings["keywords"], OF_THE_WHOLE)
        self.check()
        kinds = {element: kind_of(found.path) for element, found in sorted(case.pseudopotentials.items())}
        with_cores = [element for element, kind in kinds.items() if kind == "PAW"]
        plots = ("density", "elf", *(["reference"] if with_cores else []))
        whole = Part(self, case, structure, "whole", plots, {})
        runs, parts = [whole.converge()], [whole]
        if n_slab is not None:
            shared = whole.shared()
            for name, sites, wanted in (
                ("slab", structure[:n_slab], ("density",)),
                ("fragment", structure[n_slab:], ("density", "elf")),
            ):
                parts.append(Part(self, case, Structure.from_sites(sites), name, wanted, shared))
                runs.append(parts[-1].converge())
        grids = {(part.name, plot): part.grid(plot) for part in parts for plot in part.plots}
        electrons = Electrons(
            structure=structure,
            valence=[case.pseudopotentials[site.specie.symbol].valence for site in structure],
            density=grids["whole", "density"],
            slab=grids.get(("slab", "density")),
            fragment=grids.get(("fragment", "density")),
            reference=grids.get(("whole", "reference")),
            elf=grids["whole", "elf"],
            elf_alone=grids.get(("fragment", "elf")),
            charge=float(case.settings["keywords"].get("tot_charge", 0.0)),
        )
        difference = electrons.difference()
        fields = electron_numbers(electrons, difference, n_slab, reference_in_words(with_cores))
        lowdin, said = lowdin_charges(self.command, whole.folder, self.running.max_seconds, electrons.valence)
        return DensityDoc(
            **{**fields, "warnings": [*fields["warnings"], *about_elf(kinds), *said, *self.physics.warnings()]},
            lowdin=lowdin,
            moments=last_moments(runs[0].results, whole.folder),
            grids=[*difference_file(whole.folder, difference), *(each for part in parts for each in part.records)],
            cost=_cost(parts, runs),
            engine=self.describe(case, Corrections.load(whole.folder).keywords, runs[0].results[-1].version),
        )


def check_programs(command: Command) -> None:
    """Raise an error if a program is not there, before anything runs."""
    for program in ("pp.x", "projwfc.x"):
        try:
            command.for_post(program).check()
        except NotHereError as error:
            raise NotHereError(f"{error}; a density needs it, beside pw.x") from None


def reference_in_words(with_cores: Sequence[str]) -> str:
    """Say which density Bader's surfaces are of."""
    if not with_cores:
        return "valence density (no pseudopotential is of PAW, which would have a core)"
    return f"density with the cores of {', '.join(with_cores)} (PAW); of other elements the valence density"


def about_elf(kinds: Mapping[str, str]) -> list[str]:
    """Say what the ELF of pseudopotentials with augmentation is worth."""
    augmented = [element for element, kind in kinds.items() if kind not in NORM_CONSERVING]
    if not augmented:
        return []
    return [
        f"ELF: qualitative, for {', '.join(augmented)} is not norm-conserving: 0.1 from one version of QE to another; "
        f"set it against one of the same version and spin alone"
    ]


def lowdin_charges(
    command: Command, folder: Path, max_seconds: int | None, valence: Sequence[float]
) -> tuple[LowdinDoc | None, list[str]]:
    """Löwdin's charges of a run in a folder, or why there are none; ``valence`` is what each atom brings (e)."""
    found = project(command, folder, max_seconds)
    if isinstance(found, str):
        return None, [f"no Löwdin charges: {found}"]
    charges = [have - got for have, got in zip(valence, found.electrons, strict=True)]
    return LowdinDoc(charges=charges, moments=found.moments, spilling=found.spilling), []


def _cost(parts: Sequence[Part], runs: Sequence[PwRun]) -> CostDoc:
    return CostDoc(
        force_calls=sum(len(run.evaluations) for run in runs),
        earlier_force_calls=sum(run.earlier for run in runs),
        wall_time=max(part.checkpoint.wall_time for part in parts),
        scf_cycles=sum(count_scf(outputs(part.folder, "pw"))[1] for part in parts),
    )
