"""Bonded placements: the bond that was named, what may bond, and how clear the poses are."""

import numpy as np
import pytest
from ase.build import molecule as known_molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import apart, fragment, place, slab
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.structures.bonding import bonding_sites, clearances, distances_to, weights
from barriers.structures.interface.contacts import surface_bonds
from barriers.structures.interface.shapes import bonding_shapes, turns_above
from barriers.structures.polymer.fragment import Fragment
from barriers.structures.surface.slab import set_vacuum


@pytest.mark.parametrize(
    ("pair", "length"), [(("C", "O"), 1.42), (("F", "Li"), 1.85), (("F", "Ni"), 1.81), (("H", "O"), 0.97)]
)
def test_the_bond_named_is_exact_and_along_the_normal(pair, length):
    bare, molecule = slab(), fragment("PVDF", 2, "HF")
    for interface in place(bare, pair, molecule, bare.lattice.get_cartesian_coords([0.4, 0.6, 0]), 3):
        short = apart(interface, len(bare))
        above, below = np.unravel_index(np.abs(short - length).argmin(), short.shape)
        above += len(bare)
        assert (interface[int(above)].specie.symbol, interface[int(below)].specie.symbol) == pair
        assert np.allclose(interface.cart_coords[above] - interface.cart_coords[below], [0, 0, length])


def test_a_nitrile_stands_on_nickel_by_its_nitrogen():
    bare, acetonitrile = slab(), AseAtomsAdaptor.get_molecule(known_molecule("CH3CN"))
    small = Fragment("acetonitrile", acetonitrile, (), "CC#N", "C2H3N")
    found = place(bare, ("N", "Ni"), small, bare.lattice.get_cartesian_coords([0.5, 0.5, 0]), 6)
    bonds = [surface_bonds(interface, len(bare)) for interface in found]
    assert [[bond.elements for bond in each] for each in bonds] == [[("N", "Ni")]] * len(found)
    assert [each[0].length for each in bonds] == pytest.approx([1.95] * len(found))
    carbon = acetonitrile.distance_matrix[acetonitrile.indices_from_symbol("N")[0]].argsort()[1]
    ends = [(len(bare) + carbon, each[0].fragment_atom, each[0].slab_atom) for each in bonds]
    angles = [interface.get_angle(*map(int, three)) for interface, three in zip(found, ends, strict=True)]
    assert min(angles) >= 100
    assert len(found) > 1


def test_an_element_with_neighbours_on_all_sides_takes_no_bond():
    tetrahedral = Fragment("silane", AseAtomsAdaptor.get_molecule(known_molecule("SiH4")), (), "[SiH4]", "H4Si")
    with pytest.raises(ValueError, match="silane has neighbours on all sides of Si; name another element"):
        place(slab(), ("Si", "O"), tetrahedral, [0, 0, 0])


def test_a_fragment_that_clashes_with_itself_once_bonded_is_refused():
    crowded = fragment("PVDF", 1, "HF").molecule.copy()
    carbon = list(crowded.indices_from_symbol("C"))
    away = crowded.cart_coords[carbon].mean(axis=0)
    normal = np.linalg.svd(crowded.cart_coords - away)[2][2]
    for side in (1.6, -1.6):
        crowded.append("He", away + side * normal)
    caged = Fragment("caged", crowded, tuple(carbon), "", "")
    with pytest.raises(ValueError, match="caged clashes with itself once its C=C bonds; use fewer units"):
        place(slab(), ("C", "O"), caged, [0, 0, 0])


@given(st.sampled_from([("C", "O"), ("F", "Li")]), st.floats(0, 1), st.floats(0, 1), st.integers(0, 10**6))
@settings(deadline=None, max_examples=15)
def test_clearances_of_all_poses_at_once_are_those_of_each_alone(pair, x, y, pick):
    bare = set_vacuum(slab(), 40.0)
    small = fragment("PVDF", 2, "HF")
    site = bonding_sites(bare, bare.lattice.get_cartesian_coords([[x, y, 0]]), 1.6, pair[1])[0]
    foot = bare.cart_coords[site] + [0, 0, 1.6]
    atom, shapes = sorted(bonding_shapes(small, pair[0]).items())[pick % 2]
    weight = weights(small.molecule, atom, bare, site)
    turns = turns_above()
    some = shapes[pick % len(shapes) :][:3]
    found = clearances(some, turns.as_matrix(), foot, bare, weight)
    for shape, values in zip(some, found, strict=True):
        turn = pick % len(turns)
        alone = distances_to(bare, turns[turn].apply(shape) + foot) * weight
        assert values[turn] == pytest.approx(alone.min())
