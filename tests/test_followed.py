"""The pages followed: every command of tutorial and getting started, and the notebooks, in what a fresh clone has."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Outcome

sys.path.append(str(ROOT / "docs"))
from run_notebooks import run_notebook, shown

pytestmark = pytest.mark.mlip
Cli = Callable[..., Outcome]
NOTEBOOKS = sorted((ROOT / "docs").glob("*.ipynb"))
MAIN_JOB = ROOT / "results" / "ncm811_pvdf"
FOLLOWED: dict[str, str] = {}
"""What each command printed; one that stands on both pages is run once."""


NUMBER = re.compile(r"\d+(?:\.\d+)?")


def alike(line: str, other: str) -> bool:
    """Whether two lines say the same but for the last digits, which another machine may round otherwise."""
    numbers = [[float(number) for number in NUMBER.findall(each)] for each in (line, other)]
    return NUMBER.sub("", line) == NUMBER.sub("", other) and numbers[0] == pytest.approx(numbers[1], abs=0.02)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the repository's inputs and the main job's results, as the README's first command leaves them."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "inputs").symlink_to(ROOT / "inputs")
    (folder / "docs").mkdir()
    (folder / "results").mkdir()
    (folder / "docs" / "results").symlink_to(folder / "results")
    if (MAIN_JOB / "study.json").exists():
        shutil.copytree(MAIN_JOB, folder / "results" / MAIN_JOB.name)
    return folder


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_prints_and_draws_what_it_shows(path: Path, clone: Path) -> None:
    kept = json.loads(path.read_text("utf-8"))
    again = run_notebook(path, clone / "docs")
    assert shown(kept) == shown(again)
    assert [word for cell in shown(kept) for word in cell].count("picture") == 2
    numbers = [cell["execution_count"] for cell in kept["cells"] if cell["cell_type"] == "code"]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", ["tutorial", "getting-started"])
def test_every_command_of_a_page_does_what_it_says(
    page: str, clone: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (MAIN_JOB / "study.json").exists():
        assert not os.environ.get("CI"), "the README's first command has left no results"
        pytest.skip("run the README's first command first")
    monkeypatch.chdir(clone)
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    installs = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)[0]
    said = ""
    for line in "".join(re.findall(r"^```bash\n(.*?)^```$", text, re.M | re.S)).splitlines():
        command = line.partition("#")[0].strip()
        if not command.startswith("barriers "):
            assert installs.startswith(command)  # CI has run it
            continue
        if command not in FOLLOWED:
            outcome = cli(*shlex.split(command)[1:])
            assert outcome.code == 0, outcome.err
            FOLLOWED[command] = outcome.out
        said += FOLLOWED[command]
    expected = "".join(re.findall(r"^```text\n(.*?)^```$", text, re.M | re.S)).splitlines()
    assert [line for line in expected if not any(alike(line, other) for other in said.splitlines())] == []
    for made in ("built/contact-sheet.png", "profiles-sub-surface.svg", "report.html"):
        assert (clone / "results" / "ncm811_pvdf" / made).is_file(), made
    assert (clone / "for_others" / "ncm811_pvdf.zip").is_file()
