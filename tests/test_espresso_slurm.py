"""Quantum ESPRESSO 7.2 started by ``srun`` in a job of a real Slurm, as the page on clusters says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from espresso_cases import STUDY
from external import CODES, need
from slurm import Slurm

pytestmark = [pytest.mark.slurm, pytest.mark.codes]

SCRIPT = """#!/bin/bash
#SBATCH --ntasks=1
#SBATCH --output=job.out
#SBATCH --open-mode=append
export PATH={bin}:$PATH
{python} -m barriers check study.yaml
{python} -m barriers run study.yaml --results results
"""


def test_srun_runs_a_study_in_a_job_of_slurm(slurm: Slurm, tmp_path: Path) -> None:
    codes = CODES / "bin"
    need((codes / "pw.x").exists() and (codes / "neb.x").exists(), "Quantum ESPRESSO 7.2 (CODES=$(.ci/codes))")
    for name in ("li2o_initial.vasp", "li2o_final.vasp"):
        shutil.copy(STUDY.parent / name, tmp_path)
    text = STUDY.read_text("utf-8").replace("  kind: espresso\n", "  kind: espresso\n  command: srun neb.x\n")
    assert "srun" in text
    (tmp_path / "study.yaml").write_text(text, "utf-8")
    (tmp_path / "job.sh").write_text(SCRIPT.format(bin=codes, python=sys.executable), "utf-8")
    sent = ["sbatch", "--wait", "job.sh"]
    done = subprocess.run(sent, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
    said = (tmp_path / "job.out").read_text("utf-8")
    assert done.returncode == 0, said
    plan = " ".join(said.split())
    assert "bands: srun neb.x: 1 processes (SLURM_NTASKS); 1 of 1 images at a time" in plan
    (barrier,) = json.loads(next((tmp_path / "results").rglob("study.json")).read_text("utf-8"))["barriers"]
    assert barrier["forward"] == pytest.approx(0.376, abs=0.005)
    assert barrier["band"]["engine"]["version"].startswith("7.2")
