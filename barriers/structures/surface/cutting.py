"""Cuts through a crystal along a facet: the smallest slab, its planes, its formal charges and cation–oxygen bonds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import SlabGenerator

Floats = NDArray[np.float64]

LAYER = "layer"
"""Site property: number of the atomic layer, 0 at the bottom; :data:`FRAGMENT` for atoms of a fragment."""

FRAGMENT = -1
"""The ``layer`` of a fragment's atoms."""

FRAGMENT_NUMBER = "fragment"
"""Site property where there are several fragments: 1, 2, … for their atoms, 0 for all others."""

PLANE = 0.2
"""Atoms nearer than this in height (Å) lie in one plane; oxygen is off the ideal height by less than 0.1 Å."""

BOND = 2.6
"""Longest cation–oxygen bond (Å): Li–O is 2.1 Å in a layered oxide, the next shell starts beyond 3.3 Å."""

TALL = 100.0
"""Empty height (Å) of a cell that is far longer along the normal than in the plane."""

CHARGES = {"Li": 1.0, "O": -2.0, "H": 1.0, "F": -1.0}
"""Formal charges (e)."""

METAL_CHARGE = 3.0
"""Formal charge of any other element (e): the metal of LiMO2."""


def primitive_miller(bulk: Structure, primitive: Structure, facet: Sequence[int]) -> tuple[int, int, int]:
    """Express a facet given in the conventional cell in the axes of the primitive cell.

    Cutting the primitive cell gives the smallest surface mesh and exactly the layers asked for. A multiple of a
    facet is that facet: (001), (003) and (006) are the same.

    Raises
    ------
    ValueError
        If all indices are 0.
    """
    if not any(facet):
        raise ValueError(f"facet: {tuple(facet)} is no plane; allowed: at least one index that is not 0")
    normal = bulk.lattice.reciprocal_lattice.get_cartesian_coords(facet)
    # A centred cell holds several lattice points; that many times the indices are whole in every case.
    points = round(bulk.volume / primitive.volume)
    indices = np.rint(points * primitive.lattice.matrix @ normal / (2 * np.pi)).astype(int)
    h, k, m = indices // np.gcd.reduce(indices)
    return int(h), int(k), int(m)


class Cutter:
    """Cuts the smallest slabs of a crystal along one facet.

    Parameters
    ----------
    bulk : Structure
        Conventional cell of the cathode.
    facet : Sequence[int]
        Miller indices (h, k, l) in the conventional cell.
    layers : int
        Layers of the slabs: repeats of the lattice along the normal.

    Attributes
    ----------
    spacing : float
        Height of one layer (Å).
    shifts : list[float]
        Cuts between two planes, one for each plane of a layer, as pymatgen numbers them.

    Raises
    ------
    ValueError
        If the facet's planes lie too close to tell one from the next.
    """

    def __init__(self, bulk: Structure, facet: Sequence[int], layers: int) -> None:
        self.layers = layers
        self._primitive = bulk.get_primitive_structure()
        self._miller = primitive_miller(bulk, self._primitive, facet)
        self.spacing = float(self._primitive.lattice.d_hkl(self._miller))
        if self.spacing < 2 * PLANE:
            raise ValueError(
                f"facet: {tuple(facet)} has planes {self.spacing:.2f} Å apart; allowed: at least {2 * PLANE} Å, "
                "which lower indices have"
            )
        self._generator = self._in_plane_generator()
        cell = self._generator.oriented_unit_cell
        height = cell.volume / surface_area(cell)
        shifts = sorted(self._generator.gen_possible_terminations(PLANE))
        self.shifts = [shift for shift in shifts if (shift - shifts[0]) * height < self.spacing - PLANE / 2]

    def _in_plane_generator(self) -> SlabGenerator:
        # The reduction of the cell mixes the surface vectors with a short third one; a tall cell is safe from it.
        for empty in (2, int(np.ceil(TALL / self.spacing))):
            generator = SlabGenerator(
                self._primitive,
                self._miller,
                min_slab_size=self.layers,
                min_vacuum_size=empty,
                in_unit_planes=True,
                lll_reduce=True,
                primitive=False,
                center_slab=False,
            )
            edges = np.rint(generator.get_slab().scale_factor[:2])
            if not (edges @ self._miller).any():
                break
        return generator

    def slab(self, shift: float) -> tuple[Structure, Floats]:
        """Cut at a shift.

        Returns
        -------
        Structure
            The slab, c along the normal.
        ndarray, shape (3,)
            The lattice vector of the crystal (Å) from the slab's bottom layer to the layer that would follow on its
            top one: what continues the slab to the crystal.
        """
        cut = self._generator.get_slab(shift)
        upright = cut.get_orthogonal_c_slab()
        slab = Structure.from_sites(upright.sites)
        for name in list(slab.site_properties):
            slab.remove_site_property(name)
        area = np.linalg.norm(np.cross(*slab.lattice.matrix[:2]))
        per_layer = round(len(self._primitive) * area * self.spacing / self._primitive.volume)
        # pymatgen rounds the layers up to whole oriented cells, which may hold several.
        by_height = np.argsort(np.round(slab.cart_coords[:, 2], 3), kind="stable")
        slab.remove_sites(by_height[self.layers * per_layer :].tolist())
        return slab, self._continuation(np.asarray(cut.scale_factor), slab.lattice)

    def _continuation(self, scale: Floats, lattice: Lattice) -> Floats:
        # The cell was turned (and, where left-handed, mirrored) on its way from the crystal's frame to the slab's.
        edges = scale @ self._primitive.lattice.matrix
        normal = np.cross(edges[0], edges[1])
        normal *= np.sign(normal @ edges[2]) / np.linalg.norm(normal)
        upright = np.array([lattice.matrix[0], lattice.matrix[1], [0, 0, 1]])
        turned = self._primitive.lattice.matrix @ np.linalg.solve([edges[0], edges[1], normal], upright)
        rises = np.rint(turned[:, 2] / self.spacing).astype(int)
        reach = int(np.abs(rises).max())
        steps = np.array(list(product(range(-reach, reach + 1), repeat=3)))
        steps = steps[steps @ rises == 1]
        up = self.layers * steps[np.lexsort((*steps.T, (steps**2).sum(axis=1)))[0]] @ turned
        sideways = np.rint(np.round(lattice.get_fractional_coords(up)[:2], 6))
        vector: Floats = up - sideways @ lattice.matrix[:2]
        return vector


def charges(structure: Structure) -> Floats:
    """Formal charge of each atom (e): Li 1, O −2, H 1, F −1, any other element 3; shape (atoms,)."""
    return np.array([CHARGES.get(site.specie.symbol, METAL_CHARGE) for site in structure])


def surface_area(structure: Structure) -> float:
    """Area of one face of a slab (Å²)."""
    return float(np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def dipole(slab: Structure) -> float:
    """Dipole of the formal charges along the normal per area (e/Å); the slab is neutral, c along the normal."""
    return float(charges(slab) @ slab.cart_coords[:, 2] / surface_area(slab))


def planes(slab: Structure) -> list[list[int]]:
    """Atoms of each plane, the lowest plane first; within a plane the lowest atom first."""
    heights = slab.cart_coords[:, 2]
    order = np.lexsort(np.round(slab.cart_coords, 3).T)
    ends = np.flatnonzero(np.diff(heights[order]) > PLANE) + 1
    return [part.tolist() for part in np.split(order, ends)]


def composition(structure: Structure, atoms: Sequence[int]) -> str:
    """Reduced formula of some atoms of LiMO2, M for any metal: ``Li``, ``LiM``, ``O``, ``LiMO2``."""
    symbols = (structure[atom].specie.symbol for atom in atoms)
    counts = Counter(symbol if symbol in CHARGES else "M" for symbol in symbols)
    divisor = np.gcd.reduce(list(counts.values()))
    shares = [(name, counts[name] // divisor) for name in ("Li", "M", "O") if counts[name]]
    return "".join(f"{name}{share if share > 1 else ''}" for name, share in shares)


def coordination(structure: Structure) -> NDArray[np.int_]:
    """Oxygen neighbours of each cation and cation neighbours of each oxygen, shape (atoms,)."""
    centres, neighbours, _, _ = structure.get_neighbor_list(BOND)
    oxygen = np.array([site.specie.symbol == "O" for site in structure])
    bonded = oxygen[centres] != oxygen[neighbours]
    return np.bincount(centres[bonded], minlength=len(structure))
