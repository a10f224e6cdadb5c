"""The structures that a study starts from: slab, hops, placements. Needs no engine."""

from __future__ import annotations

from dataclasses import dataclass

from pymatgen.core import Structure

from barriers.files.structures import read_endpoints
from barriers.structures.hop.hop import Hop, final_in_initial_order, make_endpoint
from barriers.study.forms import AnyStudy
from barriers.study.models import EndpointStudy
from barriers.workflow.crystal import BuiltCrystal
from barriers.workflow.ensemble import AnyMember, members_of
from barriers.workflow.slab_and_hops import BuiltSlab


@dataclass(frozen=True)
class BuiltStudy:
    """Structures a study starts from.

    Attributes
    ----------
    slab : BuiltSlab, BuiltCrystal or None
        The bare slab, or the supercell of a crystal; none where the study names its endpoints itself.
    hops : list[Hop]
        The hops, found on it.
    systems : dict[str, list[Structure]]
        First placements of each system; the slab itself for a bare one, both ends of a hop that the study names.
    """

    slab: BuiltSlab | BuiltCrystal | None
    hops: list[Hop]
    systems: dict[str, list[Structure]]

    @property
    def structures(self) -> dict[str, Structure]:
        """Every structure by name, words with a blank between: slab, placements, endpoints of each hop as built."""
        if self.slab is None:
            ((initial, final),) = self.systems.values()
            return {"initial": initial, "final": final}
        built = {self.slab.word: self.slab.structure}
        for name, candidates in self.systems.items():
            if candidates[0] is not self.slab.structure:
                built |= {f"{name} placement {number}": item for number, item in enumerate(candidates, 1)}
            for hop in self.hops:
                final = make_endpoint(candidates[0], hop.final, hop.ion)
                built[f"{name} {hop.name} initial"] = make_endpoint(candidates[0], hop.initial, hop.ion)
                built[f"{name} {hop.name} final"] = final_in_initial_order(final, hop)
        return built


def build_study(study: AnyStudy) -> BuiltStudy:
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
    return built_of(members_of(study)[0])


def build_members(study: AnyStudy) -> dict[str, BuiltStudy]:
    """Do the same for each member of an ensemble, by its tag; a study that is none has an empty one."""
    if isinstance(study, EndpointStudy):
        return {"": build_study(study)}
    return {member.tag: built_of(member) for member in members_of(study)}


def built_of(member: AnyMember) -> BuiltStudy:
    """Give the structures that a member of a study starts from."""
    return BuiltStudy(member.slab, member.hops, member.placed)
