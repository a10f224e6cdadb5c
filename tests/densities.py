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
    """A Gaussian of so many electrons and of that width (Å) at each atom."""
    fractional = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    values = np.zeros(shape)
    for place, count in zip(structure.frac_coords, electrons, strict=True):
        near = fractional - place - np.rint(fractional - place)
        for image in IMAGES:
            squared = (((near + image) @ structure.lattice.matrix) ** 2).sum(axis=-1)
            values += count * np.exp(-squared / 2 / width**2) / (2 * np.pi * width**2) ** 1.5
    return Grid(values, structure)
