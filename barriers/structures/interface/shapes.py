"""Shapes and turns of a fragment that bonds: how it stands above the surface atom that it bonds to.

A planar carbon laid on an oxygen drives the rest of the chain into the surface. The carbon that takes up the bond
becomes tetrahedral, and the chain turns about the bonds that meet there. Any other atom bonds with its free side.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import IMolecule
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import CLASH, UP, Positions, bonds, contact_radii
from barriers.structures.polymer.fragment import Fragment

TURN = 40.0
"""Step of the turns about the bonds of the bonding atom (degrees)."""

AZIMUTH = 30.0
"""Step of the turns of a bonded fragment about the normal (degrees)."""

TILT = 20.0
"""Tilt of a bonded fragment about its bonding atom, upright and towards six sides (degrees)."""

BENDS = (30.0, 60.0)
"""Bends at a bonding atom with a free side: angles of 180°, 150° and 120° where it has one neighbour (degrees)."""

FREE_SIDE = 0.5
"""Atoms whose unit vectors to their neighbours add up to less than this have neighbours on all sides."""


def bonding_shapes(fragment: Fragment, element: str) -> dict[int, Positions]:
    """Give the shapes in which each atom of an element can stand on a surface atom, by the atom's index.

    Raises
    ------
    ValueError
        If the fragment has no such atom, or none with a free side; for carbon, no C=C, or no shape without a clash.
    """
    molecule = fragment.molecule
    if element == "C":
        if not fragment.bonding_atoms:
            raise ValueError(f"fragment {fragment.name} has no C=C to bond with; allowed: one after an elimination")
        shapes = {carbon: adducts(molecule, carbon) for carbon in fragment.bonding_atoms}
        if not any(map(len, shapes.values())):
            raise ValueError(f"fragment {fragment.name} clashes with itself once its C=C bonds; use fewer units")
        return {carbon: found for carbon, found in shapes.items() if len(found)}
    atoms = molecule.indices_from_symbol(element)
    if not atoms:
        present = ", ".join(sorted({site.specie.symbol for site in molecule}))
        raise ValueError(f"fragment {fragment.name} has no {element} to bond with; allowed: {present}")
    sides = {atom: free_side(molecule, atom) for atom in atoms}
    found = {atom: rigid_shapes(molecule, atom, side) for atom, side in sides.items() if side is not None}
    if not found:
        raise ValueError(f"fragment {fragment.name} has neighbours on all sides of {element}; name another element")
    return found


def adducts(molecule: IMolecule, carbon: int) -> Positions:
    """Give the shapes that a fragment takes once a planar carbon has a fourth bond, straight down.

    Both faces of the carbon are offered to the bond. Its three substituents are bent up to the tetrahedral angle, each
    with all that hangs on it, and turned about their own bonds; shapes that clash with themselves are left out. Bond
    lengths stay those of the fragment.

    Parameters
    ----------
    molecule : IMolecule
        The fragment.
    carbon : int
        Index of the planar carbon; it is at the origin of the shapes.

    Returns
    -------
    ndarray, shape (m, n, 3)
        Positions (Å) in the order of the molecule's atoms.
    """
    bonded = bonds(molecule)
    around = np.flatnonzero(bonded[carbon])
    branches = _branches(bonded, carbon, around)
    radii = contact_radii(molecule)
    far = np.triu(shortest_path(bonded, unweighted=True) > 2)
    least = CLASH * np.add.outer(radii, radii)[far]
    centred = molecule.cart_coords - molecule.cart_coords[carbon]
    normal = np.cross(*(centred[around[1:]] - centred[around[0]]))
    shapes = [
        _turned(_bent(Rotation.align_vectors([UP], [face])[0].apply(centred), around, branches), around, branches)
        for face in (normal, -normal)
    ]
    found = np.concatenate(shapes)
    first, second = np.nonzero(far)
    clear = (np.linalg.norm(found[:, first] - found[:, second], axis=-1) >= least).all(axis=1)
    return found[clear]


def free_side(molecule: IMolecule, atom: int) -> Positions | None:
    """Direction from an atom to where it has no neighbours, none if it has them on all sides."""
    outward = molecule.cart_coords[bonds(molecule)[atom]] - molecule.cart_coords[atom]
    if len(outward) == 0:
        return UP
    away: Positions = -(outward / np.linalg.norm(outward, axis=1)[:, None]).sum(axis=0)
    length = np.linalg.norm(away)
    return away / length if length > FREE_SIDE else None


def rigid_shapes(molecule: IMolecule, atom: int, side: Positions) -> Positions:
    """Set an atom to the origin with its free side down, straight and bent over to all sides.

    Returns
    -------
    ndarray, shape (m, n, 3)
        Positions (Å) in the order of the molecule's atoms.
    """
    centred = molecule.cart_coords - molecule.cart_coords[atom]
    straight = Rotation.align_vectors([-UP], [side])[0]
    bent = [
        Rotation.from_euler("zy", [spin, bend], degrees=True) * straight
        for bend, spin in product(BENDS, np.arange(0, 360, TURN))
    ]
    return np.stack([turn.apply(centred) for turn in (straight, *bent)])


def turns_above() -> Rotation:
    """Turns of a bonded fragment about the normal, each upright and tilted."""
    upright = Rotation.identity()
    tilts = [Rotation.from_euler("yz", [TILT, side], degrees=True) for side in range(0, 360, 60)]
    about = [Rotation.from_euler("z", angle, degrees=True) for angle in np.arange(0, 360, AZIMUTH)]
    return Rotation.concatenate([tilt * turn for tilt, turn in product([upright, *tilts], about)])


def _branches(bonded: NDArray[np.bool_], carbon: int, around: NDArray[np.intp]) -> list[NDArray[np.bool_]]:
    """Atoms that hang on each substituent once the carbon is taken away."""
    rest = bonded.copy()
    rest[carbon] = rest[:, carbon] = False
    part = connected_components(rest, directed=False)[1]
    return [part == part[atom] for atom in around]


def _bent(flat: Positions, around: NDArray[np.intp], branches: list[NDArray[np.bool_]]) -> Positions:
    """Bend the substituents of the atom at the origin up until a bond straight down makes 109.47° with each."""
    bent = flat.copy()
    for atom, branch in zip(around, branches, strict=True):
        outward = flat[atom] * [1, 1, 0]
        raised = np.sqrt(8) * outward / np.linalg.norm(outward) + UP
        bent[branch] = Rotation.align_vectors([raised], [flat[atom]])[0].apply(flat[branch])
    return bent


def _turned(bent: Positions, around: NDArray[np.intp], branches: list[NDArray[np.bool_]]) -> Positions:
    """Turn every branch of more than one atom about its own bond, in all combinations."""
    angles = [np.arange(0, 360, TURN) if branch.sum() > 1 else np.zeros(1) for branch in branches]
    chosen = np.stack(np.meshgrid(*map(np.arange, map(len, angles)), indexing="ij"), axis=-1).reshape(-1, len(angles))
    shapes = np.repeat(bent[None], len(chosen), axis=0)
    for number, (atom, branch) in enumerate(zip(around, branches, strict=True)):
        axis = bent[atom] / np.linalg.norm(bent[atom])
        turned = [Rotation.from_rotvec(angle * axis, degrees=True).apply(bent[branch]) for angle in angles[number]]
        shapes[:, branch] = np.stack(turned)[chosen[:, number]]
    return shapes
