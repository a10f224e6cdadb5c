"""Choice among placements: mutually different, clear of each other and of their images, best score first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import IMolecule, Lattice, Structure, SymmOp
from scipy.spatial.distance import cdist

from barriers.structures.bonding import Positions
from barriers.structures.interface.contacts import neighbour_distance
from barriers.structures.interface.sites import slab_operations
from barriers.structures.polymer.fragment import Fragment
from barriers.structures.rounding import GRID, round_off
from barriers.structures.surface.slab import FRAGMENT, LARGER, LAYER, set_vacuum

Score = Callable[[Structure], float]
"""Gives an interface's score, such as its energy in eV; lower is better."""

IMAGE_GAP = 2.0
"""Least distance between a fragment and its periodic images or other fragments (Å)."""

DISTINCT = 1.0
"""Candidates whose atoms lie nearer than this to each other (root mean square, Å) are the same."""

SAME = 0.1
"""Candidates that a symmetry operation of the slab brings nearer than this to each other are the same (Å)."""

SHORTLIST = 8
"""Placements scored for each one wanted."""


def chosen(
    slab: Structure,
    fragment: Fragment,
    poses: Iterable[Positions],
    vacuum: float,
    candidates: int,
    score: Score | None,
) -> list[Structure]:
    """Join slab and fragment, for the first different poses that stay clear of images and other fragments.

    Parameters
    ----------
    slab : Structure
        Slab, which may bear fragments.
    fragment : Fragment
        The fragment.
    poses : Iterable[ndarray], each of shape (n, 3)
        Positions (Å) that clash with no slab atom, the best first.
    vacuum : float
        Empty height above the topmost atom of all (Å).
    candidates : int
        Number of interfaces wanted.
    score : callable or None
        Sorts the first eight times as many, lowest first.

    Raises
    ------
    ValueError
        If there is no pose, or each comes within 2 Å of an image or another fragment.
    """
    others = slab.cart_coords[np.array(slab.site_properties[LAYER]) == FRAGMENT]
    wanted = candidates if score is None else SHORTLIST * candidates
    met = _Met(slab, fragment.molecule)
    kept: list[Positions] = []
    nearest: float | None = None
    for pose in poses:
        if met.has(pose):
            continue
        apart = neighbour_distance(slab.lattice, pose, others)
        nearest = max(nearest or 0.0, apart)
        if apart >= IMAGE_GAP:
            kept.append(pose)
            met.add(pose)
        if len(kept) == wanted:
            break
    if not kept:
        raise ValueError(f"fragment {fragment.name} {_refusal(nearest, len(others) > 0, slab.lattice)}")
    found = [join(slab, fragment.molecule, pose, vacuum) for pose in kept]
    return (
        found if score is None else sorted(found, key=lambda interface: round_off(score(interface), GRID))[:candidates]
    )


def _refusal(nearest: float | None, others: bool, lattice: Lattice) -> str:
    """Say why no placement is left."""
    if nearest is None:
        return "clashes with the slab in every placement; use a larger distance"
    what, remedy = (" or another fragment", " or fewer fragments") if others else ("", "")
    a, b = lengths_for(IMAGE_GAP - nearest, lattice)
    return (
        f"comes within {nearest:.2f} Å of its own periodic image{what}; "
        f"at least {IMAGE_GAP} Å needs {LARGER}{remedy}, e.g. {a} × {b} Å"
    )


def lengths_for(more: float, lattice: Lattice) -> tuple[int, int]:
    """Lengths of both surface vectors, in whole Å, that bring a fragment this much (Å) further from itself."""
    a, b = (ceil(length + more) for length in lattice.abc[:2])
    return a, b


def join(slab: Structure, molecule: IMolecule, pose: Positions, vacuum: float) -> Structure:
    """Append a fragment's atoms to a slab, free to move, and set the vacuum above the topmost atom of all."""
    interface = slab.copy()
    for site, position in zip(molecule, pose, strict=True):
        interface.append(
            site.specie,
            position,
            coords_are_cartesian=True,
            properties={LAYER: FRAGMENT, "selective_dynamics": [True] * 3},
        )
    return set_vacuum(interface, vacuum)


class _Met:
    """Poses met so far, in all places to which the slab's symmetry carries them."""

    def __init__(self, slab: Structure, molecule: IMolecule) -> None:
        self._slab = slab
        self._numbers = np.array([site.specie.Z for site in molecule])
        self._poses: list[Positions] = []
        self._operations: list[SymmOp] | None = None

    def add(self, pose: Positions) -> None:
        self._poses.append(pose)

    def has(self, pose: Positions) -> bool:
        """Tell whether a pose, or one that symmetry makes of it, has been met; atoms of one element are alike."""
        if not self._poses:
            return False
        met = np.stack(self._poses)
        if (np.sqrt(((pose - met) ** 2).sum(axis=-1).mean(axis=-1)) < DISTINCT).any():
            return True
        if self._operations is None:
            self._operations = slab_operations(self._slab)[0]
        images = np.array([operation.operate_multi(pose) for operation in self._operations])
        return _coincide(images, met, self._slab.lattice, self._numbers)


def _coincide(images: Positions, met: Positions, lattice: Lattice, numbers: NDArray[np.intp]) -> bool:
    """Tell whether any image lies on any pose met, but for lattice vectors."""
    apart = images.mean(axis=1)[:, None] - met.mean(axis=1)
    shifts = np.rint(lattice.get_fractional_coords(apart)) * [1, 1, 0]
    back = apart - lattice.get_cartesian_coords(shifts)
    for image, other in np.argwhere(np.linalg.norm(back, axis=-1) < SAME):
        moved = images[image] - lattice.get_cartesian_coords(shifts[image, other])
        distances = cdist(moved, met[other])
        # So near to each other, the atom nearest to each one is its partner.
        distances[numbers[:, None] != numbers] = np.inf
        if np.sqrt((distances.min(axis=1) ** 2).mean()) < SAME:
            return True
    return False
