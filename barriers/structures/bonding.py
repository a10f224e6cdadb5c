"""Bonds between a fragment and a surface: which surface atom takes one, and how clear of the rest a fragment is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import cast

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Element, IMolecule, PeriodicSite, Site, Structure

from barriers.structures.rounding import round_off, rounded
from barriers.structures.surface.slab import FRAGMENT, LAYER

Positions = NDArray[np.float64]

BOND = 1.25
"""Atoms nearer than this multiple of the sum of their covalent radii share a bond."""

CLASH = 0.65
"""Atoms nearer than this multiple of the sum of their contact radii clash: C–O 2.1 Å, H–O 1.7 Å, H–Ni 1.5 Å."""

ANIONS = frozenset({"O", "F", "N", "S", "Cl"})
"""Elements that are anions in a slab; the others are cations."""

ANION_REACH = 2.6
"""Cations and anions within this distance of each other are neighbours (Å)."""

FAR = 1e6
"""Stands for an infinite weight (1/Å)."""

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


def default_bond(pair: Sequence[str]) -> float:
    """Sum of the covalent radii of two elements (Å): C–O 1.42, F–Li 1.85, N–Ni 1.95."""
    return float(sum(covalent_radii[Element(symbol).Z] for symbol in pair))


def bonding_sites(slab: Structure, near: Positions, bond_length: float, element: str = "O") -> list[int]:
    """Find the atoms of the topmost layer, short of neighbours and with free room above, nearest in the plane.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal and the site property ``layer``; fragments on it are passed over.
    near : ndarray, shape (n, 3)
        Points (Å); their height does not matter.
    bond_length : float
        Height above the atom (Å) at which no other atom may be nearer than the atom itself.
    element : str
        The atoms' element.

    Returns
    -------
    list[int]
        The nearest to each point, each once.

    Raises
    ------
    ValueError
        If there is none.
    """
    free = _free_atoms(slab, bond_length, element)
    if not free:
        name = {"O": "oxygen"}.get(element, element)
        raise ValueError(f"the topmost layer has no exposed, undercoordinated {name} to bond with")

    def in_plane(point: Positions, atom: int) -> float:
        level = [point[0], point[1], slab.cart_coords[atom][2]]
        return round_off(distances_to(slab, np.array([level]))[0, atom], 3)

    return list(dict.fromkeys(min(free, key=partial(in_plane, point)) for point in near))


def _free_atoms(slab: Structure, bond_length: float, element: str) -> list[int]:
    """Atoms of the topmost layer that lack neighbours of the other charge and have room above them."""
    layer = np.array(slab.site_properties[LAYER])
    atoms = [atom for atom in slab.indices_from_symbol(element) if layer[atom] != FRAGMENT]
    if not atoms:
        present = ", ".join(sorted({site.specie.symbol for site in slab if site.properties[LAYER] != FRAGMENT}))
        raise ValueError(f"the slab has no {element} to bond with; allowed: {present}")
    anion = np.array([site.specie.symbol in ANIONS for site in slab])
    first, second, _, distances = slab.get_neighbor_list(ANION_REACH)
    other = (anion[first] != anion[second]) & (layer[second] != FRAGMENT) & (distances > 0)
    count = np.bincount(first[other], minlength=len(slab))
    exposed = [atom for atom in atoms if layer[atom] == layer.max() and count[atom] < count[atoms].max()]
    if not exposed:
        return []
    apart = rounded(distances_to(slab, slab.cart_coords[exposed] + bond_length * UP), 3)
    return [atom for atom, around in zip(exposed, apart, strict=True) if around[atom] == around.min()]


def weights(molecule: IMolecule, atom: int, surface: Structure, bonded_to: int) -> Positions:
    """Inverse sums of contact radii (1/Å), fragment by surface; infinite for the bond and its angles."""
    weight: Positions = 1 / np.add.outer(contact_radii(molecule), contact_radii(surface))
    weight[atom, bonded_to] = np.inf
    weight[bonds(molecule)[atom], bonded_to] = np.inf
    return weight


def clearances(
    shapes: Positions, rotations: Positions, foot: Positions, surface: Structure, weight: Positions
) -> Positions:
    """Least weighted distance between fragment and surface, for every shape in every turn.

    The atom at the shapes' origin stays on ``foot`` in all of them, so that its own clearance bounds all others:
    what lies further away than that takes no part.

    Parameters
    ----------
    shapes : ndarray, shape (m, n, 3)
        Positions (Å) about the foot.
    rotations : ndarray, shape (k, 3, 3)
        Matrices of the turns.
    foot : ndarray, shape (3,)
        Where the shapes' origin comes (Å).
    surface : Structure
        Periodic in the plane; its next copy along the normal is out of reach.
    weight : ndarray, shape (n, len(surface))
        Weights (1/Å).

    Returns
    -------
    ndarray, shape (m, k)
        Weighted distances.
    """
    origin = np.linalg.norm(shapes[0], axis=1).argmin()
    bound = (distances_to(surface, foot[None])[0] * weight[origin]).min()
    reach = bound / weight.min()
    span = np.linalg.norm(shapes, axis=-1).max() + reach
    copies, atoms = copies_within(surface, foot, span)
    highest_first = np.argsort(-copies[:, 2], kind="stable")
    copies = copies[highest_first] - foot
    squared = np.where(np.isfinite(weight), weight, FAR)[:, atoms[highest_first]] ** 2
    # |p − s|² = (|p|², p, 1) · (1, −2 s, |s|²), one product for all pairs.
    theirs = np.column_stack([np.ones(len(copies)), -2 * copies, (copies**2).sum(axis=1)]).T
    found = np.empty((len(shapes), len(rotations)))
    for number, shape in enumerate(shapes):
        turned = shape @ rotations.transpose(0, 2, 1)
        low = turned[:, :, 2].min(axis=0) < copies[0, 2] + reach
        low[origin] = True
        near = np.searchsorted(-copies[:, 2], reach - turned[:, :, 2].min())
        ours = turned[:, low]
        ours = np.concatenate([(ours**2).sum(axis=-1, keepdims=True), ours, np.ones((*ours.shape[:2], 1))], axis=-1)
        apart = (ours.reshape(-1, 5) @ theirs[:, :near]).reshape(len(rotations), -1, near)
        apart *= squared[low, :near]
        found[number] = np.sqrt(apart.min(axis=2).min(axis=1).clip(0))
    return found


def copies_within(slab: Structure, centre: Positions, radius: float) -> tuple[Positions, NDArray[np.intp]]:
    """Find all atoms and periodic copies within a radius (Å) of a point.

    Returns
    -------
    positions : ndarray, shape (n, 3)
        In Å.
    atoms : ndarray of int, shape (n,)
        Which atom of the slab each one is.
    """
    found = slab.lattice.get_points_in_sphere(slab.frac_coords, centre, radius, zip_results=False)
    fractional, _, atoms, _ = cast(tuple[NDArray, ...], found)
    return slab.lattice.get_cartesian_coords(fractional), atoms.astype(int)


def distances_to(slab: Structure, positions: Positions) -> Positions:
    """Minimum-image distances (Å), positions by slab atoms."""
    distances: Positions = slab.lattice.get_all_distances(
        slab.lattice.get_fractional_coords(positions), slab.frac_coords
    )
    return distances
