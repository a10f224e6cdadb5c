"""Reactions: equations, species and crystals, the flow with several starts, what gives no energy, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from espresso_cases import need_qe
from pymatgen.core import Composition, Molecule, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers import EspressoEngine, MlipEngine, PyscfEngine, VaspEngine, parse_reaction, run
from barriers.engines.mlip.models import known_models
from barriers.structures.data import load_data
from barriers.structures.intact import rearranged
from barriers.structures.polymer.crystals import crystal_source, known_crystals, reaction_crystal
from barriers.structures.polymer.reactions import Reaction, in_box, known_reactions, species_molecule
from barriers.structures.polymer.species import build_species
from barriers.workflow.labels import jobs_of
from barriers.workflow.reaction_job import ReactionsDoc
from barriers.workflow.reactions import ReactionMaker

EMT = MlipEngine(model="emt")
LOOSE = 20.0
"""Force (eV/Å) below which the metals' potential leaves molecules as they were built."""

PAN = known_reactions()["PAN-HCN"]


def computed(reactions: list[Reaction], folder: Path, **settings: object) -> ReactionsDoc:
    maker = ReactionMaker(**{"engine": EMT, "fmax": LOOSE, "units": 2, **settings})
    return run(maker.make(reactions), folder).output


@pytest.mark.parametrize(
    "equation",
    ["2 HF + Li2CO3(s) -> 2 LiF(s) + H2O + CO2", "HF + 1 HF + Li2CO3(s) → 2LiF(s) + CO2 + H2O"],
)
def test_an_equation_is_read(equation: str) -> None:
    reaction = parse_reaction(equation)
    assert reaction.reactants == {"HF": 2, "Li2CO3(s)": 1}
    assert reaction.products == {"LiF(s)": 2, "H2O": 1, "CO2": 1}
    assert parse_reaction(str(reaction)) == reaction
    assert parse_reaction(equation, "coating").name == "coating"


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("HF", "'HF' is no equation; allowed: such as"),
        ("HF -> H + F -> HF", "is no equation"),
        ("HF -> ", "'' in 'HF -> ' is no species with its number"),
        ("0.5 HF -> H", r"'0.5 HF' in .* is no species with its number"),
        ("HF+HF -> HF", r"species: 'HF\+HF' is not known; allowed: HF, HCN"),
        ("NaF(s) -> HF", r"crystal: 'NaF\(s\)' is not on file; allowed: LiF\(s\), Li2CO3\(s\)"),
        ("HF -> 2 HF", "H1 F1 before and H2 F2 after"),
        ("0 HF -> 0 HF", "at least one of each species"),
        ("LiF -> Li+ + F", r"charge \+0 before and \+1 after"),
    ],
)
def test_what_is_no_balanced_reaction_is_refused(equation: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_reaction(equation)


# Volume of a formula unit (Å³) from the measured density, and shortest distance (Å) of two elements.
CRYSTALS = [
    ("LiF(s)", 225, 25.939 / 2.64 / 0.60221, ("Li", "F"), 2.013),
    ("Li2CO3(s)", 15, 73.891 / 2.11 / 0.60221, ("C", "O"), 1.27),
]


@pytest.mark.parametrize(("name", "group", "volume", "pair", "length"), CRYSTALS)
def test_a_crystal_has_its_symmetry_density_and_bonds(name, group, volume, pair, length) -> None:
    crystal, species = reaction_crystal(name), build_species(name)
    assert SpacegroupAnalyzer(crystal, 1e-3).get_space_group_number() == group
    assert crystal.volume / species.formula_units == pytest.approx(volume, rel=0.02)
    assert species.composition == Composition(name.removesuffix("(s)"))
    apart = crystal.distance_matrix[np.ix_(*(crystal.indices_from_symbol(symbol) for symbol in pair))]
    assert apart.min() == pytest.approx(length, abs=0.03)
    assert crystal_source(name).startswith("measured: ")


def test_every_crystal_on_file_is_looked_at() -> None:
    assert [name for name, *_ in CRYSTALS] == list(known_crystals())


def test_oligomers_have_several_starts_and_what_is_on_file_has_one() -> None:
    assert list(build_species("PAN", units=2, seed=4, starts=3).starts) == ["seed 4", "seed 5", "seed 6"]
    assert list(build_species("HF", starts=3).starts) == ["on file"]
    assert list(build_species("LiF(s)", starts=3).starts) == ["as measured"]


def test_each_start_is_relaxed_once_and_the_lowest_counts(tmp_path: Path) -> None:
    doubled = Reaction(name="two", reactants={"PAN": 2}, products={"PAN-HCN": 2, "HCN": 2})
    document = computed([PAN, doubled], tmp_path, starts=2)
    assert sorted(document.energies) == ["HCN", "PAN", "PAN-HCN"]
    assert document.cost.force_calls == 5
    single, two = document.reactions
    energies, species = document.energies, document.species
    assert single.energy == pytest.approx(energies["PAN-HCN"] + energies["HCN"] - energies["PAN"], abs=1e-9)
    assert two.energy == pytest.approx(2 * single.energy, abs=1e-9)
    assert two.equation == "2 PAN → 2 PAN-HCN + 2 HCN"
    of_starts = [start.energy for start in species["PAN"].starts]
    assert species["PAN"].energy == min(of_starts)
    assert species["PAN"].spread == pytest.approx(max(of_starts) - min(of_starts))
    assert species["PAN"].spread > 0.001
    assert species["HCN"].spread is None
    assert single.spread == pytest.approx(species["PAN"].spread + species["PAN-HCN"].spread)
    assert two.spread == pytest.approx(2 * single.spread)


def test_one_start_has_no_spread(tmp_path: Path) -> None:
    (reaction,) = computed([PAN], tmp_path, starts=1).reactions
    assert reaction.energy is not None
    assert reaction.spread is None


def test_a_crystal_counts_by_its_formula_unit(tmp_path: Path) -> None:
    melting = parse_reaction("Li2CO3(s) -> Li2CO3")
    engine = MlipEngine(model="flat:PerAtom")
    document = computed([melting], tmp_path, engine=engine)
    assert document.energies == pytest.approx({"Li2CO3(s)": -6.0, "Li2CO3": -6.0})
    assert document.reactions[0].energy == pytest.approx(0.0)


def test_a_species_that_is_not_relaxed_gives_no_energy_but_the_reason(tmp_path: Path) -> None:
    document = computed([PAN], tmp_path, fmax=0.001, max_steps=1, starts=1)
    (reaction,) = document.reactions
    assert reaction.energy is None
    assert reaction.reason.startswith("PAN: seed 0 not relaxed: ")
    assert "PAN" not in document.energies


def test_a_species_that_becomes_another_gives_no_energy_but_the_reason(tmp_path: Path) -> None:
    document = computed([PAN], tmp_path, fmax=0.1, starts=1)
    assert document.reactions[0].energy is None
    assert "PAN: seed 0 is another species after its relaxation: broken " in document.reactions[0].reason
    assert "; formed C0–" in document.reactions[0].reason
    assert document.energies.keys() == {"PAN-HCN", "HCN"}


def test_a_relaxation_that_fails_leaves_the_others_and_a_reason(tmp_path: Path) -> None:
    reactions = [PAN, parse_reaction("PAN-HCN -> PAN-HCN")]
    document = computed(reactions, tmp_path, engine=MlipEngine(model="flat:FailsAtNitrogens"), starts=1)
    assert document.reactions[0].reason == "PAN: the relaxation of seed 0 failed"
    assert document.reactions[1].energy == 0.0


@pytest.mark.parametrize(
    ("moved", "by", "said"),
    [
        ("H2O", [(1, 1.5)], "broken O0–H1 (2.46 Å)"),
        ("HCN", [(2, 0.2)], None),
        ("LiF", [(1, 0.3)], None),
        ("LiF", [(1, 1.5)], "2 parts where there were 1"),
    ],
)
def test_a_changed_bond_is_said(moved: str, by: list[tuple[int, float]], said: str | None) -> None:
    before = in_box(species_molecule(moved), 12.0)
    after = before.copy()
    for atom, length in by:
        bond = before[atom].coords - before[0 if moved != "HCN" else 1].coords
        after.translate_sites([atom], length * bond / np.linalg.norm(bond), frac_coords=False)
    assert rearranged(before, after) == said
    assert rearranged(before, before) is None


def test_lithium_may_go_from_one_neighbour_to_another_but_not_away() -> None:
    def lithium_at(x: float) -> Structure:
        return in_box(Molecule(["O", "C", "O", "Li"], [[-1.16, 0, 0], [0, 0, 0], [1.16, 0, 0], [x, 0, 0]]), 12.0)

    assert rearranged(lithium_at(-3.0), lithium_at(3.0)) is None
    assert rearranged(lithium_at(-3.0), lithium_at(6.0)) == "2 parts where there were 1"


def test_neighbours_of_neighbours_at_the_limit_share_no_bond() -> None:
    before = in_box(species_molecule("FSI-"), 12.0)
    sulfurs = before.indices_from_symbol("S")
    after = before.copy()
    apart = before[sulfurs[1]].coords - before[sulfurs[0]].coords
    after.translate_sites([sulfurs[1]], 0.05 * apart / np.linalg.norm(apart), frac_coords=False)
    assert rearranged(before, after) is None
    after.translate_sites([sulfurs[1]], apart, frac_coords=False)
    assert "broken S1–S5" in str(rearranged(before, after))


def test_two_metals_that_come_near_each_other_share_no_bond() -> None:
    def apart(length: float) -> Structure:
        return in_box(Molecule(["F", "Li", "Li", "F"], [[0, 0, z] for z in (0, 1.6, 1.6 + length, 3.2 + length)]), 12.0)

    assert rearranged(apart(2.8), apart(4.0)) is None


MOLECULES = parse_reaction("H2O + CO2 -> CO2 + H2O")
TORN = parse_reaction("H2O -> 2 H + O")
CHARGED = parse_reaction("Li+ -> Li+")
AT_WATER = parse_reaction("Li+@H2O -> Li+@H2O")
SOLID = parse_reaction("LiF(s) -> LiF")


@pytest.mark.parametrize(
    ("engine", "reaction", "message"),
    [
        (
            MlipEngine(),
            MOLECULES,
            r"'H2O' is a molecule, and model 'chgnet' was trained on inorganic bulk crystals .*Py",
        ),
        (MlipEngine(), SOLID, "'LiF' is a molecule"),
        (EMT, CHARGED, r"'Li\+' has a charge of \+1, and MlipEngine is periodic.*Makov-Payne.*allowed: PyscfEngine"),
        (EspressoEngine(), CHARGED, "EspressoEngine is periodic"),
        (EspressoEngine(), AT_WATER, r"'Li\+@H2O' has a charge of \+1, and EspressoEngine is periodic"),
        (MlipEngine(), parse_reaction("LiF@H2O -> LiF@H2O"), "'LiF@H2O' is a molecule, and model 'chgnet'"),
        (VaspEngine(), TORN, "'H' has unpaired electrons, and VaspEngine is told of none; allowed: PyscfEngine"),
        (PyscfEngine(), SOLID, r"'LiF\(s\)' is a crystal, and PyscfEngine has molecules alone; allowed: engine espr"),
    ],
)
def test_a_species_that_an_engine_cannot_be_trusted_with_is_refused(engine, reaction, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReactionMaker(engine=engine).make([reaction])


def test_models_of_crystals_alone_are_told_from_the_others() -> None:
    assert {name for name in known_models() if MlipEngine(model=name).crystals_only} == set(known_models()) - {"emt"}
    assert MlipEngine(model="ase.calculators.emt:EMT").crystals_only is None


def test_an_engine_of_slabs_corrects_no_dipole_where_there_are_crystals() -> None:
    solid, gas = (ReactionMaker(engine=EspressoEngine()).make([each]) for each in (SOLID, MOLECULES))
    assert {job.maker.physics.dipole for job in jobs_of(solid) if job.maker} == {False}
    assert {job.maker.physics.dipole for job in jobs_of(gas) if job.maker} == {None}


def test_all_species_have_the_cutoffs_of_all_their_elements() -> None:
    def cutoffs(engine: EspressoEngine) -> set[tuple[float, float]]:
        flow = ReactionMaker(engine=engine).make([known_reactions()["HF+Li2CO3(s)"]])
        keywords = [job.maker.physics.keywords for job in jobs_of(flow) if job.maker]
        return {(each["ecutwfc"], each["ecutrho"]) for each in keywords}

    assert cutoffs(EspressoEngine(preset="insulator")) == {(60, 480)}  # those of hydrogen
    assert cutoffs(EspressoEngine(keywords={"ecutwfc": 30, "ecutrho": 240})) == {(30, 240)}


def test_reactions_and_starts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="H1 F1 before and H2 F2 after"):
        ReactionMaker().make([Reaction(name="x", reactants={"HF": 1}, products={"HF": 2})])
    with pytest.raises(ValueError, match="starts: 0; allowed: at least 1"):
        ReactionMaker(starts=0)


def test_hydrogen_fluoride_comes_apart_at_the_measured_energy(tmp_path: Path) -> None:
    document = computed([parse_reaction("HF -> H + F")], tmp_path, engine=PyscfEngine(dispersion=None), fmax=0.03)
    # D0 = 5.87 eV (Huber and Herzberg 1979) with half a quantum of 4138 1/cm; PBE0 is 0.1 to 0.2 eV short of it.
    assert document.reactions[0].energy == pytest.approx(5.87 + 0.26, abs=0.3)


@pytest.mark.qe
@pytest.mark.slow
def test_lithium_fluoride_leaves_its_crystal_at_the_measured_energy(tmp_path: Path) -> None:
    need_qe()
    engine = EspressoEngine(
        kspacing=1.2, preset="insulator", keywords={"ecutwfc": 30, "ecutrho": 240, "mixing_beta": 0.7}
    )
    document = computed([SOLID], tmp_path, engine=engine, fmax=0.1, vacuum=5.5)
    # Formation of gas and crystal at 298 K: -340.9 and -616.9 kJ/mol (NIST-JANAF).
    assert document.reactions[0].energy == pytest.approx(2.86, abs=0.4)


def test_every_species_of_the_table_is_built() -> None:
    for sides in load_data("reactions").values():
        for name in {**sides["reactants"], **sides["products"]}:
            assert build_species(name, units=2).first.volume > 0
