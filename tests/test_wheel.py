"""The wheel in an empty environment, far from any checkout: what people have who only have the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest
from conftest import ROOT

from barriers.distribution import install

pytestmark = pytest.mark.slow  # fetches the build tool and all that the package requires, about 1 GB unpacked


def call(folder: Path, *command: str | Path) -> str:
    """Run a program in a folder, without what the environment says to Python."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=inherited, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of an environment with the wheel, what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    venv.create(folder / "env", with_pip=True)
    pip = folder / "env" / "bin" / "pip"
    call(folder, pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("li_barriers-*.whl")
    call(folder, pip, "install", "--quiet", "--no-compile", wheel)
    return pip.parent


def test_it_writes_the_examples_and_finds_a_barrier(
    programs: Path, tmp_path: Path, gold_files: tuple[Path, Path]
) -> None:
    def barriers(*arguments: str | Path) -> str:
        return call(tmp_path, programs / "barriers", *arguments)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert barriers("--version") == f"barriers {project['version']}\n"
    barriers("init")
    for kind in ("inputs", "flows"):
        assert {path.name for path in (tmp_path / kind).iterdir()} == {path.name for path in (ROOT / kind).glob("*.*")}
    assert json.loads(barriers("neb", "--model", "emt", "--json", *gold_files))["forward"] == pytest.approx(
        0.374, abs=0.001
    )
    page = Path(json.loads(barriers("report", "--json", next((tmp_path / "results").iterdir())))[0])
    assert "window.$3Dmol=" in (tmp_path / page).read_text("utf-8")  # out of a package that it requires


def test_the_command_of_the_hints_adds_an_extra(programs: Path) -> None:
    """Though no index may have this distribution: pip takes the extra from the one that is installed."""
    command = install("sqs").replace("'", "").split()
    added = call(programs, programs / command[0], *command[1:], "--dry-run").splitlines()[-1]
    assert added.startswith("Would install sqsgenerator-")
