"""A barrier of an expensive engine from few of its points: a model's band, corrected where it counts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from monty.json import MSONable

from barriers.engines.protocol import Engine

if TYPE_CHECKING:
    from jobflow import Maker

    from barriers.engines.surrogate.ends import CloseEndMaker, ProposeEndMaker
    from barriers.engines.surrogate.points import PointMaker
    from barriers.engines.surrogate.saddle import CloseBandMaker, ProposeSaddleMaker
    from barriers.engines.surrogate.whole_band import RelaxOnMaker, WholeBandMaker

POINTS, UNCERTAINTY = (6, 60), (0.001, 0.1)
"""Fewest and most points of a hop; least and largest standard deviation that may be asked for (eV)."""


@dataclass
class SurrogateEngine(MSONable):
    """An expensive engine, asked for single points of a hop that a model has found.

    As an engine it is the model: slab, placements, first ends and bands are the model's work. Then the ends and the
    saddle of each hop are found on the model's surface, corrected at the points of the expensive engine.

    Attributes
    ----------
    expensive : Engine
        What gives the points.
    prior : Engine
        The embedded engine with the model that is corrected.
    points : int
        Most points of a hop, its ends included.
    uncertainty : float
        Largest standard deviation of the barrier asked for (eV).
    then_band : bool
        Whether the expensive engine runs a whole band where the points do not suffice.

    Raises
    ------
    ValueError
        In one line, if the prior cannot be corrected or a number does not fit.
    """

    expensive: Engine
    prior: Engine
    points: int = 15
    uncertainty: float = 0.010
    then_band: bool = False
    corrects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse what cannot be used as soon as it is said."""
        if not hasattr(self.prior.static(), "evaluator"):
            raise ValueError(f"prior: {type(self.prior).__name__} is no model; allowed: MlipEngine(model=…)")
        for name, value, (least, most) in (
            ("points", self.points, POINTS),
            ("uncertainty", self.uncertainty, UNCERTAINTY),
        ):
            if not least <= value <= most:
                raise ValueError(f"{name}: {value} does not fit; allowed: {least} to {most}")

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError`` if one of the two cannot run here, or if both are the same."""
        try:
            self.prior.check(elements, n_images)
        except ValueError as error:
            raise ValueError(f"engine.prior: {error}") from error
        self.expensive.check(elements, n_images if self.then_band else None)
        prior, own = (getattr(engine.static(), "identity", None) for engine in (self.prior, self.expensive))
        if prior is not None and own is not None and prior(elements) == own(elements):
            raise ValueError("engine.prior: is the engine's own model; allowed: another one")

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Rough time (s) of one evaluation of the model."""
        return self.prior.seconds_per_call(atoms, images)

    def static(self) -> Maker:
        """The model's maker of a single evaluation."""
        return self.prior.static()

    def relax(self, fmax: float, max_steps: int) -> Maker:
        """The model's maker of a relaxation."""
        return self.prior.relax(fmax, max_steps)

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> Maker:
        """The model's maker of a band."""
        return self.prior.neb(fmax, rough_fmax, max_steps, spring)

    @property
    def rounds_of_end(self) -> int:
        """Most points of one end state: the saddle keeps four, or a third of them where they are few."""
        return max(self.points // 3, (self.points - 4) // 2)

    def rounds_of_twins(self) -> tuple[int, int]:
        """Most points of two ends that are the same by symmetry: the second one needs few, and leaves its share."""
        second = max(1, self.points // 6)
        return 2 * self.rounds_of_end - second, second

    @property
    def rounds_of_saddle(self) -> int:
        """Most points of the saddle of a hop, whose ends took one each."""
        return self.points - 2

    def end(self, fmax: float) -> tuple[ProposeEndMaker, CloseEndMaker]:
        """Makers of the rounds of an end state, and of what comes of them; largest true force in eV/Å."""
        from barriers.engines.surrogate.ends import CloseEndMaker, ProposeEndMaker

        model = self.prior.static()
        return ProposeEndMaker(model=model, fmax=fmax), CloseEndMaker(model=model, fmax=fmax)

    def saddle(
        self, fmax: float, rough_fmax: float, max_steps: int, spring: float
    ) -> tuple[ProposeSaddleMaker, CloseBandMaker]:
        """Makers of the rounds of a saddle, and of the band that comes of them; settings as of an engine's own band."""
        from barriers.engines.surrogate.saddle import CloseBandMaker, ProposeSaddleMaker

        asked = {"model": self.prior.static(), "fmax": fmax, "uncertainty": self.uncertainty}
        close = CloseBandMaker(**asked, rough_fmax=rough_fmax, max_steps=max_steps, spring=spring)
        return ProposeSaddleMaker(**asked), close

    def point(self) -> PointMaker:
        """Maker of a point, where one is wanted."""
        from barriers.engines.surrogate.points import PointMaker

        return PointMaker(maker=self.expensive.static())

    def relax_on(self, fmax: float, max_steps: int) -> RelaxOnMaker:
        """Maker that relaxes a corrected end on, where the corrected band is not converged."""
        from barriers.engines.surrogate.whole_band import RelaxOnMaker

        return RelaxOnMaker(maker=self.expensive.relax(fmax, max_steps))

    def whole_band(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> WholeBandMaker:
        """Maker of the expensive engine's own band, where the corrected one is not converged."""
        from barriers.engines.surrogate.whole_band import WholeBandMaker

        return WholeBandMaker(maker=self.expensive.neb(fmax, rough_fmax, max_steps, spring))
