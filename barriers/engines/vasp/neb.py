"""The band: VASP plain until roughly converged, then climbing with VTST."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from atomate2.vasp.jobs.neb import NebFromImagesMaker
from pymatgen.core import Structure

from barriers.documents import BandDoc, EngineDoc
from barriers.engines.band import BandTask, BaseNebMaker
from barriers.engines.vasp.band import BandRun
from barriers.engines.vasp.inputs import BandSetGenerator
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import describe


@dataclass
class NebMaker(BaseNebMaker, NebFromImagesMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band, sort its atoms as VASP wants them.
    2. Converge the plain band roughly with an optimiser of VASP's own.
    3. Let the highest image climb, with an optimiser of VTST.

    Attributes
    ----------
    input_set_generator : BandSetGenerator
        Settings that change the numbers; atomate2's powerups reach it.
    running : Running
        How VASP is started. No part of the job's identity.
    without_vtst : str
        ``refuse``, or ``plain band``: converge that and say that the saddle is not climbed.
    """

    input_set_generator: BandSetGenerator = field(default_factory=BandSetGenerator)
    running: Running = field(default_factory=Running)
    without_vtst: Literal["refuse", "plain band"] = "refuse"

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        self.running.layout(task.start.n_images)  # cores that do not fit are refused before anything runs
        run = BandRun(task, self.input_set_generator, self.running, self.without_vtst)
        run.converge()
        return run.document()

    def described(self, structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure."""
        return describe(self.input_set_generator, structure, None)
