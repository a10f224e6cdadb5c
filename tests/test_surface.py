"""Slabs of any facet: terminations, polar faces made neutral, the crystal beside the slab, edits by index."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase.data import atomic_numbers, covalent_radii
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.surface.cutting import BOND, composition, coordination, dipole, planes
from barriers.structures.surface.edits import rattle, with_species, without
from barriers.structures.surface.reconstruction import plan_move
from barriers.structures.surface.slab import (
    LAYER,
    Cut,
    cut_slab,
    freeze_thickness,
    frozen_atoms,
    has_equal_faces,
    set_vacuum,
)
from barriers.structures.surface.terminations import Termination, terminations

SLABS = Path(__file__).parent / "data" / "slabs"
NCM811 = known_cathodes()["NCM811"]
LINIO2 = known_cathodes()["LiNiO2"]
FACETS = [(1, 0, 4), (0, 0, 3), (0, 1, 2), (1, 1, 0), (1, 0, 1), (0, 1, 5), (1, 0, 10), (1, 0, 0)]
facets = st.sampled_from(FACETS)
cathodes = st.sampled_from(sorted(known_cathodes()))


def cut(facet=(1, 0, 4), layers=4, lengths=(8.0, 8.0), frozen=1, cathode=NCM811, **options) -> Cut:
    return cut_slab(bulk(cathode), facet, layers, lengths, 12.0, frozen, **options)


def by_label(facet: tuple[int, int, int]) -> dict[str, Termination]:
    return {termination.label: termination for termination in terminations(bulk(LINIO2), facet)}


# The (104) slab that published numbers rest on.


@pytest.mark.parametrize(("layers", "frozen"), [(3, 1), (4, 2)])
def test_the_104_slab_stays_atom_for_atom(layers: int, frozen: int) -> None:
    """On file is what pymatgen cut: the same atoms in another order, seen from another of the topmost atoms' sides."""
    on_file = Structure.from_file(SLABS / f"ncm811_104_{layers}.poscar")
    slab = cut_slab(bulk(NCM811), (1, 0, 4), layers, (8, 11), 12.0, frozen).slab
    assert np.abs(slab.lattice.matrix - on_file.lattice.matrix).max() < 2e-6
    topmost = on_file[int(np.argmax(np.round(on_file.cart_coords[:, 2], 3)))]
    moved = on_file.cart_coords - topmost.coords * [1, 1, 0]
    apart = slab.lattice.get_all_distances(on_file.lattice.get_fractional_coords(moved), slab.frac_coords)
    partner = apart.argmin(axis=1)
    assert sorted(partner) == list(range(len(slab)))
    assert apart.min(axis=1).max() < 3e-6
    assert on_file.species == [slab[int(atom)].specie for atom in partner]
    free = np.array(slab.site_properties["selective_dynamics"])
    assert np.array_equal(free[partner], on_file.site_properties["selective_dynamics"])
    assert set(np.flatnonzero(np.array(slab.site_properties[LAYER]) < frozen)) == set(frozen_atoms(slab))


def test_a_slab_is_written_in_the_order_and_from_the_origin_that_the_docs_say() -> None:
    for facet in FACETS:
        made = cut(facet, polar="keep", cathode=LINIO2)
        slab, (a, b, c) = made.slab, made.slab.lattice.matrix
        assert (a[1:] == 0).all() and a[0] > 0 and b[2] == 0 and b[1] > 0 and (c[:2] == 0).all()
        kinds = [["Li", "Ni", "O"].index(site.specie.symbol) for site in slab]
        assert kinds == sorted(kinds)
        top = slab.cart_coords[slab.cart_coords[:, 2] > slab.cart_coords[:, 2].max() - 0.01]
        assert np.abs(top[:, :2]).max(axis=1).min() == 0
        mesh = cut(facet, lengths=(2.1, 2.1), polar="keep", cathode=LINIO2).slab.lattice
        assert (mesh.a <= mesh.b + 1e-6, 60 - 1e-3 < mesh.gamma < 120) == (True, True)
        # Nothing between two multiples of 1e-6 Å, but for the last bits.
        assert np.abs(slab.cart_coords * 1e6 - np.rint(slab.cart_coords * 1e6)).max() < 1e-6


@pytest.mark.parametrize("layers", [3, 4, 5, 6])
def test_the_104_slab_has_the_stoichiometric_layers_asked_for(layers: int) -> None:
    slab = cut(layers=layers, lengths=(8, 11)).slab
    assert len(slab) == 24 * layers
    heights = []
    for layer in range(layers):
        atoms = [site for site in slab if site.properties[LAYER] == layer]
        symbols = [site.specie.symbol for site in atoms]
        assert (symbols.count("Li"), symbols.count("O"), len(symbols)) == (6, 12, 24)
        heights.append(np.mean([site.z for site in atoms]))
    assert np.diff(heights) == pytest.approx([bulk(NCM811).lattice.d_hkl((1, 0, 4))] * (layers - 1), abs=0.01)


def test_slab_stands_upright_with_its_vacuum() -> None:
    slab = cut(lengths=(8, 11)).slab
    assert (slab.lattice.a, slab.lattice.b) >= (8.0, 11.0)
    higher = set_vacuum(slab, 20.0)
    assert higher.lattice.c - slab.lattice.c == pytest.approx(8.0)
    assert np.allclose(higher.distance_matrix[0, :24], slab.distance_matrix[0, :24])


# Terminations. Bonds counted by hand: an octahedron of LiMO2 has six, the facet says how many point across a cut.


def test_104_of_linio2_is_stoichiometric_non_polar_and_five_fold() -> None:
    (only,) = terminations(bulk(LINIO2), (1, 0, 4))
    assert (only.label, only.stoichiometry, only.tasker, only.polar) == ("LiMO2", "LiMO2", 1, False)
    # Like MgO(100): one of the six bonds of each cation points out of the plane, so five are left.
    assert only.coordination == {"Li": 5, "M": 5}
    # A mesh has one Li and one Ni on either side of the cut, each with one broken bond.
    area = LINIO2.a**2 * LINIO2.c * np.sqrt(3) / 2 / 3 / bulk(LINIO2).lattice.d_hkl((1, 0, 4))
    assert only.broken_bonds == pytest.approx(4 / area, rel=1e-5)


def test_003_of_linio2_has_four_polar_ends_the_broken_li_o_bonds_first() -> None:
    ends = terminations(bulk(LINIO2), (0, 0, 3))
    assert [end.label for end in ends] == ["Li", "O-1", "M", "O-2"]
    assert {end.tasker for end in ends} == {3}
    area = LINIO2.a**2 * np.sqrt(3) / 2
    # Li (or M) lies half a layer from the charge centre of the rest: 1 (or 3) e × c/6 for each mesh.
    one = LINIO2.c / 6 / area
    assert [end.dipole for end in ends] == pytest.approx([one, -one, 3 * one, -3 * one], rel=1e-4)
    assert [end.broken_bonds for end in ends] == pytest.approx([3 / area] * 4, rel=1e-5)
    assert [end.broken_strength * area for end in ends] == pytest.approx([0.5, 0.5, 1.5, 1.5], rel=1e-4)
    assert [end.coordination for end in ends] == [
        {"Li": 3, "M": 6},
        {"Li": 6, "M": 6},
        {"Li": 6, "M": 3},
        {"Li": 6, "M": 6},
    ]


@pytest.mark.parametrize(
    ("facet", "label", "tasker", "least"),
    [
        ((1, 1, 0), "LiMO2", 1, {"Li": 4, "M": 4}),
        ((0, 1, 2), "LiM", 3, {"Li": 3, "M": 3}),
        ((0, 1, 2), "O", 3, {"Li": 6, "M": 6}),
        ((1, 0, 1), "Li", 3, {"Li": 3, "M": 5}),
        ((1, 0, 1), "O-1", 3, {"Li": 6, "M": 5}),
        ((1, 0, 1), "M", 3, {"Li": 5, "M": 3}),
        ((1, 0, 1), "O-2", 3, {"Li": 5, "M": 6}),
        ((1, 0, 10), "O-1", 2, {"Li": 3, "M": 5}),
    ],
)
def test_facets_have_their_type_and_coordination(facet, label, tasker, least) -> None:
    end = by_label(facet)[label]
    assert (end.tasker, end.coordination) == (tasker, least)


def test_a_multiple_of_a_facet_is_that_facet() -> None:
    assert (
        terminations(bulk(LINIO2), (0, 0, 1))
        == terminations(bulk(LINIO2), (0, 0, 6))
        == list(by_label((0, 0, 3)).values())
    )


def test_ends_that_a_screw_axis_makes_equal_are_listed_once() -> None:
    # P2 stacking: two layers for each cell, related by the 6₃ axis along the normal.
    sites = [[0, 0, 0], [1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.61]]
    p2 = Structure.from_spacegroup("P6_3/mmc", Lattice.hexagonal(2.85, 10.0), ["Ni", "Li", "O"], sites)
    assert p2.composition.reduced_formula == "LiNiO2"
    assert [end.label for end in terminations(p2, (0, 0, 1))] == ["Li", "O-1", "M", "O-2"]


# Polar ends.


def test_003_warns_and_the_moved_half_removes_the_dipole() -> None:
    made = cut((0, 0, 3))
    (warning,) = made.warnings
    assert "facet (0, 0, 3), termination Li: polar, Tasker type 3; half of the ions" in warning
    assert warning.endswith("1.325 → 0.0 e/Å")
    assert abs(dipole(made.slab)) < 1e-6
    faces = planes(made.slab)
    assert [composition(made.slab, faces[0]), composition(made.slab, faces[-1])] == ["Li", "Li"]
    # 4 × 3 meshes, three odd rows made four.
    assert [len(faces[0]), len(faces[1]), len(faces[-1])] == [6, 12, 6]
    assert {made.slab[atom].properties[LAYER] for atom in faces[0]} == {0}


def test_moved_ions_stand_in_rows_where_the_crystal_would_go_on() -> None:
    made = cut((0, 0, 3))
    moved = np.flatnonzero(np.abs(made.slab.cart_coords - made.crystal.cart_coords).max(axis=1) > 1e-6)
    assert {made.slab[int(atom)].specie.symbol for atom in moved} == {"Li"}
    steps = made.slab.cart_coords[moved] - made.crystal.cart_coords[moved]
    assert np.allclose(steps, -made.crystal.lattice.matrix[2])
    # Each of the six has two moved neighbours at a, in its row, instead of the six of a full plane.
    distances = made.slab.distance_matrix[np.ix_(moved, moved)]
    assert set((distances < NCM811.a + 0.1).sum(axis=1) - 1) == {2}


def test_keep_leaves_a_dipole_that_grows_with_the_thickness_and_says_so() -> None:
    dipoles = [dipole(cut((0, 0, 3), layers=n, polar="keep").slab) for n in (2, 3, 4)]
    assert np.diff(dipoles) == pytest.approx([by_dipole := dipoles[0] / 2] * 2)
    assert by_dipole == pytest.approx(NCM811.c / 6 / (NCM811.a**2 * np.sqrt(3) / 2), rel=1e-6)
    assert "left as it is" in cut((0, 0, 3), polar="keep").warnings[0]
    assert cut((1, 0, 4)).warnings == []


@pytest.mark.parametrize(("facet", "share"), [((0, 0, 3), 0.5), ((0, 1, 2), 1.0)])
@pytest.mark.parametrize("polar", ["hydroxyl", "fluorine"])
def test_caps_follow_the_oxide_on_both_faces_and_balance_the_charge(facet, share, polar) -> None:
    made = cut(facet, polar=polar)
    n, oxide = len(made.crystal), made.slab[: len(made.crystal)]
    caps = made.slab[n:]
    assert [site.specie for site in oxide] == made.crystal.species
    face = len(planes(made.crystal)[0])
    symbols = [site.specie.symbol for site in caps]
    pairs = round(share * face)
    assert symbols.count("H") == pairs * (2 if polar == "hydroxyl" else 1)
    assert symbols.count("O" if polar == "hydroxyl" else "F") == pairs
    assert {site.properties[LAYER] for site in caps} == {0, 3}
    assert all((site.z < 3) == (site.properties[LAYER] == 0) for site in caps)
    # What is left of the dipole is the O–H bonds' alone, whatever the thickness.
    area = made.slab.volume / made.slab.lattice.c
    rest = 0 if polar == "hydroxyl" else -0.97 * pairs / area
    assert dipole(made.slab) == pytest.approx(rest, abs=1e-6)
    assert dipole(cut(facet, layers=6, polar=polar).slab) == pytest.approx(rest, abs=1e-6)


def test_caps_that_cannot_balance_the_charge_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'hydroxyl' at facet \(0, 0, 3\), termination M takes 1.50 H"):
        cut((0, 0, 3), termination="M", polar="hydroxyl")


def test_a_dipole_that_half_of_a_face_does_not_cancel_is_refused() -> None:
    slab = cut((0, 0, 3), polar="keep").slab
    thickness = 4 * NCM811.c / 3
    assert not plan_move(slab, thickness, "(003)").up
    with pytest.raises(ValueError, match=r"'move' leaves a dipole at \(003\).*allowed: another termination, hydroxyl"):
        plan_move(slab, 1.5 * thickness, "(003)")


def test_an_unknown_polar_is_refused() -> None:
    with pytest.raises(ValueError, match="polar: 'hydroxy' is unknown; allowed: move, hydroxyl, fluorine, keep"):
        cut(polar="hydroxy")


def test_an_unknown_termination_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'Ni' is none of facet \(0, 0, 3\); allowed: Li, O-1, M, O-2"):
        cut((0, 0, 3), termination="Ni")


def test_planes_too_close_to_tell_are_refused() -> None:
    with pytest.raises(ValueError, match=r"facet: \(5, 3, 1\) has planes 0\.\d\d Å apart; allowed: at least 0.4 Å"):
        cut((5, 3, 1))
    with pytest.raises(ValueError, match=r"facet: \(0, 0, 0\) is no plane"):
        cut((0, 0, 0))


# Symmetric slabs and frozen atoms.


@pytest.mark.parametrize("facet", FACETS)
def test_symmetric_slabs_hold_their_middle(facet) -> None:
    made = cut(facet, layers=4, frozen=2, symmetric=True)
    assert has_equal_faces(made.slab)
    assert {made.slab[atom].properties[LAYER] for atom in frozen_atoms(made.slab)} == {1, 2}


def test_unequal_faces_and_an_off_centre_middle_are_refused() -> None:
    with pytest.raises(ValueError, match=r"symmetric: the two faces of facet \(0, 0, 3\), termination O-1 differ"):
        cut((0, 0, 3), termination="O-1", polar="keep", symmetric=True)
    with pytest.raises(ValueError, match=r"1 of 4 layers cannot be the middle.*allowed: an even number"):
        cut(frozen=1, symmetric=True)


def test_atoms_are_frozen_by_thickness_from_the_bottom_or_in_the_middle() -> None:
    slab = cut(layers=5).slab
    spacing = bulk(NCM811).lattice.d_hkl((1, 0, 4))
    low = frozen_atoms(freeze_thickness(slab, 1.5 * spacing))
    assert {slab[atom].properties[LAYER] for atom in low} == {0, 1}
    middle = frozen_atoms(freeze_thickness(slab, spacing, core=True))
    assert {slab[atom].properties[LAYER] for atom in middle} == {2}
    assert (len(low), len(middle)) == (2 * len(slab) // 5, len(slab) // 5)


# Edits by index.


def test_species_decided_on_the_crystal_reach_the_slab_with_its_caps() -> None:
    made = cut((0, 0, 3), polar="fluorine")
    ordered = with_species(made.slab, order_metals(made.crystal, NCM811.metals, 3))
    n = len(made.crystal)
    assert np.allclose(ordered.cart_coords, made.slab.cart_coords)
    assert ordered.site_properties == made.slab.site_properties
    assert ordered.species[n:] == made.slab.species[n:]
    assert ordered.species[:n] == order_metals(made.crystal, NCM811.metals, 3).species
    counts = ordered.composition.get_el_amt_dict()
    assert [counts[metal] / (n / 4) for metal in ("Ni", "Co", "Mn")] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_the_same_atoms_leave_slab_and_crystal() -> None:
    made = cut()
    gone = made.slab.indices_from_symbol("Li")[::3]
    slab, crystal = without(made.slab, gone), without(made.crystal, reversed(gone))
    assert slab.species == crystal.species
    assert np.allclose(slab.cart_coords, crystal.cart_coords)
    assert slab.composition["Li"] == made.slab.composition["Li"] - len(gone)
    with pytest.raises(ValueError, match="no atom 96; allowed: 0 to 95"):
        without(cut(lengths=(8, 11)).slab, [3, 96])
    with pytest.raises(ValueError, match="crystal: 96 atoms for a slab of 95"):
        with_species(without(cut(lengths=(8, 11)).slab, [0]), cut(lengths=(8, 11)).crystal)


def test_rattle_moves_the_free_atoms_alone_and_keeps_to_its_seed() -> None:
    slab = cut(lengths=(11, 11), frozen=2).slab
    moved = rattle(slab, 0.05, 7)
    steps = moved.cart_coords - slab.cart_coords
    held = frozen_atoms(slab)
    assert np.abs(steps[held]).max() < 1e-9
    free = np.delete(steps, held, axis=0)
    assert free.std() == pytest.approx(0.05, rel=0.15)
    assert np.abs(free).min(axis=0).max() > 0
    assert moved == rattle(slab, 0.05, 7) != rattle(slab, 0.05, 8)
    order = np.random.default_rng(1).permutation(len(slab))
    shuffled = rattle(Structure.from_sites([slab[int(i)] for i in order]), 0.05, 7)
    assert np.allclose(shuffled.cart_coords, moved.cart_coords[order])
    with pytest.raises(ValueError, match="amplitude: -1 Å; allowed: 0 or more"):
        rattle(slab, -1, 0)


# What holds for every facet, size and cathode.


@settings(max_examples=15, deadline=None)
@given(facets, st.integers(2, 6), cathodes, st.sampled_from(["move", "hydroxyl", "fluorine", "keep"]), st.data())
def test_every_slab_is_sound(facet, layers, name, polar, data) -> None:
    cathode = known_cathodes()[name]
    label = data.draw(st.sampled_from([end.label for end in terminations(bulk(cathode), facet)]))
    lengths = data.draw(st.tuples(st.floats(2, 11), st.floats(2, 11)))
    try:
        made = cut(facet, layers, lengths, cathode=cathode, termination=label, polar=polar)
    except ValueError as refusal:
        assert polar in {"hydroxyl", "fluorine"} and "takes" in str(refusal)
        return
    slab, crystal = made.slab, made.crystal
    counts = crystal.composition.get_el_amt_dict()
    assert counts["Li"] == counts["Ni"] == counts["O"] / 2
    assert crystal.species == slab.species[: len(crystal)]
    a, b, c = slab.lattice.matrix
    assert np.allclose([c @ a, c @ b], 0, atol=1e-9)
    assert (slab.lattice.a + 1e-5 >= lengths[0], slab.lattice.b + 1e-5 >= lengths[1]) == (True, True)
    assert slab.lattice.c - np.ptp(slab.cart_coords[:, 2]) == pytest.approx(12.0, abs=1e-9)
    assert made.image_distance <= min(slab.lattice.abc[:2]) + 1e-9
    radii = np.array([covalent_radii[atomic_numbers[site.specie.symbol]] for site in slab])
    one, other, _, apart = slab.get_neighbor_list(2.7)
    assert (apart >= 0.7 * (radii[one] + radii[other])).all()
    heights = slab.cart_coords[:, 2]
    oxide_heights = made.crystal.cart_coords[:, 2]
    inside = (heights > oxide_heights.min() + BOND) & (heights < oxide_heights.max() - BOND)
    assert set(coordination(slab)[inside]) <= {6}
    if polar != "keep":
        assert abs(dipole(slab)) < 0.14
    assert (made.warnings != []) == made.termination.polar


@pytest.mark.parametrize("facet", [*FACETS, (-1, 0, 2), (2, 1, 4)])
@pytest.mark.parametrize("layers", [1, 4])
def test_the_crystal_is_the_bulk(facet, layers) -> None:
    cathode = NCM811 if layers == 1 else LINIO2
    made = cut(facet, layers, (3, 3), cathode=cathode)
    matcher = StructureMatcher(ltol=1e-4, stol=1e-4, angle_tol=0.01, scale=False, primitive_cell=True)
    assert matcher.fit(made.crystal, bulk(cathode))
    assert made.crystal.volume / len(made.crystal) == pytest.approx(bulk(cathode).volume / 12)
    assert set(coordination(made.crystal)) == {6}


@settings(max_examples=6, deadline=None)
@given(facets, st.integers(0, 1000))
@example((0, 0, 3), 184)  # planes half a grid step apart, but for 1e-9 Å
def test_order_origin_and_orientation_of_the_bulk_change_nothing(facet, seed) -> None:
    rng = np.random.default_rng(seed)
    plain = bulk(LINIO2)
    other = Structure.from_sites([plain[int(i)] for i in rng.permutation(len(plain))])
    other.translate_sites(range(len(other)), rng.random(3))
    turn = Rotation.random(rng=rng).as_matrix()
    other = Structure(Lattice(other.lattice.matrix @ turn), other.species, other.frac_coords)
    one, two = terminations(plain, facet), terminations(other, facet)
    shown = [(end.label, end.planes, end.tasker, end.coordination) for end in one]
    assert shown == [(end.label, end.planes, end.tasker, end.coordination) for end in two]
    numbers = [(end.dipole, end.broken_bonds) for end in one]
    assert numbers == [pytest.approx((end.dipole, end.broken_bonds), abs=1e-5) for end in two]
    slabs = [cut_slab(crystal, facet, 3, (5, 5), 12, 1, termination=one[0].label) for crystal in (plain, other)]
    assert len({json.dumps(made.slab.as_dict(verbosity=0), sort_keys=True) for made in slabs}) == 1
    assert len({json.dumps(made.crystal.as_dict(verbosity=0)) for made in slabs}) == 1


@settings(max_examples=6, deadline=None)
@given(facets, st.sampled_from(["move", "keep"]))
def test_the_same_input_gives_the_same_bytes(facet, polar) -> None:
    first, second = (json.dumps(cut(facet, polar=polar).slab.as_dict()) for _ in range(2))
    assert first == second


def test_terminations_come_non_polar_first_then_by_broken_bonds() -> None:
    for facet in FACETS:
        ends = terminations(bulk(LINIO2), facet)
        assert all((a.polar, a.broken_bonds) <= (b.polar, b.broken_bonds) for a, b in pairwise(ends))
        assert len({end.label for end in ends}) == len(ends)
