"""How the package and its extras are installed: every hint names a distribution and an extra that are there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import ROOT, Outcome
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from barriers import distribution
from barriers.dispatch.doctor import examine
from barriers.engines.mlip import models
from barriers.engines.mlip.models import ModelSpec, check_model, known_models, package_versions

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {extra: [Requirement(line) for line in lines] for extra, lines in PROJECT["optional-dependencies"].items()}
HINTS = {
    "7net-0": "pip install 'li-barriers[sevennet]'",
    "7net-l3i5": "pip install 'li-barriers[sevennet]'",
    "chgnet": "pip install 'li-barriers[mlip]'",
    "chgnet-r2scan": "pip install 'li-barriers[mlip]'",
    "mattersim-1m": "pip install 'li-barriers[mattersim]'",
    "chgnet.model.dynamics:CHGNetCalculator": "pip install 'li-barriers[mlip]'",
    "deepmd.calculator:DP": "pip install deepmd-kit",
    "fairchem.core:FAIRChemCalculator": "pip install fairchem-core",
    "mace.calculators:MACECalculator": "pip install mace-torch",
    "quippy.potential:Potential": "pip install quippy-ase",
    "mine:Argon": "install what brings it, or run where mine.py stands",
}
"""What to do where the package of a model is not there."""


def test_the_distribution_has_the_name_that_hints_give() -> None:
    assert PROJECT["name"] == distribution.NAME == "li-barriers"
    assert PROJECT["scripts"] == {"barriers": "barriers.cli:main"}


def test_every_requirement_is_bounded_from_above() -> None:
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    requirements = [Requirement(line) for line in lines]
    others = [each for each in requirements if each.name != distribution.NAME]
    assert [str(each) for each in others if not {part.operator for part in each.specifier} & {"<", "=="}] == []
    own = [extra for each in requirements if each.name == distribution.NAME for extra in each.extras]
    assert own and set(own) <= set(EXTRAS)


@pytest.mark.parametrize("folder", ["barriers", "docs", "flows", "inputs", "tests"])
def test_every_command_that_installs_names_this_distribution(folder: str) -> None:
    files = [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in {".py", ".md", ".yaml", ".j2"}]
    for path in [*files, ROOT / "README.md", ROOT / "CHANGELOG.md"]:
        text = path.read_text("utf-8")
        assert not re.search(r"pip install [^\n`]*(?<![-/\w])barriers\b(?! (run|init|check))", text), path
        named = re.findall(r"pip install (?:-e )?['\"](?:\.|li-barriers)\[([a-z,]+)\]['\"]", text)
        named += re.findall(r"\binstall\(['\"](\w+)['\"]\)", text)
        assert {extra for each in named for extra in each.split(",")} <= set(EXTRAS), path


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    citation = YAML(typ="safe").load(text)
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert {key: str(citation[key]) for key in ("version", "license")} == {
        key: PROJECT[key] for key in ("version", "license")
    }
    assert [author["name"] for author in citation["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert all({"type", "title", "authors", "journal", "year"} <= set(each) for each in citation["references"])
    assert f"li_barriers-{PROJECT['version']}-py3-none-any.whl" in (ROOT / "README.md").read_text("utf-8")
    assert "://" not in text + str(PROJECT.get("urls", ""))


def test_code_writes_the_command_in_one_place() -> None:
    writing = {path.name for path in (ROOT / "barriers").rglob("*.py") if "pip install" in path.read_text("utf-8")}
    assert writing == {"distribution.py", "models.py"}  # the latter for the distributions of others


def test_every_model_on_file_has_its_hint() -> None:
    with_package = {name for name, model in known_models().items() if model["package"] != "ase"}
    assert with_package == {name for name in HINTS if ":" not in name}
    for name in with_package:
        model = known_models()[name]
        assert models.distribution(model["package"]) in {each.name for each in EXTRAS[model["extra"]]}


@pytest.mark.parametrize("name", HINTS)
def test_a_model_without_its_package_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"needs the package '\w+'; ") as error:
        check_model(ModelSpec(name))
    assert str(error.value).partition("; ")[2] == HINTS[name]


ENGINE = "from barriers.engines import build_engine; from barriers.study.engines import {0}; build_engine({0}())"


@pytest.mark.parametrize(
    ("missing", "extra", "use"),
    [
        ("emmet", "emmet", "from barriers.files.exports import neb_result; neb_result(None)"),
        ("fireworks", "fireworks", "import barriers.dispatch.fireworks.config"),
        ("atomate2", "vasp", ENGINE.format("VaspSection") + ".static()"),  # checks need none
        ("custodian", "", ENGINE.format("EspressoSection")),
    ],
)
def test_what_is_missing_is_named_with_its_extra(missing: str, extra: str, use: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; {use}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith(f"; {distribution.install(extra)}")


def test_every_extra_brings_what_it_is_named_for() -> None:
    brought = {extra: {each.name for each in requirements} for extra, requirements in EXTRAS.items()}
    named = {"emmet": "emmet-core", "fireworks": "FireWorks", "remote": "jobflow-remote", "sqs": "sqsgenerator"}
    for extra, name in (named | {"mlip": "torch", "vasp": "atomate2"}).items():
        assert name in brought[extra]
    looked_at = {finding.part: finding.needed_for for finding in examine(Path("/nowhere"))}
    assert {looked_at[name.lower()] for name in named.values()} == {f"extra {extra}" for extra in named}


def test_the_version_is_that_of_the_distribution(cli: Callable[..., Outcome]) -> None:
    shown = cli("--version")
    assert (shown.code, shown.out) == (0, f"barriers {PROJECT['version']}\n")


def test_a_calculator_of_another_distribution_has_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(models.DISTRIBUTIONS, "matplotlib", "rich")
    packages = package_versions(ModelSpec("matplotlib.figure:Figure"))
    assert packages["rich"] == version("rich")
    assert "matplotlib" not in packages
