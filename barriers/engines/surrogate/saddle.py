"""Jobs that find a saddle on the corrected surface: where to ask next, and the band that came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from jobflow import job

from barriers.documents import BandDoc, EndDoc, ProposalDoc, StaticDoc
from barriers.engines.band import NebSettings
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.surrogate.base import CorrectionMaker, Points, Proposals, cost_of, require, settled
from barriers.engines.surrogate.outcome import corrected, surrogate_document
from barriers.engines.surrogate.saddle_search import SaddleSearch, saddle_search, unfit
from barriers.engines.surrogate.search import MORE

CORRECTED = "corrected"
"""Start of a band on a corrected surface."""


@dataclass
class ProposeSaddleMaker(CorrectionMaker):
    """Says which point of a saddle is wanted next.

    Attributes
    ----------
    uncertainty : float
        Largest standard deviation of the barrier asked for (eV).
    """

    name: str = "propose saddle"
    uncertainty: float = 0.010
    computes: ClassVar[str] = "correction of a saddle/2"

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {**super().tolerances, "uncertainty": self.uncertainty}

    @job(output_schema=ProposalDoc)
    def make(
        self,
        scouted: BandDoc,
        initial: EndDoc,
        final: EndDoc,
        proposals: list[ProposalDoc | None],
        points: list[StaticDoc | None],
        budget: int | None = None,
    ) -> ProposalDoc:
        """Propose a point.

        Parameters
        ----------
        scouted : BandDoc
            The model's band.
        initial, final : EndDoc
            Both ends on the corrected surface.
        proposals, points : list
            Earlier rounds.
        budget : int or None
            Most points of the hop, its ends included; None for a round that cannot exceed it.
        """
        require(scouted=scouted, initial=initial, final=final)
        if (last := settled(proposals)) is not None:
            return last.model_copy(update={"model_calls": 0})
        if (reason := unfit(scouted, initial, final)) is not None:
            return ProposalDoc(structure=None, kind="saddle", round=1, reason=reason)
        search = self.search(scouted, initial, final, proposals, points)
        proposal = search.next()
        self.tell(search)
        if budget is None or proposal.structure is None or len(search.others) + len(search.asked) < budget:
            return proposal
        return proposal.model_copy(update={"structure": None, "reason": f"{proposal.reason}; {MORE}"})

    def search(
        self, scouted: BandDoc, initial: EndDoc, final: EndDoc, proposals: Proposals, points: Points
    ) -> SaddleSearch:
        """Set up the search."""
        between, rounds = (scouted, initial, final), (proposals, points)
        return saddle_search(self.prior, self.fmax, self.uncertainty, between, rounds)

    def tell(self, search: SaddleSearch) -> None:
        """Log how far the barrier is known, in place of the model's own in what is shown of a running study."""
        if search.attempts:
            so_far = {"stage": "corrected", "iteration": len(search.asked), "target": self.fmax}
            numbers = {"max_force": search.proposal.max_force, "highest_image": search.estimates[0].barrier}
            Checkpoint("neb", [search.frame.structure, len(search.asked)]).tell(so_far | numbers)

    def ends_at_once(self, _scouted: Any, _initial: Any, _final: Any, proposals: Proposals, *_rest: Any) -> bool:
        """Whether the rounds before leave nothing to do."""
        return settled(proposals) is not None


@dataclass
class CloseBandMaker(ProposeSaddleMaker):
    """Gives the band on the corrected surface, converged if the points were enough.

    Attributes
    ----------
    rough_fmax, max_steps, spring
        As for the engine's own band, which the result may be compared with.
    """

    name: str = "band"
    kind: ClassVar[str] = "neb"  # what is shown of a hop is read off its bands
    computes: ClassVar[str] = "corrected band/2"
    rough_fmax: float = 0.3
    max_steps: int = 300
    spring: float = 1.0

    @property
    def settings(self) -> NebSettings:
        """Settings of the engine's own band."""
        return NebSettings(self.fmax, self.rough_fmax, self.max_steps, self.spring)

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {**super().tolerances, **self.settings.tolerances}

    @job(output_schema=BandDoc)
    def make(
        self,
        scouted: BandDoc,
        initial: EndDoc,
        final: EndDoc,
        proposals: list[ProposalDoc | None],
        points: list[StaticDoc | None],
    ) -> BandDoc:
        """Put the corrected band together.

        Parameters
        ----------
        scouted, initial, final, proposals, points
            As for a proposal; all rounds.
        """
        require(scouted=scouted, initial=initial, final=final)
        common = {
            "start": CORRECTED,
            "settings": asdict(self.settings),
            "warnings": list(dict.fromkeys([*initial.warnings, *final.warnings])),
            "cost": cost_of(points),
        }
        if not scouted.converged:
            reason = unfit(scouted, initial, final)
            return scouted.model_copy(update={**common, "converged": False, "reason": reason})
        search = self.search(scouted, initial, final, proposals, points)
        last = settled(proposals) or search.next()
        states = [*(each for each in proposals[: len(search.asked)] if each is not None), last]
        document = surrogate_document(search, states, self.prior.describe())
        verdict = {
            "converged": last.enough,
            "reason": last.reason if last.structure is None else f"{last.reason}; {MORE}",
            "surrogate": document,
        }
        self.tell(search)
        if not search.attempts:
            return scouted.model_copy(update={**common, **verdict})
        return BandDoc(engine=initial.engine, **corrected(search), **verdict, **common)

    def ends_at_once(self, *_inputs: Any) -> bool:
        """Closing asks the model once more."""
        return False
