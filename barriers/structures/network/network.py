"""All jumps of one vacancy, or of one added ion, in a crystal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.crystal import LEAST_VECTOR
from barriers.structures.hop.added import added_jumps, added_places
from barriers.structures.hop.hop import Hop, Image, Site, hop_ends
from barriers.structures.hop.jump import Jump, Places, as_hops, rank
from barriers.structures.hop.neighbours import FURTHEST, IMAGE_MARGIN, neighbours, vacancy_jumps
from barriers.structures.hop.search import ion_sites
from barriers.structures.hop.surroundings import whole
from barriers.structures.hop.symmetry import Classes, classes
from barriers.structures.network.sites import find_sites
from barriers.structures.network.window import window


@dataclass(frozen=True)
class Network:
    """Sites of an ion in a crystal, or empty ones of an added ion, and every jump between them, both ways.

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
    members : tuple of int or Site
        Atoms on the sites, or the empty sites of an added ion.
    pushed : tuple of (int, (int, int, int)) or None
        For each jump of an added ion, the ion that it pushes, with its image.
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
    members: tuple[int | Site, ...]
    pushed: tuple[tuple[int, Image] | None, ...]

    @property
    def of_added(self) -> bool:
        """Whether the sites are empty ones, of an added ion."""
        return any(isinstance(member, Site) for member in self.members)

    @property
    def vectors(self) -> NDArray[np.float64]:
        """What the ion, or the charge of an added one, moves by in each jump (Å), shape (k, 3)."""
        steps = self.fractions[self.last] + self.images - self.fractions[self.first]
        return np.asarray(self.structure.lattice.get_cartesian_coords(steps))

    @property
    def multiplicities(self) -> NDArray[np.int64]:
        """Number of ways of each hop in the cell, a way and its way back counted once, shape (number of hops,)."""
        return np.bincount(self.hop, minlength=len(self.hops)) // 2

    @cached_property
    def windows(self) -> NDArray[np.float64]:
        """Radius of the window between anions that each hop passes (Å), shape (number of hops,).

        See :func:`~barriers.structures.network.window.window`. NaN where one ion pushes another.
        """
        return np.array([self._window(hop) for hop in self.hops])

    def _window(self, hop: Hop) -> float:
        if hop.pushed is not None:
            return float("nan")
        return window(self.structure, *hop_ends(self.structure, hop), self.ion)


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
    return _network(structure, ion, places, jumps)


def find_added_network(structure: Structure, ion: str = "Li") -> Network:
    """Find every jump of one added ion in a crystal: between empty sites, or by pushing an ion of the crystal.

    The sites are the empty ones (:func:`~barriers.structures.hop.voids.find_voids`). Where an ion is pushed, what goes
    from site to site is the charge: one ion more is first at one, then at the other.

    Parameters
    ----------
    structure : Structure
        Crystal, each site held by one element.
    ion : str
        Element that is added.

    Raises
    ------
    ValueError
        If there is no such jump.
    """
    places = added_places(structure, ion)
    direct, pushes = added_jumps(places)
    if not direct and not pushes:
        raise ValueError(f"no hop of an added {ion}: no two empty sites with a way between them")
    return _network(structure, ion, places, direct, pushes)


def _network(structure: Structure, ion: str, places: Places, *kinds: list[Jump]) -> Network:
    """Sort the jumps of one carrier, which may be of several kinds, into classes."""
    found = [classes(places, jumps) for jumps in kinds if jumps]
    known = [jump for each in found for jump in each.distinct]
    order = sorted(range(len(known)), key=lambda number: rank(places, known[number]))
    counts = np.cumsum([0, *(len(each.distinct) for each in found)])
    hop = np.concatenate([each.number + before for each, before in zip(found, counts, strict=False)])
    count = sum(isinstance(member, Site) for member in places.members) or len(places.members)
    return Network(
        structure=structure,
        ion=ion,
        fractions=places.fractions[:count],
        hops=tuple(as_hops([(places, known[number]) for number in order], ion)),
        first=np.concatenate([each.points[:, 0] for each in found]),
        last=np.concatenate([each.points[:, 1] for each in found]),
        images=np.concatenate([each.images[:, 1] for each in found]),
        hop=np.argsort(order)[hop],
        forward=np.concatenate([each.forward for each in found]),
        members=tuple(places.members[:count]),
        pushed=tuple(pushed for each in found for pushed in _pushed(places, each)),
    )


def _pushed(places: Places, found: Classes) -> list[tuple[int, Image] | None]:
    """Name the ion that is pushed in each jump."""
    if found.points.shape[1] == 2:
        return [None] * len(found.points)
    atoms = [places.members[number] for number in found.points[:, 2].tolist()]
    images = map(whole, found.images[:, 2])
    return [(atom, image) for atom, image in zip(atoms, images, strict=True) if isinstance(atom, int)]


def least_vector(cell: Structure, ion: str) -> float:
    """Length (Å) below which no vector of a supercell may be, or the longest hop meets its own image in it."""
    try:
        longest = max(hop.distance for hop in find_network(cell, ion).hops)
    except ValueError:  # no hop: said where hops are looked for
        return LEAST_VECTOR
    return max(LEAST_VECTOR, 2 * longest + 2 * IMAGE_MARGIN)
