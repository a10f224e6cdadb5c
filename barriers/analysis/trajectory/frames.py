"""Trajectories as arrays: what they must be for a mean squared displacement, and their atoms unwrapped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]

SAME_CELL = 2e-3
"""Vectors of a fixed cell differ by no more than this (Å) between frames: files keep four decimals or more."""

SAME_STEP = 1e-3
"""Frames are evenly spaced if the times between them differ by no more than this share."""

FARTHEST = 0.4
"""A step longer than this share of the cell's least width may have been one the other way round."""

LEAST = 20
"""Frames that a trajectory needs."""


@dataclass(frozen=True)
class Trajectory:
    """Atoms of one box at evenly spaced times in a fixed cell.

    Attributes
    ----------
    positions : (T, N, 3)
        In Å, in any periodic image.
    cells : (T, 3, 3)
        Lattice vectors as rows (Å).
    times : (T,)
        In ps.
    species : (N,)
        Symbols of elements.
    bonds : (B, 2)
        Pairs of bonded atoms.
    molecules : (N,)
        Number of the molecule that each atom belongs to.
    charges : (N,) or None
        Partial charges (e), if they are known.
    unwrapped : bool
        Whether no atom ever jumps across the cell's border: positions are then taken as they are.
    name : str
        How messages call it.

    Raises
    ------
    ValueError
        One line, if it is too short, unevenly spaced, or its cell changes.
    """

    positions: Floats
    cells: Floats
    times: Floats
    species: tuple[str, ...]
    bonds: Ints
    molecules: Ints
    charges: Floats | None = None
    unwrapped: bool = False
    name: str = field(default="trajectory", compare=False)

    def __post_init__(self) -> None:
        frames, atoms = self.positions.shape[:2]
        if frames < LEAST:
            raise ValueError(f"{self.name}: {frames} frames; allowed: {LEAST} or more")
        if unknown := sorted(set(self.species) - set(chemical_symbols[1:])):
            raise ValueError(f"{self.name}: {unknown[0]!r} is no element; a topology with elements or masses is needed")
        lengths = (len(self.cells), len(self.times), len(self.species), len(self.molecules))
        if lengths != (frames, frames, atoms, atoms):
            raise ValueError(f"{self.name}: {frames} frames of {atoms} atoms do not go with cells, times and species")
        self._check_times()
        self._check_cells()

    def _check_times(self) -> None:
        """Refuse uneven times; files keep them in single precision, which is 0.06 ps after a microsecond."""
        steps, single = np.diff(self.times), float(np.spacing(np.float32(abs(self.times).max())))
        wrong = np.flatnonzero(abs(steps - np.median(steps)) > SAME_STEP * abs(np.median(steps)) + 2 * single)
        if wrong.size or steps[0] <= 0:
            at = int(wrong[0]) if wrong.size else 0
            raise ValueError(
                f"{self.name}: frame {at + 2} is {steps[at]:g} ps after the one before it, others {np.median(steps):g} "
                "ps; allowed: evenly spaced frames, each once (joined parts of a run repeat frames)"
            )

    def _check_cells(self) -> None:
        if abs(np.linalg.det(self.cells[0])) < 1.0:
            raise ValueError(f"{self.name}: no cell; allowed: periodic in three directions")
        change = abs(self.cells - self.cells[0]).max(axis=(1, 2))
        if change.max() > SAME_CELL:
            at = int(np.argmax(change > SAME_CELL))
            raise ValueError(
                f"{self.name}: its cell changes by up to {change.max():.3g} Å, first in frame {at + 1} (NPT); allowed: "
                "a fixed cell (NVT): scaled coordinates are no displacements, write the run at fixed volume"
            )

    @property
    def cell(self) -> Floats:
        """Lattice vectors as rows (Å)."""
        first: Floats = self.cells[0]
        return first

    @property
    def volume(self) -> float:
        """Volume of the cell (Å³)."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def step(self) -> float:
        """Time between frames (ps)."""
        return float((self.times[-1] - self.times[0]) / (len(self.times) - 1))

    @property
    def masses(self) -> Floats:
        """Standard atomic masses (u), shape (N,)."""
        numbers = [atomic_numbers[symbol] for symbol in self.species]
        masses: Floats = atomic_masses[numbers]
        return masses

    @property
    def density(self) -> float:
        """In g/cm³."""
        return float(self.masses.sum() / self.volume * 1.66053907)


def unwrapped(trajectory: Trajectory) -> tuple[Floats, float]:
    """Follow atoms across the cell's borders, in the frame of the centre of mass of all atoms.

    Each step is the shortest of its periodic images. The centre of mass of all atoms is subtracted frame by frame:
    a thermostat that lets the box drift would else add the same parabola to every mean squared displacement.

    Parameters
    ----------
    trajectory : Trajectory
        At least as often written as atoms cross 0.4 of the cell.

    Returns
    -------
    (T, N, 3), float
        Positions (Å) without jumps and drift; how far the centre of mass had drifted at most (Å).

    Raises
    ------
    ValueError
        One line, if a step is too long to be told from one the other way round.
    """
    cell = trajectory.cell.astype(float)
    paths = np.array(trajectory.positions)
    widths = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    shift = np.zeros_like(paths[0], dtype=float)
    for frame in range(1, 1 if trajectory.unwrapped else len(paths)):
        step = trajectory.positions[frame].astype(float) - trajectory.positions[frame - 1]
        images = np.round(step @ np.linalg.inv(cell))
        farthest = np.linalg.norm(step - images @ cell, axis=1).max()
        if farthest > FARTHEST * widths.min():
            raise ValueError(
                f"{trajectory.name}: an atom moves {farthest:.1f} Å from frame {frame} to {frame + 1} in a cell "
                f"{widths.min():.1f} Å wide, across which border is not known; allowed: frames written more often"
            )
        shift -= images @ cell
        paths[frame] += shift.astype(paths.dtype)
    weights = trajectory.masses / trajectory.masses.sum()
    centre = np.einsum("tnx,n->tx", paths, weights, dtype=float)
    centre -= centre[0]
    paths -= centre[:, None].astype(paths.dtype)
    return paths, float(np.linalg.norm(centre, axis=1).max())


def centres(paths: Floats, masses: Floats, molecules: Ints) -> Floats:
    """Give how molecules' centres of mass moved since the first frame (Å), shape (T, M, 3), in order of their numbers.

    Displacements alone are averaged, so that no molecule has to be whole in any frame.
    """
    numbers = np.unique(molecules)
    centres = np.empty((len(paths), len(numbers), 3))
    for place, number in enumerate(numbers):
        atoms = np.flatnonzero(molecules == number)
        moved = paths[:, atoms] - paths[0, atoms].astype(float)
        centres[:, place] = np.einsum("tnx,n->tx", moved, masses[atoms] / masses[atoms].sum())
    return centres
