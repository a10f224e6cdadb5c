"""All jumps of one vacancy in a crystal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.crystal import LEAST_VECTOR
from barriers.structures.hop.hop import Hop, hop_ends
from barriers.structures.hop.jump import as_hops
from barriers.structures.hop.neighbours import FURTHEST, IMAGE_MARGIN, neighbours, vacancy_jumps
from barriers.structures.hop.search import ion_sites
from barriers.structures.hop.symmetry import classes
from barriers.structures.network.sites import find_sites
from barriers.structures.network.window import window


@dataclass(frozen=True)
class Network:
    """Sites of an ion in a crystal and every jump between them, both ways.

    Attributes
    ----------
    structure : Structure
        The cell that was searched, all sites of the ion occupied.
    ion : str
        Element that moves.
    fractions : ndarray, shape (n, 3)
        Fractional coordinates of the sites, not wrapped.
    hops : tuple[Hop, ...]
        The distinct hops, the shortest first, in the order of :func:`~barriers.structures.hop.search.find_hops`.
    first, last : ndarray of int, shape (k,)
        Site that the ion leaves, and site that it reaches, rows of ``fractions``.
    images : ndarray of int, shape (k, 3)
        Lattice translation of the site that is reached.
    hop : ndarray of int, shape (k,)
        Which of ``hops`` each jump is.
    forward : ndarray of bool, shape (k,)
        Whether symmetry maps it on its hop, rather than on the way back alone. Where both ways of a hop are the same
        by symmetry, all its jumps run forward.
    """

    structure: Structure
    ion: str
    fractions: NDArray[np.float64]
    hops: tuple[Hop, ...]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    images: NDArray[np.int64]
    hop: NDArray[np.int64]
    forward: NDArray[np.bool_]

    @property
    def vectors(self) -> NDArray[np.float64]:
        """What the ion moves by in each jump (Å), shape (k, 3)."""
        steps = self.fractions[self.last] + self.images - self.fractions[self.first]
        return np.asarray(self.structure.lattice.get_cartesian_coords(steps))

    @property
    def multiplicities(self) -> NDArray[np.int64]:
        """Number of ways of each hop in the cell, a way and its way back counted once, shape (number of hops,)."""
        return np.bincount(self.hop, minlength=len(self.hops)) // 2

    @cached_property
    def windows(self) -> NDArray[np.float64]:
        """Radius of the window between anions that each hop passes (Å), shape (number of hops,).

        See :func:`~barriers.structures.network.window.window`.
        """
        return np.array([window(self.structure, *hop_ends(self.structure, hop), self.ion) for hop in self.hops])


def find_network(structure: Structure, ion: str = "Li") -> Network:
    """Find every jump of one vacancy in a crystal, and which of them are the same by symmetry.

    The network is that of the infinite crystal: a cell of any size, a primitive one too, has the same distinct hops.
    A hop from a site to its own image in another cell can be computed in a larger cell alone.

    Partial occupancies are resolved by :func:`~barriers.structures.network.sites.find_sites`: every site of the ion
    takes part, occupied or not.

    Parameters
    ----------
    structure : Structure
        Crystal.
    ion : str
        Element that moves.

    Raises
    ------
    ValueError
        If there is no such ion, or no jump.
    """
    structure = find_sites(structure, ion)
    places = ion_sites(structure, ion)
    jumps = vacancy_jumps(places, neighbours(places))
    if not jumps:
        raise ValueError(f"no hop: no two {ion} sites with a free way of {FURTHEST:g} Å or less between them")
    found = classes(places, jumps)
    return Network(
        structure=structure,
        ion=ion,
        fractions=places.fractions,
        hops=tuple(as_hops([(places, jump) for jump in found.distinct], ion)),
        first=found.points[:, 0],
        last=found.points[:, 1],
        images=found.images[:, 1],
        hop=found.number,
        forward=found.forward,
    )


def least_vector(cell: Structure, ion: str) -> float:
    """Length (Å) below which no vector of a supercell may be, or the longest hop meets its own image in it."""
    try:
        longest = max(hop.distance for hop in find_network(cell, ion).hops)
    except ValueError:  # no hop: said where hops are looked for
        return LEAST_VECTOR
    return max(LEAST_VECTOR, 2 * longest + 2 * IMAGE_MARGIN)
