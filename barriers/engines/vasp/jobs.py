"""Static and relaxation jobs of VASP, and what its three makers share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from atomate2.vasp.jobs.base import BaseVaspMaker
from jobflow import job
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.documents import CostDoc, EngineDoc, RelaxDoc, StaticDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.vasp.handlers import usual_handlers
from barriers.engines.vasp.inputs import (
    BandSetGenerator,
    SingleSetGenerator,
    SiteOrder,
    System,
    find_potcars,
    starting_moments,
    vasp_structure,
)
from barriers.engines.vasp.outputs import Step, StepOutcar, all_outcars, sharp_positions, usable_steps
from barriers.engines.vasp.run import Outcome, VaspError, converged, evaluated, run_vasp
from barriers.engines.vasp.settings import Physics, Running
from barriers.structures.mapping import unwrap
from barriers.structures.surface import frozen_atoms

Generator = SingleSetGenerator | BandSetGenerator


def describe(generator: Generator, structure: Structure, outcar: StepOutcar | None) -> EngineDoc:
    """Say what gave the numbers: POTCARs by title and hash, never their content."""
    settings = generator.physics.resolved()
    potcars = find_potcars([element.symbol for element in structure.composition.elements], generator.physics)
    packages = {name: version(name) for name in ("barriers", "pymatgen", "atomate2", "custodian")}
    if outcar is not None and outcar.vtst is not None:
        packages["vtst"] = outcar.vtst
    return EngineDoc(
        kind="vasp",
        name=f"VASP {settings['potcar_functional']}",
        version=outcar.version if outcar is not None else "unknown",
        settings={"preset": generator.physics.preset, **settings, "user_incar": generator.user_incar_settings},
        files={potcar.TITEL: hashlib.md5(potcar.data.encode(), usedforsecurity=False).hexdigest() for potcar in potcars.values()},
        packages=packages,
    )


def prepared(generator: Generator, structure: Structure, limits: dict[str, Any]) -> Any:
    """Copy of a generator with all that it needs to know of a structure and a run."""
    system = System.of(structure, generator.physics.resolved())
    return replace(generator, system=system, limits=limits)


def write_once(folder: Path, write: Callable[[Path], None], incar: Callable[[], Any]) -> None:
    """Write input files where there are none, all or nothing; else the INCAR alone, for its limits."""
    if folder.exists():
        incar().write_file(folder / "INCAR")
        return
    partial = folder.with_name(f"{folder.name}.partial")
    write(partial)
    partial.rename(folder)


def free_force(structure: Structure, forces: np.ndarray) -> float:
    """Largest force (eV/Å) on an atom that may move."""
    free = sorted(set(range(len(structure))) - set(frozen_atoms(structure)))
    return float(np.linalg.norm(forces[free], axis=1).max())


def placed(structure: Structure, positions: np.ndarray) -> np.ndarray:
    """Positions (Å) as the study has them: unwrapped, and frozen atoms where they were to the last digit.

    Parameters
    ----------
    structure : Structure
        Where the atoms were before.
    positions : (N, 3)
        Where VASP has them, in the order of the structure.
    """
    near = unwrap(positions, AseAtomsAdaptor.get_atoms(structure, msonable=False))
    frozen = frozen_atoms(structure)
    near[frozen] = structure.cart_coords[frozen]
    return near


@dataclass
class _SingleRun:
    """A static calculation or a relaxation on its way, resumable from VASP's own files."""

    maker: StaticMaker | RelaxMaker
    structure: Structure
    fmax: float

    def __post_init__(self) -> None:
        """Find the folder."""
        generator = self.maker.input_set_generator
        self.checkpoint = Checkpoint(generator.calculation, [self.structure, generator, self.fmax])
        self.checkpoint.load()
        self.order = SiteOrder.of(self.structure)
        self.moments = starting_moments(self.structure, generator.physics.resolved()["moments"])
        self.earlier = len(self.steps())
        self._logged = self.earlier

    def steps(self) -> list[Step]:
        """Every usable step so far."""
        folder = self.checkpoint.folder
        return [step for outcar in all_outcars(folder) for step in usable_steps(outcar)] if folder.exists() else []

    def run(self, max_steps: int) -> Outcome:
        """Go on until done or out of steps."""
        running: Running = self.maker.running
        folder = self.checkpoint.folder
        relaxing = {"NSW": max_steps, "EDIFFG": -self.fmax} if max_steps else {}
        generator = prepared(self.maker.input_set_generator, self.structure, {**relaxing, **running.layout()})
        sites = vasp_structure(self.structure, self.moments)
        write_once(
            folder,
            lambda target: generator.get_input_set(sites).write_input(target),
            lambda: generator.get_input_set(sites)["INCAR"],
        )
        moments = self.order.to_vasp(self.moments).tolist()
        handlers = usual_handlers(moments, running.max_seconds, self.watch)
        done = converged if max_steps else evaluated
        return run_vasp(folder, running.command, self.earlier + max(1, max_steps), handlers, done)

    def watch(self) -> None:
        """Log the steps since the last look."""
        steps = self.steps()
        for number, step in enumerate(steps[self._logged :], self._logged):
            force = free_force(self.structure, self.order.from_vasp(step.forces))
            line = {"iteration": number, "max_force": force, "target": self.fmax, "energy": step.energy}
            self.checkpoint.save({}, line | {"force_calls": number + 1})
        self._logged = max(self._logged, len(steps))

    def numbers(self, outcome: Outcome) -> dict[str, Any]:
        """Fields that static and relaxation documents share."""
        self.watch()
        steps, folder = self.steps(), self.checkpoint.folder
        if not steps:
            raise VaspError(f"{outcome.line}; files in {folder}")
        last = steps[-1]
        moments = None if last.moments is None else self.order.from_vasp(last.moments).tolist()
        positions = placed(self.structure, self.order.from_vasp(sharp_positions(folder, last)))
        carried = {} if moments is None else {"magmom": moments}
        return {
            "structure": Structure(
                self.structure.lattice,
                self.structure.species,
                positions,
                coords_are_cartesian=True,
                site_properties={**self.structure.site_properties, **carried},
            ),
            "energy": last.energy,
            "forces": self.order.from_vasp(last.forces).tolist(),
            "moments": moments,
            "cost": CostDoc(
                force_calls=len(steps),
                earlier_force_calls=self.earlier,
                wall_time=self.checkpoint.wall_time,
                scf_cycles=sum(step.electronic_steps for step in steps),
            ),
            "engine": describe(self.maker.input_set_generator, self.structure, all_outcars(folder)[-1]),
        }


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
        run = _SingleRun(self, structure, 0.0)
        outcome = run.run(0)
        return StaticDoc(**run.numbers(outcome) | {"structure": structure})


@dataclass
class RelaxMaker(BaseVaspMaker):
    """Relaxation at fixed cell, frozen atoms held.

    Attributes
    ----------
    name, input_set_generator, running
        As for :class:`StaticMaker`.
    fmax : float
        Largest force at the end (eV/Å).
    max_steps : int
        Most steps in one run; a further run continues.
    """

    name: str = "relax"
    input_set_generator: SingleSetGenerator = field(default_factory=lambda: SingleSetGenerator(calculation="relax"))
    running: Running = field(default_factory=Running)
    fmax: float = 0.03
    max_steps: int = 500

    @job(output_schema=RelaxDoc)
    def make(self, structure: Structure) -> RelaxDoc:
        """Relax ``structure``."""
        run = _SingleRun(self, structure, self.fmax)
        outcome = run.run(self.max_steps)
        numbers = run.numbers(outcome)
        force = free_force(structure, np.array(numbers["forces"]))
        steps = numbers["cost"].force_calls
        reason = f"{outcome.line}: {force:.3f} eV/Å after {steps} steps, {self.fmax:g} asked for"
        return RelaxDoc(
            **numbers,
            converged=outcome.kind is None,
            reason=None if outcome.kind is None else reason,
            max_force=force,
            fmax=self.fmax,
            steps=steps - 1,
        )
