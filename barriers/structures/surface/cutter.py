"""Cuts through a crystal along a facet: the smallest slabs, written in one way whatever the crystal was given as.

The lattice seen along a facet is worked out in whole numbers, without ties between floating-point numbers. Reductions
of a cell that compare lengths as they come (pymatgen's primitive cell and ``SlabGenerator``) give other surface
vectors, another order of atoms or another origin with each kernel of a BLAS library.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from barriers.structures.rounding import BESIDE, GRID, by_place, on_grid, rounded
from barriers.structures.surface.cutting import LAYER, PLANE, Floats

Integers = NDArray[np.int64]

EQUAL = 1e-4
"""Lengths nearer to each other than this (Å) are equal: symmetry makes them so."""

EMPTY = 10.0
"""Empty height (Å) above the smallest slabs: one copy does not touch the next."""


@dataclass(frozen=True)
class _Seen:
    """The smallest slab in one of its reduced meshes, from one of its topmost atoms.

    Attributes
    ----------
    cell : ndarray, shape (2, 3)
        Surface vectors (Å).
    positions : ndarray, shape (n, 3)
        Positions (Å).
    continuation : ndarray, shape (3,)
        See :meth:`Cutter.slab`.
    """

    cell: Floats
    positions: Floats
    continuation: Floats

    def key(self, numbers: Integers) -> list[tuple[float, ...]]:
        """Atoms from the top, at one height the lighter ones first, then by y and x; and the continuation."""
        x, y, z = rounded(self.positions, BESIDE).T
        atoms = sorted(zip((-z).tolist(), numbers.tolist(), y.tolist(), x.tolist(), strict=True))
        return [*atoms, tuple(rounded(self.continuation, BESIDE).tolist())]


class Cutter:
    """Cuts the smallest slabs of a crystal along one facet.

    A multiple of a facet is that facet: (001), (003) and (006) are the same.

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
        Cuts between two planes, one for each plane of a layer: heights in layers, 0 to 1, from the crystal's origin.

    Raises
    ------
    ValueError
        If all indices are 0, or the facet's planes lie too close to tell one from the next.
    """

    def __init__(self, bulk: Structure, facet: Sequence[int], layers: int) -> None:
        if not any(facet):
            raise ValueError(f"facet: {tuple(facet)} is no plane; allowed: at least one index that is not 0")
        self.layers = layers
        self._matrix = bulk.lattice.matrix
        from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

        symmetry = SpacegroupAnalyzer(bulk).get_symmetry_dataset()
        pure = symmetry.translations[(symmetry.rotations == np.eye(3)).all(axis=(1, 2))]
        # Lattice vectors are whole numbers of n-th parts of the edges, n being the lattice points of the cell.
        self._points = np.rint(len(pure) * pure).astype(int)
        self._sites = np.unique(symmetry.mapping_to_primitive, return_index=True)[1]
        self._bulk = bulk
        self._facet = np.array(facet)
        self._step = int(np.gcd.reduce([*(self._points @ self._facet), *(len(pure) * self._facet)]))
        self.spacing = float(bulk.lattice.d_hkl(facet) * self._step / len(pure))
        if self.spacing < 2 * PLANE:
            raise ValueError(
                f"facet: {tuple(facet)} has planes {self.spacing:.2f} Å apart; allowed: at least {2 * PLANE} Å, "
                "which lower indices have"
            )
        self._area = bulk.volume / len(pure) / self.spacing
        self._meshes = list(self._reduced())
        self.shifts = self._between_planes()

    def slab(self, shift: float) -> tuple[Structure, Floats]:
        """Cut at a shift.

        The surface vectors are a reduced mesh: the first is the shortest of the plane, the second the shortest that
        makes a right-handed mesh of least area with it, at the smaller angle where two are equally long. The first
        lies along x, the normal along z, and one of the topmost atoms above the origin. Where symmetry leaves several
        such meshes or atoms, the slab decides: the one counts whose atoms, listed from the top, at one height the
        lighter elements first, then by y and x, come first. So any cell, origin and order of atoms of the crystal
        gives the same slab.

        Returns
        -------
        Structure
            The slab, c along the normal, with the site property ``layer``. Lithium comes first, then the metal, then
            oxygen; within an element by height, y and x.
        ndarray, shape (3,)
            The lattice vector of the crystal (Å) from the slab's bottom layer to the layer that would follow on its
            top one: what continues the slab to the crystal.
        """
        species = [self._bulk[int(site)].specie for site in self._sites] * self.layers
        numbers = np.array([element.Z for element in species])
        seen = min(self._ways(shift), key=lambda way: way.key(numbers))
        layer = np.repeat(np.arange(self.layers), len(self._sites))
        kinds = np.unique([element.X for element in species], return_inverse=True)[1]
        place = by_place(seen.positions)
        order = place[np.argsort(kinds[place], kind="stable")]
        cell = Lattice([*seen.cell, [0, 0, self.layers * self.spacing + EMPTY]])
        slab = Structure(
            cell,
            [species[atom] for atom in order],
            seen.positions[order],
            coords_are_cartesian=True,
            site_properties={LAYER: layer[order].tolist()},
        )
        return on_grid(slab), seen.continuation

    def _vectors(self, radius: float, level: int) -> tuple[Integers, Floats]:
        """Lattice vectors up to a length (Å) that rise by a number of layers, in n-th parts; and in Å."""
        n = len(self._points)
        reach = np.floor(radius * np.linalg.norm(np.linalg.inv(self._matrix), axis=0)).astype(int) + 1
        cells = np.array(list(product(*(range(-far, far + 1) for far in reach))))
        whole = (n * cells[:, None] + self._points).reshape(-1, 3)
        whole = whole[whole @ self._facet == level * self._step]
        vectors = whole @ self._matrix / n
        near = np.linalg.norm(vectors, axis=1) <= radius + EQUAL
        return whole[near], vectors[near]

    def _reduced(self) -> Iterator[tuple[Integers, Integers]]:
        """All pairs of vectors that are reduced meshes; symmetry makes them equivalent, or their lengths equal."""

        def shortest(radius: float) -> tuple[Integers, Floats, Floats]:
            whole, vectors = self._vectors(radius, 0)
            lengths = np.linalg.norm(vectors, axis=1)
            kept = lengths > EQUAL
            return whole[kept], vectors[kept], lengths[kept]

        # The bounds on the vectors of a reduced mesh of that area.
        bound = 2 / np.sqrt(3) * self._area
        whole, vectors, lengths = shortest(np.sqrt(bound))
        least = lengths.min()
        firsts = zip(whole[lengths < least + EQUAL], vectors[lengths < least + EQUAL], strict=True)
        whole, vectors, lengths = shortest(bound / least)
        for first, vector in firsts:
            # The cross product is along the normal, so its length counts meshes, and its sign says the hand.
            meshes = np.cross(first, whole) @ self._facet * np.sign(np.linalg.det(self._matrix))
            smallest = meshes == meshes[meshes > 0].min()
            lean = vectors @ vector
            smallest &= lengths < lengths[smallest].min() + EQUAL
            smallest &= lean > lean[smallest].max() - EQUAL
            yield first, whole[smallest][0]

    def _ways(self, shift: float) -> Iterator[_Seen]:
        """Write the slab in each reduced mesh, from each of its topmost atoms."""
        first, second = self._meshes[0]
        reach = self.spacing + sum(np.linalg.norm(np.array([first, second]) @ self._matrix, axis=1))
        up = self._vectors(float(reach), 1)[0][0]
        n = len(self._points)
        for mesh in self._meshes:
            basis = np.array([*mesh, up])
            a, b, c = basis @ self._matrix / n
            ax = np.linalg.norm(a)
            bx, by = a @ b / ax, self._area / ax
            cx = a @ c / ax
            cy = (b @ c - bx * cx) / by
            lean = np.array([(cx - cy / by * bx) / ax, cy / by])
            cell = rounded([[ax, 0, 0], [bx, by, 0]], GRID)
            fractions = np.linalg.solve(basis.T, n * self._bulk.frac_coords[self._sites].T).T
            above = (fractions[:, 2] - shift) % 1 + np.arange(self.layers)[:, None]
            flat = fractions[:, :2] + (above + shift)[..., None] * lean
            flat, heights = flat.reshape(-1, 2), above.ravel() * self.spacing
            turns = rounded(self.layers * lean, 9)
            forth = [*(turns - np.floor(turns + 0.5)) @ cell[:, :2], self.layers * self.spacing]
            for origin in np.flatnonzero(heights > heights.max() - PLANE / 10):
                wrapped = rounded(flat - flat[origin], 9) % 1
                positions = np.column_stack([wrapped @ cell[:, :2], heights])
                yield _Seen(cell, positions, rounded(forth, GRID))

    def _between_planes(self) -> list[float]:
        """Middles of the gaps between the planes of a layer."""
        levels = self._bulk.frac_coords[self._sites] @ self._facet * len(self._points) / self._step
        levels = np.sort(rounded(levels, 9) % 1)
        gaps = np.diff([*levels, levels[0] + 1])
        wide = gaps > min(PLANE / self.spacing, gaps.max() - EQUAL)
        return sorted((rounded((levels + gaps / 2)[wide], 9) % 1).tolist())
