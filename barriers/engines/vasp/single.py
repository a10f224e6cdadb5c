"""One structure on its way through VASP, and what a band shares with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from barriers.distribution import versions
from barriers.documents import CostDoc, EngineDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, placed
from barriers.engines.dft import Outcome, free_force, starting_moments
from barriers.engines.vasp.folder import Goal
from barriers.engines.vasp.handlers import usual_handlers
from barriers.engines.vasp.inputs import (
    BandSetGenerator,
    SingleSetGenerator,
    SiteOrder,
    vasp_structure,
)
from barriers.engines.vasp.outputs import Step, StepOutcar, all_outcars, usable_steps
from barriers.engines.vasp.potcars import find_potcars, potcar_hash
from barriers.engines.vasp.restart import sharp_positions
from barriers.engines.vasp.run import VaspError, run_vasp
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.system import System

bulky = shutil.ignore_patterns("WAVECAR*", "CHG*", "LOCPOT", "POTCAR")
"""Files of a run by hand that are not copied."""

Generator = SingleSetGenerator | BandSetGenerator


def describe(generator: Generator, structure: Structure, outcar: StepOutcar | None) -> EngineDoc:
    """Say what gave the numbers: POTCARs by title and hash, never their content."""
    settings = generator.physics.resolved()
    potcars = find_potcars([element.symbol for element in structure.composition.elements], generator.physics)
    packages = versions("pymatgen", "atomate2", "custodian")
    if outcar is not None and outcar.vtst is not None:
        packages["vtst"] = outcar.vtst
    return EngineDoc(
        kind="vasp",
        name=f"VASP {settings['potcar_functional']}",
        version=outcar.version if outcar is not None else "unknown",
        settings={"preset": generator.physics.preset, **settings, "user_incar": generator.user_incar_settings},
        files={potcar.TITEL: potcar_hash(potcar) for potcar in potcars.values()},
        potentials={element: potcar_hash(potcar) for element, potcar in potcars.items()},
        packages=packages,
    )


def prepared(generator: Generator, structure: Structure, limits: dict[str, Any], calculation: str) -> Any:
    """Copy of a generator with all that it needs to know of a structure, a run and a stage."""
    system = System.of(structure, generator.physics.resolved())
    return replace(generator, system=system, limits=limits, calculation=calculation)


def write_once(folder: Path, write: Callable[[Path], None], incar: Callable[[], Any]) -> None:
    """Write input files where there are none, all or nothing; else the INCAR alone, for its limits."""
    if folder.exists():
        incar().write_file(folder / "INCAR")
        return
    partial = folder.with_name(f"{folder.name}.partial")
    write(partial)
    partial.rename(folder)


def single_inputs(
    generator: SingleSetGenerator, running: Running, structure: Structure, fmax: float, max_steps: int
) -> tuple[SingleSetGenerator, Structure]:
    """Give input set and sites of a relaxation to ``fmax`` (eV/Å), or of one evaluation where there are no steps."""
    relaxing = {"NSW": max_steps, "EDIFFG": -fmax} if max_steps else {}
    limits = {**relaxing, **running.layout()}
    moments = starting_moments(structure, generator.physics.resolved()["moments"])
    ready: SingleSetGenerator = prepared(generator, structure, limits, generator.calculation)
    return ready, vasp_structure(structure, moments)


@dataclass
class SingleRun:
    """A static calculation or a relaxation on its way, resumable from VASP's own files."""

    generator: SingleSetGenerator
    running: Running
    structure: Structure
    fmax: float

    def __post_init__(self) -> None:
        """Find the folder."""
        self.checkpoint = self.workspace(self.generator.identity(self.structure.symbol_set))
        self.checkpoint.load()
        self.order = SiteOrder.of(self.structure)
        self.moments = starting_moments(self.structure, self.generator.physics.resolved()["moments"])
        self.earlier = len(self.steps())
        self._logged = self.earlier

    def workspace(self, rests_on: dict[str, Any]) -> Checkpoint:
        """Folder of the calculation, named after all that its numbers depend on."""
        return Checkpoint(self.generator.calculation, [self.structure, self.fmax, rests_on])

    def inputs(self, max_steps: int) -> tuple[SingleSetGenerator, Structure]:
        """Give input set and sites."""
        return single_inputs(self.generator, self.running, self.structure, self.fmax, max_steps)

    def steps(self) -> list[Step]:
        """Every usable step so far."""
        folder = self.checkpoint.folder
        return [step for outcar in all_outcars(folder) for step in usable_steps(outcar)] if folder.exists() else []

    def take_in(self, source: Path, max_steps: int) -> bool:
        """Copy what a run by hand left; whether it converged."""
        folder = self.checkpoint.folder
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=bulky)
        return self.goal(max_steps).met(folder)

    def run(self, max_steps: int) -> Outcome:
        """Go on until done or out of steps."""
        running, folder = self.running, self.checkpoint.folder
        generator, sites = self.inputs(max_steps)
        write_once(
            folder,
            lambda target: generator.get_input_set(sites).write_input(target),
            lambda: generator.get_input_set(sites)["INCAR"],
        )
        moments = self.order.to_vasp(self.moments).tolist()
        handlers = usual_handlers(moments, running.max_seconds, self.watch)
        last = self.earlier + max(1, max_steps)
        return run_vasp(folder, running.launch.words(), last, handlers, self.goal(max_steps))

    def goal(self, max_steps: int) -> Goal:
        """What the last step has to be: small forces if atoms move."""
        return Goal(self.fmax, lambda _: self._force(self.steps()[-1])) if max_steps else Goal()

    def _force(self, step: Step) -> float:
        return free_force(self.structure, self.order.from_vasp(step.forces))

    def watch(self) -> None:
        """Log the steps since the last look."""
        steps = self.steps()
        for number, step in enumerate(steps[self._logged :], self._logged):
            line = {"iteration": number, "max_force": self._force(step), "target": self.fmax, "energy": step.energy}
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
        structure = at_positions(self.structure, positions)
        if moments is not None:
            structure.add_site_property("magmom", moments)
        return {
            "structure": structure,
            "energy": last.energy,
            "forces": self.order.from_vasp(last.forces).tolist(),
            "moments": moments,
            "cost": CostDoc(
                force_calls=len(steps),
                earlier_force_calls=self.earlier,
                wall_time=self.checkpoint.wall_time,
                scf_cycles=sum(step.electronic_steps for step in steps),
            ),
            "engine": describe(self.generator, self.structure, all_outcars(folder)[-1]),
        }
