"""Cathode and hop: composition, geometry and reproducibility."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.cathode import bulk, known_cathodes, metal_counts, order_metals
from barriers.structures.hop import endpoint, final_in_initial_order, find_hops, moving_index
from barriers.structures.surface import LAYER, cut_slab

NCM811 = known_cathodes()["NCM811"]


def build(layers: int = 4, frozen: int = 2, seed: int = 0, lengths: tuple[float, float] = (8.0, 11.0)) -> Structure:
    slab = cut_slab(bulk(NCM811), (1, 0, 4), layers, lengths, 12.0, frozen).slab
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
    plain = cut_slab(bulk(NCM811), (1, 0, 4), 4, (8, 11), 12, 2).slab
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


def test_hops_are_the_shortest_and_below_the_surface(slab: Structure) -> None:
    hops = find_hops(slab, "sub-surface", "h")
    assert np.diff([hop.distance for hop in hops]).min() > -1e-6
    assert hops[0].distance == pytest.approx(NCM811.a, abs=1e-6)
    for hop in hops:
        assert {slab[i].properties[LAYER] for i in (hop.moving, hop.target)} == {2}
        assert slab.get_distance(hop.moving, hop.target) == pytest.approx(hop.distance)
    assert {slab[hop.moving].properties[LAYER] for hop in find_hops(slab, "surface", "h")} == {3}


def test_the_hop_does_not_depend_on_the_order_of_atoms(slab: Structure) -> None:
    order = np.random.default_rng(5).permutation(len(slab))
    shuffled = Structure.from_sites([slab[int(i)] for i in order])
    here, there = (find_hops(structure, "sub-surface", "h")[0] for structure in (slab, shuffled))
    assert np.allclose(slab[here.moving].coords, shuffled[there.moving].coords)
    assert np.allclose(slab[here.target].coords, shuffled[there.target].coords)


def test_a_cell_too_small_for_a_hop_is_refused() -> None:
    with pytest.raises(ValueError, match="larger min_lengths"):
        find_hops(build(lengths=(5.0, 5.0)), "sub-surface", "h")


def test_endpoints_differ_by_the_moving_ion_alone(slab: Structure) -> None:
    for hop in find_hops(slab, "sub-surface", "h"):
        initial = endpoint(slab, hop.target)
        final = final_in_initial_order(endpoint(slab, hop.moving), hop)
        assert initial.species == final.species
        moved = [
            (index, initial.lattice.get_distance_and_image(before.frac_coords, after.frac_coords)[0])
            for index, (before, after) in enumerate(zip(initial, final, strict=True))
            if not np.allclose(before.coords, after.coords)
        ]
        assert moved == [(moving_index(hop), pytest.approx(hop.distance))]
        assert initial.site_properties[LAYER] == final.site_properties[LAYER]
