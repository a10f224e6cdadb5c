"""Placements of a fragment in every mode: what holds for all of them, and what each one promises."""

import numpy as np
import pytest
from ase.data import covalent_radii
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import ORIENTATIONS, PLACES, VACUUM, apart, fragment, place, slab
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from barriers.structures.bonding import contact_radii
from barriers.structures.interface.contacts import image_distance
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.sites import points_over, slab_operations, surface_sites


def radii(structure):
    return covalent_radii[[site.specie.Z for site in structure]]


@given(
    st.sampled_from(PLACES), st.integers(1, 2), st.integers(0, 3), st.floats(0, 1), st.floats(0, 1), st.integers(1, 3)
)
@settings(deadline=None, max_examples=15)
def test_slab_first_vacuum_exact_nothing_too_near_and_the_same_bytes_each_time(how, units, seed, x, y, candidates):
    bare, molecule = slab(), fragment("PVDF", units, "HF", seed)
    point = bare.lattice.get_cartesian_coords([x, y, 0])
    n = len(bare)
    found = place(bare, how, molecule, point, candidates)
    assert 1 <= len(found) <= candidates
    for interface in found:
        shift = interface.cart_coords[:n] - bare.cart_coords
        assert interface.species[:n] == bare.species
        assert interface.species[n:] == molecule.molecule.species
        assert np.allclose(shift, shift[0])
        assert np.allclose(shift[0, :2], 0)
        assert interface.lattice.c == pytest.approx(np.ptp(interface.cart_coords[:, 2]) + VACUUM)
        assert (apart(interface, n) / np.add.outer(radii(interface)[n:], radii(bare))).min() > 0.7
        assert image_distance(interface, n) >= 2.0
    again = place(bare, how, molecule, point, candidates)
    assert [one.cart_coords.tobytes() for one in again] == [one.cart_coords.tobytes() for one in found]


@pytest.mark.parametrize("how", ORIENTATIONS)
def test_at_contact_height_one_pair_is_at_the_sum_of_its_radii_and_none_is_nearer(how):
    bare, molecule = slab(), fragment("PVDF", 2, None)
    reach = np.add.outer(contact_radii(molecule.molecule), contact_radii(bare))
    for point in surface_sites(bare)[::20]:
        for interface in place(bare, how, molecule, point, 4):
            assert (apart(interface, len(bare)) / reach).min() == pytest.approx(1.0)


def test_at_contact_height_a_fragment_does_not_sink_into_a_pore():
    bare = slab().copy()
    point = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])
    flat = bare.lattice.get_all_distances([[0.5, 0.5, 0]], bare.frac_coords * [1, 1, 0])[0]
    bare.remove_sites(np.flatnonzero(flat < 3.6).tolist())
    vinyl_fluoride = fragment("PVDF", 1, "HF")
    interface = place(bare, "head down", vinyl_fluoride, point, 1)[0]
    assert interface.cart_coords[len(bare) :, 2].min() >= interface.cart_coords[: len(bare), 2].max() - 1e-9


@pytest.mark.parametrize(("how", "first_is_lower"), [("head down", True), ("tail down", False)])
def test_an_upright_chain_stands_along_the_normal_on_the_end_asked_for(how, first_is_lower):
    bare, molecule = slab(), fragment("PVDF", 3, None)
    found = place(bare, how, molecule, [0, 0, 0], 3, distance=3.0)
    assert len(found) == 3
    for interface in found:
        ours = interface.cart_coords[len(bare) :]
        axis = np.linalg.svd(ours - ours.mean(axis=0))[2][0]
        assert abs(axis[2]) == pytest.approx(1)
        assert (ours[0, 2] < ours[:, 2].mean()) == first_is_lower
        assert ours[:, 2].min() - interface.cart_coords[: len(bare), 2].max() == pytest.approx(3.0)


def test_turns_go_about_the_chain_and_the_normal():
    bare, molecule = slab(), fragment("PVDF", 2, None)
    found = place_at_distance(bare, molecule, [0, 0, 0], 4.0, VACUUM, 99, turns=(3, 4))
    axes = []
    for interface in found:
        ours = interface.cart_coords[len(bare) :]
        axis = np.linalg.svd(ours - ours.mean(axis=0))[2][0]
        axes.append(round(np.degrees(np.arctan2(axis[1], axis[0]))) % 180)
    assert len(found) == 12
    assert sorted(set(axes)) == [0, 90]


def moved(bare, how, amount):
    """Slab shifted, wrapped in the plane, or turned about the normal with its cell."""
    if how == "turned":
        turn = Rotation.from_euler("z", amount * 360, degrees=True)
        lattice, positions = Lattice(turn.apply(bare.lattice.matrix.copy())), turn.apply(bare.cart_coords)
        return Structure(
            lattice, bare.species, positions, coords_are_cartesian=True, site_properties=bare.site_properties
        ), turn.apply
    shift = bare.lattice.get_cartesian_coords([amount, 0.7 * amount, 0.05 * amount])
    fractional = bare.lattice.get_fractional_coords(bare.cart_coords + shift)
    if how == "wrapped":
        fractional[:, :2] %= 1
    shifted = Structure(bare.lattice, bare.species, fractional, site_properties=bare.site_properties)
    return shifted, lambda point: np.asarray(point) + shift


@given(st.sampled_from(["shifted", "wrapped", "turned"]), st.floats(0, 1), st.sampled_from(PLACES))
@settings(deadline=None, max_examples=12)
def test_shifting_wrapping_or_turning_the_slab_changes_nothing(how, amount, mode):
    bare, molecule = slab(), fragment("PVDF", 2, "HF")
    point = bare.lattice.get_cartesian_coords([0.31, 0.57, 0.4])
    other, carry = moved(bare, how, amount)
    before, after = place(bare, mode, molecule, point, 2), place(other, mode, molecule, carry(point), 2)
    assert len(before) == len(after)
    for one, two in zip(before, after, strict=True):
        assert np.allclose(apart(one, len(bare)), apart(two, len(bare)), atol=1e-6)
        assert one.lattice.c == pytest.approx(two.lattice.c)


def test_distinct_sites_make_all_sites_by_symmetry():
    bare = slab("LiNiO2")
    distinct, every = surface_sites(bare), surface_sites(bare, distinct=False)
    keeping = slab_operations(bare)[0]
    # Six surface meshes, each with and without the mirror that holds the normal.
    assert len(keeping) == 12
    orbits = []
    for site in distinct:
        images = np.array([operation.operate(site) for operation in keeping])
        fractional = bare.lattice.get_fractional_coords(images)[:, :2]
        near = np.abs((fractional[:, None] - bare.lattice.get_fractional_coords(every)[:, :2] + 0.5) % 1 - 0.5)
        orbits.append(set(np.nonzero((near @ bare.lattice.abc[:2]) < 0.2)[1].tolist()))
    assert sum(map(len, orbits)) == len(set().union(*orbits)) == len(every)
    assert len(distinct) < len(every) / 5


@pytest.mark.parametrize("keeps", [0, 1])
def test_placements_that_symmetry_exchanges_are_one(keeps):
    bare, molecule = slab("LiNiO2"), fragment("PVDF", 1, "HF")
    point = bare.lattice.get_cartesian_coords([0.1, 0.2, 0])
    mirrors = [op for op in slab_operations(bare)[0] if np.linalg.det(op.rotation_matrix) < 0]
    translations = [op for op in slab_operations(bare)[0][1:] if np.linalg.det(op.rotation_matrix) > 0]
    both = [point, (translations, mirrors)[keeps][0].operate(point)]
    once = place_at_distance(bare, molecule, point, 3.0, VACUUM, 99, turns=(2, 2))
    twice = place_at_distance(bare, molecule, both, 3.0, VACUUM, 99, turns=(2, 2))
    assert len(twice) == len(once) == 4
    ordered = place_at_distance(slab(), molecule, both, 3.0, VACUUM, 99, turns=(2, 2))
    assert len(ordered) == 8


def test_a_score_ranks_the_placements_lowest_first():
    bare, molecule = slab(), fragment("PVDF", 2, "HF")
    point = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])

    def lean(interface):
        return float(interface.cart_coords[len(bare) :, 0].mean())

    for found in (
        place_bonded(bare, molecule, point, 1.45, VACUUM, 3, score=lean),
        place_at_distance(bare, molecule, surface_sites(bare), None, VACUUM, 3, score=lean),
    ):
        scores = [lean(interface) for interface in found]
        assert scores == sorted(scores)
        assert len(scores) == 3
    clearest = place_bonded(bare, molecule, point, 1.45, VACUUM, 24)
    assert lean(place_bonded(bare, molecule, point, 1.45, VACUUM, 3, score=lean)[0]) == min(map(lean, clearest))


def test_a_fragment_comes_over_the_atoms_chosen():
    bare, molecule = slab(), fragment("PVDF", 1, None)
    lithium = points_over(bare, ["Li"])
    topmost = [site for site in bare if site.properties["layer"] == max(bare.site_properties["layer"])]
    assert np.allclose(lithium, [site.coords for site in topmost if site.specie.symbol == "Li"])
    found = place_at_distance(bare, molecule, points_over(bare, [7, "Li"]), 3.0, VACUUM, len(lithium) + 1, turns=(1, 1))
    centres = [interface.cart_coords[len(bare) :, :2].mean(axis=0) for interface in found]
    assert np.allclose(centres[0], bare.cart_coords[7, :2])
    assert np.allclose(centres[1:], lithium[: len(centres) - 1, :2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda bare: place(bare, ("N", "Ni"), fragment("PVDF", 2, None), [0, 0, 0]),
            "has no N to bond with; allowed: C",
        ),
        (
            lambda bare: place(bare, ("F", "Fe"), fragment("PVDF", 2, None), [0, 0, 0]),
            "no Fe to bond with; allowed: Co",
        ),
        (lambda bare: place(bare, ("C", "O"), fragment("PVDF", 2, None), [0, 0, 0]), "PVDF has no C=C"),
        (
            lambda bare: place(bare, "flat", fragment("PVDF", 2, None), [0, 0, 0], distance=0.5),
            "clashes with the slab in every placement; use a larger distance",
        ),
        (lambda bare: place(bare, "flat", fragment("PVDF", 6, None), [0, 0, 0]), "its own periodic image; at least"),
        (lambda bare: points_over(bare, ["Fe"]), "'Fe' is not at the surface; allowed: Li, Ni, O, or indices"),
        (lambda bare: points_over(bare, [96]), "no atom has the index 96; allowed: 0 to 95"),
        (lambda bare: points_over(bare, [-1]), "no atom has the index -1; allowed: 0 to 95"),
    ],
)
def test_what_cannot_be_placed_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refused:
        call(slab())
    assert "\n" not in str(refused.value)
