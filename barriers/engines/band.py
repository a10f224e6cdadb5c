"""The NEB job of any engine: what it is given, how its first band is made, what it hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from jobflow import job
from pymatgen.core import Structure

from barriers.analysis.paths import farthest
from barriers.documents import BandDoc, CostDoc, EngineDoc, RelaxDoc
from barriers.engines.base import EngineMaker
from barriers.engines.common import at_positions, atoms_of, placed
from barriers.engines.merging import KnownBand, known_bands
from barriers.engines.running import leave_first
from barriers.fingerprint import not_relaxed
from barriers.structures.digest import rounded
from barriers.structures.path.known import given
from barriers.structures.path.start import Start, first_band

STILL_THE_SAME = 0.3
"""Endpoints that were relaxed further are still those of a stored band if no atom went that far (Å)."""


@dataclass(frozen=True)
class NebSettings:
    """Tolerances (eV/Å), most iterations in one run, and spring constant (eV/Å²)."""

    fmax: float
    rough_fmax: float
    max_steps: int
    spring: float

    @property
    def tolerances(self) -> dict[str, float]:
        """Those that the numbers depend on."""
        return {"fmax": self.fmax, "rough_fmax": self.rough_fmax, "spring": self.spring}


@dataclass(frozen=True)
class BandTask:
    """A band to converge.

    Attributes
    ----------
    initial, final : RelaxDoc
        Relaxed endpoints.
    start : Start
        How the first band is made.
    images : list[Atoms]
        First band, the endpoints included; each atom in the periodic images nearest to its initial position.
    settings : NebSettings
        Tolerances and limits.
    known : Mapping[str, KnownBand]
        Converged bands between the same endpoints by the name of their start.
    climbs : bool
        Whether the first band is one whose highest image has climbed already.
    """

    initial: RelaxDoc
    final: RelaxDoc
    start: Start
    images: list[Atoms]
    settings: NebSettings
    known: Mapping[str, KnownBand]
    climbs: bool = False

    @property
    def positions(self) -> np.ndarray:
        """Positions of the first band (Å), shape (n, N, 3)."""
        return np.array([image.positions for image in self.images])

    @property
    def inputs(self) -> list[Any]:
        """What the converged band depends on, besides the engine."""
        return [self.initial.structure, rounded(self.positions), self.settings.tolerances]

    def left(self, max_force: float, iterations: int) -> str:
        """Say how far a band has got that is not converged."""
        return f"{max_force:.3f} eV/Å after {iterations} iterations, {self.settings.fmax:g} asked for"

    def document(self, reason: str | None, **numbers: Any) -> BandDoc:
        """Put together what is there; without a reason against it, the band is converged."""
        if (merged := numbers.get("merged_into")) is not None:
            reason = f"fell onto the path of {merged!r}"
        return BandDoc(
            start=self.start.name,
            structure=self.initial.structure,
            converged=reason is None,
            reason=reason,
            **{"settings": asdict(self.settings)} | numbers,
        )


@dataclass
class BaseNebMaker(EngineMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    An engine says how it converges one and what it is.

    Attributes
    ----------
    name : str
        Name of the job.
    fmax, rough_fmax : float
        Largest force on the climbing and on the plain band (eV/Å).
    max_steps : int
        Most iterations in one run; a further run continues.
    spring : float
        Spring constant (eV/Å²).
    """

    name: str = "neb"
    fmax: float = 0.05
    rough_fmax: float = 0.3
    max_steps: int = 300
    spring: float = 1.0
    computes: ClassVar[str] = "neb/1"

    @property
    def settings(self) -> NebSettings:
        """Tolerances and limits."""
        return NebSettings(self.fmax, self.rough_fmax, self.max_steps, self.spring)

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return self.settings.tolerances

    @job(output_schema=BandDoc)
    def make(
        self,
        initial: RelaxDoc,
        final: RelaxDoc,
        start: Start,
        guide: BandDoc | None = None,
        known: list[BandDoc] | None = None,
        before: BandDoc | None = None,
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
            Bands of earlier starts; this one stops, once its plain stage is done, when it falls onto the path of one
            that converged and says the same.
        before : BandDoc or None
            This very band, converged to a larger force: where it goes on from.
        """
        if (loose := not_relaxed({"initial endpoint": initial, "final endpoint": final})) is not None:
            task = self._between(initial, final, start, known)
            return task.document(
                loose,
                positions=task.positions.tolist(),
                energies=[initial.energy, final.energy],
                forces=[initial.forces, final.forces],
                cost=CostDoc(),
                engine=self.described(initial.structure),
            )
        task = self.task(initial, final, start, guide, known, before)
        leave_first(task.positions, initial, final, start.name, self.described(initial.structure))
        document = self.converged(task)
        if before is None:
            return document
        return document.model_copy(update={"went_on_from": f"{before.settings['fmax']:g} eV/Å"})

    def goes_on_from(self, before: BandDoc, initial: RelaxDoc, final: RelaxDoc, start: Start, *_: Any) -> bool:
        """Whether a band is this one at a larger force: as many images, ends close to these, not cut at a minimum."""
        ends = np.array([initial.structure.cart_coords, final.structure.cart_coords])
        theirs = np.array(before.positions)[[0, -1]]
        if before.joints or len(before.positions) != start.n_images + 2 or theirs.shape != ends.shape:
            return False
        if before.structure.lattice != initial.structure.lattice:
            return False
        return farthest(theirs, ends, initial.structure.lattice.matrix) < STILL_THE_SAME

    def task(
        self,
        initial: RelaxDoc,
        final: RelaxDoc,
        start: Start,
        guide: BandDoc | None = None,
        known: list[BandDoc] | None = None,
        before: BandDoc | None = None,
    ) -> BandTask:
        """Make the first band; parameters as of ``make``."""
        task = self._between(initial, final, start, known)
        first, last = task.images
        if before is not None:
            band = given(first, last, np.array(before.positions), start.n_images)
            return replace(task, images=[first, *band[1:-1], last], climbs=True)
        band = first_band(first, last, start, None if guide is None else np.array(guide.positions))
        return replace(task, images=[first, *band[1:-1], last])

    def _between(self, initial: RelaxDoc, final: RelaxDoc, start: Start, known: list[BandDoc] | None) -> BandTask:
        first = atoms_of(initial.structure)
        last = atoms_of(at_positions(initial.structure, placed(initial.structure, final.structure.cart_coords)))
        return BandTask(initial, final, start, [first, last], self.settings, known_bands(known or []))

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        raise NotImplementedError

    def described(self, structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure."""
        raise NotImplementedError
