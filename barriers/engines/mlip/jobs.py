"""Static, relax and NEB jobs of the embedded engine."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

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
from barriers.engines.mlip.minimum import to_minimum
from barriers.engines.mlip.models import ModelSpec, distribution, entry, package_versions
from barriers.engines.mlip.path import PathRun, highest
from barriers.engines.mlip.pool import Evaluator, get_evaluator
from barriers.engines.mlip.relax import relax
from barriers.engines.mlip.weights import potential
from barriers.structures.path.rattle import RATTLE, rattled


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
    """Relaxation at fixed cell, frozen atoms held, with L-BFGS.

    Attributes
    ----------
    end_state : bool
        The structure is the end of a hop: a mode that leads downhill from where it ends is followed.
    rattles : bool
        A rattle breaks the symmetry of such an end first; needless where it follows one that was relaxed before.
    """

    end_state: bool = False
    rattles: bool = True
    computes: ClassVar[str] = "relax/2"

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on, and the rattle."""
        return super().tolerances | ({"rattle": RATTLE * self.rattles} if self.end_state else {})

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure; the end of a hop from where a rattle puts it."""
        return self._relaxed(structure, rattles=self.end_state and self.rattles)

    def relaxed_further(self, structure: Structure) -> RelaxDoc:
        """Relax a structure that was relaxed to a larger force, and rattled before that if it is the end of a hop."""
        return self._relaxed(structure, rattles=False)

    def _relaxed(self, structure: Structure, rattles: bool) -> RelaxDoc:
        atoms, checkpoint = atoms_of(structure), self.checkpoint("relax", structure, self.fmax, rattles)
        how = self.evaluator, self.fmax, self.max_steps
        if rattles:
            atoms = rattled(atoms)
        if self.end_state:
            result = to_minimum(atoms, *how, checkpoint, partial(self.checkpoint, "relax", structure))
        else:
            result = relax(atoms, *how, checkpoint)
        return result.document(at_positions(structure, result.atoms.positions), self.fmax, self.describe())


@dataclass
class NebMaker(BaseNebMaker, MlipMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band.
    2. Converge the plain band roughly, then let the highest image climb (improved tangent).
    3. Mend what is no such path: cut it at intermediate minima, which are relaxed, end it in the minima that it leads
       down to, put images into steep steps, push it off a saddle of second order; and converge it again.
    4. Ask once for the magnetic moments of all images.

    Attributes
    ----------
    refine : bool
        Search for the saddle from the roughly converged, climbing band. Where a band does not converge that is done in
        any case.
    """

    refine: bool = False
    computes: ClassVar[str] = "neb/5"

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on, and whether saddles are searched for."""
        return super().tolerances | ({"refine": True} if self.refine else {})

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        _set_results(task.images[0], task.initial)
        _set_results(task.images[-1], task.final)
        path = PathRun(task, self.evaluator, self.checkpoint, self.refine)
        pieces = path.converge()
        images = [*pieces[0].images, *(image for piece in pieces[1:] for image in piece.images[1:])]
        starts = np.cumsum([0, *(len(piece.images) - 1 for piece in pieces[:-1])]).tolist()
        moments = None
        if path.reason is None:
            of_images = [result.moments for result in self.evaluator.evaluate(images, moments=True)]
            moments = None if of_images[0] is None else [each.tolist() for each in of_images if each is not None]
        document = task.document(
            path.reason,
            positions=[image.positions.tolist() for image in images],
            energies=[image.get_potential_energy() for image in images],
            forces=[image.get_forces(apply_constraint=False).tolist() for image in images],
            moments=moments,
            merged_into=path.merged_into,
            saddle_left=highest(pieces).left,
            joints=starts[1:],
            inserted=len(images) - len(task.images),
            saddles=[
                piece.saddle.model_copy(update={"image": start + piece.saddle.image})
                for piece, start in zip(pieces, starts, strict=True)
                if piece.saddle is not None
            ],
            history=path.history,
            warnings=path.warnings,
            cost=path.cost,
            engine=self.describe(),
        )
        if images[0] is not task.images[0]:
            document.structure = at_positions(document.structure, images[0].positions)
        return document

    def described(self, _structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure: the same model for all."""
        return self.describe()


def _set_results(atoms: Atoms, document: RelaxDoc) -> None:
    atoms.calc = SinglePointCalculator(atoms, energy=document.energy, forces=np.array(document.forces))
