"""``barriers doctor``: what it finds, what it misses, and what it keeps to itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Outcome
from external import free_port
from mongo import PASSWORD, Mongod

from barriers.dispatch.doctor import examine
from barriers.engines.espresso.command import code_version

Doctor = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def doctor(cli: Callable[..., Outcome], tmp_path: Path) -> Doctor:
    """Run the command on a folder; its findings by part."""

    def run(folder: Path = tmp_path / "nowhere") -> dict[str, dict[str, Any]]:
        outcome = cli("doctor", "--json", "--config", folder)
        assert outcome.code == 0
        assert PASSWORD not in outcome.out + outcome.err
        return {finding.pop("part"): finding for finding in json.loads(outcome.out)}

    return run


def cluster(folder: Path, port: int) -> Path:
    files = {
        "my_launchpad": f"host: 127.0.0.1\nport: {port}\nname: doctor",
        "my_fworker": "name: here\ncategory: barriers-compute\nquery: '{}'",
        "my_qadapter": "_fw_name: CommonAdapter\n_fw_q_type: SGE\nrocket_launch: rlaunch singleshot",
        "resources": "folder: /scratch/me",
    }
    for name, text in files.items():
        path = folder / f"{name}.yaml"
        path.write_text(f"{text}\n")
        path.chmod(0o600)
    return folder


def test_what_is_missing_comes_with_how_to_get_it(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = doctor()
    assert found["numpy"]["found"]
    assert found["numpy"]["needed_for"] == "everything"
    assert found["model emt"]["found"]
    for part in ("pw.x", "neb.x", "vasp_std", "configuration of FireWorks"):
        assert not found[part]["found"]
    assert found["pw.x"]["get"].endswith("apt install quantum-espresso")
    assert found["configuration of FireWorks"]["get"] == "barriers setup fireworks"
    assert {part for part, finding in found.items() if finding["found"] is bool(finding["get"])} == set()


def test_every_extra_that_does_something_is_looked_at(doctor: Doctor) -> None:
    purposes = " ".join(finding["needed_for"] for finding in doctor().values())
    for extra in ("mlip", "sevennet", "mattersim", "fireworks"):
        assert extra in purposes
    assert "pytest" not in doctor()


def test_a_program_that_does_not_run_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pw.x", "neb.x"):
        (tmp_path / name).write_text("#!/bin/sh\necho error while loading shared libraries: libmpi.so\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code_version.cache_clear()
    finding = next(each for each in examine(tmp_path / "nowhere") if each.part == "pw.x")
    code_version.cache_clear()
    assert not finding.found
    assert "error while loading shared libraries" in finding.what


@pytest.mark.mongo
def test_a_site_is_examined_file_by_file(doctor: Doctor, mongod: Mongod, tmp_path: Path) -> None:
    folder = cluster(tmp_path, mongod.port)
    with mongod.client() as client:
        client.doctor.fw_id_assigner.insert_one({"_id": -1, "next_fw_id": 1, "next_launch_id": 1})
    found = doctor(folder)
    assert all(found[part]["found"] for part in ("MongoDB", "worker", "queue", "resources"))
    (folder / "my_launchpad.yaml").chmod(0o644)
    (folder / "resources.yaml").write_text("folder: here\n")
    found = doctor(folder)
    assert found[str(folder / "my_launchpad.yaml")]["get"] == f"chmod 600 {folder}/my_launchpad.yaml"
    assert found[str(folder / "my_fworker.yaml")]["found"]
    assert "folder: 'here' is no absolute path" in found["resources"]["what"]


def test_a_connection_string_is_not_shown(doctor: Doctor, tmp_path: Path) -> None:
    folder = cluster(tmp_path, free_port())
    (folder / "my_launchpad.yaml").write_text(
        f"host: mongodb://me:{PASSWORD}@127.0.0.1:{free_port()}\nname: doctor\nuri_mode: true\n"
        "mongoclient_kwargs: {serverSelectionTimeoutMS: 300}\n"
    )
    assert doctor(folder)["MongoDB"]["what"] == (
        f"{folder}/my_launchpad.yaml: host, port: no database answers at the connection string within 0.3 s; "
        "is it running, and reachable from here?"
    )
