"""What importing costs, what the wheel carries, and the README's Python example."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib import import_module
from importlib.util import find_spec

import pytest
from conftest import ROOT

HEAVY = ("torch", "ase", "pymatgen", "jobflow", "rdkit", "scipy", "matplotlib", "numpy", "chgnet", "loky", "maggma")


@pytest.mark.parametrize(
    "statement", ["import barriers", "import barriers.cli", "from barriers.study.models import Study"]
)
def test_importing_loads_no_heavy_module(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint(sorted(set({HEAVY!r}) & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_help_loads_no_heavy_module() -> None:
    code = (
        "import sys\nsys.argv = ['barriers', '--help']\nfrom barriers.cli import main\n"
        f"try:\n    main()\nexcept SystemExit:\n    print('loaded', sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "Exit codes" in out
    assert out.strip().endswith("loaded []")


LIGHT = {
    "show": ("show", str(ROOT / "docs/data/ncm811_pvdf.json")),
    "status": ("status", str(ROOT / "inputs/ncm811_pvdf.yaml"), "--results", "nowhere"),
    "models": ("models",),
    "check": ("check", str(ROOT / "inputs/ncm811_pvdf.yaml")),
}
"""Commands that wait for no heavy package."""

NEVER = {"torch", "matplotlib", "atomate2", "pandas", "scipy.stats", "scipy.signal", "pymatgen.io.vasp"}
NOT_NEEDED = NEVER | {"jobflow", "maggma", "rdkit", "scipy.optimize", "ase.io", "pymatgen.io.ase"}


@pytest.mark.parametrize("command", LIGHT)
def test_a_command_that_shows_something_loads_only_what_it_needs(command: str) -> None:
    code = (
        f"import sys\nsys.argv = ['barriers', *{LIGHT[command]!r}]\nfrom barriers.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('loaded', sorted(sys.modules))"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, stderr=subprocess.DEVNULL)
    loaded = set(ast.literal_eval(out.rpartition("loaded ")[2]))
    assert loaded & (NEVER if command == "check" else NOT_NEEDED) == set()


def test_every_public_name_is_there() -> None:
    import barriers

    assert {name for name in barriers.__all__ if getattr(barriers, name) is None} == set()
    with pytest.raises(AttributeError, match="no_such_name"):
        barriers.no_such_name  # noqa: B018


def test_every_public_name_is_on_the_api_page_whose_modules_are_there() -> None:
    import barriers

    modules = re.findall(r"^- \[`(barriers[\w.]*)`\]", (ROOT / "docs" / "api.md").read_text("utf-8"), re.M)
    assert [module for module, times in Counter(modules).items() if times > 1 or find_spec(module) is None] == []
    # A module without __all__ shows what it defines, one with it what that names.
    shown = {
        name
        for module in map(import_module, modules)
        for name, thing in vars(module).items()
        if name in getattr(module, "__all__", ()) or getattr(thing, "__module__", "") == module.__name__
    }
    assert set(barriers.__all__) - shown == set()
    assert {"MlipEngine", "EspressoEngine", "VaspEngine"} <= set(barriers.__all__)


def test_docs_and_flows_import_from_the_package_itself() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "flows").glob("*.py")]
    deep = re.compile(r"^ *(?:from|import) barriers\..*$", re.M)
    assert {page.name: found for page in pages if (found := deep.findall(page.read_text("utf-8")))} == {}


def test_extras_and_scripts() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"mlip", "sevennet", "mattersim", "fireworks", "docs", "test", "dev", "bench"} <= set(
        project["optional-dependencies"]
    )
    assert project["license"] == "MIT"
    assert "torch" not in " ".join(project["dependencies"])


def test_nothing_stray_at_the_top_level() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in tracked}
    files = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"}
    folders = {"barriers", "inputs", "flows", "tests", "docs", "findings"}
    assert {name for name in top if not name.startswith(".")} <= files | folders
