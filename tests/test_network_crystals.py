"""Number, multiplicity and dimension of the hops of crystals whose ways are known from the literature."""

from __future__ import annotations

import numpy as np
import pytest
from ion_conductors import (
    argyrodite,
    cubic_garnet,
    dimension,
    olivine,
    sodium_cobalt_oxide,
    sulfide_spinel,
    tetragonal_garnet,
    thiophosphate,
)
from pymatgen.core import Structure

from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.hop.spoken import spoken_labels
from barriers.structures.network.network import Network, find_network


def counted(network: Network) -> list[tuple[float, int]]:
    """Length (Å) and number in the cell of each distinct hop."""
    return [(round(hop.distance, 2), int(n)) for hop, n in zip(network.hops, network.multiplicities, strict=True)]


def test_lithium_runs_along_b_in_olivine() -> None:
    """Morgan, Van der Ven, Ceder, Electrochem. Solid-State Lett. 7, A30 (2004): one hop, along [010], one-dimensional.

    By hand: the 4 Li of the cell stand b/2 apart in two chains, so 4 ways in the cell.
    """
    network = find_network(olivine())
    assert counted(network) == [(3.0, 4)]
    assert dimension(network) == 1
    assert np.abs(network.vectors) == pytest.approx(np.tile([0, 6.010 / 2, 0], (8, 1)), abs=1e-9)
    assert spoken_labels(network.hops) == ["dumbbell 3.00 Å"]
    assert network.hops[0].label == "oxygen-dumbbell_3.00"


@pytest.mark.parametrize(
    ("crystal", "ion", "length"),
    [(bulk(known_cathodes()["LiCoO2"]), "Li", 2.82), (sodium_cobalt_oxide(), "Na", 2.89)],
)
def test_ions_run_in_the_layers_of_a_layered_oxide(crystal: Structure, ion: str, length: float) -> None:
    """Van der Ven and Ceder, Electrochem. Solid-State Lett. 3, 301 (2000): six neighbours in the layer, all alike."""
    network = find_network(crystal, ion)
    assert counted(network) == [(length, 9)]
    assert dimension(network) == 2
    assert network.hops[0].mechanism == "oxygen dumbbell"


def test_magnesium_runs_from_tetrahedron_to_tetrahedron_in_a_spinel() -> None:
    """Canepa et al., Nat. Commun. 8, 1759 (2017): one hop, 8a to 8a over the empty octahedron 16c, three-dimensional.

    By hand: 8 Mg on a diamond lattice, 4 neighbours each, half of the 32 ways are ways back.
    """
    network = find_network(sulfide_spinel(), "Mg")
    assert counted(network) == [(4.60, 16)]
    assert dimension(network) == 3
    assert network.hops[0].environments == ("S4; none", "S4; none")


def test_lithium_runs_from_tetrahedron_to_octahedron_in_cubic_garnet() -> None:
    """Awaka et al. (2011): loops of 24d and 96h, three-dimensional. Both positions in an octahedron are one site.

    By hand: 24 tetrahedra (24d), each of whose 4 faces is one of an octahedron (48g) too: 96 ways, all alike.
    """
    network = find_network(cubic_garnet())
    assert len(network.fractions) == 24 + 48
    assert counted(network) == [(1.99, 96)]
    assert dimension(network) == 3
    assert {environment.partition(";")[0] for environment in network.hops[0].environments} == {"O4", "O6"}
    assert set(np.bincount(network.first)) == {2, 4}


def test_ordered_lithium_in_tetragonal_garnet_has_four_hops() -> None:
    """Awaka et al. (2009): Li fills the tetrahedra 8a and the octahedra 16f and 32g; the tetrahedra 16e are empty.

    By hand: each of the 8 tetrahedra 8a has 4 faces to 32g: 32 ways. Around each of the 16 empty tetrahedra stand two
    32g and two 16f: one way between the 32g, and twice two from 32g to 16f, alike by the twofold axis. From 16f to 16f
    is two jumps, over a 32g. Three-dimensional, as the conduction by way of 16e is (Meier et al., J. Phys. Chem. C
    118, 6668 (2014)).
    """
    network = find_network(tetragonal_garnet())
    assert counted(network) == [(2.53, 32), (2.57, 32), (2.71, 32), (2.73, 16)]
    assert dimension(network) == 3


def test_lithium_in_argyrodite_jumps_in_a_pair_in_a_cage_and_between_cages() -> None:
    """De Klerk et al., Chem. Mater. 28, 7955 (2016): jumps in a doublet, in a cage and between cages.

    By hand: the 48 sites make 24 doublets. Four cages of 12 sites, each with two neighbours of other doublets in its
    cage and two in other cages: 48 ways each. Doublets and cages alone are isolated; the third joins them.
    """
    network = find_network(argyrodite())
    assert counted(network) == [(2.02, 24), (2.12, 48), (2.82, 48)]
    assert dimension(network) == 3
    assert dimension(network, {0, 1}) == 0
    assert {hop.mechanism for hop in network.hops} == {"anion triangle", "anion dumbbell"}


def test_lithium_in_a_thiophosphate_runs_in_channels_that_are_linked() -> None:
    """Kuhn et al. (2013): channels along c of Li1 and Li3, linked in the plane over Li4 and over Li2.

    By hand: 16 Li1 in pairs along c: 8; each Li1 next to one Li3: 16; each Li1 next to one Li4: 16; each of the 8 Li3
    next to two Li2: 16. The two in the channels alone are one-dimensional, along c.
    """
    network = find_network(thiophosphate())
    assert counted(network) == [(1.75, 8), (2.31, 16), (3.02, 16), (3.15, 16)]
    assert (dimension(network, {0, 1}), dimension(network)) == (1, 3)
    assert dimension(network, {0, 1, 2}) == 3


@pytest.mark.parametrize("crystal", [cubic_garnet(), argyrodite(), thiophosphate()])
def test_a_larger_cell_of_a_disordered_crystal_has_the_same_hops(crystal: Structure) -> None:
    small, large = find_network(crystal), find_network(crystal.copy().make_supercell([1, 2, 1]))
    assert [hop.label for hop in large.hops] == [hop.label for hop in small.hops]
    assert large.multiplicities.tolist() == (2 * small.multiplicities).tolist()
    assert large.windows == pytest.approx(small.windows)


def test_an_ion_that_the_crystal_lacks_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match="ion: no site of 'Na' in LiFePO4; allowed: Fe, Li, O, P"):
        find_network(olivine(), "Na")
