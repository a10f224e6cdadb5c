"""An engine as codes of DFT are: single points, relaxations, and bands at whose saddles nobody looks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from jobflow import Maker, job
from pymatgen.core import Structure

from barriers import MlipEngine
from barriers.documents import BandDoc, CostDoc, StaticDoc
from barriers.engines.band import BandTask
from barriers.engines.mlip.band import BandRun
from barriers.engines.mlip.jobs import NebMaker


@dataclass
class PlainBandMaker(NebMaker):
    """Converges a band, and no more."""

    def converged(self, task: BandTask) -> BandDoc:
        for image, end in zip((task.images[0], task.images[-1]), (task.initial, task.final), strict=True):
            (result,) = self.evaluator.evaluate([image])
            assert abs(result.energy - end.energy) < 1e-6
        run = BandRun(task.images, self.evaluator, task.settings, self.checkpoint("neb", *task.inputs))
        return task.document(
            None if run.converge() else "steps used up",
            positions=[image.positions.tolist() for image in run.images],
            energies=[image.get_potential_energy() for image in run.images],
            forces=[image.get_forces(apply_constraint=False).tolist() for image in run.images],
            cost=CostDoc(force_calls=run.force_calls),
            engine=self.describe(),
        )


@dataclass
class FailingMaker(Maker):
    """Single points that fail."""

    name: str = "static"

    @job(output_schema=StaticDoc)
    def make(self, structure: Structure) -> StaticDoc:
        raise RuntimeError(f"no energy of {len(structure)} atoms")


class PlainCode:
    """The engine, with some calculator behind it."""

    def __init__(self, model: str, fails: bool = False) -> None:
        self.model, self.fails = MlipEngine(model=model, workers=1), fails

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None: ...

    def seconds_per_call(self, atoms: int, images: int) -> float:
        return 0.0

    def static(self) -> Maker:
        return FailingMaker() if self.fails else self.model.static()

    def relax(self, fmax: float, max_steps: int) -> Maker:
        return self.model.relax(fmax, max_steps)

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> Maker:
        return PlainBandMaker(
            model=self.model.spec, workers=1, fmax=fmax, rough_fmax=rough_fmax, max_steps=max_steps, spring=spring
        )
