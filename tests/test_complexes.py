"""Complexes of a salt with an oligomer: where lithium is put, and what becomes of several starts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Molecule
from scipy.spatial.distance import pdist

from barriers import MlipEngine, PyscfEngine, parse_reaction, run
from barriers.structures.bonding import bonds
from barriers.structures.polymer.complexes import ABOVE, REACH, complexes
from barriers.structures.polymer.fragment import build_fragment
from barriers.structures.polymer.molecules import reaction_molecule
from barriers.structures.polymer.species import build_species
from barriers.workflow.reactions import ReactionMaker

ATOMS = re.compile(r"[A-Z](\d+)")

SALT = reaction_molecule("LiFSI")
HOST = build_fragment("PVDF", 2, "HF")


@pytest.fixture(scope="module")
def placed() -> dict[str, Molecule]:
    return dict(complexes(HOST.molecule, SALT))


def lithium_from(complex_: Molecule, atoms: list[int]) -> list[float]:
    (lithium,) = complex_.indices_from_symbol("Li")
    return [complex_.get_distance(lithium, atom) for atom in atoms]


def test_lithium_is_put_at_fluorine_and_above_the_double_bond_by_turns(placed: dict[str, Molecule]) -> None:
    first, second, third = list(placed)[:3]
    assert [first.count("F"), second, third.count("F")] == [2, "Li at C0 C1", 1]
    assert HOST.bonding_atoms == (0, 1)
    for name, complex_ in placed.items():
        at = [int(word) for word in ATOMS.findall(name)]
        length = np.hypot(ABOVE, HOST.molecule.get_distance(0, 1) / 2) if "C" in name else REACH
        assert lithium_from(complex_, at) == pytest.approx([length] * len(at), abs=0.02)


def test_both_keep_their_shapes_and_only_lithium_touches_the_host(placed: dict[str, Molecule]) -> None:
    n_host, n_places = len(HOST.molecule), len(placed)
    assert n_places >= 6 and list(placed)[1:5:3] == ["Li at C0 C1", "Li at C0 C1, other side"]
    for complex_ in placed.values():
        positions = complex_.cart_coords
        assert pdist(positions[:n_host]) == pytest.approx(pdist(HOST.molecule.cart_coords), abs=1e-5)
        assert pdist(positions[n_host:]) == pytest.approx(pdist(SALT.cart_coords), abs=1e-5)
        between = bonds(complex_)[n_host:, :n_host]
        assert {complex_[n_host + atom].specie.symbol for atom in np.flatnonzero(between.any(axis=1))} == {"Li"}


def test_places_do_not_depend_on_where_the_host_is_nor_on_the_order_of_its_atoms(placed: dict[str, Molecule]) -> None:
    host, order = HOST.molecule, np.random.default_rng(3).permutation(len(HOST.molecule))
    shift = np.array([3.7, -11.2, 0.4])
    other = Molecule([host[atom].specie for atom in order], host.cart_coords[order] + shift)
    back = {new: int(old) for new, old in enumerate(order)}
    for name, (renamed, moved) in zip(placed, complexes(other, SALT), strict=True):
        atoms = {int(word) for word in ATOMS.findall(name)}
        assert {back[int(word)] for word in ATOMS.findall(renamed)} == atoms
        n_host = len(host)
        assert moved.cart_coords[n_host:] - shift == pytest.approx(placed[name].cart_coords[n_host:], abs=1e-4)


def test_the_lowest_start_counts_and_one_that_comes_apart_is_dropped_and_said(tmp_path: Path) -> None:
    engine = MlipEngine(model="flat:LikesFluorine", workers=1)
    apart = ReactionMaker(engine=engine, fmax=0.1, units=2).make([parse_reaction("LiFSI@PVDF-HF -> LiFSI@PVDF-HF")])
    species = run(apart, tmp_path).output.species["LiFSI@PVDF-HF"]
    assert species.energy == pytest.approx(-0.2)
    assert species.spread == pytest.approx(0.1)
    assert species.lowest == species.starts[0].name == "seed 0, Li at F2 F4"
    (dropped,) = [start.reason for start in species.starts if start.energy is None]
    assert dropped == "seed 1, Li at C0 C1 is another species after its relaxation: 2 parts where there were 1"


def test_lithium_is_bound_by_water_as_measured(tmp_path: Path) -> None:
    flow = ReactionMaker(engine=PyscfEngine("HF", "def2-svpd", None), fmax=0.1).make(
        [parse_reaction("Li+ + H2O -> Li+@H2O")]
    )
    document = run(flow, tmp_path).output
    # Dzidic and Kebarle, J. Phys. Chem. 74, 1466 (1970): 34 kcal/mol.
    assert document.reactions[0].energy == pytest.approx(-1.47, abs=0.2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NaCl@PVDF", "species: 'NaCl@PVDF' is not known; allowed: LiF, LiCN, Li.*, LiFSI before @, a molecule or an"),
        ("HF@PVDF", "'HF@PVDF' is not known"),
        ("Li+@LiF(s)", r"'Li\+@LiF\(s\)' is not known"),
        ("Li+@H", r"'H' has no place for the lithium of Li\+; allowed: with F, N, O or C=C"),
        ("Li+@PVDG", "species: 'PVDG' is not known"),
    ],
)
def test_what_is_no_complex_is_refused(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_species(name)
