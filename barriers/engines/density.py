"""What the electrons of a structure do, in numbers: one document for all codes, from grids that a code gave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field
from pymatgen.core import Structure

from barriers.analysis.bader import bader
from barriers.analysis.bond_density import Smooth, bond_vector, covalent_bonds
from barriers.analysis.density import Grid, density_difference, interface_height, moved, planar_average
from barriers.analysis.electrons import BaderDoc, BondDoc, ElectronsDoc, PlanarDoc
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc
from barriers.structures.interface.contacts import surface_bonds

MISSING = 0.01
"""A density that integrates to another number of electrons than there are, by more than this (e), is spoken of."""


class DensityDoc(ElectronsDoc):
    """The same from a job, with what it took."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    cost: CostDoc
    engine: EngineDoc


def check_n_slab(structure: Structure, n_slab: int | None) -> None:
    """Raise ``ValueError`` if a number of slab atoms leaves no slab or no fragment."""
    if n_slab is not None and not 0 < n_slab < len(structure):
        raise ValueError(f"n_slab: {n_slab} of {len(structure)} atoms leave no slab or no fragment")


def check_shared_out(
    n_slab: int | None, section: str, keywords: Mapping[str, Any], of_the_whole: Sequence[str]
) -> None:
    """Raise ``ValueError`` if a keyword gives the whole what cannot be shared out among slab and fragment.

    Parameters
    ----------
    n_slab : int or None
        Number of slab atoms; None for a structure in one piece, which may have all of them.
    section : str
        Where the keywords stand, for the message.
    keywords : Mapping
        What is set.
    of_the_whole : sequence of str
        Keywords of that kind.
    """
    if n_slab is not None and (fixed := [name for name in of_the_whole if keywords.get(name)]):
        raise ValueError(
            f"{section}: {fixed[0]}: {keywords[fixed[0]]} is the whole's and says nothing of slab and fragment "
            f"alone; leave it out, or ask for the structure in one piece (n_slab: None)"
        )


@dataclass(frozen=True)
class Electrons:
    """Grids of one structure.

    Attributes
    ----------
    structure : Structure
        The whole, slab atoms first.
    valence : sequence of float
        Electrons that each atom brings (e).
    density : Grid
        Valence density.
    slab, fragment : Grid or None
        Valence densities of both alone; None for one piece.
    reference : Grid or None
        Density with cores, for Bader's surfaces.
    elf, elf_alone : Grid or None
        ELF of the whole and of the fragment alone.
    charge : float
        Of the cell (e).
    """

    structure: Structure
    valence: Sequence[float]
    density: Grid
    slab: Grid | None = None
    fragment: Grid | None = None
    reference: Grid | None = None
    elf: Grid | None = None
    elf_alone: Grid | None = None
    charge: float = 0.0

    def difference(self) -> Grid | None:
        """Δρ, where there is a slab with a fragment."""
        if self.slab is None or self.fragment is None:
            return None
        return density_difference(self.density, {"slab": self.slab, "fragment": self.fragment})


def electron_numbers(
    electrons: Electrons, difference: Grid | None, n_slab: int | None, reference: str
) -> dict[str, Any]:
    """Work out the fields of a :class:`DensityDoc` that follow from grids alone.

    Parameters
    ----------
    electrons : Electrons
        The grids.
    difference : Grid or None
        What :meth:`Electrons.difference` gave.
    n_slab : int or None
        Number of slab atoms.
    reference : str
        What Bader's surfaces are of, in words.
    """
    divided = bader(electrons.density, electrons.reference)
    charges = np.array(electrons.valence) - divided.electrons
    warnings = [f"Bader: {note}" for note in divided.notes]
    expected = sum(electrons.valence) - electrons.charge
    if abs(electrons.density.total - expected) > MISSING:
        warnings.append(f"the density integrates to {electrons.density.total:.3f} e, there are {expected:g}")
    fields: dict[str, Any] = {
        "structure": electrons.structure,
        "n_slab": n_slab,
        "electrons": electrons.density.total,
        "bader": BaderDoc(
            charges=charges.tolist(),
            fragment=None if n_slab is None else float(charges[n_slab:].sum()),
            vacuum=divided.vacuum,
            elsewhere=divided.elsewhere,
            reference=reference,
        ),
        "bonds": _bonds(electrons, n_slab),
        "warnings": warnings,
    }
    return fields | (_interface(electrons.structure, difference, n_slab, warnings) if difference and n_slab else {})


def _interface(structure: Structure, difference: Grid, n_slab: int, warnings: list[str]) -> dict[str, Any]:
    """Fields that follow from Δρ."""
    average = planar_average(difference)
    plane = interface_height(structure, n_slab)
    if plane is None:
        warnings.append("the fragment reaches below the topmost slab atom: no plane parts them, see Bader's charges")
    return {
        "left": difference.total,
        "moved": moved(difference),
        "plane": plane,
        "transferred": None if plane is None else difference.total - average.below(plane),
        "difference": PlanarDoc(
            heights=average.heights.tolist(), values=average.values.tolist(), running=average.running.tolist()
        ),
    }


def _bonds(electrons: Electrons, n_slab: int | None) -> list[BondDoc]:
    """Bonds of the fragment and to the surface, or of a structure in one piece; none without the ELF."""
    structure, first = electrons.structure, n_slab or 0
    pairs = [pair for pair in covalent_bonds(structure) if pair[0] >= first]
    if n_slab is not None:
        pairs += [(bond.slab_atom, bond.fragment_atom) for bond in surface_bonds(structure, n_slab)]
    if electrons.elf is None or not pairs:
        return []
    elf, density = Smooth(electrons.elf), Smooth(electrons.density)
    elf_alone = Smooth(electrons.elf_alone) if electrons.elf_alone else None
    alone = Smooth(electrons.fragment) if electrons.fragment else None
    found = []
    for one, other in sorted(pairs):
        inner = (one - first, other - first) if one >= first else None
        elements = structure[one].specie.symbol, structure[other].specie.symbol
        like = elements[0] == elements[1]
        line = elf.along(one, other)
        found.append(
            BondDoc(
                atoms=(one, other),
                elements=elements,
                length=float(np.linalg.norm(bond_vector(structure, one, other)[1])),
                elf_middle=line.middle,
                elf_highest=line.highest,
                elf_middle_alone=elf_alone.along(*inner).middle if inner and elf_alone else None,
                ellipticity=_known(density.ellipticity(one, other)) if like else None,
                ellipticity_alone=_known(alone.ellipticity(*inner)) if like and inner and alone else None,
            )
        )
    return found


def _known(value: float) -> float | None:
    """None for what is no number, which JSON cannot hold."""
    return None if math.isnan(value) else value
