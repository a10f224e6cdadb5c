"""Neighbours of an ion: radial distribution functions, where the first shell ends, and how many are in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from pymatgen.optimization.neighbors import find_points_in_spheres
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from barriers.analysis.trajectory.frames import LEAST, Floats, Ints, Trajectory

REACH = 8.0
"""Radial distribution functions end at this distance (Å)."""

WIDTH = 0.05
"""Width of their bins (Å)."""

SMOOTH = 0.1
"""They are smoothed by this (Å) where peaks and minima are looked for."""

FRAMES = 200
"""Frames that they are averaged over, evenly from all."""

SAME = 1e-8
"""Length (Å) by which C code tells an atom from itself."""


class ShellDoc(BaseModel):
    """The first shell of one element around the ion."""

    element: str
    peak: float | None = Field(None, description="distance of the first maximum (Å)")
    cutoff: float | None = Field(None, description="distance of the minimum after it (Å); none without structure")
    number: float | None = Field(None, description="atoms within the cutoff, mean over ions and time")
    number_error: float | None = Field(None, description="its standard error over ions")
    r: list[float] = Field(default_factory=list, description="middles of bins (Å)")
    g: list[float] = Field(default_factory=list, description="radial distribution function")


def neighbours(points: Floats, around: Floats, cell: Floats, reach: float) -> tuple[Ints, Ints, Floats]:
    """Pairs within a distance of each other, through all borders of any cell.

    Parameters
    ----------
    points, around : (N, 3), (M, 3)
        In Å.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    reach : float
        In Å.

    Returns
    -------
    (P,), (P,), (P,)
        For each pair the number in ``around``, that in ``points``, and their distance (Å).
    """
    if not len(points) or not len(around):  # the C code takes no empty arrays
        return np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0)
    inverse = np.linalg.inv(cell)  # points far outside of the cell would cost the C code minutes
    inside, centres = (np.ascontiguousarray((each @ inverse) % 1.0 @ cell, dtype=float) for each in (points, around))
    first, last, _, distances = find_points_in_spheres(
        inside,
        centres,
        r=reach,
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(cell, dtype=float),
        tol=SAME,
    )
    return first, last, distances


def spread(frames: int, most: int) -> Ints:
    """Numbers of at most that many frames, evenly spaced from the first on."""
    return np.arange(0, frames, -(-frames // most))


def shell(boxes: Sequence[tuple[Trajectory, Ints, Ints]], element: str) -> ShellDoc:
    """Radial distribution function of atoms around ions, and the first shell where it has one.

    Parameters
    ----------
    boxes : sequence of (Trajectory, (M,), (N,))
        Boxes of one matrix, each with the numbers of its ions and of the other atoms.
    element : str
        How the other atoms are called.
    """
    each = [_around(*box, max(LEAST, FRAMES // len(boxes))) for box in boxes]
    r = (np.arange(round(REACH / WIDTH)) + 0.5) * WIDTH
    g = np.mean([function for function, _ in each], axis=0)
    counted = np.concatenate([around for _, around in each])
    peak, cutoff = first_shell(r, g, counted.sum(axis=0) / len(boxes))
    document = ShellDoc(element=element, peak=peak, cutoff=cutoff, r=r.tolist(), g=g.tolist())
    if cutoff is not None:
        within = counted[:, r < cutoff].sum(axis=1)
        document.number = float(within.mean())
        document.number_error = float(within.std(ddof=1) / np.sqrt(len(within))) if len(within) > 1 else None
    return document


def _around(trajectory: Trajectory, ions: Ints, atoms: Ints, most: int) -> tuple[Floats, Floats]:
    """Give the function of one box (B,), and atoms in each bin around each ion (M, B)."""
    bins = round(REACH / WIDTH)
    counted = np.zeros((len(ions), bins))
    frames = spread(len(trajectory.positions), most)
    for now in trajectory.positions[frames]:
        first, last, apart = neighbours(now[atoms], now[ions], trajectory.cell, REACH)
        other = ions[first] != atoms[last]
        place = np.minimum(apart[other] / WIDTH, bins - 1).astype(int)
        np.add.at(counted, (first[other], place), 1 / len(frames))
    edges = np.arange(bins + 1) * WIDTH
    partners = len(atoms) - len(np.intersect1d(ions, atoms)) / len(ions)  # an ion is no partner of its own
    ideal = 4 / 3 * np.pi * (edges[1:] ** 3 - edges[:-1] ** 3) * max(partners, 1) / trajectory.volume
    return counted.mean(axis=0) / ideal, counted


def first_shell(r: Floats, g: Floats, atoms: Floats) -> tuple[float | None, float | None]:
    """Distances (Å) of the first maximum and of the minimum behind it; None where the function has no structure.

    The minimum is the middle of the lowest stretch before the next maximum, or its beginning where none follows. A
    maximum counts if one atom at least of the box is in it on average, by ``atoms`` (B,) in each bin; others are noise.
    """
    smooth: NDArray[np.float64] = gaussian_filter1d(g, SMOOTH / WIDTH)
    peaks, _ = find_peaks(smooth, height=1.5, prominence=0.25 * max(float(smooth.max()), 1.0))
    filled = [int(peak) for peak in peaks if atoms[abs(r - r[peak]) <= 2 * SMOOTH].sum() >= 1]
    if not filled:
        return None, None
    first = filled[0]
    further, _ = find_peaks(smooth[first:], prominence=0.05 * smooth[first])
    further = further[r[first + further] > r[first] + 0.5]
    stretch = smooth[first : first + min([*further, round(2.0 / WIDTH)]) + 1]
    lowest = int(np.argmin(stretch))
    above = np.flatnonzero(stretch > stretch[lowest] + 0.01 * smooth[first])
    left = max(above[above < lowest], default=0) + 1
    right = min(above[above > lowest], default=len(stretch)) - 1
    place = (left + right) // 2 if further.size else left
    return float(r[first]), float(r[min(first + place, len(r) - 1)])
