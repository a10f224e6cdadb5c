"""Edits of a slab that keep its atoms' order: species from the crystal, vacancies, small random displacements."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pymatgen.core import Structure

from barriers.structures.rounding import by_place, on_grid
from barriers.structures.surface.slab import frozen_atoms


def with_species(slab: Structure, crystal: Structure) -> Structure:
    """Carry the species decided on the crystal to the slab that was cut from it.

    Parameters
    ----------
    slab : Structure
        Slab of a :class:`~barriers.structures.surface.slab.Cut`; atoms after the crystal's (caps) keep their species.
    crystal : Structure
        The cut's crystal, atom for atom, after ordering or an exchange of sites.

    Returns
    -------
    Structure
        A copy of the slab; positions and site properties as before.

    Raises
    ------
    ValueError
        If the crystal has more atoms than the slab.
    """
    if len(crystal) > len(slab):
        raise ValueError(
            f"crystal: {len(crystal)} atoms for a slab of {len(slab)}; allowed: the crystal of the same cut, "
            "vacancies taken out afterwards with without()"
        )
    carried = slab.copy()
    for index, site in enumerate(crystal):
        carried.replace(index, site.species, properties=slab[index].properties)
    return carried


def without(structure: Structure, atoms: Iterable[int]) -> Structure:
    """Take atoms out, for example the Li of a delithiated slab, keeping the order of the others.

    Parameters
    ----------
    structure : Structure
        Slab or crystal.
    atoms : Iterable[int]
        Indices, in any order; the same for a slab and its crystal.

    Returns
    -------
    Structure
        A copy without them.

    Raises
    ------
    ValueError
        If there is no atom of such an index.
    """
    gone = sorted(set(atoms))
    if gone and not 0 <= gone[0] <= gone[-1] < len(structure):
        wrong = gone[0] if gone[0] < 0 else gone[-1]
        raise ValueError(f"atoms: no atom {wrong}; allowed: 0 to {len(structure) - 1}")
    left = structure.copy()
    left.remove_sites(gone)
    return left


def rattle(structure: Structure, amplitude: float, seed: int) -> Structure:
    """Displace the free atoms at random, so that a relaxation can leave the crystal's symmetry.

    A perfect crystal relaxes within its symmetry; its band then slides off a saddle that lies outside of it.

    Parameters
    ----------
    structure : Structure
        Any structure; atoms with ``selective_dynamics`` of three times False stay where they are.
    amplitude : float
        Standard deviation of each Cartesian component (Å), zero or more.
    seed : int
        Seed of the displacements.

    Returns
    -------
    Structure
        A copy. The displacement of an atom depends on the seed and the geometry, not on the atoms' order.

    Raises
    ------
    ValueError
        If the amplitude is negative.
    """
    if amplitude < 0:
        raise ValueError(f"amplitude: {amplitude} Å; allowed: 0 or more")
    moves = np.empty((len(structure), 3))
    moves[by_place(structure.cart_coords)] = np.random.default_rng(seed).normal(scale=amplitude, size=moves.shape)
    moves[frozen_atoms(structure)] = 0
    return on_grid(
        Structure(
            structure.lattice,
            structure.species_and_occu,
            structure.cart_coords + moves,
            coords_are_cartesian=True,
            site_properties=structure.site_properties,
        )
    )
