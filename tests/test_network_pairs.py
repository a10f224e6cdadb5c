"""Hops of the literature's structure pairs, found by the search in each pair's own crystal."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from conftest import ROOT
from ion_conductors import dimension
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.hop.hop import hop_ends
from barriers.structures.network.network import Network, find_network

LITERATURE = ROOT.parent / "shared" / "literature"

MISSED = {
    "Li3OI": "4.16 Å along the cell's edge; halfway beside it, 2.94 Å from both ends, is a site: two jumps",
    "LiMnBO3_c2c_2": "4.52 Å, further than Li reaches in an oxide (4.5 Å); found are the jumps of 2.85 and 2.95 Å",
}

pytestmark = pytest.mark.skipif(not LITERATURE.is_dir(), reason=f"{LITERATURE} is not there")


def names() -> list[str]:
    table = LITERATURE / "table.csv"
    return [row["name"] for row in csv.DictReader(table.open())] if table.exists() else []


def pair(name: str) -> tuple[Structure, int, np.ndarray]:
    """Give the initial structure, the ion that moves, and by what (Å)."""
    initial, final = (Structure.from_file(LITERATURE / name / f"{end}.vasp") for end in ("initial", "final"))
    steps = final.frac_coords - initial.frac_coords
    moves = initial.lattice.get_cartesian_coords(steps - np.rint(steps))
    ion = int(np.linalg.norm(moves, axis=1).argmax())
    return initial, ion, moves[ion]


def crystal(name: str) -> tuple[Structure, int, np.ndarray]:
    """Give the crystal with the vacancy filled, the ion that moves, and by what (Å).

    Four of the pairs (``X_Li`` and FeBO3) are an empty host with one ion: these have the two sites of the hop alone.
    """
    initial, ion, move = pair(name)
    initial.append(initial[ion].specie, initial[ion].coords + move, coords_are_cartesian=True)
    return initial, ion, move


def lithiated(name: str) -> tuple[Structure, int, np.ndarray]:
    """The same for an empty host, with all sites that its symmetry makes of the ion's; the final one is not given."""
    initial, ion, move = pair(name)
    site = initial[ion]
    initial.remove_sites([ion])
    filled = initial.copy()
    for operation in SpacegroupAnalyzer(initial).get_symmetry_operations():
        place = operation.operate(site.frac_coords)
        added = [other for other in filled if other.specie == site.specie]
        if all(other.distance_and_image_from_frac_coords(place)[0] > 0.3 for other in added):
            filled.append(site.specie, place)
    return filled, len(initial), move


def members(network: Network, ion: int, move: np.ndarray) -> np.ndarray:
    """Numbers of the jumps of an ion by that vector."""
    (first,) = np.flatnonzero(np.array(network.structure.indices_from_symbol(network.ion)) == ion)
    return np.flatnonzero((network.first == first) & (np.abs(network.vectors - move).max(axis=1) < 0.02))


def test_all_but_two_of_the_pairs_are_found() -> None:
    """The issue asks for 22 of 26. The other two are named with what is found instead."""
    missing = set()
    for name in names():
        structure, ion, move = crystal(name)
        network = find_network(structure, structure[ion].specie.symbol)
        (found, *more) = members(network, ion, move).tolist() or [None]
        assert not more
        if found is None:
            missing.add(name)
            continue
        hop = network.hops[network.hop[found]]
        assert hop.distance == pytest.approx(np.linalg.norm(move), abs=0.01)
        first, last = hop_ends(network.structure, hop)
        assert np.linalg.norm(last - first) == pytest.approx(hop.distance)
    assert missing == set(MISSED)


def test_the_hop_of_an_empty_spinel_is_found_from_one_site() -> None:
    """By hand: 8 Li on 8a in the cubic cell, 4 neighbours each. The other three hosts are relaxed in low symmetries."""
    filled, ion, move = lithiated("Mn2O4_Li")
    network = find_network(filled)
    (found,) = members(network, ion, move)
    assert network.multiplicities.tolist() == [16]
    assert network.hop[found] == 0
    assert dimension(network) == 3
