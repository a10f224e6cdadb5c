"""Whole atoms for fractions: the counts, what they achieve, and the smallest cell that would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

VACANCY = "□"
"""An empty site in counts and fractions."""


@dataclass(frozen=True)
class Achieved:
    """What a number of sites makes of the fractions asked for.

    Attributes
    ----------
    counts : dict[str, int]
        Sites of each element.
    asked, achieved : dict[str, float]
        Fraction of each element, as asked for and as counted.
    deviation : float
        Largest absolute difference between the two.
    """

    counts: dict[str, int]
    asked: dict[str, float]
    achieved: dict[str, float]
    deviation: float


def achieved(fractions: Mapping[str, float], n_sites: int) -> Achieved:
    """Share a number of sites among elements as near to their fractions as whole atoms allow.

    Parameters
    ----------
    fractions : Mapping[str, float]
        Fraction of each element; they sum to one.
    n_sites : int
        Number of sites.

    Returns
    -------
    Achieved
        Counts by largest remainder; ties go to the element named first.

    Raises
    ------
    ValueError
        If a fraction is negative, if they do not sum to one, or if there is no site.
    """
    if min(fractions.values(), default=-1) < 0 or abs(sum(fractions.values()) - 1) > 1e-6:
        raise ValueError(f"fractions {dict(fractions)}; allowed: none negative, sum one")
    if n_sites < 1:
        raise ValueError(f"{n_sites} sites cannot hold {_formula(fractions)}; allowed: one or more")
    ideal = {element: fraction * n_sites for element, fraction in fractions.items()}
    counts = {element: int(np.floor(value + 1e-9)) for element, value in ideal.items()}
    by_remainder = sorted(ideal, key=lambda element: round(counts[element] - ideal[element], 9))
    for element in by_remainder[: n_sites - sum(counts.values())]:
        counts[element] += 1
    shares = {element: count / n_sites for element, count in counts.items()}
    deviation = max(abs(shares[element] - fraction) for element, fraction in fractions.items())
    return Achieved(counts, dict(fractions), shares, deviation)


def smallest_sites(fractions: Mapping[str, float], n_sites: int, tolerance: float) -> int:
    """Find the smallest multiple of a number of sites that holds the fractions.

    Parameters
    ----------
    fractions : Mapping[str, float]
        Fraction of each element; they sum to one.
    n_sites : int
        Sites of the cell at hand.
    tolerance : float
        Largest deviation allowed.

    Returns
    -------
    int
        ``n_sites`` or a multiple of it.

    Raises
    ------
    ValueError
        If the tolerance is not positive.
    """
    if tolerance <= 0:
        raise ValueError(f"tolerance {tolerance:g}; allowed: above 0")
    # Largest remainder is off by less than one site, so the search ends.
    multiples = range(n_sites, n_sites * ceil(1 / (tolerance * n_sites)) + n_sites, n_sites)
    return next(sites for sites in multiples if achieved(fractions, sites).deviation <= tolerance + 1e-9)


def share_sites(fractions: Mapping[str, float], n_sites: int, tolerance: float, sites: str) -> dict[str, int]:
    """Count as :func:`achieved` does, and refuse what is too far from the fractions.

    Parameters
    ----------
    fractions : Mapping[str, float]
        Fraction of each element; they sum to one.
    n_sites : int
        Number of sites.
    tolerance : float
        Largest deviation allowed.
    sites : str
        What the sites are called in the error, e.g. ``metal sites``.

    Raises
    ------
    ValueError
        If the deviation is above the tolerance; the line names the smallest supercell that would do.
    """
    nearest = achieved(fractions, n_sites)
    enough = smallest_sites(fractions, n_sites, tolerance)
    if enough == n_sites:
        return nearest.counts
    raise ValueError(
        f"{n_sites} {sites} cannot hold {_formula(fractions)} within {tolerance:g}: nearest "
        f"{_formula(nearest.counts)} is off by {nearest.deviation:.3f}; {enough} sites would do "
        f"({enough // n_sites} repeats of this cell)"
    )


def _formula(amounts: Mapping[str, float]) -> str:
    return "".join(f"{element}{amount:.4g}" for element, amount in amounts.items() if amount)
