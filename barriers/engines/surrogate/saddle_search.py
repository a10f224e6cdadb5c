"""The search for a saddle between two corrected ends: the barrier so far, how sure it is, and the band through it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from barriers.analysis.band import highest_image
from barriers.analysis.surrogate.rounds import ENOUGH, standing
from barriers.documents import BandDoc, EndDoc, PointDoc, PointKind, ProposalDoc
from barriers.engines.surrogate.base import Points, Proposals
from barriers.engines.surrogate.frame import Frame, Model
from barriers.engines.surrogate.path import MISJUDGED, CorrectedPath, carried
from barriers.engines.surrogate.points import Asked, asked
from barriers.engines.surrogate.search import FAR_SHARE, RELAXATION_SHARE, Search
from barriers.fingerprint import not_relaxed

SURE = 2.0
"""No image may be above the saddle by its energy and this many standard deviations."""

BESIDE = 0.3
"""A second hump needs a point no further from it than that (Å)."""

EVALUATED = 0.1
"""An image with a point no further from it than that (Å) counts as evaluated.

It may be above the saddle by as much as a good saddle may still gain: two equal humps are one barrier.
"""


@dataclass(frozen=True)
class Estimate:
    """A barrier (eV) and the parts of its standard deviation, which add in squares."""

    barrier: float
    parts: dict[str, float]

    @property
    def uncertainty(self) -> float:
        """One standard deviation (eV)."""
        return float(np.linalg.norm(list(self.parts.values())))


@dataclass
class SaddleSearch(Search):
    """The search for the saddle of one hop.

    Attributes
    ----------
    scouted : BandDoc
        The model's own band.
    ends : (EndDoc, EndDoc)
        Initial and final state on the corrected surface.
    uncertainty : float
        Largest standard deviation asked for (eV).
    relaxed : (numpy.ndarray, numpy.ndarray)
        The same two states as coordinates (Å), shape (D,).
    top : int
        Image of the model's band that the saddle is sought from.
    """

    scouted: BandDoc = field(kw_only=True)
    ends: tuple[EndDoc, EndDoc] = field(kw_only=True)
    uncertainty: float = field(kw_only=True)
    relaxed: tuple[np.ndarray, np.ndarray] = field(kw_only=True)
    top: int = field(kw_only=True)

    def refusal(self) -> str | None:
        """Say why no further point is worth its cost; None if one is."""
        if (reason := super().refusal()) is not None:
            return reason
        first, last = self.ends
        engines = {"initial state": first.engine, "final state": last.engine}
        if self.attempts and (point := self.own[0].point) is not None:
            engines["saddle"] = point.engine
        return self._of_one_engine(engines)

    @cached_property
    def estimates(self) -> tuple[Estimate, Estimate]:
        """Forward and reverse barrier so far."""
        points = np.array([self.stationary, *self.relaxed])
        share = FAR_SHARE if self.proposal.far else RELAXATION_SHARE
        left = share * max(self.proposal.gain, self.proposal.extrapolated)
        heights = [self.surface(x)[0] for x in points]
        spread = self.surface.covariance(points)
        found = []
        for number, end in enumerate(self.ends, 1):
            variance = spread[0, 0] + spread[number, number] - 2 * spread[0, number]
            parts = {
                "correction": float(np.sqrt(max(0.0, variance))),
                "relaxation": left + RELAXATION_SHARE * (end.gain or 0.0),
                "tolerance": RELAXATION_SHARE * float(np.hypot(ENOUGH, ENOUGH)),
            }
            found.append(Estimate(heights[0] - heights[number], parts))
        return found[0], found[1]

    @cached_property
    def path(self) -> CorrectedPath:
        """The corrected band."""
        guide = np.array([self.frame.flat(positions) for positions in self.scouted.positions])
        through = {0: self.relaxed[0], self.top: self.stationary, len(guide) - 1: self.relaxed[1]}
        return CorrectedPath(self.surface, self.frame, guide, through, self.fmax)

    def next(self) -> ProposalDoc:
        """Say which point is wanted next, the saddle first, then what the barrier still lacks."""
        proposal = super().next()
        if not self.attempts or proposal.max_force is None:
            return proposal
        forward, reverse = self.estimates
        so_far = {"forward": forward.barrier, "uncertainty": forward.uncertainty}
        if proposal.enough:
            proposal = self._further(max(forward.uncertainty, reverse.uncertainty)) or proposal
        return proposal.model_copy(update=so_far | {"model_calls": self.surface.model_calls})

    def _further(self, uncertainty: float) -> ProposalDoc | None:
        """Say what is missing where the saddle itself is good enough; None for nothing."""
        if uncertainty > self.uncertainty:
            left = f"± {1000 * uncertainty:.1f} meV, {1000 * self.uncertainty:g} asked for"
            if self._is_new(self.stationary):
                return self.document(left, x=self.stationary)
            return self.document(f"{left}, and no point at the saddle would lessen it; raise engine.uncertainty")
        broken, humps = None, dict[int, float]()
        try:
            humps = self.path.humps()
        except ValueError as error:
            broken = f"{error}: the path has left the model's; neb: surrogate then band"
        if (above := self._above(humps)) is not None:
            return above
        for image in humps:
            if not self._is_known(self.path.images[image], BESIDE):
                left = f"no point is near the second hump at image {image}"
                return self.document(left, x=self.path.images[image], kind="path")
        return self.document(broken) if broken else None

    def _above(self, humps: dict[int, float]) -> ProposalDoc | None:
        """Say which image, or hump beside one, may be above the saddle; None for none."""
        path, top = self.path, self.path.top
        heights = np.array([max(energy, humps.get(image, energy)) for image, energy in enumerate(path.energies)])
        heights -= heights[top]
        known = np.array([self._is_known(x, EVALUATED) for x in path.images])
        above = np.where(known, heights - ENOUGH, heights + SURE * path.deviations(top))
        above[top] = 0.0
        image = int(above.argmax())
        if above[image] <= 0:
            return None
        if not known[image]:
            left = f"image {image} may be {1000 * above[image]:.0f} meV above the saddle"
            return self.document(left, x=path.images[image], kind="path")
        where = {0: "the initial state", len(heights) - 1: "the final state"}.get(image, f"image {image}")
        words = f"{where} is {1000 * heights[image]:.0f} meV above the saddle"
        return self.document(f"{words}: the path has left the model's; neb: surrogate then band")


def unfit(scouted: BandDoc, initial: EndDoc, final: EndDoc) -> str | None:
    """Say why no saddle can be sought between two ends; None if it can."""
    if not scouted.converged:
        return f"the model's band is not converged: {scouted.reason}"
    return not_relaxed({"initial state": initial, "final state": final})


def frames_of(scouted: BandDoc) -> tuple[Frame, Frame]:
    """Frames about both ends of a band: an atom that jumps is in another periodic image at the last one."""
    first = Frame(scouted.structure)
    return first, Frame(first.at(first.flat(scouted.positions[-1])))


def _points_of(end: EndDoc, frame: Frame, kind: PointKind) -> list[PointDoc]:
    """Give the points of an end as those of one hop."""
    return [
        point.model_copy(update={"kind": kind, "positions": frame.near(point.positions).tolist()})
        for point in end.points
    ]


def saddle_search(
    model: Model,
    fmax: float,
    uncertainty: float,
    between: tuple[BandDoc, EndDoc, EndDoc],
    rounds: tuple[Proposals, Points],
) -> SaddleSearch:
    """Set up the search for the saddle of a hop.

    Parameters
    ----------
    model : Model
        What is corrected.
    fmax : float
        Largest true force at the saddle (eV/Å).
    uncertainty : float
        Largest standard deviation asked for (eV).
    between : (BandDoc, EndDoc, EndDoc)
        The model's band, and the corrected ends.
    rounds : (proposals, points)
        Earlier rounds.
    """
    scouted, initial, final = between
    frame, at_last = frames_of(scouted)
    others = [*_points_of(initial, frame, "initial"), *_points_of(final, at_last, "final")]
    first, last = (
        frame.flat(frame.near(initial.structure.cart_coords)),
        frame.flat(at_last.near(final.structure.cart_coords)),
    )
    guide = np.array([frame.flat(positions) for positions in scouted.positions])
    # What the ends' correction moved, the saddle's will move as well.
    guide = carried(guide, {0: first, len(guide) - 1: last})
    known, top, begins = asked(*rounds, others), highest_image(scouted.energies), 0
    for number, each in enumerate(known):
        if (image := _higher_hump(known[begins:number], each, frame, guide, top)) is not None:
            top, begins = image, number
    return SaddleSearch(
        "saddle",
        frame,
        model,
        guide[top],
        fmax,
        known,
        others,
        guide[top + 1] - guide[top - 1],
        begins,
        scouted=scouted,
        ends=(initial, final),
        uncertainty=uncertainty,
        relaxed=(first, last),
        top=top,
    )


def _higher_hump(before: Sequence[Asked], each: Asked, frame: Frame, guide: np.ndarray, top: int) -> int | None:
    """Say at which image of the model's band a point on the path shows a hump above the saddle; None if none does."""
    attempts = [one.attempt(frame) for one in before if one.reason is None]
    if each.proposal.kind != "path" or each.reason is not None or not attempts:
        return None
    hump, saddle = each.attempt(frame), attempts[standing(attempts, uphill=True).centre]
    above = hump.true[0] - saddle.true[0]
    if not ENOUGH < above < MISJUDGED or np.linalg.norm(hump.x - saddle.x) < BESIDE:
        return None
    image = int(np.argmin([np.linalg.norm(hump.x - x) for x in guide]))
    return image if 0 < image < len(guide) - 1 and image != top else None
