"""A configuration folder for the tests' own database and queue, and cheap flows to send through them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import gold_on_aluminium
from external import wait_for
from fireworks import FWorker, LaunchPad
from fireworks.core.rocket_launcher import rapidfire
from jobflow import Flow

from barriers import BarrierMaker, MlipEngine
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.launch import look
from barriers.dispatch.fireworks.recover import Recovered
from barriers.dispatch.fireworks.submit import submit
from barriers.files.structures import to_structure
from barriers.study.models import NebSection

TESTS = Path(__file__).parent

FILES = {
    "my_launchpad.yaml": "host: 127.0.0.1\nport: {port}\nname: {name}\nstrm_lvl: CRITICAL\n",
    "my_fworker.yaml": "name: tests\ncategory: ''\nquery: '{{}}'\n",
    "my_qadapter.yaml": (
        "_fw_name: CommonAdapter\n_fw_q_type: SLURM\nqueue: barriers\n"
        "rocket_launch: {bin}/rlaunch -c {folder} singleshot\n"
        "pre_rocket: export PYTHONPATH={tests} BARRIERS_CONFIG={folder} OMP_NUM_THREADS=1\n"
    ),
    "resources.yaml": (
        "folder: {folder}/cluster\nowner: {owner}\nheartbeat: {heartbeat}\n"
        "kinds: {{static: {{cores: {cores}}}, relax: {{cores: {cores}}}, neb: {{cores: {cores}}}}}\n"
    ),
}


def write_cluster(
    folder: Path, port: int, owner: str = "ada", name: str = "launchpad", heartbeat: int = 1, cores: int = 1
) -> Cluster:
    """Write the four files; the database is set up as ``barriers setup`` would."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {
        "port": port,
        "name": name,
        "folder": folder,
        "owner": owner,
        "heartbeat": heartbeat,
        "cores": cores,
        "tests": f"{TESTS}:{TESTS.parent}",
        "bin": Path(sys.executable).parent,
    }
    for file, text in FILES.items():
        (folder / file).write_text(text.format(**values))
    (folder / "cluster").mkdir(exist_ok=True)
    cluster = Cluster(folder)
    launchpad = cluster.connect()
    launchpad.fw_id_assigner.update_one({}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True)
    return cluster


def empty(cluster: Cluster) -> None:
    """Leave nothing in the database but its indices and the counter of numbers."""
    db = cluster.launchpad().db
    for name in db.list_collection_names():
        if name != "fw_id_assigner" and not name.startswith("system."):
            db[name].delete_many({})


def work(cluster: Cluster, scope: str, worker: str = "tests") -> dict[str, str]:
    """Run what is ready for a worker; give the states."""
    rapidfire(cluster.launchpad(), FWorker(worker), strm_lvl="CRITICAL")
    return states(cluster.launchpad(), scope)


def gold_flow(model: str = "emt", **neb: float) -> Flow:
    """The barrier of Au on Al(100): 3 calculations, 0.374 eV."""
    initial, final = map(to_structure, gold_on_aluminium())
    return BarrierMaker(engine=MlipEngine(model=model), neb=NebSection(**neb)).make(initial, final)


def start_worker(cluster: Cluster, folder: Path, *how: str) -> subprocess.Popen[bytes]:
    """Start FireWorks' own rlaunch, as a queue's job would."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "BARRIERS_CONFIG": str(cluster.folder)}
    with (folder / "rlaunch.log").open("ab") as log:
        return subprocess.Popen(
            [Path(sys.executable).parent / "rlaunch", "-c", cluster.folder, *how],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )


def run_qlaunch(cluster: Cluster, scope: str, seconds: float = 300) -> None:
    """Send everything through the queue with FireWorks' own qlaunch, and wait for it."""
    program = Path(sys.executable).parent / "qlaunch"
    command = [program, "-c", cluster.folder, "-r", "rapidfire", "--sleep", "1"]
    subprocess.run(command, cwd=cluster.folder, check=True, capture_output=True, timeout=seconds)
    wait_for(
        lambda: not {"READY", "RESERVED", "RUNNING", "WAITING"} & set(states(cluster.launchpad(), scope).values()),
        seconds,
        f"jobs of {scope}",
    )


def states(launchpad: LaunchPad, scope: str) -> dict[str, str]:
    """FireWorks state of each job by name."""
    return {item["name"]: item["state"] for item in launchpad.fireworks.find({"spec.barriers.scope": scope})}


def start_band(cluster: Cluster, study: str = "gold") -> dict[str, Any]:
    """Submit the gold flow, slowed down, and send it through the queue until its band is on its way."""
    submit([gold_flow("slow_emt:SlowEMT")], study, cluster)
    drive(cluster, study, lambda: iteration(cluster, study) >= 3)
    return band(cluster, study)


def drive(cluster: Cluster, study: str, until: Callable[[], bool], seconds: float = 120) -> list[Recovered]:
    """Do what `barriers launch` does until something has happened; give what it put back."""
    put_back = []
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, states(cluster.launchpad(), f"{cluster.owner}/{study}")
        put_back += look(cluster, f"{cluster.owner}/{study}").put_back
        time.sleep(0.3)
    return put_back


def band(cluster: Cluster, study: str = "gold") -> dict[str, Any]:
    """What the band's run told of itself last."""
    return runs(cluster.launchpad()).find_one({"scope": f"{cluster.owner}/{study}", "kind": "neb"}) or {}


def iteration(cluster: Cluster, study: str = "gold") -> int:
    """How far the band is; -1 before it has begun."""
    return (band(cluster, study).get("progress") or {}).get("iteration", -1)


def completed(cluster: Cluster, study: str = "gold") -> bool:
    """Whether every job of a study has ended well."""
    return set(states(cluster.launchpad(), f"{cluster.owner}/{study}").values()) == {"COMPLETED"}


def outcome(cluster: Cluster, study: str = "gold") -> tuple[float, int]:
    """Barrier (eV), and the evaluations of all runs together."""
    records = [record for record in cluster.store().query(load=True) if record["name"] == "barrier: barrier"]
    return records[0]["output"]["forward"], records[0]["output"]["cost"]["force_calls"]
