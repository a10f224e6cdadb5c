"""Poses of a fragment that is held above a slab: flat or upright, turned, and at what height."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pymatgen.core import Structure
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import Positions, contact_radii, copies_within
from barriers.structures.polymer.fragment import Fragment
from barriers.structures.rounding import rounded

Orientation = Literal["flat", "head down", "tail down"]
"""How a chain lies: along the surface, or along the normal with its first or its last unit down."""


def heading(slab: Structure, vector: int) -> float:
    """Angle of a surface vector from x, about the normal (degrees)."""
    x, y, _ = slab.lattice.matrix[vector]
    return float(np.degrees(np.arctan2(y, x)))


def poses(slab: Structure, fragment: Fragment, orientation: Orientation, turns: tuple[int, int]) -> Iterator[Positions]:
    """Turn a fragment about its chain and about the normal, by even parts of a circle.

    The first pose has the chain along the longer surface vector and its thinnest direction along the normal, or the
    chain upright. An upright chain's two turns are one and the same, about which it takes as many steps as the two
    numbers' product.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal.
    fragment : Fragment
        The fragment.
    orientation : Orientation
        ``flat``, ``head down`` or ``tail down``.
    turns : tuple[int, int]
        Number of turns about the chain and about the normal.

    Yields
    ------
    ndarray, shape (n, 3)
        Positions (Å) about the centre of the fragment; turns about the chain first.
    """
    flat = _flat(fragment.molecule.cart_coords)
    longer = heading(slab, int(np.argmax(rounded(np.linalg.norm(slab.lattice.matrix[:2], axis=1), 3))))
    around_chain, around_normal = turns
    if orientation == "flat":
        for number in range(around_chain * around_normal):
            normal, chain = divmod(number, around_chain)
            angles = [360 * chain / around_chain, 360 * normal / around_normal + longer]
            yield Rotation.from_euler("xz", angles, degrees=True).apply(flat)
        return
    # The first atom belongs to the first unit; y turns carry +x down.
    down = 90 if (flat[0, 0] > 0) == (orientation == "head down") else -90
    for number in range(around_chain * around_normal):
        angle = 360 * number / (around_chain * around_normal) + longer
        yield Rotation.from_euler("yz", [down, angle], degrees=True).apply(flat)


def resting_height(slab: Structure, fragment: Fragment, pose: Positions) -> float:
    """Give the height at which a pose touches the slab.

    No atom pair is nearer than the sum of its contact radii (van der Waals; covalent for metals), one pair is just as
    near, and no atom is below the slab's topmost one.

    Parameters
    ----------
    slab : Structure
        Slab alone, c along the normal.
    fragment : Fragment
        The fragment.
    pose : ndarray, shape (n, 3)
        Positions (Å) above the place where they shall come.

    Returns
    -------
    float
        What is to be added to the pose's heights (Å).
    """
    ours, theirs = contact_radii(fragment.molecule), contact_radii(slab)
    top = slab.cart_coords[:, 2].max()
    centre = np.array([*pose[:, :2].mean(axis=0), top])
    touch = ours.max() + theirs.max()
    span = np.linalg.norm(pose[:, :2] - centre[:2], axis=1).max() + touch
    copies, atoms = copies_within(slab, centre, span)
    # Copies in the next cell along the normal are no part of this surface.
    below = copies[:, 2] < top + 1e-3
    copies, atoms = copies[below], atoms[below]
    apart = np.linalg.norm(pose[:, None, :2] - copies[:, :2], axis=-1)
    reach = np.add.outer(ours, theirs[atoms])
    rise = copies[:, 2] - pose[:, None, 2] + np.sqrt((reach**2 - apart**2).clip(0))
    return float(max(top - pose[:, 2].min(), rise[apart < reach].max(initial=-np.inf)))


def _flat(positions: Positions) -> Positions:
    """Centre a molecule with its longest principal axis along x and its shortest along z."""
    centred = positions - positions.mean(axis=0)
    axes = np.linalg.svd(centred)[2]
    # The decomposition leaves the signs open.
    axes *= np.sign(axes[range(3), rounded(np.abs(axes), 6).argmax(axis=1)])[:, None]
    axes[2] = np.cross(axes[0], axes[1])
    flat: Positions = centred @ axes.T
    return flat
