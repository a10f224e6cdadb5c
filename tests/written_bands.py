"""A band that is known to the last digit, and its files as other people's codes write them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]
HEIGHT, TILT, LENGTH = 0.45, 0.1, 3.0


@dataclass(frozen=True)
class Band:
    """Images of a hop of one atom: symbols, cell (rows, Å), positions, energies (eV), forces (eV/Å), what may move."""

    symbols: list[str]
    cell: Array
    positions: Array
    energies: Array
    forces: Array
    free: NDArray[np.bool_]

    @property
    def forward(self) -> float:
        """Barrier of the highest image (eV)."""
        return float(self.energies.max() - self.energies[0])


def numbers(rows: Array) -> str:
    """Rows of numbers, to the last digit."""
    return "".join("".join(f"{value:25.15f}" for value in row) + "\n" for row in np.atleast_2d(rows))


def a_hop(images: int = 5) -> Band:
    """A Li that leaves the cell by its edge, on a slope, between a frozen O, a Ni frozen in z and a free H."""
    cell = np.array([[6.0, 0, 0], [0.6, 5.0, 0], [0, 0.3, 7.0]])
    rest = np.array([[1.0, 1.0, 1.0], [4.0, 2.5, 3.0], [0, 0, 0], [2.0, 4.0, 5.0]])
    along = np.linspace(0, LENGTH, images)
    positions = np.repeat(rest[None], images, axis=0)
    positions[:, 2] = np.array([4.5, 1.0, 2.0]) + along[:, None] * np.array([1.0, 0, 0])
    phase = np.pi * along / LENGTH
    forces = np.zeros_like(positions)
    forces[:, 2, 0] = -HEIGHT * np.pi / LENGTH * np.sin(2 * phase) - TILT / LENGTH
    forces[:, 3, 1] = 0.02 * np.sin(phase)
    free = np.array([[False] * 3, [True, True, False], [True] * 3, [True] * 3])
    energies = -100.0 + HEIGHT * np.sin(phase) ** 2 + TILT * along / LENGTH
    return Band(["O", "Ni", "Li", "H"], cell, positions, energies, forces, free)


def wrapped(band: Band) -> Band:
    """Every atom in the cell, as some codes write it."""
    inside = np.linalg.solve(band.cell.T, band.positions.reshape(-1, 3).T).T % 1.0
    return replace(band, positions=(inside @ band.cell).reshape(band.positions.shape))


def backwards(band: Band) -> Band:
    """The same band from its other end."""
    return replace(band, positions=band.positions[::-1], energies=band.energies[::-1], forces=band.forces[::-1])


def in_order(band: Band, order: list[int]) -> Band:
    """The same band, atoms in another order."""
    return replace(
        band,
        symbols=[band.symbols[atom] for atom in order],
        positions=band.positions[:, order],
        forces=band.forces[:, order],
        free=band.free[order],
    )


def turned(band: Band, seed: int) -> Band:
    """The same band, turned in space with its cell; nothing is frozen in one direction only then."""
    by = Rotation.random(rng=seed).as_matrix().T
    free = np.repeat(band.free.any(axis=1)[:, None], 3, axis=1)
    return replace(band, cell=band.cell @ by, positions=band.positions @ by, forces=band.forces @ by, free=free)
