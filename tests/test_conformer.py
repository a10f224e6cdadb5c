"""Conformers: torsions of α-, β- and γ-PVDF, bond lengths, dipoles, lowest energies."""

import numpy as np
import pytest
from chain_geometry import assert_sound, backbone, dipole, mmff_energy, neighbours, symbols, torsions
from hypothesis import given, settings
from hypothesis import strategies as st

from barriers.structures.polymer.fragment import build_fragment, known_polymers

# Lovinger, Science 220, 1115 (1983): TGTG', all-trans, T3GT3G'.
PATTERNS = {
    "alpha": [60, 180, -60, 180],
    "beta": [180],
    "gamma": [60, 180, 180, 180, -60, 180, 180, 180],
}


@given(st.sampled_from(sorted(PATTERNS)), st.integers(4, 7), st.integers(0, 3), st.sampled_from(["H", "CH3"]))
@settings(deadline=None, max_examples=12)
def test_the_forms_of_pvdf_have_their_torsions(form, units, seed, caps):
    fragment = build_fragment("PVDF", units, seed=seed, conformer=form, caps=caps)
    assert_sound(fragment)
    measured = np.array(torsions(fragment.molecule))
    # Methyl caps add a torsion at each end, which goes on with the pattern.
    expected = np.resize(PATTERNS[form] if caps == "H" else np.roll(PATTERNS[form], 1), len(measured))
    assert len(measured) == 2 * units - (3 if caps == "H" else 1)
    # With methyl caps either end may come first; a chain and its mirror image are the same form.
    readings = [sign * order for sign in (1, -1) for order in (expected, expected[::-1])]
    assert min(np.abs((measured - reading + 180) % 360 - 180).max() for reading in readings) < 3


@pytest.mark.parametrize("form", ["embedded", "lowest", *PATTERNS])
def test_bond_lengths_of_pvdf_are_those_of_fluorocarbons(form):
    molecule = build_fragment("PVDF", 5, conformer=form).molecule
    fluorines = [i for i, symbol in enumerate(symbols(molecule)) if symbol == "F"]
    lengths = [molecule.get_distance(i, neighbours(molecule, i)[0]) for i in fluorines]
    assert len(lengths) == 10
    assert 1.34 < min(lengths) <= max(lengths) < 1.40


@pytest.mark.parametrize("form", ["embedded", "lowest", "beta"])
def test_the_double_bond_is_that_of_a_fluoroethene(form):
    fragment = build_fragment("PVDF", 4, "HF", conformer=form)
    assert 1.31 < fragment.molecule.get_distance(*fragment.bonding_atoms) < 1.36


@pytest.mark.parametrize("units", [4, 6])
def test_beta_has_the_largest_dipole_of_the_forms_and_it_grows_with_the_chain(units):
    # MMFF94 gives carbon of CF2 0.68, fluorine -0.34 e: 2.6 D per unit, all of one direction in the zigzag chain.
    moments = {form: dipole(build_fragment("PVDF", units, conformer=form).molecule) for form in PATTERNS}
    assert moments["beta"] > moments["gamma"] > 0
    assert moments["beta"] > 1.4 * moments["alpha"]
    longer = dipole(build_fragment("PVDF", units + 2, conformer="beta").molecule)
    assert longer / (units + 2) == pytest.approx(moments["beta"] / units, rel=0.03)


@pytest.mark.parametrize(("polymer", "eliminate"), [("PVDF", None), ("PVDF", "HF"), ("PEO", None)])
def test_the_lowest_conformer_is_no_higher_than_any_embedded_one(polymer, eliminate):
    lowest = build_fragment(polymer, 3, eliminate, conformer="lowest")
    assert_sound(lowest)
    others = [mmff_energy(build_fragment(polymer, 3, eliminate, seed).molecule) for seed in range(5)]
    assert mmff_energy(lowest.molecule) <= min(others) + 1e-3


@pytest.mark.parametrize("polymer", known_polymers())
def test_every_polymer_has_an_all_trans_form(polymer):
    fragment = build_fragment(polymer, 3, conformer="beta")
    assert_sound(fragment)
    if polymer not in ("PEO", "PMMA"):  # whose longest carbon chain is not the backbone
        assert np.abs(torsions(fragment.molecule)) == pytest.approx(180, abs=3)


def test_a_conjugated_run_can_be_all_trans():
    molecule = build_fragment("PAN", 4, "HCN", positions="all", conformer="beta").molecule
    assert np.abs(torsions(molecule)) == pytest.approx(180, abs=5)
    path = molecule.cart_coords[backbone(molecule)]
    assert np.linalg.svd(path - path.mean(axis=0))[1][-1] < 0.1


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("PVDF", 2), {"conformer": "alpha"}, "'alpha' does not show in a backbone of 4 atoms; use more units"),
        (("PVDF", 3), {"conformer": "gamma"}, "'gamma' does not show in a backbone of 6 atoms; use more units"),
        (("PAN", 4), {"conformer": "alpha"}, "'alpha' is not known for PAN; allowed: embedded, lowest, beta$"),
        (("PVDF", 4), {"conformer": "delta"}, "'delta' is not known for PVDF; allowed: .*, alpha, beta, gamma$"),
        (("PVDF", 4, "HF"), {"conformer": "alpha"}, "'alpha' has -60° where the chain has a C=C; allowed: a trans"),
        (("PVDF", 4, "HF"), {"conformer": "beta", "stereo": "cis"}, "'beta' has 180° where the chain has a cis C=C"),
        (
            ("[*]c1ccc([*])cc1", 3),
            {"conformer": "beta"},
            "'beta' turns every bond of the backbone, .* has a ring in it",
        ),
        (("[*]C[Ni][*]", 2), {}, "polymer: the force field MMFF94 has no parameters for"),
    ],
)
def test_a_conformer_that_cannot_be_is_refused_in_one_line(arguments, options, message):
    with pytest.raises(ValueError, match=message) as refused:
        build_fragment(*arguments, **options)
    assert "\n" not in str(refused.value)
