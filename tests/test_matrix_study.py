"""Polymer matrices before any force field: the study file, what boxes are made of, chains and their coils."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from barriers.structures.matrix.coil import coil
from barriers.structures.matrix.composition import Matrix, draw_chains, tacticity_of
from barriers.structures.polymer.chain import backbone
from barriers.study.errors import StudyError
from barriers.study.file import load_form, load_study
from barriers.study.forms import MatrixStudy
from barriers.workflow.matrix import matrices, nanoseconds_for, plan_matrices

STUDY = """\
name: melt
matrix:
  units: 10
  chains: 4
  ratio: 8
  temperature: [600, 500]
  boxes: 2
systems:
  - name: PVDF
  - name: PVDF-HF
    eliminate: HF
    fraction: 0.3
"""


def of(**changed: Any) -> Matrix:
    return Matrix(**{"name": "any", "polymer": "PVDF", "units": 6, "chains": 3, "salt": "LiFSI", "pairs": 2} | changed)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "melt.yaml"
    path.write_text(STUDY)
    return path


def test_systems_take_from_matrix_what_they_leave_out(study: Path) -> None:
    found = load_form(study)
    assert isinstance(found, MatrixStudy)
    plain, eliminated = matrices(found)
    assert (plain.eliminate, eliminated.eliminate, eliminated.fraction) == (None, "HF", 0.3)
    assert {(each.units, each.chains, each.pairs, each.salt) for each in (plain, eliminated)} == {(10, 4, 5, "LiFSI")}


def test_plan_counts_atoms_of_chains_and_salt(study: Path) -> None:
    found = load_form(study)
    assert isinstance(found, MatrixStudy)
    plain, eliminated = plan_matrices(found)
    # H(CH2CF2)10H has 62 atoms, a unit of LiFSI 10; three of ten places lose HF.
    assert plain.atoms == 4 * 62 + 5 * 10
    assert eliminated.atoms == 4 * (62 - 2 * 3) + 5 * 10
    mass = 4 * (20 * 12.011 + 22 * 1.008 + 20 * 18.998) + 5 * 187.07
    assert plain.edge**3 == pytest.approx(mass / 0.5 * 1.66054, rel=1e-3)
    assert plain.molality == pytest.approx(1000 * 5 / (4 * (20 * 12.011 + 22 * 1.008 + 20 * 18.998)), rel=1e-3)


def test_a_run_is_as_long_as_its_displacement_needs() -> None:
    # 25 Å² = 6 D t at half its length: D = 1e-7 cm²/s is 1 Å²/ns.
    assert nanoseconds_for(1e-7) == pytest.approx(2 * 25 / 6)
    assert nanoseconds_for(1e-8) == pytest.approx(20 * 25 / 6)


def test_check_prints_boxes(study: Path, cli: Callable[..., Any]) -> None:
    done = cli("check", study)
    assert done.code == 0
    assert "4 boxes, 2 of each system; 8 runs at 600, 500 K" in done.out
    assert "3 HF" in done.out and "298" in done.out


@pytest.mark.parametrize("command", ["hops"])
def test_commands_of_barriers_refuse_a_matrix(study: Path, cli: Callable[..., Any], command: str) -> None:
    done = cli(command, study)
    assert done.code == 2
    assert "a matrix has no barriers; allowed: barriers check, build, run, submit" in done.err
    with pytest.raises(StudyError):
        load_study(study)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("eliminate: HF", "eliminate: HCN", "systems[1].eliminate: 'HCN' is no elimination of PVDF; allowed: HF"),
        ("eliminate: HF", "polymer: PAN", "systems[1].fraction: 0.3 eliminates nothing"),
        ("units: 10", "unit: 10", "matrix.unit: unknown key"),
        ("ratio: 8", "salt: LiFSI6", "matrix.salt: 'LiFSI6' is not on file; allowed: LiFSI, LiTFSI, LiPF6"),
        ("[600, 500]", "[600, 600]", "matrix.temperature[1]: 600.0 stands twice"),
        ("name: PVDF-HF", "name: PVDF", "systems[1].name: 'PVDF' stands twice"),
    ],
)
def test_refusals_name_field_value_and_what_is_allowed(study: Path, old: str, new: str, line: str) -> None:
    study.write_text(STUDY.replace(old, new))
    with pytest.raises(StudyError) as error:
        load_form(study)
    assert str(error.value).startswith(line)


def test_one_temperature_may_stand_alone(study: Path) -> None:
    study.write_text(STUDY.replace("[600, 500]", "450"))
    found = load_form(study)
    assert isinstance(found, MatrixStudy)
    assert found.matrix.temperature == (450.0,)


@pytest.mark.parametrize(
    ("polymer", "molecule", "whole", "lost"),
    [
        ("PVDF", "HF", Counter(C=20, H=22, F=20), Counter(H=1, F=1)),
        ("PAN", "HCN", Counter(C=30, H=32, N=10), Counter(H=1, C=1, N=1)),
    ],
)
@pytest.mark.parametrize("fraction", [0.3, 0.5, 1.0])
def test_chains_lose_their_share(polymer: str, molecule: str, whole: Counter, lost: Counter, fraction: float) -> None:
    chains = draw_chains(of(polymer=polymer, units=10, eliminate=molecule, fraction=fraction), 3)
    times = round(10 * fraction)
    for chain in chains:
        atoms = Counter(atom.GetSymbol() for atom in Chem.AddHs(chain.drawn).GetAtoms())
        assert atoms == whole - Counter({symbol: times * number for symbol, number in lost.items()})
        double = [bond for bond in chain.drawn.GetBonds() if bond.GetBondType() == Chem.BondType.DOUBLE]
        assert len(double) == len(chain.eliminated) == times
        line = backbone(chain.drawn)
        ends = {frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in double}
        assert ends == {frozenset(line[place - 1 : place + 1]) for place in chain.eliminated}


def test_each_chain_draws_its_own_places_and_a_seed_draws_them_again() -> None:
    asked = of(units=12, chains=8, eliminate="HF", fraction=0.5)
    first, again, other = (draw_chains(asked, seed) for seed in (5, 5, 6))
    assert [chain.eliminated for chain in first] == [chain.eliminated for chain in again]
    assert len({chain.eliminated for chain in first}) > 4
    assert [chain.eliminated for chain in first] != [chain.eliminated for chain in other]


def test_chains_are_atactic_where_they_can_be() -> None:
    assert tacticity_of(of()) is None
    asked = of(polymer="PAN", units=30, chains=6)
    assert tacticity_of(asked) == "atactic"
    same = total = 0
    for chain in draw_chains(asked, 1):
        # The two neighbours of a dyad have the same tag where the sides alternate along the drawn chain, or the other.
        tags = [centre[1] for centre in Chem.FindMolChiralCenters(chain.drawn, useLegacyImplementation=False)]
        same += sum(a == b for a, b in itertools.pairwise(tags))
        total += len(tags) - 1
    assert 0.35 < same / total < 0.65
    assert CalcMolFormula(draw_chains(of(polymer="PEO"), 0)[0].drawn) == "C12H26O6"


@pytest.mark.parametrize(
    "asked", [of(units=12), of(polymer="PAN", units=10, eliminate="HCN", fraction=0.3), of(polymer="PEO", units=12)]
)
def test_coils_do_not_run_into_themselves(asked: Matrix) -> None:
    chain = draw_chains(asked, 2)[0]
    solid = coil(chain.drawn, 7)
    positions = solid.GetConformer().GetPositions()
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    graph = Chem.GetDistanceMatrix(solid)
    assert apart[graph > 3].min() > 1.9
    assert apart[graph == 1].min() > 0.9 and apart[graph == 1].max() < 1.75
    drawn = Chem.Mol(chain.drawn)
    Chem.AssignStereochemistryFrom3D(solid)
    Chem.AssignStereochemistry(drawn, cleanIt=True, force=True)
    assert solid.HasSubstructMatch(drawn, useChirality=True)
    again, other = (coil(chain.drawn, seed).GetConformer().GetPositions() for seed in (7, 8))
    assert np.array_equal(positions, again)
    assert abs(positions - other).max() > 1
