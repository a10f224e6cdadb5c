"""Slab and hop: composition, geometry and reproducibility."""

from __future__ import annotations

import numpy as np
import pytest
from pymatgen.core import Structure

from barriers.structures.cathode import bulk, known_cathodes
from barriers.structures.hop import endpoint, final_in_initial_order, find_hops, moving_index
from barriers.structures.ordering import order_metals
from barriers.structures.surface import LAYER, cut_slab, frozen_atoms, set_vacuum

NCM811 = known_cathodes()["NCM811"]


def build(layers: int = 4, frozen: int = 2, seed: int = 0, lengths: tuple[float, float] = (8.0, 11.0)) -> Structure:
    slab = cut_slab(bulk(NCM811), (1, 0, 4), layers, lengths, 12.0, frozen)
    return order_metals(slab, NCM811.metals, seed)


@pytest.fixture(scope="module")
def slab() -> Structure:
    return build()


def test_slab_is_stoichiometric_layer_by_layer(slab: Structure) -> None:
    for layer in range(4):
        elements = [site.specie.symbol for site in slab if site.properties[LAYER] == layer]
        assert (elements.count("Li"), elements.count("O"), len(elements)) == (6, 12, 24)
    heights = [np.mean([site.z for site in slab if site.properties[LAYER] == layer]) for layer in range(4)]
    spacing = bulk(NCM811).lattice.d_hkl((1, 0, 4))
    assert np.diff(heights) == pytest.approx([spacing] * 3, abs=0.01)


@pytest.mark.parametrize("layers", [3, 4, 5, 6])
def test_slab_has_the_layers_asked_for(layers: int) -> None:
    built = build(layers=layers, frozen=1)
    assert len(built) == 24 * layers
    assert np.ptp(built.cart_coords[:, 2]) == pytest.approx(
        (layers - 1) * bulk(NCM811).lattice.d_hkl((1, 0, 4)), abs=0.2
    )
    for layer in range(layers):
        elements = [site.specie.symbol for site in built if site.properties[LAYER] == layer]
        assert (elements.count("Li"), elements.count("O"), len(elements)) == (6, 12, 24)


def test_slab_stands_upright_with_its_vacuum(slab: Structure) -> None:
    a, b, c = slab.lattice.matrix
    assert c @ a == pytest.approx(0, abs=1e-9)
    assert c @ b == pytest.approx(0, abs=1e-9)
    assert (slab.lattice.a, slab.lattice.b) >= (8.0, 11.0)
    assert slab.lattice.c - np.ptp(slab.cart_coords[:, 2]) == pytest.approx(12.0)
    higher = set_vacuum(slab, 20.0)
    assert higher.lattice.c - slab.lattice.c == pytest.approx(8.0)
    assert np.allclose(higher.distance_matrix[0, :24], slab.distance_matrix[0, :24])


def test_frozen_atoms_are_the_bottom_layers(slab: Structure) -> None:
    assert sorted(frozen_atoms(slab)) == [i for i, site in enumerate(slab) if site.properties[LAYER] < 2]
    assert slab.cart_coords[frozen_atoms(slab), 2].max() < min(site.z for site in slab if site.properties[LAYER] > 1)


def test_bulk_coordination_survives_inside_the_slab(slab: Structure) -> None:
    inner = [i for i, site in enumerate(slab) if site.properties[LAYER] in (1, 2) and site.specie.symbol != "O"]
    assert {len(slab.get_neighbors(slab[i], 2.3)) for i in inner} == {6}


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
