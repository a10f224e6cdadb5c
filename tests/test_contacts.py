"""Bonds between fragment and surface, and the distance between a fragment and its neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import slab
from pymatgen.core import Lattice, Structure

from barriers.structures.interface.contacts import (
    SurfaceBond,
    bond_reach,
    fragment_gap,
    image_distance,
    loose_atoms,
    surface_bonds,
)
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.polymer.fragment import build_fragment

BOX = Lattice.orthorhombic(10, 11, 40)


def pair_at(above, below, length):
    """One slab atom and one atom above it, across the cell's edge."""
    return Structure(
        BOX, [below, above], [[0.1, 0, 5], [9.9, 0, 5 + (length**2 - 0.04) ** 0.5]], coords_are_cartesian=True
    )


# Bonded: usual lengths in molecules, complexes and oxides; Li–F is half the cell edge of LiF, and its molecule's.
@pytest.mark.parametrize(
    ("above", "below", "bonded", "apart"),
    [
        ("C", "O", 1.43, 2.2),
        ("H", "O", 0.97, 1.5),
        ("F", "Li", 2.01, 2.8),
        ("F", "Li", 1.56, 2.6),
        ("O", "Li", 2.15, 2.8),
        ("O", "Ni", 2.09, 2.6),
        ("F", "Ni", 2.0, 2.5),
        ("N", "Ni", 2.1, 2.6),
        ("Li", "O", 2.15, 2.8),
        ("C", "Ni", 1.95, 2.38),
        ("C", "Li", 2.2, 2.45),
        ("H", "Li", 1.6, 1.9),
    ],
)
def test_a_bond_is_told_from_a_neighbour_by_the_pair_of_elements(above, below, bonded, apart):
    found = surface_bonds(pair_at(above, below, bonded), 1)
    assert [(bond.elements, bond.fragment_atom, bond.slab_atom) for bond in found] == [((above, below), 1, 0)]
    assert found[0].length == pytest.approx(bonded)
    assert surface_bonds(pair_at(above, below, apart), 1) == []
    assert bond_reach(above, below) == bond_reach(below, above)


def test_a_bond_says_what_it_is():
    assert str(SurfaceBond(("C", "O"), 78, 31, 1.4204)) == "C–O 1.42 Å (C 78 on O 31)"


@pytest.mark.parametrize(
    ("units", "pair", "length"), [(1, ("C", "O"), 1.45), (2, ("F", "Li"), 1.9), (2, ("H", "O"), 1.0)]
)
def test_the_bond_of_a_bonded_placement_is_found(units, pair, length):
    bare = slab()
    middle = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])
    placed = place_bonded(bare, build_fragment("PVDF", units, "HF"), middle, length, 12.0, 1, pair)[0]
    bonds = [bond for bond in surface_bonds(placed, len(bare)) if bond.elements == pair]
    assert any(bond.length == pytest.approx(length) for bond in bonds)
    assert min(bond.length for bond in bonds) == pytest.approx(fragment_gap(placed, len(bare)))


def test_a_fragment_that_touches_has_no_bonds():
    bare = slab()
    touching = place_at_distance(bare, build_fragment("PVDF", 2, None), [0, 0, 0], None, 12.0, 4)
    assert [surface_bonds(interface, len(bare)) for interface in touching] == [[]] * 4


def test_atoms_that_have_come_off_a_fragment_are_found_wherever_its_cell_is_cut():
    bare = slab()
    fragment = build_fragment("PVDF", 2, None)
    placed = place_at_distance(bare, fragment, [0, 0, 0], 5.0, 12.0, 1)[0]
    hydrogen, other = [i for i in range(len(bare), len(placed)) if placed[i].specie.symbol == "H"][:2]
    carbon = placed.get_neighbors(placed[hydrogen], 1.3)[0]
    shifted = placed.copy()
    shifted.translate_sites(range(len(placed)), [0.37, 0.61, 0], to_unit_cell=True)
    for interface in (placed, shifted):
        assert loose_atoms(interface, len(bare)) == []
        parted = interface.copy()
        away = (placed[hydrogen].coords - carbon.coords) / carbon.nn_distance
        parted.translate_sites([hydrogen], away * 0.9, frac_coords=False)
        assert loose_atoms(parted, len(bare)) == [hydrogen]
        parted.translate_sites([other], [0, 0, 9.0], frac_coords=False)
        assert loose_atoms(parted, len(bare)) == [hydrogen, other]


def nearest_neighbour(interface, n_slab, number):
    """Least distance between atoms of different fragments or of different copies, by pymatgen's neighbour list."""
    ours = Structure(interface.lattice, interface.species[n_slab:], interface.frac_coords[n_slab:])
    first, second, offsets, distances = ours.get_neighbor_list(12.0)
    strange = (number[first] != number[second]) | offsets.any(axis=1)
    return distances[strange & (offsets[:, 2] == 0)].min()


@given(st.integers(1, 3), st.floats(5, 9), st.floats(60, 120), st.integers(0, 99))
@settings(deadline=None, max_examples=25)
def test_the_distance_to_neighbours_is_that_of_a_neighbour_list_wrapped_or_not(fragments, length, angle, seed):
    lattice = Lattice.from_parameters(length, 1.3 * length, 40, 90, 90, angle)
    rng = np.random.default_rng(seed)
    shape = np.array([[0, 0, 0], [1.3, 0.2, 0.1], [2.0, 1.1, 0.5]])
    cells = rng.integers(-4, 5, (fragments, 3)) * [1, 1, 0]
    centres = lattice.get_cartesian_coords(rng.random((fragments, 3)) * [1, 1, 0.05] + cells)
    positions = np.vstack([[0, 0, 0], *(shape + centre + [0, 0, 10] for centre in centres)])
    number = np.repeat(np.arange(1, fragments + 1), 3)
    interface = Structure(
        lattice,
        ["O"] + ["C", "C", "F"] * fragments,
        positions,
        coords_are_cartesian=True,
        site_properties={"fragment": [0, *number.tolist()]},
    )
    expected = nearest_neighbour(interface, 1, number)
    assert image_distance(interface, 1) == pytest.approx(expected)
    wrapped = Structure.from_sites(interface.sites, to_unit_cell=True)
    assert image_distance(wrapped, 1) == pytest.approx(expected)


def test_one_fragment_needs_no_number():
    interface = place_at_distance(slab(), build_fragment("PVDF", 2, None), [0, 0, 0], 4.0, 12.0, 1)[0]
    number = np.ones(len(interface) - len(slab()))
    assert "fragment" not in interface.site_properties
    assert image_distance(interface, len(slab())) == pytest.approx(nearest_neighbour(interface, len(slab()), number))
