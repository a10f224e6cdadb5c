"""Whole studies through LaunchPad and queue: the same barriers, results and report as a run here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import espresso_cases
import pytest
from conftest import ROOT, Outcome
from dispatched import run_qlaunch, states, write_cluster
from mongo import Mongod
from slurm import Slurm

from barriers import StudyMaker, load_study, run
from barriers.dispatch.fireworks.config import Cluster
from barriers.documents import StudyDoc

pytestmark = [pytest.mark.mongo, pytest.mark.slurm, pytest.mark.slow]

STUDY = """
name: small
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
    placement: {mode: at a distance, candidates: 1}
comparison: {reference: NCM}
relax: {fmax: 0.3, rough_fmax: 0.6}
path: {n_images: 1, starts: 1}
neb: {fmax: 0.4, rough_fmax: 0.8}
energetics: {adsorption: true}
"""


@pytest.fixture
def cluster(mongod: Mongod, slurm: Slurm, tmp_path: Path) -> Cluster:
    return write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name), cores=2)


def through_the_queue(study: Path, cluster: Cluster, cli: Callable[..., Outcome]) -> StudyDoc:
    """Submit, launch, collect and report, as a user would; the study collected."""
    config, results = ("--config", cluster.folder), study.parent / "results"
    assert cli("submit", study, *config, "--results", results).code == 0
    assert cli("launch", study, *config, "--every", "0.5").code == 0
    collected = cli("collect", study, *config, "--results", results)
    assert collected.code == 0, collected.err
    folder = results / load_study(study).name
    assert cli("report", folder).code == 0
    return StudyDoc.model_validate(json.loads((folder / "study.json").read_text("utf-8")))


@pytest.mark.mlip
def test_the_embedded_engine_gives_the_same_through_the_queue(
    cluster: Cluster, cli: Callable[..., Outcome], tmp_path: Path
) -> None:
    study = tmp_path / "small.yaml"
    study.write_text(STUDY)
    there = through_the_queue(study, cluster, cli)
    here = run(StudyMaker().make(load_study(study)), tmp_path / "here").output
    assert len(there.barriers) == len(here.barriers) == 2
    for dispatched, local in zip(there.barriers, here.barriers, strict=True):
        assert dispatched.forward == pytest.approx(local.forward, abs=1e-3)  # single precision, other threads
        assert dispatched.reverse == pytest.approx(local.reverse, abs=1e-3)
        assert dispatched.cost.force_calls == pytest.approx(local.cost.force_calls, rel=0.1)
    assert [each.partition(" ")[0] for each in there.sentences] == [each.partition(" ")[0] for each in here.sentences]
    for name in ("adsorption", "lithium"):
        told, known = ([row.energy for row in getattr(each.energetics, name)] for each in (there, here))
        assert told == pytest.approx(known, abs=2e-3)
    again = cli("submit", study, "--config", cluster.folder, "--results", tmp_path / "results", "--json")
    assert json.loads(again.out)["added"] == 0
    calls = cluster.launchpad().db.barriers_runs.distinct("attempts")
    assert calls == [1]


@pytest.mark.qe
def test_quantum_espresso_gives_the_same_through_qlaunch(
    cluster: Cluster, cli: Callable[..., Outcome], tmp_path: Path, li2o_results: Path
) -> None:
    espresso_cases.need_qe()
    for path in espresso_cases.STUDY.parent.glob("li2o_*"):
        shutil.copy(path, tmp_path)
    study = tmp_path / espresso_cases.STUDY.name
    assert cli("submit", study, "--config", cluster.folder, "--results", tmp_path / "results").code == 0
    run_qlaunch(cluster, "ada/li2o_espresso")
    assert set(states(cluster.launchpad(), "ada/li2o_espresso").values()) == {"COMPLETED"}
    environment = os.environ | {"BARRIERS_CONFIG": str(cluster.folder)}
    script = [sys.executable, ROOT / "flows" / "dispatch.py", study]
    told = subprocess.run(script, cwd=tmp_path, env=environment, text=True, capture_output=True, check=True).stdout
    assert told.startswith("0 jobs added, 4 were there")
    assert (tmp_path / "results" / "li2o_espresso" / "report.html").exists()
    there = StudyDoc.model_validate_json((tmp_path / "results" / "li2o_espresso" / "study.json").read_text("utf-8"))
    here = run(StudyMaker().make(load_study(espresso_cases.STUDY)), li2o_results).output
    assert there.barriers[0].forward == pytest.approx(here.barriers[0].forward, abs=1e-3)
    assert there.barriers[0].reverse == pytest.approx(here.barriers[0].reverse, abs=1e-3)
