"""Pictures of crystals with all of their hops: polyhedra, arrows across the edges of the cell, colours, legends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from ion_conductors import olivine, sulfide_spinel
from matplotlib.collections import LineCollection
from pymatgen.core import Structure

from barriers.report.crystal import HOP_COLOURS, CrystalScene, crystal_scene, ways_of
from barriers.report.figures.network import draw_network
from barriers.report.polyhedra import polyhedra
from barriers.structures.hop.hop import hop_ends
from barriers.structures.network.network import find_network


def shapes(structure: Structure, ion: str) -> Counter[tuple[str, int, str]]:
    """Number of polyhedra by the element in the middle, the number of corners, and the elements there."""

    def kind(one: dict[str, Any]) -> tuple[str, int, str]:
        corners = {structure[atom].specie.symbol for atom, *_ in one["corners"]}
        return structure[one["centre"]].specie.symbol, len(one["corners"]), "".join(sorted(corners))

    return Counter(map(kind, polyhedra(structure, structure.cart_coords, ion)))


def scene_of(structure: Structure, ion: str) -> CrystalScene:
    network = find_network(structure, ion)
    return crystal_scene(
        structure, {hop.label: hop_ends(structure, hop) for hop in network.hops}, ways_of(network), ion
    )


def test_cations_that_stay_have_their_anions_around_them() -> None:
    """Octahedra of iron and tetrahedra of phosphorus in LiFePO4, octahedra of scandium in the spinel; none of ions."""
    assert shapes(olivine(), "Li") == {("Fe", 6, "O"): 4, ("P", 4, "O"): 4}
    assert shapes(sulfide_spinel(), "Mg") == {("Sc", 6, "S"): 16}
    spinel = sulfide_spinel()
    for one in polyhedra(spinel, spinel.cart_coords, "Mg"):
        corners = np.array([spinel[atom].coords + way for atom, *way in one["corners"]])
        apart = np.linalg.norm(corners - spinel[one["centre"]].coords, axis=1)
        assert apart == pytest.approx([apart[0]] * 6, abs=0.15) and len(one["faces"]) == 8


def test_sulfur_is_the_middle_of_a_sulfate_and_a_corner_of_a_sulfide() -> None:
    places = [
        [0.5, 0.5, 0.5],
        *(np.array(corner) * 0.149 + 0.5 for corner in [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]),
    ]
    sulfate = Structure(np.eye(3) * 5.8, ["S", "O", "O", "O", "O"], places)
    assert shapes(sulfate, "Li") == {("S", 4, "O"): 1}


@pytest.mark.parametrize(("structure", "ion"), [(olivine(), "Li"), (sulfide_spinel(), "Mg")])
def test_every_hop_runs_from_ion_to_ion_across_the_edges_of_the_cell_too(structure: Structure, ion: str) -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(len(structure))
    other = Structure.from_sites([structure[int(atom)] for atom in order])
    other.translate_sites(range(0, len(other), 2), [1, -2, 0], to_unit_cell=False)
    for cell in (structure, other):
        network, scene = find_network(cell, ion), scene_of(cell, ion)
        (label,) = scene.arrows
        assert len(scene.ways[label]) == network.multiplicities[0]
        ions = [scene.positions[atom] for atom in cell.indices_from_symbol(ion)]
        ions += [place for atom, place in scene.images if cell[atom].specie.symbol == ion]
        for ends in [scene.arrows[label], *scene.ways[label]]:
            assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(network.hops[0].distance, abs=1e-4)
            for end in ends:
                assert np.linalg.norm(np.array(ions) - end, axis=1).min() < 0.02
            middle = cell.lattice.get_fractional_coords(ends.mean(axis=0) - scene.corner)
            assert (middle > -0.01).all() and (middle < 1.01).all()


def test_each_distinct_hop_has_its_own_colour_and_words() -> None:
    scene = scene_of(olivine(), "Li")
    (label,) = scene.arrows
    side = draw_network(scene, {label: "along b: 0.154 ± 0.004 eV"})
    figure = side.get_figure()
    assert figure is not None
    texts = [text.get_text() for text in figure.legends[0].get_texts()]  # type: ignore[union-attr]
    assert texts == ["Li", "O", "P", "Fe", "along b: 0.154 ± 0.004 eV"]
    (lines,) = [each for each in side.collections if isinstance(each, LineCollection)]
    assert len(lines.get_segments()) == len(scene.ways[label]) and lines.get_alpha() is not None
    names = [f"hop {number}" for number in range(2 * len(HOP_COLOURS))]
    many = CrystalScene(olivine(), scene.positions, scene.corner, [], [], dict.fromkeys(names, scene.arrows[label]), {})
    assert len(set(many.colours.values())) == len(names)
