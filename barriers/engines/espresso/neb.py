"""The NEB job of Quantum ESPRESSO."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from jobflow import job

from barriers.documents import BandDoc, CostDoc, RelaxDoc
from barriers.engines.dft import starting_moments
from barriers.engines.espresso.band import BandRun
from barriers.engines.espresso.base import EspressoMaker, atoms_of
from barriers.engines.espresso.faults import EspressoError
from barriers.engines.espresso.inputs import PREFIX
from barriers.engines.espresso.outputs import count_scf, pw_outputs
from barriers.fingerprint import not_relaxed
from barriers.structures.path.mapping import unwrap
from barriers.structures.path.start import Start, first_band


@dataclass
class NebMaker(EspressoMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints, with ``neb.x``.

    1. Make the first band; it goes to ``neb.x`` image by image.
    2. Converge the plain band roughly, then let the highest image climb (improved tangent).
    3. Read energies, positions and forces from the path file, moments from the output of each image.

    Attributes
    ----------
    fmax, rough_fmax : float
        Longest force on the climbing and on the plain band (eV/Å).
    max_steps : int
        Most iterations in one run; a further run continues.
    spring : float
        Spring constant (eV/Å²).
    """

    name: str = "neb"
    fmax: float = 0.05
    rough_fmax: float = 0.3
    max_steps: int = 300
    spring: float = 1.0

    @job(output_schema=BandDoc)
    def make(
        self,
        initial: RelaxDoc,
        final: RelaxDoc,
        start: Start,
        guide: BandDoc | None = None,
        known: list[BandDoc] | None = None,
    ) -> BandDoc:
        """Converge the band from ``start``.

        Parameters
        ----------
        initial, final : RelaxDoc
            Relaxed endpoints.
        start : Start
            How the first band is made.
        guide : BandDoc or None
            The converged band that a carried start follows.
        known : list[BandDoc] or None
            Bands of earlier starts; this one stops, after its plain stage, when it falls onto the path of one.
        """
        case = self.case(initial.structure)
        command = self.command
        command.neb(start.n_images, "")  # a plan that does not fit is refused before anything runs
        images = first_images(initial, final, start, guide)
        tolerances = {"fmax": self.fmax, "rough_fmax": self.rough_fmax, "spring": self.spring}
        positions = [image.positions.tolist() for image in images]
        checkpoint = self.workspace("neb", positions, initial.structure, tolerances)
        run = BandRun(self, case, checkpoint, images, starting_moments(initial.structure, case.settings["moments"]))
        if (loose := not_relaxed({"initial endpoint": initial, "final endpoint": final})) is not None:
            ends = {
                "positions": [images[0].positions.tolist(), images[-1].positions.tolist()],
                "energies": [initial.energy, final.energy],
                "forces": [initial.forces, final.forces],
            }
            return self._document(run, initial, start, loose, **ends)
        paths = {band.start: np.array(band.positions) for band in known or [] if band.converged}
        merged = run.converge(paths)
        state = run.state
        if state is None or run.outcome.kind == "final":
            raise EspressoError(f"{run.outcome.line}; files in {checkpoint.folder}")
        band = {
            "positions": state.positions.tolist(),
            "energies": state.energies.tolist(),
            "forces": state.forces.tolist(),
            "moments": run.moments,
            "merged_into": merged,
        }
        reason = None
        if merged is not None:
            reason = f"fell onto the path of {merged!r}"
        elif run.outcome.kind is not None:
            left = f"{run.history[-1].max_force:.3f} eV/Å after {len(run.history)} iterations, {self.fmax:g} asked for"
            reason = f"{run.outcome.line}: {left}; files in {checkpoint.folder}"
        return self._document(run, initial, start, reason, **band)

    def _document(self, run: BandRun, initial: RelaxDoc, start: Start, reason: str | None, **numbers: Any) -> BandDoc:
        scfs, cycles = count_scf(pw_outputs(run.checkpoint.folder, PREFIX))
        return BandDoc(
            start=start.name,
            structure=initial.structure,
            converged=reason is None,
            reason=reason,
            history=run.history,
            settings={"fmax": self.fmax, "rough_fmax": self.rough_fmax, "spring": self.spring},
            warnings=run.warnings(),
            cost=CostDoc(
                force_calls=scfs,
                earlier_force_calls=run.earlier_scfs,
                wall_time=run.checkpoint.wall_time,
                scf_cycles=cycles,
            ),
            engine=self.describe(run.case, run.checkpoint),
            **numbers,
        )


def first_images(initial: RelaxDoc, final: RelaxDoc, start: Start, guide: BandDoc | None) -> list[Atoms]:
    """Make the first band; the final endpoint's atoms in the periodic images nearest to the initial ones."""
    first, last = atoms_of(initial.structure), atoms_of(final.structure)
    last.set_positions(unwrap(last.positions, first), apply_constraint=False)
    band = first_band(first, last, start, None if guide is None else np.array(guide.positions))
    return [first, *band[1:-1], last]
