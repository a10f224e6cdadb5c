"""Elimination: where it takes place, what is left, and on which side of C=C."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest
from chain_geometry import assert_sound, backbone, cip_label, double_bonds, handedness, symbols
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition
from rdkit import Chem

from barriers.structures.polymer.elimination import Elimination, known_eliminations
from barriers.structures.polymer.fragment import build_fragment, known_polymers

PAIRS = [("PVDF", "HF"), ("PAN", "HCN")]


@st.composite
def places(draw):
    """Polymer, its elimination, units and bonds that share no atom, in any order."""
    polymer, lost = draw(st.sampled_from(PAIRS))
    units = draw(st.integers(2, 6))
    chosen = []
    for bond in range(1, 2 * units):
        if (not chosen or bond - chosen[-1] > 1) and draw(st.booleans()):
            chosen.append(bond)
    return polymer, lost, units, tuple(draw(st.permutations(chosen or [1])))


@given(places(), st.integers(0, 3))
@settings(deadline=None, max_examples=15)
def test_the_molecule_leaves_at_the_bonds_asked_for_and_nowhere_else(asked, seed):
    polymer, lost, units, positions = asked
    intact = build_fragment(polymer, units, seed=seed)
    product = build_fragment(polymer, units, lost, seed, positions=positions)
    assert_sound(product)
    count = len(positions)
    assert intact.molecule.composition - product.molecule.composition == count * Composition(lost)
    path, found = backbone(product.molecule), double_bonds(product.molecule)
    if lost == "HCN" and 2 * units - 1 in positions and found != sorted(positions):
        # Without the nitrile at the tail, the two ends cannot be told apart.
        path, found = path[::-1], [2 * units - bond for bond in reversed(found)]
    assert found == sorted(positions)
    assert set(product.bonding_atoms) == {path[bond - 1 + end] for bond in positions for end in (0, 1)}
    assert len(product.bonding_atoms) == 2 * count
    assert product.name == f"{polymer}-{lost if count == 1 else f'{count}{lost}'}"


@pytest.mark.parametrize(("polymer", "lost"), PAIRS)
def test_all_positions_give_a_conjugated_run(polymer, lost):
    product = build_fragment(polymer, 4, lost, positions="all")
    assert double_bonds(product.molecule) == [1, 3, 5, 7]
    path = backbone(product.molecule)
    lengths = [product.molecule.get_distance(a, b) for a, b in pairwise(path)]
    # Butadiene: 1.34 and 1.46 Å (Herzberg, Electronic Spectra of Polyatomic Molecules, 1966).
    assert all(1.31 < length < 1.37 for length in lengths[::2])
    assert all(1.42 < length < 1.50 for length in lengths[1::2])


def test_all_positions_are_taken_from_the_head_on():
    product = build_fragment("[*]CC(F)(F)C[*].[*]OC[*]", 2, "HF", positions="all")
    assert product.smiles == "C=C(F)COC"


def test_hydrogen_cyanide_leaves_no_nitrile_where_it_left():
    product = build_fragment("PAN", 3, "HCN", positions=[1, 5])
    assert symbols(product.molecule).count("N") == 1
    assert handedness(product.molecule) in ([1], [-1])
    assert "N" not in symbols(build_fragment("PAN", 3, "HCN", positions="all").molecule)


@given(st.sampled_from(PAIRS), st.integers(3, 5), st.sampled_from(["E", "Z", "trans", "cis"]), st.integers(0, 3))
@settings(deadline=None, max_examples=15)
def test_every_double_bond_lies_as_asked(pair, units, stereo, seed):
    polymer, lost = pair
    molecule = build_fragment(polymer, units, lost, seed, positions="all", stereo=stereo).molecule
    path = backbone(molecule)
    for bond in double_bonds(molecule)[1:-1]:
        before, first, second, after = path[bond - 2 : bond + 2]
        if stereo in ("E", "Z"):
            assert cip_label(molecule, first, second) == stereo
        else:
            dihedral = abs(molecule.get_dihedral(before, first, second, after))
            assert dihedral > 160 if stereo == "trans" else dihedral < 20


def test_the_trans_chain_of_pvdf_is_z_and_that_of_pan_is_e():
    for polymer, lost, label in (("PVDF", "HF", "Z"), ("PAN", "HCN", "E")):
        fragment = build_fragment(polymer, 3, lost)
        assert cip_label(fragment.molecule, *fragment.bonding_atoms) == label


def test_in_the_copolymer_hf_leaves_from_ch2_cf2_alone():
    product = build_fragment("PVDF-HFP", 4, "HF", positions="all")
    assert product.name == "PVDF-HFP-3HF"
    assert Chem.MolFromSmiles(product.smiles).HasSubstructMatch(Chem.MolFromSmarts("C(F)(C(F)(F)F)C(F)(F)C(F)=C"))
    assert_sound(product)


def test_every_elimination_on_file_gives_off_what_it_is_named_after():
    used = [(polymer.name, lost) for polymer in known_polymers().values() for lost in polymer.eliminations]
    assert {lost for _, lost in used} == set(known_eliminations())
    for polymer, lost in used:
        intact, product = build_fragment(polymer, 3), build_fragment(polymer, 3, lost)
        assert intact.molecule.composition - product.molecule.composition == Composition(lost)


def test_a_reaction_that_gives_off_something_else_is_refused(monkeypatch):
    wrong = Elimination("HF", known_eliminations()["HCN"].reaction)
    monkeypatch.setitem(known_polymers(), "PAN", replace(known_polymers()["PAN"], eliminations={"HF": wrong}))
    with pytest.raises(ValueError, match="eliminate: the reaction on file does not give off HF"):
        build_fragment("PAN", 2, "HF")


@pytest.mark.parametrize(
    ("polymer", "lost", "positions", "message"),
    [
        ("PVDF", "HF", (9,), "positions: 9 cannot lose HF; allowed: 1, 2, 3, 4, 5"),
        ("PVDF", "HF", (0,), "positions: 0 cannot lose HF; allowed: 1, 2, 3, 4, 5"),
        ("PVDF", "HF", (2, 3), "positions: 3 cannot lose HF after 2; allowed: 4, 5"),
        ("PVDF", "HF", (3, 3), "positions: 3 cannot lose HF after 3; allowed: 1, 5"),
        ("PAN", "HCN", (1, 2), "positions: 2 cannot lose HCN after 1; allowed: 3, 4, 5"),
        ("PVDF-HFP", "HF", (2,), "positions: 2 cannot lose HF; allowed: 1, 5"),
        ("PVDF", "HF", (), "positions: () are no numbers of bonds; allowed: all, 1, 2, 3, 4, 5"),
        ("PVDF", "HF", "every", "positions: 'every' are no numbers of bonds; allowed: all, 1, 2, 3, 4, 5"),
        ("PVDF", None, (1,), "positions: (1,) without eliminate; allowed: with a molecule to eliminate"),
        ("PVDF", "HCN", None, "eliminate: 'HCN' is no elimination of PVDF; allowed: HF"),
        ("PEO", "HF", None, "eliminate: 'HF' is no elimination of PEO; allowed: none"),
        ("[*]CC[*]", "HF", None, "eliminate: no position of this chain can lose HF"),
    ],
)
def test_an_impossible_position_is_refused_with_those_that_are_possible(polymer, lost, positions, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}") as refused:
        build_fragment(polymer, 3, lost, positions=positions)
    assert "\n" not in str(refused.value)
