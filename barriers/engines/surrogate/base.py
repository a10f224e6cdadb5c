"""What the jobs of a correction share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from jobflow import Maker

from barriers.documents import CostDoc, ProposalDoc, StaticDoc
from barriers.engines.base import EngineMaker
from barriers.engines.surrogate.frame import Model

Proposals = Sequence[ProposalDoc | None]
Points = Sequence[StaticDoc | None]


@dataclass
class CorrectionMaker(EngineMaker):
    """Works on a model's surface, corrected by points of an expensive engine that it is given.

    Attributes
    ----------
    name : str
        Name of the job.
    model : Maker
        The embedded engine's maker of single evaluations with the model that is corrected.
    fmax : float
        Largest true force asked for (eV/Å).
    """

    name: str = "correction"
    model: Maker = field(default_factory=Maker)
    fmax: float = 0.05
    kind: ClassVar[str] = "static"
    """What it asks of a queue: the model works for a minute, whatever document comes of it."""
    computes: ClassVar[str] = "correction/1"

    @property
    def prior(self) -> Model:
        """The model that is corrected."""
        return cast(Model, self.model)

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which model is corrected."""
        return {"model": self.prior.identity(elements)}

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {"fmax": self.fmax}


def require(**inputs: Any) -> None:
    """Raise ``ValueError`` if an input is not there: a job that runs despite failures needs some of its inputs.

    Raises
    ------
    ValueError
        With what is missing.
    """
    for name, value in inputs.items():
        if value is None:
            raise ValueError(f"{name}: is not there; the job that gives it failed or was skipped")


def settled(proposals: Proposals) -> ProposalDoc | None:
    """The last proposal if it wanted no point; None while points are wanted, and where the last one is not known."""
    last = proposals[-1] if proposals else None
    return last if last is not None and last.structure is None else None


def cost_of(points: Points) -> CostDoc:
    """Add up what points cost: nothing of it in the job that does so."""
    costs = [point.cost for point in points if point is not None]
    calls = sum(cost.force_calls for cost in costs)
    return CostDoc(
        force_calls=calls,
        earlier_force_calls=calls,
        wall_time=sum(cost.wall_time for cost in costs),
        scf_cycles=sum(cost.scf_cycles for cost in costs),
    )


def model_calls(proposals: Proposals) -> int:
    """Add up evaluations of the model."""
    return sum(proposal.model_calls for proposal in proposals if proposal is not None)
