"""The barrier of the embedded engine between two ends that are taken as they are, for potentials of one ion."""

from __future__ import annotations

from dataclasses import replace

from ase import Atoms
from jobflow import Flow, run_locally

from barriers import MlipEngine
from barriers.documents import BarrierDoc, RelaxDoc
from barriers.files.structures import to_structure
from barriers.structures.path.start import Start
from barriers.workflow.result_jobs import barrier_document


def as_given(engine: MlipEngine, atoms: Atoms) -> RelaxDoc:
    """An end as it is, for relaxed."""
    job = engine.relax(fmax=1.0, max_steps=1).make(to_structure(atoms))
    document = run_locally(job, log=False)[job.uuid][1].output
    assert document.steps == 0
    return document.model_copy(update={"fmax": 0.01})


def barrier_of(
    model: str,
    initial: Atoms,
    final: Atoms,
    n_images: int = 3,
    fmax: float = 0.01,
    max_steps: int = 500,
    refine: bool = False,
) -> BarrierDoc:
    """The barrier between two ends that are taken as they are, on the straight band first."""
    engine = MlipEngine(model=model, workers=1)
    ends = as_given(engine, initial), as_given(engine, final)
    maker = replace(engine.neb(fmax, 0.3, max_steps, 1.0), refine=refine)
    band = maker.make(*ends, Start(method="linear", n_images=n_images))
    barrier = barrier_document([band.output], *ends, "ion", None)
    return run_locally(Flow([band, barrier]), ensure_success=True, log=False)[barrier.uuid][1].output
