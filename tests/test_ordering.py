"""Orderings of the metals: counts, reproducibility, randomness of pairs, Ewald energies."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations, combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Structure

from barriers.structures.cathode.counts import achieved, share_sites, smallest_sites
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.electrostatics import formal_charges
from barriers.structures.cathode.ordering import Method, order_metals

NCM811 = known_cathodes()["NCM811"]
METALS = [known_cathodes()[name].metals for name in ("NCM111", "NCM523", "NCM622", "NCM811")]
PROPERTIES = settings(deadline=None, max_examples=10, derandomize=True)
sizes = st.tuples(st.integers(2, 3), st.integers(3, 4))
seeds = st.integers(0, 2**32 - 1)
methods = st.sampled_from(["random", "sqs", "ewald"])
parts = st.lists(st.integers(0, 20), min_size=3, max_size=3).filter(any)


def crystal_of(size: tuple[int, int]) -> Structure:
    crystal = bulk(NCM811)
    crystal.make_supercell([*size, 1], to_unit_cell=False)
    return crystal


def ewald_energy(ordered: Structure) -> float:
    """pymatgen's own energy (eV) of the formal charges."""
    charged = ordered.copy()
    charged.add_oxidation_state_by_element(formal_charges(ordered.composition.get_el_amt_dict()))
    return EwaldSummation(charged).total_energy


def pair_error(ordered: Structure, shells: int = 3) -> float:
    """Sum of the Warren-Cowley parameters' sizes over the pairs of elements, each shell over its number.

    All are zero in an infinite random alloy: J. M. Cowley, Phys. Rev. 77, 669 (1950).
    """
    only = ordered.copy()
    only.remove_species(["Li", "O"])
    kinds = np.array([site.specie.symbol for site in only])
    centres, others, _, distances = only.get_neighbor_list(5.5)
    error = 0.0
    for number, shell in enumerate(np.unique(np.round(distances, 2))[:shells], 1):
        near = np.abs(distances - shell) < 0.02
        for one, two in combinations_with_replacement(np.unique(kinds), 2):
            pairs = np.mean((kinds[centres[near]] == one) & (kinds[others[near]] == two))
            error += abs(1 - pairs / (np.mean(kinds == one) * np.mean(kinds == two))) / number
    return error


def places(structure: Structure) -> list[tuple[str, float, float, float]]:
    return sorted((site.specie.symbol, *np.round(site.coords, 3)) for site in structure)


@pytest.mark.parametrize(
    ("sites", "expected"),
    [(10, (8, 1, 1)), (20, (16, 2, 2)), (24, (19, 3, 2)), (12, (10, 1, 1)), (3, (3, 0, 0))],
)
def test_metals_share_the_sites_by_largest_remainder(sites: int, expected: tuple[int, int, int]) -> None:
    assert tuple(achieved(NCM811.metals, sites).counts.values()) == expected


def test_the_report_says_what_was_asked_what_came_out_and_how_far_off() -> None:
    report = achieved(NCM811.metals, 12)
    assert report.counts == {"Ni": 10, "Co": 1, "Mn": 1}
    assert report.asked == NCM811.metals
    assert report.achieved == pytest.approx({"Ni": 10 / 12, "Co": 1 / 12, "Mn": 1 / 12})
    assert report.deviation == pytest.approx(10 / 12 - 0.8)


@PROPERTIES
@given(parts, st.integers(1, 60), st.floats(0.001, 0.5))
def test_the_smallest_supercell_would_do_and_none_smaller(shares: list[int], sites: int, tolerance: float) -> None:
    fractions = dict(zip(("Ni", "Co", "Mn"), np.array(shares) / sum(shares), strict=True))
    enough = smallest_sites(fractions, sites, tolerance)
    assert enough % sites == 0
    assert achieved(fractions, enough).deviation <= tolerance + 1e-9
    assert all(achieved(fractions, fewer).deviation > tolerance for fewer in range(sites, enough, sites))


def test_a_composition_that_does_not_fit_is_refused_with_the_cell_that_would_do() -> None:
    with pytest.raises(ValueError, match=r"^12 metal sites cannot hold [^\n]+$") as caught:
        order_metals(crystal_of((2, 2)), NCM811.metals, 0, tolerance=0.01)
    assert str(caught.value) == (
        "12 metal sites cannot hold Ni0.8Co0.1Mn0.1 within 0.01: nearest Ni10Co1Mn1 is off by 0.033; "
        "48 sites would do (4 repeats of this cell)"
    )


@pytest.mark.parametrize(
    ("fractions", "n_sites", "tolerance", "word"),
    [
        ({"Ni": 0.8, "Co": 0.1}, 10, 0.05, "sum one"),
        ({"Ni": 1.2, "Co": -0.2}, 10, 0.05, "none negative"),
        ({"Ni": 1.0}, 0, 0.05, "0 sites"),
        ({"Ni": 1.0}, 3, 0.0, "tolerance 0; allowed: above 0"),
    ],
)
def test_bad_shares_are_refused(fractions: dict[str, float], n_sites: int, tolerance: float, word: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        share_sites(fractions, n_sites, tolerance, "metal sites")
    assert word in str(caught.value)


def test_an_unknown_method_and_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="'best' is no method; allowed: random, sqs, ewald"):
        order_metals(crystal_of((2, 2)), NCM811.metals, 0, "best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="samples: 0; allowed: 1 or more"):
        order_metals(crystal_of((2, 2)), NCM811.metals, 0, "ewald", samples=0)


def test_quasi_random_without_its_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sqsgenerator", None)
    with pytest.raises(ValueError, match=r"pip install 'li-barriers\[sqs\]'"):
        order_metals(crystal_of((2, 2)), NCM811.metals, 0, "sqs")


@PROPERTIES
@given(sizes, seeds, methods, st.sampled_from(METALS))
def test_composition_is_right_and_the_same_seed_gives_the_same_bytes(
    size: tuple[int, int], seed: int, method: Method, metals: dict[str, float]
) -> None:
    crystal = crystal_of(size)
    ordered = order_metals(crystal, metals, seed, method, samples=200)
    amounts = ordered.composition.get_el_amt_dict()
    assert {element: amounts.get(element, 0) for element in metals} == achieved(metals, len(crystal) // 4).counts
    assert np.array_equal(ordered.cart_coords, crystal.cart_coords)
    assert order_metals(crystal, metals, seed, method, samples=200).to_json() == ordered.to_json()


@PROPERTIES
@given(sizes, seeds, methods)
def test_ordering_does_not_depend_on_the_order_of_atoms_nor_on_a_shift(
    size: tuple[int, int], seed: int, method: Method
) -> None:
    crystal = crystal_of(size)
    rng = np.random.default_rng(seed)
    shift = rng.integers(-40, 40, 3) / 8
    moved = Structure(crystal.lattice, crystal.species, crystal.cart_coords + shift, coords_are_cartesian=True)
    moved = Structure.from_sites([moved[int(i)] for i in rng.permutation(len(moved))])
    ordered = order_metals(moved, NCM811.metals, seed, method, samples=200)
    back = Structure(ordered.lattice, ordered.species, ordered.cart_coords - shift, coords_are_cartesian=True)
    assert places(back) == places(order_metals(crystal, NCM811.metals, seed, method, samples=200))


@PROPERTIES
@given(sizes, seeds, st.sampled_from(["sqs", "ewald"]))
def test_wrapping_changes_neither_pairs_nor_energy(size: tuple[int, int], seed: int, method: Method) -> None:
    crystal = crystal_of(size)
    wrapped = crystal.copy()
    wrapped.translate_sites(range(len(wrapped)), np.random.default_rng(seed).random(3), to_unit_cell=True)
    first, second = (order_metals(cell, NCM811.metals, seed, method, samples=200) for cell in (crystal, wrapped))
    assert ewald_energy(second) == pytest.approx(ewald_energy(first), abs=1e-5)
    assert pair_error(second) == pytest.approx(pair_error(first), abs=1e-9)


def test_other_seeds_give_other_orderings() -> None:
    crystal = crystal_of((4, 4))
    assert len({order_metals(crystal, NCM811.metals, seed).to_json() for seed in range(5)}) == 5


@PROPERTIES
@given(st.sampled_from([(3, 3), (4, 4)]), seeds, st.sampled_from(METALS))
def test_quasi_random_pairs_are_nearer_to_a_random_alloy_than_random_ones(
    size: tuple[int, int], seed: int, metals: dict[str, float]
) -> None:
    crystal = crystal_of(size)
    random = [pair_error(order_metals(crystal, metals, seed + shift)) for shift in range(20)]
    assert pair_error(order_metals(crystal, metals, seed, "sqs")) < np.mean(random)


@settings(PROPERTIES, max_examples=4)
@given(sizes, seeds, st.sampled_from(METALS))
def test_ewald_ordering_is_the_lowest_of_its_samples(
    size: tuple[int, int], seed: int, metals: dict[str, float]
) -> None:
    """One sample more can only lower the energy, and each is as pymatgen has it."""
    crystal = crystal_of(size)
    best = [ewald_energy(order_metals(crystal, metals, seed, "ewald", samples)) for samples in (1, 2, 3, 8)]
    assert np.all(np.diff(best) <= 1e-5)
    many = ewald_energy(order_metals(crystal, metals, seed, "ewald", samples=500))
    random = [ewald_energy(order_metals(crystal, metals, seed + shift)) for shift in range(3)]
    assert many <= min(best[-1], np.mean(random)) + 1e-5


def test_ewald_finds_the_lowest_of_all_orderings_of_a_small_cell() -> None:
    crystal = crystal_of((2, 1))
    sites = crystal.indices_from_symbol("Ni")
    every = []
    for chosen in combinations(sites, 3):
        ordered = crystal.copy()
        for site in chosen:
            ordered.replace(site, "Mn")
        every.append(ewald_energy(ordered))
    found = ewald_energy(order_metals(crystal, {"Ni": 0.5, "Mn": 0.5}, 0, "ewald", 500))
    assert found == pytest.approx(min(every), abs=1e-5)
    assert min(every) < np.mean(every) - 0.1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"Li": 10, "Ni": 8, "Co": 1, "Mn": 1, "O": 20}, {"Ni": 2.875, "Co": 3, "Mn": 4}),
        ({"Li": 3, "Ni": 1, "Co": 1, "Mn": 1, "O": 6}, {"Ni": 2, "Co": 3, "Mn": 4}),
        ({"Li": 3, "Mn": 3, "O": 6}, {"Mn": 3}),
        ({"Li": 1, "Ni": 1, "Co": 1, "Mn": 1, "O": 6}, {"Ni": 4, "Co": 3, "Mn": 4}),
        ({"Li": 3, "Ni": 1, "Mn": 2, "O": 6}, {"Ni": 2, "Mn": 3.5}),
        ({"Li": 4, "Co": 8, "O": 16}, {"Co": 3.5}),
    ],
)
def test_formal_charges_neutralise_the_cell(counts: dict[str, float], expected: dict[str, float]) -> None:
    charges = formal_charges(counts)
    assert {element: charges[element] for element in expected} == pytest.approx(expected)
    assert sum(charges[element] * number for element, number in counts.items()) == pytest.approx(0)


@pytest.mark.parametrize(
    ("counts", "word"),
    [({"Li": 1, "Al": 3, "O": 6}, "cannot be neutral"), ({"Li": 3, "W": 3, "O": 6}, "'W' is not on file")],
)
def test_cells_without_neutral_charges_are_refused(counts: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        formal_charges(counts)


def test_orderings_are_the_same_in_another_process() -> None:
    """Equally good orderings come out of the library in an order that differs from run to run."""
    code = (
        "import hashlib; from test_ordering import *; "
        "texts = [order_metals(crystal_of((2, 3)), NCM811.metals, 0, m).to_json() for m in ('sqs', 'ewald')]; "
        "print(hashlib.sha256(''.join(texts).encode()).hexdigest())"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parent), *sys.path]))}
    digests = {
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1
