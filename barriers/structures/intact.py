"""Whether a molecule or a crystal is still the one that it was: no bond formed or broken, no part gone."""

from __future__ import annotations

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.sparse.csgraph import connected_components

from barriers.structures.bonding import BOND

LEAST_CHANGE = 0.2
"""A bond is formed or broken if its length changes by more than this (Å): the sulfurs of LiFSI are 2.62 Å apart on
file, and the limit of a bond between them is 2.63 Å."""

MOST_SAID = 3
"""So many bonds are named before the rest is counted."""


def rearranged(before: Structure, after: Structure) -> str | None:
    """Say how the bonds of a structure have changed; None if they have not.

    A bond joins two atoms nearer than 1.25 times the sum of their covalent radii. Those between non-metals must be the
    same, but for what changes by less than :data:`LEAST_CHANGE`. A metal ion may change its neighbours, but not leave
    them all.

    Parameters
    ----------
    before, after : Structure
        The same atoms in the same order.
    """
    changes = []
    then, now = _bonded(before), _bonded(after)
    changed = np.outer(*[~_metals(before)] * 2) & (abs(after.distance_matrix - before.distance_matrix) > LEAST_CHANGE)
    for what, found in (("broken", then & ~now & changed), ("formed", now & ~then & changed)):
        pairs = np.argwhere(np.triu(found)).tolist()
        if pairs:
            named = [_named(after, first, second) for first, second in pairs[:MOST_SAID]]
            more = f" and {len(pairs) - MOST_SAID} more" if len(pairs) > MOST_SAID else ""
            changes.append(f"{what} {', '.join(named)}{more}")
    parts = [connected_components(bonded)[0] for bonded in (then, now)]
    if not changes and parts[1] > parts[0]:
        changes.append(f"{parts[1]} parts where there were {parts[0]}")
    return "; ".join(changes) or None


def _bonded(structure: Structure) -> NDArray[np.bool_]:
    """Which atoms share a bond, two metals aside; shape (N, N)."""
    radii = covalent_radii[[site.specie.Z for site in structure]]
    bonded: NDArray[np.bool_] = structure.distance_matrix < BOND * np.add.outer(radii, radii)
    np.fill_diagonal(bonded, False)
    return bonded & ~np.outer(*[_metals(structure)] * 2)


def _metals(structure: Structure) -> NDArray[np.bool_]:
    return np.array([site.specie.is_metal for site in structure])


def _named(structure: Structure, first: int, second: int) -> str:
    names = [f"{structure[atom].specie}{atom}" for atom in (first, second)]
    return f"{'–'.join(names)} ({structure.get_distance(first, second):.2f} Å)"
