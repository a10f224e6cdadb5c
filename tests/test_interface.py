from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import VACUUM, slab
from scipy.spatial.distance import cdist

from barriers.structures.bonding import bonding_sites, bonds, contact_radii
from barriers.structures.interface.contacts import fragment_gap, image_distance
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.shapes import adducts
from barriers.structures.polymer.fragment import build_fragment
from barriers.structures.surface.slab import frozen_atoms

MANY = 1000


@cache
def bonded(candidates):
    return place_bonded(slab(), build_fragment("PVDF", 2, "HF"), middle(), 1.45, VACUUM, candidates)


def middle():
    return slab().lattice.get_cartesian_coords([0.5, 0.5, 0.3])


def distances(interface):
    """Fragment by slab, over the slab's nine nearest copies in the plane."""
    n = len(slab())
    copies = [
        cdist(interface.cart_coords[n:], interface.cart_coords[:n] + [i, j, 0] @ interface.lattice.matrix)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
    ]
    return np.min(copies, axis=0)


def check_slab_and_vacuum(interface):
    bare, n = slab(), len(slab())
    shift = interface.cart_coords[:n] - bare.cart_coords
    assert np.allclose(shift, shift[0]) and np.allclose(shift[0, :2], 0)
    assert interface.species[:n] == bare.species
    assert frozen_atoms(interface) == frozen_atoms(bare) != []
    assert interface.site_properties["layer"][:n] == bare.site_properties["layer"]
    assert set(interface.site_properties["layer"][n:]) == {-1}
    assert all(all(flags) for flags in interface.site_properties["selective_dynamics"][n:])
    height = interface.cart_coords[:, 2]
    assert interface.lattice.c == pytest.approx(np.ptp(height) + VACUUM)
    assert np.allclose(interface.lattice.matrix[:2], bare.lattice.matrix[:2])
    assert height.argmax() >= n


@given(st.floats(2.2, 9), st.floats(0, 1), st.floats(0, 1), st.sampled_from([None, "HF"]), st.integers(1, 6))
@settings(deadline=None, max_examples=20)
def test_fragment_at_a_distance(distance, x, y, eliminate, candidates):
    fragment = build_fragment("PVDF", 2, eliminate)
    over = slab().lattice.get_cartesian_coords([x, y, 0])
    found = place_at_distance(slab(), fragment, over, distance, VACUUM, candidates)
    assert len(found) == candidates
    for interface in found:
        check_slab_and_vacuum(interface)
        ours = interface.cart_coords[len(slab()) :]
        top = interface.cart_coords[: len(slab()), 2].max()
        assert ours[:, 2].min() - top == pytest.approx(distance)
        assert np.allclose(ours[:, :2].mean(axis=0), over[:2], atol=1e-6)
        assert np.allclose(cdist(ours, ours), fragment.molecule.distance_matrix)
        assert fragment_gap(interface, len(slab())) == pytest.approx(distances(interface).min())
        assert fragment_gap(interface, len(slab())) >= distance - 1e-6


@given(st.integers(0, 5), st.integers(2, 3))
@settings(deadline=None, max_examples=8)
def test_first_candidate_lies_flat_along_the_longer_surface_vector(seed, units):
    fragment = build_fragment("PVDF", units, None, seed)
    flat = place_at_distance(slab(), fragment, middle(), 5.0, VACUUM, 1)[0].cart_coords[len(slab()) :]
    spread = np.linalg.svd(flat - flat.mean(axis=0))
    longer = max(slab().lattice.matrix[:2], key=np.linalg.norm)
    assert abs(spread.Vh[0] @ longer) == pytest.approx(np.linalg.norm(longer))
    assert abs(spread.Vh[2, 2]) == pytest.approx(1)


def test_bond_length_and_clear_room_around_it_however_many_are_asked_for():
    fragment = build_fragment("PVDF", 2, "HF")
    hydrogens = np.array([site.specie.symbol == "H" for site in fragment.molecule])
    assert 4 < len(bonded(MANY)) < MANY
    for interface in bonded(MANY):
        check_slab_and_vacuum(interface)
        apart = distances(interface)
        carbon, oxygen = np.unravel_index(apart.argmin(), apart.shape)
        assert carbon in fragment.bonding_atoms
        assert interface[int(oxygen)].specie.symbol == "O"
        bond = interface.cart_coords[len(slab()) + carbon] - interface.cart_coords[oxygen]
        assert np.allclose(bond, [0, 0, 1.45])
        apart[carbon, oxygen] = np.inf
        assert apart[hydrogens].min() > 1.5
        assert apart[~hydrogens].min() > 1.7
        assert image_distance(interface, len(slab())) >= 2.0


def test_bonds_inside_the_fragment_outlive_the_placement():
    molecule = build_fragment("PVDF", 2, "HF").molecule
    joined = bonds(molecule)
    for interface in bonded(MANY)[:4]:
        ours = interface.cart_coords[len(slab()) :]
        assert np.allclose(cdist(ours, ours)[joined], molecule.distance_matrix[joined])


def test_bonded_carbon_becomes_tetrahedral_and_its_shapes_do_not_clash():
    fragment = build_fragment("PVDF", 3, "HF")
    joined = bonds(fragment.molecule)
    for carbon in fragment.bonding_atoms:
        shapes = list(adducts(fragment.molecule, carbon))
        around = np.flatnonzero(joined[carbon])
        for shape in shapes:
            bond = shape[around] / np.linalg.norm(shape[around], axis=1)[:, None]
            assert np.allclose(np.degrees(np.arccos(-bond[:, 2])), 109.47, atol=0.01)
            assert cdist(shape, shape)[~joined & ~np.eye(len(shape), dtype=bool)].min() > 1.3
        assert len(shapes) > 4


def test_bond_stands_on_the_nearest_exposed_oxygen_across_the_cell_edge():
    bare = slab()
    top = max(bare.site_properties["layer"])
    outer = [i for i in bare.indices_from_symbol("O") if bare.site_properties["layer"][i] == top]
    fragment = build_fragment("PVDF", 1, "HF")
    for oxygen in outer[:3]:
        near = bare.cart_coords[oxygen] + bare.lattice.matrix[1] + [0.3, -0.2, 5]
        found = place_bonded(bare, fragment, near, 1.45, VACUUM, 1)[0]
        assert distances(found).argmin() % len(bare) == oxygen


def test_an_oxygen_with_all_its_cations_takes_no_bond():
    crowded = slab().copy()
    oxygen = bonding_sites(crowded, middle()[None], 1.45)[0]
    beside = crowded.cart_coords[oxygen] + [1.1, 1.1, 1.4]
    layer = max(crowded.site_properties["layer"])
    crowded.append("Li", beside, coords_are_cartesian=True, properties={"layer": layer})
    assert bonding_sites(crowded, crowded.cart_coords[oxygen][None], 1.45)[0] != oxygen


def test_an_oxygen_with_an_atom_above_it_takes_no_bond():
    capped = slab().copy()
    oxygen = bonding_sites(capped, middle()[None], 1.45)[0]
    above = capped.cart_coords[oxygen] + [0, 0, 1.5]
    layer = max(capped.site_properties["layer"])
    capped.append("O", above, coords_are_cartesian=True, properties={"layer": layer - 1})
    assert bonding_sites(capped, capped.cart_coords[oxygen][None], 1.45)[0] != oxygen


def test_an_oxygen_below_a_hole_in_the_topmost_layer_takes_no_bond():
    layer, height = np.array(slab().site_properties["layer"]), slab().cart_coords[:, 2]
    below = next(i for i in slab().indices_from_symbol("O") if layer[i] == layer.max() - 1)
    lateral = slab().distance_matrix[below]
    hole = [int(i) for i in np.flatnonzero((lateral < 3.2) & (height > height[below] + 1))]
    holed = slab().copy()
    holed.remove_sites(hole)
    chosen = bonding_sites(holed, slab().cart_coords[below][None], 1.45)[0]
    assert holed.site_properties["layer"][chosen] == layer.max()


def test_the_clearest_candidate_comes_first():
    molecule = build_fragment("PVDF", 2, "HF").molecule
    reach = np.add.outer(contact_radii(molecule), contact_radii(slab()))
    clearance = []
    for interface in bonded(MANY):
        apart = distances(interface) / reach
        carbon, oxygen = np.unravel_index(apart.argmin(), apart.shape)
        apart[carbon, oxygen] = apart[bonds(molecule)[carbon], oxygen] = np.inf
        clearance.append(apart.min())
    assert np.diff(clearance).max() < 2e-3
    assert clearance[0] > clearance[-1] + 0.02


def test_candidates_are_different_and_the_same_each_time():
    few, more = bonded(2), bonded(MANY)[:4]
    assert all(np.array_equal(a.cart_coords, b.cart_coords) for a, b in zip(few, more, strict=False))
    tops = [interface.cart_coords[len(slab()) :] - interface.cart_coords[0] for interface in more]
    for index, one in enumerate(tops):
        for other in tops[:index]:
            assert np.sqrt(((one - other) ** 2).sum(axis=1).mean()) >= 1.0


@pytest.mark.parametrize("units", [1, 2, 4])
def test_image_distance_is_that_to_the_copies_in_the_plane(units):
    interface = place_at_distance(slab(), build_fragment("PVDF", units, None), middle(), 4.0, VACUUM, 1)[0]
    ours = interface.cart_coords[len(slab()) :]
    steps = [[i, j, 0] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    expected = min(cdist(ours, ours + step @ interface.lattice.matrix).min() for step in steps)
    assert image_distance(interface, len(slab())) == pytest.approx(expected)


def test_a_chain_longer_than_the_cell_is_refused():
    with pytest.raises(
        ValueError,
        match=r"within \d\.\d\d Å of its own periodic image; .* larger surface \(min_lengths of a slab that is cut\)",
    ):
        place_at_distance(slab(), build_fragment("PVDF", 6, None), middle(), 5.0, VACUUM, 1)


def test_an_intact_chain_has_nothing_to_bond_with():
    with pytest.raises(ValueError, match="PVDF has no C=C"):
        place_bonded(slab(), build_fragment("PVDF", 2, None), middle(), 1.45, VACUUM, 1)


def test_a_surface_without_free_oxygen_takes_no_bond():
    metals = slab().copy()
    top = max(metals.site_properties["layer"])
    metals.remove_sites([i for i in metals.indices_from_symbol("O") if metals.site_properties["layer"][i] == top])
    with pytest.raises(ValueError, match="no exposed, undercoordinated oxygen"):
        place_bonded(metals, build_fragment("PVDF", 2, "HF"), middle(), 1.45, VACUUM, 1)
