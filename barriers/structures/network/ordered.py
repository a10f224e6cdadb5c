"""One ordering of a crystal whose sites are occupied in part, for what needs whole atoms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.cathode.counts import VACANCY, achieved
from barriers.structures.cathode.electrostatics import TIE, unit_matrix
from barriers.structures.hop.ions import anions, formal_charge
from barriers.structures.network.settled import in_any_frame
from barriers.structures.network.sites import find_sites, merge_sites, most_frequent
from barriers.structures.rounding import round_off

STARTS = 20
"""Random orderings from which the Ewald energy is lowered."""

DECIMALS = 6
"""Sites whose occupancies agree to so many decimals are filled together."""

FULL = 0.01
"""A site that lacks no more than this is full."""

Shares = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Ordering:
    """An ordered crystal, and how it was chosen.

    Attributes
    ----------
    structure : Structure
        Whole atoms on the sites of the disordered crystal.
    choice : str
        What the sites hold, and by what it was chosen, in one line.
    sites : tuple[int, ...]
        For each atom the site that it stands on, a number in the crystal with its split sites merged.
    """

    structure: Structure
    choice: str
    sites: tuple[int, ...]


def order_sites(crystal: Structure, ion: str = "Li", seed: int = 0) -> Ordering:
    """Put whole atoms on the sites of a crystal with partial occupancies.

    The counts are those nearest to the occupancies, for all sites with the same occupancies together. From
    :data:`STARTS` random orderings atoms that share sites are exchanged, each time the pair that lowers the Ewald
    energy of formal charges most, until none does; the lowest counts. Positions stay those of the crystal. Neither the
    order of the sites nor the origin of the cell matters.

    Parameters
    ----------
    crystal : Structure
        Crystal, with or without partial occupancies. The larger the cell, the nearer the counts come.
    ion : str
        Element that moves: sites of it that are split in two are one (:func:`~.sites.merge_sites`).
    seed : int
        Seed of the random orderings.

    Returns
    -------
    Ordering
        The crystal as it is where no site is occupied in part.
    """
    if crystal.is_ordered:
        return Ordering(crystal, "ordered as given", tuple(range(len(crystal))))
    whole = merge_sites(crystal, ion)
    groups = _groups(whole)
    symbols = sorted({symbol for shares in groups for symbol, _ in shares} | {most_frequent(site) for site in whole})
    number = {symbol: position for position, symbol in enumerate(symbols)}
    likely = find_sites(crystal, ion)
    negative = {site.specie.symbol for site, found in zip(likely, anions(likely), strict=True) if found}
    charges = np.array([0 if symbol == VACANCY else formal_charge(symbol, symbol in negative) for symbol in symbols])
    counts = {shares: achieved(dict(shares), len(sites)).counts for shares, sites in groups.items()}
    matrix, random = unit_matrix(whole), np.random.default_rng(seed)
    best, lowest = np.empty(0, int), np.inf
    for _ in range(STARTS):
        held = np.array([number[most_frequent(site)] for site in whole])
        for shares, sites in groups.items():
            held[sites] = random.permutation([number[symbol] for symbol, n in counts[shares].items() for _ in range(n)])
        held, energy = _lowered(matrix, held, list(groups.values()), charges)
        if energy < lowest - TIE:
            best, lowest = held, energy
    kept = np.flatnonzero(best != number.get(VACANCY, -1))
    words = ", ".join(" ".join(f"{symbol} {n}" for symbol, n in counts[shares].items()) for shares in groups)
    return Ordering(
        Structure(whole.lattice, [symbols[held] for held in best[kept]], whole.frac_coords[kept]),
        f"{words.replace(VACANCY, 'empty')}; lowest Ewald energy of {STARTS} orderings, seed {seed}",
        tuple(kept.tolist()),
    )


def _groups(crystal: Structure) -> dict[Shares, np.ndarray]:
    """Sites that are occupied in part, by what they hold, each in an order of their own."""
    groups: dict[Shares, list[int]] = defaultdict(list)
    for site in in_any_frame(crystal).tolist():
        amounts = crystal[site].species.get_el_amt_dict()
        empty = 1 - sum(amounts.values())
        if empty > FULL:
            amounts[VACANCY] = empty
        shares = {symbol: round_off(amount / sum(amounts.values()), DECIMALS) for symbol, amount in amounts.items()}
        if len(shares) > 1:
            groups[tuple(sorted(shares.items()))].append(site)
    return {shares: np.array(groups[shares]) for shares in sorted(groups)}


def _lowered(
    matrix: np.ndarray, held: np.ndarray, groups: list[np.ndarray], charges: np.ndarray
) -> tuple[np.ndarray, float]:
    """Exchange what two sites of one group hold, the best exchange first, until none lowers the energy (eV)."""
    pairs = np.concatenate([np.array(list(combinations(sites, 2)), int).reshape(-1, 2) for sites in groups])
    one, other = pairs.T
    stiffness = matrix[one, one] + matrix[other, other] - 2 * matrix[one, other]
    while True:
        charge = charges[held]
        potential = matrix @ charge
        step = charge[other] - charge[one]
        change = 2 * step * (potential[one] - potential[other]) + step**2 * stiffness
        if change.min(initial=0.0) > -TIE:
            return held, float(charge @ potential)
        best = np.flatnonzero(change <= change.min() + TIE)[0]
        held[pairs[best]] = held[pairs[best][::-1]]
