"""Bands of Quantum ESPRESSO that are killed, cut short or damaged, and go on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from espresso_cases import STUDY, compute, documents, li2o_engine, need_qe

from barriers.documents import BandDoc, RelaxDoc
from barriers.engines.espresso.outputs import count_scf, pw_outputs, read_path
from barriers.files.structures import read_endpoints
from barriers.structures.path.start import Start

pytestmark = [pytest.mark.qe, pytest.mark.slow]

LINEAR = Start(method="linear", n_images=1)
SETTINGS = {"fmax": 0.1, "rough_fmax": 0.3, "max_steps": 40, "spring": 1.0}

RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_espresso_restart import band_of
from espresso_cases import compute
print(compute(band_of(Path({results!r})), Path({folder!r})))
"""


def band_of(results: Path, **running: object):  # type: ignore[no-untyped-def]
    """The band job of the shipped study, from its relaxed endpoints."""
    initial, final = (documents(results, f"relax-{which}")[0] for which in ("initial", "final"))
    return li2o_engine(**running).neb(**SETTINGS).make(initial, final, LINEAR)  # type: ignore[arg-type]


def start(results: Path, folder: Path) -> subprocess.Popen[bytes]:
    code = RUN.format(tests=str(Path(__file__).parent), results=str(results), folder=str(folder))
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.DEVNULL)


def work_folder(folder: Path) -> Path | None:
    return next(iter(folder.glob("jobs/*/neb-*/")), None)


def wait_for_iteration(folder: Path, number: int, seconds: float = 180) -> Path:
    """Wait until some iterations are whole and the next one has begun."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        work = work_folder(folder)
        if work is not None and (work / "out" / f"band.path{number}").exists():
            return work
        time.sleep(0.05)
    raise TimeoutError(f"no iteration {number}")


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the process and the code it started, as a node that dies does."""
    family = psutil.Process(process.pid).children(recursive=True)
    for each in (psutil.Process(process.pid), *family):
        os.kill(each.pid, signal.SIGKILL)
    process.wait()


def check_goes_on(band: BandDoc, results: Path, iteration: int, scfs: int) -> None:
    (expected,) = documents(results, "band")
    assert isinstance(band, BandDoc) and band.converged, band
    barriers = [max(each.energies) - each.energies[0] for each in (band, expected)]
    assert barriers[0] == pytest.approx(barriers[1], abs=0.001)
    assert band.cost.earlier_force_calls == scfs >= iteration + 2  # both endpoints, and one image each iteration
    assert scfs < band.cost.force_calls <= expected.cost.force_calls + 3
    assert [row.iteration for row in band.history] == list(range(1, len(band.history) + 1))


@pytest.mark.parametrize("where", ["in the same folder", "in a new folder", "with a cut path file"])
def test_a_killed_band_goes_on_from_its_last_iteration(li2o_results: Path, tmp_path: Path, where: str) -> None:
    process = start(li2o_results, tmp_path / "first")
    work = wait_for_iteration(tmp_path / "first", 2)
    kill_all(process)
    iteration = read_path(work / "band.path").iteration
    scfs = count_scf(pw_outputs(work, "band"))[0]
    assert iteration >= 2
    if where == "with a cut path file":
        (work / "band.path").write_text((work / "band.path").read_text()[:700])
    if where == "in a new folder":
        job = band_of(li2o_results, continue_from=str(tmp_path / "first"))
        band = compute(job, tmp_path / "second")
    else:
        band = compute(band_of(li2o_results), tmp_path / "first")
    check_goes_on(band, li2o_results, iteration, scfs)
    outputs = sorted((work_folder(tmp_path / "second") or work).glob("neb.*.out"))
    first_of_second_run = re.search(r"- iteration +(\d+) -", outputs[1].read_text())
    assert first_of_second_run is not None and int(first_of_second_run[1]) == iteration + 1


def test_a_code_that_is_killed_alone_is_started_again(li2o_results: Path, tmp_path: Path) -> None:
    process = start(li2o_results, tmp_path)
    work = wait_for_iteration(tmp_path, 2)
    os.kill(json.loads((work / "running.json").read_text())["pid"], signal.SIGKILL)
    assert process.wait() == 0
    (band,) = documents(tmp_path, "neb")
    (expected,) = documents(li2o_results, "band")
    assert band.converged and band.cost.earlier_force_calls == 0
    assert max(band.energies) == pytest.approx(max(expected.energies), abs=0.001)


def test_a_code_left_running_by_a_dead_process_is_ended_first(li2o_results: Path, tmp_path: Path) -> None:
    process = start(li2o_results, tmp_path)
    work = wait_for_iteration(tmp_path, 1)
    orphan = psutil.Process(json.loads((work / "running.json").read_text())["pid"])
    process.kill()
    process.wait()
    assert orphan.is_running()
    band = compute(band_of(li2o_results), tmp_path)
    assert not orphan.is_running()
    assert isinstance(band, BandDoc) and band.converged


def test_a_soft_stop_before_the_walltime_is_no_failure(li2o_results: Path, tmp_path: Path) -> None:
    """The code says `scf convergence NOT achieved` then, as if the electrons were at fault."""
    (work, seconds, band) = None, 3, None
    for _ in range(12):
        band = compute(band_of(li2o_results, max_seconds=seconds), tmp_path)
        if isinstance(band, BandDoc) and band.converged:
            break
        reason = band.reason if isinstance(band, BandDoc) else band
        assert "time limit (max_seconds) reached; run again to continue" in str(reason)
        work, seconds = work_folder(tmp_path), seconds + seconds // 2 + 1
    assert work is not None, "never stopped: make the limit shorter"
    assert not (work / "corrections.json").exists()
    (expected,) = documents(li2o_results, "band")
    assert isinstance(band, BandDoc)
    assert max(band.energies) == pytest.approx(max(expected.energies), abs=0.001)


def test_a_relaxation_out_of_steps_goes_on_from_its_last_structure(tmp_path: Path) -> None:
    need_qe()
    initial, _, _ = read_endpoints(STUDY.parent / "li2o_initial.vasp", STUDY.parent / "li2o_final.vasp")
    maker = li2o_engine().relax(fmax=0.1, max_steps=2)
    first = compute(maker.make(initial), tmp_path)
    assert isinstance(first, RelaxDoc) and not first.converged
    assert first.reason is not None and first.reason.startswith("max_steps steps used up; run again to continue")
    maker.max_steps = 50
    second = compute(maker.make(initial), tmp_path)
    assert second.converged and second.max_force <= 0.1
    assert second.cost.earlier_force_calls == first.cost.force_calls
    assert second.energy < first.energy
