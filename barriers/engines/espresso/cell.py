"""Where the dipole of a slab is corrected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms

from barriers.engines.dft import vacuum
from barriers.structures.surface.slab import LEAST_VACUUM


def dipole_keywords(images: Sequence[Atoms]) -> dict[str, Any]:
    """Keywords of the dipole correction along the third cell vector, its jump in the middle of the vacuum.

    Raises
    ------
    ValueError
        If there is no vacuum along it.
    """
    heights = np.concatenate([image.get_scaled_positions()[:, 2] for image in images])
    height, gap, middle = vacuum(heights, images[0].cell.array)
    if height < LEAST_VACUUM:
        raise ValueError(
            f"no vacuum along the third cell vector: the widest gap is {height:.1f} Å, a slab has "
            f"{LEAST_VACUUM:g}; set engine.dipole: false for a crystal"
        )
    width = min(0.1, gap / 3)
    start = (middle - width / 2) % 1
    return {"tefield": True, "dipfield": True, "edir": 3, "emaxpos": start, "eopreg": width, "eamp": 0.0}
