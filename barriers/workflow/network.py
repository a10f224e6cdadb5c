"""What the barriers of a crystal's hops make together, put together from the documents of its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pymatgen.core import Element

from barriers.analysis.energetics import KineticsDoc
from barriers.analysis.kinetics import USUAL_ATTEMPT_FREQUENCY
from barriers.analysis.network import Jumps
from barriers.analysis.network_document import NetworkDoc
from barriers.analysis.network_result import network_result
from barriers.documents import BarrierDoc
from barriers.structures.hop.kinds import ADDED
from barriers.structures.network.network import Network, find_added_network, find_network
from barriers.study.network import NetworkSection
from barriers.workflow.crystal import CrystalMember
from barriers.workflow.result_jobs import LEFT_ITS_SITE

NETWORK = "network"
"""Name of what a study asks of its network among the documents: no job has such a name."""

IN_PART = (
    "no D: sites are held in part, so that many ions jump at a time and feel each other; the barriers are one sample "
    "of each class of hops"
)

GONE = "in this ordering one of its ends is no site, the ion leaves it: it is left out; rank 2 of hops takes another"

LOWER = 0.01
"""A minimum between the ends of a hop that lies this far (eV) below both is where the carrier rests."""

RESTS = "the carrier rests in a minimum between the ends, below both: the span stands for the barrier"

WITHOUT_VACANCIES = "network.vacancies is left out: the carriers are added ions"


def asked_of(member: CrystalMember) -> dict[str, Any]:
    """Give what the comparison is told of a crystal's network; nothing where the study asks for none."""
    section = member.study.asked_network
    if section is None:
        return {}
    added = all(hop.kind in ADDED for hop in member.hops)
    asked = {"structure": member.slab.structure, "ion": member.study.crystal.ion, "added": added, "section": section}
    if (ordered := member.ordered) is not None:
        asked |= {"structure": ordered.network.structure, "hops": ordered.known(member.hops)}
    return {NETWORK: asked}


def jumps_of(network: Network) -> Jumps:
    """Give the jumps of what walks: an added ion itself; a vacancy goes where the ion comes from, over one barrier."""
    return ion_jumps(network) if network.of_added else ion_jumps(network).back()


def ion_jumps(network: Network) -> Jumps:
    """Give the jumps of an ion."""
    return Jumps(
        sites=len(network.fractions),
        first=network.first,
        last=network.last,
        images=network.images,
        vectors=network.vectors,
        lattice=network.structure.lattice.matrix,
        hop=network.hop,
        forward=network.forward,
        carrier="added ion" if network.of_added else "vacancy",
    )


def network_document(
    beside: Mapping[str, Any], barriers: Sequence[BarrierDoc], kinetics: KineticsDoc | None
) -> NetworkDoc | None:
    """Join the barriers of a crystal's hops; None where the study asks for no network.

    Parameters
    ----------
    beside : Mapping[str, Any]
        What the study's other jobs gave, and under :data:`NETWORK` what :func:`asked_of` gives.
    barriers : sequence of BarrierDoc
        Those that are there; a hop without one is left out and named.
    kinetics : KineticsDoc or None
        Attempt frequencies that were computed; for others 1e13 Hz stand in.
    """
    asked = beside.get(NETWORK)
    if asked is None:
        return None
    section: NetworkSection = asked["section"]
    added = asked.get("added", False)
    network = (find_added_network if added else find_network)(asked["structure"], asked["ion"])
    in_part, resting = "hops" in asked, []
    if in_part:
        resting = [f"{barrier.hop_name}: {GONE}" for barrier in barriers if _is_gone(barrier)]
        found = _of_ordering(asked["hops"], [barrier for barrier in barriers if not _is_gone(barrier)])
    else:
        found = _by_hop(network, barriers)
    names = [hop.label for hop in network.hops]
    heights = np.full((len(names), 2), np.nan)
    frequencies, uncertainties = np.full(len(names), USUAL_ATTEMPT_FREQUENCY), np.zeros(len(names))
    for number, (barrier, forward) in found.items():
        ways, rests = _ways(barrier)
        resting += [f"{barrier.hop_name}: {RESTS}"] if rests else []
        heights[number] = ways if forward else ways[::-1]
        names[number], uncertainties[number] = barrier.hop_name, barrier.plus_minus() or 0.0
        computed = kinetics and kinetics.attempt_frequency(barrier.system, barrier.hop_name)
        frequencies[number] = computed or USUAL_ATTEMPT_FREQUENCY
    document = network_result(
        ion_jumps(network) if in_part else jumps_of(network),
        heights,
        names=names,
        temperatures=() if in_part else section.temperatures,
        attempt_frequencies=frequencies,
        charge=Element(asked["ion"]).common_oxidation_states[0],
        fraction=None if added else section.vacancies,
        uncertainties=uncertainties,
    )
    unused = [WITHOUT_VACANCIES] if added and section.vacancies else []
    notes = [*resting, *unused, *document.notes, *([IN_PART] if in_part else [])]
    return document.model_copy(update={"notes": notes})


def _ways(barrier: BarrierDoc) -> tuple[tuple[float, float], bool]:
    """Give both barriers (eV), raised to the span where the carrier rests between the ends; and whether it does."""
    forward, reverse, span = barrier.forward, barrier.reverse, barrier.span
    assert forward is not None and reverse is not None
    more = 0.0 if span is None else span - max(forward, reverse)
    return ((forward + more, reverse + more), True) if more > LOWER else ((forward, reverse), False)


def _by_hop(network: Network, barriers: Sequence[BarrierDoc]) -> dict[int, tuple[BarrierDoc, bool]]:
    """Give the barrier of each distinct hop that has one, and whether it was found the way that the hop runs."""
    ends = [[network.members[site] for site in sites.tolist()] for sites in (network.first, network.last)]
    ways = zip(*ends, map(tuple, network.images.tolist()), network.pushed, strict=True)
    number = {way: row for row, way in enumerate(ways)}
    found: dict[int, tuple[BarrierDoc, bool]] = {}
    for barrier in barriers:
        hop = barrier.hop
        if hop is None or hop.kind == "divacancy" or barrier.forward is None or barrier.reverse is None:
            continue
        if (row := number.get(hop.way)) is not None:
            found.setdefault(int(network.hop[row]), (barrier, bool(network.forward[row])))
    return found


def _is_gone(barrier: BarrierDoc) -> bool:
    """Tell whether the ion of a hop has left a site, so that the barrier is not that of its jump."""
    if barrier.hop is None or barrier.motion is None:
        return False
    return abs(barrier.motion["ion_jump"] - barrier.hop.distance) >= LEFT_ITS_SITE


def _of_ordering(
    known: Mapping[str, tuple[int, bool]], barriers: Sequence[BarrierDoc]
) -> dict[int, tuple[BarrierDoc, bool]]:
    """Do the same in an ordering, whose hops are known by their labels; of a class the first hop stands."""
    found: dict[int, tuple[BarrierDoc, bool]] = {}
    for barrier in barriers:
        if barrier.hop is not None and barrier.forward is not None and barrier.reverse is not None:
            number, forward = known[barrier.hop.label]
            found.setdefault(number, (barrier, forward))
    return found
