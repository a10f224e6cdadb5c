"""Resources by kind of job, in the words of each queueing system."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from external import free_port, need, wait_for
from slurm import Slurm, has_slurm

from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.in_queue import states_in_queue
from barriers.dispatch.fireworks.resources import JobResources

RELAX = "nodes: 2, cores: 24, memory: 48GB, walltime: '12:30:01', queue: long, account: battery"
TEMPLATE = "#$ -q $${queue}\n#$ -pe mpi $${ntasks}\n$${pre_rocket}\ncd $${launch_dir}\n$${rocket_launch}\n"


def cluster(folder: Path, kind: str, resources: str, more: str = "") -> Cluster:
    (folder / "my_qadapter.yaml").write_text(
        f"_fw_name: CommonAdapter\n_fw_q_type: {kind}\nrocket_launch: rlaunch singleshot\n{more}\n"
    )
    (folder / "resources.yaml").write_text(f"folder: /scratch/barriers\n{resources}\n")
    return Cluster(folder)


def job(folder: Path, queue: str, section: str, kind: Any = "relax", n_images: int | None = None) -> JobResources:
    return cluster(folder, queue, f"kinds: {{{kind}: {{{section}}}}}").resources().for_job(kind, n_images)


@pytest.mark.parametrize(
    ("queue", "section", "lines"),
    [
        (
            "SLURM",
            RELAX,
            ["nodes=2", "ntasks=24", "mem=49152M", "time=12:30:01", "partition=long", "account=battery"],
        ),
        ("PBS", RELAX, ["nodes=2:ppn=12", "pmem=4096mb", "walltime=12:30:01", "-q long", "-A battery"]),
        ("SGE", "queue: long, account: battery", ["-q long", "-A battery"]),
        ("LoadSharingFacility", "cores: 24, walltime: '12:30:01', queue: long", ["-n 24", "-W 12:31", "-q long"]),
    ],
)
def test_a_job_script_asks_for_what_the_file_says(tmp_path: Path, queue: str, section: str, lines: list[str]) -> None:
    adapter = cluster(tmp_path, queue, f"kinds: {{relax: {{{section}}}}}").qadapter()
    adapter.update(Cluster(tmp_path).resources().for_job("relax").queueadapter)
    script = adapter.get_script_str("/tmp")
    assert [line for line in lines if line not in script] == []
    assert "$$" not in script


def test_a_band_gets_cores_by_its_images(tmp_path: Path) -> None:
    band = job(tmp_path, "SLURM", "cores_per_image: 8, command: 'mpirun -np {cores} neb.x -ni {images}'", "neb", 5)
    assert band.cores == 40
    assert band.queueadapter["ntasks"] == 40
    assert band.command == "mpirun -np 40 neb.x -ni 5"


def test_the_example_of_the_docs_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "fireworks-slurm.md").read_text()
    here = cluster(tmp_path, "SLURM", "")
    (tmp_path / "resources.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    band = here.resources().for_job("neb", 4)
    assert (band.cores, band.queueadapter["nodes"], band.command) == (256, 2, "mpirun -np 256 neb.x -ni 4")


def test_analysis_has_a_category_of_its_own_and_goes_first(tmp_path: Path) -> None:
    resources = cluster(tmp_path, "SLURM", "").resources()
    jobs = {kind: resources.for_job(kind) for kind in ("static", "relax", "neb", "analysis")}
    assert {kind: job.category for kind, job in jobs.items() if job.category != "barriers-compute"} == {
        "analysis": "barriers-analysis"
    }
    assert max(jobs, key=lambda kind: jobs[kind].priority) == "analysis"


def test_further_keys_win(tmp_path: Path) -> None:
    relax = job(tmp_path, "SLURM", "cores: 4, queueadapter: {ntasks: 1, cpus_per_task: 4}")
    assert relax.queueadapter == {"ntasks": 1, "cpus_per_task": 4}


def test_a_template_of_the_users_own_has_its_own_places(tmp_path: Path) -> None:
    (tmp_path / "sge.txt").write_text(TEMPLATE)
    here = cluster(tmp_path, "SGE", "kinds: {neb: {cores: 16}}", f"_fw_template_file: {tmp_path / 'sge.txt'}")
    assert here.resources().for_job("neb").queueadapter == {"ntasks": 16}


def test_the_owner_is_who_runs_it_unless_the_file_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "hodgkin")
    assert cluster(tmp_path, "SLURM", "").owner == "hodgkin"
    assert cluster(tmp_path, "SLURM", "owner: franklin").owner == "franklin"


@pytest.mark.parametrize(
    ("queue", "resources", "says"),
    [
        ("SLURM", "folder: jobs", "folder: 'jobs' is no absolute path; allowed: a path that starts with /"),
        (
            "SLURM",
            "kinds: {nebb: {}}",
            "kinds.nebb: unknown key; allowed: static, relax, neb, md, analysis; did you mean",
        ),
        ("SLURM", "kinds: {relax: {cores: 0}}", "kinds.relax.cores: 0 is too small; allowed: 1 to 1000000"),
        (
            "SLURM",
            "kinds: {relax: {walltime: 90}}",
            "kinds.relax.walltime: 90 is no text (put it in quotes); allowed: HH",
        ),
        (
            "SLURM",
            "kinds: {relax: {memory: 4Gb}}",
            "kinds.relax.memory: '4Gb' has a character that does not fit; allowed:",
        ),
        ("SLURM", "kinds: {relax: {cores_per_image: 4}}", "kinds.relax.cores_per_image: unknown key; allowed: nodes, "),
        ("SLURM", "kinds: {neb: {cores: 4, cores_per_image: 4}}", "kinds.neb.cores_per_image: 4 stands beside cores"),
        (
            "SLURM",
            "kinds: {relax: {command: 'x {images}'}}",
            "kinds.relax.command: '{images}' is filled in with nothing; ",
        ),
        (
            "SLURM",
            "kinds: {relax: {queueadapter: {qoss: a}}}",
            "queueadapter.qoss: 'qoss' has no place in the job script",
        ),
        ("SGE", "kinds: {neb: {cores_per_image: 4}}", "kinds.neb.cores_per_image: 4 has no place in the job script"),
        ("SGE", "kinds: {relax: {cores: 4}}", "kinds.relax.cores: 4 has no place in the job script of SGE"),
        (
            "LoadSharingFacility",
            "kinds: {neb: {account: me}}",
            "kinds.neb.account: 'me' has no place in the job script",
        ),
    ],
)
def test_a_mistake_in_the_resources_is_one_line(tmp_path: Path, queue: str, resources: str, says: str) -> None:
    here = cluster(tmp_path, queue, resources)
    if resources.startswith("folder"):
        (tmp_path / "resources.yaml").write_text(resources)
    with pytest.raises(ValueError, match=r"resources\.yaml") as error:
        here.resources()
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/resources.yaml: ")
    assert says in str(error.value)


@pytest.mark.slurm
@pytest.mark.parametrize(("kind", "command", "running"), [("SLURM", "squeue", "RUNNING"), ("PBS", "qstat", "R")])
def test_the_queue_says_how_a_job_stands(slurm: Slurm, kind: str, command: str, running: str) -> None:
    need(shutil.which(command) is not None, f"{command} (slurm-wlm-torque has qstat)")
    job = slurm.ask("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 300").strip()
    wait_for(lambda: states_in_queue(kind, [job]) == {job: running}, 20, "start of the job")
    slurm.drain()
    wait_for(lambda: states_in_queue(kind, [job]) == {job: None}, 20, "end of the job")
    assert states_in_queue(kind, [job, "987654"]) == {job: None, "987654": None}


@pytest.mark.slurm
def test_a_queue_that_does_not_answer_calls_no_job_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(has_slurm(), "slurm-wlm and munge, and root to start them")
    (tmp_path / "slurm.conf").write_text(
        f"ClusterName=gone\nSlurmctldHost=gone(127.0.0.1)\nSlurmctldPort={free_port()}\nMessageTimeout=2\n"
    )
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    assert states_in_queue("SLURM", ["1"]) == {}


@pytest.mark.parametrize("queue", ["SLURM", "PBS", "SGE", "LoadSharingFacility"])
def test_jobs_have_names_that_the_queue_takes_and_people_can_read(tmp_path: Path, queue: str) -> None:
    resources = cluster(tmp_path, queue, "").resources()
    name = resources.job_name("811_study", "NCM@PVDF one: band idpp")
    assert re.fullmatch(r"[\w.-]+", name)
    assert "NCM-PVDF" in name
    if queue == "PBS":
        assert len(name) <= 15
    else:
        assert "band_idpp" in name
    if queue in ("PBS", "SGE"):
        assert name[0].isalpha()
        assert resources.job_name("study", "811 one: band")[0].isalpha()
