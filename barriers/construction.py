"""Jobs that construct: slab, hop, placements and endpoints. Pure and fast, no energies."""

from __future__ import annotations

from jobflow import job
from pymatgen.core import Structure

from barriers.documents import RelaxDoc
from barriers.structures.cathode import Cathode, bulk, known_cathodes
from barriers.structures.hop import EndState, Hop, final_in_initial_order, make_endpoint, midpoint
from barriers.structures.hop_choice import select_hops
from barriers.structures.hop_search import find_hops
from barriers.structures.interface import place_at_distance, place_bonded
from barriers.structures.ordering import order_metals
from barriers.structures.polymer import build_fragment
from barriers.structures.surface import cut_slab
from barriers.study import CathodeSection, FragmentSection, HopSection, PlacementSection, SurfaceSection


def slab_of(cathode: CathodeSection, surface: SurfaceSection) -> Structure:
    """Build the slab that a study describes, metals ordered."""
    on_file = known_cathodes()[cathode.name]
    chosen = Cathode(on_file.name, on_file.metals, cathode.a or on_file.a, cathode.c or on_file.c, on_file.z)
    cut = cut_slab(
        bulk(chosen),
        surface.facet,
        surface.layers,
        surface.min_lengths,
        surface.vacuum,
        surface.frozen_layers,
    )
    return order_metals(cut.slab, chosen.metals, cathode.seed)


def hop_of(slab: Structure, section: HopSection) -> Hop:
    """Find the hop that a study describes on the slab as it was built.

    Raises
    ------
    ValueError
        If the slab has fewer such hops than the rank asked for.
    """
    hops = select_hops(find_hops(slab), layer=section.layer, kind="vacancy")
    if section.rank > len(hops):
        raise ValueError(f"hops: {section.name!r} has rank {section.rank}; allowed: 1 to {len(hops)} on this slab")
    return hops[section.rank - 1].model_copy(update={"name": section.name})


def placements_of(
    slab: Structure, fragment: FragmentSection, placement: PlacementSection, vacuum: float, hop: Hop
) -> list[Structure]:
    """Place the fragment that a study describes above the hop, in every candidate way."""
    molecule = build_fragment(fragment.polymer, fragment.units, fragment.eliminate)
    above = midpoint(slab, hop).tolist()
    if placement.mode == "bonded":
        return place_bonded(slab, molecule, above, placement.bond_length, vacuum, placement.candidates)
    return place_at_distance(slab, molecule, above, placement.distance, vacuum, placement.candidates)


@job
def build_slab(cathode: CathodeSection, surface: SurfaceSection) -> Structure:
    """Build the slab."""
    return slab_of(cathode, surface)


@job
def place_fragment(
    slab: Structure, fragment: FragmentSection, placement: PlacementSection, vacuum: float, hop: Hop
) -> list[Structure]:
    """Give as many placements as candidates are asked for; where there are fewer, they are counted round."""
    found = placements_of(slab, fragment, placement, vacuum, hop)
    return [found[number % len(found)] for number in range(placement.candidates)]


@job(output_schema=RelaxDoc)
def lowest(candidates: list[RelaxDoc]) -> RelaxDoc:
    """Choose the converged candidate lowest in energy; the lowest of all where none is converged."""
    return min(candidates, key=lambda candidate: (not candidate.converged, candidate.energy))


@job
def make_end(system: RelaxDoc, state: EndState) -> Structure:
    """Make one endpoint of a relaxed system."""
    return make_endpoint(system.structure, state)


@job(output_schema=RelaxDoc)
def order_final(final: RelaxDoc, hop: Hop) -> RelaxDoc:
    """Put the final endpoint's atoms into the initial endpoint's order."""
    structure = final.structure.copy()
    structure.add_site_property("force", final.forces)
    ordered = final_in_initial_order(structure, hop)
    forces = [list(force) for force in ordered.site_properties["force"]]
    ordered.remove_site_property("force")
    return final.model_copy(update={"structure": ordered, "forces": forces})
