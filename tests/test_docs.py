"""The docs build, their examples do what they say, and what they name exists."""

from __future__ import annotations

import importlib.util
import json
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

sys.path.append(str(ROOT / "docs"))
from write_tables import MODULE, with_tables

DOCS = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.ipynb")])
LISTED = ("index", "genindex", "py-modindex", "search")
"""Pages that no other needs to lead to."""

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = set(typer.main.get_group(app).commands)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.M | re.S)
"""A block of code: its language, its text, and the output that follows it, if any."""


def ids(page: Path) -> str:
    return page.name


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    return [(text, output) for kind, text, output in BLOCK.findall(page.read_text("utf-8")) if kind == language]


@pytest.mark.slow
def test_the_docs_build_without_a_warning_and_leave_nothing_raw(tmp_path: Path) -> None:
    if not all(map(importlib.util.find_spec, ("sphinx", "myst_parser", "furo"))):
        assert not os.environ.get("CI"), "CI builds the docs: install the extra 'docs'"
        pytest.skip("needs the extra 'docs'")
    options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(tmp_path / "trees")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT / "docs"), str(tmp_path / "html")]
    build = subprocess.run(command, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    built = {path.stem: path.read_text("utf-8") for path in (tmp_path / "html").glob("*.html")}
    assert set(built) - {"genindex", "py-modindex", "search"} == {path.stem for path in DOCS}
    articles = {name: re.findall(r"<article.*?</article>", html, re.S)[0] for name, html in built.items()}
    for name, html in articles.items():
        assert re.findall(r"<a [^>]*>\s*</a>", html) == [], name
        prose = re.sub(r"<(pre|code).*?</\1>", "code", html, flags=re.S)
        assert re.findall(r"\{\{|\}\}|\]\(|```|&lt;!--|^: ", prose, re.M) == [], name
    assert "systems[].placement.mode" in articles["study-file"]
    assert 'id="barriers.workflow.barrier.BarrierMaker"' in articles["api"]
    assert 'href="api.html#barriers.documents.StudyDoc"' in articles["python"]
    assert articles["first-barrier"].count("<img ") == articles["your-own-material"].count("<img ") == 2
    for name in built:
        assert name in LISTED or f'href="{name}.html"' in built["index"], name


@pytest.mark.parametrize("page", DOCS, ids=ids)
def test_a_page_reads_well_as_it_stands(page: Path) -> None:
    text = page.read_text("utf-8")
    if page.suffix == ".ipynb":
        text = "\n\n".join(
            "".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"
        )
    prose = re.sub(r"^```(?!\{).*?^```$|`[^`\n]+`", "code", text, flags=re.M | re.S)
    assert re.findall(r"\[\s*\]\(|\{\{|\}\}|^```\{\w|\{\w+\}`|^:::|^: |^\.\. ", prose, re.M) == []


@pytest.mark.parametrize("page", [page for page in DOCS if page.suffix == ".md"], ids=ids)
def test_tables_made_from_the_code_are_those_of_this_code(page: Path) -> None:
    assert with_tables(page.read_text("utf-8")) == page.read_text("utf-8"), "run python docs/write_tables.py"


def test_the_api_page_lists_what_other_pages_name() -> None:
    listed = {name for name, _ in MODULE.findall((ROOT / "docs" / "api.md").read_text("utf-8"))}
    texts = [path.read_text("utf-8") for path in DOCS if path.stem != "api"]
    named = {name for text in texts for name in re.findall(r"\bbarriers(?:\.[a-z_]+)+", text)}
    named |= {
        f"barriers.{name.replace('/', '.')}" for text in texts for name in re.findall(r"`([a-z_]+/[a-z_/]+)\.py`", text)
    }
    named = {name.removesuffix(".__init__") for name in named}
    modules = {name for name in named if (ROOT / f"{name.replace('.', '/')}.py").is_file()}
    assert len(modules) > 10
    assert modules - listed == set()
    science = {f"barriers.analysis.{path.stem}" for path in (ROOT / "barriers" / "analysis").glob("[a-z]*.py")}
    assert science - listed == set()


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
