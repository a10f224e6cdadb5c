"""Distinct minimum-energy paths among the converged bands of one hop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import ArrayLike

from barriers.analysis.band import PERIODIC, Array, continuous, minimum_image_displacements

MERGED = 0.15
"""A climbing band all of whose atoms are this near (Å) to a converged one is on its way to the same path."""

SAME_PATH = 0.3
"""Largest minimum-image displacement of an atom between two bands of one path (Å)."""

SAME_BARRIER = 0.02
"""Barriers of one path differ by less than this (eV)."""


def distinct_paths(
    bands: Sequence[ArrayLike],
    barriers: Sequence[float],
    cell: ArrayLike,
) -> list[list[int]]:
    """Group bands that converged to the same minimum-energy path.

    Two bands are the same path when their barriers differ by less than :data:`SAME_BARRIER` and no atom of any image is
    more than :data:`SAME_PATH` from where the other band has it. Each band is compared with the lowest band of every
    path found so far.

    Parameters
    ----------
    bands : sequence of (n, N, 3)
        Positions of converged bands (Å) between the same endpoints, each with any number of images.
    barriers : sequence of float
        Barrier of each band (eV), all of one definition.
    cell : (3, 3)
        Lattice vectors as rows (Å), periodic in all directions.

    Returns
    -------
    list[list[int]]
        Indices of the bands of each path, lowest barrier first, among paths and within each.

    Raises
    ------
    ValueError
        If the bands differ in their atoms or in number from the barriers, or a barrier is not finite.
    """
    if len(bands) != len(barriers):
        raise ValueError(f"{len(bands)} bands and {len(barriers)} barriers do not belong together")
    if not np.isfinite(barriers).all():
        raise ValueError("a band without a barrier is no path: give converged bands only")
    shapes = {np.shape(band)[1:] for band in bands}
    if len(shapes) > 1:
        raise ValueError(f"bands differ in atoms: {', '.join(map(str, sorted(shapes)))}")
    paths: list[list[int]] = []
    for index in np.argsort(barriers, kind="stable").tolist():
        for path in paths:
            lowest = path[0]
            alike = barriers[index] - barriers[lowest] < SAME_BARRIER
            if alike and farthest(bands[lowest], bands[index], cell) <= SAME_PATH:
                path.append(index)
                break
        else:
            paths.append([index])
    return paths


def farthest(band: ArrayLike, other: ArrayLike, cell: ArrayLike) -> float:
    """Largest minimum-image displacement of an atom between two bands (Å), image by image.

    Where they have different numbers of images, the longer one is cut at as many places, evenly spaced.
    """
    band, other = np.asarray(band, dtype=float), np.asarray(other, dtype=float)
    if len(band) != len(other):
        fewer = min(len(band), len(other))
        band, other = (_spaced(images, fewer, cell) for images in (band, other))
    pair = np.array([np.reshape(band, (-1, 3)), np.reshape(other, (-1, 3))])
    return float(np.linalg.norm(minimum_image_displacements(pair, cell), axis=-1).max())


def _spaced(band: Array, n: int, cell: ArrayLike) -> Array:
    """Cut a band, straight between its images, at n places that are evenly spaced, the ends included."""
    unwrapped = continuous(band, cell)
    lengths = np.linalg.norm(np.diff(unwrapped, axis=0), axis=(1, 2))
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    cut: Array = scipy.interpolate.make_interp_spline(along, unwrapped, k=1)(np.linspace(0, along[-1], n))
    return cut


def length_at(structures: ArrayLike, band: ArrayLike, cell: ArrayLike, pbc: Sequence[bool] = PERIODIC) -> np.ndarray:
    """Path length (Å) at which a band comes nearest to each of some structures.

    Parameters
    ----------
    structures : (q, N, 3)
        Positions (Å), wrapped or not.
    band : (n, N, 3)
        Positions of the images (Å); between them it is straight.
    cell, pbc
        As in :func:`barriers.analysis.profile.analyse`.

    Returns
    -------
    (q,)
        From 0 to the length of the band.
    """
    steps = minimum_image_displacements(band, cell, pbc)
    lengths = np.linalg.norm(steps, axis=(1, 2))
    along = np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    found = []
    for structure in np.asarray(structures, dtype=float):
        pairs = np.array([np.reshape(band, (-1, 3)), np.tile(structure, (len(steps) + 1, 1))])
        away = minimum_image_displacements(pairs, cell, pbc).reshape(np.shape(band))[:-1]
        shares = np.clip(np.einsum("iax,iax->i", away, steps) / lengths**2, 0.0, 1.0)
        nearest = int(np.linalg.norm(away - shares[:, None, None] * steps, axis=(1, 2)).argmin())
        found.append(along[nearest] + shares[nearest] * lengths[nearest])
    return np.array(found)
