"""Studies of a crystal: its supercell, its hops, and the barriers that a fast potential gives for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk as ase_bulk
from ase.calculators.emt import EMT
from crystal_studies import FAST, study_writer
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from typer.testing import CliRunner

from barriers import StudyMaker, relax_lattice, run
from barriers.cli import app
from barriers.dispatch.states import JobStates
from barriers.documents import BarrierDoc, CrystalCellDoc, StudyDoc
from barriers.files.structures import write_structure
from barriers.report.folder import read_results
from barriers.report.html.network import network_scene
from barriers.report.html.page import render_page
from barriers.report.tables import study_json
from barriers.structures.crystal import LEAST_VECTOR, conventional, plain_crystal, repeats_for, shortest_vector
from barriers.structures.hop.hop import final_in_initial_order, make_endpoint
from barriers.study.crystal import CrystalHopSection
from barriers.study.file import read_study
from barriers.study.forms import CrystalStudy
from barriers.workflow import crystal
from barriers.workflow.built import build_study
from barriers.workflow.crystal import crystal_member, prepared
from barriers.workflow.labels import jobs_of
from barriers.workflow.plan import check_engine, make_plan

A = 3.59
LAYERED = {"LiCoO2": (2.816, 14.05, 0.2605), "NaCoO2": (2.889, 15.61, 0.2695)}

COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(A), ["Cu"], [[0, 0, 0]])
OLIVINE = Structure.from_spacegroup(
    "Pnma",
    Lattice.orthorhombic(10.332, 6.010, 4.692),
    ["Li", "Fe", "P", "O", "O", "O"],
    [
        [0, 0, 0],
        [0.28222, 0.25, 0.97472],
        [0.09486, 0.25, 0.41820],
        [0.09678, 0.25, 0.74279],
        [0.45710, 0.25, 0.20602],
        [0.16558, 0.04646, 0.28478],
    ],
)
"""LiFePO4 as refined by Streltsov, Belokoneva, Tsirelson and Hansen, Acta Cryst. B 49, 147 (1993)."""


def layered(formula: str) -> Structure:
    """An O3 oxide in its hexagonal cell."""
    a, c, z = LAYERED[formula]
    ion, metal = formula[:2], formula[2:4]
    sites = [[0, 0, 0], [0, 0, 0.5], [0, 0, z]]
    return Structure.from_spacegroup("R-3m", Lattice.hexagonal(a, c), [metal, ion, "O"], sites)


@pytest.fixture
def study_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CrystalStudy]:
    """Write a crystal and its study into a folder of their own, and read the study."""
    monkeypatch.chdir(tmp_path)
    return study_writer(tmp_path, "mine.json")


def hop(chosen: str) -> str:
    """The fast engine, and one hop."""
    return f"{FAST}hops: [{{{chosen}}}]\n"


COPPER_32 = ", ion: Cu, supercell: [2, 2, 2], relax: false"


def test_a_vacancy_of_copper_hops_over_one_barrier(study_of, tmp_path: Path) -> None:
    """In fcc all hops are one, both vacancies are the same by symmetry; by hand the barrier is the same."""
    study = study_of(COPPER, COPPER_32)
    found: StudyDoc = run(StudyMaker().make(study), tmp_path / "out").output
    (barrier,) = found.barriers
    assert barrier.converged, barrier.reason
    assert (barrier.system, barrier.hop_name) == ("Cu", "open_2.54")
    assert barrier.forward is not None and barrier.reverse is not None
    assert 0.4 < barrier.forward < 1.2
    assert barrier.forward == pytest.approx(barrier.reverse, abs=1e-3)
    assert barrier.band.energies[0] == pytest.approx(barrier.band.energies[-1], abs=1e-3)
    assert barrier.hop is not None and barrier.hop.distance == pytest.approx(A / np.sqrt(2), abs=1e-4)
    assert found.slab is None
    said = json.loads(json.dumps(study_json(found)))
    assert said["crystal"]["formula"] == "Cu"
    assert said["crystal"]["atoms"] == 32
    assert said["crystal"]["space_group"] == "Fm-3m"
    network = found.network
    assert network is not None and network.dimension == 3 and network.misfit < 1e-3
    assert [row.barrier for row in network.percolation] == pytest.approx([barrier.forward] * 6, abs=1e-3)
    # Twelve neighbours a/√2 away: D = 12 Γ (a/√2)² / 6; f of the face-centred lattice is 0.7815.
    room = next(row for row in network.rows if row.temperature == 300)
    rate = 1e13 * np.exp(-(barrier.forward + barrier.reverse) / 2 / (8.617333e-5 * 300))
    assert room.principal == pytest.approx([rate * A**2 * 1e-16] * 3, rel=1e-3)
    assert room.correlation == pytest.approx([0.7815] * 3, abs=1e-3)
    assert said["network"]["dimension"] == 3
    page = render_page(found, tmp_path)
    assert "Percolating barrier" in page and "Diffusion of one vacancy" in page
    assert "Crystal</h3>" in page and "2 × 2 × 2, 32 atoms" in page
    assert "Slab</h3>" not in page
    seen = network_scene(found)
    assert seen is not None and seen["host"] == "crystal" and '<section id="hops"' in page
    (drawn,) = seen["hops"]
    assert drawn["words"] == f"open_2.54: {barrier.forward:.3f} ± 0.001 eV"
    assert len(drawn["ways"]) == 32 * 12 / 2
    assert "structure" not in said["crystal"]
    by_hand = pair(study, tmp_path)
    assert by_hand.forward == pytest.approx(barrier.forward, abs=2e-3)


def pair(study: CrystalStudy, folder: Path) -> BarrierDoc:
    """The barrier of the study's hop between two files made by hand from ASE's copper."""
    atoms = ase_bulk("Cu", "fcc", a=A, cubic=True).repeat(2)
    ends = []
    for stays in (1, 0):
        moving = atoms.positions[stays]
        end = atoms[2:]
        end.append("Cu")
        end.positions[-1] = moving
        ends.append(end)
    for name, end in zip(("initial", "final"), ends, strict=True):
        write_structure(AseAtomsAdaptor.get_structure(end), folder / f"{name}.vasp")
    text = f"name: pair\nendpoints: {{initial: {folder}/initial.vasp, final: {folder}/final.vasp}}\n"
    document: StudyDoc = run(StudyMaker().make(read_study(text + FAST)), folder / "pair").output
    (barrier,) = document.barriers
    return barrier


def test_the_cell_relaxes_to_that_of_the_potential_and_keeps_its_symmetry(study_of, tmp_path: Path) -> None:
    sizes = np.linspace(3.5, 3.7, 41)
    energies = []
    for size in sizes:
        cubic = ase_bulk("Cu", "fcc", a=size, cubic=True)
        cubic.calc = EMT()
        energies.append(cubic.get_potential_energy())
    fit = np.polyfit(sizes, energies, 4)
    best = next(root.real for root in np.roots(np.polyder(fit)) if abs(root.imag) < 1e-9 and 3.5 < root.real < 3.7)
    wide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.68), ["Cu"], [[0, 0, 0]]).get_primitive_structure()
    study = study_of(wide, ", ion: Cu")
    assert study.relaxes_lattice
    with pytest.raises(ValueError, match=r"^crystal\.relax: the lattice is not relaxed yet; `barriers run`"):
        StudyMaker().make(study)
    relaxed, lattice = relax_lattice(study, tmp_path / "out")
    assert isinstance(lattice, CrystalCellDoc) and isinstance(relaxed, CrystalStudy)
    assert lattice.space_groups == ("Fm-3m", "Fm-3m")
    assert lattice.volume_change == pytest.approx((best / 3.68) ** 3 - 1, abs=3e-3)
    assert np.abs(lattice.stress).max() < 0.06 < np.abs(lattice.stress_before).max()
    cell = crystal_member(relaxed).slab
    assert cell.cell.lattice.abc == pytest.approx([best] * 3, abs=3e-3)
    again, kept = relax_lattice(study, tmp_path / "out")
    assert isinstance(again, CrystalStudy) and kept == lattice
    assert crystal_member(again).slab.structure == cell.structure
    assert crystal_member(relaxed).slab.document(lattice).lattice == lattice


def test_the_atoms_of_a_crystal_relax_with_its_cell(study_of, tmp_path: Path) -> None:
    """Ions off their sites go back, in a cell that was sheared, too."""
    shear = np.array([[1.0, 0.02, 0.0], [0.0, 1.01, 0.0], [0.0, 0.0, 0.98]])
    off = Structure(Lattice(COPPER.lattice.matrix @ shear), COPPER.species, COPPER.frac_coords)
    off.translate_sites([0], [0.02, 0.01, 0.0])
    relaxed, _ = relax_lattice(study_of(off, ", ion: Cu"), tmp_path / "out")
    assert isinstance(relaxed, CrystalStudy)
    apart = relaxed.crystal.relaxed.distance_matrix  # type: ignore[union-attr]
    assert apart[np.triu_indices(4, 1)] == pytest.approx([apart[0, 1]] * 6, abs=0.03)


def test_a_plan_speaks_of_a_crystal(study_of) -> None:
    study_of(OLIVINE)
    said = CliRunner().invoke(app, ["check", "mine.yaml"])
    assert said.exit_code == 0, said.output
    assert "crystal: LiFePO4, Pnma; supercell 1 × 2 × 3, 168 atoms; 10.33 Å to its nearest image" in said.stdout
    assert "Li24 Fe24 P24 O96" in said.stdout
    for word in ("slab", "vacuum", "termination", "fragment", "Placements"):
        assert word not in said.output
    plan = json.loads(CliRunner().invoke(app, ["check", "mine.yaml", "--json"]).stdout)
    assert plan["crystal"]["supercell"] == [1, 2, 3]
    assert plan["jobs"] == {"crystal": 1, "endpoint": 2, "band": 1}


def test_the_one_hop_of_olivine_runs_along_b(study_of) -> None:
    """Lithium moves in channels along b: Morgan et al., Electrochem. Solid-State Lett. 7, A30 (2004)."""
    member = crystal_member(study_of(OLIVINE, ", relax: false"))
    (hop,) = member.hops
    structure = member.slab.structure
    jump = structure.lattice.get_cartesian_coords(
        structure.frac_coords[hop.target] + hop.image - structure.frac_coords[hop.moving]
    )
    assert abs(jump) == pytest.approx([0, 6.010 / 2, 0], abs=1e-6)


@pytest.mark.parametrize("formula", LAYERED)
def test_primitive_and_conventional_cells_give_the_same_hops(study_of, formula: str) -> None:
    whole = layered(formula)
    found = []
    for cell in (whole, whole.get_primitive_structure()):
        member = crystal_member(study_of(cell, f", ion: {formula[:2]}, relax: false"))
        found.append((len(member.slab.structure), [hop.label for hop in member.hops], member.study.crystal.name))
    assert found[0] == found[1]
    assert found[0][0] == 192
    assert found[0][2] == formula
    hops = found[0][1]
    assert len(hops) == 1 and f"{LAYERED[formula][0]:.2f}" in hops[0]


def test_another_ion_is_the_one_that_is_taken_out_and_named(study_of) -> None:
    study = study_of(layered("NaCoO2"), ", ion: Na, relax: false")
    built = build_study(study)
    assert {hop.ion for hop in built.hops} == {"Na"}
    names = built.structures
    initial = next(structure for name, structure in names.items() if name.endswith("initial"))
    assert initial.composition["Na"] == built.slab.structure.composition["Na"] - 1
    said = CliRunner().invoke(app, ["hops", "mine.yaml"])
    assert said.exit_code == 0, said.output
    assert "Li" not in said.stdout
    assert "z (Å)" not in said.stdout
    jobs = [job.name for job in jobs_of(StudyMaker().make(study))]
    assert not [name for name in jobs if "slab" in name or "Li" in name]


def test_a_hop_is_chosen_by_the_sites_of_its_ends(study_of) -> None:
    member = crystal_member(study_of(OLIVINE, ", relax: false"))
    (hop,) = member.hops
    structure = member.slab.structure
    place = structure.frac_coords[hop.target] + [1, 0, 0.001]
    for to in (hop.target, [round(float(each), 4) for each in place]):
        rest = FAST + f"hops: [{{name: mine, from: {hop.moving}, to: {to}}}]\n"
        (named,) = crystal_member(study_of(OLIVINE, ", relax: false", rest)).hops
        assert (named.name, named.moving, named.target) == ("mine", hop.moving, hop.target)
        assert named.distance == pytest.approx(hop.distance)
        ends = [make_endpoint(structure, state, "Li") for state in (named.initial, named.final)]
        moved = final_in_initial_order(ends[1], named).cart_coords - ends[0].cart_coords
        assert np.linalg.norm(moved, axis=1).max() == pytest.approx(hop.distance)
        assert (np.linalg.norm(moved, axis=1) > 1e-6).sum() == 1


def test_hops_are_chosen_as_on_a_slab(study_of) -> None:
    rest = FAST + "hops: [{kind: divacancy}, {name: long, length: [2, 3]}]\n"
    hops = crystal_member(study_of(layered("LiCoO2"), ", relax: false", rest)).hops
    assert [hop.kind for hop in hops] == ["divacancy", "vacancy"]
    assert hops[1].name == "long"
    assert hops[0].name == "tetrahedral_2.82"


@given(
    st.tuples(*[st.floats(2.5, 14)] * 3),
    st.tuples(*[st.floats(60, 120)] * 3),
)
@settings(max_examples=40, deadline=None)
def test_no_lattice_vector_of_a_supercell_that_is_chosen_is_short(lengths, angles) -> None:
    lattice = Lattice.from_parameters(*lengths, *angles)
    if not np.isfinite(lattice.matrix).all() or lattice.volume < 0.3 * np.prod(lengths):
        return
    repeats = repeats_for(lattice)
    assert shortest_vector(Lattice(lattice.matrix * np.array(repeats)[:, None])) >= LEAST_VECTOR - 1e-3
    for axis in range(3):
        fewer = np.array(repeats) - np.eye(3, dtype=int)[axis]
        if fewer.min() > 0:
            assert shortest_vector(Lattice(lattice.matrix * fewer[:, None])) < LEAST_VECTOR


def test_the_cell_of_the_file_is_kept_where_it_is_the_conventional_one() -> None:
    assert conventional(OLIVINE) == OLIVINE
    assert len(conventional(OLIVINE * (1, 1, 2))) == 28
    assert len(conventional(COPPER.get_primitive_structure())) == 4


def test_a_cell_too_small_is_warned_of(study_of) -> None:
    (warning,) = crystal_member(study_of(COPPER, COPPER_32)).slab.warnings
    assert warning.startswith("crystal.supercell: its shortest vector is 7.2 Å")


def test_a_charge_is_handed_to_the_code_that_knows_charges(study_of) -> None:
    plan = make_plan(study_of(OLIVINE, ", charge: -1, relax: false"))
    assert any("crystal.charge: -1 is left out" in line for line in plan.as_json()["crystal"]["warnings"])
    espresso, _ = prepared(study_of(OLIVINE, ", charge: -1", "engine: espresso\n"))
    assert espresso.engine.model_dump()["keywords"] == {"tot_charge": -1}
    assert espresso.engine.model_dump()["dipole"] is False


@pytest.mark.parametrize(
    ("structure", "crystal", "rest", "line"),
    [
        (COPPER, ", ion: Na", FAST, r"^crystal\.file: .*mine\.json: no Na in Cu; allowed: Cu"),
        (COPPER, ", ion: Cu, supercell: [1, 1, 1], relax: false", FAST, r"meets its own image; use a larger cell"),
        (OLIVINE, "", hop("from: 0, to: 0"), r"^hops\[0\]: from and to are one site, Li 0"),
        (
            OLIVINE,
            "",
            FAST + "hops: [{from: 0, to: 30}]\n",
            r"^hops\[0\]\.to: 30: this atom is Fe; allowed: a free Li, one of 0 to 23",
        ),
        (
            OLIVINE,
            "",
            FAST + "hops: [{from: 0, to: [0.5, 0.1, 0.1]}]\n",
            r"^hops\[0\]\.to: \[0\.5, 0\.1, 0\.1\]: the nearest site, Li 12",
        ),
        (OLIVINE, "", hop("rank: 2"), r"^hops\[0\]\.rank: 2; allowed: 1 to 1 in this crystal"),
        (OLIVINE, "", hop("length: [1, 2]"), r"^hops\[0\]: no hop with kind 'vacancy', length"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line(study_of, structure, crystal, rest, line: str) -> None:
    study = study_of(structure, crystal if "relax" in crystal else f"{crystal}, relax: false", rest)
    with pytest.raises(ValueError, match=line) as caught:
        make_plan(study)
    assert len(str(caught.value).splitlines()) == 1


def test_atoms_on_each_other_are_refused_and_charges_left_out() -> None:
    double = Structure(Lattice.cubic(4.1), ["Li", "Li"], [[0, 0, 0], [0.01, 0, 0]])
    with pytest.raises(ValueError, match="they overlap"):
        plain_crystal(double, "Li")
    charged = Structure(Lattice.cubic(4.1), ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]], site_properties={"x": [1, 2]})
    assert [site.specie.symbol for site in plain_crystal(charged, "Na")] == ["Na", "Cl"]
    assert not plain_crystal(charged, "Na").site_properties


def test_a_study_of_a_crystal_needs_its_file(tmp_path: Path) -> None:
    study = read_study(f"name: none\ncrystal: {{file: {tmp_path}/none.cif}}\n")
    with pytest.raises(ValueError, match=r"^crystal\.file: .*none\.cif: no such file$"):
        check_engine(study)
    (tmp_path / "none.cif").write_text("no crystal")
    with pytest.raises(ValueError, match=r"^crystal\.file: .*none\.cif: not a crystal that can be read"):
        check_engine(study)


def test_from_and_to_stand_alone_and_together() -> None:
    assert CrystalHopSection(from_=1, to=(0.5, 0, 1)).to == (0.5, 0.0, 1.0)
    for fields, line in (
        ({"from_": 1}, "from: 1 stands without to"),
        ({"from_": 1, "to": 2, "rank": 2}, "rank: 2 stands beside from and to"),
        ({"layer": "surface"}, "layer: 'surface' is of a surface, a crystal has none"),
        ({"from_": True, "to": 2}, "from_: true is no site"),
        ({"from_": [1, 2], "to": 2}, r"from_: \[1, 2\] is no site"),
    ):
        with pytest.raises(ValueError, match=f"^{line}"):
            CrystalHopSection(**fields)


@pytest.mark.mlip
@pytest.mark.slow
def test_the_barrier_of_olivine_by_the_default_model(study_of, tmp_path: Path) -> None:
    """0.27 eV by GGA (Morgan, Van der Ven and Ceder, 2004); CHGNet's bulk barriers are lower by 0.1 eV in the mean."""
    study = study_of(OLIVINE, rest="")
    relaxed, lattice = relax_lattice(study, tmp_path / "out")
    assert isinstance(lattice, CrystalCellDoc)
    assert lattice.space_groups[1] == "Pnma"
    assert max(map(abs, lattice.strain)) < 0.03
    document: StudyDoc = run(StudyMaker(lattice=lattice).make(relaxed), tmp_path / "out").output
    (barrier,) = document.barriers
    assert barrier.converged, barrier.reason
    assert barrier.forward == pytest.approx(barrier.reverse, abs=0.01)
    assert 0.1 < (barrier.forward or 0) < 0.4


def test_a_hop_has_one_label_whichever_way_it_is_asked_for(study_of) -> None:
    """Two rows of Li, one beside copper: their hops have the same words, so both have a code."""
    rows = Structure(Lattice.orthorhombic(12, 12, 3), ["Li", "Li", "Cu"], [[0, 0, 0], [0.5, 0.5, 0], [0.2, 0, 0]])
    crystal = ", supercell: [1, 1, 4], relax: false"
    for listed in crystal_member(study_of(rows, crystal)).hops:
        assert listed.label.startswith("open_3.00_")
        row = [listed.moving - listed.moving % 4 + number for number in range(4)]
        for first, last in [(row[0], row[1]), (row[2], row[1]), (row[3], row[0])]:
            (named,) = crystal_member(study_of(rows, crystal, hop(f"from: {first}, to: {last}"))).hops
            assert (named.moving, named.target, named.label) == (first, last, listed.label)


def test_two_sites_of_a_cell_too_small_for_any_hop_are_refused_by_their_own_distance(study_of) -> None:
    study = study_of(COPPER, ", ion: Cu, supercell: [1, 1, 1], relax: false", hop("from: 0, to: 1"))
    line = r"^hops\[0\]: Cu 0 and Cu 1 are 2\.54 Å apart, so that a hop meets its own image in a cell of 3\.6 Å"
    with pytest.raises(ValueError, match=line):
        crystal_member(study)


def test_a_run_that_has_not_ended_is_shown_from_wherever_one_is(study_of, tmp_path: Path, monkeypatch) -> None:
    study_of(COPPER, COPPER_32)
    done = CliRunner().invoke(app, ["run", "mine.yaml"])
    assert done.exit_code == 0, done.output
    folder, elsewhere = tmp_path / "results" / "mine", tmp_path / "elsewhere"
    whole, states = read_results(folder), JobStates(folder)
    states.change(states.read()[-1].uuid, state="waiting")  # as a run leaves it that is stopped before its comparison
    (folder / "study.json").unlink()
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    found = read_results(folder)
    assert found.crystal == whole.crystal and found.crystal is not None and found.crystal.source == "mine.json"
    assert found.network == whole.network and found.network is not None
    assert [row.hop for row in found.rows] == ["open_2.54"]
    assert "1 of 10 jobs are left" in found.notes[-1]
    again = CliRunner().invoke(app, ["run", "../mine.yaml", "--results", "../results", "--json"])
    assert json.loads(again.stdout)["force_calls_this_run"] == 0


def test_a_plan_builds_its_supercell_once(study_of, monkeypatch) -> None:
    study, built = study_of(COPPER, COPPER_32), []
    real = crystal.build_crystal
    monkeypatch.setattr(crystal, "build_crystal", lambda section: built.append(section) or real(section))
    make_plan(study)
    assert len(built) == 1


def test_the_charge_is_that_of_the_cells_with_a_vacancy(study_of, tmp_path: Path) -> None:
    """The whole crystal is neutral: with a charge it would have a hole or an electron too many."""
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0] * 3, [0.5] * 3])
    study_of(salt, ", supercell: [2, 2, 2], charge: -1, relax: false", "engine: espresso\n")
    written = CliRunner().invoke(app, ["inputs", "mine.yaml", "--to", "in"])
    assert written.exit_code == 0, written.output
    charged = {path.parent.name: "tot_charge       = -1" in path.read_text() for path in Path("in").rglob("*.1.in")}
    assert charged.pop("01-crystal-relax") is False
    assert len(charged) == 3 and all(charged.values())
