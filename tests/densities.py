"""Densities made up of Gaussians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.density import Grid

IMAGES = np.array([[i, j, k] for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])


def gaussians(
    structure: Structure, electrons: Sequence[float], shape: tuple[int, int, int], width: float = 0.4
) -> Grid:
    """A Gaussian of so many electrons and of that width (Å) at each atom, all images summed in reciprocal space."""
    numbers = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij"), axis=-1)
    waves = numbers @ structure.lattice.reciprocal_lattice.matrix
    parts = np.zeros(shape, dtype=complex)
    for place, count in zip(structure.frac_coords, electrons, strict=True):
        parts += count * np.exp(-2j * np.pi * (numbers @ place))
    parts *= np.exp(-((waves**2).sum(axis=-1)) * width**2 / 2) / structure.volume
    return Grid(np.fft.ifftn(parts).real * np.prod(shape), structure)


def steepest(density: Grid, reference: Grid) -> np.ndarray:
    """Electrons of each atom by walking from point to point, each time to the steepest of the 26 neighbours."""
    height, shape = reference.values, np.array(density.shape)
    number = np.arange(height.size).reshape(density.shape)
    best, onward = np.zeros(density.shape), number.copy()
    for step in IMAGES[np.abs(IMAGES).any(axis=1)]:
        slope = (np.roll(height, -step, (0, 1, 2)) - height) / np.linalg.norm(
            step / shape @ density.structure.lattice.matrix
        )
        onward = np.where(slope > best, np.roll(number, -step, (0, 1, 2)), onward)
        best = np.maximum(best, slope)
    ends = onward.ravel()
    while (ends[ends] != ends).any():
        ends = ends[ends]
    electrons = np.zeros(len(density.structure))
    for end in np.unique(ends):
        place = np.array(np.unravel_index(end, density.shape)) / shape
        nearest = density.structure.lattice.get_all_distances(place[None], density.structure.frac_coords).argmin()
        electrons[nearest] += density.values.ravel()[ends == end].sum() * density.voxel
    return electrons
