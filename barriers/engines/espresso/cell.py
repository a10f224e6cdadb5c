"""What follows from the cell of a slab: its k-mesh and where its dipole is corrected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

LEAST_VACUUM = 6.0
"""A slab has at least this much empty height (Å)."""


def k_mesh(cell: np.ndarray, kspacing: float, slab: bool) -> tuple[int, int, int] | None:
    """Γ-centred mesh no coarser than ``kspacing`` (1/Å, 2π included); None stands for Γ alone.

    A slab has one point along its third vector, the normal.
    """
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell).T, axis=1)
    x, y, z = (max(1, math.ceil(length / kspacing - 1e-6)) for length in lengths)
    mesh = (x, y, 1 if slab else z)
    return None if mesh == (1, 1, 1) else mesh


def dipole_keywords(images: Sequence[Atoms]) -> dict[str, Any]:
    """Keywords of the dipole correction along the third cell vector, its jump in the middle of the vacuum.

    Raises
    ------
    ValueError
        If there is no vacuum along it.
    """
    heights = np.sort(np.concatenate([image.get_scaled_positions()[:, 2] for image in images]) % 1)
    gaps = np.diff([*heights, heights[0] + 1])
    widest = int(gaps.argmax())
    height = images[0].cell.volume / np.linalg.norm(np.cross(images[0].cell[0], images[0].cell[1]))
    if gaps[widest] * height < LEAST_VACUUM:
        raise ValueError(
            f"no vacuum along the third cell vector: the widest gap is {gaps[widest] * height:.1f} Å, a slab has "
            f"{LEAST_VACUUM:g}; set engine.dipole: false for a crystal"
        )
    width = min(0.1, gaps[widest] / 3)
    start = (heights[widest] + gaps[widest] / 2 - width / 2) % 1
    return {"tefield": True, "dipfield": True, "edir": 3, "emaxpos": float(start), "eopreg": float(width), "eamp": 0.0}
