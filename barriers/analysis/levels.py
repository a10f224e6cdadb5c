"""Energies of the sites of a network from the barriers between them, and what of the network is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barriers.analysis.diffusion import Floats, potentials
from barriers.analysis.network import Ints, Jumps

SAME_VECTOR = 0.1
"""Displacements of equivalent jumps agree to this (Å) in each component, even after a relaxation."""


FAR_FROM_WHOLE = 0.1
"""A lattice translation further from a whole number of cells is none: the network is taken as it stands."""


@dataclass(frozen=True)
class Levels:
    """Energies of sites and saddles that fit a set of barriers.

    Attributes
    ----------
    sites : (n,)
        Energy of each site (eV) above the lowest it can be compared with; NaN where no barrier leads to it.
    saddles : (k,)
        Energy of the saddle of each jump (eV); NaN where there is no barrier.
    misfit : float
        Largest difference of energy between two sites that the barriers give and that does not fit (eV).
    group : (n,)
        Sites of one number can be compared with each other.
    """

    sites: Floats
    saddles: Floats
    misfit: float
    group: Ints


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


def fit_levels(jumps: Jumps, barriers: ArrayLike, energies: ArrayLike | None = None) -> Levels:
    """Find the energies of sites and saddles that fit barriers both ways, by least squares.

    A saddle lies E_first + forward = E_last + reverse. Sites from which the network looks the same have one energy,
    connected or not, so a hop between two of them has one barrier. Around a cycle the differences forward − reverse
    add up to zero; what does not fit is spread over the cycle, and told.

    Parameters
    ----------
    jumps : Jumps
        The network.
    barriers : (m, 2)
        Forward and reverse barrier (eV) of each distinct hop; NaN where there is none.
    energies : (n,), optional
        Energies of sites (eV, from any zero) where they are known, else NaN. They are used only between sites that
        no chain of barriers connects.
    """
    heights = np.asarray(barriers, dtype=float)[jumps.hop]
    known = np.isfinite(heights).all(axis=1)
    way = np.where(jumps.forward | np.isin(jumps.hop, list(_both_ways(jumps))), 0, 1)
    kind = refine(jumps.sites, jumps.first, jumps.last, 2 * jumps.hop + way)
    up = np.where(jumps.forward, heights[:, 0], heights[:, 1])
    down = np.where(jumps.forward, heights[:, 1], heights[:, 0])

    used = np.flatnonzero(known & jumps.forward)
    ends = np.stack([kind[jumps.first], kind[jumps.last], jumps.hop], axis=1)[used]
    rows = used[np.unique(ends, axis=0, return_index=True)[1]]
    here, there = kind[jumps.first[rows]], kind[jumps.last[rows]]
    kinds = kind.max(initial=0) + 1
    matrix = np.zeros((len(rows), kinds))
    np.add.at(matrix, (np.arange(len(rows)), there), 1)
    np.add.at(matrix, (np.arange(len(rows)), here), -1)
    wanted = up[rows] - down[rows]
    level = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    misfit = float(np.abs(matrix @ level - wanted).max(initial=0.0))

    group = potentials(kinds, here, there, np.zeros((len(rows), 0)))[0][kind]
    sites = level[kind]
    reached = np.isin(np.arange(jumps.sites), jumps.first[known])
    group = _compare(sites, group, reached, energies)
    sites[~reached] = np.nan
    saddles = np.where(known, (sites[jumps.first] + up + sites[jumps.last] + down) / 2, np.nan)
    return Levels(sites, saddles, misfit, group)


def _both_ways(jumps: Jumps) -> Ints:
    """Hops between equivalent sites: some site starts both a forward and a reverse jump of theirs."""
    starts = np.stack([jumps.hop, jumps.first], axis=1)
    ways = [{tuple(row) for row in starts[kept].tolist()} for kept in (jumps.forward, ~jumps.forward)]
    return np.array(sorted({hop for hop, _ in ways[0] & ways[1]}), dtype=int)


def _compare(sites: Floats, group: Ints, reached: NDArray[np.bool_], energies: ArrayLike | None) -> Ints:
    """Set the lowest site of each group to zero, and make one group of those whose energies are known."""
    if energies is not None:
        given = np.asarray(energies, dtype=float)
        known = np.isfinite(given) & reached
        for number in np.unique(group[known]):
            sites[group == number] += (given - sites)[known & (group == number)].mean()
        group = np.where(np.isin(group, group[known]), group[known].min(initial=len(group)), group)
    for number in np.unique(group[reached]):
        sites[group == number] -= sites[reached & (group == number)].min()
    return group


def reduced(jumps: Jumps, labels: ArrayLike) -> tuple[Jumps, Ints, Ints, Ints]:
    """Reduce a network to sites that no translation makes the same, so that a supercell costs what its cell does.

    Sites are the same if equal jumps (label and vector) lead from both to sites that are the same. Parts of a network
    that are not connected but alike become one.

    Parameters
    ----------
    jumps : Jumps
        The network.
    labels : (k,)
        Numbers that tell jumps apart which are not the same: hops, with their way.

    Returns
    -------
    network : Jumps
        In a cell that is an integer fraction of the given one along each vector.
    sites, jumps : (n',), (k',)
        Which sites and jumps of the given network were kept.
    copies : (n',)
        Number of sites that each stands for.
    """
    kind = refine(jumps.sites, jumps.first, jumps.last, _numbered(np.asarray(labels, dtype=int), jumps.vectors))
    kept, copies = np.unique(kind, return_index=True, return_counts=True)[1:]
    same = jumps, np.arange(jumps.sites), np.arange(len(jumps.first)), np.ones(jumps.sites, dtype=int)
    if len(kept) == jumps.sites:
        return same
    of = np.flatnonzero(np.isin(jumps.first, kept))
    first, last = kind[jumps.first[of]], kind[jumps.last[of]]
    moves = np.linalg.solve(jumps.lattice.T, jumps.vectors[of].T).T
    places = potentials(len(kept), first, last, moves)[1]
    fine = int(np.lcm.reduce(copies))
    closed = fine * (moves + places[first] - places[last])
    images = np.rint(closed).astype(int)
    if np.abs(closed - images).max() > FAR_FROM_WHOLE:
        return same
    small = replace(jumps.only(of), sites=len(kept), first=first, last=last, images=images, lattice=jumps.lattice / fine)
    return small, kept, of, copies


def _numbered(labels: Ints, vectors: Floats) -> Ints:
    """Number the pairs of a label and a vector; vectors that differ by noise are one."""
    seen: list[tuple[int, Floats]] = []
    numbers = []
    for label, vector in zip(labels.tolist(), vectors, strict=True):
        same = (n for n, (one, other) in enumerate(seen) if one == label and np.abs(other - vector).max() < SAME_VECTOR)
        number = next(same, len(seen))
        if number == len(seen):
            seen.append((label, vector))
        numbers.append(number)
    return np.array(numbers, dtype=int)
