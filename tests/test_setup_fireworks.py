"""``barriers setup fireworks``: the files it writes, and what it says when database, queue or worker are not ready."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import slurm as queueing
from conftest import Outcome
from external import free_port, need
from mongo import DATABASE, PASSWORD, USER, Mongod, find_mongod
from ruamel.yaml import YAML
from slurm import Slurm

from barriers.dispatch.fireworks import trial
from barriers.dispatch.fireworks.config import Cluster, find_cluster
from barriers.distribution import versions

Setup = Callable[..., Outcome]

pytestmark = pytest.mark.mongo


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server that asks for credentials."""
    need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    server = Mongod(tmp_path_factory.mktemp("guarded"), auth=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def setup(cli: Callable[..., Outcome], tmp_path: Path, mongod: Mongod) -> Setup:
    """Run the command with flags that are right for a server without credentials, changed or taken out (None)."""

    def run(*more: str, **changes: Any) -> Outcome:
        flags = {
            "host": "127.0.0.1",
            "port": mongod.port,
            "database": f"setup-{uuid4().hex[:8]}",
            "queue_type": "slurm",
            "folder": tmp_path / "jobs",
        } | changes
        options = [
            text
            for name, value in flags.items()
            if value is not None
            for text in (f"--{name.replace('_', '-')}", str(value))
        ]
        return cli("setup", "fireworks", "--config", tmp_path / "cluster", *options, *more)

    return run


def one_line(outcome: Outcome) -> str:
    """What is said when something is wrong; progress aside."""
    assert outcome.code == 2
    lines = [line for line in outcome.err.splitlines() if line.startswith("wrong input: ")]
    assert len(lines) == 1
    return lines[0].removeprefix("wrong input: ")


def test_four_files_are_written_that_nobody_else_may_read(setup: Setup, tmp_path: Path) -> None:
    outcome = setup("--no-test-queue", queue="long", account="battery", cores=8, walltime="12:00:00")
    assert outcome.code == 0, outcome.err
    cluster = find_cluster(tmp_path / "cluster")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in cluster.folder.iterdir()}
    assert modes == dict.fromkeys(("my_launchpad.yaml", "my_fworker.yaml", "my_qadapter.yaml", "resources.yaml"), 0o600)
    assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
    assert cluster.launchpad().connection.server_info()["ok"] == 1
    assert set(cluster.fworker().category) == {"barriers-compute", "barriers-analysis"}
    adapter = cluster.qadapter()
    assert (adapter["queue"], adapter["account"]) == ("long", "battery")
    assert adapter["rocket_launch"] == f"{Path(sys.executable).with_name('rlaunch')} -c {cluster.folder} singleshot"
    assert adapter["pre_rocket"] == f"source {sys.prefix}/bin/activate; export BARRIERS_CONFIG={cluster.folder}"
    assert cluster.resources().for_job("neb").queueadapter == {"ntasks": 8, "walltime": "12:00:00"}
    assert cluster.resources().for_job("analysis").queueadapter == {"ntasks": 1}


def test_files_that_are_there_are_kept_unless_forced(setup: Setup, tmp_path: Path) -> None:
    assert setup("--no-test-queue", queue="first").code == 0
    before = {path: path.read_text() for path in (tmp_path / "cluster").iterdir()}
    line = one_line(setup("--no-test-queue", queue="second"))
    assert (
        line
        == f"{tmp_path}/cluster/my_launchpad.yaml: is there already; --keep tests what is there, --force writes it anew"
    )
    assert {path: path.read_text() for path in (tmp_path / "cluster").iterdir()} == before
    assert "left as it is" in setup("--no-test-queue", "--keep").out
    assert setup("--no-test-queue", "--force", queue="second").code == 0
    assert Cluster(tmp_path / "cluster").qadapter()["queue"] == "second"


def test_a_database_in_use_is_left_as_it_is(setup: Setup, mongod: Mongod, tmp_path: Path) -> None:
    with mongod.client() as client:
        client.in_use.fw_id_assigner.insert_one({"_id": -1, "next_fw_id": 12, "next_launch_id": 7})
        client.in_use.fireworks.insert_one({"fw_id": 11, "name": "of somebody else"})
        assert "in use already, 1 jobs; left as it is" in setup("--no-test-queue", database="in_use").out
        assert list(client.in_use.fw_id_assigner.find({}, {"_id": 0})) == [{"next_fw_id": 12, "next_launch_id": 7}]
        assert client.in_use.fireworks.count_documents({}) == 1
        client.in_use.fw_id_assigner.delete_many({})
        line = one_line(setup("--no-test-queue", "--force", database="in_use"))
        assert line.startswith(
            f"{tmp_path}/cluster/my_launchpad.yaml: name: database 'in_use' holds jobs but not the counter"
        )
        assert client.in_use.fw_id_assigner.count_documents({}) == 0


@pytest.mark.parametrize("secret", ["variable", "file"])
def test_the_password_is_read_from_a_variable_or_a_file_and_never_shown(
    setup: Setup, guarded: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", PASSWORD)
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    given = {"password_env": "DATABASE_PASSWORD"} if secret == "variable" else {"password_file": tmp_path / "password"}
    outcome = setup("--no-test-queue", port=guarded.port, database=DATABASE, user=USER, **given)
    assert outcome.code == 0, outcome.err
    assert PASSWORD not in outcome.out + outcome.err
    assert Cluster(tmp_path / "cluster").launchpad().name == DATABASE


def test_the_host_may_be_a_connection_string_in_a_variable(
    setup: Setup, guarded: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE", f"mongodb://{USER}:{PASSWORD}@127.0.0.1:{guarded.port}/?authSource={DATABASE}")
    outcome = setup("--no-test-queue", host="$DATABASE", database=DATABASE)
    assert outcome.code == 0, outcome.err
    assert PASSWORD not in outcome.out + outcome.err + (tmp_path / "cluster" / "my_launchpad.yaml").read_text()


def test_wrong_credentials_name_file_and_keys(
    setup: Setup, guarded: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", f"{PASSWORD}-with-a-slip")
    outcome = setup(port=guarded.port, database=DATABASE, user=USER, password_env="DATABASE_PASSWORD")
    assert one_line(outcome).startswith(
        f"{tmp_path}/cluster/my_launchpad.yaml: username, password: the database refuses {USER!r}"
    )
    assert PASSWORD not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": None}, "--host: is missing; allowed: machine of the mongodb database"),
        ({"folder": None}, "--folder: is missing"),
        (
            {"queue_type": "slrum"},
            "--queue-type: 'slrum' is unknown; allowed: slurm, pbs, sge, lsf; did you mean 'slurm'?",
        ),
        ({"folder": "jobs"}, "resources.yaml: folder: 'jobs' is no absolute path"),
        (
            {"queue_type": "sge", "cores": 4},
            "resources.yaml: kinds.static.cores: 4 has no place in the job script of SGE",
        ),
        (
            {"user": "me", "password_env": "NO_SUCH_VARIABLE"},
            "--password-env: the environment variable NO_SUCH_VARIABLE",
        ),
        ({"user": "me"}, "--password-env or --password-file: is missing"),
    ],
)
def test_a_wrong_flag_is_answered_before_anything_is_written(
    setup: Setup, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    outcome = setup("--no-test-queue", **changes)
    assert outcome.code == 2
    assert outcome.err.splitlines()[0].startswith(f"wrong input: {says}")
    assert not (tmp_path / "cluster").exists()


def test_a_database_that_is_not_there_is_said_after_the_files_are_written(setup: Setup, tmp_path: Path) -> None:
    port = free_port()
    line = one_line(setup(port=port))
    assert line.startswith(
        f"{tmp_path}/cluster/my_launchpad.yaml: host, port: no database answers at 127.0.0.1:{port} within 5 s"
    )


@pytest.mark.slurm
def test_a_trivial_job_goes_through_the_queue(setup: Setup, slurm: Slurm, tmp_path: Path) -> None:
    outcome = setup(queue=queueing.PARTITION, wait=60)
    assert outcome.code == 0, outcome.err
    assert f"ran it with barriers {versions()['barriers']}\nready: barriers submit STUDY" in outcome.out
    assert "is in the queue" in outcome.err
    launchpad = find_cluster(tmp_path / "cluster").launchpad()
    assert [firework["state"] for firework in launchpad.fireworks.find()] == ["COMPLETED"]


@pytest.mark.slurm
def test_a_trivial_job_goes_through_commands_of_pbs(setup: Setup, slurm: Slurm, tmp_path: Path) -> None:
    need(shutil.which("qsub") is not None, "qsub of PBS or Slurm's own (slurm-wlm-torque)")
    outcome = setup(queue_type="pbs", queue=queueing.PARTITION, wait=60)
    assert outcome.code == 0, outcome.err
    assert "ran it with barriers" in outcome.out
    script = next((tmp_path / "jobs" / "trials").glob("launcher_*/FW_submit.script")).read_text()
    assert f"#PBS -q {queueing.PARTITION}\n" in script
    assert "#PBS -l nodes=1:ppn=1\n" in script


@pytest.mark.slurm
def test_an_unknown_queue_is_named(setup: Setup, slurm: Slurm, tmp_path: Path) -> None:
    line = one_line(setup(queue="nowhere"))
    assert line.startswith(
        f"{tmp_path}/cluster/my_qadapter.yaml: queue: 'nowhere' is refused by the queue: sbatch: error:"
    )
    launchpad = find_cluster(tmp_path / "cluster").launchpad()
    assert [firework["state"] for firework in launchpad.fireworks.find()] == ["DEFUSED"]


@pytest.mark.slurm
def test_a_queue_that_does_not_start_the_job_is_said_with_its_reason(
    setup: Setup, slurm: Slurm, tmp_path: Path
) -> None:
    slurm.ask("scontrol", "update", f"PartitionName={queueing.PARTITION}", "State=DOWN")
    try:
        line = one_line(setup(queue=queueing.PARTITION, wait=3))
    finally:
        slurm.drain()
        slurm.ask("scontrol", "update", f"PartitionName={queueing.PARTITION}", "State=UP")
    assert line.startswith(f"{tmp_path}/cluster/my_qadapter.yaml: queue: job ")
    assert "has no answer after 3 s (PENDING, PartitionDown)" in line


@pytest.mark.slurm
def test_a_missing_queue_command_is_said(setup: Setup, tmp_path: Path) -> None:
    line = one_line(setup(queue_type="lsf"))
    assert line.startswith(
        f"{tmp_path}/cluster/my_qadapter.yaml: _fw_q_type: no command bsub of LoadSharingFacility here"
    )


@pytest.fixture
def keep(
    setup: Setup, slurm: Slurm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, str]], str]:
    """Set up, change the worker's side of ``my_qadapter.yaml``, and test again: the one line that comes."""
    monkeypatch.setattr(trial, "GRACE", 1.0)
    assert setup("--no-test-queue", queue=queueing.PARTITION).code == 0

    def run(keys: dict[str, str]) -> str:
        path = tmp_path / "cluster" / "my_qadapter.yaml"
        yaml = YAML()
        yaml.dump(yaml.load(path) | keys, path)
        return one_line(setup("--keep", wait=60))

    return run


@pytest.mark.slurm
def test_a_worker_without_barriers_is_told_by_its_environment(keep: Any, tmp_path: Path) -> None:
    python = environment_without_barriers(tmp_path / "bare")
    code = "from fireworks.scripts.rlaunch_run import rlaunch; rlaunch()"
    line = keep(
        {"pre_rocket": "unset PYTHONPATH", "rocket_launch": f"{python} -c '{code}' -c {tmp_path}/cluster singleshot"}
    )
    assert line.startswith(f"{tmp_path}/cluster/my_qadapter.yaml: pre_rocket: the Python of job ")
    assert "has no 'barriers'; activate the environment" in line


@pytest.mark.slurm
@pytest.mark.parametrize(
    ("seen_from_the_worker", "says"),
    [
        ("port: {nobody}\nmongoclient_kwargs: {{serverSelectionTimeoutMS: 300}}", "host: the machine of job"),
        (f"port: {{guarded}}\nname: {DATABASE}\nusername: {USER}\npassword: no", "password: the machine of job"),
    ],
)
def test_a_database_that_the_worker_cannot_use_is_named(
    keep: Any, guarded: Mongod, tmp_path: Path, seen_from_the_worker: str, says: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "my_fworker.yaml").write_text((tmp_path / "cluster" / "my_fworker.yaml").read_text())
    (elsewhere / "my_launchpad.yaml").write_text(
        f"host: 127.0.0.1\n{seen_from_the_worker.format(nobody=free_port(), guarded=guarded.port)}\n"
    )
    line = keep({"rocket_launch": f"{Path(sys.executable).with_name('rlaunch')} -c {elsewhere} singleshot"})
    assert line.startswith(f"{tmp_path}/cluster/my_launchpad.yaml: {says}")


@pytest.mark.slurm
def test_a_job_folder_that_the_worker_cannot_write_is_named(keep: Any, tmp_path: Path) -> None:
    """The folder is a link that leads elsewhere once the job runs, as a file system that is not mounted there."""
    (tmp_path / "here").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "here")
    resources = tmp_path / "cluster" / "resources.yaml"
    resources.write_text(resources.read_text().replace(f"folder: {tmp_path}/jobs", f"folder: {link}"))
    line = keep({"pre_rocket": f"ln -sfn /proc {link}"})
    assert line.startswith(f"{resources}: folder: ")
    assert f"cannot write in {link}" in line


def test_in_a_terminal_it_asks(tmp_path: Path, mongod: Mongod) -> None:
    answers = [
        "127.0.0.1",
        str(mongod.port),
        f"setup-{uuid4().hex[:8]}",
        "",
        "slurm",
        "long",
        "",
        "",
        "/scratch/me",
        "4",
    ]
    command = f"{sys.executable} -m barriers setup fireworks --no-test-queue --config {tmp_path}/cluster"
    run = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        input="\n".join(answers) + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout
    assert "Queueing system (slurm, pbs, sge, lsf): " in run.stdout
    cluster = Cluster(tmp_path / "cluster")
    assert cluster.qadapter()["queue"] == "long"
    assert "account" not in cluster.qadapter()
    assert cluster.resources().for_job("relax").cores == 4


@pytest.mark.slurm
def test_a_launcher_that_is_not_on_the_worker_is_named(keep: Any, tmp_path: Path) -> None:
    line = keep({"rocket_launch": "/nowhere/bin/rlaunch singleshot"})
    assert line.startswith(f"{tmp_path}/cluster/my_qadapter.yaml: rocket_launch: job ")
    assert "/nowhere/bin/rlaunch: No such file or directory" in line
    launchpad = find_cluster(tmp_path / "cluster").launchpad()
    assert [firework["state"] for firework in launchpad.fireworks.find()] == ["DEFUSED"]


def environment_without_barriers(folder: Path) -> Path:
    """Make an environment with all that is installed here but barriers; its Python."""
    venv.create(folder, symlinks=True)
    here = Path(sysconfig.get_path("purelib"))
    there = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for path in here.iterdir():
        if "barriers" not in path.name and not (there / path.name).exists():
            (there / path.name).symlink_to(path)
    return folder / "bin" / "python"
