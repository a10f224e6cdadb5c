"""Hops: one Li⁺ jump into a vacancy, named once on the bare slab and carried to every system."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from barriers.structures.surface import LAYER, frozen_atoms

LONGEST_HOP = 4.5
"""Pairs of Li sites further apart (Å) are not neighbours in a layered oxide (first shell 2.9, second 5.0 Å)."""


class Hop(BaseModel):
    """A jump of the ion on site ``moving`` to the site of atom ``target``, which is taken out."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="name in tables and figures")
    moving: int = Field(description="index of the moving ion in the bare slab, and so in every system")
    target: int = Field(description="index of the ion whose site is reached")
    image: tuple[int, int, int] = Field(description="lattice translation of the site that is reached")
    distance: float = Field(description="length of the jump on the unrelaxed slab (Å)")


def find_hops(slab: Structure, layer: Literal["surface", "sub-surface"], name: str, ion: str = "Li") -> list[Hop]:
    """List the vacancy hops within one atomic layer of a slab as it was built, shortest first.

    The unrelaxed slab is searched, so that the same hop is found whatever engine relaxes it. Equal lengths are
    ordered by height (nearest to the surface first), then by position, never by the order of the atoms.

    Parameters
    ----------
    slab : Structure
        Bare slab with its ``layer`` numbers.
    layer : {"surface", "sub-surface"}
        The topmost layer or the one below.
    name : str
        Name the hops get.
    ion : str
        Element that moves.

    Returns
    -------
    list[Hop]
        Hops between free sites of that layer.

    Raises
    ------
    ValueError
        If the layer holds no pair of free sites, or the cell is too small to tell a jump from its image.
    """
    numbers = np.array(slab.site_properties[LAYER])
    wanted = numbers.max() - (0 if layer == "surface" else 1)
    frozen = set(frozen_atoms(slab))
    sites = [index for index in slab.indices_from_symbol(ion) if numbers[index] == wanted and index not in frozen]
    centres, neighbours, images, distances = slab.get_neighbor_list(LONGEST_HOP, [slab[i] for i in sites])
    hops = [
        Hop(
            name=name,
            moving=sites[centre],
            target=int(neighbour),
            image=_whole(image),
            distance=float(distance),
        )
        for centre, neighbour, image, distance in zip(centres, neighbours, images, distances, strict=True)
        if int(neighbour) in sites and int(neighbour) != sites[centre]
    ]
    if not hops:
        raise ValueError(f"no pair of free {ion} sites in the {layer} layer; use a larger min_lengths")
    shortest = min(slab.lattice.abc[:2])
    hops = [hop for hop in hops if 2 * hop.distance < shortest - 0.2]
    if not hops:
        raise ValueError(f"surface vector of {shortest:.1f} Å: a hop meets its own image; use a larger min_lengths")
    return sorted(_one_direction(hops, slab), key=lambda hop: _rank(hop, slab))


def endpoint(system: Structure, vacancy: int) -> Structure:
    """Take one ion out of a system, keeping the order of the others."""
    structure = system.copy()
    structure.remove_sites([vacancy])
    return structure


def final_in_initial_order(final: Structure, hop: Hop) -> Structure:
    """Reorder the structure with the vacancy at ``hop.moving`` so that its atoms match the initial structure's.

    The initial structure has its vacancy at ``hop.target``. The ion that stands on the target site in the final
    structure is the one that moved there, so it takes the place of the moving ion in the list.

    Parameters
    ----------
    final : Structure
        System without atom ``hop.moving``, usually relaxed.
    hop : Hop
        The jump.
    """

    def place_in_final(atom: int) -> int:
        return atom - (atom > hop.moving)

    atoms = [atom for atom in range(len(final) + 1) if atom != hop.target]
    order = [place_in_final(hop.target if atom == hop.moving else atom) for atom in atoms]
    return Structure.from_sites([final[index] for index in order])


def moving_index(hop: Hop) -> int:
    """Index of the moving ion in the endpoints, which lack the target atom."""
    return hop.moving - (hop.moving > hop.target)


def midpoint(slab: Structure, hop: Hop) -> np.ndarray:
    """Cartesian midpoint of the jump (Å), shape (3,)."""
    target = slab.lattice.get_cartesian_coords(slab[hop.target].frac_coords + np.array(hop.image))
    return (slab[hop.moving].coords + target) / 2


def _whole(image: np.ndarray) -> tuple[int, int, int]:
    x, y, z = (int(component) for component in np.rint(image))
    return x, y, z


def _rank(hop: Hop, slab: Structure) -> tuple[float, ...]:
    middle = midpoint(slab, hop)
    start = slab[hop.moving].coords
    return (round(hop.distance, 2), -round(middle[2], 1), *np.round(middle[:2], 2), *np.round(start, 2))


def _one_direction(hops: list[Hop], slab: Structure) -> list[Hop]:
    """Keep one of each jump and its way back: the one that starts at the lower position (x, then y, then z)."""

    def key(hop: Hop) -> tuple[float, ...]:
        start = slab[hop.moving].coords
        end = 2 * midpoint(slab, hop) - start
        return tuple(np.round(end - start, 3))

    return [hop for hop in hops if key(hop) > (0.0, 0.0, 0.0)]
