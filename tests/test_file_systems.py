"""File systems that lock nothing or are full: what goes on, what is said, and that no result is lost."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io import write
from conftest import ROOT, Outcome, gold_on_aluminium
from external import need

from barriers.cli import verdict
from barriers.disk import NO_LOCKS, trouble, writing
from barriers.dispatch import opening
from barriers.dispatch.lock import NOTE, has_locks, only_run
from barriers.dispatch.sqlite import SqliteStore

TESTS = Path(__file__).parent
Command = Callable[..., Outcome]

WRITER = """
import sys
from barriers.dispatch.sqlite import SqliteStore
store = SqliteStore(sys.argv[1]); store.connect()
for number in range(int(sys.argv[3])):
    store.update({"uuid": f"{sys.argv[2]}-{number}", "index": 1, "output": [number] * 20_000})
    assert store.query_one({"uuid": f"{sys.argv[2]}-0"})["output"] == [0] * 20_000
    print(number, flush=True)
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that takes locks and room away from the programs that load it."""
    need(shutil.which("gcc") is not None, "gcc")
    library = tmp_path_factory.mktemp("shim") / "file_system.so"
    command = ["gcc", "-shared", "-fPIC", "-o", library, TESTS / "file_system.c", "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture
def python(shim: Path, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start Python on such a file system."""

    def start(*arguments: str | Path, **said: object) -> subprocess.Popen[str]:
        environment = os.environ | {"LD_PRELOAD": str(shim), "PYTHONPATH": f"{TESTS}:{ROOT}", "OMP_NUM_THREADS": "1"}
        environment |= {name: str(value) for name, value in said.items()}
        command = [sys.executable, *map(str, arguments)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=tmp_path)

    return start


@pytest.fixture
def barriers(python: Callable[..., subprocess.Popen[str]]) -> Command:
    """Run ``barriers ARGS`` on such a file system."""

    def run(*arguments: str | Path, **said: object) -> Outcome:
        process = python("-m", "barriers", *arguments, **said)
        out, err = process.communicate()
        assert "Traceback" not in err
        return Outcome(process.returncode, out, err)

    return run


@pytest.fixture
def golds(tmp_path: Path) -> tuple[Path, Path]:
    """Files of the hop of Au on Al(100)."""
    paths = tmp_path / "a.traj", tmp_path / "b.traj"
    for path, atoms in zip(paths, gold_on_aluminium(), strict=True):
        write(path, atoms)
    return paths


@pytest.mark.parametrize("number", sorted(NO_LOCKS))
def test_a_folder_without_locks_is_used_with_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(fcntl, "lockf", refuse)
    with only_run(tmp_path):
        store = SqliteStore(tmp_path / "documents.sqlite")
        store.connect()
        store._collection.execute("BEGIN IMMEDIATE")
        assert (tmp_path / "documents.sqlite.lock").is_dir()
        store._collection.execute("ROLLBACK")
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == f"! {tmp_path}: this file system has no locks; start one run at a time in this folder"


def test_a_lock_that_fails_for_another_reason_is_no_missing_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="Input/output"), only_run(tmp_path):
        pass


def test_a_machine_with_locks_guards_the_file_as_one_without_does(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    assert has_locks(tmp_path / "here")
    (tmp_path / NOTE).touch()
    assert not has_locks(tmp_path)
    store = SqliteStore(tmp_path / "documents.sqlite")
    store.connect()
    store._collection.execute("BEGIN IMMEDIATE")
    assert (tmp_path / "documents.sqlite.lock").is_dir()


def test_several_processes_lose_nothing_without_locks(
    python: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "documents.sqlite"
    writers = [python("-c", WRITER, path, number, 15, NO_LOCKS=errno.ENOSYS) for number in range(3)]
    for writer in writers:
        assert writer.communicate()[1] == ""
        assert writer.returncode == 0
    store = SqliteStore(path)
    store.connect()
    assert store.count() == 45
    assert store._collection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not (tmp_path / "documents.sqlite.lock").exists()


def test_what_a_killed_process_left_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.1)
    (tmp_path / NOTE).touch()
    path = tmp_path / "documents.sqlite"
    left = Path(f"{path}.lock")
    left.mkdir()
    with pytest.raises(OSError) as error:
        SqliteStore(path).connect()
    code, line = verdict(error.value)
    assert (code, line) == (1, f"failed: {path}: locked; if nothing runs, a killed process left {left}: remove it")
    left.rmdir()
    SqliteStore(path).connect()


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_commands_work_on_a_file_system_without_locks(
    barriers: Command, golds: tuple[Path, Path], tmp_path: Path, number: int
) -> None:
    outcome = barriers("neb", *golds, "--images", "1", "--fmax", "0.1", "--model", "emt", "--json", NO_LOCKS=number)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["forward"] == pytest.approx(0.374, abs=0.01)
    warning = "this file system has no locks; start one run at a time in this folder"
    assert outcome.err.count(warning) == 1
    again = barriers("neb", *golds, "--images", "1", "--fmax", "0.1", "--model", "emt", "--json", NO_LOCKS=number)
    assert json.loads(again.out)["force_calls_this_run"] == 0
    name = Path(found["results"]).name
    (tmp_path / "study.yaml").write_text(f"name: {name}\nendpoints: {{initial: a.traj, final: b.traj}}\n")
    status = barriers("status", "study.yaml", "--json", NO_LOCKS=number)
    assert status.code == 0, status.err
    assert {job["state"] for job in json.loads(status.out)["jobs"]} == {"done"}


@pytest.mark.slow
def test_a_full_disk_is_no_wrong_input(barriers: Command, golds: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    command = ("neb", *golds, "--images", "1", "--fmax", "0.1", "--model", "emt", "--results", "full")
    outcome = barriers(*command, FULL="/full/")
    assert outcome.code == 1
    last = outcome.err.splitlines()[-1]
    assert last.startswith(f"failed: disk full while writing {tmp_path}/full/")
    assert last.endswith("; free space and run the same command again")
    assert "wrong input" not in outcome.err
    assert barriers(*command).code == 0


@pytest.mark.slow
def test_a_disk_that_is_full_at_the_end_is_told_with_the_folder(
    barriers: Command, golds: tuple[Path, Path], tmp_path: Path
) -> None:
    command = ("neb", *golds, "--images", "1", "--fmax", "0.1", "--model", "emt")
    outcome = barriers(*command, FULL="study.json")
    assert outcome.code == 1
    (folder,) = (tmp_path / "results").iterdir()
    assert f"failed: disk full while writing {folder.relative_to(tmp_path)}; free space and run" in outcome.err
    page = barriers("report", folder, FULL="report.html") if barriers(*command).code == 0 else None
    assert page is not None
    assert (page.code, page.err) == (
        1,
        f"failed: disk full while writing {folder}/report.html; free space and run the same command again\n",
    )


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "failed: disk full while writing {path}; free space and run the same command again"),
        (errno.EDQUOT, "failed: disk quota used up while writing {path}; free space and run the same command again"),
        (errno.EIO, "failed: {path}: Input/output error"),
        (errno.EMFILE, "failed: {path}: Too many open files"),
        (errno.ESTALE, "failed: {path}: Stale file handle"),
        (errno.EACCES, "wrong input: {path}: cannot be written: Permission denied"),
        (errno.ENOTDIR, "wrong input: {path}: cannot be written: Not a directory"),
        (errno.EROFS, "wrong input: {path}: cannot be written: Read-only file system"),
    ],
)
def test_what_the_system_says_is_told_as_what_it_is(tmp_path: Path, number: int, line: str) -> None:
    path = tmp_path / "file"
    with pytest.raises((OSError, ValueError)) as error, writing(path):
        raise OSError(number, os.strerror(number))
    code, said = verdict(error.value)
    assert said == line.format(path=path)
    assert code == (2 if line.startswith("wrong input") else 1)


def test_an_error_in_words_of_our_own_stays_wrong_input() -> None:
    assert verdict(BlockingIOError("folder: process 3 runs here")) == (2, "wrong input: folder: process 3 runs here")
    assert trouble(ValueError("no")) is None
