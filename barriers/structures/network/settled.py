"""An order of a crystal's sites that depends neither on how they are listed nor on where the origin lies."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.rounding import rounded

DIGITS = 4
"""Fractional coordinates are compared to so many digits."""


def in_any_frame(crystal: Structure) -> NDArray[np.intp]:
    """Order the sites of a crystal by what they hold and where they are, seen from one of them.

    Of all sites of the rarest kind the one counts from which the list of all others is the first in order.

    Parameters
    ----------
    crystal : Structure
        Crystal, with or without partial occupancies.

    Returns
    -------
    ndarray of int, shape (n,)
        Sites in order.
    """
    held = [site.species_string for site in crystal]
    counts = Counter(held)
    names = sorted(counts)
    kinds = np.array([names.index(name) for name in held])
    rarest = min(names, key=lambda name: (counts[name], name))
    orders = []
    for origin in np.flatnonzero(kinds == names.index(rarest)):
        places = rounded(crystal.frac_coords - crystal.frac_coords[origin], DIGITS) % 1.0
        order = np.lexsort((*places.T, kinds))
        orders.append((places[order].ravel().tolist(), order))
    return min(orders, key=lambda entry: entry[0])[1]
