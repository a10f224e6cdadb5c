"""Electrons of each atom by Bader's surfaces of zero flux."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import Voronoi

from barriers.analysis.density import Grid, Values, check_same_grid

VACUUM = 1e-3
"""Points whose density is lower belong to no atom (e/Å³)."""

REACH = 0.6
"""A maximum of the density further from every nucleus (Å) belongs to no atom."""

NO_FACET = 1e-9
"""A facet of a Voronoi cell with less area over distance (Å) is a corner or an edge."""

WORTH_SAYING = 0.01
"""Electrons that no atom gets are spoken of from here on (e)."""


@dataclass(frozen=True)
class Bader:
    """Electrons by atom.

    Attributes
    ----------
    electrons : (N,)
        Electrons of each atom (e).
    vacuum : float
        Electrons where the density is below :data:`VACUUM` (e).
    elsewhere : float
        Electrons at maxima that are no atom's (e).
    notes : list[str]
        What the reader has to know.
    """

    electrons: Values
    vacuum: float
    elsewhere: float
    notes: list[str] = field(default_factory=list)


def bader(density: Grid, reference: Grid | None = None) -> Bader:
    """Divide a density among atoms by the weight method of Yu and Trinkle, J. Chem. Phys. 134, 064111 (2011).

    The electrons of each point flow to its higher neighbours, through each facet of its Voronoi cell in proportion to
    area and slope, until they arrive at maxima. Each maximum belongs to the nearest atom.

    Parameters
    ----------
    density : Grid
        What is divided.
    reference : Grid or None
        What has the maxima and surfaces, on the same grid; ``density`` itself if None. A valence density needs one:
        without its core an atom as carbon has no maximum at its nucleus.

    Raises
    ------
    ValueError
        If the grids differ.
    """
    steep = density if reference is None else reference
    check_same_grid("the density", density, "the reference", steep)
    flat = density.values.ravel()
    empty = flat < VACUUM
    arrived = _flow_uphill(np.where(empty, 0.0, flat), steep) * density.voxel
    maxima = np.flatnonzero(arrived)
    places = np.stack(np.unravel_index(maxima, density.shape), axis=1) / density.shape
    apart = density.structure.lattice.get_all_distances(places, density.structure.frac_coords)
    nearest, near = apart.argmin(axis=1), apart.min(axis=1) <= REACH
    electrons: Values = np.zeros(len(density.structure))
    np.add.at(electrons, nearest[near], arrived[maxima][near])
    vacuum, elsewhere = float(flat[empty].sum()) * density.voxel, float(arrived[maxima][~near].sum())
    return Bader(electrons, vacuum, elsewhere, _notes(density, electrons, vacuum, elsewhere))


def _notes(density: Grid, electrons: Values, vacuum: float, elsewhere: float) -> list[str]:
    lost = [f"{density.structure[int(atom)].specie} {atom}" for atom in np.flatnonzero(electrons == 0)]
    way_on = "a reference with its core or a finer grid is needed"
    notes = [f"no maximum of the density at {', '.join(lost)}: {way_on}"] if lost else []
    if abs(vacuum) >= WORTH_SAYING:
        notes.append(f"{vacuum:.3f} e where the density is below {VACUUM:g} e/Å³ belong to no atom")
    if elsewhere >= WORTH_SAYING:
        notes.append(f"{elsewhere:.3f} e gather more than {REACH:g} Å from any nucleus and belong to no atom")
    return notes


def _flow_uphill(electrons: Values, steep: Grid) -> Values:
    """Let what each point has flow up the slope; what has arrived at each maximum, shape (n1·n2·n3,)."""
    height = steep.values.ravel()
    number = np.arange(height.size, dtype=np.int32).reshape(steep.shape)
    below, above, flux = [], [], []
    for step, width in _facets(steep):
        neighbour = np.roll(number, [-n for n in step], axis=(0, 1, 2)).ravel()
        rise = height[neighbour] - height
        up = np.flatnonzero(rise > 0).astype(np.int32)
        below.append(up)
        above.append(neighbour[up])
        flux.append(rise[up] * width)
    start, end, part = np.concatenate(below), np.concatenate(above), np.concatenate(flux)
    part /= np.bincount(start, part, minlength=height.size)[start]
    flow = csr_array((part, (end, start)), shape=(height.size,) * 2)
    top = np.bincount(start, minlength=height.size) == 0
    arrived, moving = np.zeros(height.size), electrons
    while moving.any():  # always uphill, so it ends
        arrived[top] += moving[top]
        moving = flow @ moving
    return arrived


def _facets(grid: Grid) -> list[tuple[tuple[int, int, int], float]]:
    """Neighbours across the facets of a point's Voronoi cell, and each facet's area over the distance (Å)."""
    steps = np.array(list(product(range(-2, 3), repeat=3)))
    points = steps @ (grid.structure.lattice.matrix / np.array(grid.shape)[:, None])
    cells = Voronoi(points)
    middle = len(steps) // 2
    found = []
    for pair, corners in cells.ridge_dict.items():
        if middle not in pair:
            continue
        other = pair[0] + pair[1] - middle
        length = float(np.linalg.norm(points[other]))
        width = _area(cells.vertices[corners], points[other] / length) / length
        if width > NO_FACET:
            first, second, third = steps[other].tolist()
            found.append(((first, second, third), width))
    return found


def _area(corners: Values, normal: Values) -> float:
    """Area of a convex polygon (Å²): corners, shape (n, 3), in any order, and its unit normal."""
    across = np.cross(normal, np.eye(3)[np.abs(normal).argmin()])
    across /= np.linalg.norm(across)
    flat = (corners - corners.mean(axis=0)) @ np.array([across, np.cross(normal, across)]).T
    flat = flat[np.argsort(np.arctan2(*flat.T))]
    x, y = flat.T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
