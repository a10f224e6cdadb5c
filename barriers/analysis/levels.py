"""Energies of the sites of a network, from the barriers between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from barriers.analysis.network import Jumps
from barriers.analysis.reduction import refine, told_apart
from barriers.analysis.translations import Floats, Ints, potentials


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
    kind = refine(jumps.sites, jumps.first, jumps.last, told_apart(jumps))
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
