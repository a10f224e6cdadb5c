"""What of a structure decides on its INCAR and KPOINTS: bulk, slab or interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymatgen.core import Structure

from barriers.engines.dft import k_mesh, vacuum
from barriers.structures.surface.cutting import FRAGMENT, LAYER
from barriers.structures.surface.slab import LEAST_VACUUM


@dataclass
class System:
    """What of a structure decides on its INCAR and KPOINTS besides its sites.

    Attributes
    ----------
    kind : str
        ``bulk``, ``slab`` or ``interface``.
    centre : float or None
        Fractional height of the middle of a slab with all that stands on it; None for bulk.
    mesh : tuple[int, int, int]
        Γ-centred k-mesh.
    """

    kind: str
    centre: float | None
    mesh: tuple[int, int, int]

    @classmethod
    def of(cls, structure: Structure, settings: dict[str, Any]) -> System:
        """Look at a structure in the study's order, its site property ``layer`` included."""
        cell = structure.lattice.matrix
        height, _, middle = vacuum(structure.frac_coords[:, 2], cell)
        dipole = settings["dipole"] if settings["dipole"] is not None else height >= LEAST_VACUUM
        mesh = k_mesh(cell, settings["kspacing"], dipole)
        if not dipole:
            return cls("bulk", None, mesh)
        # The jump, half a cell above, then lies in the middle of the vacuum. Half a cell above the slab alone it would
        # come near a fragment.
        centre = round((middle + 0.5) % 1.0, 6)
        layers = structure.site_properties.get(LAYER) or []
        return cls("interface" if FRAGMENT in layers else "slab", centre, mesh)
