"""Crystals whose sites are held in part: their ordering, the hops in it, and a barrier through the whole chain."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from crystal_studies import study_writer
from ion_conductors import argyrodite, cubic_garnet, thiophosphate
from pymatgen.core import Lattice, Structure
from typer.testing import CliRunner

from barriers import StudyMaker, relax_lattice, run
from barriers.cli import app
from barriers.documents import StudyDoc
from barriers.report.crystal import study_scene
from barriers.report.html.page import render_page
from barriers.report.tables import study_json
from barriers.structures.hop.hop import Hop, final_in_initial_order, hop_ends, make_endpoint
from barriers.structures.network.network import find_network
from barriers.structures.network.ordered import order_sites
from barriers.structures.network.ordered_crystal import OrderedCrystal, order_crystal
from barriers.structures.network.ordered_hops import OrderedHops, ordered_hops
from barriers.study.forms import CrystalStudy
from barriers.study.network import NetworkSection
from barriers.workflow.crystal import crystal_member
from barriers.workflow.network import NETWORK, network_document
from barriers.workflow.plan import make_plan

A = 3.59

CONDUCTORS = {
    "argyrodite": (argyrodite(), "Li48 P8 S40 Cl8"),
    "garnet": (cubic_garnet(), "Li28 La12 Zr8 O48"),
    "thiophosphate": (thiophosphate(), "Li80 Ge8 P16 S96"),
}

each_conductor = pytest.mark.parametrize("name", CONDUCTORS)


def hops_of(found: OrderedCrystal, structure: Structure | None = None) -> OrderedHops:
    return ordered_hops(found.average, structure or found.ordering.structure, found.ordering.sites)


def seen_from(structure: Structure, hop: Hop) -> list[list[float]]:
    """Distances (Å) of all atoms by element to both ends: what no frame and no order of atoms changes."""
    ends = structure.lattice.get_fractional_coords(np.array(hop_ends(structure, hop)))
    apart = structure.lattice.get_all_distances(ends, structure.frac_coords)
    return [sorted(zip([site.specie.Z for site in structure], row.round(3), strict=True)) for row in apart]  # type: ignore[misc]


@each_conductor
def test_the_supercell_is_that_of_fewest_atoms_and_holds_the_formula(name: str) -> None:
    crystal, formula = CONDUCTORS[name]
    found = order_crystal(crystal, "Li")
    assert found.ordering.structure.composition.formula == formula
    assert not list(found.warnings)
    assert min(found.average.lattice.get_lll_reduced_lattice().abc) >= 10
    for atom, site in zip(found.ordering.structure, found.ordering.sites, strict=True):
        assert atom.specie in found.average[site].species.elements
        assert atom.frac_coords == pytest.approx(found.average[site].frac_coords)


def test_counts_that_do_not_come_near_are_told() -> None:
    third = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.7), [{"Li": 0.2}, "S"], [[0.25] * 3, [0] * 3])
    assert not list(order_crystal(third, "Li", (1, 1, 1)).warnings)
    mixed = third.copy()
    mixed[8] = {"S": 0.6, "Cl": 0.4}
    mixed[9] = {"S": 0.59, "Cl": 0.41}
    (sulfur, chlorine) = order_crystal(mixed, "Li", (1, 1, 1)).warnings
    assert sulfur.startswith("crystal.file: 4 S in the ordered supercell, its occupancies give 3.19;")
    assert "0 Cl" in chlorine


@each_conductor
def test_neither_origin_nor_order_of_sites_changes_the_ordering(name: str) -> None:
    crystal, _ = CONDUCTORS[name]
    shuffled = Structure.from_sites([crystal[site] for site in np.random.default_rng(1).permutation(len(crystal))])
    shuffled.translate_sites(range(len(shuffled)), [0.137, 0.291, 0.403])
    one, other = (order_sites(each).structure for each in (crystal, shuffled))
    assert one.composition == other.composition
    for first in one.symbol_set:
        for second in one.symbol_set:
            apart = [
                np.sort(each.distance_matrix[np.ix_(*map(each.indices_from_symbol, (first, second)))], axis=None)
                for each in (one, other)
            ]
            assert apart[0] == pytest.approx(apart[1], abs=1e-4)


@each_conductor
def test_the_representatives_are_the_same_hops_whatever_the_frame(name: str) -> None:
    crystal, _ = CONDUCTORS[name]
    shuffled = Structure.from_sites([crystal[site] for site in np.random.default_rng(2).permutation(len(crystal))])
    shuffled.translate_sites(range(len(shuffled)), [0.071, 0.33, 0.9])
    chosen = []
    for each in (crystal, shuffled):
        found = order_crystal(each, "Li", (1, 1, 1))
        hops = hops_of(found).representatives
        chosen.append([(hop.label, seen_from(found.ordering.structure, hop)) for hop in hops])
    assert [label for label, _ in chosen[0]] == [label for label, _ in chosen[1]]
    assert chosen[0] == chosen[1]


@each_conductor
def test_each_class_of_the_average_crystal_has_a_hop_from_an_ion_to_an_empty_site(name: str) -> None:
    crystal, formula = CONDUCTORS[name]
    found = order_crystal(crystal, "Li")
    structure, hops = found.ordering.structure, hops_of(found)
    assert [hop.label for hop in hops.representatives] == [hop.label for hop in find_network(crystal).hops]
    sites = hops.network.fractions
    for hop, like in zip(hops.representatives, hops.network.hops, strict=True):
        first, last = structure.lattice.get_fractional_coords(np.array(hop_ends(structure, hop)))
        assert hop.empty is not None and hop.moving is not None
        assert structure[hop.moving].specie.symbol == "Li"
        assert structure.lattice.get_all_distances(last, sites).min() < 1e-4
        assert structure.lattice.get_all_distances(last, structure.frac_coords).min() > 1.2
        assert np.linalg.norm(structure.lattice.get_cartesian_coords(last - first)) == pytest.approx(like.distance)
        initial = make_endpoint(structure, hop.initial)
        final = final_in_initial_order(make_endpoint(structure, hop.final), hop)
        assert initial == structure and hop.initial.label == "unchanged"
        assert initial.composition.formula == final.composition.formula == formula
        assert [site.specie for site in initial] == [site.specie for site in final]
        moved = np.linalg.norm(final.cart_coords - initial.cart_coords, axis=1)
        assert np.flatnonzero(moved > 1e-4).tolist() == [hop.moving]
        assert moved.max() == pytest.approx(hop.distance, abs=1e-4)


def test_the_hop_whose_ends_differ_least_comes_first_and_others_of_its_class_follow() -> None:
    found = order_crystal(argyrodite(), "Li")
    hops = hops_of(found)
    for members in hops.classes:
        assert len(members) > 1
        assert [hop.label for hop in members[1:3]] == [f"{members[0].label}_{rank}" for rank in (2, 3)]
        assert all(hop.empty is not None for hop in members)
        assert hops.class_of(members[1]) == members


def test_hops_follow_the_atoms_of_a_relaxed_ordering() -> None:
    """All atoms move a little and drift together; one ion goes over to an empty site."""
    found = order_crystal(argyrodite(), "Li")
    built = hops_of(found)
    relaxed = found.ordering.structure.copy()
    random = np.random.default_rng(3)
    for atom in range(len(relaxed)):
        relaxed.translate_sites([atom], 0.3 + 0.03 * random.standard_normal(3), frac_coords=False, to_unit_cell=False)
    gone = built.representatives[0]
    left, reached = hop_ends(relaxed, gone)
    relaxed.translate_sites([gone.moving], reached - left, frac_coords=False, to_unit_cell=False)
    hops = hops_of(found, relaxed)
    assert hops.notes == built.notes
    from_there = [hop for hop in hops.classes[0] if hop.moving == gone.moving]
    assert any(np.linalg.norm(hop_ends(relaxed, hop)[1] - left) < 0.1 for hop in from_there)
    relaxed.translate_sites([gone.moving], (left - reached) / 2, frac_coords=False, to_unit_cell=False)
    relaxed.translate_sites([gone.moving], [0, 0, 1.3], frac_coords=False, to_unit_cell=False)
    astray = hops_of(found, relaxed)
    assert "1 of 48 Li have left their sites in the relaxed ordering, and start no hop" in astray.notes
    assert not [hop for hop in astray.found if hop.moving == gone.moving]


def test_where_all_sites_of_a_class_are_held_a_vacancy_is_made() -> None:
    layered = Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(2.82, 14.05),
        [{"Ni": 0.5, "Co": 0.5}, "Li", "O"],
        [[0] * 3, [0, 0, 0.5], [0, 0, 0.26]],
    )
    found = order_crystal(layered, "Li", (4, 4, 1))
    hops = hops_of(found)
    (hop,) = hops.representatives
    assert hop.empty is None and hop.target is not None
    assert hop.distance == pytest.approx(2.82, abs=1e-4)
    assert hops.notes[-1] == f"{hop.label}: all its sites are held in this ordering, so a vacancy is made for it"
    ends = [make_endpoint(found.ordering.structure, state) for state in (hop.initial, hop.final)]
    assert ends[0].composition == ends[1].composition
    assert ends[0].composition["Li"] == found.ordering.structure.composition["Li"] - 1


def of_barriers(hops: OrderedHops, heights: dict[str, tuple[float, float]], gone: str = "") -> Any:
    """What the network makes of barriers (eV) of hops by their label; the end of one may be no site."""
    known = {hop.label: hop for hop in hops.found}
    barriers = [
        SimpleNamespace(
            hop=known[label],
            system="x",
            hop_name=label,
            plus_minus=lambda: 0.0,
            forward=there,
            reverse=back,
            span=None,
            motion={"ion_jump": 0.04 if label == gone else known[label].distance},
        )
        for label, (there, back) in heights.items()
    ]
    told = {
        "structure": hops.network.structure,
        "ion": "Li",
        "section": NetworkSection(),
        "hops": hops.known([barrier.hop for barrier in barriers]),
    }
    return network_document({NETWORK: told}, barriers, None)  # type: ignore[arg-type]


def test_the_average_crystal_percolates_over_the_barriers_of_its_classes_and_has_no_d() -> None:
    """Sites of 48h are all alike: of ends that differ in the ordering the mean of both ways counts."""
    hops = hops_of(order_crystal(argyrodite(), "Li"))
    pair, cage, between = (hop.label for hop in hops.representatives)
    found = of_barriers(hops, {pair: (0.05, 0.05), cage: (0.10, 0.14), between: (0.30, 0.20), f"{cage}_2": (0.9, 0.9)})
    assert found.dimension == 3
    assert [row.barrier for row in found.percolation] == pytest.approx([0.25] * 6)
    assert {row.hop for row in found.percolation} == {between}
    assert found.rows == [] and found.notes[-1].startswith("no D: sites are held in part")
    (missing,) = [
        note for note in of_barriers(hops, {pair: (0.1, 0.1), cage: (0.1, 0.1)}).notes if "no barrier" in note
    ]
    assert missing == f"{between}: no barrier; its jumps are left out"


def test_the_way_of_a_hop_between_unlike_sites_is_kept() -> None:
    """From octahedron to tetrahedron of the garnet or back: saddle and the lower site stay."""
    hops = hops_of(order_crystal(cubic_garnet(), "Li"))
    (members,) = hops.classes
    ways = {hop.environments[0].partition(";")[0]: hop for hop in reversed(members)}
    down, up = (
        of_barriers(hops, {ways[start].label: heights}) for start, heights in (("O6", (0.3, 0.1)), ("O4", (0.1, 0.3)))
    )
    assert down.percolation == [row.model_copy(update={"hop": ways["O6"].label}) for row in up.percolation]
    assert down.percolation[0].barrier == pytest.approx(0.3)
    assert down.levels == up.levels and max(down.levels) == pytest.approx(0.2)


def test_a_hop_whose_end_relaxes_away_is_named_and_another_of_its_class_stands_for_it() -> None:
    hops = hops_of(order_crystal(argyrodite(), "Li"))
    pair, cage, between = (hop.label for hop in hops.representatives)
    heights = {pair: (0.0, 0.09), cage: (0.1, 0.1), between: (0.3, 0.3)}
    without, instead = (of_barriers(hops, heights | more, gone=pair) for more in ({}, {f"{pair}_2": (0.05, 0.05)}))
    assert without.notes[0].startswith(f"{pair}: in this ordering one of its ends is no site")
    assert f"{pair}: no barrier; its jumps are left out" in without.notes
    assert [row.barrier for row in without.percolation] == [None] * 6
    assert [row.barrier for row in instead.percolation] == pytest.approx([0.3] * 6)


@pytest.fixture
def study_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CrystalStudy]:
    """Write a crystal and its study into a folder of their own, and read the study."""
    monkeypatch.chdir(tmp_path)
    return study_writer(tmp_path, "mine.cif")


COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(A), [{"Cu": 31 / 32}], [[0] * 3])


def test_a_crystal_s_own_vacancy_has_the_barrier_of_one_that_is_made(study_of, tmp_path: Path) -> None:
    """Of 32 sites of copper one is empty; 0.0001 eV beside the vacancy that is made in the full crystal."""
    own = study_of(COPPER, ", ion: Cu, supercell: [2, 2, 2], relax: false")
    found: StudyDoc = run(StudyMaker().make(own), tmp_path / "own").output
    full = Structure(COPPER.lattice, ["Cu"] * 4, COPPER.frac_coords)
    made: StudyDoc = run(
        StudyMaker().make(study_of(full, ", ion: Cu, supercell: [2, 2, 2], relax: false")), tmp_path / "made"
    ).output
    (barrier,), (known,) = found.barriers, made.barriers
    assert barrier.converged, barrier.reason
    assert barrier.forward == pytest.approx(known.forward, abs=2e-3)
    assert barrier.reverse == pytest.approx(known.reverse, abs=2e-3)
    assert barrier.hop is not None and barrier.hop.empty is not None
    assert len(barrier.band.structure) == 31
    said = json.loads(json.dumps(study_json(found)))
    assert said["crystal"]["ordering"].startswith("Cu 31 empty 1; lowest Ewald energy of 20 orderings, seed 0")
    network = found.network
    assert network is not None and network.rows == []
    assert network.percolation[2].barrier == pytest.approx(barrier.forward, abs=1e-3)
    assert any("a sample, not the distribution" in note for note in found.notes)
    page = render_page(found, tmp_path)
    assert "Ordering of sites held in part" in page and "Diffusion of one vacancy" not in page
    scene, _ = study_scene(found)
    assert list(scene.ways.values()) == [[]]


def test_the_ordered_supercell_is_what_is_relaxed(study_of, tmp_path: Path) -> None:
    wide = Structure(Lattice.cubic(3.65), COPPER.species_and_occu, COPPER.frac_coords)
    study = study_of(wide, ", ion: Cu, supercell: [2, 2, 2]")
    assert study.relaxes_lattice
    relaxed, lattice = relax_lattice(study, tmp_path / "out")
    assert lattice is not None and isinstance(relaxed, CrystalStudy)
    member = crystal_member(relaxed)
    assert len(member.slab.structure) == 31
    assert member.slab.structure.lattice.volume < 8 * 3.65**3
    (hop,) = member.hops
    ends = [make_endpoint(member.slab.structure, state, "Cu") for state in (hop.initial, hop.final)]
    assert ends[0].composition == ends[1].composition
    document = member.slab.document()
    assert (document.space_group, document.supercell, document.atoms) == ("Fm-3m", (2, 2, 2), 31)


def test_a_plan_tells_the_ordering_and_its_hops(study_of) -> None:
    study_of(argyrodite(), "", "")
    said = CliRunner().invoke(app, ["check", "mine.yaml"])
    assert said.exit_code == 0, said.output
    assert "crystal: Li6PS5Cl, F-43m; supercell 2 × 2 × 2, 104 atoms; 13.94 Å to its nearest image" in said.stdout
    assert "Li 48 empty 48; lowest Ewald energy of 20 orderings, seed 0" in said.stdout
    assert "a sample, not the distribution" in said.stdout
    assert "hop anion-triangle_2.02, unchanged → vacancy" in said.stdout
    listed = CliRunner().invoke(app, ["hops", "mine.yaml"])
    assert listed.exit_code == 0, listed.output
    assert "an ion of Li has 3 distinct hops between 96 Li sites of the supercell: a 3-dimensional" in listed.stdout
    rows = json.loads(CliRunner().invoke(app, ["hops", "mine.yaml", "--json"]).stdout)
    assert [row["jumps_per_site"] for row in rows] == [1, 2, 2]
    assert all(row["atoms"][1] is None for row in rows)


def test_hops_are_chosen_by_rank_label_and_ends(study_of) -> None:
    first = crystal_member(study_of(argyrodite(), ", relax: false", ""))
    hop = first.hops[2]
    end = first.slab.structure.lattice.get_fractional_coords(hop_ends(first.slab.structure, hop)[1])
    to = [round(float(value), 4) for value in end]
    rest = (
        f"hops:\n- {{name: a, label: {hop.label}}}\n- {{name: b, label: {hop.label}, rank: 2}}\n"
        f"- {{name: c, rank: 3}}\n- {{name: d, from: {hop.moving}, to: {to}}}\n- {{name: e, length: [2.7, 3]}}\n"
    )
    a, b, c, d, e = crystal_member(study_of(argyrodite(), ", relax: false", rest)).hops
    assert a.label == d.label == e.label == hop.label
    assert b.label == f"{hop.label}_2" and c.label == f"{first.hops[0].label}_3"


@pytest.mark.parametrize(
    ("structure", "crystal", "rest", "line"),
    [
        (
            argyrodite(),
            ", ion: Na",
            "",
            r"^crystal\.file: .*mine\.cif: no site of Na in Li6PS5Cl; allowed: Cl, Li, P, S",
        ),
        (argyrodite(), "", "hops: [{kind: divacancy}]\n", r"^hops\[0\]: no hop with kind 'divacancy'"),
        (
            argyrodite(),
            "",
            "hops: [{from: 0, to: [0.5, 0.5, 0.51]}]\n",
            r"^hops\[0\]: no hop from 0 to \[0\.5, 0\.5, 0\.51\]",
        ),
        (
            argyrodite(),
            "",
            "hops: [{label: anion-triangle_2.02, rank: 500}]\n",
            r"^hops\[0\]\.rank: 500; allowed: 1 to \d+ like it in this ordering",
        ),
    ],
)
def test_what_is_not_in_the_ordering_is_refused_in_one_line(study_of, structure, crystal, rest, line: str) -> None:
    study = study_of(structure, f"{crystal}, relax: false", rest)
    with pytest.raises(ValueError, match=line) as caught:
        make_plan(study)
    assert len(str(caught.value).splitlines()) == 1
