from itertools import pairwise

import numpy as np
import pytest
from chain_geometry import assert_sound, backbone, handedness, symbols
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition
from rdkit import Chem

from barriers.structures.bonding import bonds
from barriers.structures.polymer.fragment import build_fragment, find_polymer

UNITS = st.integers(1, 6)
FORMULAS = {
    "PVDF": "C2H2F2",
    "PAN": "C3H3N",
    "PEO": "C2H4O",
    "PMMA": "C5H8O2",
    "PTFE": "C2F4",
}


@pytest.mark.parametrize(
    ("units", "eliminate", "formula"),
    [(2, None, "C4H6F4"), (2, "HF", "C4H5F3"), (3, None, "C6H8F6"), (3, "HF", "C6H7F5")],
)
def test_formula_of_chain_and_smiles(units, eliminate, formula):
    fragment = build_fragment("PVDF", units, eliminate)
    assert Composition(fragment.formula) == Composition(formula) == fragment.molecule.composition
    assert fragment.name == ("PVDF-HF" if eliminate else "PVDF")
    smiles = Chem.AddHs(Chem.MolFromSmiles(fragment.smiles))
    assert sorted(atom.GetSymbol() for atom in smiles.GetAtoms()) == sorted(
        site.specie.symbol for site in fragment.molecule
    )


@given(UNITS)
@settings(deadline=None, max_examples=6)
def test_elimination_takes_one_hf_and_leaves_one_double_bond_in_the_middle(units):
    intact, product = build_fragment("PVDF", units, None), build_fragment("PVDF", units, "HF")
    lost = intact.molecule.composition - product.molecule.composition
    assert lost == Composition("HF")
    assert intact.bonding_atoms == () and "=" not in intact.smiles
    chain = backbone(product.molecule)
    lengths = [product.molecule.get_distance(a, b) for a, b in pairwise(chain)]
    short = [place for place, length in enumerate(lengths) if length < 1.42]
    assert len(chain) == 2 * units
    assert short == [units - 1]
    assert set(product.bonding_atoms) == {chain[units - 1], chain[units]}
    assert product.smiles.count("=") == 1


@given(UNITS, st.sampled_from([None, "HF"]), st.integers(0, 3))
@settings(deadline=None, max_examples=15)
def test_every_atom_has_its_valence_and_the_chain_is_whole(units, eliminate, seed):
    fragment = build_fragment("PVDF", units, eliminate, seed)
    assert_sound(fragment)
    neighbours = bonds(fragment.molecule).sum(axis=0)
    planar = set(fragment.bonding_atoms)
    for index, site in enumerate(fragment.molecule):
        expected = {"C": 3 if index in planar else 4}.get(site.specie.symbol, 1)
        assert neighbours[index] == expected


@given(st.sampled_from(sorted(FORMULAS)), st.integers(1, 5), st.sampled_from(["H", "CH3"]), st.integers(0, 3))
@settings(deadline=None, max_examples=15)
def test_a_chain_is_its_units_and_two_caps_for_every_polymer(polymer, units, caps, seed):
    fragment = build_fragment(polymer, units, seed=seed, caps=caps)
    expected = units * Composition(FORMULAS[polymer]) + 2 * Composition(caps)
    assert fragment.molecule.composition == expected == Composition(fragment.formula)
    assert_sound(fragment)
    again = build_fragment(polymer, units, seed=seed, caps=caps)
    assert fragment.molecule.cart_coords.tobytes() == again.molecule.cart_coords.tobytes()


def test_the_default_conformers_of_pvdf_stay_what_they_were():
    # Largest distance between two atoms (Å) of the fragments that the published barriers were computed with.
    for eliminate, reach in ((None, 7.5292), ("HF", 7.7722)):
        molecule = build_fragment("PVDF", 3, eliminate).molecule
        assert molecule.distance_matrix.max() == pytest.approx(reach, abs=1e-3)


@pytest.mark.parametrize(("units", "propylenes"), [(2, 1), (3, 1), (11, 1), (12, 2)])
def test_pvdf_hfp_holds_one_hexafluoropropylene_in_ten_units(units, propylenes):
    fragment = build_fragment("PVDF-HFP", units)
    drawn = Chem.MolFromSmiles(fragment.smiles)
    assert len(drawn.GetSubstructMatches(Chem.MolFromSmarts("C(F)(F)(F)C(F)(C)"))) >= propylenes
    expected = (units - propylenes) * Composition("C2H2F2") + propylenes * Composition("C3F6") + Composition("H2")
    assert fragment.molecule.composition == expected
    assert_sound(fragment)


def test_peo_is_a_glyme_and_carries_no_hydroxyl():
    assert build_fragment("PEO", 2).smiles == "COCCOC"


@given(
    st.sampled_from(["PAN", "PMMA"]),
    st.integers(3, 4),
    st.sampled_from(["embedded", "beta"]),
    st.sampled_from(["isotactic", "syndiotactic"]),
    st.integers(0, 3),
)
@settings(deadline=None, max_examples=10)
def test_tacticity_is_seen_in_the_positions(polymer, units, conformer, tacticity, seed):
    sides = handedness(
        build_fragment(polymer, units, seed=seed, caps="CH3", conformer=conformer, tacticity=tacticity).molecule
    )
    assert len(sides) >= units - 1
    turns = {after * before for before, after in pairwise(sides)}
    assert turns == ({1} if tacticity == "isotactic" else {-1})


def test_an_atactic_chain_is_drawn_from_the_seed():
    chains = [handedness(build_fragment("PAN", 8, seed=seed, tacticity="atactic").molecule) for seed in range(3)]
    assert any(len({a * b for a, b in pairwise(sides)}) == 2 for sides in chains)
    assert len(set(map(tuple, chains))) > 1
    again = handedness(build_fragment("PAN", 8, seed=0, tacticity="atactic").molecule)
    assert again == chains[0]


@pytest.mark.parametrize("tacticity", ["isotactic", "syndiotactic"])
def test_tacticity_outlives_an_elimination(tacticity):
    sides = handedness(build_fragment("PAN", 6, "HCN", positions=[11], tacticity=tacticity, conformer="beta").molecule)
    assert len(sides) == 5
    assert {a * b for a, b in pairwise(sides)} == ({1} if tacticity == "isotactic" else {-1})


def test_a_users_own_repeat_unit_is_the_same_polymer():
    for eliminate in (None, "HF"):
        own, filed = (build_fragment(polymer, 3, eliminate) for polymer in ("[*]CC([*])(F)F", "PVDF"))
        assert own.molecule.cart_coords.tobytes() == filed.molecule.cart_coords.tobytes()
        assert own.name == filed.name.replace("PVDF", "poly(C2H2F2)")


def test_units_parted_by_a_dot_follow_each_other():
    fragment = build_fragment("[*:1]CC([*:2])F.[*]C=C[*]", 3)
    assert find_polymer("[*]CC([*])F.[*]C=C[*]").name == fragment.name == "poly(C4H5F)"
    assert symbols(fragment.molecule).count("F") == 2
    assert len(fragment.bonding_atoms) == 2
    assert_sound(fragment)


@pytest.mark.parametrize("units", [2, 3, 5])
def test_the_chain_is_trans_across_the_double_bond_for_every_seed(units):
    for seed in range(3):
        molecule = build_fragment("PVDF", units, "HF", seed).molecule
        dihedral = molecule.get_dihedral(*backbone(molecule)[units - 2 : units + 2])
        assert abs(dihedral) > 165


def test_the_double_bond_carries_one_hydrogen_and_one_fluorine():
    fragment = build_fragment("PVDF", 3, "HF")
    bonded = bonds(fragment.molecule)
    hung = [
        {fragment.molecule[i].specie.symbol for i in np.flatnonzero(bonded[carbon])} - {"C"}
        for carbon in fragment.bonding_atoms
    ]
    assert sorted(map(sorted, hung)) == [["F"], ["H"]]


def test_the_same_call_gives_the_same_positions_and_the_seed_gives_others():
    first, again, other = (build_fragment("PVDF", 4, "HF", seed) for seed in (0, 0, 1))
    assert np.array_equal(first.molecule.cart_coords, again.molecule.cart_coords)
    assert first.molecule.species == other.molecule.species
    assert not np.allclose(first.molecule.distance_matrix, other.molecule.distance_matrix, atol=0.1)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("PVDFF", 2, None), {}, r"polymer: 'PVDFF' is not on file; allowed: PVDF, PAN, .*two open ends \[\*\]$"),
        (("PVDF", 2, "HCl"), {}, "'HCl' is no elimination of PVDF; allowed: HF$"),
        (("PVDF", 0, None), {}, "units: 0 makes no chain; allowed: at least 1$"),
        (("PVDF-HFP", 1), {}, "units: 1 does not hold every repeat unit of the polymer; allowed: at least 2$"),
        (("[*]CC(", 2), {}, "is no SMILES; allowed: a repeat unit such as"),
        (("[*]C", 2), {}, "has 1 open ends .* allowed: two"),
        (("[*]C([*])C[*]", 2), {}, "has 3 open ends .* allowed: two"),
        (("[*]CC[*].[*]C", 2), {}, "has 1 open ends .* allowed: two"),
        (("[*]=CC=[*]", 2), {}, "allowed: two, each on a single bond"),
        (("[*][*]", 2), {}, "allowed: two, each on a single bond"),
        (("[*]C(F)(F)(F)C[*]", 2), {}, "is no sound molecule: Explicit valence for atom # 1 C, 5"),
        (("[*]C[N+](C)(C)[*]", 2), {}, "has a charge or a radical; allowed: a neutral unit"),
        (("[*]C[C]([*])F", 2), {}, "has a charge or a radical; allowed: a neutral unit"),
        (("PVDF", 2), {"caps": "F"}, "caps: 'F' is not known; allowed: H, CH3$"),
        (("PVDF", 2), {"stereo": "X"}, "stereo: 'X' is not known; allowed: trans, cis, E, Z$"),
        (("PAN", 2), {"tacticity": "iso"}, "tacticity: 'iso' is not known; allowed: isotactic, syndiotactic, atactic$"),
        (("PVDF", 2), {"tacticity": "atactic"}, "tacticity: 'atactic' needs stereocentres, and the backbone has none"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, options, message, capfd):
    with pytest.raises(ValueError, match=message) as refused:
        build_fragment(*arguments, **options)
    assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""
