"""The supercell of a crystal whose sites are held in part, ordered: what its hops are computed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.structures.crystal import Repeats, conventional, primitive, repeats_for, space_group
from barriers.structures.network.network import least_vector
from barriers.structures.network.ordered import Ordering, order_sites
from barriers.structures.network.sites import merge_sites, most_frequent
from barriers.structures.path.endpoints import overlap
from barriers.words import closest

OFF = 0.5
"""Atoms of one element in the ordering may differ by so many from those that the occupancies give."""


@dataclass(frozen=True)
class OrderedCrystal:
    """One ordering of a crystal whose sites are held in part.

    Attributes
    ----------
    average : Structure
        The supercell with its partial occupancies, split sites of the ion merged.
    ordering : Ordering
        Whole atoms on its sites, and how they were chosen.
    repeats : (int, int, int)
        How often the cell is repeated along its vectors.
    space_group : str
        Of the crystal with its partial occupancies.
    """

    average: Structure
    ordering: Ordering
    repeats: Repeats
    space_group: str

    @property
    def warnings(self) -> Iterator[str]:
        """Say where whole atoms come less near to the occupancies than they should: a line an element."""
        wanted = self.average.composition.element_composition
        for element, amount in wanted.items():
            found = self.ordering.structure.composition[element]
            if abs(found - amount) > OFF:
                yield (
                    f"crystal.file: {found:g} {element.symbol} in the ordered supercell, its occupancies give "
                    f"{amount:.2f}; a larger supercell comes nearer"
                )


def order_crystal(crystal: Structure, ion: str, supercell: Literal["auto"] | Repeats = "auto") -> OrderedCrystal:
    """Repeat a crystal whose sites are held in part, and order its supercell.

    The larger the cell that is ordered, the nearer the counts come; so the supercell is ordered, and not a cell that
    would be repeated with its ordering. An ordering keeps no symmetry: ``auto`` takes repeats of the primitive cell
    where these have fewer sites than those of the conventional one.

    Parameters
    ----------
    crystal : Structure
        Crystal with partial occupancies.
    ion : str
        Element that moves.
    supercell : "auto" or (int, int, int)
        Repeats of the cell.

    Raises
    ------
    ValueError
        One line, if no site is the ion's, or atoms of the ordering overlap.
    """
    species = [site.species.element_composition for site in crystal]
    elements = sorted({most_frequent(site) for site in crystal})
    if ion not in elements:
        allowed = ", ".join(elements) + closest(ion, elements)
        raise ValueError(f"no site of {ion} in {crystal.composition.reduced_formula}; allowed: {allowed}")
    cell = merge_sites(Structure(crystal.lattice, species, crystal.frac_coords), ion)
    group, repeats = space_group(cell), supercell
    if repeats == "auto":
        cells = (conventional(cell), primitive(cell))
        repeated = [(each, repeats_for(each.lattice, least_vector(each, ion))) for each in cells]
        cell, repeats = min(repeated, key=lambda entry: len(entry[0]) * int(np.prod(entry[1])))
    average = cell.copy()
    average.make_supercell(repeats, to_unit_cell=False)
    ordering = order_sites(average, ion)
    if ion not in ordering.structure.symbol_set:
        raise ValueError(f"no {ion} is left where whole atoms are put on the sites; allowed: a larger supercell")
    if pair := overlap(AseAtomsAdaptor.get_atoms(ordering.structure)):
        raise ValueError(f"{pair}, they overlap in the ordering; allowed: a file whose split sites are one")
    return OrderedCrystal(average, ordering, repeats, group)
