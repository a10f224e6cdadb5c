"""Lithium in an ordered crystal: Li/Ni exchange (antisites) and delithiation."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from pymatgen.core import Structure

from barriers.structures.cathode.counts import VACANCY, share_sites
from barriers.structures.cathode.electrostatics import first_lowest, formal_charges, unit_matrix
from barriers.structures.cathode.ordering import SAMPLES, by_position, with_elements

RemovalMethod = Literal["random", "ewald"]

ANTISITE_TOLERANCE = 0.01
"""Largest difference between the fraction of exchanged Li sites asked for and achieved."""

CONTENT_TOLERANCE = 0.05
"""Largest difference between the lithium content asked for and achieved."""


def exchange_antisites(
    crystal: Structure, fraction: float, seed: int, tolerance: float = ANTISITE_TOLERANCE
) -> Structure:
    """Swap lithium with nickel: a fraction of the Li sites holds Ni, as many metal sites hold Li.

    Parameters
    ----------
    crystal : Structure
        Crystal with ordered metals.
    fraction : float
        Fraction of the Li sites to exchange, 0 to 1.
    seed : int
        Seed of the choice.
    tolerance : float
        Largest deviation from the fraction.

    Returns
    -------
    Structure
        Same atoms in the same order; only elements differ.

    Raises
    ------
    ValueError
        If the fraction is not between 0 and 1, cannot be held within the tolerance, or asks for more Ni than there is.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"antisites: {fraction:g}; allowed: 0 to 1")
    lithium, nickel = (by_position(crystal, crystal.indices_from_symbol(element)) for element in ("Li", "Ni"))
    number = share_sites({"Ni": fraction, "Li": 1 - fraction}, len(lithium), tolerance, "Li sites")["Ni"]
    if number > len(nickel) or (fraction and not len(nickel)):
        raise ValueError(f"antisites: {fraction:g} exchanges {number} Ni; allowed: at most the {len(nickel)} there are")
    rng = np.random.default_rng(seed)
    onto_nickel, onto_lithium = (rng.permutation(sites)[:number] for sites in (nickel, lithium))
    return with_elements(crystal, [*onto_nickel, *onto_lithium], ["Li"] * number + ["Ni"] * number)


def lithium_to_remove(
    crystal: Structure,
    content: float,
    seed: int,
    method: RemovalMethod = "random",
    samples: int = SAMPLES,
    tolerance: float = CONTENT_TOLERANCE,
) -> list[int]:
    """Choose the Li atoms whose removal leaves LixMO2.

    Parameters
    ----------
    crystal : Structure
        LiMO2 with ordered metals, antisites included.
    content : float
        x in LixMO2, 0 to 1.
    seed : int
        Seed of the choice.
    method : {"random", "ewald"}
        ``random``: any. ``ewald``: the choice with the lowest Ewald energy among the samples, the formal charges of
        the metals raised until the cell is neutral.
    samples : int
        Random choices among which ``ewald`` chooses.
    tolerance : float
        Largest deviation from the content.

    Returns
    -------
    list[int]
        Indices in ascending order.

    Raises
    ------
    ValueError
        If the content is not between 0 and 1 or cannot be held within the tolerance, or if ``ewald`` finds no charges
        that make the cell neutral.
    """
    if method not in get_args(RemovalMethod):
        raise ValueError(f"lithium: {method!r} is no method; allowed: {', '.join(get_args(RemovalMethod))}")
    if not 0 <= content <= 1:
        raise ValueError(f"lithium content: {content:g}; allowed: 0 to 1")
    lithium = by_position(crystal, crystal.indices_from_symbol("Li"))
    number = share_sites({"Li": content, VACANCY: 1 - content}, len(lithium), tolerance, "Li sites")[VACANCY]
    rng = np.random.default_rng(seed)
    if method == "random" or number in (0, len(lithium)):
        return sorted(rng.permutation(lithium)[:number].tolist())
    amounts = dict(crystal.composition.get_el_amt_dict()) | {"Li": len(lithium) - number}
    charges = formal_charges(amounts)
    kept = np.repeat([0.0, charges["Li"]], [number, len(lithium) - number])
    tried = rng.permuted(np.tile(kept, (samples, 1)), axis=1)
    fixed = np.array([charges[site.specie.symbol] for site in crystal])
    fixed[lithium] = 0
    best = first_lowest(unit_matrix(crystal), fixed, lithium, tried)
    return sorted(lithium[tried[best] == 0].tolist())
