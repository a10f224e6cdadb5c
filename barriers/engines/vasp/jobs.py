"""Static and relaxation jobs of VASP."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from atomate2.vasp.jobs.base import BaseVaspMaker
from jobflow import job
from pymatgen.core import Structure

from barriers.documents import RelaxDoc, StaticDoc
from barriers.engines.base import BaseRelaxMaker, EngineMaker, Script
from barriers.engines.dft import relax_document
from barriers.engines.vasp.inputs import BandSetGenerator, SingleSetGenerator
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import SingleRun, single_inputs


class FromInputSet(EngineMaker):
    """A maker whose numbers rest on its input set."""

    input_set_generator: SingleSetGenerator | BandSetGenerator

    running: Running

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and POTCARs the numbers rest on."""
        return self.input_set_generator.identity(elements)

    def script(self, *lines: str) -> Script:
        """Give the lines that run input files by hand, in their folder; POTCARs come first."""
        functional = self.input_set_generator.physics.resolved()["potcar_functional"]
        potcars = f'POTCARS="${{POTCARS:?the folder of the POTCARs {functional}, with one folder for each}}"'
        collect = 'for name in $(cat POTCAR.spec); do cat "$POTCARS/$name/POTCAR"; done > POTCAR'
        return Script((potcars, collect, *lines), self.running.cores, self.running.max_seconds)

    def write_single(self, folder: Path, structure: Structure, fmax: float = 0.0, max_steps: int = 0) -> Script:
        """Write the files of one structure, the names of the POTCARs in their place, and run nothing."""
        assert isinstance(self.input_set_generator, SingleSetGenerator)
        generator, sites = single_inputs(self.input_set_generator, self.running, structure, fmax, max_steps)
        generator.get_input_set(sites, potcar_spec=True).write_input(folder)
        return self.script(f"{self.running.launch.line} > vasp.out")


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

    def write_inputs(self, folder: Path, structure: Structure) -> Script:
        """Write the input files and run nothing."""
        return self.write_single(folder, structure)

    def take_in(self, folder: Path, structure: Structure) -> bool:
        """Take in what a run by hand left."""
        return SingleRun(self.input_set_generator, self.running, structure, 0.0).take_in(folder, 0)


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

    def write_inputs(self, folder: Path, structure: Structure) -> Script:
        """Write the input files and run nothing."""
        return self.write_single(folder, structure, self.fmax, self.max_steps)

    def take_in(self, folder: Path, structure: Structure) -> bool:
        """Take in what a run by hand left."""
        run = SingleRun(self.input_set_generator, self.running, structure, self.fmax)
        return run.take_in(folder, self.max_steps)
