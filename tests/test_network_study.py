"""The network of a study of a crystal: which barrier belongs to which of its jumps, and which way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from barriers.analysis.levels import fit_levels
from barriers.structures.network.network import Network, find_network
from barriers.study.network import NetworkSection
from barriers.workflow.network import NETWORK, jumps_of, network_document

FORWARD, REVERSE = 0.5, 0.3


def chain() -> Network:
    """Chains of Li along x whose sites differ: a fluorine stands nearer to every second one; twice the cell."""
    lattice = Lattice.orthorhombic(5.0, 9.0, 10.0)
    cell = Structure(lattice, ["Li", "Li", "F", "Cl"], [[0, 0, 0], [0.5, 0, 0], [0.0, 0.22, 0], [0.5, 0.3, 0.1]])
    return find_network(cell.make_supercell([2, 1, 1]))


def asked(network: Network, hop: Any, forward: float, reverse: float, span: float | None = None) -> Any:
    """What the study finds of one barrier."""
    energies = {"forward": forward, "reverse": reverse, "span": span or max(forward, reverse)}
    barrier = SimpleNamespace(hop=hop, system="chain", hop_name="mine", plus_minus=lambda: 0.01, **energies)
    of = {"structure": network.structure, "ion": "Li", "section": NetworkSection(temperatures=(300.0,))}
    return network_document({NETWORK: of}, [barrier], None)  # type: ignore[list-item]


def test_any_of_the_jumps_either_way_gives_the_network_its_barriers() -> None:
    network = chain()
    (hop,) = network.hops
    atoms = network.structure.indices_from_symbol("Li")
    found = []
    for first, last, image, way in zip(
        network.first, network.last, network.images.tolist(), network.forward, strict=True
    ):
        jump = hop.model_copy(update={"moving": atoms[first], "target": atoms[last], "image": tuple(image)})
        found.append(asked(network, jump, *((FORWARD, REVERSE) if way else (REVERSE, FORWARD))))
    assert len(found) == 8
    assert all(document.model_dump() == found[0].model_dump() for document in found)
    (one_dimension, *_) = found[0].percolation
    assert (one_dimension.barrier, one_dimension.hop) == (pytest.approx(FORWARD), "mine")


def test_a_vacancy_rests_where_the_ion_has_left() -> None:
    """The forward barrier is climbed from the state in which the site that the ion comes to is empty."""
    network = chain()
    levels = fit_levels(jumps_of(network), np.array([[FORWARD, REVERSE]]))
    (hop,) = network.hops
    atoms = network.structure.indices_from_symbol("Li")
    empty_before, empty_after = atoms.index(hop.target), atoms.index(hop.moving)
    assert levels.sites[empty_after] - levels.sites[empty_before] == pytest.approx(FORWARD - REVERSE)


def test_a_hop_that_is_not_there_is_named() -> None:
    network = chain()
    document = network_document(
        {NETWORK: {"structure": network.structure, "ion": "Li", "section": NetworkSection()}}, [], None
    )
    assert document is not None and document.dimension == 1 and document.rows == []
    assert any(network.hops[0].label in note for note in document.notes)


def test_a_minimum_between_the_ends_is_where_the_carrier_rests() -> None:
    """NaSc2S4 with CHGNet: 0.061 eV from either end, and 0.279 eV from the minimum between them."""
    network = chain()
    document = asked(network, network.hops[0], 0.061, 0.061, 0.279)
    assert document.percolation[0].barrier == pytest.approx(0.279)
    assert document.notes[0].startswith("mine: the carrier rests in a minimum between the ends")
