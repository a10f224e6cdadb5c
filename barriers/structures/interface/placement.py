"""Interfaces: a fragment above a slab or bonded to it. Slab atoms come first, in the slab's own order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, product

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.core import Structure
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import (
    CLASH,
    UP,
    Positions,
    bonding_sites,
    clearances,
    contact_radii,
    default_bond,
    distances_to,
    weights,
)
from barriers.structures.interface.choice import Score, chosen
from barriers.structures.interface.poses import Orientation, heading, poses, resting_height
from barriers.structures.interface.shapes import bonding_shapes, turns_above
from barriers.structures.interface.sites import bare_slab
from barriers.structures.polymer.fragment import Fragment
from barriers.structures.rounding import rounded
from barriers.structures.surface.slab import set_vacuum

REACH = 4.0
"""Slab atoms deeper than this below the topmost one are nearest to no fragment atom (Å)."""

BONDED_PAIR = ("C", "O")
"""The pair that bonds unless another is named: C of C=C on oxygen of the surface."""


def place_at_distance(
    slab: Structure,
    fragment: Fragment,
    over: ArrayLike,
    distance: float | None,
    vacuum: float,
    candidates: int,
    orientations: Sequence[Orientation] = ("flat",),
    turns: tuple[int, int] | None = None,
    score: Score | None = None,
) -> list[Structure]:
    """Hold a fragment above the slab, flat or upright.

    Candidate 0 is over the first point in the first orientation: flat with the chain along the longer surface vector
    and its thinnest direction along the normal. The next ones are over the other points and in the other orientations,
    then turned about the chain by even parts of a circle, up to four; beyond that, about the normal as well.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal and the site property ``layer``; it may bear fragments.
    fragment : Fragment
        The fragment.
    over : array_like, shape (3,) or (n, 3)
        Points (Å) over which the fragment's centre may come; their height does not matter.
    distance : float or None
        Height of the fragment's lowest atom above the topmost slab atom (Å). None lets it down until an atom pair
        comes as near as the sum of its contact radii (:func:`~barriers.structures.interface.poses.resting_height`).
    vacuum : float
        Empty height above the topmost atom of all (Å).
    candidates : int
        Number of placements.
    orientations : Sequence[Orientation]
        ``flat``, ``head down``, ``tail down``.
    turns : tuple[int, int] or None
        Number of turns about the chain and about the normal; None for as many as there are candidates.
    score : callable or None
        Gives a structure's score; the lowest come first.

    Returns
    -------
    list[Structure]
        As many interfaces as asked for, fewer where there are not so many different ones that clash with nothing.

    Raises
    ------
    ValueError
        If every placement clashes with the slab or comes within 2 Å of its own periodic image or another fragment.
    """
    held = _held(slab, fragment, np.atleast_2d(over), candidates, orientations, turns)
    return chosen(slab, fragment, _lowered(slab, fragment, held, distance, vacuum), vacuum, candidates, score)


def place_bonded(
    slab: Structure,
    fragment: Fragment,
    near: ArrayLike,
    bond_length: float | None,
    vacuum: float,
    candidates: int,
    pair: tuple[str, str] = BONDED_PAIR,
    score: Score | None = None,
) -> list[Structure]:
    """Bond an atom of a fragment to a surface atom, straight above it; unless named, a C=C carbon to oxygen.

    1. The exposed, undercoordinated atom of the topmost layer nearest to each point of ``near`` takes the bond.
    2. A C=C carbon becomes tetrahedral (:func:`~barriers.structures.interface.shapes.adducts`); an atom of another
       element bonds with its free side. Either is set above the surface atom.
    3. The fragment is turned about the normal and tilted; what clashes with the slab is left out.
    4. The clearest, mutually different placements are kept: those with the largest least distance between fragment
       and slab, in units of the contact radii.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal and the site property ``layer``; it may bear fragments.
    fragment : Fragment
        A fragment, with C=C if carbon is to bond.
    near : array_like, shape (3,) or (n, 3)
        Points (Å); their height does not matter.
    bond_length : float or None
        Length of the bond (Å); None for the sum of the covalent radii.
    vacuum : float
        Empty height above the topmost atom of all (Å).
    candidates : int
        Number of placements.
    pair : tuple[str, str]
        Elements that bond: the fragment's, the surface's.
    score : callable or None
        Gives a structure's score; of the clearest placements, the lowest come first.

    Returns
    -------
    list[Structure]
        As many interfaces as asked for, fewer where there are not so many different ones; the clearest first.

    Raises
    ------
    ValueError
        If the fragment or the surface has no such atom free to bond, every placement clashes, or every placement
        brings the fragment within 2 Å of its own periodic image or another fragment.
    """
    length = default_bond(pair) if bond_length is None else bond_length
    placed = _bonded(slab, fragment, np.atleast_2d(near), length, vacuum, pair)
    return chosen(slab, fragment, placed, vacuum, candidates, score)


def _tall(slab: Structure, fragment: Fragment, vacuum: float) -> tuple[Structure, Positions]:
    """Slab in a cell so tall that no pose reaches its next copy through the vacuum, and the way back to the slab."""
    tall = set_vacuum(slab, vacuum + 2 * fragment.molecule.distance_matrix.max())
    return tall, slab.cart_coords[0] - tall.cart_coords[0]


def _held(
    slab: Structure,
    fragment: Fragment,
    points: Positions,
    candidates: int,
    orientations: Sequence[Orientation],
    turns: tuple[int, int] | None,
) -> Iterator[tuple[Positions, Positions]]:
    """Points and poses, all points and orientations in one turn before the next."""
    around_chain = min(candidates, 4)
    number = turns or (around_chain, -(-candidates // around_chain))
    turned = [poses(slab, fragment, orientation, number) for orientation in orientations]
    for alike in islice(zip(*turned, strict=True), None if turns else candidates):
        yield from product(points, alike)


def _lowered(
    slab: Structure,
    fragment: Fragment,
    held: Iterator[tuple[Positions, Positions]],
    distance: float | None,
    vacuum: float,
) -> Iterator[Positions]:
    """Positions of the held fragment at its height, where it clashes with nothing."""
    bare = bare_slab(slab)
    top = bare.cart_coords[:, 2].max()
    tall, shift = _tall(slab, fragment, vacuum + (distance or 0.0))
    weight = 1 / np.add.outer(contact_radii(fragment.molecule), contact_radii(slab))
    for (x, y, _), pose in held:
        above = pose + np.array([x, y, 0.0])
        rise = top + distance - pose[:, 2].min() if distance is not None else resting_height(bare, fragment, above)
        placed = pose + np.array([x, y, rise])
        if (distances_to(tall, placed - shift) * weight).min() >= CLASH:
            yield placed


def _bonded(
    slab: Structure, fragment: Fragment, near: Positions, bond_length: float, vacuum: float, pair: tuple[str, str]
) -> Iterator[Positions]:
    """Positions of the bonded fragment that clash with no slab atom, the clearest first."""
    offered = bonding_shapes(fragment, pair[0])
    tall, shift = _tall(slab, fragment, vacuum)
    sites = bonding_sites(tall, near, bond_length, pair[1])
    upper = np.flatnonzero(tall.cart_coords[:, 2] > bare_slab(tall).cart_coords[:, 2].max() - REACH)
    surface = Structure.from_sites([tall[atom] for atom in upper])
    around = Rotation.from_euler("z", heading(slab, 0), degrees=True) * turns_above()
    combined = list(product(sites, offered.items()))
    clear = []
    for site, (atom, shapes) in combined:
        weight = weights(fragment.molecule, atom, surface, int(np.searchsorted(upper, site)))
        foot = tall.cart_coords[site] + bond_length * UP
        clear.append(clearances(shapes, around.as_matrix(), foot, surface, weight))
    values = np.concatenate([np.ravel(each) for each in clear])
    free = np.flatnonzero(values >= CLASH)
    if not len(free):
        raise ValueError(
            f"fragment {fragment.name} clashes with the slab in every placement; use fewer units or another pair"
        )
    starts = np.cumsum([0, *(each.size for each in clear)])
    for number in free[np.argsort(-rounded(values[free], 3), kind="stable")]:
        which = int(np.searchsorted(starts, number, side="right")) - 1
        site, (_, shapes) = combined[which]
        shape, turn = divmod(int(number - starts[which]), len(around))
        foot = tall.cart_coords[site] + bond_length * UP
        yield around[turn].apply(shapes[shape]) + foot + shift
