"""Antisites and delithiation: counts, which atoms, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Structure

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.electrostatics import formal_charges
from barriers.structures.cathode.lithium import RemovalMethod, exchange_antisites, lithium_to_remove
from barriers.structures.cathode.ordering import order_metals

PROPERTIES = settings(deadline=None, max_examples=10, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
methods = st.sampled_from(["random", "ewald"])


def ordered(name: str = "NCM811", size: tuple[int, int] = (3, 4)) -> Structure:
    cathode = known_cathodes()[name]
    crystal = bulk(cathode)
    crystal.make_supercell([*size, 1], to_unit_cell=False)
    return order_metals(crystal, cathode.metals, 0)


def shuffled(crystal: Structure, seed: int) -> tuple[Structure, np.ndarray]:
    """The crystal shifted and with its atoms in another order, and where each of them stood before."""
    rng = np.random.default_rng(seed)
    order, shift = rng.permutation(len(crystal)), rng.integers(-40, 40, 3) / 8
    moved = Structure(crystal.lattice, crystal.species, crystal.cart_coords + shift, coords_are_cartesian=True)
    return Structure.from_sites([moved[int(i)] for i in order]), order


def ewald_energy(crystal: Structure, removed: list[int]) -> float:
    left = crystal.copy()
    left.remove_sites(removed)
    left.add_oxidation_state_by_element(formal_charges(left.composition.get_el_amt_dict()))
    return EwaldSummation(left).total_energy


@PROPERTIES
@given(st.integers(0, 18), seeds)
def test_antisites_swap_lithium_with_nickel_and_nothing_else(number: int, seed: int) -> None:
    crystal = ordered()
    exchanged = exchange_antisites(crystal, number / 36, seed)
    assert exchanged.composition == crystal.composition
    assert np.array_equal(exchanged.cart_coords, crystal.cart_coords)
    changed = {
        (before.specie.symbol, after.specie.symbol, i)
        for i, (before, after) in enumerate(zip(crystal, exchanged, strict=True))
        if before.specie != after.specie
    }
    assert sorted(pair[:2] for pair in changed) == [("Li", "Ni")] * number + [("Ni", "Li")] * number
    assert exchange_antisites(crystal, number / 36, seed).to_json() == exchanged.to_json()


@PROPERTIES
@given(seeds)
def test_antisites_do_not_depend_on_the_order_of_atoms_nor_on_a_shift(seed: int) -> None:
    crystal = ordered()
    other, order = shuffled(crystal, seed)
    expected = exchange_antisites(crystal, 0.25, seed)
    assert [site.specie for site in exchange_antisites(other, 0.25, seed)] == [expected[int(i)].specie for i in order]


def test_site_properties_survive_the_exchange() -> None:
    crystal = ordered()
    crystal.add_site_property("layer", list(range(len(crystal))))
    assert exchange_antisites(crystal, 0.25, 0).site_properties["layer"] == list(range(len(crystal)))


@pytest.mark.parametrize(
    ("name", "fraction", "word"),
    [
        ("NCM811", 1.2, "antisites: 1.2; allowed: 0 to 1"),
        ("NCM811", 0.015, "36 Li sites cannot hold Ni0.015Li0.985 within 0.01: nearest Ni1Li35 is off by 0.013; 72"),
        ("NCM111", 0.5, "exchanges 18 Ni; allowed: at most the 12 there are"),
        ("LiCoO2", 0.25, "at most the 0 there are"),
    ],
)
def test_an_impossible_exchange_is_refused(name: str, fraction: float, word: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        exchange_antisites(ordered(name), fraction, 0)
    assert word in str(caught.value)


@PROPERTIES
@given(st.integers(0, 36), seeds, methods, st.sampled_from(["NCM811", "NCM111", "LiNiO2"]))
def test_delithiation_leaves_the_content_asked_for(left: int, seed: int, method: RemovalMethod, name: str) -> None:
    crystal = ordered(name)
    removed = lithium_to_remove(crystal, left / 36, seed, method, samples=50)
    assert removed == sorted(set(removed))
    assert {crystal[index].specie.symbol for index in removed} <= {"Li"}
    assert len(removed) == 36 - left
    assert lithium_to_remove(crystal, left / 36, seed, method, samples=50) == removed


@PROPERTIES
@given(seeds, methods)
def test_delithiation_does_not_depend_on_the_order_of_atoms_nor_on_a_shift(seed: int, method: RemovalMethod) -> None:
    crystal = ordered()
    other, order = shuffled(crystal, seed)
    removed = lithium_to_remove(other, 0.5, seed, method, samples=50)
    assert sorted(int(order[index]) for index in removed) == lithium_to_remove(crystal, 0.5, seed, method, samples=50)


@settings(PROPERTIES, max_examples=4)
@given(seeds)
def test_ewald_removal_is_the_lowest_of_its_samples(seed: int) -> None:
    """One sample more can only lower the energy, which is pymatgen's."""
    crystal = ordered(size=(2, 4))
    best = [ewald_energy(crystal, lithium_to_remove(crystal, 0.5, seed, "ewald", samples)) for samples in (1, 2, 9)]
    assert np.all(np.diff(best) <= 1e-5)
    random = [ewald_energy(crystal, lithium_to_remove(crystal, 0.5, seed + shift)) for shift in range(3)]
    assert ewald_energy(crystal, lithium_to_remove(crystal, 0.5, seed, "ewald", 500)) < np.mean(random)


@pytest.mark.parametrize(
    ("content", "method", "word"),
    [
        (1.1, "random", "lithium content: 1.1; allowed: 0 to 1"),
        (0.5, "best", "'best' is no method; allowed: random, ewald"),
        (0.55, "random", "3 Li sites cannot hold Li0.55□0.45 within 0.05: nearest Li2□1 is off by 0.117; 6 sites"),
    ],
)
def test_an_impossible_delithiation_is_refused(content: float, method: RemovalMethod, word: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        lithium_to_remove(ordered("LiNiO2", (1, 1)), content, 0, method)
    assert word in str(caught.value)


def test_charges_that_cannot_be_neutral_are_refused_for_ewald_alone() -> None:
    crystal = ordered("LiAlO2")
    with pytest.raises(ValueError, match="cannot be neutral"):
        lithium_to_remove(crystal, 0.5, 0, "ewald")
    assert len(lithium_to_remove(crystal, 0.5, 0)) == 18
