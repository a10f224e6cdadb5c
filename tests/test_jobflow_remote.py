"""A study through jobflow-remote: killed, rerun, collected, sent off again, edited. Real server, real runner."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from ase.io import write
from conftest import ROOT, gold_on_aluminium
from external import end_service, need, start_service, wait_for
from mongo import Mongod
from pymongo import MongoClient
from services import mongod  # noqa: F401

from barriers import StudyMaker, load_study, run
from barriers.documents import BarrierDoc
from barriers.report.folder import read_results

pytestmark = [pytest.mark.remote, pytest.mark.slow]

DATABASE = "jobflow_remote"
STUDY = """
name: gold
endpoints: {initial: initial.traj, final: final.traj}
engine: {kind: mlip, model: "slow_emt:SlowEMT"}
"""


@dataclass
class Site:
    """A user's folder, with a study and a project of jobflow-remote that runs jobs on this machine."""

    folder: Path
    port: int

    def __post_init__(self) -> None:
        projects = self.folder / "projects"
        projects.mkdir()
        server = {"type": "MongoStore", "host": "127.0.0.1", "port": self.port, "database": DATABASE}
        worker = {"type": "local", "scheduler_type": "shell", "work_dir": str(self.folder / "work")}
        delays = dict.fromkeys(("delay_checkout", "delay_check_run_status", "delay_advance_status"), 1)
        project = {
            "name": "tests",
            "workers": {"here": worker},
            "queue": {"store": server | {"collection_name": "jobs"}},
            "jobstore": {"docs_store": server | {"collection_name": "outputs"}},
            "runner": delays,
        }
        (projects / "tests.json").write_text(json.dumps(project))
        for name, atoms in zip(("initial.traj", "final.traj"), gold_on_aluminium(), strict=True):
            write(self.folder / name, atoms)
        (self.folder / "study.yaml").write_text(STUDY)
        self.environment = os.environ | {
            "JFREMOTE_PROJECTS_FOLDER": str(projects),
            "JFREMOTE_CONFIG_FILE": str(projects / "none.yaml"),
            "OMP_NUM_THREADS": "1",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}",
        }

    def ask(self, *command: str | Path) -> str:
        """Output of a command."""
        done = subprocess.run(
            list(map(str, command)), cwd=self.folder, env=self.environment, text=True, capture_output=True, check=False
        )
        return done.stdout + done.stderr

    def study(self) -> str:
        """Output of the flow's script."""
        return self.ask(sys.executable, ROOT / "flows" / "remote.py", "study.yaml")

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Jobs in the database, by name; of several of one name the last."""
        with MongoClient("127.0.0.1", self.port) as client:
            return {job["job"]["name"]: job for job in client[DATABASE].jobs.find().sort("db_id")}

    def state(self, name: str) -> str:
        """State of a job."""
        return str(self.jobs()[name]["state"])

    def iterations(self) -> int:
        """Iterations of the band so far."""
        folder = self.jobs()["gold: band idpp"]["run_dir"]
        files = list(Path(folder).glob("*.progress.jsonl")) if folder else []
        return len(files[0].read_text("utf-8").splitlines()) if files else 0


@pytest.fixture(scope="module")
def site(mongod: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:  # noqa: F811
    """A project whose runner runs."""
    need(importlib.util.find_spec("jobflow_remote") is not None, "jobflow-remote (extra 'remote')")
    site = Site(tmp_path_factory.mktemp("remote"), mongod.port)
    assert "The database was reset" in site.ask("jf", "admin", "reset", "--yes")
    runner = start_service(["jf", "runner", "run"], site.folder / "runner.log", site.environment)
    try:
        yield site
    finally:
        end_service(runner)


@pytest.fixture(scope="module")
def killed(site: Site) -> str:
    """What the script says of a study whose band was killed and not rerun yet."""
    assert "5 jobs sent off" in site.study()
    wait_for(lambda: site.iterations() >= 8, 180, "eight iterations of the band")
    for process in psutil.Process(int(site.jobs()["gold: band idpp"]["remote"]["process_id"])).children(recursive=True):
        process.kill()
    wait_for(lambda: site.state("gold: band idpp") == "FAILED", 60, "notice of the failure")
    return site.study()


@pytest.fixture(scope="module")
def collected(site: Site, killed: str) -> BarrierDoc:
    """The barrier in the results folder, after the band was rerun in its folder."""
    site.ask("jf", "job", "rerun", str(site.jobs()["gold: band idpp"]["db_id"]), "--no-delete")
    wait_for(lambda: {job["state"] for job in site.jobs().values()} == {"COMPLETED"}, 180, "end of the study")
    assert "report.html" in site.study()
    return read_results(site.folder / "results" / "gold").barriers[0]


def test_a_killed_band_is_named_with_its_folder(site: Site, killed: str) -> None:
    assert f"FAILED gold: band idpp in {site.jobs()['gold: band idpp']['run_dir']}" in killed
    assert "not done: 2 COMPLETED, 1 FAILED, 2 WAITING" in killed


def test_a_band_rerun_in_its_folder_continues_and_the_barrier_is_that_of_a_local_run(
    collected: BarrierDoc, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests")
    here = run(StudyMaker().make(load_study(site.folder / "study.yaml")), tmp_path).output.barriers[0]
    assert here.forward == pytest.approx(0.374, abs=0.002)
    assert collected.forward == pytest.approx(here.forward, abs=1e-6)
    assert collected.reverse == pytest.approx(here.reverse, abs=1e-6)
    assert collected.band.cost.earlier_force_calls >= 8
    assert collected.cost.force_calls <= 1.1 * here.cost.force_calls


def test_a_study_is_sent_off_once_and_an_edited_one_only_where_the_edit_touches(
    collected: BarrierDoc, site: Site
) -> None:
    before = site.jobs()
    assert "sent off" not in site.study()
    assert len(site.jobs()) == len(before) == 5
    (site.folder / "study.yaml").write_text(STUDY + "neb: {spring: 2.0}\n")
    assert "3 jobs sent off, 2 are done" in site.study()
    after = site.jobs()
    kept = {name for name in before if after[name]["uuid"] == before[name]["uuid"]}
    assert kept == {"gold: relax initial", "gold: relax final"}
