"""What is the same in a network: kinds of sites, and the smallest network that repeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from barriers.analysis.network import Jumps
from barriers.analysis.translations import Floats, Ints, potentials

SAME_VECTOR = 0.1
"""Displacements of equivalent jumps agree to this (Å) in each component, even after a relaxation."""

FAR_FROM_WHOLE = 0.1
"""A lattice translation further from a whole number of cells is none: the network is taken as it stands."""


def told_apart(jumps: Jumps) -> Ints:
    """Number the jumps by hop and way, (k,).

    A hop between equivalent sites has one way alone: some site starts both a forward and a reverse jump of it.
    """
    starts = np.stack([jumps.hop, jumps.first], axis=1)
    ways = [{tuple(row) for row in starts[kept].tolist()} for kept in (jumps.forward, ~jumps.forward)]
    equal = sorted({hop for hop, _ in ways[0] & ways[1]})
    return np.asarray(2 * jumps.hop + ~(jumps.forward | np.isin(jumps.hop, equal)))


def refine(sites: int, first: Ints, last: Ints, labels: Ints) -> Ints:
    """Number the sites so that two have one number where the network looks the same from both, (n,).

    Colours are refined by those of the neighbours until nothing changes: Weisfeiler and Leman, 1968.

    Parameters
    ----------
    sites : int
        Number n of sites.
    first, last : (k,)
        Jumps.
    labels : (k,)
        What jumps are told apart by.
    """
    colour = np.zeros(sites, dtype=int)
    jumps = [np.flatnonzero(first == site) for site in range(sites)]
    while True:
        seen = [
            (int(colour[site]), *sorted(zip(labels[out].tolist(), colour[last[out]].tolist(), strict=True)))
            for site, out in enumerate(jumps)
        ]
        known = {key: number for number, key in enumerate(sorted(set(seen)))}
        refined = np.array([known[key] for key in seen], dtype=int)
        if refined.max(initial=0) == colour.max(initial=0):
            return refined
        colour = refined


def reduced(jumps: Jumps) -> tuple[Jumps, Ints, Ints, Ints]:
    """Reduce a network to sites that no translation makes the same, so that a supercell costs what its cell does.

    Sites are the same if equal jumps (label and vector) lead from both to sites that are the same. Parts of a network
    that are not connected but alike become one.

    Parameters
    ----------
    jumps : Jumps
        The network.

    Returns
    -------
    network : Jumps
        In a cell that is an integer fraction of the given one along each vector.
    sites, jumps : (n',), (k',)
        Which sites and jumps of the given network were kept.
    copies : (n',)
        Number of sites that each stands for.
    """
    kind = refine(jumps.sites, jumps.first, jumps.last, _numbered(told_apart(jumps), jumps.vectors))
    same = jumps, np.arange(jumps.sites), np.arange(len(jumps.first)), np.ones(jumps.sites, dtype=int)
    names, kept, copies = np.unique(kind[np.unique(jumps.first)], return_index=True, return_counts=True)
    kept = np.unique(jumps.first)[kept]
    of = np.flatnonzero(np.isin(jumps.first, kept))
    first, last = (np.searchsorted(names, kind[ends[of]]) for ends in (jumps.first, jumps.last))
    moves = np.linalg.solve(jumps.lattice.T, jumps.vectors[of].T).T
    places = potentials(len(kept), first, last, moves)[1]
    fine = int(np.lcm.reduce(copies))
    closed = fine * (moves + places[first] - places[last])
    images = np.rint(closed).astype(int)
    if np.abs(closed - images).max() > FAR_FROM_WHOLE:
        return same
    small = replace(
        jumps.only(of), sites=len(kept), first=first, last=last, images=images, lattice=jumps.lattice / fine
    )
    return small, kept, of, copies


def _numbered(labels: Ints, vectors: Floats) -> Ints:
    """Number the pairs of a label and a vector; vectors that differ by noise are one."""
    numbers = np.full(len(labels), -1)
    while (left := np.flatnonzero(numbers < 0)).size:
        near = np.abs(vectors[left] - vectors[left[0]]).max(axis=1) < SAME_VECTOR
        numbers[left[near & (labels[left] == labels[left[0]])]] = left[0]
    return numbers
