"""Molecules of the reactions: formulas, published bond lengths and angles, symmetry."""

import pytest
from pymatgen.core import Composition
from pymatgen.symmetry.analyzer import PointGroupAnalyzer

from barriers.structures.bonding import bonds
from barriers.structures.polymer.elimination import known_eliminations
from barriers.structures.polymer.molecules import known_molecules, reaction_molecule

# Equilibrium lengths (Å) of the NIST Computational Chemistry Comparison and Benchmark Database, experimental.
PUBLISHED = [
    ("HF", "H", "F", 0.917),
    ("HCN", "C", "H", 1.064),
    ("HCN", "C", "N", 1.156),
    ("LiF", "Li", "F", 1.564),
    ("H2O", "O", "H", 0.958),
    ("CO2", "C", "O", 1.162),
]


def lengths(molecule, first, second):
    """Distances between bonded atoms of two elements; lithium is ionic and taken by distance alone."""
    pairs = [
        (i, j)
        for i, a in enumerate(molecule)
        for j, b in enumerate(molecule)
        if (a.specie.symbol, b.specie.symbol) == (first, second) and bonds(molecule)[i, j]
    ]
    return [molecule.get_distance(i, j) for i, j in pairs]


@pytest.mark.parametrize(("name", "first", "second", "length"), PUBLISHED)
def test_bond_lengths_are_the_published_ones(name, first, second, length):
    found = lengths(reaction_molecule(name), first, second)
    assert found
    assert found == pytest.approx([length] * len(found), abs=0.005)


def test_shapes_are_the_known_ones():
    molecules = {name: reaction_molecule(name) for name in known_molecules()}
    groups = {name: PointGroupAnalyzer(each, 0.1).sch_symbol for name, each in molecules.items() if len(each) > 1}
    assert groups == {
        **dict.fromkeys(("HF", "HCN", "LiF", "LiCN"), "C*v"),
        **dict.fromkeys(("H2O", "Li2CO3"), "C2v"),
        "CO2": "D*h",
        "FSI-": "Cs",
        "LiFSI": "C2",
    }
    assert reaction_molecule("H2O").get_angle(1, 0, 2) == pytest.approx(104.5, abs=0.1)


def test_lithium_cyanide_and_carbonate_are_computed_and_sound():
    cyanide, carbonate = reaction_molecule("LiCN"), reaction_molecule("Li2CO3")
    assert "computed" in cyanide.properties["source"]
    assert lengths(cyanide, "C", "N") == pytest.approx([1.17], abs=0.02)
    assert lengths(carbonate, "C", "O") == pytest.approx([1.29] * 3, abs=0.1)
    assert lengths(carbonate, "Li", "O") == pytest.approx([1.82] * 4, abs=0.02)
    angles = [carbonate.get_angle(a, 0, b) for a, b in ((1, 2), (2, 3), (3, 1))]
    assert sum(angles) == pytest.approx(360, abs=0.1)


FORMULAS = {"FSI-": "N(SO2F)2", "LiFSI": "LiN(SO2F)2", "Li+": "Li"}
SPINS = {"H": 2, "F": 2, "O": 3}


def test_names_are_formulas_and_every_molecule_has_a_source():
    assert len(known_molecules()) == 13
    for name in known_molecules():
        molecule = reaction_molecule(name)
        assert molecule.composition == Composition(FORMULAS.get(name, name))
        assert molecule.charge == {"+": 1, "-": -1}.get(name[-1], 0)
        assert molecule.spin_multiplicity == SPINS.get(name, 1)
        known = ("measured", "computed") if len(molecule) > 1 else ("an atom",)
        assert molecule.properties["source"].split(":")[0] in known


def test_what_a_polymer_gives_off_is_among_them():
    assert set(known_eliminations()) <= set(known_molecules())


def test_an_unknown_molecule_is_refused_with_those_on_file():
    with pytest.raises(ValueError, match=r"molecule: 'NaF' is not on file; allowed: HF, HCN, LiF, .*LiFSI$"):
        reaction_molecule("NaF")
