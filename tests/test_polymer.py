from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition
from rdkit import Chem
from scipy.sparse.csgraph import connected_components, shortest_path

from barriers.structures.bonding import bonds
from barriers.structures.polymer import build_fragment, known_polymers

UNITS = st.integers(1, 6)


def carbons(molecule):
    return [index for index, site in enumerate(molecule) if site.specie.symbol == "C"]


def backbone(molecule):
    """Carbons of the chain from end to end, by bonds alone."""
    atoms = carbons(molecule)
    steps = shortest_path(bonds(molecule)[np.ix_(atoms, atoms)], unweighted=True)
    start = np.unravel_index(steps.argmax(), steps.shape)[0]
    return [atoms[place] for place in steps[start].argsort()]


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
    bonded = bonds(fragment.molecule)
    neighbours = bonded.sum(axis=0)
    planar = set(fragment.bonding_atoms)
    for index, site in enumerate(fragment.molecule):
        expected = {"C": 3 if index in planar else 4}.get(site.specie.symbol, 1)
        assert neighbours[index] == expected
    assert connected_components(bonded)[0] == 1


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
    ("arguments", "message"),
    [
        (("PVDFF", 2, None), "'PVDFF' is not on file; allowed: PVDF"),
        (("PVDF", 2, "HCl"), "'HCl' is no elimination of PVDF; allowed: HF"),
        (("PVDF", 0, None), "units: 0 makes no chain; allowed: at least 1"),
    ],
)
def test_wrong_names_are_refused_with_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        build_fragment(*arguments)


def test_every_polymer_on_file_gives_off_what_its_elimination_is_named_after():
    for polymer in known_polymers().values():
        for name, step in polymer.eliminations.items():
            lost = Chem.AddHs(Chem.MolFromSmiles(step.molecule))
            assert Composition(name) == Composition("".join(atom.GetSymbol() for atom in lost.GetAtoms()))
            build_fragment(polymer.name, 3, name)
