"""The search for a saddle between two corrected ends: the barrier so far, how sure it is, and the band through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from barriers.analysis.curves import Curves, curves_of
from barriers.analysis.surrogate.humps import other_humps
from barriers.analysis.surrogate.rounds import ENOUGH, FIRST_RADIUS
from barriers.analysis.surrogate.stationary import find_stationary
from barriers.documents import BandDoc, EndDoc, PointDoc, PointKind, ProposalDoc
from barriers.engines.surrogate.base import Points, Proposals
from barriers.engines.surrogate.frame import Frame, Model
from barriers.engines.surrogate.points import asked
from barriers.engines.surrogate.search import RELAXATION_SHARE, Search
from barriers.fingerprint import not_relaxed

SURE = 2.0
"""No image may be above the saddle by its energy and this many standard deviations."""

MISJUDGED, BESIDE = 0.3, 0.3
"""A second hump less than so much (eV) below the saddle needs a point no further from it than that (Å).

Models are wrong by some tenths of an eV, at each hump otherwise: what is known of one does not tell of another.
"""


MOST_ACROSS = 15
"""Most evaluations of the model for an image that is relaxed across the path."""


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
    """

    scouted: BandDoc = field(kw_only=True)
    ends: tuple[EndDoc, EndDoc] = field(kw_only=True)
    uncertainty: float = field(kw_only=True)

    @property
    def top(self) -> int:
        """The highest image of the model's band."""
        return highest(self.scouted)

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
    def relaxed(self) -> tuple[np.ndarray, np.ndarray]:
        """Both ends (Å), shape (D,)."""
        frames = frames_of(self.scouted)
        first, last = (
            frame.flat(frame.near(end.structure.cart_coords)) for frame, end in zip(frames, self.ends, strict=True)
        )
        return first, last

    @cached_property
    def estimates(self) -> tuple[Estimate, Estimate]:
        """Forward and reverse barrier so far."""
        points = np.array([self.stationary, *self.relaxed])
        heights = [self.surface(x)[0] for x in points]
        spread = self.surface.covariance(points)
        found = []
        for number, end in enumerate(self.ends, 1):
            variance = spread[0, 0] + spread[number, number] - 2 * spread[0, number]
            parts = {
                "correction": float(np.sqrt(max(0.0, variance))),
                "relaxation": RELAXATION_SHARE * (self.proposal.gain + (end.gain or 0.0)),
                "tolerance": RELAXATION_SHARE * float(np.hypot(ENOUGH, ENOUGH)),
            }
            found.append(Estimate(heights[0] - heights[number], parts))
        return found[0], found[1]

    @cached_property
    def band(self) -> np.ndarray:
        """The model's band, carried along with its ends and its saddle, relaxed between them: shape (n, D) (Å)."""
        path = np.array([self.frame.flat(positions) for positions in self.scouted.positions])
        along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
        fixed = [0, self.top, len(path) - 1]
        moved = np.array([self.relaxed[0], self.stationary, self.relaxed[1]]) - path[fixed]
        carried = path + np.array([np.interp(along, along[fixed], column) for column in moved.T]).T
        carried[fixed] = self.relaxed[0], self.stationary, self.relaxed[1]
        across = [image for image in range(1, len(path) - 1) if image != self.top]
        carried[across] = [self._across(*carried[image - 1 : image + 2]) for image in across]
        return carried

    def _across(self, before: np.ndarray, image: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Relax an image of the carried band across the path: off it, it would pass for a hump."""
        tangent = (after - before) / np.linalg.norm(after - before)

        def plane(x: np.ndarray) -> tuple[float, np.ndarray]:
            energy, forces = self.surface(x - ((x - image) @ tangent) * tangent)
            return energy, forces - (forces @ tangent) * tangent

        found = find_stationary(plane, image, radius=FIRST_RADIUS, fmax=self.fmax, most_calls=MOST_ACROSS)
        return found.position - ((found.position - image) @ tangent) * tangent

    @cached_property
    def heights(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Energies (eV), forces (eV/Å, shape (n, D)) of the band; deviations of the energies above the first (eV)."""
        numbers = [self.surface(x) for x in self.band]
        spread = self.surface.covariance(self.band)
        variances = np.diag(spread) + spread[0, 0] - 2 * spread[0]
        energies, forces = np.array([energy for energy, _ in numbers]), np.array([forces for _, forces in numbers])
        return energies, forces, np.sqrt(np.maximum(0.0, variances))

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
        energies, forces, deviations = self.heights
        broken, heights = None, {}
        try:
            humps = other_humps(self._curves(energies, forces), self.top)
            heights = {image: energies[0] + height for image, height in humps.items()}
        except ValueError as error:
            broken = f"{error}: the path has left the model's; neb: surrogate then band"
        if (above := self._above(heights, energies, deviations)) is not None:
            return above
        for image, height in heights.items():
            tall = height > energies[self.top] - MISJUDGED
            if tall and all(np.linalg.norm(point.x - self.band[image]) > BESIDE for point in self.surface.points):
                left = f"no point is near the second hump at image {image}"
                return self.document(left, x=self.band[image], kind="path")
        return self.document(broken) if broken else None

    def _curves(self, energies: np.ndarray, forces: np.ndarray) -> Curves:
        lattice = self.frame.structure.lattice
        positions = [self.frame.positions(x) for x in self.band]
        return curves_of(
            positions, lattice.matrix, energies, [self.frame.forces(each) for each in forces], pbc=lattice.pbc
        )

    def _above(self, humps: dict[int, float], energies: np.ndarray, deviations: np.ndarray) -> ProposalDoc | None:
        """Say which image, or hump beside one, may be above the saddle; None for none."""
        highest = np.array([max(energy, humps.get(image, energy)) for image, energy in enumerate(energies)])
        above = highest + SURE * deviations - energies[self.top]
        above[self.top] = 0.0
        image = int(above.argmax())
        if above[image] <= 0:
            return None
        if self._is_new(self.band[image]):
            left = f"image {image} may be {1000 * above[image]:.0f} meV above the saddle"
            return self.document(left, x=self.band[image], kind="path")
        where = {0: "the initial state", len(energies) - 1: "the final state"}.get(image, f"image {image}")
        words = f"{where} is up to {1000 * above[image]:.0f} meV above the saddle"
        why = "a second hump is the higher one" if image in humps else "the path has left the model's"
        return self.document(f"{words}: {why}; neb: surrogate then band")


def highest(band: BandDoc) -> int:
    """Number of the highest image of a band, ends left out."""
    return 1 + int(np.argmax(np.array(band.energies[1:-1], dtype=float)))


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
    top = highest(scouted)
    frame, at_last = frames_of(scouted)
    before, there, after = (frame.flat(positions) for positions in scouted.positions[top - 1 : top + 2])
    others = [*_points_of(initial, frame, "initial"), *_points_of(final, at_last, "final")]
    return SaddleSearch(
        "saddle",
        frame,
        model,
        there,
        fmax,
        asked(*rounds, others),
        others,
        after - before,
        scouted=scouted,
        ends=(initial, final),
        uncertainty=uncertainty,
    )
