"""The search for one stationary point: which point the expensive engine is asked for next, or why none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.surrogate.process import ENERGY_NOISE
from barriers.analysis.surrogate.rounds import Attempt, CorrectedSurface, Proposal, propose, standing
from barriers.documents import EngineDoc, PointDoc, PointKind, ProposalDoc, RoundDoc
from barriers.engines.surrogate.frame import Frame, Model, ModelSurface
from barriers.engines.surrogate.points import FAILED, Asked, attempts_of, nearest
from barriers.fingerprint import check_one_engine

MORE = "raise engine.points, or neb: surrogate then band"
"""The way on where points do not suffice."""

RELAXATION_SHARE, FAR_SHARE = 0.5, 1.0
"""Standard deviation of what is predicted to be left, as a share of it; where the model is far off, more was left."""

SURPRISE = 3.0
"""A last point this many standard deviations from what was foretold is a surprise."""

SAME_POINT = 0.004
"""A point this near to a known one (Å) tells nothing new."""

MOMENT_STEP = 0.5
"""Starting moments are rounded to so much (µB): for Quantum ESPRESSO each one is a species, of which it knows ten."""

NEARER = 0.25
"""Furthest way (Å) from a first point that failed to the one that is asked for in its place."""


@dataclass
class Search:
    """What is known around one stationary point of the corrected surface.

    Attributes
    ----------
    kind : str
        ``initial``, ``final`` or ``saddle``.
    frame : Frame
        Coordinates.
    model : Model
        The model that is corrected.
    start : numpy.ndarray
        Where the model has it (Å), shape (D,).
    fmax : float
        Largest true force asked for (eV/Å).
    asked : sequence of Asked
        Points so far.
    others : sequence of PointDoc
        Points of the ends, for a saddle.
    mode : numpy.ndarray or None
        Direction over the saddle, shape (D,).
    begins : int
        The first point that counts: a saddle is sought anew where another hump is higher.
    """

    kind: PointKind
    frame: Frame
    model: Model
    start: np.ndarray
    fmax: float
    asked: Sequence[Asked]
    others: Sequence[PointDoc] = ()
    mode: np.ndarray | None = None
    begins: int = 0
    model_calls: int = field(default=0, init=False)

    @property
    def round(self) -> int:
        """Number of the next round."""
        return len(self.asked) + 1

    @cached_property
    def own(self) -> list[Asked]:
        """What was asked for at the stationary point itself, from the first point that is of use on."""
        own = [
            each
            for number, each in enumerate(self.asked)
            if number >= self.begins and (each.proposal.kind == self.kind or number == self.begins)
        ]
        return own[next((number for number, each in enumerate(own) if each.reason is None), len(own)) :]

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The same as numbers."""
        return [each.attempt(self.frame) for each in self.own]

    @cached_property
    def surface(self) -> CorrectedSurface:
        """The corrected surface."""
        own = {id(each) for each in self.own}
        more = [each.attempt(self.frame) for each in self.asked if id(each) not in own]
        return CorrectedSurface(
            ModelSurface(self.model, self.frame), [*attempts_of(self.others, self.frame), *self.attempts, *more]
        )

    @cached_property
    def proposal(self) -> Proposal:
        """Where the corrected surface is stationary, and what the mathematics say of it."""
        return propose(self.surface, self.attempts, self.mode, self.fmax, confirm=self.mode is not None)

    def next(self) -> ProposalDoc:
        """Say which point is wanted next: after what went wrong, then by the corrected surface."""
        if not self.asked:
            return self.document(reason="not evaluated", x=self.start, foretold=False)
        if (reason := self.refusal()) is not None:
            return self.document(reason=reason, foretold=False)
        last = self.asked[-1]
        if last.reason not in (None, FAILED) and not _has_moments(last.proposal.structure):
            return self._same_spin(last)
        return self._onward() if self.attempts else self._nearer(last)

    def _onward(self) -> ProposalDoc:
        """Say which point the corrected surface wants next."""
        proposal = self.proposal
        left = f"{proposal.max_force:.3f} eV/Å at the best point, {self.fmax:g} asked for"
        if not proposal.converged:
            return self.document(f"{left}, and {1000 * proposal.gain:.1f} meV still to be gained", x=proposal.x)
        if proposal.max_force > self.fmax and (surprise := self.surprise()) and self._is_new(self.stationary):
            return self.document(surprise, x=self.stationary)
        return self.document(None)

    def refusal(self) -> str | None:
        """Say why no further point is worth its cost, one line that names the way on; None if one is."""
        lost = [each for each in self.asked if each.reason is not None]
        failed = [each for each in lost if each.reason == FAILED]
        if len(failed) > 1 or (failed and not self.attempts and not self.others):
            return f"{len(failed)} of {len(self.asked)} points failed; see error.txt of their jobs, then run again"
        if len(lost) - len(failed) > 1 and self.asked[-1].reason not in (None, FAILED):
            return f"point {len(self.asked)}: {self.asked[-1].reason}, twice; set engine.moments, or neb: band"
        engines = {f"point {number}": each.point.engine for number, each in enumerate(self.asked, 1) if each.point}
        return self._of_one_engine(engines)

    def _of_one_engine(self, engines: dict[str, EngineDoc]) -> str | None:
        try:
            if engines:
                check_one_engine(engines)
        except ValueError as error:
            return f"{error}; run again with one of them"
        return None

    @property
    def stationary(self) -> np.ndarray:
        """Where the corrected surface is stationary (Å), shape (D,)."""
        return self.proposal.stationary.position

    def surprise(self) -> str | None:
        """Say by how much the last point was not as foretold; None if it was."""
        last = self.asked[-1]
        if last.point is None or last.proposal.energy is None or last.proposal.deviation is None:
            return None
        off = abs(last.point.energy - last.proposal.energy)
        if off <= SURPRISE * last.proposal.deviation:
            return None
        return f"the last point was {1000 * off:.0f} meV from what was foretold, ± {1000 * last.proposal.deviation:.0f}"

    def _is_new(self, x: np.ndarray) -> bool:
        """Whether a point is further than :data:`SAME_POINT` from all that are known."""
        return all(np.abs(known.x - x).max() > SAME_POINT for known in self.surface.points)

    def _is_known(self, x: np.ndarray, within: float) -> bool:
        """Whether a point is no further than so much (Å, norm over all atoms) from one that is known."""
        return any(np.linalg.norm(known.x - x) <= within for known in self.surface.points)

    def _same_spin(self, flipped: Asked) -> ProposalDoc:
        """Ask for a point again from the moments of the nearest one that is of use."""
        assert flipped.proposal.structure is not None
        again = self._from_moments(flipped.proposal.structure)
        foretold = {name: getattr(flipped.proposal, name) for name in ("energy", "forces", "deviation")}
        return ProposalDoc(
            structure=again, kind=flipped.proposal.kind, round=self.round, reason=flipped.reason, **foretold
        )

    def _nearer(self, failed: Asked) -> ProposalDoc:
        """Ask half way between a first point that failed and the nearest that is known."""
        assert failed.proposal.structure is not None
        near = nearest(failed.proposal.structure.cart_coords, self.others)
        assert near is not None
        way = self.frame.flat(near.positions) - self.start
        step = way * min(0.5, NEARER / float(np.linalg.norm(way)))
        return self.document("the first point failed", x=self.start + step, foretold=False)

    def _from_moments(self, structure: Structure) -> Structure:
        """Let the engine start from the moments of the nearest point that is of use, where it has some."""
        near = nearest(structure.cart_coords, [*self.good(), *self.others])
        if near is None or near.moments is None:
            return structure
        moments = [round(moment / MOMENT_STEP) * MOMENT_STEP + 0.0 for moment in near.moments]
        return structure.copy(site_properties={**structure.site_properties, "magmom": moments})

    def good(self) -> list[PointDoc]:
        """Points of this search whose numbers are used."""
        return [each.document(False) for each in self.asked if each.reason is None]

    def points(self) -> list[PointDoc]:
        """All points of this search, those that were no step forward marked."""
        accepted = standing(self.attempts, self.mode is not None).accepted if self.attempts else []
        stood = {id(each) for each, step in zip(self.own, accepted, strict=True) if not step}
        return [each.document(rejected=id(each) in stood) for each in self.asked]

    def document(
        self,
        reason: str | None,
        x: np.ndarray | None = None,
        kind: PointKind | None = None,
        foretold: bool = True,
        **more: Any,
    ) -> ProposalDoc:
        """Put a proposal together: for a point, or None with the reason, or None because it is enough."""
        numbers: dict[str, Any] = {}
        if foretold:
            proposal, at = self.proposal, self.stationary if x is None else x
            if at is self.stationary:
                energy, forces = proposal.stationary.energy, proposal.stationary.forces
            else:
                energy, forces = self.surface(at)
            spread = float(np.sqrt(max(0.0, self.surface.covariance(at[None])[0, 0])))
            numbers = {
                "energy": energy,
                "forces": self.frame.forces(forces).tolist(),
                "deviation": float(np.hypot(np.hypot(spread, ENERGY_NOISE), RELAXATION_SHARE * proposal.gain)),
                "stationary": self.frame.positions(self.stationary).tolist(),
                "max_force": proposal.max_force,
                "gain": max(proposal.gain, proposal.extrapolated),
                "model_calls": self.surface.model_calls,
            }
        structure: Structure | None = None if x is None else self._from_moments(self.frame.at(x))
        return ProposalDoc(
            structure=structure,
            kind=kind or self.kind,
            round=self.round,
            enough=reason is None,
            reason=reason,
            **numbers | more,
        )


def _has_moments(structure: Structure | None) -> bool:
    return structure is not None and "magmom" in structure.site_properties


def rounds_of(kind: PointKind, states: Sequence[ProposalDoc], before: int) -> list[RoundDoc]:
    """Tell how a search went: each proposal but the first says how things stood after a point.

    Parameters
    ----------
    kind : str
        Of the search.
    states : sequence of ProposalDoc
        All proposals up to the first that wants no point, or what would be wanted next.
    before : int
        Points of the hop before these.
    """
    return [
        RoundDoc(
            kind=kind,
            round=number,
            points=before + number,
            forward=state.forward,
            uncertainty=state.uncertainty,
            max_force=state.max_force,
            gain=state.gain,
        )
        for number, state in enumerate(states[1:], 1)
    ]
