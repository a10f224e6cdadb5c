"""A packed box of chains and salt: what is in it, atom by atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from barriers.structures.matrix.parameters import Parameters, from_json

Role = Literal["chain", "cation", "anion"]


class MoleculeDoc(BaseModel):
    """One molecule of a box."""

    kind: str = Field(description="name of its kind: molecules of one kind have the same parameters in the same order")
    role: Role
    first: int = Field(description="number of its first atom, from 0")
    atoms: int = Field(description="how many it has, one after the other")
    backbone: list[int] = Field(default_factory=list, description="numbers of a chain's backbone atoms, head first")
    eliminated: list[int] = Field(default_factory=list, description="bonds of its backbone that became C=C, from 1")


class MatrixBox(BaseModel):
    """What a box is made of and by what."""

    system: str = Field(description="name of the matrix")
    number: int = Field(description="which of its independently packed boxes, from 1")
    seed: int
    polymer: str
    units: int = Field(description="repeat units of a chain")
    chains: int
    eliminate: str | None = None
    fraction: float = Field(0.0, description="share of the places of a chain that lost it")
    tacticity: str | None = Field(None, description="of the chains; none where the backbone has no stereocentres")
    salt: str
    pairs: int = Field(description="formula units of salt")
    charge_scale: float = Field(description="factor on the charges of the salt between molecules")
    force_field: str
    charges: str = Field(description="model of the partial charges")
    versions: dict[str, str] = Field(description="of the packages that made it")
    edge: float = Field(description="of the cubic cell as packed (Å)")
    density: float = Field(description="as packed (g/cm³)")
    species: list[str] = Field(description="element of each atom")
    molecules: list[MoleculeDoc]

    def atoms_of(self, role: Role) -> list[list[int]]:
        """Numbers of the atoms of each molecule of a role."""
        return [[*range(each.first, each.first + each.atoms)] for each in self.molecules if each.role == role]

    @property
    def ions(self) -> list[int]:
        """Numbers of the atoms that are cations."""
        return [atom for atoms in self.atoms_of("cation") for atom in atoms]

    @property
    def backbones(self) -> list[list[int]]:
        """Backbone atoms of each chain, head first."""
        return [each.backbone for each in self.molecules if each.role == "chain"]


@dataclass(frozen=True)
class Box:
    """A box and the texts that it is run from.

    Attributes
    ----------
    document : MatrixBox
        What is in it.
    pdb : str
        Cell, atoms, one residue a molecule, one chain a role, bonds.
    system : str
        An OpenMM ``System`` as XML: periodic, with its cell, true masses, and bonds to hydrogen as constraints.
    parameters : str
        Force field of each kind of molecule, as JSON.
    """

    document: MatrixBox
    pdb: str
    system: str
    parameters: str

    @property
    def positions(self) -> NDArray[np.floating]:
        """Positions (Å) as packed, shape (N, 3), molecules whole."""
        rows = [line for line in self.pdb.splitlines() if line.startswith(("ATOM", "HETATM"))]
        return np.array([[float(row[at : at + 8]) for at in (30, 38, 46)] for row in rows])

    @property
    def kinds(self) -> dict[str, Parameters]:
        """Force field of each kind of molecule."""
        return from_json(self.parameters)
