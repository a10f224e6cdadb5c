"""Going through a study's jobs in their order, with results that are there and stand-ins for those that are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jobflow import Flow, Job, JobStore
from maggma.stores import MemoryStore
from monty.json import jsanitize
from pymatgen.core import Structure

from barriers.dispatch.execution import stored_calculation, with_inputs
from barriers.dispatch.identity import contents
from barriers.dispatch.local import lasting
from barriers.documents import BandDoc, BarrierDoc, CostDoc, EngineDoc, RelaxDoc, StaticDoc, StudyDoc, VerificationDoc
from barriers.engines.band import BaseNebMaker
from barriers.engines.surrogate.points import PointMaker

STAND_IN = EngineDoc(kind="none", name="stand-in", version="unknown")
"""What "gave" the energies of a document that is none: they are 0, and are written to no file and no store."""


@dataclass(frozen=True)
class Calculation:
    """A calculation of a study, its inputs filled in.

    Attributes
    ----------
    number : int
        Of the study's calculations, from 1.
    job : Job
        Its job; structures and documents stand in its arguments.
    rests_on : tuple[str, ...]
        Calculations whose result it needs and that have none, by name: stand-ins are in their place.
    """

    number: int
    job: Job
    rests_on: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``static``, ``relax`` or ``neb``."""
        return str(self.job.metadata["kind"])

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What ``make`` of its maker is given."""
        return (*self.job.function_args, *self.job.function_kwargs.values())

    @property
    def structure(self) -> Structure:
        """The structure that it starts from, of a band its initial endpoint."""
        return self.starts[0]

    @property
    def starts(self) -> list[Structure]:
        """The structure that it starts from; of a band, both ends."""
        return [getattr(each, "structure", each) for each in self.arguments[: 2 if self.kind == "neb" else 1]]

    @property
    def content(self) -> dict[str, Any]:
        """What its result is computed from, as its key has it."""
        return contents(self.job)

    def stand_in(self) -> StaticDoc | BandDoc:
        """Give a document in the place of its result: the structure as it is, energies and forces 0."""
        if isinstance(self.job.maker, BaseNebMaker):
            task = self.job.maker.task(*self.arguments)
            n_images, *shape = task.positions.shape
            forces = np.zeros((n_images, *shape)).tolist()
            numbers = {"energies": [0.0] * n_images, "forces": forces, "positions": task.positions.tolist()}
            return task.document(None, **numbers, cost=CostDoc(), engine=STAND_IN)
        still = np.zeros((len(self.structure), 3)).tolist()
        numbers = {"structure": self.structure, "energy": 0.0, "forces": still, "cost": CostDoc(), "engine": STAND_IN}
        if self.kind == "static":
            return StaticDoc(**numbers)
        return RelaxDoc(**numbers, converged=True, max_force=0.0, fmax=self.job.maker.fmax, steps=0)


Give = Callable[[Calculation], tuple[Any, bool] | None]
"""Gives the result of a calculation that has none in the store, and whether it is its own; None for a stand-in."""


def walk(flow: Flow, results: JobStore | None, give: Give) -> int:
    """Go through the jobs of a study in their order, running those that need no engine.

    Parameters
    ----------
    flow : Flow
        What :class:`~barriers.workflow.study.StudyMaker` makes; changed.
    results : JobStore or None
        The study's results, read only; None where there are none yet.
    give : callable
        Asked for each calculation without a result.

    Returns
    -------
    int
        Calculations of the study.
    """
    jobs, parents = lasting(flow)
    store = JobStore(MemoryStore())
    store.connect()
    missing: dict[str, dict[str, None]] = {}
    number = 0
    for uuid, job in jobs.items():
        rests_on = dict.fromkeys(name for parent in parents[uuid] for name in missing[parent])
        missing[uuid] = rests_on
        if job.output_schema is StudyDoc:
            continue
        resolved = with_inputs(job, store)
        if isinstance(resolved.maker, PointMaker) and not resolved.maker.ends_at_once(*resolved.function_args):
            resolved.function = resolved.maker.maker.make  # the engine's own, under the same key
        if job.maker is None or isinstance(resolved.maker, PointMaker):
            _analyse(resolved, store, bool(rests_on))
            continue
        number += 1
        calculation = Calculation(number, resolved, tuple(rests_on))
        record = None
        if results is not None and not rests_on:
            record = stored_calculation(results, resolved, calculation.content)
        if record is not None:
            _put(store, uuid, record["output"])
            continue
        output, own = give(calculation) or (calculation.stand_in(), False)
        if not own:
            missing[uuid] = {**rests_on, job.name: None}
        _put(store, uuid, jsanitize(output, strict=True, enum_values=True))
    return number


def _analyse(job: Job, store: JobStore, rests_on_stand_ins: bool) -> None:
    """Run a job that needs no engine; a barrier is read off no stand-in."""
    if rests_on_stand_ins and job.output_schema is BarrierDoc:
        bands, system = job.function_args[0], job.function_args[3]
        barrier = BarrierDoc(system=system, converged=False, band=bands[0], cost=CostDoc())
        _put(store, job.uuid, jsanitize(barrier, strict=True, enum_values=True))
    elif rests_on_stand_ins and job.output_schema is VerificationDoc:
        _put(store, job.uuid, jsanitize(VerificationDoc(), strict=True, enum_values=True))
    else:
        job.run(store)


def _put(store: JobStore, uuid: str, output: Any) -> None:
    store.update({"uuid": uuid, "index": 1, "output": output}, key=["uuid", "index"])
