"""The band: VASP plain until roughly converged, then climbing with VTST."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from atomate2.vasp.jobs.neb import NebFromImagesMaker
from jobflow import job
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.documents import BandDoc, RelaxDoc
from barriers.engines.common import at_positions
from barriers.engines.vasp.band import BandRun
from barriers.engines.vasp.inputs import BandSetGenerator
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import placed
from barriers.fingerprint import not_relaxed
from barriers.structures.path.start import Start, first_band


@dataclass
class NebMaker(NebFromImagesMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band, sort its atoms as VASP wants them.
    2. Converge the plain band roughly with an optimiser of VASP's own.
    3. Let the highest image climb, with an optimiser of VTST.

    Attributes
    ----------
    name : str
        Name of the job.
    input_set_generator : BandSetGenerator
        Settings that change the numbers; atomate2's powerups reach it.
    running : Running
        How VASP is started. No part of the job's identity.
    fmax, rough_fmax : float
        Largest force on the climbing and on the plain band (eV/Å).
    max_steps : int
        Most iterations in one run; a further run continues.
    spring : float
        Spring constant (eV/Å²).
    without_vtst : str
        ``refuse``, or ``plain band``: converge that and say that the saddle is not climbed.
    """

    name: str = "neb"
    input_set_generator: BandSetGenerator = field(default_factory=BandSetGenerator)
    running: Running = field(default_factory=Running)
    fmax: float = 0.05
    rough_fmax: float = 0.3
    max_steps: int = 300
    spring: float = 1.0
    without_vtst: Literal["refuse", "plain band"] = "refuse"

    @property
    def tolerances(self) -> dict[str, float]:
        """Settings of the band that change its numbers."""
        return {"fmax": self.fmax, "rough_fmax": self.rough_fmax, "spring": self.spring}

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
        self.running.layout(start.n_images)  # cores that do not fit are refused before anything runs
        run = BandRun(self, initial, final, first_positions(initial, final, start, guide))
        loose = not_relaxed({"initial endpoint": initial, "final endpoint": final})
        paths = {band.start: np.array(band.positions) for band in known or [] if band.converged}
        if loose is None:
            run.converge(paths)
        return run.document(start, [] if loose is None else [loose])


def first_positions(initial: RelaxDoc, final: RelaxDoc, start: Start, guide: BandDoc | None) -> np.ndarray:
    """Make the first band; the final endpoint's atoms in the periodic images nearest to the initial ones."""
    first = AseAtomsAdaptor.get_atoms(initial.structure, msonable=False)
    last = at_positions(initial.structure, placed(initial.structure, final.structure.cart_coords))
    path = None if guide is None else np.array(guide.positions)
    band = first_band(first, AseAtomsAdaptor.get_atoms(last, msonable=False), start, path)
    return np.array([first.positions, *(image.positions for image in band[1:-1]), last.cart_coords])
