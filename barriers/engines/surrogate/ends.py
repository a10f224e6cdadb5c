"""Jobs that relax an end state on the corrected surface: where to ask next, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jobflow import job

from barriers.analysis.forces import largest_force
from barriers.documents import EndDoc, EngineDoc, ProposalDoc, RelaxDoc, StaticDoc
from barriers.engines.surrogate.base import CorrectionMaker, Points, Proposals, cost_of, model_calls, require, settled
from barriers.engines.surrogate.frame import Frame, Model
from barriers.engines.surrogate.points import asked, known
from barriers.engines.surrogate.search import MORE, Search, rounds_of
from barriers.structures.path.twin import Twin

WRONG, FAR = 3.0, 0.5
"""Largest true force (eV/Å) at the model's relaxed end: above, it is refused, or takes about twice the points."""


class EndSearch(Search):
    """The search for a relaxed end state."""

    def refusal(self) -> str | None:
        """Say why no further point is worth its cost; None if one is."""
        if (reason := super().refusal()) is not None:
            return reason
        if (force := self.first_force()) > WRONG:
            return f"the model is wrong here: {force:.1f} eV/Å at its end, {WRONG:g} at most; set engine.prior"
        return None

    def first_force(self) -> float:
        """Largest true force at the model's own end (eV/Å); 0 while it is not known."""
        first = next(iter(self.attempts), None)
        return 0.0 if first is None or first.forces is None else largest_force(first.forces)

    def warnings(self) -> list[str]:
        """Say that the model is far."""
        far = FAR < self.first_force() <= WRONG
        line = f"the model is far off: {self.first_force():.2f} eV/Å where it has this end; expect twice the points"
        return [line] if far else []


def end_search(
    model: Model,
    fmax: float,
    scouted: RelaxDoc,
    rounds: tuple[Proposals, Points],
    other: EndDoc | None,
    twin: Twin | None,
) -> EndSearch:
    """Set up the search for one end: from where the model has it, or where the other end says that it is."""
    frame = Frame(scouted.structure)
    start = scouted.structure.cart_coords
    of_use = [point for point in known(other.points) if not point.rejected] if other else []
    if of_use and twin is not None:
        start = start + twin.of(np.subtract(of_use[-1].positions, of_use[0].positions))
    return EndSearch("initial", frame, model, frame.flat(start), fmax, asked(*rounds))


@dataclass
class ProposeEndMaker(CorrectionMaker):
    """Says which point of an end state is wanted next."""

    name: str = "propose end"
    fmax: float = 0.03
    computes: ClassVar[str] = "correction of an end/2"

    @job(output_schema=ProposalDoc)
    def make(
        self,
        scouted: RelaxDoc,
        proposals: list[ProposalDoc | None],
        points: list[StaticDoc | None],
        other: EndDoc | None = None,
        twin: Twin | None = None,
    ) -> ProposalDoc:
        """Propose a point.

        Parameters
        ----------
        scouted : RelaxDoc
            The end state as the model relaxed it.
        proposals, points : list
            Earlier rounds.
        other : EndDoc or None
            The other end on the corrected surface, where this one is the same by symmetry.
        twin : Twin or None
            How it is the same.
        """
        require(scouted=scouted)
        if (last := settled(proposals)) is not None:
            return last.model_copy(update={"model_calls": 0})
        why = None if scouted.converged else f"not relaxed by the model: {scouted.reason}; raise relax.max_steps"
        if other is not None and not other.converged:
            why = f"the other end is not relaxed: {other.reason}"
        if why is not None:
            return ProposalDoc(structure=None, kind="initial", round=1, reason=why)
        return end_search(self.prior, self.fmax, scouted, (proposals, points), other, twin).next()

    def ends_at_once(self, _scouted: Any, proposals: Proposals, *_rest: Any) -> bool:
        """Whether the rounds before leave nothing to do."""
        return settled(proposals) is not None


@dataclass
class CloseEndMaker(ProposeEndMaker):
    """Gives an end state on the corrected surface, relaxed if the points were enough."""

    name: str = "relax end"
    computes: ClassVar[str] = "corrected end/2"

    @job(output_schema=EndDoc)
    def make(
        self,
        scouted: RelaxDoc,
        proposals: list[ProposalDoc | None],
        points: list[StaticDoc | None],
        other: EndDoc | None = None,
        twin: Twin | None = None,
    ) -> EndDoc:
        """Relax an end state.

        Parameters
        ----------
        scouted, proposals, points, other, twin
            As for a proposal; all rounds.
        """
        require(scouted=scouted)
        search = end_search(self.prior, self.fmax, scouted, (proposals, points), other, twin)
        last = settled(proposals) or search.next()
        energy, forces, structure, calls = scouted.energy, scouted.forces, scouted.structure, 0
        if search.attempts:
            at = search.proposal.stationary
            energy, forces = at.energy, search.frame.forces(at.forces).tolist()
            structure, calls = search.frame.at(at.position), search.surface.model_calls
        states = [each for each in proposals if each is not None][: len(search.asked)]
        return EndDoc(
            structure=structure,
            energy=energy,
            forces=forces,
            converged=last.enough,
            reason=last.reason if last.structure is None else f"{last.reason}; {MORE}",
            max_force=last.max_force or search.first_force(),
            fmax=self.fmax,
            steps=len(search.asked),
            points=search.points(),
            rounds=rounds_of("initial", [*states, last], 0),
            gain=last.gain,
            deviation=last.deviation,
            model_calls=model_calls(proposals) + calls,
            warnings=search.warnings(),
            cost=cost_of(points),
            engine=_engine(points, scouted.engine),
        )

    def ends_at_once(self, *_inputs: Any) -> bool:
        """Closing asks the model once more."""
        return False


def _engine(points: Sequence[StaticDoc | None], otherwise: EngineDoc) -> EngineDoc:
    return next((point.engine for point in points if point is not None), otherwise)
