"""Static and relaxation jobs of VASP."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from atomate2.vasp.jobs.base import BaseVaspMaker
from jobflow import job
from pymatgen.core import Structure

from barriers.documents import RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker, EngineMaker
from barriers.engines.dft import relax_document
from barriers.engines.vasp.inputs import BandSetGenerator, SingleSetGenerator
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import SingleRun


class FromInputSet(EngineMaker):
    """A maker whose numbers rest on its input set."""

    input_set_generator: SingleSetGenerator | BandSetGenerator

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and POTCARs the numbers rest on."""
        return self.input_set_generator.identity(elements)


@dataclass
class StaticMaker(FromInputSet, BaseVaspMaker):
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

    def fine(self) -> StaticMaker:
        """Maker of the same with :data:`~barriers.engines.vasp.settings.FINE`."""
        generator = self.input_set_generator
        return replace(self, input_set_generator=replace(generator, physics=replace(generator.physics, fine=True)))

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        run = SingleRun(self.input_set_generator, self.running, structure, 0.0)
        outcome = run.run(0)
        return StaticDoc(**run.numbers(outcome) | {"structure": structure})


@dataclass
class RelaxMaker(BaseRelaxMaker, FromInputSet, BaseVaspMaker):
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
