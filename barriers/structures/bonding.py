"""Bonds between a fragment and a surface: which oxygen takes one, and the fragment's shapes and turns above it.

A planar carbon laid on an oxygen drives the rest of the chain into the surface. The carbon that takes up the bond
becomes tetrahedral, and the chain turns about the bonds that meet there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import IMolecule, PeriodicSite, Site, Structure
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.spatial.transform import Rotation

from barriers.structures.surface import LAYER

Positions = NDArray[np.float64]

BOND = 1.25
"""Atoms nearer than this multiple of the sum of their covalent radii share a bond."""

CLASH = 0.65
"""Atoms nearer than this multiple of the sum of their contact radii clash: C–O 2.1 Å, H–O 1.7 Å, H–Ni 1.5 Å."""

TURN = 40.0
"""Step of the turns about the bonds of the bonding carbon (degrees)."""

ANION_REACH = 2.6
"""Cations within this distance of an oxygen are its neighbours (Å)."""

AZIMUTH = 30.0
"""Step of the turns of a bonded fragment about the normal (degrees)."""

TILT = 20.0
"""Tilt of a bonded fragment about its bonding carbon, upright and towards six sides (degrees)."""

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


def contact_radii(atoms: Iterable[PeriodicSite | Site]) -> NDArray[np.float64]:
    """Van der Waals radii (Å); for metals the covalent radius, as a cation in an oxide is smaller than its atom."""
    elements = [site.specie for site in atoms]
    return np.array([covalent_radii[e.Z] if e.is_metal else float(e.van_der_waals_radius) for e in elements])


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
    radii = contact_radii(molecule)
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


def bonding_oxygen(slab: Structure, near: Sequence[float], bond_length: float) -> int:
    """Find the oxygen of the topmost layer, short of cations and with free room above, nearest in the plane.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal and the site property ``layer``.
    near : Sequence[float]
        Point (Å); its height does not matter.
    bond_length : float
        Height above the oxygen (Å) at which no other atom may be nearer than the oxygen itself.

    Raises
    ------
    ValueError
        If there is none.
    """
    oxygens = slab.indices_from_symbol("O")
    cations = {i: sum(n.specie.symbol != "O" for n in slab.get_neighbors(slab[i], ANION_REACH)) for i in oxygens}
    full = max(cations.values())
    layer = slab.site_properties[LAYER]

    def is_free(oxygen: int) -> bool:
        if layer[oxygen] != max(layer) or cations[oxygen] == full:
            return False
        above = slab.cart_coords[oxygen] + bond_length * UP
        return int(distances_to(slab, above[None]).argmin()) == oxygen

    def in_plane(oxygen: int) -> float:
        level = [near[0], near[1], slab.cart_coords[oxygen][2]]
        return round(float(distances_to(slab, np.array([level]))[0, oxygen]), 3)

    free = [oxygen for oxygen in oxygens if is_free(oxygen)]
    if not free:
        raise ValueError("the topmost layer has no exposed, undercoordinated oxygen to bond with")
    return min(free, key=in_plane)


def turns() -> list[Rotation]:
    """Turns of a bonded fragment about the normal, each upright and tilted."""
    upright = Rotation.identity()
    tilts = [Rotation.from_euler("yz", [TILT, side], degrees=True) for side in range(0, 360, 60)]
    about = [Rotation.from_euler("z", angle, degrees=True) for angle in np.arange(0, 360, AZIMUTH)]
    return [tilt * turn for tilt, turn in product([upright, *tilts], about)]


def weights(molecule: IMolecule, carbon: int, surface: Structure, oxygen: int) -> Positions:
    """Inverse sums of contact radii (1/Å), fragment by surface; infinite for the bond and its angles."""
    weight: Positions = 1 / np.add.outer(contact_radii(molecule), contact_radii(surface))
    weight[carbon, oxygen] = np.inf
    weight[bonds(molecule)[carbon], oxygen] = np.inf
    return weight


def distances_to(slab: Structure, positions: Positions) -> Positions:
    """Minimum-image distances (Å), positions by slab atoms."""
    distances: Positions = slab.lattice.get_all_distances(
        slab.lattice.get_fractional_coords(positions), slab.frac_coords
    )
    return distances
