"""Which atom is which: the order and the periodic images that make two structures comparable."""

from __future__ import annotations

import numpy as np
import scipy
from ase import Atoms
from ase.geometry import find_mic, get_distances
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ON_SITE = 1.0
"""An atom nearer than this (Å) to a site stands on it, relaxation included."""

FAR = 1.5
"""An atom that moves further than this (Å) has left its site."""

LONGEST_STEP = 4.5
"""Longest step (Å) of one atom in a concerted jump; anything longer is a mistaken order."""

LONGEST_CHAIN = 3
"""Most atoms in a concerted jump (interstitialcy, kick-out)."""

CLEAR = 1.25
"""The next best pairing has to cost this many times the best, in squared distance, or neither is believed."""

_OTHER_SPECIES = 1e6


def few(n_atoms: int) -> int:
    """Tell how many atoms may leave their sites in one jump."""
    return max(4, n_atoms // 10)


def unwrap(positions: np.ndarray, reference: Atoms) -> np.ndarray:
    """Move positions by lattice vectors to the images nearest to those of a reference.

    Where two images are equally near (a hop of half a cell), the given one stays.

    Parameters
    ----------
    positions : numpy.ndarray, shape (N, 3)
        Cartesian positions (Å).
    reference : Atoms
        N atoms with the cell.
    """
    given = positions - reference.positions
    nearest, lengths = find_mic(given, reference.cell, reference.pbc)
    keep = np.linalg.norm(given, axis=1) <= lengths + 1e-6
    return reference.positions + np.where(keep[:, None], given, nearest)


def pair_atoms(initial: Atoms, final: Atoms) -> tuple[np.ndarray, int | None]:
    """Find the index in the final structure of each atom of the initial one.

    The given order stays if it is sound; otherwise atoms of one element are paired by the least sum of
    squared minimum-image distances.

    Parameters
    ----------
    initial, final : Atoms
        The same atoms in the same cell.

    Returns
    -------
    numpy.ndarray, shape (N,)
        Index in the final structure of each initial atom.
    int or None
        An initial atom whose partner is ambiguous, if there is one.
    """
    squared = np.full((len(initial), len(initial)), _OTHER_SPECIES)
    for number in np.unique(initial.numbers):
        rows, columns = (np.flatnonzero(atoms.numbers == number) for atoms in (initial, final))
        distances = get_distances(initial.positions[rows], final.positions[columns], initial.cell, initial.pbc)[1]
        squared[np.ix_(rows, columns)] = distances**2
    order = scipy.optimize.linear_sum_assignment(squared)[1]
    if _given_order_is_sound(order, squared):
        return np.arange(len(initial)), None
    return order, _ambiguous(order, squared)


def _given_order_is_sound(order: np.ndarray, squared: np.ndarray) -> bool:
    """Tell whether the given order needs no mending, where ``order`` is the one with the least distances."""
    atoms = np.arange(len(order))
    given = squared.diagonal()
    if (given > FAR**2).sum() > few(len(order)):
        return False
    cycle_of = connected_components(coo_array((np.ones(len(order)), (atoms, order))), directed=False)[1]
    for cycle in np.unique(cycle_of[order != atoms]):
        members = np.flatnonzero(cycle_of == cycle)
        exchange = (squared[members, order[members]] < ON_SITE**2).all()
        if exchange or len(members) > LONGEST_CHAIN or (given[members] > LONGEST_STEP**2).any():
            return False
    return True


def _ambiguous(order: np.ndarray, squared: np.ndarray) -> int | None:
    atoms = np.arange(len(order))
    movers = np.flatnonzero(squared[atoms, order] > ON_SITE**2)
    for atom in movers[: few(len(order))]:
        without = squared.copy()
        without[atom, order[atom]] = _OTHER_SPECIES
        other = scipy.optimize.linear_sum_assignment(without)[1]
        rows = np.flatnonzero(other != order)
        if squared[rows, other[rows]].sum() < CLEAR * squared[rows, order[rows]].sum():
            return int(atom)
    return None
