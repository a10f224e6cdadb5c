"""The structures that a study starts from: slab, hops, placements. Needs no engine."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Structure

from barriers.files.structures import read_endpoints
from barriers.structures.hop.hop import Hop, final_in_initial_order, make_endpoint
from barriers.study.models import EndpointStudy, Study
from barriers.workflow.ensemble import Member, members_of
from barriers.workflow.placements import Placed, placements_in, placements_of
from barriers.workflow.slab_and_hops import BuiltSlab


@dataclass(frozen=True)
class BuiltStudy:
    """Structures a study starts from.

    Attributes
    ----------
    slab : BuiltSlab or None
        The bare slab; none where the study names its endpoints itself.
    hops : list[Hop]
        The hops, found on it.
    systems : dict[str, list[Structure]]
        First placements of each system; the slab itself for a bare one, both ends of a hop that the study names.
    """

    slab: BuiltSlab | None
    hops: list[Hop]
    systems: dict[str, list[Structure]]

    @property
    def structures(self) -> dict[str, Structure]:
        """Every structure by name, words with a blank between: slab, placements, endpoints of each hop as built."""
        if self.slab is None:
            ((initial, final),) = self.systems.values()
            return {"initial": initial, "final": final}
        built = {"slab": self.slab.structure}
        for name, candidates in self.systems.items():
            if candidates[0] is not self.slab.structure:
                built |= {f"{name} placement {number}": item for number, item in enumerate(candidates, 1)}
            for hop in self.hops:
                final = make_endpoint(candidates[0], hop.final)
                built[f"{name} {hop.name} initial"] = make_endpoint(candidates[0], hop.initial)
                built[f"{name} {hop.name} final"] = final_in_initial_order(final, hop)
        return built


def build_study(study: Study | EndpointStudy) -> BuiltStudy:
    """Build the slab of a study, its hops, and the first placements of each system. Needs no engine.

    Of an ensemble, those of its first member.

    Raises
    ------
    ValueError
        One line, if a structure cannot be built.
    """
    if isinstance(study, EndpointStudy):
        initial, final, _ = read_endpoints(study.endpoints.initial, study.endpoints.final)
        return BuiltStudy(None, [], {study.name: [initial, final]})
    return _built(members_of(study)[0])


def build_members(study: Study | EndpointStudy) -> dict[str, BuiltStudy]:
    """Do the same for each member of an ensemble, by its tag; a study that is none has an empty one."""
    if isinstance(study, EndpointStudy):
        return {"": build_study(study)}
    return {member.tag: _built(member) for member in members_of(study)}


def _built(member: Member) -> BuiltStudy:
    slab, vacuum = member.slab.structure, member.study.vacuum
    placed: dict[Placed, list[Structure]] = {}
    systems = {}
    for system in member.study.systems:
        systems[system.name] = [slab]
        if (shared := placements_in(system)) is not None:
            if shared not in placed:
                placed[shared] = placements_of(slab, *shared, vacuum, member.anchor)
            systems[system.name] = placed[shared]
    return BuiltStudy(member.slab, member.hops, systems)
