"""Layered oxide cathodes LiMO2 (R-3m) and the ordering of the metals on their sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.structures.data import load_data

METAL_SITE = "Ni"
"""The element that stands on every metal site until :func:`order_metals` has run."""


@dataclass(frozen=True)
class Cathode:
    """A layered oxide LiMO2, space group R-3m, hexagonal setting.

    Attributes
    ----------
    name : str
        For example ``NCM811``.
    metals : dict[str, float]
        Fraction of each element on the metal site; the fractions sum to one.
    a, c : float
        Hexagonal lattice parameters (Å).
    z : float
        Fractional height of oxygen on the 6c site, metal at the origin.
    """

    name: str
    metals: dict[str, float]
    a: float
    c: float
    z: float


@cache
def known_cathodes() -> dict[str, Cathode]:
    """Cathodes whose lattice parameters are on file, by name."""
    return {
        name: Cathode(name, entry["metals"], entry["a"], entry["c"], entry["z"])
        for name, entry in load_data("cathodes").items()
    }


def bulk(cathode: Cathode) -> Structure:
    """Build the conventional (hexagonal, three formula units) cell with one element on every metal site.

    Parameters
    ----------
    cathode : Cathode
        The layered oxide.

    Returns
    -------
    Structure
        12 atoms; metal sites hold :data:`METAL_SITE`.
    """
    return Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(cathode.a, cathode.c),
        [METAL_SITE, "Li", "O"],
        [[0, 0, 0], [0, 0, 0.5], [0, 0, cathode.z]],
    )


def metal_counts(fractions: Mapping[str, float], n_sites: int) -> dict[str, int]:
    """Share a number of sites among elements as near to their fractions as whole atoms allow.

    Parameters
    ----------
    fractions : Mapping[str, float]
        Fraction of each element; they sum to one.
    n_sites : int
        Number of metal sites.

    Returns
    -------
    dict[str, int]
        Atoms of each element (largest remainder; ties go to the element named first).
    """
    ideal = {element: fraction * n_sites for element, fraction in fractions.items()}
    counts = {element: int(np.floor(value + 1e-9)) for element, value in ideal.items()}
    by_remainder = sorted(ideal, key=lambda element: round(counts[element] - ideal[element], 9))
    for element in by_remainder[: n_sites - sum(counts.values())]:
        counts[element] += 1
    return counts


def order_metals(structure: Structure, fractions: Mapping[str, float], seed: int) -> Structure:
    """Decorate the metal sites with a seeded random ordering.

    The sites are visited in order of position (height first), so the result depends on the geometry and the
    seed alone, not on the order of the atoms.

    Parameters
    ----------
    structure : Structure
        Bulk or slab with :data:`METAL_SITE` on its metal sites.
    fractions : Mapping[str, float]
        Fraction of each element on the metal site.
    seed : int
        Seed of the ordering.

    Returns
    -------
    Structure
        A decorated copy; counts as :func:`metal_counts` gives them.
    """
    decorated = structure.copy()
    sites = np.array(structure.indices_from_symbol(METAL_SITE))
    x, y, z = np.round(structure.cart_coords[sites], 3).T
    sites = sites[np.lexsort((x, y, z))]
    counts = metal_counts(fractions, len(sites))
    elements = [element for element, count in counts.items() for _ in range(count)]
    for site, element in zip(sites, np.random.default_rng(seed).permutation(elements), strict=True):
        decorated.replace(int(site), str(element), properties=structure[int(site)].properties)
    return decorated
