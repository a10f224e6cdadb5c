"""Molecules of a user's own as fragments: their atoms and bonds, where they stand, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import ordered_slab
from pymatgen.core import Molecule

from barriers.structures.bonding import bonds
from barriers.structures.hop.search import find_hops
from barriers.structures.interface.contacts import surface_bonds
from barriers.structures.polymer.given import fragment_of_molecule, fragment_of_smiles
from barriers.structures.polymer.molecules import reaction_molecule
from barriers.study.errors import StudyError
from barriers.study.file import load_study, read_study
from barriers.study.models import FragmentSection, PlacementSection, Study
from barriers.workflow.placements import by_content, fragment_of, placements_of

EC, DMC, VC = "O=C1OCCO1", "COC(=O)OC", "O=C1OC=CO1"


@pytest.mark.parametrize(("smiles", "formula", "n_bonds"), [(EC, "C3H4O3", 10), (DMC, "C3H6O3", 11), (VC, "C3H2O3", 8)])
def test_carbonates_have_the_atoms_bonds_and_double_bonds_of_their_drawing(
    smiles: str, formula: str, n_bonds: int
) -> None:
    made = fragment_of_smiles(smiles)
    assert made.formula == formula and bonds(made.molecule).sum() // 2 == n_bonds
    carbonyl = min(
        made.molecule.get_distance(c, o)
        for c in made.molecule.indices_from_symbol("C")
        for o in made.molecule.indices_from_symbol("O")
    )
    assert carbonyl == pytest.approx(1.2, abs=0.03)
    assert len(made.bonding_atoms) == (2 if smiles == VC else 0)


def test_a_molecule_of_a_file_keeps_its_shape_wherever_it_stands(tmp_path: Path) -> None:
    salt = reaction_molecule("LiFSI")
    turned = Molecule(salt.species, salt.cart_coords @ np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]) + 7)
    turned.to(str(tmp_path / "salt.xyz"))
    (tmp_path / "study.yaml").write_text("name: a\nsystems: [{name: x, fragment: {file: salt.xyz}}]\n")
    study = load_study(tmp_path / "study.yaml")
    assert isinstance(study, Study) and study.systems[0].fragment is not None
    made = fragment_of(study.systems[0].fragment)
    assert (made.name, made.formula) == ("salt", "F2LiNO4S2")
    assert made.molecule.distance_matrix == pytest.approx(salt.distance_matrix, abs=1e-5)
    (tmp_path / "salt.xyz").unlink()  # a job gets the molecule and not the name of a file


@pytest.mark.parametrize(
    ("fragment", "placement", "pair"),
    [
        ({"smiles": EC}, {"mode": "in contact"}, None),
        ({"smiles": DMC}, {"mode": "in contact", "orientation": "upright"}, None),
        ({"smiles": EC}, {"mode": "bonded", "bond": ("O", "Ni")}, ("O", "Ni")),
        ({"smiles": VC}, {"mode": "bonded"}, ("C", "O")),
        ({"file": "salt.xyz"}, {"mode": "bonded", "bond": ("O", "Ni")}, ("O", "Ni")),
    ],
)
def test_molecules_stand_on_the_slab_as_oligomers_do(
    fragment: dict[str, str], placement: dict[str, object], pair: tuple[str, str] | None, tmp_path: Path
) -> None:
    slab = ordered_slab()
    section = FragmentSection(**fragment)  # type: ignore[arg-type]
    if section.file is not None:
        reaction_molecule("LiFSI").to(str(tmp_path / "salt.xyz"))
        section = section.model_copy(update={"file": str(tmp_path / "salt.xyz")})
    wanted = PlacementSection(candidates=1, **placement)  # type: ignore[arg-type]
    (placed,) = placements_of(slab, by_content(section), wanted, 12.0, find_hops(slab)[0])
    assert placed.species[: len(slab)] == slab.species
    assert placed[len(slab) :] and len(placed) - len(slab) == len(fragment_of(section).molecule)
    found = {bond.elements for bond in surface_bonds(placed, len(slab))}
    assert (pair in found) if pair else not found


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: fragment_of_smiles("C1CC"), "is no SMILES of a molecule"),
        (lambda: fragment_of_smiles("[*]CC[*]"), "is no SMILES of a molecule"),
        (lambda: fragment_of_smiles("[Li+].[F-]"), "more than one molecule; allowed: one, or a salt as a file"),
        (lambda: fragment_of_smiles("F[P-](F)(F)(F)(F)F"), "has the charge -1; allowed: a neutral molecule"),
        (lambda: fragment_of_smiles("[CH3]"), "has unpaired electrons"),
        (lambda: fragment_of_smiles("[Li]C"), "MMFF94 has no parameters .* allowed: .* a file with its positions"),
        (
            lambda: fragment_of_molecule(reaction_molecule("FSI-")),
            "has an odd number of electrons: an ion or a radical",
        ),
        (lambda: fragment_of_molecule(Molecule(["H", "H"], [[0, 0, 0], [0, 0, 3]])), "its atoms are 2 pieces"),
    ],
)
def test_what_is_no_neutral_molecule_is_told_in_one_line(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        make()  # type: ignore[operator]
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fragment", "words"),
    [
        ("{units: 2}", "nothing makes no fragment; allowed: polymer, smiles or file"),
        ("{smiles: C, polymer: PVDF}", "fragment.smiles: 'C' stands beside polymer"),
        ("{smiles: C, units: 3}", "fragment.units: 3 stands beside smiles; allowed: for a polymer"),
        ("{file: a.xyz, seed: 3}", "fragment.seed: 3 stands beside file"),
        ("{smiles: C, conformer: beta}", "conformer: 'beta' stands beside smiles; allowed: 'embedded', 'lowest'"),
    ],
)
def test_a_fragment_is_one_thing(fragment: str, words: str) -> None:
    with pytest.raises(StudyError, match=words) as refusal:
        read_study(f"name: a\nsystems: [{{name: x, fragment: {fragment}}}]\n")
    assert len(refusal.value.problems) == 1
