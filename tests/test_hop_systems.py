"""Hops: chosen, carried to interfaces, and into a fragment."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from test_hop import build

from barriers.structures.hop.carried import check_carried
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop, final_in_initial_order, hop_ends, make_endpoint
from barriers.structures.hop.search import find_fragment_hops, find_hops
from barriers.structures.interface.placement import place_at_distance
from barriers.structures.path.endpoints import overlap
from barriers.structures.polymer.fragment import build_fragment


@pytest.fixture(scope="module")
def slab() -> Structure:
    return build("NCM811")


@pytest.fixture(scope="module")
def hops(slab: Structure) -> list[Hop]:
    return find_hops(slab)


def test_selection_by_what_a_hop_is(hops: list[Hop]) -> None:
    assert {hop.layers for hop in select_hops(hops, layer="sub-surface", kind="vacancy")} == {(1, 1)}
    assert {hop.mechanism for hop in select_hops(hops, mechanism="tetrahedral")} == {"tetrahedral"}
    assert len(select_hops(hops, length=(2.8, 2.9), depth=(1.0, 1.2), kind="vacancy")) == 12
    assert select_hops(hops, label=hops[7].label) == [hops[7]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"length": (5, 6)}, r"no hop with length \(5, 6\); there are: .*24 vacancy \(oxygen dumbbell\), 2.87 Å long"),
        ({"layer": "top"}, "layer: unknown 'top'; allowed: surface, sub-surface$"),
        ({"kind": "vacency"}, "allowed: vacancy, divacancy, interstitial, interstitialcy; did you mean 'vacancy'"),
        ({"mechanism": "oxygen dumbel"}, "mechanism: unknown 'oxygen dumbel'.*did you mean 'oxygen dumbbell'"),
    ],
)
def test_a_selection_of_nothing_says_what_there_is(hops: list[Hop], asked: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refusal:
        select_hops(hops, **asked)
    assert "\n" not in str(refusal.value)


def test_a_mistyped_label_is_answered_with_the_closest(hops: list[Hop]) -> None:
    with pytest.raises(ValueError, match=f"did you mean '{re.escape(hops[3].label)}'"):
        select_hops(hops, label=hops[3].label + "x")


def test_an_endpoint_takes_out_no_atom_but_the_ion(slab: Structure, hops: list[Hop]) -> None:
    state = select_hops(hops, kind="vacancy")[0].initial
    other, fewer = slab.copy(), slab.copy()
    other.replace(state.removed[0], "Ni")
    fewer.remove_sites(range(state.removed[0], len(slab)))
    for system, found in ((other, "Ni"), (fewer, "not there")):
        with pytest.raises(ValueError, match=rf"atom \d+ is {found}; allowed: Li, as on the slab of the hop$"):
            make_endpoint(system, state)


@cache
def interface() -> Structure:
    """A PVDF dimer above the slab, its F atoms among the surface's places for an added ion."""
    bare = build("NCM811")
    centre = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])
    return place_at_distance(bare, build_fragment("PVDF", 2, None), centre.tolist(), 3.0, 12.0, 2)[1]


def test_hops_into_a_fragment_end_at_its_fluorine(slab: Structure) -> None:
    """Shannon's radii of fourfold Li and F: 0.59 + 1.31 Å."""
    found = find_fragment_hops(interface())
    assert {hop.mechanism for hop in found} == {"fragment"}
    for hop in found:
        initial = make_endpoint(interface(), hop.initial)
        final = final_in_initial_order(make_endpoint(interface(), hop.final), hop)
        fluorine = [site for site in final if site.specie.symbol == "F"]
        assert min(final[-1].distance(site) for site in fluorine) == pytest.approx(1.90, abs=1e-6)
        assert initial.species == final.species and len(initial) == len(interface()) + 1
        assert np.linalg.norm(final[-1].coords - initial[-1].coords) == pytest.approx(hop.distance, abs=1e-6)
        assert (final.cart_coords[:-1] == initial.cart_coords[:-1]).all()
        for structure in (initial, final):
            assert overlap(AseAtomsAdaptor.get_atoms(structure)) is None
    with pytest.raises(ValueError, match="allowed: a fragment with F, N or O near the surface"):
        find_fragment_hops(slab)


def test_hops_are_carried_to_an_interface_and_to_a_relaxed_slab(slab: Structure, hops: list[Hop]) -> None:
    relaxed = slab.copy().perturb(0.2, seed=1)
    for hop in hops:
        check_carried(slab, interface(), hop)
        check_carried(slab, relaxed, hop)
        first, last = hop_ends(slab, hop)
        there = hop_ends(interface(), hop)
        assert there[1] - there[0] == pytest.approx(last - first, abs=1e-6)


def test_a_site_that_is_not_the_same_is_named(slab: Structure, hops: list[Hop]) -> None:
    hop = select_hops(hops, kind="vacancy", layer="sub-surface")[0]
    assert hop.moving is not None
    exchanged, moved, wide, far = slab.copy(), slab.copy(), slab.copy(), slab.copy()
    exchanged.replace(hop.moving, "Ni", properties=slab[hop.moving].properties)
    moved.translate_sites([hop.moving], [1.1, 0, 0], frac_coords=False)
    wide.scale_lattice(slab.volume * 1.1)
    neighbour = slab.get_neighbors(slab[hop.moving], 2.3)[0].index
    far.translate_sites([neighbour], [0, 0, 9], frac_coords=False)
    for system, message in (
        (exchanged, f"atom {hop.moving} is not the slab's site: Ni instead of Li"),
        (moved, r"1\.10 Å aside"),
        (far, f"its neighbour {neighbour} .* Å away"),
        (wide, "surface vectors differ"),
        (Structure.from_sites(slab.sites[:-1]), f"{len(slab) - 1} atoms, fewer than"),
    ):
        with pytest.raises(ValueError, match=message):
            check_carried(slab, system, hop)
