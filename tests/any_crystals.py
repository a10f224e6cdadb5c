"""Crystals of all crystal systems as people bring them, with what is odd about some: made from seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.symmetry.groups import SpaceGroup

SYSTEMS = {
    "triclinic": (1, 2),
    "monoclinic": (3, 15),
    "orthorhombic": (16, 74),
    "tetragonal": (75, 142),
    "trigonal": (143, 167),
    "hexagonal": (168, 194),
    "cubic": (195, 230),
}
IONS = ("Li", "Na", "K", "Mg", "Ca", "Zn", "Al")
METALS = ("Ti", "V", "Mn", "Fe", "Co", "Ni", "Zr", "La", "Sc", "Ge", "P", "Si", "B", "Nb")
ANIONS = ("O", "F", "S", "Se", "Cl", "Br", "I", "N")
SPECIAL = (0.0, 0.25, 0.5, 0.125, 1 / 3, 2 / 3, 0.75)
ON_SPECIAL = {"tetragonal": 0.8, "trigonal": 0.8, "hexagonal": 0.9, "cubic": 1.0}
"""Share of coordinates that are special, 0.6 where a system is not named: cubic groups have many general ones."""

VOLUME = 14.0
"""Of an atom (Å³): between close-packed oxides, 10, and iodides, 30."""

Random = np.random.Generator


def lattice_of(system: str, random: Random) -> Lattice:
    """Give a lattice of a crystal system whose shortest edge is 1; trigonal ones in hexagonal axes."""
    a, b, c = 1 + random.random(3) * 1.5
    alpha, beta, gamma = random.uniform(65, 115, 3)
    return {
        "triclinic": lambda: Lattice.from_parameters(a, b, c, alpha, beta, gamma),
        "monoclinic": lambda: Lattice.monoclinic(a, b, c, beta),
        "orthorhombic": lambda: Lattice.orthorhombic(a, b, c),
        "tetragonal": lambda: Lattice.tetragonal(a, c),
        "trigonal": lambda: Lattice.hexagonal(a, c),
        "hexagonal": lambda: Lattice.hexagonal(a, c),
        "cubic": lambda: Lattice.cubic(a),
    }[system]()


def crystal(system: str, ion: str, random: Random) -> Structure:
    """Give a crystal of 2 to 100 atoms, an ion, a metal and two anions, in random positions, many of them special."""
    special = ON_SPECIAL.get(system, 0.6)
    while True:
        number = int(random.integers(SYSTEMS[system][0], SYSTEMS[system][1] + 1))
        group = SpaceGroup.from_int_number(number)
        species = [ion, str(random.choice(METALS)), *random.choice(ANIONS, 2)]
        places = [
            [random.choice(SPECIAL) if random.random() < special else random.random() for _ in range(3)]
            for _ in species
        ]
        made = Structure.from_spacegroup(group.symbol, lattice_of(system, random), species, places)
        if not 2 <= len(made) <= 100:
            continue
        made.scale_lattice(VOLUME * len(made))
        near = made.distance_matrix + 9 * np.eye(len(made))
        if near.min() > 1.3:
            return made


def _partly_filled(structure: Structure) -> None:
    """Half of the first element's places are empty."""
    first = structure[0].specie.symbol
    for index in structure.indices_from_symbol(first):
        structure[index] = {first: 0.5}


def _mixed_metals(structure: Structure) -> None:
    metal = next(site.specie.symbol for site in structure if site.specie.symbol in METALS)
    for index in structure.indices_from_symbol(metal):
        structure[index] = {metal: 0.7, "Cr": 0.3}


def _split(structure: Structure) -> None:
    """Give each of the first element's places two that are nearer than atoms can be, half filled."""
    first = structure[0].specie.symbol
    for index in structure.indices_from_symbol(first):
        structure[index] = {first: 0.5}
        structure.append({first: 0.5}, structure[index].coords + np.array([0.4, 0.1, 0.0]), coords_are_cartesian=True)


def _charged(structure: Structure) -> None:
    structure.add_oxidation_state_by_guess(max_sites=-1)


def _unwrapped(structure: Structure) -> None:
    structure.translate_sites(range(0, len(structure), 2), [1, -2, 3], to_unit_cell=False)


def _skewed(structure: Structure) -> None:
    structure.make_supercell([[1, 0, 0], [2, 1, 0], [1, -3, 1]], to_unit_cell=False)


def _left_handed(structure: Structure) -> None:
    structure.make_supercell([[0, 1, 0], [1, 0, 0], [0, 0, 1]], to_unit_cell=False)


def _long(structure: Structure) -> None:
    structure.make_supercell([6, 1, 1])


def _squeezed(structure: Structure) -> None:
    """Atoms stand inside each other."""
    structure.scale_lattice(structure.volume * 0.2)


def _roomy(structure: Structure) -> None:
    structure.scale_lattice(structure.volume * 8)


def _without_ion(structure: Structure) -> None:
    structure.remove_species([structure[0].specie.symbol])


def _alone(structure: Structure) -> None:
    structure.remove_sites(range(1, len(structure)))


def _ion_alone(structure: Structure) -> None:
    structure.remove_species([element for element in structure.elements if element != structure[0].specie])


def _heavy_hydrogen(structure: Structure) -> None:
    structure.append("D", structure[0].coords + np.array([0.9, 0, 0]), coords_are_cartesian=True)


def _twice(structure: Structure) -> None:
    """Write an atom twice."""
    structure.append(structure[0].species, structure[0].frac_coords)


def _box(structure: Structure) -> None:
    """Put a molecule into a box."""
    structure.lattice = Lattice.cubic(12)
    structure.remove_sites(range(len(structure)))
    for element, x in (("Li", 0.5), ("F", 0.63)):
        structure.append(element, [x, 0.5, 0.5])


ODDITIES: tuple[Callable[[Structure], None], ...] = (
    _partly_filled,
    _mixed_metals,
    _split,
    _charged,
    _unwrapped,
    _skewed,
    _left_handed,
    _long,
    _squeezed,
    _roomy,
    _without_ion,
    _alone,
    _ion_alone,
    _heavy_hydrogen,
    _twice,
    _box,
)


def write_crystal(number: int, folder: Path) -> tuple[Path, str, str]:
    """Write the crystal of a number as CIF or POSCAR; give its file, its ion, and what is odd about it, if anything."""
    random = np.random.default_rng(number)
    system = list(SYSTEMS)[number % len(SYSTEMS)]
    ion = IONS[number // len(SYSTEMS) % len(IONS)]
    made = crystal(system, ion, random)
    odd = ODDITIES[number // 2 % len(ODDITIES)] if number % 2 else None
    if odd is not None:
        odd(made)
    as_poscar = made.is_ordered and random.random() < 0.4
    path = folder / f"{number}.{'vasp' if as_poscar else 'cif'}"
    if as_poscar:
        made.to(str(path), fmt="poscar")
    else:
        path.write_text(str(CifWriter(made, symprec=0.01 if odd is None and random.random() < 0.5 else None)), "utf-8")
    return path, ion, odd.__name__.strip("_") if odd else ""
