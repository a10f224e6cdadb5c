"""Static and relaxation jobs of VASP."""

from __future__ import annotations

from dataclasses import dataclass, field

from atomate2.vasp.jobs.base import BaseVaspMaker
from jobflow import job
from pymatgen.core import Structure

from barriers.documents import RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker
from barriers.engines.dft import relax_document
from barriers.engines.vasp.inputs import SingleSetGenerator
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import SingleRun


@dataclass
class StaticMaker(BaseVaspMaker):
    """Energy, forces and moments of one structure.

    Attributes
    ----------
    name : str
        Name of the job.
    input_set_generator : SingleSetGenerator
        Settings that change the numbers; atomate2's powerups reach it.
    running : Running
        How VASP is started. No part of the job's identity.
    """

    name: str = "static"
    input_set_generator: SingleSetGenerator = field(default_factory=SingleSetGenerator)
    running: Running = field(default_factory=Running)

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        run = SingleRun(self.input_set_generator, self.running, structure, 0.0)
        outcome = run.run(0)
        return StaticDoc(**run.numbers(outcome) | {"structure": structure})


@dataclass
class RelaxMaker(BaseRelaxMaker, BaseVaspMaker):
    """Relaxation at fixed cell, frozen atoms held.

    Attributes
    ----------
    input_set_generator, running
        As for :class:`StaticMaker`.
    """

    input_set_generator: SingleSetGenerator = field(default_factory=lambda: SingleSetGenerator(calculation="relax"))
    running: Running = field(default_factory=Running)

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        run = SingleRun(self.input_set_generator, self.running, structure, self.fmax)
        outcome = run.run(self.max_steps)
        return relax_document(run.numbers(outcome), outcome, self.fmax, run.checkpoint.folder)
