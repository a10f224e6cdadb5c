"""Shapes of a fragment whose C=C carbon is bonded to an atom below it.

A planar carbon laid on an oxygen drives the rest of the chain into the surface. The carbon that takes up the bond
becomes tetrahedral, and the chain turns about the bonds that meet there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import IMolecule
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial.transform import Rotation

Positions = NDArray[np.float64]

BOND = 1.25
"""Atoms nearer than this multiple of the sum of their covalent radii share a bond."""

CLASH = 0.6
"""Atoms nearer than this multiple of the sum of their van der Waals radii clash: C–O 1.9 Å, H–O 1.6 Å, F–Li 2.0 Å."""

TURN = 60.0
"""Step of the turns about the bonds of the bonding carbon (degrees)."""

UP = np.array([0.0, 0.0, 1.0])


def bonds(molecule: IMolecule) -> NDArray[np.bool_]:
    """Find which atoms share a bond.

    Returns
    -------
    ndarray of bool, shape (n, n)
    """
    radii = covalent_radii[[site.specie.Z for site in molecule]]
    bonded: NDArray[np.bool_] = molecule.distance_matrix < BOND * np.add.outer(radii, radii)
    np.fill_diagonal(bonded, False)
    return bonded


def adducts(molecule: IMolecule, carbon: int) -> Iterator[Positions]:
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

    Yields
    ------
    ndarray, shape (n, 3)
        Positions (Å) in the order of the molecule's atoms.
    """
    bonded = bonds(molecule)
    around = np.flatnonzero(bonded[carbon])
    branches = _branches(bonded, carbon, around)
    radii = np.array([float(site.specie.van_der_waals_radius) for site in molecule])
    far = shortest_path(bonded, unweighted=True) > 2
    least = CLASH * np.add.outer(radii, radii)[far]
    centred = molecule.cart_coords - molecule.cart_coords[carbon]
    normal = np.cross(*(centred[around[1:]] - centred[around[0]]))
    angles = [np.arange(0, 360, TURN) if branch.sum() > 1 else [0.0] for branch in branches]
    for face in (normal, -normal):
        bent = _bent(Rotation.align_vectors([UP], [face])[0].apply(centred), around, branches)
        for turn in product(*angles):
            shape = bent.copy()
            for atom, branch, angle in zip(around, branches, turn, strict=True):
                axis = bent[atom] / np.linalg.norm(bent[atom])
                shape[branch] = Rotation.from_rotvec(angle * axis, degrees=True).apply(bent[branch])
            if (np.linalg.norm(shape[:, None] - shape, axis=-1)[far] >= least).all():
                yield shape


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
