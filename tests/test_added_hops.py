"""Hops of an ion added to a crystal: its empty sites, straight jumps between them, and ions that push others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ion_conductors import sodium_cobalt_oxide, sulfide_spinel
from knock_on import A
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from typer.testing import CliRunner

from barriers import StudyMaker, load_study, run
from barriers.cli import app
from barriers.documents import StudyDoc
from barriers.report.crystal import study_scene
from barriers.report.html.page import render_page
from barriers.structures.hop.between import hops_between
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import final_in_initial_order, hop_ends, make_endpoint
from barriers.structures.hop.search import find_hops
from barriers.structures.hop.voids import find_voids
from barriers.structures.network.network import Network, find_added_network
from barriers.structures.path.interpolate import interpolate
from barriers.study.crystal import CrystalHopSection
from barriers.workflow.crystal import crystal_member

LITHIUM_OXIDE = Structure.from_spacegroup("Fm-3m", Lattice.cubic(A), ["O", "Li"], [[0] * 3, [0.25] * 3])
SPINEL = Structure.from_spacegroup("Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"], [[0] * 3, [5 / 8] * 3, [0.388] * 3])
CHLORIDE = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Cl", "Li"], [[0] * 3, [0.5] * 3])


def metal(group: str, a: float, symbol: str) -> Structure:
    return Structure.from_spacegroup(group, Lattice.cubic(a), [symbol], [[0, 0, 0]])


def kinds(crystal: Structure, ion: str) -> list[tuple[str, int, float]]:
    """Name, number in the cell and radius of each kind of empty site, in their order."""
    found = find_voids(crystal, ion)
    return [(kind.name, found.kind.count(number), kind.radius) for number, kind in enumerate(found.kinds)]


def ways(network: Network) -> list[tuple[str, int, float]]:
    """Kind and mechanism, number in the cell and length of each distinct hop."""
    return [
        (f"{hop.kind} {hop.mechanism}", int(number), round(hop.distance, 2))
        for hop, number in zip(network.hops, network.multiplicities, strict=True)
    ]


@pytest.mark.parametrize(
    ("crystal", "ion", "expected"),
    [
        # Antifluorite: lithium on all tetrahedra, the octahedra are empty, half a cell from oxygen.
        (LITHIUM_OXIDE, "Li", [("O6", 4, A / 2)]),
        # Rock salt: all octahedra are held, the tetrahedra are empty.
        (CHLORIDE, "Li", [("Cl4", 8, 5.13 * 3**0.5 / 4)]),
        (metal("Fm-3m", 3.6, "Cu"), "Cu", [("Cu6", 4, 1.8), ("Cu4", 8, 3.6 * 3**0.5 / 4)]),
        # Of a body-centred lattice, the tetrahedra alone are farther from all atoms than what is around them.
        (metal("Im-3m", 4.0, "Na"), "Na", [("Na4", 12, 4.0 * 5**0.5 / 4)]),
    ],
)
def test_the_empty_sites_of_simple_lattices(
    crystal: Structure, ion: str, expected: list[tuple[str, int, float]]
) -> None:
    found = kinds(crystal, ion)
    assert [(name, number) for name, number, _ in found] == [(name, number) for name, number, _ in expected]
    assert [radius for *_, radius in found] == pytest.approx([radius for *_, radius in expected], abs=1e-3)


def test_the_likeliest_empty_site_of_a_spinel_is_16c() -> None:
    """Between the 8a tetrahedra: LiMn2O4 takes its second lithium there (Thackeray et al., 1983)."""
    found = find_voids(SPINEL, "Li")
    assert (found.kinds[0].name, found.kind.count(0)) == ("O6", 16)
    eighths = found.fractions[np.array(found.kind) == 0] * 8
    assert eighths == pytest.approx(np.rint(eighths), abs=1e-4)
    assert found.kinds[0].to_ion == pytest.approx(8.24 * 3**0.5 / 8, abs=1e-3)


def test_no_empty_site_where_none_is_clear_of_atoms() -> None:
    """In Li3OCl an added ion shares the place of another: a dumbbell, which is no empty site."""
    sites = [[0] * 3, [0.5] * 3, [0.5, 0.5, 0]]
    antiperovskite = Structure.from_spacegroup("Pm-3m", Lattice.cubic(3.91), ["Cl", "O", "Li"], sites)
    assert find_voids(antiperovskite, "Li").sites == []
    with pytest.raises(ValueError, match="no hop of an added Li"):
        find_added_network(antiperovskite)


@pytest.mark.parametrize("crystal", [SPINEL, sodium_cobalt_oxide(), sulfide_spinel()])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_empty_sites_move_with_the_crystal(crystal: Structure, seed: int) -> None:
    random = np.random.default_rng(seed)
    ion = crystal[0].specie.symbol
    shift, order = random.random(3), random.permutation(len(crystal))
    changed = Structure.from_sites([crystal[int(number)] for number in order])
    changed.translate_sites(range(len(changed)), shift, to_unit_cell=bool(seed % 2))
    here, there = find_voids(crystal, ion), find_voids(changed, ion)
    assert there.kinds == here.kinds and there.kind == here.kind
    apart = crystal.lattice.get_all_distances(here.fractions + shift, there.fractions)
    assert apart.min(axis=0) == pytest.approx(np.zeros(len(there.fractions)), abs=2e-3)
    positions = np.array([site.position(changed) for site in there.sites])
    assert crystal.lattice.get_cartesian_coords(there.fractions) == pytest.approx(positions, abs=1e-4)


def test_any_cell_has_the_same_empty_sites_and_hops() -> None:
    small, large = find_added_network(SPINEL.get_primitive_structure()), find_added_network(SPINEL)
    assert [(kind, 4 * number, length) for kind, number, length in ways(small)] == ways(large)
    assert len(large.fractions) == 4 * len(small.fractions)
    assert [hop.label for hop in small.hops] == [hop.label for hop in large.hops]


def test_an_added_ion_of_a_close_packing_goes_from_octahedron_to_tetrahedron() -> None:
    """By hand: eight tetrahedra around each of the four octahedra of the cell; two of a kind share an edge alone."""
    network = find_added_network(metal("Fm-3m", 3.6, "Cu"), "Cu")
    assert ways(network)[0] == ("interstitial open", 32, round(3.6 * 3**0.5 / 4, 2))
    assert {kind for kind, *_ in ways(network)[1:]} == {"interstitialcy collinear", "interstitialcy non-collinear"}


def test_each_tetrahedron_of_a_body_centred_lattice_has_four_neighbours() -> None:
    network = find_added_network(metal("Im-3m", 4.0, "Na"), "Na")
    assert ways(network)[0] == ("interstitial open", 24, round(4.0 / 8**0.5, 2))


def test_an_ion_added_to_lithium_oxide_pushes_another() -> None:
    """By hand: beside each Li four of the eight corners of its cube are empty; each pair of them is one way to push.

    Eight Li in the cell, six pairs each. The straight way between two octahedra is closed by two Li.
    """
    network = find_added_network(LITHIUM_OXIDE)
    assert ways(network) == [("interstitialcy non-collinear", 48, round(A / 2**0.5, 2))]
    (hop,) = network.hops
    assert hop.label == "interstitialcy_non-collinear_3.27"
    assert np.bincount(network.first).tolist() == [24] * 4
    assert network.forward.all() and np.isnan(network.windows).all()


def test_silver_chloride_pushes_in_line_and_aside() -> None:
    """Rock salt's two knock-on jumps that go forward, with lithium: along [111], or aside by 70.5°."""
    assert ways(find_added_network(CHLORIDE)) == [
        ("interstitialcy non-collinear", 48, round(5.13 / 2**0.5, 2)),
        ("interstitialcy collinear", 16, round(5.13 * 3**0.5 / 2, 2)),
    ]


def test_both_ions_move_to_the_next_site_alone() -> None:
    crystal = LITHIUM_OXIDE * (2, 2, 2)
    (hop,) = select_hops(find_hops(crystal, added=True), kind="interstitialcy")
    assert hop.pushed is not None and hop.removed == () and hop.leg == pytest.approx(A * 3**0.5 / 4, abs=1e-5)
    initial = make_endpoint(crystal, hop.initial)
    final = final_in_initial_order(make_endpoint(crystal, hop.final), hop)
    assert initial.composition["Li"] == crystal.composition["Li"] + 1
    moves = final.cart_coords - initial.cart_coords
    moved = np.flatnonzero(np.linalg.norm(moves, axis=1) > 1e-4)
    assert moved.tolist() == [hop.pushed[0], len(crystal)]
    assert np.linalg.norm(moves[moved], axis=1) == pytest.approx([hop.leg] * 2, abs=1e-4)
    first, last = hop_ends(crystal, hop)
    assert moves.sum(axis=0) == pytest.approx(last - first, abs=1e-4)


def test_the_first_band_of_two_ions_keeps_them_apart_and_is_its_own_reverse() -> None:
    crystal = LITHIUM_OXIDE * (2, 2, 2)
    (hop,) = select_hops(find_hops(crystal, added=True), kind="interstitialcy")
    final = final_in_initial_order(make_endpoint(crystal, hop.final), hop)
    ends = [AseAtomsAdaptor.get_atoms(end) for end in (make_endpoint(crystal, hop.initial), final)]
    band = interpolate(*ends, 5, "idpp")
    back = interpolate(*ends[::-1], 5, "idpp")[::-1]
    for image, other in zip(band, back, strict=True):
        assert image.positions == pytest.approx(other.positions, abs=0.02)
        near = image.get_all_distances(mic=True)[np.triu_indices(len(image), 1)]
        assert near.min() > 1.6


def test_a_hop_of_an_added_ion_is_chosen_by_the_coordinates_of_its_sites() -> None:
    crystal = LITHIUM_OXIDE * (2, 2, 2)
    found = find_hops(crystal, added=True)
    (hop,) = select_hops(found, kind="interstitialcy")
    sites = [tuple(map(float, place.name.split()[1:])) for place in hop.sites or ()]
    for ends, states in ((sites, (hop.initial, hop.final)), (sites[::-1], (hop.final, hop.initial))):
        for made in hops_between(crystal, found, *ends, "interstitialcy"):
            assert (made.initial, made.final) == states
            assert made.kind == "interstitialcy" and made.distance == pytest.approx(hop.distance, abs=1e-5)
    with pytest.raises(ValueError, match="an added ion is no atom of the structure yet"):
        hops_between(crystal, found, 0, 1, "interstitialcy")
    with pytest.raises(ValueError, match=r"^from: .* the nearest site, Li at .* is 2\.00 Å away"):
        hops_between(crystal, found, tuple(crystal[-1].frac_coords), sites[0], "interstitialcy")
    assert CrystalHopSection(kind="interstitialcy", from_=sites[0], to=sites[1]).kind == "interstitialcy"


STUDY = """
name: mine
crystal: {file: mine.json, supercell: [2, 2, 2], relax: false}
engine: {model: "knock_on:Wells"}
neb: {fmax: 0.02}
path: {n_images: 5}
hops: [{kind: interstitialcy}]
network: {temperatures: [300], vacancies: 0.1}
"""


def test_a_study_of_an_added_ion_ends_in_its_diffusion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: each octahedron has twelve neighbours a/√2 away, each by two Li, so D = 24 Γ (a/√2)² / 6."""
    monkeypatch.chdir(tmp_path)
    LITHIUM_OXIDE.to(filename="mine.json")
    Path("mine.yaml").write_text(STUDY)
    for command in ("check", "hops"):
        said = CliRunner().invoke(app, [command, "mine.yaml"], env={"COLUMNS": "200"})
        assert said.exit_code == 0, said.output
        assert "interstitialcy_non-collinear_3.27" in said.stdout
    assert "empty site O6: 32 in the supercell; nearest atom of the void 2.31 Å, ion 2.00 Å" in said.stdout
    assert "an added ion has 1 distinct hop between 32 empty sites of the supercell: a 3-dim" in said.stdout
    rows = json.loads(CliRunner().invoke(app, ["hops", "mine.yaml", "--kind", "interstitialcy", "--json"]).stdout)
    assert [(row["jumps_per_site"], row["window"], row["atoms"]) for row in rows] == [(24, None, None)]

    document: StudyDoc = run(StudyMaker().make(load_study("mine.yaml")), tmp_path / "out").output
    (barrier,) = document.barriers
    assert barrier.converged, barrier.reason
    assert barrier.forward is not None and barrier.forward == pytest.approx(barrier.reverse, abs=1e-3)
    assert 0.2 < barrier.forward < 0.72  # not both over the lattice's own saddles at once
    assert barrier.checks["one ion jumps"] and barrier.checks["ion jumps from site to site"]
    network = document.network
    assert network is not None and (network.carrier, network.dimension) == ("added ion", 3)
    (row,) = network.rows
    rate = 1e13 * np.exp(-(barrier.forward + barrier.reverse) / 2 / (8.617333e-5 * 300))
    assert row.principal == pytest.approx([24 * rate * A**2 / 2 / 6 * 1e-16] * 3, rel=1e-3)
    assert row.correlation == [None] * 3 and row.conductivity is None
    assert any("network.vacancies is left out" in note for note in network.notes)
    page = render_page(document, tmp_path)
    assert "Diffusion of one added ion" in page and "of a vacancy" not in page
    scene, _ = study_scene(document)
    assert [len(ways) for ways in scene.ways.values()] == [32 * 24 / 2]


def test_a_study_without_hops_takes_vacancies_unless_there_are_none(tmp_path: Path) -> None:
    """One lithium in AgCl is 10 Å from the next: the hops of an added one are left."""
    from barriers.study.file import read_study

    def chosen(crystal: Structure) -> set[str]:
        crystal.to(filename=str(tmp_path / "mine.json"))
        study = read_study(
            f"name: mine\ncrystal: {{file: {tmp_path}/mine.json, relax: false}}\nengine: {{model: emt}}\n"
        )
        return {hop.kind for hop in crystal_member(study).hops}  # type: ignore[arg-type]

    assert chosen(LITHIUM_OXIDE) == {"vacancy"}
    silver = CHLORIDE * (2, 2, 2)
    for number in silver.indices_from_symbol("Li")[1:]:
        silver[number] = "Ag"
    assert chosen(silver) == {"interstitial", "interstitialcy"}
