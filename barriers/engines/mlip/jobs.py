"""Static, relax and NEB jobs of the embedded engine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from jobflow import Maker, job
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.documents import BandDoc, CostDoc, EngineDoc, RelaxDoc, StaticDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions
from barriers.engines.mlip.band import BandRun, NebSettings
from barriers.engines.mlip.models import ModelSpec, distribution, entry, package_versions, weights_checksum
from barriers.engines.mlip.pool import Evaluator, get_evaluator
from barriers.engines.mlip.relax import relax
from barriers.fingerprint import not_relaxed
from barriers.structures.path.start import Start, first_band


@dataclass
class StaticMaker(Maker):
    """Energy, forces and moments of one structure.

    Attributes
    ----------
    name : str
        Name of the job.
    model : ModelSpec
        The potential.
    workers : int or None
        Processes to share the work; one for each core, up to 8, if None. No part of the job's identity.
    """

    name: str = "static"
    model: ModelSpec = field(default_factory=ModelSpec)
    workers: int | None = None

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        """Evaluate ``structure`` once."""
        checkpoint = Checkpoint("static", [structure, self.model])
        (result,) = _evaluator(self).evaluate([_atoms(structure)], moments=True)
        return StaticDoc(
            structure=structure,
            energy=result.energy,
            forces=result.forces.tolist(),
            moments=None if result.moments is None else result.moments.tolist(),
            cost=CostDoc(force_calls=1, wall_time=checkpoint.wall_time),
            engine=describe(self.model),
        )


@dataclass
class RelaxMaker(Maker):
    """Relaxation at fixed cell, frozen atoms held.

    Attributes
    ----------
    name, model, workers
        As for :class:`StaticMaker`.
    fmax : float
        Largest force at the end (eV/Å).
    max_steps : int
        Most steps in one run; a further run continues.
    """

    name: str = "relax"
    model: ModelSpec = field(default_factory=ModelSpec)
    workers: int | None = None
    fmax: float = 0.03
    max_steps: int = 500

    @job(output_schema=RelaxDoc)
    def make(self, structure: Structure) -> RelaxDoc:
        """Relax ``structure``."""
        checkpoint = Checkpoint("relax", [structure, self.model, self.fmax])
        result = relax(_atoms(structure), _evaluator(self), self.fmax, self.max_steps, checkpoint)
        reason = f"{result.max_force:.3f} eV/Å after {result.steps} steps, {self.fmax:g} asked for"
        return RelaxDoc(
            structure=at_positions(structure, result.atoms.positions),
            energy=result.energy,
            forces=result.forces.tolist(),
            converged=result.converged,
            reason=None if result.converged else reason,
            max_force=result.max_force,
            fmax=self.fmax,
            steps=result.steps,
            cost=CostDoc(
                force_calls=result.force_calls,
                earlier_force_calls=result.earlier_force_calls,
                wall_time=result.wall_time,
            ),
            engine=describe(self.model),
        )


@dataclass
class NebMaker(Maker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band.
    2. Converge the plain band roughly, then let the highest image climb (improved tangent).
    3. Ask once for the magnetic moments of all images.

    Attributes
    ----------
    name, model, workers
        As for :class:`StaticMaker`.
    fmax, rough_fmax : float
        Largest force on the climbing and on the plain band (eV/Å).
    max_steps : int
        Most iterations in one run; a further run continues.
    spring : float
        Spring constant (eV/Å²).
    """

    name: str = "neb"
    model: ModelSpec = field(default_factory=ModelSpec)
    workers: int | None = None
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
            Bands of earlier starts; this one stops when it falls onto the path of one that converged.
        """
        ends = [_evaluated(document) for document in (initial, final)]
        settings = NebSettings(self.fmax, self.rough_fmax, self.max_steps, self.spring)
        if (loose := not_relaxed({"initial endpoint": initial, "final endpoint": final})) is not None:
            return self._document(initial, start, ends, settings, reason=loose)
        evaluator = _evaluator(self)
        first = first_band(ends[0], ends[1], start, None if guide is None else np.array(guide.positions))
        images = [ends[0], *first[1:-1], ends[-1]]
        tolerances = {key: value for key, value in asdict(settings).items() if key != "max_steps"}
        inputs = [[image.positions.tolist() for image in images], initial.structure, self.model, tolerances]
        paths = {band.start: np.array(band.positions) for band in known or [] if band.converged}
        run = BandRun(images, evaluator, settings, Checkpoint("neb", inputs), paths)
        converged = run.converge()
        reason = None
        if run.merged_into:
            reason = f"fell onto the path of {run.merged_into!r}"
        elif not converged:
            left = run.history[-1].max_force
            reason = f"{left:.3f} eV/Å after {len(run.history) - 1} iterations, {self.fmax:g} asked for"
        document = self._document(initial, start, run.images, settings, reason)
        document.history, document.merged_into = run.history, run.merged_into
        if converged:
            moments = [result.moments for result in evaluator.evaluate(run.images, moments=True)]
            document.moments = None if moments[0] is None else [m.tolist() for m in moments if m is not None]
        document.cost = CostDoc(
            force_calls=run.force_calls,
            earlier_force_calls=run.earlier_force_calls,
            wall_time=run.checkpoint.wall_time,
        )
        return document

    def _document(
        self, initial: RelaxDoc, start: Start, images: list[Atoms], settings: NebSettings, reason: str | None
    ) -> BandDoc:
        return BandDoc(
            start=start.name,
            structure=initial.structure,
            positions=[image.positions.tolist() for image in images],
            energies=[image.get_potential_energy() for image in images],
            forces=[image.get_forces(apply_constraint=False).tolist() for image in images],
            converged=reason is None,
            reason=reason,
            settings=asdict(settings),
            cost=CostDoc(),
            engine=describe(self.model),
        )


def describe(model: ModelSpec) -> EngineDoc:
    """Say which model gave the numbers."""
    known, packages = entry(model), package_versions(model)
    return EngineDoc(
        kind="mlip",
        name=model.name,
        version=known.get("options", {}).get("version") or packages.get(distribution(known["package"]), "unknown"),
        checksum=weights_checksum(model),
        packages=packages,
    )


def _evaluator(maker: StaticMaker | RelaxMaker | NebMaker) -> Evaluator:
    return get_evaluator(maker.model, maker.workers)


def _atoms(structure: Structure) -> Atoms:
    return AseAtomsAdaptor.get_atoms(structure, msonable=False)


def _evaluated(document: RelaxDoc) -> Atoms:
    atoms = _atoms(document.structure)
    atoms.calc = SinglePointCalculator(atoms, energy=document.energy, forces=np.array(document.forces))
    return atoms
