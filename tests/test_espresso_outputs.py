"""Parsers of Quantum ESPRESSO's outputs, on recorded runs of the real codes; nothing is computed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ase import Atoms
from espresso_cases import RECORDED

from barriers.analysis.band import moment_jumps
from barriers.engines.band import BandTask
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.espresso.attempts import CodeJob
from barriers.engines.espresso.band import BandRun
from barriers.engines.espresso.faults import FAULTS, find_fault
from barriers.engines.espresso.handlers import Converged
from barriers.engines.espresso.outputs import (
    count_scf,
    pw_outputs,
    read_history,
    read_moments,
    read_path,
)
from barriers.engines.espresso.path_files import kept_positions, mend_path, resumable, start_over

recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="needs the recorded runs")

PATH = """RESTART INFORMATION
       4
      30
       2
NUMBER OF IMAGES
   3
ENERGIES, POSITIONS AND GRADIENTS
Image:    1
       -1.0000000000
      0.0  0.0  1.0    0.0  0.0  0.5  1  1  1
Image:    2
       -0.5000000000
      0.0  0.0  2.0    0.0  0.0  0.0
Image:    3
       -1.0000000000
      0.0  0.0  3.0    0.0  0.0 -0.5
"""

MOMENTS = """
     Magnetic moment per site:
     atom:    1    charge:    2.0436    magn:    {0}    constr:    0.0000
     atom:    2    charge:    7.5408    magn:   -0.2404    constr:    0.0000

     End of self-consistent calculation
"""


def test_units_of_the_path_file_are_converted(tmp_path: Path) -> None:
    """1 Ha = 27.2114 eV and 1 bohr = 0.529177 Å (CODATA); a gradient is the negative of a force."""
    (tmp_path / "band.path").write_text(PATH)
    state = read_path(tmp_path / "band.path")
    assert (state.iteration, state.last_iteration, state.pending_image) == (4, 30, 2)
    assert state.energies == pytest.approx([-27.2114, -13.6057, -27.2114], abs=1e-4)
    assert state.positions[:, 0, 2] == pytest.approx([0.529177, 1.058354, 1.587532], abs=1e-5)
    assert state.forces[:, 0, 2] == pytest.approx([-25.7110, 0, 25.7110], abs=1e-3)


@pytest.mark.parametrize("part", range(1, len(PATH.splitlines())))
def test_a_path_file_cut_anywhere_is_noticed(tmp_path: Path, part: int) -> None:
    path = tmp_path / "band.path"
    path.write_text("\n".join(PATH.splitlines()[:part]))
    with pytest.raises(ValueError, match="is not whole"):
        read_path(path)


def test_the_newest_whole_copy_takes_the_place_of_a_cut_path(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "band.path").write_text(PATH[:300])
    for number in (2, 9, 10):
        (tmp_path / "out" / f"band.path{number}").write_text(PATH.replace("       4\n", f"      {number:2d}\n"))
    (tmp_path / "out" / "band.path11").write_text(PATH[:200])
    assert mend_path(tmp_path) == "band.path10"
    state = resumable(tmp_path)
    assert state is not None and state.iteration == 10


def test_a_band_that_starts_over_keeps_its_positions_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("band.path", "out/band.path4", "neb.1.out"):
        (tmp_path / name).write_text(PATH)
    assert resumable(tmp_path) is not None
    start_over(tmp_path)
    assert resumable(tmp_path) is None
    assert not list(tmp_path.glob("neb.*.out"))
    kept = kept_positions(tmp_path)
    assert kept is not None and kept.positions[2, 0, 2] == pytest.approx(1.587532, abs=1e-5)


def test_a_band_without_a_whole_path_starts_from_scratch(tmp_path: Path) -> None:
    (tmp_path / "band.path").write_text(PATH[:300])
    assert resumable(tmp_path) is None
    assert not (tmp_path / "band.path").exists()


def test_moments_are_those_at_the_end_of_each_calculation(tmp_path: Path) -> None:
    output = tmp_path / "PW.out"
    whole = [MOMENTS.format(value) for value in ("0.70", "-0.05")]
    output.write_text("".join(whole) + MOMENTS.partition("End of")[0].format("9.00"))  # the last one was interrupted
    assert read_moments(output) == [[0.70, -0.2404], [-0.05, -0.2404]]
    output.write_text("     End of self-consistent calculation\n")
    assert read_moments(output) == []


@recorded
def test_a_recorded_band_is_read() -> None:
    state = read_path(RECORDED / "default" / "aiida.path")
    assert state.iteration == 13
    assert state.energies - state.energies[0] == pytest.approx([0, -0.28468, 0], abs=1e-4)  # aiida.dat
    assert state.positions.shape == state.forces.shape == (3, 3, 3)
    rows = read_history([RECORDED / "default" / "aiida.out"])
    assert [row.number for row in rows] == list(range(1, 14))
    assert rows[0].energies == pytest.approx([-44.6242679, -42.1363465, -44.6242679])
    assert rows[-1].errors[1] == pytest.approx(0.037855)
    assert all(row.climbing for row in rows)
    assert state.energies[1] == pytest.approx(rows[-1].energies[1], abs=1e-3)


@recorded
def test_cycles_are_counted_over_all_images() -> None:
    outputs = pw_outputs(RECORDED / "default", "aiida") or sorted((RECORDED / "default").glob("aiida_*/PW.out"))
    assert count_scf(outputs)[1] == sum(path.read_text().count("iteration #") for path in outputs) > 20


OUTCOMES = {
    "default": (False, None),
    "failed_interrupted": (True, None),
    "failed_cycle_exceeded_nstep": (True, "limit"),
    "failed_computing_cholesky": (True, "diagonalisation"),
    "failed_too_many_bands_not_converged": (True, "diagonalisation"),
}


@recorded
@pytest.mark.parametrize("case", OUTCOMES)
def test_success_is_told_from_failure(tmp_path: Path, case: str) -> None:
    """Two of the failures say `convergence achieved`, all but one say `JOB DONE.`."""
    shutil.copyfile(RECORDED / case / "aiida.out", tmp_path / "neb.1.out")
    for output in (RECORDED / case).glob("aiida_*/PW.out"):
        (tmp_path / "out" / output.parent.name).mkdir(parents=True)
        shutil.copyfile(output, tmp_path / "out" / output.parent.name / "PW.out")
    job = CodeJob("neb", None, tmp_path, lambda file: [file], lambda case: "")  # type: ignore[arg-type]
    failed, kind = OUTCOMES[case]
    assert Converged(job, "neb: convergence achieved").check() is failed
    fault = job.fault()
    assert (fault[0].kind if fault else None) == kind


SAID = [
    ("neb: reached the maximum number of steps", "max_steps iterations used up; run again to continue"),
    ("Maximum CPU time exceeded", "time limit (max_seconds) reached; run again to continue"),
    ("Program stopped by user request", "stopped by an EXIT file; run again to continue"),
    (
        "convergence NOT achieved after 100 iterations: stopping",
        "SCF not converged after 100 cycles; set mixing_beta, electron_maxstep or degauss in engine.keywords",
    ),
    ("WARNING :  scf convergence NOT achieved on image   4", "SCF not converged on image 4"),
    ("Fortran runtime error: End of file", "a file on disk is not whole (End of file)"),
    (
        "Error in routine  readpp (2):\n     file ./pseudo/F.UPF not found\n",
        "pseudopotential file ./pseudo/F.UPF not found; set engine.pseudo_dir",
    ),
    (
        'Error in routine  read_namelists (1):\n      bad line in namelist &system: "   ecutwfx = 3" (error)\n',
        "namelist system is refused at or just before 'ecutwfx = 3'; mend it in engine.keywords",
    ),
    ("Error in routine  reading namelist path (1):\n", "namelist path is refused; mend engine.keywords"),
    (
        "Error in routine  set_dft_from_name (4):\n     conflicting values for icorr\n",
        "pseudopotentials of different functionals (conflicting values for icorr); use one set",
    ),
    (
        "Error in routine  broyden (12):\n     factorization\n",
        "charge mixing failed: the Broyden factorisation; set mixing_beta or mixing_ndim in engine.keywords",
    ),
    (
        "Error in routine  divide_et_impera (1):\n     some nodes have no k-points\n",
        "more pools than k-points; use a smaller -nk in engine.command",
    ),
    ("Error in routine  sumkg (7):\n     something new\n", "error in routine sumkg (7): something new"),
]


@pytest.mark.parametrize(("said", "line"), SAID)
def test_each_fault_has_its_line(said: str, line: str) -> None:
    found = find_fault(f"\n     {said}\n")
    assert found is not None and found[1] == line


def test_every_line_is_one_line_and_names_a_remedy_or_the_words_of_the_code() -> None:
    assert all("\n" not in fault.line for fault in FAULTS)
    assert {fault.kind for fault in FAULTS} == {"limit", "scf", "diagonalisation", "bfgs", "symmetry", "path", "final"}


def test_a_jump_of_moments_between_evaluations_of_an_image_is_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two Ni atoms swapped 0.13/0.70 for 0.85/−0.05 µB in a real band, the total stayed, and the band went astray."""
    monkeypatch.chdir(tmp_path)
    checkpoint = Checkpoint("neb", {})
    for image, moments in enumerate([(0.13, 0.14), (0.13, 0.85), (0.2, 0.1)], 1):
        output = checkpoint.folder / "out" / f"band_{image}" / "PW.out"
        output.parent.mkdir(parents=True)
        output.write_text("".join(MOMENTS.format(moment) for moment in moments))
    task = BandTask(None, None, None, [Atoms("NiNi")] * 3, None, {})  # type: ignore[arg-type]
    run = BandRun(task, None, None, checkpoint)  # type: ignore[arg-type]
    assert run.warnings() == [
        "image 1: magnetic moments jump between evaluations 0 and 1: atom 0 from 0.13 to 0.85 µB, the total by +0.72 µB"
    ]
    assert run.moments == [[0.14, -0.2404], [0.85, -0.2404], [0.1, -0.2404]]
    (line,) = moment_jumps([[0.13, 0.70], [0.85, -0.05]], between="evaluations")
    assert line.endswith("evaluations 0 and 1: atom 0 from 0.13 to 0.85 µB, atom 1 from 0.70 to -0.05 µB")
