"""The embedded engine: machine-learned potentials, and any other ASE calculator, in this process."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monty.json import MSONable

from barriers.engines.mlip.models import ModelSpec, check_model, entry

if TYPE_CHECKING:
    from barriers.engines.mlip.cell import CellMaker, CrystalCellMaker
    from barriers.engines.mlip.estimate import EstimateMaker
    from barriers.engines.mlip.jobs import NebMaker, RelaxMaker, StaticMaker


@dataclass
class MlipEngine(MSONable):
    """The embedded engine.

    Attributes
    ----------
    model : str
        Name from ``barriers models``, or an ASE calculator as ``module:Class``.
    weights : str or None
        File with the model's weights, where no wheel carries them.
    allow_download : bool
        Let the model fetch its weights.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    workers : int or None
        Processes that share the images of a band; one for each core, up to 8, if None.
    """

    model: str = "chgnet"
    weights: str | None = None
    allow_download: bool = False
    device: str = "auto"
    workers: int | None = None

    @property
    def spec(self) -> ModelSpec:
        """The model and where its weights and its work go."""
        from barriers.engines.common import from_anywhere

        return ModelSpec(self.model, from_anywhere(self.weights), self.allow_download, self.device)

    @property
    def crystals_only(self) -> str | None:
        """What the model was trained on, where that was crystals alone; None of any other."""
        known = entry(self.spec)
        return str(known["trained_on"]) if known.get("crystals_only") else None

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:  # noqa: ARG002
        """Raise ``ValueError`` if the model or its weights are not here; a model meets any elements and images."""
        check_model(self.spec)

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Rough time (s) of one evaluation on this machine's cores, so many images at a time; 0 if not known.

        One image uses all cores as threads, which gives about ``cores ** 0.8``; several use them as processes.
        """
        from barriers.engines.mlip.pool import available_cores, default_workers

        workers = default_workers(self.workers)
        speed = available_cores() ** 0.8 if images == 1 else images / math.ceil(images / workers)
        return float(entry(self.spec).get("seconds_per_atom", 0)) * atoms / speed

    def static(self) -> StaticMaker:
        """Maker of a single evaluation."""
        from barriers.engines.mlip.jobs import StaticMaker

        return StaticMaker(model=self.spec, workers=self.workers)

    def estimate(self) -> EstimateMaker:
        """Maker of estimates of a crystal's barriers, by single evaluations along first bands."""
        from barriers.engines.mlip.estimate import EstimateMaker

        return EstimateMaker(model=self.spec, workers=self.workers)

    def relax(self, fmax: float, max_steps: int) -> RelaxMaker:
        """Maker of a relaxation to ``fmax`` (eV/Å)."""
        from barriers.engines.mlip.jobs import RelaxMaker

        return RelaxMaker(model=self.spec, workers=self.workers, fmax=fmax, max_steps=max_steps)

    def cell(self, fmax: float, max_steps: int) -> CellMaker:
        """Maker of a relaxation of cell and ions to ``fmax`` (eV/Å) of a hexagonal crystal."""
        from barriers.engines.mlip.cell import CellMaker

        return CellMaker(model=self.spec, workers=self.workers, fmax=fmax, max_steps=max_steps)

    def crystal_cell(self, fmax: float, max_steps: int) -> CrystalCellMaker:
        """Maker of a relaxation of cell and ions to ``fmax`` (eV/Å) of any crystal, its symmetry kept."""
        from barriers.engines.mlip.cell import CrystalCellMaker

        return CrystalCellMaker(model=self.spec, workers=self.workers, fmax=fmax, max_steps=max_steps)

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> NebMaker:
        """Maker of a climbing band; forces in eV/Å, spring in eV/Å²."""
        from barriers.engines.mlip.jobs import NebMaker

        return NebMaker(
            model=self.spec,
            workers=self.workers,
            fmax=fmax,
            rough_fmax=rough_fmax,
            max_steps=max_steps,
            spring=spring,
        )
