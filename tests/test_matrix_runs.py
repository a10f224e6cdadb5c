"""Boxes run by molecular dynamics: settled densities, resumed runs, diffusion of free particles, and their study."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from boxes import free, salt, written
from trajectories import box as trajectory_of
from trajectories import matrix, walk

from barriers.analysis.trajectory.pooling import pooled
from barriers.analysis.trajectory.result import transport
from barriers.analysis.trajectory.settling import settling
from barriers.documents import CostDoc, EngineDoc
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.openmm.documents import BoxDoc, MdDoc
from barriers.engines.openmm.jobs import MdMaker, thinned
from barriers.engines.openmm.point import KB, Point, density, scaled, temperature
from barriers.engines.openmm.protocol import Protocol
from barriers.engines.openmm.run import Run, progress
from barriers.engines.openmm.system import make_heavy
from barriers.files.trajectory import read_trajectory
from barriers.report.progress import describe_progress
from barriers.study.errors import StudyError
from barriers.study.forms import MatrixStudy
from barriers.workflow.matrix_documents import Asked, matrix_document
from barriers.workflow.matrix_runs import MatrixMaker

pytest.importorskip("openmm")

SHORT = Protocol(1500.0, 2.4, every=0.04, timestep=2.0, reproducible=True)


class AtOnce(Run):
    """A run whose production begins after the minimisation."""

    def _warm(self, state):
        return state | {"stage": "produce"}


def noise(seed: int, samples: int = 400, size: float = 0.01) -> np.ndarray:
    return 1.2 + np.random.default_rng(seed).normal(0, size, samples)


def test_a_density_that_stays_has_settled_and_one_that_drifts_has_not():
    assert np.mean([settling(noise(seed)).settled for seed in range(200)]) > 0.85
    assert settling(noise(0) + np.linspace(0, 0.001, 400)).settled  # below 0.1 %
    drifting = [settling(noise(seed) - np.linspace(0, 0.05, 400)) for seed in range(50)]
    assert not any(each.settled for each in drifting)
    assert np.mean([each.drift for each in drifting]) == pytest.approx(-0.0125, rel=0.1)
    assert "drifts, by −0.0" in drifting[0].reason


def test_what_came_before_the_later_half_does_not_count():
    packed = np.concatenate([np.linspace(0.6, 1.2, 200), noise(1, 200)])
    assert settling(packed).settled
    assert settling(packed).mean == pytest.approx(1.2, abs=0.003)


def test_a_density_that_is_not_known_has_not_settled():
    slow = 1.2 + 0.2 * np.sin(np.linspace(0, 8 * np.pi, 400) + 0.3)  # a period of two blocks and more
    assert not settling(slow).settled
    assert "needed" in settling(noise(0, 79)).reason
    assert not settling([]).settled


def test_steps_and_frames_of_a_protocol():
    protocol = Protocol(600.0, 1000.0)
    assert protocol.interval == 333
    assert protocol.between == pytest.approx(0.999)
    assert protocol.frames == 1000
    assert protocol.per_segment == 100
    with pytest.raises(ValueError, match="timestep: 5 fs; allowed: at most 4"):
        Protocol(600.0, 1000.0, timestep=5.0)
    with pytest.raises(ValueError, match="20 frames of 1 ps"):
        Protocol(600.0, 10.0)


def test_units_of_density_and_temperature():
    masses = np.array([18.015] * 1000)
    assert density(masses, np.eye(3) * (29.915 ** (1 / 3))) == pytest.approx(1.0, rel=1e-3)  # water
    speeds = np.random.default_rng(0).normal(0, np.sqrt(KB * 300 / 18.015), (1000, 3))
    assert temperature(masses, 0, speeds) == pytest.approx(300, rel=0.05)


def test_hydrogen_is_made_heavy_once_and_mass_is_kept():
    import openmm as mm

    system = mm.System()
    for mass in (12.011, 1.008, 1.008, 6.94):
        system.addParticle(mass)
    system.addConstraint(0, 1, 0.109)
    system.addConstraint(2, 0, 0.109)
    for _ in range(2):
        make_heavy(system)
        masses = [system.getParticleMass(atom)._value for atom in range(4)]
        assert masses == pytest.approx([12.011 - 2 * 1.992, 3.0, 3.0, 6.94])


def test_molecules_keep_their_shape_when_a_box_is_scaled():
    import openmm as mm

    system = mm.System()
    for _ in range(4):
        system.addParticle(10.0)
    bond = mm.HarmonicBondForce()
    bond.addBond(0, 1, 0.1, 1.0)
    bond.addBond(2, 3, 0.1, 1.0)
    system.addForce(bond)
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    before = Point(np.random.default_rng(0).random((4, 3)), np.zeros((4, 3)), np.eye(3))
    after = scaled(context, before, 1.1)
    assert after.positions[1] - after.positions[0] == pytest.approx(before.positions[1] - before.positions[0])
    assert after.positions[:2].mean(axis=0) == pytest.approx(1.1 * before.positions[:2].mean(axis=0))
    assert after.vectors == pytest.approx(1.1 * np.eye(3))


def test_free_particles_diffuse_as_einstein_says(tmp_path, monkeypatch):
    """D = kT/(mγ), through the whole job: files, NPT, segments, XTC, analysis; its density is that of an ideal gas."""
    monkeypatch.chdir(tmp_path)
    count, volume = 216, 4.2**3
    pressure = count * KB * 300 / volume * 16.6054
    protocol = Protocol(
        300.0, 60.0, every=0.2, timestep=4.0, friction=5.0, pressure=pressure, anneal=0.0, settle=120.0,
        reproducible=True,
    )  # fmt: skip
    maker = MdMaker(protocol=protocol)
    document = MdMaker.make.original(maker, free(count))
    regime = document.transport.motions[0].regime
    expected = KB * 300 / 6.94 / 5.0 * 1e-2  # nm²/ps in cm²/s
    assert regime.diffusivity == pytest.approx(expected, abs=3 * regime.diffusivity_error)
    assert regime.diffusivity_error < 0.05 * expected
    ideal = count * 6.94 * 1.66053907e-3 / volume
    assert document.density.mean == pytest.approx(ideal, abs=4 * document.density.error)
    assert document.measured == pytest.approx(300, rel=0.02)
    assert document.length == pytest.approx(60.0)
    assert document.cost.force_calls >= 120 / 0.004 + 60 / 0.004
    again = MdMaker.make.original(maker, free(count))  # finds its last checkpoint
    assert again.cost.force_calls == again.cost.earlier_force_calls == document.cost.force_calls
    assert again.transport == document.transport


def run_here(folder: Path, protocol: Protocol = SHORT) -> dict:
    """Run molten LiCl in a folder."""
    before = Path.cwd()
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    try:
        place = written(salt(), folder / "box")
        return AtOnce(place, "LiCl", protocol, Checkpoint("md", "kept"), folder / "trajectory.xtc").go()
    finally:
        os.chdir(before)


def test_a_killed_run_loses_a_segment_at_most_and_no_frame_is_doubled_or_missing(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run_here(whole)
    words = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from pathlib import Path\n"
    words += f"from test_matrix_runs import run_here; run_here(Path({str(killed)!r}))"
    child = subprocess.Popen([sys.executable, "-c", words], start_new_session=True)
    deadline = time.monotonic() + 120
    while frames_of(killed) < 12:
        assert child.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    known = frames_of(killed)
    assert 12 <= known < 60
    with (killed / "trajectory.xtc").open("ab") as file:
        file.write(b"half a frame")  # of the segment under way
    state = run_here(killed)
    assert state["frames"] == 60
    assert state["steps"] - state["earlier"] == (60 - known) * SHORT.interval
    assert (killed / "trajectory.xtc").read_bytes() == (whole / "trajectory.xtc").read_bytes()
    read = read_trajectory(killed / "trajectory.xtc", killed / "box" / "box.pdb")
    assert read.times == pytest.approx(0.04 * np.arange(1, 61), abs=1e-6)
    assert not [each for each in killed.iterdir() if "offsets" in each.name]


def frames_of(folder: Path) -> int:
    """Frames that the last checkpoint of a run knows of."""
    for path in folder.glob("*.checkpoint.json") if folder.is_dir() else ():
        return json.loads(path.read_text())["frames"]
    return 0


def test_a_trajectory_that_lost_frames_is_not_gone_on_with(tmp_path):
    run_here(tmp_path / "run")
    (tmp_path / "run" / "trajectory.xtc").write_bytes(b"")
    with pytest.raises(ValueError, match=r"trajectory\.xtc: 0 bytes, its last checkpoint knows of"):
        run_here(tmp_path / "run")


def test_lost_coordinates_are_told_in_one_line(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"^LiCl: production: coordinates became NaN.*a timestep of 1 or 2 fs"
    ) as told:
        run_here(tmp_path / "run", Protocol(1e12, 2.4, every=0.04, timestep=2.0, reproducible=True))
    assert "\n" not in str(told.value)


def test_a_box_without_its_files_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"box\.pdb: no such file; allowed: a box"):
        Run(tmp_path, "box", SHORT, Checkpoint("md", "none"), tmp_path / "t.xtc").go()


def test_a_box_travels_in_its_document():
    document = salt()
    again = BoxDoc.model_validate_json(document.model_dump_json())
    assert again.box() == document.box()
    renamed = document.model_copy(update={"document": document.document.model_copy(update={"system": "other"})})
    assert renamed.identity() == document.identity() != salt(0.36).identity()


def test_times_in_single_precision_are_even():
    times = np.float32(1e6 + 0.999 * np.arange(100)).astype(float)  # after a microsecond
    paths = walk(0, 100, 1, 0.1)
    made = trajectory_of(paths, ("Li",))
    assert type(made)(made.positions, made.cells, times, made.species, made.bonds, made.molecules).step > 0.99
    times[50:] += 0.999  # a frame is missing
    with pytest.raises(ValueError, match="evenly spaced"):
        type(made)(made.positions, made.cells, times, made.species, made.bonds, made.molecules)


def test_long_trajectories_are_thinned_evenly(monkeypatch):
    made = matrix(frames=101)
    assert thinned(made) is made
    monkeypatch.setattr("barriers.engines.openmm.jobs.MOST", made.positions.nbytes // 2 - 1)
    assert thinned(made).step == pytest.approx(3 * made.step)


@pytest.fixture(scope="module")
def three():
    return [matrix(seed=seed, frames=200) for seed in range(3)]


def test_boxes_apart_give_what_boxes_at_once_give(three):
    at_once = transport(three, temperature=600.0)
    apart = pooled([transport([box], temperature=600.0) for box in three])
    for one, other in zip(at_once.motions, apart.motions, strict=True):
        assert other.count == one.count
        assert other.regime.model_dump() == pytest.approx(one.regime.model_dump())
        assert other.msd == pytest.approx(one.msd)
    assert apart.shells[0].cutoff == at_once.shells[0].cutoff
    assert apart.shells[0].number == pytest.approx(at_once.shells[0].number, rel=0.01)
    assert apart.pairing.free == pytest.approx(at_once.pairing.free)
    assert apart.conductivity.nernst_einstein == pytest.approx(at_once.conductivity.nernst_einstein)
    assert apart.matrix.density_spread == pytest.approx(0.0, abs=1e-9)


def test_boxes_of_different_runs_are_not_put_together(three):
    first = transport([three[0]], temperature=600.0)
    with pytest.raises(ValueError, match="another temperature"):
        pooled([first, transport([three[1]], temperature=500.0)])
    with pytest.raises(ValueError, match="other atoms"):
        other = first.model_copy(update={"matrix": first.matrix.model_copy(update={"formula": {"Li": 1}})})
        pooled([first, other])


def md_of(box, system: str, number: int) -> MdDoc:
    return MdDoc(
        system=system, number=number, temperature=600.0, measured=600.0, length=200.0, step=1.0, ns_per_day=10.0,
        platform="CPU", density=settling(noise(0)), densities=[1.2], transport=transport([box], temperature=600.0),
        trajectory="here", cost=CostDoc(), engine=EngineDoc(kind="openmm", name="OpenMM", version="0"),
    )  # fmt: skip


def test_a_study_tells_of_each_matrix_and_of_what_is_missing(three):
    asked = [Asked(system=system, number=number, temperature=600.0) for system in ("A", "B") for number in (1, 2)]
    runs = [md_of(three[0], "A", 1), md_of(three[1], "A", 2), md_of(three[2], "B", 1), "out of disk"]
    document = matrix_document.original("study", "A", asked, runs)
    assert [(each.done, each.boxes) for each in document.conditions] == [(2, 2), (1, 2)]
    assert document.conditions[1].reason == "out of disk"
    assert document.missing == 1
    assert document.beside[0].document.rows[0].ratio == pytest.approx(1.0)
    assert all(run.transport is None for run in document.runs)
    nothing = matrix_document.original("study", "A", asked, [None] * 4)
    assert nothing.missing == 4
    assert nothing.beside[0].reason


def test_results_are_read_back_and_shown_on_a_page(three, tmp_path):
    from pymatgen.core import Lattice, Structure

    from barriers.cli.matrix_runs import matrices_of
    from barriers.report.html.matrices import write_matrices_page
    from barriers.report.matrix_folder import conditions_table, matrix_sentences, write_matrices

    frame = Structure(Lattice.cubic(20), ["Li", "C", "F", "F"], [[0, 0, 0], [0.5, 0, 0], [0.56, 0, 0], [0.44, 0, 0]])
    asked = [Asked(system="A", number=number, temperature=600.0) for number in (1, 2)]
    first = md_of(three[0], "A", 1).model_copy(update={"snapshot": frame})
    document = matrix_document.original("study", "A", asked, [first, None])
    assert matrices_of(tmp_path) is None
    written = {path.name for path in write_matrices(document, tmp_path)}
    assert {"matrices.json", "transport.json", "msd.svg", "rdf.csv", "snapshot.cif"} <= written
    again = matrices_of(tmp_path)
    assert matrix_sentences(again) == matrix_sentences(document)
    assert "A, 600 K: not run yet" in matrix_sentences(again)
    assert conditions_table(again).columns[2]._cells == ["1 of 2"]
    page = write_matrices_page(again, tmp_path).read_text("utf-8")
    assert page.count("<svg") >= 2
    assert '"roles": ["moving", "fragment", "fragment", "fragment"]' in page
    assert '"bonds": [[[1, 2], [1, 3]]]' in page


def study(**dynamics) -> MatrixStudy:
    content = {"name": "pair", "matrix": {"temperature": [600, 500], "boxes": 2}, "dynamics": dynamics}
    content["systems"] = [{"name": "PVDF"}, {"name": "PVDF-HF", "eliminate": "HF"}]
    return MatrixStudy.model_validate(content)


def test_flow_of_a_study_has_a_build_for_each_box_and_a_run_for_each_temperature():
    from barriers.dispatch.identity import identify
    from barriers.workflow.labels import jobs_of

    jobs = list(jobs_of(MatrixMaker().make(study())))
    kinds = [job.metadata["kind"] for job in jobs]
    assert kinds == ["md"] * 12 + ["analysis"]
    names = [job.name for job in jobs]
    assert len(set(names)) == len(names)
    assert "PVDF-HF, box 2, 500 K: md" in names
    uuids = [
        {job.name: job.uuid for job, _ in identify(MatrixMaker().make(each), "").iterflow()}
        for each in (study(), study(), study(production=4.0))
    ]
    assert uuids[0] == uuids[1]
    waits = {job.name: job.uuid for job, _ in identify(MatrixMaker().make(study(settle_longest=9000.0)), "").iterflow()}
    assert waits == uuids[0]  # a box that is waited for longer goes on
    differ = {name for name in names if uuids[0][name] != uuids[2][name]}
    assert differ == {name for name in names if name.endswith(": md")} | {"pair: comparison"}


def test_a_section_that_makes_no_run_is_refused():
    with pytest.raises(StudyError, match=r"production: 0\.01 is less than 20 frames; allowed: at least 0\.02"):
        study(production=0.01)
    with pytest.raises(StudyError, match="settle_longest"):
        study(settle=500.0, settle_longest=100.0)


def test_progress_tells_ns_done_of_ns_asked():
    protocol = Protocol(600.0, 2000.0)
    state = {"stage": "produce", "frames": 500, "seconds": 3600.0, "densities": [1.31]}
    words = describe_progress({"kind": "md"} | progress(protocol, state))
    assert words == "0.499 of 2 ns, 12 ns/day"
    assert (
        describe_progress({"kind": "md"} | progress(protocol, state | {"stage": "settle", "frames": 0}))
        == "constant pressure, 1.310 g/cm³, then 2 ns"
    )
