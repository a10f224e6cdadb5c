"""The barrier between two structure files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobflow import Flow

from barriers.engines.mlip import MlipEngine
from barriers.files.structures import read_endpoints, stem
from barriers.workflow.barrier import BarrierMaker, pair_flow


@dataclass(frozen=True)
class SingleBarrier:
    """A flow that ends in a study of one barrier, the name of its results folder, and the engine."""

    flow: Flow
    name: str
    engine: MlipEngine


def single_barrier(
    initial: Path,
    final: Path,
    images: int | None,
    model: str,
    weights: str | None,
    fmax: float | None,
    max_steps: int | None,
) -> SingleBarrier:
    """Build the flow of ``barriers neb``.

    Parameters
    ----------
    initial, final : Path
        Structure files.
    images : int or None
        Intermediate images. This and the next two have the defaults of a study where they are None.
    model, weights : str
        As in a study's engine section.
    fmax : float or None
        Largest force of endpoints and band (eV/Å).
    max_steps : int or None
        Most steps of each relaxation and of the band in one run.

    Raises
    ------
    ValueError
        One line, if the files are no pair of endpoints or the model cannot run.
    """
    start, end, warnings = read_endpoints(initial, final)
    engine = MlipEngine(model=model, weights=weights)
    labels = (initial.stem, final.stem)
    if labels[0] == labels[1]:  # POSCARs in folders of their own
        labels = (initial.resolve().parent.name, final.resolve().parent.name)
    name = f"neb-{stem(*labels)}"
    maker = BarrierMaker(
        name="→".join(labels),
        engine=engine,
        n_images=images,
        fmax=fmax,
        max_steps=max_steps,
    )
    engine.check({element.symbol for element in start.composition.elements}, maker.settings.path.n_images)
    return SingleBarrier(pair_flow(maker, start, end, warnings, name), name, engine)
