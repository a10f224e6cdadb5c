"""Ordering of the metals on the metal sites: random, special quasi-random, or lowest in Ewald energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from pymatgen.core import Structure

from barriers.distribution import install
from barriers.structures.cathode.counts import share_sites
from barriers.structures.cathode.crystal import METAL_SITE
from barriers.structures.cathode.electrostatics import first_lowest, formal_charges, unit_matrix
from barriers.structures.rounding import by_place, rounded

Method = Literal["random", "sqs", "ewald"]

SAMPLES = 10_000
"""Orderings tried by ``sqs`` and ``ewald``."""

SHELLS = 5
"""Shells of metal neighbours whose pairs ``sqs`` compares with a random alloy."""

METAL_TOLERANCE = 0.05
"""Largest difference between the fraction of a metal asked for and achieved."""


def order_metals(
    crystal: Structure,
    fractions: Mapping[str, float],
    seed: int,
    method: Method = "random",
    samples: int = SAMPLES,
    tolerance: float = METAL_TOLERANCE,
) -> Structure:
    """Decorate the metal sites with a seeded ordering.

    The sites are visited in order of position, so the result depends on the geometry and the seed alone, not on the
    order of the atoms.

    Parameters
    ----------
    crystal : Structure
        Periodic crystal with :data:`METAL_SITE` on its metal sites. ``random`` takes a slab too.
    fractions : Mapping[str, float]
        Fraction of each element on the metal site.
    seed : int
        Seed of the ordering.
    method : {"random", "sqs", "ewald"}
        ``random``: one random ordering. ``sqs``: special quasi-random, the one of the samples whose pairs come nearest
        to those of an infinite random alloy (Zunger et al., Phys. Rev. Lett. 65, 353 (1990)). ``ewald``: the one of
        the samples with the lowest Ewald energy of formal charges.
    samples : int
        Random orderings among which ``sqs`` and ``ewald`` choose.
    tolerance : float
        Largest deviation from the fractions.

    Returns
    -------
    Structure
        A decorated copy, counts as :func:`~barriers.structures.cathode.counts.achieved` gives them.

    Raises
    ------
    ValueError
        If the sites cannot hold the fractions within the tolerance, or if the method is none of these or not installed.
    """
    if method not in get_args(Method):
        raise ValueError(f"ordering: {method!r} is no method; allowed: {', '.join(get_args(Method))}")
    if samples < 1:
        raise ValueError(f"samples: {samples}; allowed: 1 or more")
    sites = np.array(crystal.indices_from_symbol(METAL_SITE), dtype=int)
    counts = share_sites(fractions, len(sites), tolerance, "metal sites")
    elements = [element for element, count in counts.items() for _ in range(count)]
    if method == "random" or len(set(elements)) == 1:
        order = by_position(crystal, sites)
        chosen = np.random.default_rng(seed).permutation(elements).tolist()
    else:
        seen = from_first(crystal, sites)
        order = by_position(seen, sites)
        choose = _quasi_random if method == "sqs" else _lowest_ewald
        chosen = choose(seen, order, elements, seed, samples)
    return with_elements(crystal, order, chosen)


def by_position(structure: Structure, sites: Sequence[int] | np.ndarray) -> np.ndarray:
    """Sort sites by height, then y, then x (each to 0.001 Å)."""
    sites = np.asarray(sites, dtype=int)
    return sites[by_place(structure.cart_coords[sites])]


def from_first(crystal: Structure, sites: np.ndarray) -> Structure:
    """See the crystal from its first site: that one at the origin, the others wrapped into the cell.

    All metal sites of LiMO2 are translations of each other, so a shifted or wrapped crystal gives the same
    ordering, but for such a translation.
    """
    first = crystal.frac_coords[by_position(crystal, sites)[0]]
    # Snapped so that neither wrapping nor sorting hangs on the last bit.
    wrapped = rounded(crystal.frac_coords - first, 9) % 1
    return Structure(crystal.lattice, crystal.species, wrapped)


def with_elements(structure: Structure, sites: Sequence[int] | np.ndarray, elements: Sequence[str]) -> Structure:
    """Copy a structure with other elements on some sites, their properties kept."""
    copy = structure.copy()
    for site, element in zip(sites, elements, strict=True):
        copy.replace(int(site), element, properties=structure[int(site)].properties)
    return copy


def _quasi_random(seen: Structure, order: np.ndarray, elements: list[str], seed: int, samples: int) -> list[str]:
    """Special quasi-random ordering by sqsgenerator, each shell weighted with the inverse of its number."""
    try:
        from sqsgenerator import optimize, parse_config
    except ImportError:
        raise ValueError(f"ordering: 'sqs' needs sqsgenerator; {install('sqs')}") from None
    distances = np.unique(rounded(seen.distance_matrix[np.ix_(order, order)], 2))[: SHELLS + 2]
    config = {
        "structure": {
            "lattice": seen.lattice.matrix.tolist(),
            "coords": seen.frac_coords[order].tolist(),
            "species": [METAL_SITE] * len(order),
        },
        "composition": [{"sites": METAL_SITE} | {element: elements.count(element) for element in elements}],
        # Borders half way between the distances: the library's own search takes 4.97 and 5.02 Å for one shell.
        "shell_radii": [0.0, *((distances[1:-1] + distances[2:]) / 2).tolist(), float(distances[-1]) + 0.1],
        "iterations": samples,
        "iteration_mode": "random",
        "max_results_per_objective": samples,
        "seed": seed,
        "thread_config": 1,
    }
    found = optimize(parse_config(config))
    _, equally_good = found[0]
    # Which of them comes first differs from run to run.
    return min(list(result.structure().symbols) for result in equally_good)


def _lowest_ewald(seen: Structure, order: np.ndarray, elements: list[str], seed: int, samples: int) -> list[str]:
    """Lowest in Ewald energy of seeded random orderings."""
    rest = np.array([site.specie.symbol for site in seen])
    rest[order] = elements
    symbols, numbers = np.unique(rest, return_counts=True)
    charges = formal_charges(dict(zip(symbols.tolist(), numbers.tolist(), strict=True)))
    tried = np.random.default_rng(seed).permuted(np.tile(np.arange(len(order)), (samples, 1)), axis=1)
    on_metals = np.array([charges[element] for element in elements])
    fixed = np.array([charges[symbol] for symbol in rest])
    fixed[order] = 0
    best = first_lowest(unit_matrix(seen), fixed, order, on_metals[tried])
    return [elements[number] for number in tried[best]]
