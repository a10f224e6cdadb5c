"""Contacts of a fragment: its bonds to the surface, its gap above it, and the distance to its neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray
from pymatgen.core import Element, Lattice, Structure
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial.distance import cdist

from barriers.structures.bonding import BOND, Positions, distances_to
from barriers.structures.surface.cutting import FRAGMENT_NUMBER

IONIC = 1.2
"""Metal and O, F or N nearer than this multiple of the sum of their ionic radii are in contact."""

METALLIC = 1.1
"""A metal and any other element nearer than this multiple of the sum of their covalent radii share a bond; above it, a
carbon bonded to oxygen would count as bonded to the metals beside that oxygen too."""

_IN_PLANE = np.array([[i, j, 0] for i in range(-2, 3) for j in range(-2, 3) if (i, j) != (0, 0)])


@dataclass(frozen=True)
class SurfaceBond:
    """A bond, or a contact of ions, between a fragment and the surface.

    Attributes
    ----------
    elements : tuple[str, str]
        Fragment's element, surface's element.
    fragment_atom, slab_atom : int
        Indices in the interface.
    length : float
        In Å.
    """

    elements: tuple[str, str]
    fragment_atom: int
    slab_atom: int
    length: float

    def __str__(self) -> str:
        """Say it in words: ``C–O 1.42 Å (C 78 on O 31)``."""
        above, below = self.elements
        return f"{above}–{below} {self.length:.2f} Å ({above} {self.fragment_atom} on {below} {self.slab_atom})"


def surface_bonds(interface: Structure, n_slab: int) -> list[SurfaceBond]:
    """Find the bonds between fragments and surface by the distances of element pairs.

    Parameters
    ----------
    interface : Structure
        Slab atoms first; usually relaxed.
    n_slab : int
        Number of slab atoms.

    Returns
    -------
    list[SurfaceBond]
        In order of the fragment's atoms, then the slab's.
    """
    symbols = [site.specie.symbol for site in interface]
    apart = distances_to(interface, interface.cart_coords[n_slab:])
    found = np.argwhere(apart[:, :n_slab] < _reach(symbols)[n_slab:, :n_slab])
    return [
        SurfaceBond((symbols[n_slab + i], symbols[j]), int(n_slab + i), int(j), float(apart[i, j])) for i, j in found
    ]


def loose_atoms(interface: Structure, n_slab: int) -> list[int]:
    """Find the atoms of fragments that have come off: all but the largest bonded piece of each fragment.

    Several fragments are told apart as for :func:`image_distance`.
    """
    reach = _reach([site.specie.symbol for site in interface])
    loose: list[int] = []
    for atoms in _fragments(interface, n_slab):
        bonded = distances_to(interface, interface.cart_coords[atoms])[:, atoms] < reach[np.ix_(atoms, atoms)]
        _, piece = connected_components(csr_array(bonded), directed=False)
        loose += atoms[piece != np.bincount(piece).argmax()].tolist()
    return loose


def _reach(symbols: list[str]) -> NDArray[np.float64]:
    """Distances of :func:`bond_reach` between all pairs of atoms."""
    kinds = sorted(set(symbols))
    reach = np.array([[bond_reach(one, other) for other in kinds] for one in kinds])
    kind = np.array([kinds.index(symbol) for symbol in symbols])
    return np.asarray(reach[np.ix_(kind, kind)])


def bond_reach(one: str, other: str) -> float:
    """Distance (Å) below which two elements are said to share a bond.

    That is 1.25 times the sum of the covalent radii of Cordero et al., Dalton Trans. 2832 (2008), as ASE has them;
    1.1 times with a metal.
    For a metal and O, F or N it is 1.2 times the sum of the crystal radii of Shannon, Acta Cryst. A 32, 751 (1976),
    averaged over the metal's oxidation states as pymatgen has them: Li–F 2.51, Li–O 2.59, Ni–O 2.40, Ni–N 2.47 Å.
    """
    pair = [Element(one), Element(other)]
    metals = [element for element in pair if element.is_metal]
    anions = [element for element in pair if element.symbol in {"O", "F", "N"}]
    if metals and anions:
        return IONIC * float(metals[0].average_cationic_radius + anions[0].average_anionic_radius)
    return (METALLIC if metals else BOND) * float(sum(covalent_radii[element.Z] for element in pair))


def fragment_gap(interface: Structure, n_slab: int) -> float:
    """Least minimum-image distance between fragment and slab atoms (Å)."""
    return float(distances_to(interface, interface.cart_coords[n_slab:])[:, :n_slab].min())


def image_distance(interface: Structure, n_slab: int) -> float:
    """Least distance in the plane between a fragment and its neighbours: its periodic images and other fragments (Å).

    Several fragments are told apart by the site property ``fragment``, without which all atoms after the slab's are
    one. A fragment may be wrapped into the cell: its bonds hold it together.
    """
    pieces = [in_one_piece(interface, atoms) for atoms in _fragments(interface, n_slab)]
    return min(
        neighbour_distance(interface.lattice, piece, np.vstack([np.empty((0, 3)), *pieces[:one], *pieces[one + 1 :]]))
        for one, piece in enumerate(pieces)
    )


def neighbour_distance(lattice: Lattice, fragment: Positions, others: Positions) -> float:
    """Least distance (Å) between a fragment in one piece and its periodic images in the plane, and other atoms.

    Parameters
    ----------
    lattice : Lattice
        The interface's lattice, c along the normal.
    fragment : ndarray, shape (n, 3)
        Positions of the fragment's atoms (Å).
    others : ndarray, shape (m, 3)
        Positions of other fragments' atoms (Å).
    """
    shifts = lattice.get_cartesian_coords(_IN_PLANE)
    cells_away = np.rint(lattice.get_fractional_coords(others - fragment.mean(axis=0))) * [1, 1, 0]
    others = others - lattice.get_cartesian_coords(cells_away)
    images = (fragment + shifts[:, None]).reshape(-1, 3)
    around = (others + np.vstack([np.zeros((1, 3)), shifts])[:, None]).reshape(-1, 3)
    return float(cdist(fragment, np.vstack([images, around])).min())


def _fragments(interface: Structure, n_slab: int) -> list[NDArray[np.intp]]:
    """Atoms of each fragment."""
    number = np.array(interface.site_properties.get(FRAGMENT_NUMBER, np.ones(len(interface))))[n_slab:]
    return [np.flatnonzero(number == label) + n_slab for label in np.unique(number)]


def in_one_piece(interface: Structure, atoms: NDArray[np.intp]) -> Positions:
    """Positions of bonded atoms (Å), each in the image next to the atom it hangs on; loose atoms stay."""
    fractional = interface.frac_coords[atoms]
    distances = interface.lattice.get_all_distances(fractional, fractional)
    radii = covalent_radii[[interface[int(atom)].specie.Z for atom in atoms]]
    bonded = csr_array(distances < BOND * np.add.outer(radii, radii))
    placed = np.zeros(len(atoms), dtype=bool)
    for start in range(len(atoms)):
        if placed[start]:
            continue
        order, parent = breadth_first_order(bonded, start, directed=False)
        for atom in order[1:]:
            step = fractional[atom] - fractional[parent[atom]]
            fractional[atom] -= np.rint(step)
        placed[order] = True
    return np.asarray(interface.lattice.get_cartesian_coords(fractional))
