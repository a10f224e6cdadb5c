"""Where on a slab a fragment may come: over chosen atoms or distinct sites; and the slab's symmetry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Element, Lattice, Structure, SymmOp
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.bonding import Positions
from barriers.structures.rounding import GRID, by_place, rounded
from barriers.structures.surface.slab import FRAGMENT, LAYER

SYMMETRY = 0.05
"""Atoms within this distance (Å) of a symmetry operation's image obey it."""

SURFACE_DEPTH = 1.0
"""Atoms no deeper than this below the topmost one make the surface (Å)."""

SKEW = np.array([[1.0, 0.0, 0.0], [1e-3, 1.000382, 0.0], [0.0, 0.0, 1.0]])
"""Leaves no four atoms on one circle: which diagonal of a rectangle parts it would be a matter of the last bits."""

SAME_SITE = 0.1
"""Sites nearer than this in the plane are one (Å)."""


def bare_slab(slab: Structure) -> Structure:
    """Take off any fragments that already lie on a slab."""
    return Structure.from_sites([site for site in slab if site.properties[LAYER] != FRAGMENT])


def slab_operations(slab: Structure) -> tuple[list[SymmOp], list[SymmOp]]:
    """Find the symmetry operations of a slab, fragments on it included.

    Returns
    -------
    keeping, exchanging : list[SymmOp]
        Cartesian operations (Å) that keep the faces, the identity first, and those that exchange them.
    """
    height = slab.cart_coords[:, 2]
    keeping: list[SymmOp] = []
    exchanging: list[SymmOp] = []
    for operation in SpacegroupAnalyzer(slab, SYMMETRY).get_symmetry_operations(cartesian=True):
        turn, shift = operation.rotation_matrix, operation.translation_vector.copy()
        keeps = turn[2, 2] > 0
        # The vacuum admits one shift along the normal; which multiple of the cell's height it came with says nothing.
        shift[2] = 0.0 if keeps else height.min() + height.max()
        (keeping if keeps else exchanging).append(SymmOp.from_rotation_and_translation(turn, shift))
    return keeping, exchanging


def surface_sites(slab: Structure, distinct: bool = True) -> Positions:
    """Find the sites on top of, between two, and between three atoms of the surface.

    The sites are those of pymatgen's ``AdsorbateSiteFinder``, reduced by the operations that keep the faces.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal; fragments on it are passed over.
    distinct : bool
        One of each kind of site; otherwise all of the cell.

    Returns
    -------
    ndarray, shape (n, 3)
        Points (Å) in the cell: on top first, then bridges, then hollows, each kind by height, y and x.
    """
    from pymatgen.analysis.adsorption import AdsorbateSiteFinder

    bare = bare_slab(slab)
    skewed = Structure(Lattice(bare.lattice.matrix @ SKEW), bare.species, bare.frac_coords)
    finder = AdsorbateSiteFinder(skewed, height=SURFACE_DEPTH)
    found = finder.find_adsorption_sites(distance=0.0, symm_reduce=0, near_reduce=1e-3)
    sites = np.vstack([_in_cell(np.array(found[kind]), skewed, bare) for kind in ("ontop", "bridge", "hollow")])
    operations = slab_operations(bare)[0] if distinct else [SymmOp.from_rotation_and_translation()]
    return sites[_first_of_each(sites, operations, bare.lattice)]


def _in_cell(sites: Positions, skewed: Structure, bare: Structure) -> Positions:
    """Move sites of the skewed slab to the slab itself, each into the cell, by height, y and x."""
    fractions = skewed.lattice.get_fractional_coords(sites.reshape(-1, 3))
    fractions[:, :2] = rounded(fractions[:, :2], GRID) % 1
    places = rounded(bare.lattice.get_cartesian_coords(fractions), GRID)
    return places[by_place(places)]


def points_over(slab: Structure, atoms: Sequence[int | str]) -> Positions:
    """Give the points over chosen atoms of a slab.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal; fragments on it are passed over.
    atoms : Sequence[int | str]
        Indices, or elements: all atoms of the element within 1 Å below the topmost atom.

    Returns
    -------
    ndarray, shape (n, 3)
        Positions of the atoms (Å), in the order chosen, then the slab's.

    Raises
    ------
    ValueError
        If an index is out of range, or the surface has no such element.
    """
    bare = bare_slab(slab)
    height = bare.cart_coords[:, 2]
    outer = [int(atom) for atom in np.flatnonzero(height > height.max() - SURFACE_DEPTH)]
    present = sorted({bare[atom].specie.symbol for atom in outer})
    chosen: list[int] = []
    for atom in atoms:
        if isinstance(atom, str):
            if atom not in present:
                raise ValueError(f"over: {atom!r} is not at the surface; allowed: {', '.join(present)}, or indices")
            chosen += [index for index in outer if bare[index].specie == Element(atom)]
        elif 0 <= atom < len(bare):
            chosen.append(atom)
        else:
            raise ValueError(f"over: no atom has the index {atom}; allowed: 0 to {len(bare) - 1}")
    return np.asarray(bare.cart_coords[list(dict.fromkeys(chosen))])


def in_plane_distances(lattice: Lattice, points: Positions, others: Positions) -> Positions:
    """Minimum-image distances in the plane (Å), points by others; heights do not matter."""
    flat, others_flat = points * [1, 1, 0], others * [1, 1, 0]
    distances: Positions = lattice.get_all_distances(
        lattice.get_fractional_coords(flat), lattice.get_fractional_coords(others_flat)
    )
    return distances


def _first_of_each(sites: Positions, operations: list[SymmOp], lattice: Lattice) -> list[int]:
    """Indices of the first site of each set that the operations carry into each other."""
    kept: list[int] = []
    for number, site in enumerate(sites):
        images = np.array([operation.operate(site) for operation in operations])
        if not kept or in_plane_distances(lattice, images, sites[kept]).min() > SAME_SITE:
            kept.append(number)
    return kept
