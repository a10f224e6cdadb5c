"""Points of the expensive engine: the job of one, and what of several is of use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
from jobflow import Maker, job
from pymatgen.core import Structure

from barriers.analysis.band import moment_jumps
from barriers.analysis.surrogate.rounds import Attempt
from barriers.documents import PointDoc, ProposalDoc, StaticDoc
from barriers.engines.surrogate.frame import Frame

FAILED = "it failed"


@dataclass
class OfEngine(Maker):
    """A calculation by the expensive engine, where one is wanted: the engine's own, with its command and checkpoints.

    Attributes
    ----------
    name : str
        Name of the job.
    maker : Maker
        The engine's maker.
    """

    name: str = "calculation"
    maker: Maker = field(default_factory=Maker)

    @property
    def identity(self) -> Any:
        """What the engine's maker says of itself, if it does."""
        return getattr(self.maker, "identity", None)

    @property
    def running(self) -> Any:
        """How a code is started, where one is."""
        return cast(Any, self.maker).running

    @running.setter
    def running(self, running: Any) -> None:
        cast(Any, self.maker).running = running

    def run(self, *inputs: Any) -> Any:
        """Run the engine's own job, in this one."""
        return cast(Any, self.maker).make.original(self.maker, *inputs)


@dataclass
class PointMaker(OfEngine):
    """One evaluation; its key is that of any evaluation of the structure."""

    name: str = "point"
    kind: ClassVar[str] = "static"

    @job
    def make(self, structure: Structure | None) -> StaticDoc | None:
        """Evaluate ``structure`` once; None is not wanted, and gives None."""
        document: StaticDoc | None = None if structure is None else self.run(structure)
        return document

    def ends_at_once(self, structure: Structure | None) -> bool:
        """Whether there is nothing to do."""
        return structure is None


@dataclass(frozen=True)
class Asked:
    """What the engine was asked for, and what came of it.

    Attributes
    ----------
    proposal : ProposalDoc
        Its structure is there.
    point : StaticDoc or None
        None where it failed.
    reason : str or None
        Why its numbers are not used.
    """

    proposal: ProposalDoc
    point: StaticDoc | None
    reason: str | None

    def document(self, rejected: bool) -> PointDoc:
        """Put together what is kept of it."""
        assert self.proposal.structure is not None
        there = self.point
        return PointDoc(
            kind=self.proposal.kind,
            round=self.proposal.round,
            positions=self.proposal.structure.cart_coords.tolist(),
            energy=there and there.energy,
            forces=there and there.forces,
            moments=there and there.moments,
            predicted_energy=self.proposal.energy,
            predicted_deviation=self.proposal.deviation,
            rejected=rejected,
            reason=self.reason,
        )

    def attempt(self, frame: Frame) -> Attempt:
        """Give it as numbers over the free coordinates; without energy and forces where they are not used."""
        assert self.proposal.structure is not None
        x, foretold = frame.flat(self.proposal.structure.cart_coords), self.proposal.forces
        predicted = None if foretold is None else frame.flat_forces(foretold)
        if self.point is None or self.reason is not None:
            return Attempt(x, None, None, self.proposal.energy, predicted)
        return Attempt(x, self.point.energy, frame.flat_forces(self.point.forces), self.proposal.energy, predicted)


def known(points: Sequence[PointDoc]) -> list[PointDoc]:
    """Points whose numbers are used."""
    return [point for point in points if point.reason is None]


def attempts_of(points: Sequence[PointDoc], frame: Frame) -> list[Attempt]:
    """Points whose numbers are used, as numbers over the free coordinates."""
    return [
        Attempt(frame.flat(point.positions), point.energy, frame.flat_forces(point.forces))
        for point in known(points)
        if point.forces is not None
    ]


def nearest(positions: np.ndarray, points: Sequence[PointDoc]) -> PointDoc | None:
    """The point nearest to a structure (Å, shape (N, 3)); None where there is none."""
    return min(points, key=lambda each: float(np.linalg.norm(np.subtract(each.positions, positions))), default=None)


def asked(
    proposals: Sequence[ProposalDoc | None], points: Sequence[StaticDoc | None], others: Sequence[PointDoc] = ()
) -> list[Asked]:
    """Set proposals beside their points, and say which points are of no use: those that failed or whose spin flipped.

    Parameters
    ----------
    proposals, points : sequence
        In the order of the rounds; a point is None where none was wanted, and where it failed.
    others : sequence of PointDoc
        Points known beside them, to compare moments with.

    Raises
    ------
    ValueError
        If a proposal is not there, because the model failed.
    """
    found: list[Asked] = []
    for number, (proposal, point) in enumerate(zip(proposals, points, strict=True), 1):
        if proposal is None:
            raise ValueError(f"proposal {number} failed")
        if proposal.structure is None:
            continue
        good = known([*others, *(each.document(False) for each in found)])
        near = nearest(proposal.structure.cart_coords, good)
        found.append(Asked(proposal, point, FAILED if point is None else _flip(point, near)))
    return found


def _flip(point: StaticDoc, near: PointDoc | None) -> str | None:
    if near is None or near.moments is None or point.moments is None:
        return None
    jumps = moment_jumps([near.moments, point.moments], "points")
    return f"its spin flipped: {jumps[0].partition(': ')[2]}" if jumps else None
