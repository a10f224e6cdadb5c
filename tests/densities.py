"""Densities made up of Gaussians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.density import Grid


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
