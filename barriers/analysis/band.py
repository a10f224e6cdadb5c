"""Bands: displacements between their images, and the checks that a band is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.geometry import find_mic, minkowski_reduce
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Images = Sequence[Any] | Array
"""One entry per image, initial and final included; an entry that was never calculated may be None."""

PERIODIC = (True, True, True)

SHORTEST_STEP = 1e-3
"""Images nearer to each other than this are the same image (Å); frozen atoms move less than this."""

SHARPEST_TURN = 90.0
"""Largest angle between the segments that meet at an image (degrees)."""

SPIN_FLIP = 0.5
"""Largest change of a magnetic moment that is none (µB)."""


def highest_image(energies: Sequence[float | None]) -> int:
    """Number of the highest image of a band by the energies of all (eV), the ends left out."""
    return 1 + int(np.argmax(np.array(energies[1:-1], dtype=float)))


def minimum_image_displacements(positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool] = PERIODIC) -> Array:
    """Displacement of every atom from each image to the next, by its shortest periodic copy.

    Parameters
    ----------
    positions : (n, N, 3)
        Cartesian positions (Å), wrapped or not.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    pbc : three booleans
        Periodic directions.

    Returns
    -------
    (n - 1, N, 3)
        Displacements (Å).
    """
    steps = np.diff(np.asarray(positions, dtype=float), axis=0)
    lattice = np.asarray(cell, dtype=float)
    periodic = lattice.any(axis=1) & np.asarray(pbc, dtype=bool)
    # In a strongly skewed cell find_mic takes a shortcut that misses the shortest copy.
    reduced, _ = minkowski_reduce(lattice, periodic)
    displacements, _ = find_mic(steps.reshape(-1, 3), reduced, periodic)
    return displacements.reshape(steps.shape)


def continuous(positions: ArrayLike, cell: ArrayLike, pbc: Sequence[bool] = PERIODIC) -> Array:
    """Positions of every image, shape (n, N, 3): each atom follows its shortest way from image to image (Å)."""
    first = np.asarray(positions, dtype=float)[:1]
    steps = minimum_image_displacements(positions, cell, pbc)
    return np.concatenate([first, first + np.cumsum(steps, axis=0)])


def problems(
    positions: Images,
    cell: ArrayLike,
    energies: Images,
    forces: Images,
    pbc: Sequence[bool] = PERIODIC,
    *,
    frozen: Sequence[int] = (),
) -> list[str]:
    """Say why a band is no band, before a barrier is read off it.

    Parameters
    ----------
    positions, cell, energies, forces, pbc, frozen
        As in :func:`barriers.analysis.profile.analyse`.

    Returns
    -------
    list[str]
        One line per problem, images numbered from 0 (initial); empty for a sound band.
    """
    return (
        _shape_problems(positions, cell, energies, forces)
        or _value_problems(positions, cell, energies, forces)
        or _path_problems(positions, cell, pbc, frozen)
    )


def _shape_problems(positions: Images, cell: ArrayLike, energies: Images, forces: Images) -> list[str]:
    n = len(positions)
    if not n == len(energies) == len(forces):
        return [f"{n} images, {len(energies)} energies and {len(forces)} sets of forces do not belong together"]
    if n < 3:
        return [f"{n} images are no band: at least 3 are needed, the two endpoints and one between"]
    expected = (np.size(positions[0]) // 3, 3)
    found = [
        f"image {i} has {what} of shape {np.shape(array)}, expected {expected}"
        for i in range(n)
        for what, array in (("positions", positions[i]), ("forces", forces[i]))
        if np.shape(array) != expected and array is not None
    ]
    if np.shape(cell) != (3, 3):
        found.append(f"the cell has shape {np.shape(cell)}, expected (3, 3)")
    return found


def _value_problems(positions: Images, cell: ArrayLike, energies: Images, forces: Images) -> list[str]:
    ends = {0: " (initial)", len(positions) - 1: " (final)"}
    found = [
        f"image {i}{ends.get(i, '')} has no finite {what}"
        for i in range(len(positions))
        for what, value in (("energy", energies[i]), ("positions", positions[i]), ("forces", forces[i]))
        if not np.isfinite(np.asarray(value, dtype=float)).all()
    ]
    return found if np.isfinite(cell).all() else [*found, "the cell is not finite"]


def _path_problems(positions: Images, cell: ArrayLike, pbc: Sequence[bool], frozen: Sequence[int]) -> list[str]:
    steps = minimum_image_displacements(positions, cell, pbc)
    lengths = np.linalg.norm(steps, axis=(1, 2))
    found = [
        f"images {i} and {i + 1} are the same: {length:.1e} Å apart"
        for i, length in enumerate(lengths)
        if length < SHORTEST_STEP
    ]
    cosines = np.einsum("iax,iax->i", steps[:-1], steps[1:]) / np.maximum(lengths[:-1] * lengths[1:], 1e-12)
    found += [
        f"the path turns back at image {i}, by {angle:.0f}°"
        for i, angle in enumerate(np.degrees(np.arccos(np.clip(cosines, -1, 1))), start=1)
        if angle > SHARPEST_TURN
    ]
    moves = np.linalg.norm(steps[:, list(frozen)], axis=2)
    found += [
        f"frozen atom {frozen[j]} moves {moves[i, j]:.3f} Å between images {i} and {i + 1}"
        for i, j in np.argwhere(moves > SHORTEST_STEP)
    ]
    return found


def moment_jumps(moments: Images | None, between: str = "images") -> list[str]:
    """Find spin flips along a band: a flip looks like a barrier.

    Parameters
    ----------
    moments : (n, N) or None
        Magnetic moment of each atom in each image (µB); NaN or None where an atom has none.
    between : str
        What the lines call the rows of ``moments``.

    Returns
    -------
    list[str]
        One line per pair of neighbouring images between which a moment, or the total, jumps by more than
        :data:`SPIN_FLIP`.
    """
    if moments is None:
        return []
    local = np.asarray(moments, dtype=float)
    lines = []
    for i, change in enumerate(np.nan_to_num(np.diff(local, axis=0))):
        total = float(change.sum())
        jumping = np.flatnonzero(np.abs(change) > SPIN_FLIP)
        parts = [f"atom {a} from {local[i, a]:.2f} to {local[i + 1, a]:.2f} µB" for a in jumping]
        if abs(total) > SPIN_FLIP:
            parts.append(f"the total by {total:+.2f} µB")
        if parts:
            lines.append(f"magnetic moments jump between {between} {i} and {i + 1}: {', '.join(parts)}")
    return lines
