"""Command lines as clusters have them: how many processes they make, and what no program is started for."""

from __future__ import annotations

from pathlib import Path

import pytest

from barriers.engines.espresso.command import code_version, parse_command
from barriers.engines.vasp.settings import Running

JOB = ("SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_JOB_NUM_NODES", "SLURM_TASKS_PER_NODE", "NSLOTS", "PBS_NODEFILE")


@pytest.fixture(autouse=True)
def _no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in JOB:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("launcher", "environment", "processes"),
    [
        ("", {"SLURM_NTASKS": "64"}, 1),
        ("mpirun -np 8", {"SLURM_NTASKS": "64"}, 8),
        ("mpirun -n64", {}, 64),
        ("mpirun -c 4", {}, 4),  # one more word for -n
        ("mpirun -N 4", {"SLURM_JOB_NUM_NODES": "2"}, 8),  # processes a node
        ("srun -c 4 -n 64", {}, 64),  # cores a process
        ("srun -n 64 -c 4", {}, 64),
        ("srun", {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "64"}, 64),
        ("srun -N 2 --ntasks-per-node=32", {}, 64),
        ("srun --ntasks-per-node 32", {"SLURM_JOB_ID": "1", "SLURM_JOB_NUM_NODES": "3"}, 96),
        # Slurm 22.05 ignores --ntasks-per-node where the job has a number of tasks.
        ("srun --ntasks-per-node=1", {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "2", "SLURM_JOB_NUM_NODES": "1"}, 2),
        # A job of whole nodes without a number of tasks: srun starts one a node, mpirun fills them.
        ("srun", {"SLURM_JOB_ID": "1", "SLURM_JOB_NUM_NODES": "3"}, 3),
        ("mpirun", {"SLURM_JOB_ID": "1", "SLURM_TASKS_PER_NODE": "32(x2),16"}, 80),
        ("mpirun", {"NSLOTS": "12"}, 12),
        ("srun", {}, None),
        ("mpirun", {}, None),
        ("mpirun -np $SLURM_NTASKS", {"SLURM_NTASKS": "16"}, 16),
        ("mpirun -np $SLURM_NTASKS", {}, None),
        ("mpirun -np 4 -x OMP_NUM_THREADS=1 apptainer exec --env A=1 qe.sif", {}, 4),
        ("apptainer exec qe.sif", {}, 1),
    ],
)
def test_both_engines_count_the_processes_of_a_command_alike(
    launcher: str, environment: dict[str, str], processes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert parse_command(f"{launcher} neb.x").processes == processes
    if "mpi" in launcher or "srun" in launcher:
        assert Running(f"{launcher} vasp_std").cores == processes


def test_processes_are_counted_from_the_nodes_of_pbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nodes").write_text("n1\nn1\nn2\n")
    monkeypatch.setenv("PBS_NODEFILE", str(tmp_path / "nodes"))
    assert parse_command("mpirun neb.x").processes == 3


def test_the_plan_says_how_many_processes_an_image_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        parse_command("srun neb.x -ni 4")
        .plans(8)[1]
        .endswith("as many processes as the job has; 4 of 8 images at a time")
    )
    monkeypatch.setenv("SLURM_NTASKS", "64")
    assert parse_command("srun neb.x -nk 2").plans(4) == [
        "single structures: srun pw.x -nk 2: 64 processes (SLURM_NTASKS)",
        "bands: srun neb.x -nk 2 -ni 4: 64 processes (SLURM_NTASKS); 4 of 4 images at a time, 16 processes each",
    ]
    assert Running("srun vasp_std").plans(4)[1].endswith("4 of 4 images at a time, 16 processes each")


@pytest.mark.parametrize("engine", ["neb.x", "vasp_std"])
@pytest.mark.parametrize(
    "text", ["module load qe && {}", "OMP_NUM_THREADS=1 mpirun {}", "mpirun {} > out", "mpirun '{}"]
)
def test_what_is_for_a_shell_is_refused(text: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"^engine.command: .*allowed: ") as caught:
        parse_command(text.format(engine)) if engine == "neb.x" else Running(text.format(engine)).check()
    assert "\n" not in str(caught.value)


def test_a_variable_that_is_not_set_is_known_when_the_code_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    command = "mpirun -np $SLURM_NTASKS {}"
    for words in (
        lambda: parse_command(command.format("neb.x")).neb(3, "a"),
        Running(command.format("vasp")).launch.words,
    ):
        with pytest.raises(ValueError, match=r"^engine.command: \$SLURM_NTASKS is not set here"):
            words()
    with pytest.raises(ValueError, match=r"no program '\$QE_ROOT_NOT_SET/neb.x' here; a variable in it is not set"):
        parse_command("$QE_ROOT_NOT_SET/neb.x").check()
    monkeypatch.setenv("SLURM_NTASKS", "6")
    assert parse_command(command.format("neb.x")).neb(3, "a") == [
        "mpirun",
        "-np",
        "6",
        "neb.x",
        "-ni",
        "3",
        "-inp",
        "a",
    ]


def programs(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)


def test_the_code_in_a_container_is_not_looked_for_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(
        tmp_path, apptainer='echo "     Program PWSCF v.7.9 starts"; echo "$@" > asked; cp asked "$(dirname "$0")"'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    command = parse_command("apptainer exec img.sif /qe/neb.x")
    command.check()
    assert code_version(command) == ((7, 9), "7.9")
    assert (tmp_path / "asked").read_text() == "exec img.sif /qe/pw.x -inp version.in\n"


def test_copies_that_know_nothing_of_each_other_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, mpirun='for i in 1 2; do echo "     Program PWSCF v.7.8 starts"; done')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"mpirun starts 2 copies of pw.x that know nothing of each other"):
        code_version(parse_command("mpirun -np 2 neb.x"))


def test_what_a_launcher_says_in_a_frame_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, mpirun="printf -- '-----\\nmpirun will not run here.\\n\\nAsk.\\n-----\\n' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ValueError, match=r"it says: mpirun will not run here\.$"):
        code_version(parse_command("mpirun -np 2 neb.x"))


def test_no_queue_is_asked_for_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, **{"pw.x": 'echo "     Program PWSCF v.7.6 starts"', "srun": "exit 9"})
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert code_version(parse_command("srun -n 64 neb.x"))[1] == "7.6"
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    with pytest.raises(ValueError, match=r"does not say its version; .*srun --mpi="):
        code_version(parse_command("srun -n 32 neb.x"))
