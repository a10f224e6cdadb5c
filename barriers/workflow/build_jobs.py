"""Jobs that construct placements and endpoints, and hand on the slab. Pure and fast, no energies."""

from __future__ import annotations

from typing import Any

from ase.geometry import find_mic
from jobflow import job
from pymatgen.core import Molecule, Structure

from barriers.analysis.energetics import PlacementRow
from barriers.analysis.interface import fragment_height
from barriers.analysis.paths import farthest
from barriers.documents import ChosenDoc, EndDoc, PointDoc, RelaxDoc, StaticDoc
from barriers.engines.common import at_positions
from barriers.structures.hop.carried import check_carried
from barriers.structures.hop.hop import EndState, Hop, final_in_initial_order, make_endpoint
from barriers.structures.interface.contacts import surface_bonds
from barriers.structures.rounding import GRID, round_off
from barriers.structures.surface.slab import FRAGMENT, LAYER
from barriers.study.models import FragmentSection, PlacementSection
from barriers.workflow.placements import placements_of

SAME_PLACEMENT = 0.5
"""Two placements of which no atom is farther apart than this (Å) are one: relaxed roughly, one minimum is that wide."""


@job
def hand_on(slab: Structure) -> Structure:
    """Give the slab that the hops were found on to the jobs that need it, none of which builds it anew."""
    return slab


@job
def place_fragment(
    slab: Structure, fragment: FragmentSection | Molecule, placement: PlacementSection, vacuum: float, hop: Hop
) -> list[Structure]:
    """Give as many placements as are asked for; where there are fewer, they are counted round."""
    found = placements_of(slab, fragment, placement, vacuum, hop)
    return [found[number % len(found)] for number in range(max(placement.screened, placement.candidates))]


@job
def lowest_placements(screened: list[StaticDoc], candidates: int) -> list[Structure]:
    """Choose the placements lowest in energy."""
    ordered = sorted(screened, key=lambda placement: round_off(placement.energy, GRID))
    return [placement.structure for placement in ordered[:candidates]]


@job(output_schema=ChosenDoc)
def lowest(candidates: list[RelaxDoc], rank: int = 1) -> ChosenDoc:
    """Choose the converged candidate lowest in energy; the lowest of all where none is converged.

    Parameters
    ----------
    candidates : list[RelaxDoc]
        Relaxed placements.
    rank : int
        1 for the lowest, 2 for the next that is another placement, and so on.

    Raises
    ------
    ValueError
        If fewer are different.
    """
    ordered = sorted(candidates, key=lambda each: (not each.converged, round_off(each.energy, GRID)))
    different: list[RelaxDoc] = []
    for candidate in ordered:
        if not any(_alike(candidate, other) for other in different):
            different.append(candidate)
    if rank > len(different):
        raise ValueError(f"placement.rank: {rank}, of which there are {len(different)} once relaxed; more candidates")
    kept = different[rank - 1]
    number = 1 + next(place for place, candidate in enumerate(candidates) if candidate is kept)
    rows = [_row(candidate, candidates[:before]) for before, candidate in enumerate(candidates)]
    return ChosenDoc(**dict(kept), kept=number, placements=rows)


def _row(candidate: RelaxDoc, before: list[RelaxDoc]) -> PlacementRow:
    structure = candidate.structure
    n_slab = sum(number != FRAGMENT for number in structure.site_properties[LAYER])
    return PlacementRow(
        energy=candidate.energy,
        converged=candidate.converged,
        lowest=fragment_height(structure, n_slab).lowest,
        bonds=[str(bond) for bond in surface_bonds(structure, n_slab)],
        like=next((number for number, other in enumerate(before, 1) if _alike(candidate, other)), None),
    )


def _alike(one: RelaxDoc, other: RelaxDoc) -> bool:
    """Whether two placements have relaxed into one."""
    first, second = one.structure, other.structure
    return farthest([first.cart_coords], [second.cart_coords], first.lattice.matrix) < SAME_PLACEMENT


@job
def make_end(
    system: RelaxDoc,
    state: EndState,
    slab: Structure,
    hops: list[Hop],
    bare: RelaxDoc | None = None,
    bare_end: RelaxDoc | None = None,
) -> Structure:
    """Make one endpoint of a relaxed system.

    Parameters
    ----------
    system : RelaxDoc
        The relaxed slab or interface.
    state : EndState
        What is taken out and added.
    slab : Structure
        The bare slab as it was built.
    hops : list[Hop]
        Hops that end here; their sites must still be those of the bare slab.
    bare, bare_end : RelaxDoc or None
        The relaxed bare slab, and the same endpoint of it as it was relaxed: the slab's atoms are moved as there.

    Raises
    ------
    ValueError
        If a site of a hop is no longer the one it was named on.
    """
    for hop in hops:
        check_carried(slab, system.structure, hop)
    ion = hops[0].ion
    made = make_endpoint(system.structure, state, ion)
    if bare is None or bare_end is None:
        return made
    before = make_endpoint(bare.structure, state, ion)
    moves, _ = find_mic(bare_end.structure.cart_coords - before.cart_coords, before.lattice.matrix)
    moves[[bond.slab_atom for bond in surface_bonds(made, len(moves))]] = 0.0  # the bond may hold them elsewhere
    positions = made.cart_coords
    positions[: len(moves)] += moves
    return at_positions(made, positions)


@job(output_schema=RelaxDoc)
def order_final(final: RelaxDoc, hop: Hop) -> RelaxDoc:
    """Put the final endpoint's atoms into the initial endpoint's order, those of its points too."""
    structure, of_sites = _ordered(final.structure, hop, forces=final.forces, moments=final.moments)
    change: dict[str, Any] = {"structure": structure, **of_sites}
    if isinstance(final, EndDoc):
        change["points"] = [_ordered_point(final, point, hop) for point in final.points]
    return final.model_copy(update=change)


def _ordered_point(final: EndDoc, point: PointDoc, hop: Hop) -> PointDoc:
    structure, of_sites = _ordered(
        at_positions(final.structure, point.positions), hop, forces=point.forces, moments=point.moments
    )
    return point.model_copy(update={"positions": structure.cart_coords.tolist(), **of_sites})


def _ordered(structure: Structure, hop: Hop, **of_sites: list[Any] | None) -> tuple[Structure, dict[str, list[Any]]]:
    """Put a structure's atoms into the initial endpoint's order, with what belongs to each."""
    given = {name: values for name, values in of_sites.items() if values is not None}
    marked = structure.copy()
    marked.add_site_property("given", list(zip(*given.values(), strict=True)) or [()] * len(marked))
    ordered = final_in_initial_order(marked, hop)
    rows = ordered.site_properties["given"]
    ordered.remove_site_property("given")
    return ordered, {name: [row[column] for row in rows] for column, name in enumerate(given)}
