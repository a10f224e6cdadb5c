"""Networks of sites and jumps: in how many directions they go on, and over which barrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barriers.analysis.translations import Floats, Forest, Ints, potentials

if TYPE_CHECKING:
    from networkx import MultiDiGraph

AXES = {"a": (1, 0, 0), "b": (0, 1, 0), "c": (0, 0, 1)}

ENERGY_DECIMALS = 6
"""Saddles whose energies (eV) agree to so many decimals are passed at one threshold."""


@dataclass(frozen=True)
class Jumps:
    """Every jump of one carrier in one cell, both ways listed: k jumps between n sites.

    Where a vacancy is what walks, it goes against the ion: take :meth:`back` of the jumps of ions.

    Attributes
    ----------
    sites : int
        Number n of sites of the cell.
    first, last : (k,)
        Site that the carrier leaves, and one whose image it arrives at.
    images : (k, 3)
        Lattice translation of the latter.
    vectors : (k, 3)
        Displacement (Å).
    lattice : (3, 3)
        Cell vectors (Å), in rows.
    hop : (k,)
        Number of the distinct hop that each is one of.
    forward : (k,)
        Whether its barrier is that hop's forward one, not its reverse.
    carrier : {"vacancy", "added ion"}
        What jumps. Only the walk of a vacancy tells the correlation factor of the ions here.
    """

    sites: int
    first: Ints
    last: Ints
    images: Ints
    vectors: Floats
    lattice: Floats
    hop: Ints
    forward: NDArray[np.bool_]
    carrier: Literal["vacancy", "added ion"] = "vacancy"

    def back(self) -> Jumps:
        """Give the same jumps as that sees them which each moves the other way, with the barriers that they have."""
        return replace(self, first=self.last, last=self.first, images=-self.images, vectors=-self.vectors)

    def only(self, kept: NDArray) -> Jumps:
        """Give the network with some of its jumps alone, by number or mask."""
        names = ("first", "last", "images", "vectors", "hop", "forward")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})


@dataclass(frozen=True)
class Threshold:
    """The lowest barrier over which a network goes on.

    Attributes
    ----------
    barrier : float
        Saddle of the bottleneck above the lowest site (eV).
    jump : int
        Number of a jump over that saddle.
    """

    barrier: float
    jump: int


def dimension(first: ArrayLike, last: ArrayLike, images: ArrayLike, sites: int) -> int:
    """Number of independent directions, 0 to 3, in which the best connected site goes on to its own images.

    Parameters
    ----------
    first, last, images : (k,), (k,), (k, 3)
        Jumps as of :class:`Jumps`.
    sites : int
        Number of sites.
    """
    first, last, images = (np.asarray(values, dtype=int) for values in (first, last, images))
    part, cells = potentials(sites, first, last, images.reshape(-1, 3))
    closed = images.reshape(-1, 3) + cells[first] - cells[last]
    return max((_rank(closed[part[first] == number]) for number in np.unique(part[first])), default=0)


def percolation(
    first: ArrayLike,
    last: ArrayLike,
    images: ArrayLike,
    sites: int,
    saddles: ArrayLike,
    directions: Mapping[str, tuple[int, int, int]] = AXES,
) -> dict[str, Threshold]:
    """Find the lowest barriers over which a network goes on in 1, 2 and 3 dimensions, and along given directions.

    Jumps are let in by the energy of their saddle, lowest first. A network percolates along a lattice direction [uvw]
    once a site is connected with an image of itself that lies some whole number of [uvw] away. What counts is the
    saddle, not a barrier: forward and reverse barriers are two heights of one saddle, above two sites. With saddles
    above the lowest site of all, the threshold is what a carrier climbs that rests there, as all do at low temperature.

    Parameters
    ----------
    first, last, images : (k,), (k,), (k, 3)
        Jumps as of :class:`Jumps`.
    sites : int
        Number of sites.
    saddles : (k,)
        Energy of the saddle of each jump above the lowest site (eV).
    directions : mapping of str to (int, int, int), optional
        Lattice directions [uvw] by name.

    Returns
    -------
    dict[str, Threshold]
        By ``1-D``, ``2-D``, ``3-D`` and the names of directions; without those in which nothing goes on.
    """
    first, last, images = (np.asarray(values, dtype=int) for values in (first, last, images))
    energies = np.asarray(saddles, dtype=float)
    forest, spans = Forest(sites, images), [np.zeros((0, 3), dtype=int)] * sites
    found: dict[str, Threshold] = {}
    for jump in np.argsort(np.round(energies, ENERGY_DECIMALS), kind="stable").tolist():
        here, there = forest.part[[first[jump], last[jump]]].tolist()
        closed = images[jump] + forest.places[first[jump]] - forest.places[last[jump]]
        more = spans[there] if forest.join(first[jump], last[jump], images[jump]) else closed[None]
        span = np.vstack([spans[here], more])
        if (rank := _rank(span)) == len(spans[here]):
            span = spans[here]
        spans[min(here, there)] = span
        reached = [f"{dimensions}-D" for dimensions in range(1, rank + 1)]
        reached += [name for name, along in directions.items() if rank and _rank([*span, along]) == rank]
        found |= {name: Threshold(float(energies[jump]), jump) for name in reached if name not in found}
    return found


def as_graph(jumps: Jumps, barriers: ArrayLike | None = None, names: Mapping[int, str] | None = None) -> MultiDiGraph:
    """Give a network as a graph of networkx.

    Parameters
    ----------
    jumps : Jumps
        The network.
    barriers : (k,), optional
        Of each jump (eV), NaN where there is none.
    names : mapping of int to str, optional
        Names of the distinct hops by number.

    Returns
    -------
    networkx.MultiDiGraph
        Sites are numbers. Each jump is an edge with ``image`` (lattice translation), ``length`` (Å), ``hop`` and
        ``forward``, and with ``barrier`` (eV) where it has one.
    """
    from networkx import MultiDiGraph

    graph = MultiDiGraph()
    graph.add_nodes_from(range(jumps.sites))
    lengths = np.linalg.norm(jumps.vectors, axis=1)
    heights = np.full(len(lengths), np.nan) if barriers is None else np.asarray(barriers, dtype=float)
    for number, (here, there) in enumerate(zip(jumps.first.tolist(), jumps.last.tolist(), strict=True)):
        hop = int(jumps.hop[number])
        what: dict[str, Any] = {
            "image": tuple(jumps.images[number].tolist()),
            "length": float(lengths[number]),
            "hop": (names or {}).get(hop, hop),
            "forward": bool(jumps.forward[number]),
        }
        if np.isfinite(heights[number]):
            what["barrier"] = float(heights[number])
        graph.add_edge(here, there, **what)
    return graph


def _rank(translations: ArrayLike) -> int:
    rows = np.atleast_2d(np.asarray(translations, dtype=int))
    return int(np.linalg.matrix_rank(rows)) if rows.size else 0
