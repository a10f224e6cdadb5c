"""What is kept of the electrons of a structure: charges, Δρ over planes, bonds, and where the grids are."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field
from pymatgen.core import Structure

Quantity = Literal["density", "elf"]
"""A density is in e/bohr³ in a cube, and multiplied by the cell's volume in a CHGCAR; the ELF is a plain number."""


class GridDoc(BaseModel):
    """A function on a grid in a file of its own, which no store holds."""

    name: str = Field(description="what it is, e.g. difference")
    quantity: Quantity = Field(description="density (e/Å³ once it is read) or elf")
    path: str = Field(description="the file, on the machine that computed it")
    sha256: str
    shape: tuple[int, int, int] = Field(description="points along the three cell vectors")


class PlanarDoc(BaseModel):
    """A density integrated over planes parallel to the surface, from the vacuum below the slab upwards."""

    heights: list[float] = Field(description="along the normal (Å)")
    values: list[float] = Field(description="electrons per height (e/Å)")
    running: list[float] = Field(description="electrons below each height (e)")


class BaderDoc(BaseModel):
    """Charges of atoms by Bader's surfaces."""

    charges: list[float] = Field(description="of each atom (e): valence electrons of the neutral atom less its own")
    fragment: float | None = Field(None, description="sum over the fragment (e), negative where it gained electrons")
    vacuum: float = Field(description="electrons where there is next to no density (e), no atom's")
    elsewhere: float = Field(description="electrons at maxima that are no atom's (e)")
    reference: str = Field(description="density whose surfaces part the atoms")


class LowdinDoc(BaseModel):
    """Charges of atoms by projection onto atomic orbitals. What is not projected is no atom's."""

    charges: list[float] = Field(description="of each atom (e)")
    moments: list[float] | None = Field(None, description="of each atom (µB); None without spin")
    spilling: float = Field(description="part of the electrons that no atomic orbital takes, 0 to 1")


class BondDoc(BaseModel):
    """A bond of the fragment, or between fragment and surface; ``alone`` is the fragment without the slab."""

    atoms: tuple[int, int]
    elements: tuple[str, str]
    length: float = Field(description="in Å")
    elf_middle: float | None = Field(None, description="ELF halfway")
    elf_highest: float | None = Field(None, description="highest ELF in the middle half")
    elf_middle_alone: float | None = None
    ellipticity: float | None = Field(None, description="of the valence density halfway; of like atoms alone")
    ellipticity_alone: float | None = None


class ElectronsDoc(BaseModel):
    """Electrons of a structure, and what they do when it is put together from slab and fragment."""

    structure: Structure
    n_slab: int | None = Field(None, description="number of slab atoms, which come first; None for one piece")
    electrons: float = Field(description="integral of the density (e)")
    left: float | None = Field(None, description="integral of Δρ, which should be 0 (e)")
    moved: float | None = Field(None, description="∫|Δρ|/2: electrons that change their place (e)")
    transferred: float | None = Field(None, description="electrons that cross the plane to the fragment (e)")
    plane: float | None = Field(None, description="height of that plane (Å), midway between slab and fragment")
    difference: PlanarDoc | None = Field(None, description="Δρ integrated over planes")
    bader: BaderDoc
    lowdin: LowdinDoc | None = None
    bonds: list[BondDoc] = Field(default_factory=list)
    moments: list[float] | None = Field(None, description="magnetic moment of each site (µB), the code's own")
    warnings: list[str] = Field(default_factory=list)
    grids: list[GridDoc] = Field(default_factory=list, description="files with the grids")


class ElectronsRow(BaseModel):
    """Electrons of one structure of a study."""

    system: str
    state: str = Field(description="relaxed, or hop and state of a band")
    document: ElectronsDoc | None = None
    reason: str | None = Field(None, description="why there are none")
