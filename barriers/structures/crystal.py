"""Bulk crystals: what is refused in one, and the supercell in which an ion does not feel its images."""

from __future__ import annotations

from itertools import product
from math import ceil, prod

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.path.endpoints import overlap
from barriers.structures.rounding import round_off
from barriers.words import closest

Repeats = tuple[int, int, int]

LEAST_VECTOR = 10.0
"""Shortest lattice vector of a supercell that is chosen (Å), more where twice the longest hop is longer."""

MOST_ATOMS = 200
"""Supercells of more atoms are warned of."""

SYMPREC = 0.01
"""Positions that differ by less (Å) are the same."""

FULL = 1e-3
"""How far from one an occupancy may lie."""


def is_held_in_part(structure: Structure) -> bool:
    """Tell whether a site of a crystal is held by several elements, or is empty in part."""
    return any(len(site.species) > 1 or abs(site.species.num_atoms - 1) > FULL for site in structure)


def plain_crystal(structure: Structure, ion: str) -> Structure:
    """Give elements and positions alone of a crystal that hops of an ion can be found in, each site held by one atom.

    Raises
    ------
    ValueError
        One line, if atoms overlap, or there is no such ion.
    """
    elements = [site.specie.symbol for site in structure]
    if ion not in elements:
        there = sorted(set(elements))
        allowed = ", ".join(there) + closest(ion, there)
        raise ValueError(f"no {ion} in {structure.composition.reduced_formula}; allowed: {allowed}")
    plain = Structure(structure.lattice, elements, structure.frac_coords)
    if pair := overlap(AseAtomsAdaptor.get_atoms(plain)):
        raise ValueError(f"{pair}, they overlap; allowed: a file that lists each atom once")
    return plain


def conventional(structure: Structure) -> Structure:
    """Give the conventional cell of a crystal: the given one, with its axes, where that has its shape."""
    refined = SpacegroupAnalyzer(structure, SYMPREC).get_refined_structure()
    given, standard = (np.sort([*each.abc, *each.angles]) for each in (structure.lattice, refined.lattice))
    alike = len(refined) == len(structure) and np.allclose(given, standard, atol=SYMPREC)
    return structure if alike else refined


def primitive(structure: Structure) -> Structure:
    """Give the primitive cell of a crystal, its sites as they are."""
    dataset = SpacegroupAnalyzer(structure, SYMPREC).get_symmetry_dataset()
    first = np.unique(dataset.mapping_to_primitive, return_index=True)[1]
    species = [structure[int(site)].species for site in first]
    return Structure(
        Lattice(dataset.primitive_lattice), species, structure.cart_coords[first], coords_are_cartesian=True
    )


def space_group(structure: Structure) -> str:
    """Symbol of the space group."""
    return str(SpacegroupAnalyzer(structure, SYMPREC).get_space_group_symbol())


def shortest_vector(lattice: Lattice) -> float:
    """Length of the shortest lattice vector (Å), which may be none of the cell's edges."""
    return float(min(lattice.get_lll_reduced_lattice().abc))


def repeats_for(lattice: Lattice, least: float = LEAST_VECTOR) -> Repeats:
    """Fewest repeats of a cell after which no lattice vector is shorter than ``least`` (Å); of equals the roundest."""
    most = [ceil(least / length) + 1 for length in _heights(lattice)]
    choices: list[Repeats] = [(i, j, k) for i, j, k in product(*(range(1, number + 1) for number in most))]
    apart = {each: round_off(shortest_vector(_repeated(lattice, each)), 3) for each in choices}
    enough = [each for each in choices if apart[each] >= round_off(least, 3)]
    return min(enough, key=lambda each: (prod(each), -apart[each], each))


def _heights(lattice: Lattice) -> np.ndarray:
    """Distance between opposite faces of the cell (Å), along each vector."""
    return np.array(1 / np.array(lattice.reciprocal_lattice_crystallographic.abc))


def _repeated(lattice: Lattice, repeats: Repeats) -> Lattice:
    return Lattice(lattice.matrix * np.array(repeats)[:, None])
