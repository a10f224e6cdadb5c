"""Isosurfaces of functions on grids as they are seen from the side and from the top, by casting rays. No figure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.analysis.density import Grid, Values
from barriers.report.views import NO_ARROWS, UP, Direction, arranged, side_plane, top_plane

PIXEL = 0.03
"""Least size of a pixel (Å)."""

MOST_PIXELS = 400
"""Most pixels along a side of the picture."""

DEPTH_STEP = 0.1
"""Rays look for the surface at places this far apart (Å)."""

AMBIENT = 0.45
"""Light on a surface that is seen edge on; 1 on one that faces the viewer."""


@dataclass(frozen=True)
class Seen:
    """A surface as it is seen.

    Attributes
    ----------
    light : (rows, columns)
        0 to 1 where the surface is, NaN where it is not; the first row is the lowest.
    depth : (rows, columns)
        Distance from the front of the cell (Å); infinite where there is no surface.
    extent : tuple[float, float, float, float]
        Left, right, lower and upper border on the page (Å).
    """

    light: Values
    depth: Values
    extent: tuple[float, float, float, float]


@dataclass(frozen=True)
class Rays:
    """Parallel rays through one period of the cell.

    Attributes
    ----------
    starts : (rows, columns, 3)
        Where each ray enters (Å).
    into : (3,)
        Where all of them lead (Å): from the entrance to the exit.
    shown : (rows, columns) of bool
        Whether a ray is within the cell that is drawn.
    extent : tuple
        As of :class:`Seen`.
    """

    starts: Values
    into: Values
    shown: NDArray[np.bool_]
    extent: tuple[float, float, float, float]


def rays_of(structure: Structure, view: Direction, heights: tuple[float, float]) -> Rays:
    """Lay rays through the cell that :func:`barriers.report.views.view_of` draws.

    Parameters
    ----------
    structure : Structure
        Slab with c along the normal.
    view : {"side", "top"}
        Where one looks from.
    heights : tuple[float, float]
        Lowest and highest place that is seen (Å).
    """
    _, _, corner = arranged(structure, {})
    first, second = structure.lattice.matrix[:2]
    if view == "side":
        plane = side_plane(structure.lattice, NO_ARROWS)
        wide, deep = sorted((first, second), key=lambda vector: -abs(vector @ plane[0]))
        towards = np.cross(*plane)
        near = corner + (deep if deep @ towards > 0 else 0 * deep)
        across = np.linspace(0, 1, _pixels(abs(wide @ plane[0])))
        up = np.linspace(*heights, _pixels(heights[1] - heights[0]))
        if wide @ plane[0] < 0:
            near, wide = near + wide, -wide
        starts = near + across[None, :, None] * wide + (up[:, None, None] - near[2]) * UP
        left, right = near @ plane[0], (near + wide) @ plane[0]
        into = -deep if deep @ towards > 0 else deep
        return Rays(starts, into, np.ones(starts.shape[:2], dtype=bool), (left, right, heights[0], heights[1]))
    plane = top_plane(structure.lattice)
    corners = (corner + np.array([0 * first, first, second, first + second])) @ plane.T
    (left, low), (right, high) = corners.min(axis=0), corners.max(axis=0)
    x, y = np.linspace(left, right, _pixels(right - left)), np.linspace(low, high, _pixels(high - low))
    starts = x[None, :, None] * plane[0] + y[:, None, None] * plane[1] + heights[1] * UP
    inside = structure.lattice.get_fractional_coords(starts - corner)[..., :2]
    shown: NDArray[np.bool_] = np.all((inside >= 0) & (inside <= 1), axis=-1)
    return Rays(starts, (heights[0] - heights[1]) * UP, shown, (left, right, low, high))


def surface_seen(grid: Grid, level: float, rays: Rays) -> Seen:
    """Find where rays first meet the surface on which a function has a level; beyond it the function is higher.

    Parameters
    ----------
    grid : Grid
        The function.
    level : float
        Positive, or negative for the surface beyond which the function is lower.
    rays : Rays
        From :func:`rays_of`.
    """
    values = grid.values * np.sign(level)
    # Elsewhere the splines stay below the level.
    near = scipy.ndimage.maximum_filter(values, 3, mode="wrap") >= abs(level)
    splines = scipy.ndimage.spline_filter(values, mode="grid-wrap")
    length = float(np.linalg.norm(rays.into))
    depth = np.full(rays.starts.shape[:2], np.inf)
    for start, end in pairwise(np.linspace(0, 1, max(2, int(np.ceil(length / DEPTH_STEP))))):
        left = rays.shown & np.isinf(depth)
        left[left] = _nearest(grid, near, rays.starts[left] + end * rays.into)
        before, after = (_at(grid, splines, rays.starts[left] + at * rays.into) for at in (start, end))
        part = np.clip((abs(level) - before) / np.where(after > before, after - before, 1.0), 0.0, 1.0)
        depth[left] = np.where(after >= abs(level), (start + part * (end - start)) * length, np.inf)
    return Seen(_light(grid, splines, rays, depth, length), depth, rays.extent)


def _light(grid: Grid, values: Values, rays: Rays, depth: Values, length: float) -> Values:
    """How directly the surface faces the viewer."""
    met = np.isfinite(depth)
    towards = -rays.into / length
    places = rays.starts[met] + depth[met][:, None] * rays.into / length
    slope = np.stack([_at(grid, values, places + s) - _at(grid, values, places - s) for s in 0.1 * np.eye(3)], axis=-1)
    steep = np.linalg.norm(slope, axis=-1)
    facing = np.clip(-(slope @ towards) / np.where(steep > 0, steep, 1.0), 0.0, 1.0)
    light = np.full(depth.shape, np.nan)
    light[met] = AMBIENT + (1 - AMBIENT) * facing
    return light


def _nearest(grid: Grid, marked: NDArray[np.bool_], places: Values) -> NDArray[np.bool_]:
    """Whether the grid's point nearest to each Cartesian place (Å) is marked."""
    points = np.rint(grid.structure.lattice.get_fractional_coords(places) * np.array(grid.shape)).astype(int)
    i, j, k = np.moveaxis(points % np.array(grid.shape), -1, 0)
    found: NDArray[np.bool_] = marked[i, j, k]
    return found


def _at(grid: Grid, values: Values, places: Values) -> Values:
    """Values of splines between the points of their grid, at Cartesian places (Å) in any image of the cell."""
    points = grid.structure.lattice.get_fractional_coords(places) * np.array(grid.shape)
    found: Values = scipy.ndimage.map_coordinates(values, np.moveaxis(points, -1, 0), mode="grid-wrap", prefilter=False)
    return found


def _pixels(length: float) -> int:
    return min(MOST_PIXELS, max(2, int(np.ceil(length / PIXEL))))
