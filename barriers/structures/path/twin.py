"""End states that are the same but for a symmetry of the crystal."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

ALIKE = 0.02
"""Ends are alike within this root mean square distance, over the cube root of the volume of an atom.

A Jahn-Teller distortion that points another way is more than that.
"""


class Twin(BaseModel):
    """How a structure is another one, turned and with its atoms in another order."""

    model_config = ConfigDict(frozen=True)

    atoms: tuple[int, ...] = Field(description="for each atom, which one it is of the other structure")
    rotation: tuple[tuple[float, float, float], ...] = Field(
        description="turns a vector of that one, as a row times it"
    )

    def of(self, vectors: np.ndarray) -> np.ndarray:
        """Take a vector of each atom of the other structure, shape (N, 3), over to this one."""
        turned: np.ndarray = vectors[list(self.atoms)] @ np.array(self.rotation)
        return turned


def twin_of(other: Structure, structure: Structure) -> Twin | None:
    """Find how a structure is another one; None if it is not, or if other atoms are frozen.

    Parameters
    ----------
    other, structure : Structure
        Of the same atoms, each in its own order.
    """
    matcher = StructureMatcher(ltol=1e-3, stol=ALIKE, angle_tol=0.1, primitive_cell=False, scale=False)
    if (found := matcher.get_transformation(_periodic(structure), _periodic(other))) is None:
        return None
    cell, _, atoms = found
    rotation = np.linalg.inv(cell @ other.lattice.matrix) @ structure.lattice.matrix
    mobile, of_other = (each.site_properties.get("selective_dynamics") for each in (structure, other))
    if mobile != (of_other and [of_other[atom] for atom in atoms]):
        return None
    return Twin(atoms=tuple(int(atom) for atom in atoms), rotation=tuple(map(tuple, rotation.tolist())))


def _periodic(structure: Structure) -> Structure:
    """Make a structure periodic in all directions: pymatgen's matcher finds no other one the same (2026.10.16)."""
    return Structure(structure.lattice.matrix, structure.species, structure.frac_coords)
