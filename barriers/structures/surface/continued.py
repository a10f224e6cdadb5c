"""A crystal that was ordered for one slab, continued to the atoms of another slab of the same facet."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.bonding import distances_to

SAME_PLACE = 0.01
"""Atoms nearer than this (Å) stand at one place: all slabs of a facet are cut from one lattice, on a grid of 1e-6 Å."""


def continued(crystal: Structure, ordered: Structure, gone: list[int]) -> tuple[Structure, list[int]]:
    """Give each atom of a crystal the species that stands at its place in one that is ordered already.

    The topmost atoms of both are laid on each other. So slabs of more layers are those of fewer with the ordered
    crystal continued below, slabs of fewer lack their lowest layers, and wider ones repeat them in the plane.

    Parameters
    ----------
    crystal : Structure
        Crystal of a :class:`~barriers.structures.surface.slab.Cut`, metals not yet ordered.
    ordered : Structure
        That of another cut of the same facet and termination, metals ordered.
    gone : list[int]
        Atoms of ``ordered`` that are taken out.

    Returns
    -------
    Structure
        ``crystal`` with the species of ``ordered``.
    list[int]
        Its atoms that are to be taken out.

    Raises
    ------
    ValueError
        If the two are not cut from one lattice.
    """
    rise = np.array([0, 0, height(ordered) - height(crystal)])
    apart = distances_to(ordered, crystal.cart_coords + rise)
    if apart.min(axis=1).max() > SAME_PLACE:
        raise ValueError("facet: the slab's atoms do not lie on those of the study's slab; allowed: the same facet")
    places = apart.argmin(axis=1).tolist()
    alike = crystal.copy()
    for atom, place in enumerate(places):
        alike.replace(atom, ordered[place].species, properties=crystal[atom].properties)
    return alike, [atom for atom, place in enumerate(places) if place in set(gone)]


def height(crystal: Structure) -> float:
    """Height of the topmost atom (Å)."""
    return float(crystal.cart_coords[:, 2].max())
