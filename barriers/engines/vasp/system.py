"""What of a structure decides on its INCAR and KPOINTS: bulk, slab or interface."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.structures.surface import FRAGMENT, LAYER

LEAST_VACUUM = 6.0
"""A slab has at least this much empty height (Å)."""

LEAST_CLEARANCE = 1.0
"""The plane of the dipole correction stays this far (Å) from every atom."""


def cell_height(structure: Structure) -> float:
    """Height (Å) of the cell along the normal of its first two vectors."""
    return float(structure.lattice.volume / np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def vacuum_height(structure: Structure) -> float:
    """Largest empty height (Å) along the normal of the first two cell vectors."""
    heights = np.sort(structure.frac_coords[:, 2] % 1.0)
    return float(np.diff([*heights, heights[0] + 1.0]).max()) * cell_height(structure)


def slab_centre(structure: Structure) -> float:
    """Fractional height of the middle of the slab; its fragment, where the site property ``layer`` tells, aside.

    Raises
    ------
    ValueError
        If the plane of the dipole correction, half a cell above the middle, would meet atoms.
    """
    layers = structure.site_properties.get(LAYER) or [0] * len(structure)
    heights = structure.frac_coords[[layer != FRAGMENT for layer in layers], 2]
    centre = float(heights.min() + heights.max()) / 2
    away = np.abs((structure.frac_coords[:, 2] - centre) % 1.0 - 0.5) * cell_height(structure)
    if away.min() < LEAST_CLEARANCE:
        raise ValueError(
            f"surface.vacuum: the plane of the dipole correction passes {away.min():.1f} Å from an atom; "
            f"at least {LEAST_CLEARANCE:g} Å are needed, give more vacuum"
        )
    return round(centre % 1.0, 6)


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
        dipole = settings["dipole"] if settings["dipole"] is not None else vacuum_height(structure) >= LEAST_VACUUM
        layers = structure.site_properties.get(LAYER) or []
        a, b, c = (max(1, math.ceil(x / settings["kspacing"])) for x in structure.lattice.reciprocal_lattice.abc)
        if not dipole:
            return cls("bulk", None, (a, b, c))
        return cls("interface" if FRAGMENT in layers else "slab", slab_centre(structure), (a, b, 1))
