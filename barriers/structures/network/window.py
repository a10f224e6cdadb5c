"""The window between anions that an ion passes on its way from site to site."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay

from barriers.structures.bonding import copies_within
from barriers.structures.hop.ions import anions, radius

Points = NDArray[np.float64]

MARGIN = 5.0
"""Anions this far (Å) beyond the ends of a hop are looked at."""

FILLED = 1.0
"""A void with a cation nearer to its centre than this (Å) is closed."""

FLAT = 0.1
"""Points that stray no further than this (Å) from a plane, all together, are flat."""

INSIDE = 1e-3
"""A point on a face belongs to the voids on both sides: least barycentric coordinate, but for this."""


def window(structure: Structure, first: Points, last: Points, ion: str = "Li") -> float:
    """Radius of the largest sphere that passes from one site to another between the anions (Å).

    The anions' Delaunay tetrahedra are the voids, their faces the windows. Of all ways over voids near the hop that no
    other cation fills, the widest counts, and on it the narrowest window: the radius of the circle through the centres
    of its three anions, less their mean ionic radius (Shannon's). It may be negative, since bonds have covalency; the
    ion's own radius is not taken off.

    Parameters
    ----------
    structure : Structure
        Crystal.
    first, last : ndarray, shape (3,)
        Sites (Å).
    ion : str
        Element that moves: its own sites close no void.

    Returns
    -------
    float
        NaN where anions do not enclose the sites.
    """
    middle, length = (first + last) / 2, float(np.linalg.norm(last - first))
    is_anion = anions(structure)
    around, atoms = copies_within(structure, middle, length / 2 + MARGIN)
    corners = around[is_anion[atoms]]
    symbols = np.array([site.specie.symbol for site in structure])[atoms]
    radii = np.array([radius(symbol) for symbol in symbols[is_anion[atoms]]])
    others = around[~is_anion[atoms] & (symbols != ion)]
    # Anions that all lie in one plane, or are too few, enclose nothing.
    if np.linalg.matrix_rank(corners - corners[:1], tol=FLAT) < 3:
        return float("nan")
    cells = Delaunay(corners)
    start, end = (_holding(cells, point) for point in (first, last))
    centres = corners[cells.simplices].mean(axis=1)
    near = np.linalg.norm(centres - middle, axis=1) <= max(length, MARGIN / 2)
    is_open = ((near & ~_filled(corners[cells.simplices], others)) | start) | end
    if not start.any() or not end.any():
        return float("nan")
    return _widest(cells, _faces(cells, corners, radii), is_open, start, end)


def _holding(cells: Delaunay, point: Points) -> NDArray[np.bool_]:
    """Tetrahedra that hold a point, on their faces too; flat ones hold none."""
    inner = np.einsum("nij,nj->ni", cells.transform[:, :3], point - cells.transform[:, 3])
    with np.errstate(invalid="ignore"):
        return (inner >= -INSIDE).all(axis=1) & (inner.sum(axis=1) <= 1 + INSIDE)


def _filled(tetrahedra: Points, cations: Points) -> NDArray[np.bool_]:
    """Tetrahedra whose centre, equally far from all corners, is next to a cation."""
    edges = tetrahedra[:, 1:] - tetrahedra[:, :1]
    squares = (edges**2).sum(axis=-1) / 2
    flat = np.abs(np.linalg.det(edges)) < INSIDE
    edges[flat] = np.eye(3)
    centres = tetrahedra[:, 0] + np.linalg.solve(edges, squares[..., None])[..., 0]
    apart = np.linalg.norm(centres[:, None] - cations, axis=-1).min(axis=1, initial=np.inf)
    return (apart < FILLED) & ~flat


def _faces(cells: Delaunay, corners: Points, radii: Points) -> Points:
    """Radii of the windows opposite each corner of each tetrahedron (Å), shape (n, 4)."""
    opposite = np.array([[other for other in range(4) if other != corner] for corner in range(4)])
    members = cells.simplices[:, opposite]
    points = corners[members]
    sides = np.linalg.norm(
        [points[..., one, :] - points[..., other, :] for one, other in combinations(range(3), 2)], axis=-1
    )
    short, middle, long = np.sort(sides, axis=0)
    cosine = (short**2 + middle**2 - long**2) / (2 * short * middle)
    circle = long / (2 * np.sqrt(np.maximum(1 - cosine**2, 1e-12)))
    # In an obtuse triangle the widest place is on the longest side, as far from its end as from the obtuse corner.
    beside = [side**2 * long / (side**2 + long**2 - other**2) for side, other in ((short, middle), (middle, short))]
    return np.where(cosine < 0, np.maximum(*beside), circle) - radii[members].mean(axis=-1)


def _widest(
    cells: Delaunay, faces: Points, is_open: NDArray[np.bool_], start: NDArray[np.bool_], end: NDArray[np.bool_]
) -> float:
    """Narrowest window of the widest way from one of the first tetrahedra to one of the last."""
    first, corner = np.nonzero(cells.neighbors >= 0)
    last = cells.neighbors[first, corner]
    passable = is_open[first] & is_open[last]
    first, last, radii = first[passable], last[passable], faces[first, corner][passable]
    if (start & end).any():
        return float("nan")
    low, high = -1, len(radii)
    order = np.argsort(-radii)
    while high - low > 1:
        number = (low + high) // 2
        used = order[: number + 1]
        graph = coo_array((np.ones(len(used)), (first[used], last[used])), shape=(len(start),) * 2)
        groups = connected_components(graph, directed=False)[1]
        if set(groups[start]) & set(groups[end]):
            high = number
        else:
            low = number
    return float(radii[order[high]]) if high < len(radii) else float("nan")
