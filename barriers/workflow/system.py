"""The barriers of one system's hops, a few hops at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobflow import Flow, Job, OutputReference

from barriers.structures.hop.hop import EndState, Hop
from barriers.workflow.barrier import BarrierMaker
from barriers.workflow.build_jobs import make_end, order_final

Ends = dict[EndState, OutputReference]
"""References to the relaxed end states.

They are the jobs' own outputs, which follow a job that gets another uuid; an attribute of one, taken early, would not.
"""


@dataclass
class SystemHops:
    """One system of a study, and those of its end states that are relaxed already.

    Attributes
    ----------
    maker : BarrierMaker
        Engine and settings; its name is the system's.
    has_fragment : bool
        Whether a fragment makes several paths likely.
    base : OutputReference
        The relaxed slab or interface (RelaxDoc).
    slab : OutputReference
        The bare slab as it was built (Structure).
    ending : Mapping[EndState, list[Hop]]
        All hops of the study by the states that they begin or end in.
    bare : SystemHops or None
        The bare system whose relaxed end states those of this one follow.
    """

    maker: BarrierMaker
    has_fragment: bool
    base: OutputReference
    slab: OutputReference
    ending: Mapping[EndState, list[Hop]]
    bare: SystemHops | None = None
    _relaxed: Ends = field(default_factory=dict)
    _scouted: Ends = field(default_factory=dict)

    def add(
        self, hops: Sequence[Hop], guides: Sequence[OutputReference | None]
    ) -> tuple[list[Job | Flow], list[OutputReference]]:
        """Relax the end states that are new, and find the barrier of each hop.

        Parameters
        ----------
        hops : Sequence[Hop]
            Hops that were not added before.
        guides : Sequence[OutputReference or None]
            For each, the bare slab's converged band (BandDoc), where there is one.

        Returns
        -------
        list[Job or Flow]
            All jobs.
        list[OutputReference]
            For each hop, the band that guides systems with a fragment.
        """
        jobs: list[Job | Flow] = []
        structures = {}
        for state in dict.fromkeys(state for hop in hops for state in (hop.initial, hop.final)):
            if state not in self._relaxed:
                like = self._bare_end(state)
                made = self.maker.label(make_end(self.base, state, self.slab, self.ending[state], *like), state.label)
                structures[state] = made.output
                jobs.append(made)
        scout, ends = self.maker.scout(), self._first
        bare = [{"guide": guide} for guide in guides]
        first, barriers = self._barriers(scout or self.maker, ends, structures, zip(hops, bare, strict=True))
        bands = [flow.output.band for flow in barriers]
        jobs += first
        if scout is not None:
            structures = {state: ends[state] for state in structures}
            scouted = [{"scouted": band} for band in bands]
            jobs += self._barriers(self.maker, self._relaxed, structures, zip(hops, scouted, strict=True))[0]
        return jobs, bands

    @property
    def _first(self) -> Ends:
        """End states as they are relaxed first: by the embedded engine where that finds the paths."""
        return self._relaxed if self.maker.scout() is None else self._scouted

    def _bare_end(self, state: EndState) -> tuple[OutputReference, ...]:
        """The bare slab, and its end state where that is relaxed; an added ion is another atom in each system."""
        if self.bare is None or state.added or state not in self.bare._first:
            return ()
        return self.bare.base, self.bare._first[state]

    def _barriers(
        self,
        maker: BarrierMaker,
        ends: Ends,
        structures: dict[EndState, Any],
        guided: Iterable[tuple[Hop, dict[str, Any]]],
    ) -> tuple[list[Job | Flow], list[Flow]]:
        """Relax the structures of new end states, and find the barriers of hops, each guided by some band."""
        relaxed = {
            state: maker.relax_endpoint(structure, state.label, follows=bool(self._bare_end(state)))
            for state, structure in structures.items()
        }
        ends.update({state: job.output for state, job in relaxed.items()})
        jobs: list[Job | Flow] = [*relaxed.values()]
        barriers = []
        for hop, guide in guided:
            final = maker.label(order_final(ends[hop.final], hop), "final endpoint", hop)
            between = {"hop": hop, "has_fragment": self.has_fragment, **guide}
            barriers.append(maker.between(ends[hop.initial], final.output, **between))
            jobs += [final, barriers[-1]]
        return jobs, barriers
