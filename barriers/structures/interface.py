"""Interfaces: a fragment above a slab or bonded to it. Slab atoms come first, in the slab's own order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from pymatgen.core import Structure
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import CLASH, UP, Positions, bonding_site, clearances, distances_to, weights
from barriers.structures.polymer import Fragment
from barriers.structures.shapes import adducts, turns
from barriers.structures.surface import FRAGMENT, LAYER, set_vacuum

IMAGE_GAP = 2.0
"""Least distance between a fragment and its periodic images (Å)."""

DISTINCT = 1.0
"""Candidates whose atoms lie nearer than this to each other (root mean square, Å) are the same."""

REACH = 4.0
"""Slab atoms deeper than this below the topmost one are nearest to no fragment atom (Å)."""


def place_at_distance(
    slab: Structure,
    fragment: Fragment,
    over: Sequence[float],
    distance: float,
    vacuum: float,
    candidates: int,
) -> list[Structure]:
    """Hold a fragment flat above the slab.

    Candidate 0 has the chain along the longer surface vector and its thinnest direction along the normal. The next
    ones are turned about the chain by even parts of a circle, up to four; beyond that, about the normal as well.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal.
    fragment : Fragment
        The fragment.
    over : Sequence[float]
        Point (Å) over which the fragment's centre comes; its height does not matter.
    distance : float
        Height of the fragment's lowest atom above the topmost slab atom (Å).
    vacuum : float
        Empty height above the topmost atom of all (Å).
    candidates : int
        Number of placements.

    Returns
    -------
    list[Structure]
        As many interfaces as asked for, fewer where a turned one meets its own periodic image.

    Raises
    ------
    ValueError
        If every placement brings the fragment within 2 Å of its own periodic image.
    """
    flat = _flat(fragment.molecule.cart_coords)
    top = slab.cart_coords[:, 2].max()
    turned = [turn.apply(flat) for turn in _flat_turns(slab, candidates)]
    poses = [pose + np.array([over[0], over[1], top + distance - pose[:, 2].min()]) for pose in turned]
    return _interfaces(slab, fragment, poses, vacuum, candidates)


def place_bonded(
    slab: Structure,
    fragment: Fragment,
    near: Sequence[float],
    bond_length: float,
    vacuum: float,
    candidates: int,
) -> list[Structure]:
    """Bond a C=C carbon of a fragment to a surface oxygen, straight above it.

    1. The exposed, undercoordinated oxygen of the topmost layer nearest to ``near`` takes the bond.
    2. Either carbon becomes tetrahedral (:func:`~barriers.structures.bonding.adducts`) and is set above the oxygen.
    3. The fragment is turned about the normal and tilted; what clashes with the slab is left out.
    4. The clearest, mutually different placements are kept: those with the largest least distance between fragment
       and slab, in units of the contact radii.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal and the site property ``layer``.
    fragment : Fragment
        A fragment with C=C.
    near : Sequence[float]
        Point (Å); its height does not matter.
    bond_length : float
        C–O distance (Å).
    vacuum : float
        Empty height above the topmost atom of all (Å).
    candidates : int
        Number of placements.

    Returns
    -------
    list[Structure]
        As many interfaces as asked for, fewer where there are not so many different ones; the clearest first.

    Raises
    ------
    ValueError
        If the fragment has no C=C, no oxygen is free to bond, every placement clashes, or every placement brings the
        fragment within 2 Å of its own periodic image.
    """
    if not fragment.bonding_atoms:
        raise ValueError(f"fragment {fragment.name} has no C=C to bond with; allowed: one after an elimination")
    poses = _ranked_poses(slab, fragment, near, bond_length, vacuum)
    if not poses:
        raise ValueError(f"fragment {fragment.name} clashes with the slab in every placement; use fewer units")
    return _interfaces(slab, fragment, poses, vacuum, candidates)


def fragment_gap(interface: Structure, n_slab: int) -> float:
    """Least minimum-image distance between fragment and slab atoms (Å)."""
    return float(distances_to(interface, interface.cart_coords[n_slab:])[:, :n_slab].min())


def image_distance(interface: Structure, n_slab: int) -> float:
    """Least distance between a fragment and its periodic images (Å); the fragment's atoms lie together in one piece."""
    fragment = Structure(interface.lattice, interface.species[n_slab:], interface.frac_coords[n_slab:])
    reach = min(interface.lattice.abc) + 0.1
    *_, offsets, distances = fragment.get_neighbor_list(reach)
    return float(distances[offsets.any(axis=1)].min())


def _flat(positions: Positions) -> Positions:
    """Centre a molecule with its longest principal axis along x and its shortest along z."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    # The decomposition leaves the signs open.
    axes *= np.sign(axes[range(3), np.abs(axes).argmax(axis=1)])[:, None]
    axes[2] = np.cross(axes[0], axes[1])
    flat: Positions = centred @ axes.T
    return flat


def _flat_turns(slab: Structure, candidates: int) -> list[Rotation]:
    """Turns from x along the chain to the longer surface vector, about the chain first and then about the normal."""
    around_chain = min(candidates, 4)
    around_normal = -(-candidates // around_chain)
    longer = max(slab.lattice.matrix[:2], key=np.linalg.norm)
    heading = np.degrees(np.arctan2(longer[1], longer[0]))
    places = (divmod(number, around_chain) for number in range(candidates))
    return [
        Rotation.from_euler("xz", [360 * chain / around_chain, 360 * normal / around_normal + heading], degrees=True)
        for normal, chain in places
    ]


def _ranked_poses(
    slab: Structure, fragment: Fragment, near: Sequence[float], bond_length: float, vacuum: float
) -> list[Positions]:
    """Positions of the bonded fragment that clash with no slab atom, the clearest first."""
    # Tall enough that no pose reaches the slab's next copy through the vacuum.
    tall = set_vacuum(slab, vacuum + 2 * fragment.molecule.distance_matrix.max())
    oxygen = bonding_site(tall, near, bond_length)
    foot, height = tall.cart_coords[oxygen] + bond_length * UP, tall.cart_coords[:, 2]
    upper = np.flatnonzero(height > height.max() - REACH)
    surface = Structure.from_sites([tall[atom] for atom in upper])
    shift = slab.cart_coords[oxygen] - tall.cart_coords[oxygen]
    around = turns()
    ranked = []
    for carbon in fragment.bonding_atoms:
        weight = weights(fragment.molecule, carbon, surface, int(np.searchsorted(upper, oxygen)))
        shapes = adducts(fragment.molecule, carbon)
        clear = clearances(shapes, around.as_matrix(), foot, surface, weight)
        ranked += [(round(clear[n, k], 3), shapes[n], around[int(k)]) for n, k in np.argwhere(clear >= CLASH)]
    ranked.sort(key=lambda entry: -entry[0])
    return [turn.apply(shape) + foot + shift for _, shape, turn in ranked]


def _interfaces(
    slab: Structure, fragment: Fragment, poses: Iterable[Positions], vacuum: float, candidates: int
) -> list[Structure]:
    """Join slab and fragment, for the first different poses that stay clear of their periodic images."""
    kept: list[tuple[Positions, Structure]] = []
    nearest = 0.0
    for pose in poses:
        if any(np.sqrt(((pose - other) ** 2).sum(axis=1).mean()) < DISTINCT for other, _ in kept):
            continue
        interface = _join(slab, fragment, pose, vacuum)
        apart = image_distance(interface, len(slab))
        nearest = max(nearest, apart)
        if apart >= IMAGE_GAP:
            kept.append((pose, interface))
        if len(kept) == candidates:
            break
    if not kept:
        raise ValueError(
            f"fragment {fragment.name} comes within {nearest:.2f} Å of its own periodic image; "
            f"at least {IMAGE_GAP} Å needs larger min_lengths"
        )
    return [interface for _, interface in kept]


def _join(slab: Structure, fragment: Fragment, pose: Positions, vacuum: float) -> Structure:
    interface = slab.copy()
    for site, position in zip(fragment.molecule, pose, strict=True):
        interface.append(
            site.specie,
            position,
            coords_are_cartesian=True,
            properties={LAYER: FRAGMENT, "selective_dynamics": [True] * 3},
        )
    return set_vacuum(interface, vacuum)
