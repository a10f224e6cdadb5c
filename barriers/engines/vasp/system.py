"""What of a structure decides on its INCAR and KPOINTS: bulk, slab or interface."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.structures.surface.cutting import FRAGMENT, LAYER

LEAST_VACUUM = 6.0
"""A slab has at least this much empty height (Å)."""


def cell_height(structure: Structure) -> float:
    """Height (Å) of the cell along the normal of its first two vectors."""
    return float(structure.lattice.volume / np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def vacuum(structure: Structure) -> tuple[float, float]:
    """Largest empty part of a cell along its third vector.

    Returns
    -------
    tuple[float, float]
        Its height (Å) along the normal of the first two vectors, and the fractional height of its middle.
    """
    heights = np.sort(structure.frac_coords[:, 2] % 1.0)
    gaps = np.diff([*heights, heights[0] + 1.0])
    widest = int(gaps.argmax())
    return float(gaps[widest]) * cell_height(structure), float(heights[widest] + gaps[widest] / 2) % 1.0


def slab_centre(structure: Structure) -> float:
    """Fractional height of the middle of a slab with all that stands on it.

    The jump of the dipole correction, half a cell above, then lies in the middle of the vacuum. Half a cell above the
    slab alone it would come near a fragment.
    """
    return round((vacuum(structure)[1] + 0.5) % 1.0, 6)


@dataclass
class System:
    """What of a structure decides on its INCAR and KPOINTS besides its sites.

    Attributes
    ----------
    kind : str
        ``bulk``, ``slab`` or ``interface``.
    centre : float or None
        Fractional height of the slab's middle; None for bulk.
    mesh : tuple[int, int, int]
        Γ-centred k-mesh.
    """

    kind: str
    centre: float | None
    mesh: tuple[int, int, int]

    @classmethod
    def of(cls, structure: Structure, settings: dict[str, Any]) -> System:
        """Look at a structure in the study's order, its site property ``layer`` included."""
        dipole = settings["dipole"] if settings["dipole"] is not None else vacuum(structure)[0] >= LEAST_VACUUM
        layers = structure.site_properties.get(LAYER) or []
        a, b, c = (max(1, math.ceil(x / settings["kspacing"])) for x in structure.lattice.reciprocal_lattice.abc)
        if not dipole:
            return cls("bulk", None, (a, b, c))
        return cls("interface" if FRAGMENT in layers else "slab", slab_centre(structure), (a, b, 1))
