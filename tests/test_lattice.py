"""Relaxing the bulk before the slab is cut: the lattice found, what is said of it, and the slab that is cut from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk as ase_bulk
from ase.calculators.emt import EMT
from lattice_springs import STIFF, A, C
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from typer.testing import CliRunner

from barriers import StudyMaker, relax_lattice
from barriers.cli import app
from barriers.dispatch.lattice import LATTICE, kept_lattice
from barriers.documents import CellDoc, StudyDoc
from barriers.engines.mlip import MlipEngine
from barriers.engines.mlip.cell import STRESS
from barriers.engines.mlip.models import ModelSpec
from barriers.engines.mlip.pool import Evaluator
from barriers.report.html.page import render_page
from barriers.report.lattice import lattice_lines
from barriers.report.tables import study_json
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.lattice import hexagonal_lattice, supercell
from barriers.study.errors import StudyError
from barriers.study.file import read_study
from barriers.study.models import Study
from barriers.workflow.built import build_study
from barriers.workflow.comparison_job import study_document
from barriers.workflow.lattice import bulk_of, lattice_document, lattice_job, lattice_on_file, with_lattice

SPRINGS = "engine: {kind: mlip, model: 'lattice_springs:Springs'}\n"


def text(cathode: str = "name: NCM811, relax: true", engine: str = SPRINGS) -> str:
    return f"name: soft\ncathode: {{{cathode}}}\n{engine}systems: [{{name: NCM}}]\n"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return read_study(text())


def aluminium(a: float) -> Structure:
    """Cubic close packing of aluminium in its hexagonal cell: three layers, c along z; slightly out of place."""
    layers = [[0, 0, 0], [2 / 3, 1 / 3, 1 / 3], [1 / 3, 2 / 3, 2 / 3]]
    side = a / np.sqrt(2)
    cell = [[side, 0, 0], [-side / 2, side * np.sqrt(3) / 2, 0], [0, 0, 0.97 * a * np.sqrt(3)]]
    atoms = Atoms("Al3", scaled_positions=layers, cell=cell, pbc=True).repeat((2, 2, 1))
    atoms.rattle(0.02, seed=1)
    return AseAtomsAdaptor.get_structure(atoms)


def test_cell_and_ions_reach_the_crystal_that_the_potential_has(tmp_path: Path, monkeypatch) -> None:
    """EMT's aluminium is cubic, so both axes of the strained hexagonal cell must end at one lattice constant."""
    monkeypatch.chdir(tmp_path)
    cubic = ase_bulk("Al", "fcc", a=4.0, cubic=True)
    sizes = np.linspace(3.9, 4.1, 41)
    energies = []
    for size in sizes:
        cubic.set_cell([size] * 3, scale_atoms=True)
        cubic.calc = EMT()
        energies.append(cubic.get_potential_energy())
    fit = np.polyfit(sizes, energies, 4)
    best = next(root.real for root in np.roots(np.polyder(fit)) if abs(root.imag) < 1e-9 and 3.95 < root.real < 4.05)
    start = aluminium(4.1)
    maker = MlipEngine(model="emt").cell(fmax=0.005, max_steps=200)
    cell: CellDoc = maker.make.original(maker, start)
    assert cell.converged, cell.reason
    assert cell.structure.lattice.a / 2 * np.sqrt(2) == pytest.approx(best, abs=0.004)
    assert cell.structure.lattice.c / np.sqrt(3) == pytest.approx(best, abs=0.004)
    assert cell.structure.lattice.gamma == pytest.approx(120, abs=1e-6)
    assert np.abs(cell.stress).max() < STRESS < np.abs(cell.stress_before).max()
    atoms = start.to_ase_atoms()
    atoms.calc = EMT()
    full = atoms.get_stress() / units.GPa
    assert cell.stress_before == pytest.approx((full[:2].mean(), full[2]), abs=1e-6)


def test_a_stopped_relaxation_goes_on_from_its_cell(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = MlipEngine(model="emt").cell(0.005, max_steps=3)
    stopped = first.make.original(first, aluminium(4.1))
    assert not stopped.converged and "after 3 steps" in stopped.reason
    second = MlipEngine(model="emt").cell(0.005, max_steps=200)
    done = second.make.original(second, aluminium(4.1))
    assert done.converged and done.cost.earlier_force_calls == stopped.cost.force_calls
    assert done.stress_before == stopped.stress_before
    assert first.identity() == second.identity()
    (log,) = tmp_path.glob("*.progress.jsonl")
    seams = [line["stress"] for line in map(json.loads, log.read_text("utf-8").splitlines()) if line["iteration"] == 3]
    assert len(seams) == 2 and seams[0] == pytest.approx(seams[1], rel=1e-9)


def test_a_c_and_oxygen_height_are_read_off_a_supercell() -> None:
    """Of a cell made with other parameters the same come back, its atoms moved across the edge or shifted together."""
    known = known_cathodes()["NCM811"]
    other = known.__class__("other", known.metals, 2.9, 13.9, 0.262)
    built, relaxed = supercell(known, 2), supercell(other, 2)
    relaxed.translate_sites(range(len(relaxed)), [0, 0, -0.02], to_unit_cell=True)
    assert hexagonal_lattice(built, relaxed, 2) == (2.9, 13.9, 0.262)
    gone = [4, 5]
    for structure in (built, relaxed):
        structure.remove_sites(gone)
    assert hexagonal_lattice(built, relaxed, 2) == (2.9, 13.9, 0.262)


@pytest.mark.parametrize(
    ("cathode", "atoms", "repeats"),
    [("name: LiNiO2", 12, 1), ("name: NCM811", 48, 2), ("name: NCM811, lithium: 0.5", 42, 2)],
)
def test_the_bulk_is_the_smallest_cell_of_the_composition(cathode: str, atoms: int, repeats: int) -> None:
    crystal, structure, found = bulk_of(read_study(text(f"{cathode}, relax: true")))
    assert (len(structure), found) == (atoms, repeats)
    assert structure.lattice.a == pytest.approx(repeats * crystal.a)


def test_the_slab_is_cut_from_the_lattice_that_was_found(study: Study, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^cathode\.relax: the lattice is not relaxed yet; `barriers run` relaxes"):
        StudyMaker().make(study)
    settled, lattice = relax_lattice(study, tmp_path / "out")
    assert (lattice.a, lattice.c) == (pytest.approx(A, abs=0.002), pytest.approx(C, abs=0.01))
    known = known_cathodes()["NCM811"]
    assert lattice.strain == pytest.approx((A / known.a - 1, C / known.c - 1), abs=1e-3)
    volume = bulk(known).volume * units.GPa
    expected = 12 * STIFF[0] * np.log(known.a / A) / volume, 12 * STIFF[2] * np.log(known.c / C) / volume
    assert lattice.stress_before == pytest.approx(expected, rel=1e-3)
    assert max(map(abs, lattice.stress)) <= STRESS
    lattice = lattice.model_copy(update={"z": 0.265})
    built = build_study(with_lattice(study, lattice)).slab
    assert (built.crystal.a, built.crystal.c, built.crystal.z) == (lattice.a, lattice.c, 0.265)
    slab = build_study(settled).slab.structure
    relaxed = bulk(known.__class__("relaxed", known.metals, lattice.a, lattice.c, known.z))
    spacing = relaxed.lattice.d_hkl((1, 0, 4))
    layers = np.array(slab.site_properties["layer"])
    heights = [slab.cart_coords[layers == number, 2].mean() for number in range(layers.max() + 1)]
    assert np.diff(heights) == pytest.approx(spacing, abs=1e-3)
    assert slab.lattice.a == pytest.approx(3 * lattice.a, abs=1e-4)


def test_it_is_relaxed_once_and_anew_when_model_or_bulk_change(study: Study, tmp_path: Path) -> None:
    events = []
    _, first = relax_lattice(study, tmp_path / "out", events.append)
    assert [event.state for event in events] == ["started", "done"]
    assert relax_lattice(study, tmp_path / "out", events.append)[1] == first and len(events) == 2
    (tmp_path / "out" / LATTICE).write_text("half a fi")
    assert relax_lattice(study, tmp_path / "out", events.append)[1] == first and events[-1].state == "reused"
    other = read_study(text("name: NCM622, relax: true"))
    assert kept_lattice(other, tmp_path / "out") is None
    tighter = study.model_copy(update={"relax": study.relax.model_copy(update={"fmax": 0.01})})
    assert kept_lattice(tighter, tmp_path / "out") == first


def test_results_report_and_show_say_strain_and_stress(study: Study, tmp_path: Path) -> None:
    settled, lattice = relax_lattice(study, tmp_path / "out")
    summary = StudyMaker(lattice=lattice).summary(settled, {})
    made: StudyDoc = study_document.original(*summary.function_args, **summary.function_kwargs)
    kept = StudyDoc.model_validate_json(made.model_dump_json())
    assert kept.slab.lattice == lattice
    said = study_json(kept)["slab"]["lattice"]
    assert tuple(said["stress_before"]) == pytest.approx(lattice.stress_before)
    first, second = lattice_lines(lattice)
    assert (
        f"a {lattice.a:.4f} Å" in first
        and f"strain a {lattice.a / 2.872 - 1:+.2%}, c {lattice.c / 14.2 - 1:+.2%}" in first
    )
    assert f"{lattice.stress_before[0]:+.2f}, {lattice.stress_before[1]:+.2f} GPa as on file" in second
    page = render_page(kept, tmp_path)
    assert first.partition(": ")[2] in page and second.partition(": ")[2] in page


def test_commands_that_compute_nothing_say_that_it_is_not_relaxed_yet(study: Study, tmp_path: Path) -> None:
    (tmp_path / "soft.yaml").write_text(text())
    said = CliRunner().invoke(app, ["check", "soft.yaml"]).output
    assert "! lattice: not relaxed yet, `barriers run` does that first" in said
    before = json.loads(CliRunner().invoke(app, ["check", "soft.yaml", "--json"]).output)
    assert before["warnings"][0].startswith("lattice: not relaxed yet")
    assert "not relaxed yet" in CliRunner().invoke(app, ["hops", "soft.yaml"]).stderr
    assert not (tmp_path / "results").exists()
    _, lattice = relax_lattice(study, tmp_path / "results" / "soft")
    after = json.loads(CliRunner().invoke(app, ["check", "soft.yaml", "--json"]).output)
    assert "warnings" not in after
    assert after["hops"][0]["distance"] == pytest.approx(lattice.a, abs=1e-3)
    assert before["hops"][0]["distance"] == pytest.approx(2.872, abs=1e-3)


def test_other_engines_are_given_a_lattice_and_models_without_a_stress_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"^cathode\.relax: true asks engine espresso for a cell; allowed: false, with a"
    ):
        read_study(text(engine="engine: espresso\n"))
    found = read_study(text("name: NCM811, a: 2.9, c: 14.0, z: 0.26", engine="engine: espresso\n"))
    assert lattice_built(found) == (2.9, 14.0, 0.26)
    plain = read_study(text(engine="engine: {kind: mlip, model: 'lattice_springs:Stressless'}\n"))
    with pytest.raises(RuntimeError, match=r"lattice_springs:Stressless gives no stress: cathode\.relax needs one"):
        relax_lattice(plain, tmp_path / "out")


@pytest.mark.parametrize(
    ("cathode", "engine", "relaxes"),
    [
        ("name: NCM811", "", True),
        ("name: NCM811", "engine: {kind: mlip, model: 7net-0}\n", True),
        ("name: NCM811, relax: false", "", False),
        ("name: NCM811, a: 2.9", "", False),
        ("name: NCM811, z: 0.26", "", False),
        ("name: NCM811", SPRINGS, False),
        ("name: NCM811, relax: true", SPRINGS, True),
        ("name: NCM811", "engine: vasp\n", False),
    ],
)
def test_a_model_on_file_relaxes_the_lattice_unless_one_is_given(cathode: str, engine: str, relaxes: bool) -> None:
    assert read_study(text(cathode, engine)).relaxes_lattice is relaxes


def test_lattices_on_file_need_no_run_and_no_weights(study: Study, tmp_path: Path, monkeypatch) -> None:
    """The slab of NCM811 is cut from CHGNet's lattice, in Python and by the commands, with or without CHGNet here."""
    plain = read_study(text("name: NCM811", ""))
    assert lattice_built(plain) == (2.9128, 14.3631, 0.2581)
    (tmp_path / "soft.yaml").write_text(text("name: NCM811", ""))
    said = json.loads(CliRunner().invoke(app, ["check", "soft.yaml", "--json"]).output)
    assert said["slab"]["lattice"].startswith("of chgnet, from Noh et al.")
    assert "warnings" not in said and said["lattice"]["strain"] == pytest.approx([0.0142, 0.0115], abs=2e-4)
    assert said["hops"][0]["distance"] == pytest.approx(2.9128, abs=1e-3)
    assert "lattice: a 2.9128 Å, c 14.3631 Å" in CliRunner().invoke(app, ["check", "soft.yaml"]).output
    _, lattice = relax_lattice(plain, tmp_path / "results" / "soft")
    assert lattice.a == 2.9128 and not (tmp_path / "results").exists()
    monkeypatch.setattr("barriers.engines.mlip.weights.weights_checksum", raiser(ImportError))
    assert lattice_built(plain) == (2.9128, 14.3631, 0.2581)


@pytest.mark.parametrize(
    ("cathode", "more"),
    [
        ("name: NCM811, seed: 1", ""),
        ("name: NCM811, lithium: 0.9", ""),
        ("name: NCM811", "engine: {kind: mlip, model: 7net-0}\n"),
    ],
)
def test_another_bulk_or_model_is_not_on_file(cathode: str, more: str) -> None:
    with pytest.raises(ValueError, match=r"^cathode\.relax: the lattice is not relaxed yet; `barriers run` relaxes"):
        StudyMaker().make(read_study(text(cathode, more)))


@pytest.mark.mlip
def test_lattices_on_file_are_those_of_the_model(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    study = read_study(text("name: LiCoO2", ""))
    maker, (start,) = lattice_job(study).maker, lattice_job(study).function_args
    found = lattice_document(study, maker.make.original(maker, start))
    kept = lattice_on_file(study)
    assert (found.a, found.c, found.z) == pytest.approx((kept.a, kept.c, kept.z), abs=2e-3)
    assert found.stress_before == pytest.approx(kept.stress_before, abs=0.05)


def raiser(error: type[Exception]) -> Callable[..., None]:
    def fail(*_inputs: object) -> None:
        raise error

    return fail


def lattice_built(study: Study) -> tuple[float, float, float]:
    crystal = build_study(study).slab.crystal
    return crystal.a, crystal.c, crystal.z


@pytest.mark.mlip
def test_the_models_stress_is_the_slope_of_its_energy() -> None:
    atoms = bulk(known_cathodes()["LiNiO2"]).to_ase_atoms()
    evaluator = Evaluator(ModelSpec(), workers=1)
    (result,) = evaluator.evaluate([atoms], stress=True)
    for axis in (0, 2):
        energies = []
        for strain in (-0.001, 0.001):
            strained = atoms.copy()
            deformation = np.eye(3)
            deformation[axis, axis] += strain
            strained.set_cell(atoms.cell @ deformation, scale_atoms=True)
            energies.append(evaluator.evaluate([strained])[0].energy)
        slope = (energies[1] - energies[0]) / 0.002 / atoms.get_volume()
        assert result.stress[axis] == pytest.approx(slope, abs=0.01 * units.GPa + 0.03 * abs(slope))


def test_a_run_relaxes_first_and_keeps_it_with_the_results(study: Study, tmp_path: Path) -> None:
    """The springs know no barrier: their band is flat. What counts is the slab it was made on, and what is said."""
    (tmp_path / "soft.yaml").write_text(text() + "path: {n_images: 1}\n")
    said = CliRunner().invoke(app, ["run", "soft.yaml"])
    document = StudyDoc.model_validate_json((tmp_path / "results" / "soft" / "study.json").read_text("utf-8"))
    (barrier,) = document.barriers
    assert barrier.hop.distance == pytest.approx(document.slab.lattice.a, abs=1e-3)
    for line in lattice_lines(document.slab.lattice):
        assert line in " ".join(said.stdout.splitlines())
    shown = CliRunner().invoke(app, ["show", "results/soft", "--json"])
    assert json.loads(shown.stdout)["slab"]["lattice"]["a"] == document.slab.lattice.a
