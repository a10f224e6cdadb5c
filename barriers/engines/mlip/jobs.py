"""Static, relax and NEB jobs of the embedded engine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from jobflow import job
from pymatgen.core import Structure

from barriers.documents import BandDoc, CostDoc, EngineDoc, RelaxDoc, StaticDoc
from barriers.engines.band import BandTask, BaseNebMaker
from barriers.engines.base import BaseRelaxMaker, EngineMaker
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.mlip.band import BandRun
from barriers.engines.mlip.models import ModelSpec, distribution, entry, package_versions
from barriers.engines.mlip.pool import Evaluator, get_evaluator
from barriers.engines.mlip.relax import relax
from barriers.engines.mlip.weights import potential


@dataclass
class MlipMaker(EngineMaker):
    """What the three makers share.

    Attributes
    ----------
    name : str
        Name of the job.
    model : ModelSpec
        The potential.
    workers : int or None
        Processes to share the work; one for each core, up to 8, if None. No part of the job's identity.
    """

    name: str = "mlip"
    model: ModelSpec = field(default_factory=ModelSpec)
    workers: int | None = None

    @property
    def evaluator(self) -> Evaluator:
        """The model at work."""
        return get_evaluator(self.model, self.workers)

    def checkpoint(self, kind: str, *inputs: Any) -> Checkpoint:
        """State of a calculation, named after all that its numbers depend on."""
        return Checkpoint(kind, [*inputs, self.rests_on()])

    def rests_on(self, _elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which weights or which source the numbers rest on."""
        return {"engine": "mlip", "potential": potential(self.model)}

    def describe(self) -> EngineDoc:
        """Say which model gives the numbers."""
        known, packages = entry(self.model), package_versions(self.model)
        loaded = self.evaluator.potential
        return EngineDoc(
            kind="mlip",
            name=self.model.name,
            version=known.get("options", {}).get("version") or packages.get(distribution(known["package"]), "unknown"),
            checksum=loaded.get("weights"),
            settings={key: loaded[key] for key in ("source",) if key in loaded},
            packages=packages,
        )


@dataclass
class StaticMaker(MlipMaker):
    """Energy, forces and moments of one structure."""

    name: str = "static"

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        checkpoint = self.checkpoint("static", structure)
        (result,) = self.evaluator.evaluate([atoms_of(structure)], moments=True)
        return StaticDoc(
            structure=structure,
            energy=result.energy,
            forces=result.forces.tolist(),
            moments=None if result.moments is None else result.moments.tolist(),
            cost=CostDoc(force_calls=1, wall_time=checkpoint.wall_time),
            engine=self.describe(),
        )


@dataclass
class RelaxMaker(BaseRelaxMaker, MlipMaker):
    """Relaxation at fixed cell, frozen atoms held, with L-BFGS."""

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        checkpoint = self.checkpoint("relax", structure, self.fmax)
        result = relax(atoms_of(structure), self.evaluator, self.fmax, self.max_steps, checkpoint)
        reason = f"{result.max_force:.3f} eV/Å after {result.steps} steps, {self.fmax:g} asked for"
        return RelaxDoc(
            structure=at_positions(structure, result.atoms.positions),
            energy=result.energy,
            forces=result.forces.tolist(),
            converged=result.converged,
            reason=None if result.converged else reason,
            max_force=result.max_force,
            energy_left=result.energy_left,
            fmax=self.fmax,
            steps=result.steps,
            cost=CostDoc(
                force_calls=result.force_calls,
                earlier_force_calls=result.earlier_force_calls,
                wall_time=result.wall_time,
            ),
            engine=self.describe(),
        )


@dataclass
class NebMaker(BaseNebMaker, MlipMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band.
    2. Converge the plain band roughly, then let the highest image climb (improved tangent).
    3. Ask once for the magnetic moments of all images.
    """

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        _set_results(task.images[0], task.initial)
        _set_results(task.images[-1], task.final)
        evaluator, checkpoint = self.evaluator, self.checkpoint("neb", *task.inputs)
        run = BandRun(task.images, evaluator, task.settings, checkpoint, task.known, task.climbs)
        reason, moments = None, None
        if not run.converge():
            reason = task.left(run.history[-1].max_force, len(run.history) - 1)
        else:
            of_images = [result.moments for result in evaluator.evaluate(run.images, moments=True)]
            moments = None if of_images[0] is None else [each.tolist() for each in of_images if each is not None]
        return task.document(
            reason,
            positions=[image.positions.tolist() for image in run.images],
            energies=[image.get_potential_energy() for image in run.images],
            forces=[image.get_forces(apply_constraint=False).tolist() for image in run.images],
            moments=moments,
            merged_into=run.merged_into,
            saddle_left=run.saddle_left,
            history=run.history,
            cost=CostDoc(
                force_calls=run.force_calls,
                earlier_force_calls=run.earlier_force_calls,
                wall_time=checkpoint.wall_time,
            ),
            engine=self.describe(),
        )

    def described(self, _structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure: the same model for all."""
        return self.describe()


def _set_results(atoms: Atoms, document: RelaxDoc) -> None:
    atoms.calc = SinglePointCalculator(atoms, energy=document.energy, forces=np.array(document.forces))
