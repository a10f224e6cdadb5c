"""Cathode and slab: composition, geometry and reproducibility."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.cathode import bulk, known_cathodes, metal_counts, order_metals
from barriers.structures.surface import LAYER, cut_slab, frozen_atoms, set_vacuum

NCM811 = known_cathodes()["NCM811"]


def build(layers: int = 4, frozen: int = 2, seed: int = 0, lengths: tuple[float, float] = (8.0, 11.0)) -> Structure:
    slab = cut_slab(bulk(NCM811), (1, 0, 4), layers, lengths, 12.0, frozen)
    return order_metals(slab, NCM811.metals, seed)


@pytest.fixture(scope="module")
def slab() -> Structure:
    return build()


@pytest.mark.parametrize("name", known_cathodes())
def test_cathodes_are_layered_oxides(name: str) -> None:
    crystal = bulk(known_cathodes()[name])
    assert SpacegroupAnalyzer(crystal).get_space_group_symbol() == "R-3m"
    metal, oxygen = crystal.indices_from_symbol("Ni"), crystal.indices_from_symbol("O")
    lithium = crystal.indices_from_symbol("Li")
    distances = crystal.distance_matrix
    assert distances[np.ix_(metal, oxygen)].min() == pytest.approx(1.95, abs=0.04)
    assert distances[np.ix_(lithium, oxygen)].min() == pytest.approx(2.11, abs=0.03)
    assert sum(known_cathodes()[name].metals.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("sites", "expected"),
    [(10, (8, 1, 1)), (20, (16, 2, 2)), (24, (19, 3, 2)), (12, (10, 1, 1)), (3, (3, 0, 0))],
)
def test_metals_share_the_sites_by_largest_remainder(sites: int, expected: tuple[int, int, int]) -> None:
    assert tuple(metal_counts(NCM811.metals, sites).values()) == expected


def test_ordering_depends_on_the_seed_and_not_on_the_order_of_atoms() -> None:
    plain = cut_slab(bulk(NCM811), (1, 0, 4), 4, (8, 11), 12, 2)
    shuffled = Structure.from_sites([plain[int(i)] for i in np.random.default_rng(3).permutation(len(plain))])
    matcher = StructureMatcher(primitive_cell=False, attempt_supercell=False)
    first = order_metals(plain, NCM811.metals, 0)
    assert np.allclose(
        sorted(map(tuple, _sites(first, "Co"))),
        sorted(map(tuple, _sites(order_metals(shuffled, NCM811.metals, 0), "Co"))),
    )
    assert matcher.fit(first, order_metals(plain, NCM811.metals, 0))
    assert not np.allclose(_sites(first, "Co"), _sites(order_metals(plain, NCM811.metals, 1), "Co"))


def _sites(structure: Structure, element: str) -> np.ndarray:
    return structure.cart_coords[list(structure.indices_from_symbol(element))]
