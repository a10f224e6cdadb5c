"""Jobs of the expensive engine where a corrected band is not converged: its ends relaxed on, then a whole band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobflow import job

from barriers.documents import BandDoc, CostDoc, EndDoc, RelaxDoc, SurrogateDoc
from barriers.engines.surrogate.points import OfEngine
from barriers.structures.path.start import Start


@dataclass
class RelaxOnMaker(OfEngine):
    """Relaxes a corrected end on, where it is of no use as it is."""

    name: str = "relax on"

    @job(output_schema=RelaxDoc)
    def make(self, end: EndDoc, enough: bool) -> RelaxDoc:
        """Relax an end.

        Parameters
        ----------
        end : EndDoc
            On the corrected surface.
        enough : bool
            Whether the corrected band is converged: nothing is done then.
        """
        document: RelaxDoc = end if enough else self.run(end.structure)
        return document

    def ends_at_once(self, _end: EndDoc, enough: bool) -> bool:
        """Whether there is nothing to do."""
        return enough


@dataclass
class WholeBandMaker(OfEngine):
    """Runs the engine's own band from a corrected one that is not converged."""

    name: str = "whole band"

    @job(output_schema=BandDoc)
    def make(self, corrected: BandDoc, initial: RelaxDoc, final: RelaxDoc, start: Start) -> BandDoc:
        """Converge a band.

        Parameters
        ----------
        corrected : BandDoc
            The corrected band; if it is converged, it is the result.
        initial, final : RelaxDoc
            Ends, relaxed by the engine.
        start : Start
            Carried over.
        """
        if corrected.converged:
            return corrected
        band: BandDoc = self.run(initial, final, start, corrected)
        cost = {name: getattr(band.cost, name) + getattr(corrected.cost, name) for name in CostDoc.model_fields}
        warning = f"the corrected band was not converged: {corrected.reason}"
        update = {"warnings": [*band.warnings, warning], "cost": CostDoc(**cost), "surrogate": _points(corrected)}
        return band.model_copy(update=update)

    def ends_at_once(self, corrected: BandDoc, *_inputs: Any) -> bool:
        """Whether there is nothing to do."""
        return corrected.converged


def _points(corrected: BandDoc) -> SurrogateDoc | None:
    """Keep the points that a corrected band cost, without the barrier that they did not suffice for."""
    if corrected.surrogate is None:
        return None
    return corrected.surrogate.model_copy(update=dict.fromkeys(("forward", "reverse")))
