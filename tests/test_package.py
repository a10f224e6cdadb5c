"""What importing costs, what the wheel carries, and the README's Python example."""

from __future__ import annotations

import subprocess
import sys
import tomllib

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


def test_every_public_name_is_there() -> None:
    import barriers

    assert {name for name in barriers.__all__ if getattr(barriers, name) is None} == set()
    with pytest.raises(AttributeError, match="no_such_name"):
        barriers.no_such_name  # noqa: B018


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
    folders = {"barriers", "inputs", "flows", "tests", "docs"}
    assert {name for name in top if not name.startswith(".")} <= files | folders
