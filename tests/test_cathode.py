"""Cathodes on file, by formula and from structures: lattice, bond lengths, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Species, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.cathode.crystal import Cathode, bulk, cathode_of, known_cathodes
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.cathode.reading import read_cathode

SPIN = {"Ni3": "Low Spin", "Co3": "Low Spin", "Mn3": "High Spin"}
PROPERTIES = settings(deadline=None, max_examples=20, derandomize=True)


def bonds(cathode: Cathode) -> tuple[float, float]:
    """Lengths (Å) of M–O and Li–O."""
    crystal = bulk(cathode)
    metal, lithium, oxygen = (crystal.indices_from_symbol(element) for element in ("Ni", "Li", "O"))
    distances = crystal.distance_matrix
    return distances[np.ix_(metal, oxygen)].min(), distances[np.ix_(lithium, oxygen)].min()


def radius(element: str, charge: int) -> float:
    """Radius (Å) of a six-fold ion: R. D. Shannon, Acta Cryst. A 32, 751 (1976), as pymatgen holds it."""
    return Species(element, charge).get_shannon_radius("VI", SPIN.get(f"{element}{charge}", ""), "ionic")


@pytest.mark.parametrize("name", known_cathodes())
def test_cathodes_on_file_are_layered_oxides_in_octahedra(name: str) -> None:
    crystal = bulk(known_cathodes()[name])
    assert SpacegroupAnalyzer(crystal).get_space_group_symbol() == "R-3m"
    assert {len(crystal.get_neighbors(site, 2.3)) for site in crystal} == {6}
    assert sum(known_cathodes()[name].metals.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "charges", "within"),
    [
        ("LiCoO2", {"Co": 3}, 0.03),
        ("LiNiO2", {"Ni": 3}, 0.03),
        ("LiAlO2", {"Al": 3}, 0.04),
        ("LiMnO2", {"Mn": 3}, 0.06),
        ("NCM111", {"Ni": 2, "Co": 3, "Mn": 4}, 0.03),
    ],
)
def test_bond_lengths_are_sums_of_ionic_radii(name: str, charges: dict[str, int], within: float) -> None:
    cathode = known_cathodes()[name]
    ideal = sum(cathode.metals[element] * radius(element, charge) for element, charge in charges.items())
    metal, lithium = bonds(cathode)
    assert metal == pytest.approx(ideal + radius("O", -2), abs=within)
    assert lithium == pytest.approx(radius("Li", 1) + radius("O", -2), abs=0.07)


def test_nickel_oxygen_in_linio2_is_the_mean_of_the_jahn_teller_distances() -> None:
    """Four at 1.91 Å and two at 2.09 Å: Rougier, Delmas and Chadwick, Solid State Commun. 94, 123 (1995)."""
    assert bonds(cathode_of("LiNiO2"))[0] == pytest.approx((4 * 1.91 + 2 * 2.09) / 6, abs=0.005)


def test_vegards_rule_gives_the_refined_lattice_of_ncm811() -> None:
    """NCM811 is on file from a refinement that no end member was derived from."""
    mixed, on_file = cathode_of("LiNi0.801Co0.0995Mn0.0995O2"), cathode_of("NCM811")
    assert mixed.source == "Vegard's rule over LiNiO2, LiCoO2, LiMnO2"
    assert (mixed.a, mixed.c, mixed.z) == pytest.approx((on_file.a, on_file.c, on_file.z), rel=1e-3)


@pytest.mark.parametrize("name", ["NCM111", "NCM523", "NCM622"])
def test_what_is_said_to_be_derived_follows_from_the_end_members(name: str) -> None:
    cathode = known_cathodes()[name]
    for key, within in (("a", 5e-4), ("c", 5e-3), ("z", 1e-4)):
        members = {metal: getattr(known_cathodes()[f"Li{metal}O2"], key) for metal in cathode.metals}
        mean = sum(fraction * members[metal] for metal, fraction in cathode.metals.items())
        assert getattr(cathode, key) == pytest.approx(mean, abs=within)


@PROPERTIES
@given(st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_vegards_rule_stays_between_the_end_members(parts: list[int]) -> None:
    metals = dict(zip(("Ni", "Co", "Mn", "Al"), np.array(parts) / sum(parts), strict=True))
    mixed = cathode_of("Li" + "".join(f"{metal}{share:.6f}" for metal, share in metals.items()) + "O2")
    for key in ("a", "c", "z"):
        members = [getattr(known_cathodes()[f"Li{metal}O2"], key) for metal in metals]
        assert min(members) - 1e-3 <= getattr(mixed, key) <= max(members) + 1e-3
    assert mixed.metals == pytest.approx(metals, abs=1e-5)
    assert sum(mixed.metals.values()) == pytest.approx(1)


def test_a_formula_of_a_cathode_on_file_takes_its_lattice_and_its_order_of_metals() -> None:
    by_formula, on_file = cathode_of("LiMn0.1Co0.1Ni0.8O2"), cathode_of("NCM811")
    assert (by_formula.a, by_formula.c, by_formula.source) == (on_file.a, on_file.c, on_file.source)
    assert list(by_formula.metals) == list(on_file.metals)
    assert cathode_of("LiNi0.33Co0.33Mn0.33O2").a == cathode_of("NCM111").a


def test_what_is_given_wins_and_is_said() -> None:
    assert cathode_of("NCM811", a=2.9, c=14.5).source == "a and c given"
    one = cathode_of("NCM811", c=14.5)
    assert (one.a, one.c) == (2.872, 14.5)
    assert one.source.startswith("c given; the rest: Noh")
    doped = cathode_of("LiNi0.9Mg0.1O2", a=2.87, c=14.2)
    assert doped.metals == pytest.approx({"Ni": 0.9, "Mg": 0.1})
    assert bonds(doped)[0] == pytest.approx(1.97, abs=0.02)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("NCM812", "did you mean 'NCM811'"),
        ("ncm 811", "neither on file nor a formula"),
        ("LiNi0.8Co0.1O2", "metals that sum to 0.9, not one"),
        ("NiO2", "no Li"),
        ("Li2NiO3", "2 Li, not one"),
        ("LiNiO3", "3 O, not two"),
        ("LiXx0.5Ni0.5O2", "no element 'Xx'"),
        ("LiNi0.5F0.5O2", "F, no metal"),
        ("LiO2", "metals that sum to 0"),
        ("LiNi0.9Mg0.1O2", "has Mg, no end member on file (Co, Ni, Mn, Al); give a and c"),
    ],
)
def test_what_is_no_cathode_is_refused_in_one_line(name: str, word: str) -> None:
    with pytest.raises(ValueError, match=r"^cathode: [^\n]+$") as caught:
        cathode_of(name)
    assert word in str(caught.value)


@PROPERTIES
@given(st.sampled_from(["NCM811", "NCM111", "LiCoO2"]), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_cathode_is_read_back_from_any_cell(name: str, seed: int, n: int) -> None:
    cathode = cathode_of(name)
    crystal = bulk(cathode)
    crystal.make_supercell([2 * n, 5, 1])
    crystal = order_metals(crystal, cathode.metals, seed)
    rng = np.random.default_rng(seed)
    shuffled = Structure.from_sites([crystal[int(i)] for i in rng.permutation(len(crystal))])
    shuffled.translate_sites(range(len(shuffled)), rng.random(3))
    read = read_cathode(shuffled, name)
    assert (read.a, read.c, read.z) == pytest.approx((cathode.a, cathode.c, cathode.z), abs=1e-4)
    assert read.metals == read_cathode(crystal, name).metals
    assert read.metals == pytest.approx(cathode.metals, abs=0.05)


def layered(a: float, c: float, metal: object, lithium: object, z: float = 0.2585, anion: object = "O") -> Structure:
    sites = [[0, 0, 0], [0, 0, 0.5], [0, 0, z]]
    return Structure.from_spacegroup("R-3m", Lattice.hexagonal(a, c), [metal, lithium, anion], sites)


def test_shared_sites_and_oxidation_states_are_read_and_the_exchange_is_said() -> None:
    metal = {"Ni2+": 0.77, "Co3+": 0.1, "Mn4+": 0.1, "Li+": 0.03}
    mixed = layered(2.87, 14.2, metal, {"Li+": 0.97, "Ni2+": 0.03}, anion="O2-")
    read = read_cathode(mixed.get_primitive_structure(), "mine")
    assert read.metals == pytest.approx({"Ni": 0.8, "Co": 0.1, "Mn": 0.1})
    assert (read.name, read.a, read.c, read.z) == ("mine", 2.87, 14.2, 0.2585)
    assert read.source == "read from a structure; 3.0% Li/metal exchange left out"


SPINEL = Structure.from_spacegroup(
    "Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"], [[0] * 3, [5 / 8] * 3, [0.263 + 1 / 8] * 3]
)
ROCK_SALT = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(4.1), [{"Li": 0.5, "Ni": 0.5}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)


@pytest.mark.parametrize(
    ("structure", "word"),
    [
        (SPINEL, "composition Li8Mn16O32"),
        (ROCK_SALT, "Fm-3m"),
        (layered(2.87, 17.1, "Al", "Li", z=0.39), "oxygen at z = 0.390"),
        (layered(2.87, 17.1, "Al", "Li", z=0.11), "oxygen at z = 0.110"),
        (layered(2.87, 14.2, "Ni", {"Li": 0.5}), "occupancy 0.5"),
        (layered(2.87, 14.2, "Ni", "Na"), "composition Na3Ni3O6"),
        (layered(2.87, 14.2, "Ni", "Li", anion={"O": 0.9, "F": 0.1}), "O:0.9, F:0.1"),
    ],
    ids=["spinel", "rock salt", "delafossite", "linear metal", "delithiated", "sodium", "fluorinated"],
)
def test_what_is_no_layered_oxide_is_refused_with_what_was_found(structure: Structure, word: str) -> None:
    with pytest.raises(ValueError, match=r"^cathode 'x': found [^\n]+; allowed: layered LiMO2[^\n]+$") as caught:
        read_cathode(structure, "x")
    assert word in str(caught.value)


def test_a_refusal_points_to_the_study_that_would_work() -> None:
    half = layered(2.87, 14.2, "Ni", {"Li": 0.5})
    olivine = Structure(Lattice.cubic(5), ["Li", "Fe", "P", "O", "O", "O", "O"], np.linspace(0, 0.9, 21).reshape(7, 3))
    for structure in (half, olivine, SPINEL):
        with pytest.raises(ValueError, match=r"or crystal: \{file: …\} in the place of cathode") as caught:
            read_cathode(structure, "x")
        assert ("lithium: 0.5" in str(caught.value)) == (structure is not olivine)
    for name, words in (("Li0.5CoO2", "lithium: 0.5 beside that"), ("LiFePO4", "crystal: {file: …}")):
        with pytest.raises(ValueError, match=r"^cathode: ") as caught:
            cathode_of(name)
        assert words in str(caught.value)


def test_cathodes_are_known_by_the_other_order_of_letters() -> None:
    assert cathode_of("NMC811") == cathode_of("NCM811")
    assert cathode_of("NMC532").metals == {"Ni": 0.5, "Co": 0.2, "Mn": 0.3}
    assert cathode_of("NCA").metals == {"Ni": 0.8, "Co": 0.15, "Al": 0.05}
