"""The VASP engine on the stand-in: the whole flow, and every fault recovered or refused in one line."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from ase.calculators.emt import EMT
from ase.io import read, write
from ase.mep import NEB
from ase.optimize import FIRE
from ase.vibrations import Vibrations
from conftest import ROOT, Outcome, gold_on_aluminium
from jobflow import Flow
from pymatgen.core import SETTINGS
from pymatgen.io.vasp import Incar
from vasp_tools import COMMAND, write_potcars

if not os.environ.get("CI"):  # there, a missing part fails
    pytest.importorskip("atomate2")

from barriers.analysis.band import minimum_image_displacements
from barriers.dispatch.local import LocalRun
from barriers.dispatch.local import run as run_flow
from barriers.documents import BandDoc, RelaxDoc
from barriers.engines.dft import Corrections
from barriers.engines.mlip import MlipEngine
from barriers.engines.processes import RUNNING, end_orphan, is_running
from barriers.engines.running import running_band
from barriers.engines.vasp import handlers, run
from barriers.engines.vasp.engine import VaspEngine
from barriers.engines.vasp.outputs import all_outcars, band_steps
from barriers.files.structures import to_structure
from barriers.structures.path.start import Start
from barriers.study.file import load_study
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.attempt_frequency import AttemptFrequencyMaker
from barriers.workflow.barrier import BarrierMaker
from barriers.workflow.built import build_study
from barriers.workflow.reading import profile_of

pytestmark = [pytest.mark.usefixtures("vasp_standin"), pytest.mark.filterwarnings("ignore::UserWarning")]

START = Start(n_images=3)
NEB_SETTINGS = {"fmax": 0.03, "rough_fmax": 0.3, "max_steps": 200, "spring": 1.0}
GOLD_FIRST = [12, *range(12)]
"""The study's order is not VASP's: by electronegativity, Al comes before Au."""


def engine(**settings: Any) -> VaspEngine:
    return VaspEngine(command=COMMAND, moments={"Au": 1.0}, **settings)


def reference() -> float:
    """Barrier of ASE's own climbing NEB between ends that ASE relaxed."""
    ends = []
    for atoms in gold_on_aluminium():
        atoms.calc = EMT()
        FIRE(atoms, logfile=None).run(fmax=0.01)
        ends.append(atoms)
    images = [ends[0], *(ends[0].copy() for _ in range(3)), ends[1]]
    band = NEB(images, climb=True, method="improvedtangent", k=1.0)
    band.interpolate("idpp")
    for image in images[1:-1]:
        image.calc = EMT()
    FIRE(band, logfile=None).run(fmax=0.03)
    return float(images[2].get_potential_energy() - images[0].get_potential_energy())


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[RelaxDoc, RelaxDoc]:
    found = []
    for atoms in gold_on_aluminium():
        job = engine().relax(0.01, 200).make(to_structure(atoms[GOLD_FIRST]))
        found.append(run_flow(Flow([job], output=job.output), tmp_path_factory.mktemp("ends")).output)
    first, last = found
    return first, last


@pytest.fixture
def band(ends: tuple[RelaxDoc, RelaxDoc], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LocalRun]:
    """Run a band with faults; a further call continues it."""

    def go(
        faults: dict[str, Any],
        known: list[BandDoc] | None = None,
        steps: int = 200,
        rough_fmax: float = NEB_SETTINGS["rough_fmax"],
        **settings: Any,
    ) -> LocalRun:
        monkeypatch.setenv("VASP_STANDIN", json.dumps(faults))
        limits = {**NEB_SETTINGS, "max_steps": steps, "rough_fmax": rough_fmax}
        job = engine(**settings).neb(**limits).make(*ends, START, None, known)
        return run_flow(Flow([job], output=job.output), tmp_path)

    return go


@pytest.fixture(scope="module")
def sound(ends: tuple[RelaxDoc, RelaxDoc], tmp_path_factory: pytest.TempPathFactory) -> BandDoc:
    job = engine().neb(**NEB_SETTINGS).make(*ends, START)
    document: BandDoc = run_flow(Flow([job], output=job.output), tmp_path_factory.mktemp("sound")).output
    return document


def folder_of(tmp_path: Path, stage: str) -> Path:
    (found,) = tmp_path.glob(f"jobs/*/neb-*/{stage}")
    return found


def forward(document: BandDoc) -> float:
    assert document.converged, document.reason
    return profile_of(document).forward


def test_the_whole_flow_gives_ases_own_barrier(tmp_path: Path) -> None:
    sections = {"relax": RelaxSection(fmax=0.01), "path": PathSection(n_images=3), "neb": NebSection(fmax=0.03)}
    maker = BarrierMaker(engine=engine(), **sections)
    initial, final = (to_structure(atoms[GOLD_FIRST]) for atoms in gold_on_aluminium())
    first = run_flow(maker.make(initial, final), tmp_path)
    document = first.output
    assert document.forward == pytest.approx(reference(), abs=0.002)
    assert document.warnings == []
    assert all(document.checks.values())
    assert document.band.structure.species == initial.species
    assert document.band.engine.settings["hubbard_u"]["Ni"] == 6.2
    assert set(document.band.engine.files) == {"PAW_PBE Al 01Jan2001", "PAW_PBE Au 01Jan2001"}
    assert document.band.energies[0] == pytest.approx(EMT_energy(document.band.positions[0]), abs=1e-6)
    assert first.force_calls == document.cost.force_calls > 20
    again = run_flow(maker.make(initial, final), tmp_path)
    assert (again.force_calls, again.output.forward) == (0, document.forward)


def EMT_energy(positions: list[list[float]]) -> float:  # noqa: N802
    atoms = gold_on_aluminium()[0][GOLD_FIRST]
    atoms.set_positions(positions, apply_constraint=False)
    atoms.calc = EMT()
    return float(atoms.get_potential_energy())


def test_a_band_climbs_after_its_plain_stage_and_frozen_atoms_stay(sound: BandDoc) -> None:
    stages = [row.stage for row in sound.history]
    assert stages == sorted(stages, reverse=True)
    assert {"plain", "climbing"} == set(stages)
    assert sound.history[stages.index("climbing") - 1].max_force <= 0.3
    assert sound.history[-1].max_force <= 0.03
    positions = np.array(sound.positions)
    frozen = [not flags[0] for flags in sound.structure.site_properties["selective_dynamics"]]
    assert (positions[:, frozen] == positions[0, frozen]).all()
    assert sound.moments[0] == [1.0] + [0.0] * 12  # back in the study's order
    assert np.abs(np.diff(positions, axis=0)).max() < 2.0  # no atom jumps across the cell
    assert sound.settings["climbed"] is True


RECOVERED = {
    "electrons of one image": (
        {"scf": {"image": 2, "step": 1, "until": "All"}, "only_in": "plain"},
        {"electronic": 2},
    ),
    "a fatal message": (
        {"message": {"text": "Error EDDDAV: Call to ZHEGV failed", "until": "All"}, "only_in": "climbing"},
        {"electronic": 2},
    ),
    "no numbers": ({"nan": {"image": 1, "step": 4}, "only_in": "plain"}, {"not a number": 1}),
    "no numbers while climbing": ({"nan": {"image": 3, "step": 2}, "only_in": "climbing"}, {"not a number": 1}),
    "a moment that flips": ({"flip": {"image": 2, "step": 3, "site": 12}, "only_in": "plain"}, {"moments 02": 1}),
    "a frozen image": ({"freeze": {"step": 3}, "only_in": "climbing"}, {"frozen": 1}),
}


@pytest.mark.parametrize("fault", RECOVERED)
def test_a_fault_is_recovered_with_the_same_barrier(
    fault: str, band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, counts = RECOVERED[fault]
    monkeypatch.setattr(handlers, "FROZEN_SECONDS", 1.5 if "freeze" in faults else 100.0)
    document = band(faults).output
    assert forward(document) == pytest.approx(forward(sound), abs=0.002)
    assert Corrections.load(folder_of(tmp_path, faults["only_in"])).counts == counts
    (kind, count) = next(iter(counts.items()))
    assert f"{faults['only_in']} band: {kind}, corrected {count} time(s)" in document.warnings


@pytest.mark.parametrize("step", [1, 2, 6])
@pytest.mark.parametrize("truncate", [False, True])
def test_a_kill_loses_at_most_the_step_it_meets(
    step: int, truncate: bool, band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path
) -> None:
    if step == 1 and truncate:
        pytest.skip("nothing is there to be cut")
    document = band({"kill_at": step, "times": 1, "truncate": truncate, "only_in": "climbing"}).output
    assert forward(document) == pytest.approx(forward(sound), abs=0.002)
    before, after = (
        [outcars[run].steps for outcars in map(all_outcars, sorted(folder_of(tmp_path, "climbing").glob("0[123]")))]
        for run in (0, 1)
    )
    assert [len(steps) for steps in before] == [step - 1, step - 1, step - 1 - truncate]
    cell = sound.structure.lattice.matrix
    if step > 1:
        for old, new in zip(before[:2], after[:2], strict=True):
            moves = minimum_image_displacements([old[-1].positions, new[0].positions], cell)
            assert 0 < np.abs(moves).max() < 0.2  # where the killed step was


def test_a_band_that_is_killed_again_and_again_goes_on(
    band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path
) -> None:
    faults = {"kill_at": 9, "only_in": "climbing"}
    reasons, calls = [], []
    for _ in range(8):
        outcome = band(faults)
        reasons.append(outcome.output.reason)
        calls.append(outcome.output.cost.force_calls)
        if outcome.output.converged:
            break
    assert forward(outcome.output) == pytest.approx(forward(sound), abs=0.002)
    assert len(reasons) > 1
    assert all(re.match(r"VASP ended with exit code -9", reason) for reason in reasons[:-1])
    assert calls == sorted(set(calls))
    assert len(band_steps(folder_of(tmp_path, "climbing"))) > 8


def test_a_run_out_of_time_stops_after_a_whole_step_and_goes_on(band: Callable[..., LocalRun], sound: BandDoc) -> None:
    first = band({"delay": 0.2, "only_in": "climbing"}, max_seconds=3).output
    assert (first.converged, first.reason.partition(":")[0]) == (
        False,
        "time limit (max_seconds) reached; run again to continue",
    )
    second = band({}).output
    assert forward(second) == pytest.approx(forward(sound), abs=0.002)
    assert second.cost.earlier_force_calls == first.cost.force_calls > 0


def test_steps_used_up_are_no_failure(band: Callable[..., LocalRun], sound: BandDoc) -> None:
    first = band({}, steps=6).output
    assert first.reason.startswith("max_steps steps used up; run again to continue")
    assert len(first.history) == 6
    assert forward(band({}).output) == pytest.approx(forward(sound), abs=0.002)


def test_forces_decide_where_vasp_does_not_say_that_they_are_met(
    ends: tuple[RelaxDoc, RelaxDoc], band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path
) -> None:
    document = band({"silent": True}).output
    assert (document.energies, len(document.history)) == (sound.energies, len(sound.history))
    job = engine().relax(0.01, 200).make(to_structure(gold_on_aluminium()[0][GOLD_FIRST]))
    relaxed = run_flow(Flow([job], output=job.output), tmp_path / "relax").output
    assert (relaxed.converged, relaxed.energy, relaxed.steps) == (True, ends[0].energy, ends[0].steps)


@pytest.mark.parametrize("stage", ["plain", "climbing"])
def test_vasp_is_not_believed_against_the_forces(
    stage: str, band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path
) -> None:
    first = band({"claim_at": 2, "only_in": stage}).output
    force, asked = first.history[-1].max_force, {"plain": 0.3, "climbing": 0.03}[stage]
    assert force > 1.1 * asked
    words = f"VASP says 'reached required accuracy', but forces are larger: {force:.3f} eV/Å after "
    assert first.reason.startswith(words)
    assert (first.converged, first.history[-1].stage) == (False, stage)
    assert forward(band({}).output) == pytest.approx(forward(sound), abs=0.002)


def test_a_relaxation_is_not_believed_against_its_forces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VASP_STANDIN", json.dumps({"claim_at": 2}))
    job = engine().relax(0.01, 200).make(to_structure(gold_on_aluminium()[0][GOLD_FIRST]))
    document = run_flow(Flow([job], output=job.output), tmp_path).output
    words = f"but forces are larger: {document.max_force:.3f} eV/Å after 2 steps, 0.01 asked for; files in"
    assert (document.converged, words in document.reason) == (False, True), document.reason


@pytest.mark.parametrize("mode", ["run", "train"])
def test_energies_of_a_force_field_are_never_taken_for_those_of_dft(
    mode: str, ends: tuple[RelaxDoc, RelaxDoc], tmp_path: Path
) -> None:
    maker = engine().neb(**NEB_SETTINGS)
    maker.input_set_generator.user_incar_settings = {"ML_LMLFF": True, "ML_MODE": mode}
    job = maker.make(*ends, START)
    outcome = run_flow(Flow([job], output=job.output), tmp_path)
    assert outcome.output is None
    line = r"energies of image 0\d.* are of VASP's machine-learned force field, not of DFT; set ML_LMLFF to false; "
    assert re.search(line, outcome.failures["neb"])  # it may be noticed before all images have such a step
    assert Incar.from_file(folder_of(tmp_path, "plain") / "INCAR")["ML_MODE"].lower() == mode


REFUSED = {
    "electrons never converge": (
        {"scf": {"image": 2, "step": 1, "until": "Never"}},
        "electrons not converged in image 02 after 3 attempts; set ALGO, AMIX or NELM in engine.incar",
    ),
    "a message that nothing mends": (
        {"message": {"text": "ERROR: the triple product of the basis vectors", "until": "Never"}},
        "VASP stopped with 'ERROR: the triple product of the basis vectors'; see vasp.out",
    ),
    "no VTST": ({"no_vtst": True}, "this VASP has no VTST (no 'VTST: version' in OUTCAR), so no image can climb"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_mended_is_said_in_one_line(fault: str, band: Callable[..., LocalRun]) -> None:
    faults, words = REFUSED[fault]
    outcome = band(faults)
    line = outcome.output.reason if outcome.output else outcome.failures["neb"]
    assert words in line
    assert "\n" not in line
    assert "files in" in line


def test_without_vtst_the_plain_band_is_converged_where_that_is_allowed(
    band: Callable[..., LocalRun], tmp_path: Path
) -> None:
    document = band({"no_vtst": True}, without_vtst="plain band").output
    watched = running_band(next(tmp_path.glob("jobs/*")))
    assert len(watched.history) == len(document.history) and None not in watched.energies
    assert np.abs(np.array(watched.positions) - document.positions).max() < 0.2
    assert document.warnings == ["saddle not climbed: this VASP has no VTST; the barrier is read off the plain band"]
    assert document.settings["climbed"] is False
    assert {row.stage for row in document.history} == {"plain"}
    assert forward(document) == pytest.approx(reference(), abs=0.01)


def test_a_band_on_a_known_path_stops_before_it_climbs(
    band: Callable[..., LocalRun], sound: BandDoc, tmp_path: Path
) -> None:
    document = band({}, known=[sound], rough_fmax=0.05).output
    assert (document.merged_into, document.converged) == ("idpp", False)
    assert not list(tmp_path.glob("jobs/*/neb-*/climbing"))


def test_a_band_that_is_still_rough_climbs_though_it_is_near_a_known_path(
    band: Callable[..., LocalRun], sound: BandDoc
) -> None:
    document = band({}, known=[sound]).output
    assert (document.merged_into, document.converged) == (None, True)
    assert forward(document) == pytest.approx(forward(sound), abs=1e-3)


def test_endpoints_that_are_not_relaxed_give_no_band(ends: tuple[RelaxDoc, RelaxDoc], tmp_path: Path) -> None:
    loose = ends[1].model_copy(update={"converged": False, "reason": "0.2 eV/Å after 3 steps"})
    job = engine().neb(**NEB_SETTINGS).make(ends[0], loose, START)
    document = run_flow(Flow([job], output=job.output), tmp_path).output
    assert (document.converged, document.cost.force_calls) == (False, 0)
    assert document.reason == "final endpoint not relaxed: 0.2 eV/Å after 3 steps"
    assert len(document.positions) == len(document.energies) == 2
    assert document.warnings == []


def test_a_study_whose_endpoints_do_not_converge_ends_in_its_table_with_the_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Outcome]
) -> None:
    for name, atoms in zip(("initial", "final"), gold_on_aluminium(), strict=True):
        write(tmp_path / f"{name}.traj", atoms)
    (tmp_path / "study.yaml").write_text(
        "name: gold\nendpoints: {initial: initial.traj, final: final.traj}\n"
        f"engine: {{kind: vasp, command: '{COMMAND}', moments: {{Au: 1.0}}}}\n"
        "relax: {max_steps: 1, fmax: 0.001, rough_fmax: 0.1}\npath: {n_images: 1, starts: 1}\n",
        "utf-8",
    )
    outcome = cli("run", tmp_path / "study.yaml", "--results", tmp_path / "results")
    assert outcome.code == 1, outcome.err
    assert "wrong input" not in outcome.err
    assert "not converged; this continues it: barriers run" in outcome.err
    assert "initial endpoint" in outcome.out and "not relaxed" in outcome.out
    (band,) = (tmp_path / "results" / "gold" / "structures").glob("*.extxyz")
    first, last = read(band, ":")
    assert first.get_potential_energy() == pytest.approx(last.get_potential_energy(), abs=0.5)
    assert np.abs(first.get_forces(apply_constraint=False)).max() > 0.001


def test_a_vasp_whose_starter_died_is_ended_and_one_whose_starter_lives_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=folder)
    record = {"pid": child.pid, "parent": os.getppid(), "host": platform.node()}
    (folder / RUNNING).write_text(json.dumps(record), "utf-8")
    with pytest.raises(RuntimeError, match=r"process \d+ runs this calculation already"):
        end_orphan(folder)
    assert is_running(folder)
    (folder / RUNNING).write_text(json.dumps(record | {"parent": 2**22 + 1}), "utf-8")  # above any process id
    end_orphan(folder)
    assert not psutil.pid_exists(child.pid)
    assert not is_running(folder)


def test_a_static_calculation_gives_energy_forces_and_moments(tmp_path: Path) -> None:
    structure = to_structure(gold_on_aluminium()[0][GOLD_FIRST])
    job = engine().static().make(structure)
    document = run_flow(Flow([job], output=job.output), tmp_path).output
    assert document.energy == pytest.approx(EMT_energy(structure.cart_coords.tolist()), abs=1e-6)
    assert document.moments == [1.0] + [0.0] * 12
    atoms = gold_on_aluminium()[0][GOLD_FIRST]
    atoms.calc = EMT()
    assert np.array(document.forces) == pytest.approx(atoms.get_forces(apply_constraint=False), abs=1e-5)


def test_an_attempt_frequency_rests_on_forces_whose_differences_count(sound: BandDoc, tmp_path: Path) -> None:
    document = run_flow(AttemptFrequencyMaker(engine=engine()).make(sound, [0]), tmp_path).output
    atoms = gold_on_aluminium()[0][GOLD_FIRST]
    atoms.calc = EMT()
    for state, found in ((0, document.minimum), (int(np.argmax(sound.energies)), document.saddle)):
        atoms.set_positions(sound.positions[state], apply_constraint=False)
        vibrations = Vibrations(atoms, indices=[0], name=str(tmp_path / f"of_ase_{state}"))
        vibrations.run()
        energies = vibrations.get_energies()  # eV, imaginary ones as such
        terahertz = np.sort((energies.real - energies.imag) / 4.135667696e-3)
        assert found == pytest.approx(terahertz.tolist(), abs=2e-3)
    assert document.attempt_frequency == pytest.approx(1.36e12, rel=0.01)
    assert document.engine.settings["fine"] == {"LREAL": False, "EDIFF": 1e-7}
    incars = [Incar.from_file(path) for path in tmp_path.glob("jobs/*/static-*/INCAR")]
    assert [(incar["LREAL"], incar["EDIFF"]) for incar in incars] == [(False, 1e-7)] * 12


@pytest.mark.mlip
@pytest.mark.slow
def test_a_covered_ncm_slab_has_the_embedded_engines_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through POSCAR, MAGMOM and OUTCAR and back, every atom of eight species keeps its force and its moment."""
    study = load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")
    structure = build_study(study).structures["NCM@PVDF sub-surface initial"]
    symbols = ("Li_sv", "Mn_pv", "Co", "Ni_pv", "O", "H", "C", "F")
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "potcars", *symbols)))
    monkeypatch.setenv("VASP_STANDIN_MODEL", "chgnet")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(run, "WATCH", 100)
    documents = []
    for each in (VaspEngine(command=COMMAND), MlipEngine(workers=1)):
        job = each.static().make(structure)
        outcome = run_flow(Flow([job], output=job.output), tmp_path / "results")
        assert outcome.failures == {}
        documents.append(outcome.output)
    ours, theirs = documents
    assert ours.energy == pytest.approx(theirs.energy, abs=1e-3)
    assert np.array(ours.forces) == pytest.approx(np.array(theirs.forces), abs=1e-3)
    assert ours.moments == pytest.approx(theirs.moments, abs=2e-3)
    assert len({round(moment, 1) for moment in ours.moments}) > 3
