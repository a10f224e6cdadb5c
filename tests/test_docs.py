"""The docs build, their examples do what they say, and what they name exists."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from conftest import ROOT

from barriers.cli import app
from barriers.study.errors import StudyError
from barriers.study.file import read_study

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = set(typer.main.get_group(app).commands)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.M | re.S)
"""A block of code: its language, its text, and the output that follows it, if any."""


def ids(page: Path) -> str:
    return page.name


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    return [(text, output) for kind, text, output in BLOCK.findall(page.read_text("utf-8")) if kind == language]


@pytest.mark.slow
def test_the_docs_build_without_a_warning(tmp_path: Path) -> None:
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo"))):
        assert not os.environ.get("CI"), "CI builds the docs: install the extra 'docs'"
        pytest.skip("needs the extra 'docs'")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(tmp_path / "html")]
    build = subprocess.run(command, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    fields = (tmp_path / "html" / "study-file.html").read_text("utf-8")
    assert "systems[].placement.mode" in fields
    assert "study_fields" not in fields


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_the_commands_named_exist(page: Path) -> None:
    code = re.findall(r"^```bash\n(.*?)^```$|`([^`\n]+)`", page.read_text("utf-8"), re.M | re.S)
    named = {
        name for parts in code for name in re.findall(r"(?:^|&& )barriers(?: --\w+)? ([a-z]\w*)", "".join(parts), re.M)
    }
    assert named <= COMMANDS


def test_every_command_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "getting-started.md").read_text("utf-8")
    assert [name for name in sorted(COMMANDS) if f"| `barriers {name}` |" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    targets = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]*)\)", text) if "://" not in link]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if any(out for _, out in blocks(page, "python"))], ids=ids)
def test_examples_print_what_the_page_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "example"}
    for text, output in blocks(page, "python"):
        if output:
            exec(compile(text, page.name, "exec"), names)
            assert capsys.readouterr().out == output


def test_example_studies_are_read_or_refused_as_the_page_says() -> None:
    examples = [(text, output) for text, output in blocks(ROOT / "docs" / "study-file.md", "yaml")]
    assert {bool(output) for _, output in examples} == {True, False}
    for text, output in examples:
        try:
            read_study(text)
            problems = []
        except StudyError as error:
            problems = error.problems
        assert problems == output.splitlines()
