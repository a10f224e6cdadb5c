"""``barriers init``, ``check``, ``build``, ``models`` and ``run`` up to where it would compute."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io import read
from conftest import ROOT, Outcome

from barriers.study.file import load_study, read_form
from barriers.study.forms import MatrixStudy
from barriers.workflow.labels import notes_of
from barriers.workflow.study import StudyMaker

Cli = Callable[..., Outcome]
BAD = sorted((Path(__file__).parent / "data" / "bad_studies").glob("*.yaml"))


@pytest.mark.parametrize("command", ["check", "build", "run"])
@pytest.mark.parametrize("path", BAD[::8], ids=lambda path: path.stem)
def test_a_bad_study_stops_every_command_before_anything_happens(
    cli: Cli, path: Path, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli(command, path)
    assert outcome.code == 2
    assert outcome.out == ""
    assert all(line.startswith("wrong input: ") for line in outcome.err.splitlines())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_there_are_at_least_twenty_bad_studies_and_each_exits_with_two(cli: Cli, path: Path) -> None:
    assert len(BAD) >= 20
    assert cli("check", path).code == 2


def test_init_writes_studies_that_pass_their_check(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("init", tmp_path)
    assert outcome.code == 0
    for path in (ROOT / "inputs").glob("*.yaml"):
        written = tmp_path / "inputs" / path.name
        study = read_form(path.read_text("utf-8"))
        assert read_form(written.read_text("utf-8")) == study
        assert ("ps" if isinstance(study, MatrixStudy) else "eV/Å") in written.read_text("utf-8")
    for path in [*(ROOT / "inputs").glob("*.vasp"), *(ROOT / "flows").glob("*.py")]:
        assert (tmp_path / path.relative_to(ROOT)).read_text("utf-8") == path.read_text("utf-8")
    ast.parse((tmp_path / "flows" / "ncm811_pvdf.py").read_text("utf-8"))
    again = cli("init", tmp_path)
    assert again.code == 2
    assert "is there already" in again.err


@pytest.mark.mlip
def test_check_prints_the_plan(cli: Cli) -> None:
    plan = json.loads(cli("check", ROOT / "inputs" / "ncm811_pvdf.yaml", "--json").out)
    assert [system["atoms"] for system in plan["systems"]] == [72, 86, 84]
    assert plan["systems"][2]["formula"].endswith("H5 C4 O36 F3")
    assert plan["hops"][0]["distance"] == pytest.approx(2.913, abs=1e-3)
    assert plan["jobs"] == {"slab": 1, "endpoint": 6, "band": 5, "placement": 4, "interface": 2, "fragment alone": 4}
    assert plan["expected_seconds"] > 60
    table = cli("check", ROOT / "inputs" / "ncm811_pvdf.yaml").out
    assert "NCM@PVDF-HF" in table
    assert "on this machine" in table


@pytest.mark.parametrize(
    "fragment, placement, image",
    [
        ("{polymer: PAN, units: 3}", "{mode: at a distance}", "its own image,"),
        ("{polymer: PVDF, units: 1}", "{count: 3, mode: in contact}", "its own image or another fragment,"),
    ],
)
def test_a_fragment_near_its_own_image_is_warned_of_before_and_in_the_results(
    cli: Cli, tmp_path: Path, fragment: str, placement: str, image: str
) -> None:
    facet = "[0, 0, 3]" if "PAN" in fragment else "[1, 0, 4]"
    text = f"name: near\nsystems: [{{name: bare}}, {{name: covered, fragment: {fragment}, placement: {placement}}}]\n"
    study = tmp_path / "near.yaml"
    study.write_text(f"{text}surface: {{facet: {facet}, min_lengths: [8, 8]}}\n", "utf-8")
    (line,) = (line for line in cli("check", study).out.splitlines() if "covered: the fragment" in line)
    assert image in line
    assert line.removeprefix("! ") in StudyMaker().about(load_study(study)).notes
    assert line.removeprefix("! ") in notes_of(StudyMaker().make(load_study(study)))
    lengths = re.search(r"surface.min_lengths: (.*) mends it", line).group(1)
    study.write_text(f"{text}surface: {{facet: {facet}, min_lengths: {lengths}}}\n", "utf-8")
    assert not [line for line in StudyMaker().about(load_study(study)).notes if "covered" in line]


def test_build_writes_what_check_announces(cli: Cli, tmp_path: Path) -> None:
    built = json.loads(cli("build", ROOT / "inputs" / "ncm811_pvdf.yaml", "--out", tmp_path, "--json").out)
    atoms = {Path(row["files"][0]).stem: read(row["files"][0]) for row in built["structures"]}
    assert len(atoms["slab"]) == 72
    assert len(atoms["NCM+PVDF-HF--placement--1"]) == 84
    for system in ("NCM", "NCM+PVDF", "NCM+PVDF-HF"):
        initial, final = (atoms[f"{system}--sub-surface--{which}"] for which in ("initial", "final"))
        assert initial.get_chemical_formula() == final.get_chemical_formula()
    assert len(atoms["slab"].constraints[0].index) == 24


def test_models_say_what_is_ready(cli: Cli) -> None:
    rows = {row["name"]: row for row in json.loads(cli("models", "--json").out)}
    assert rows["emt"]["ready"]
    assert {"chgnet", "7net-0", "7net-l3i5", "mattersim-1m"} <= rows.keys()
    assert "chgnet" in cli("models").out


@pytest.mark.parametrize("command", ["show", "plot"])
def test_a_folder_without_results_is_named(cli: Cli, tmp_path: Path, command: str) -> None:
    outcome = cli(command, tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert str(tmp_path) in outcome.err
    (tmp_path / "study.json").write_text('{"schema_version": 99}')
    assert "schema version 99" in cli(command, tmp_path).err


@pytest.mark.parametrize("command", ["init", "check", "build", "run", "neb", "show", "plot", "models"])
def test_every_command_has_help_that_teaches(cli: Cli, command: str) -> None:
    outcome = cli(command, "--help")
    assert outcome.code == 0
    assert len(outcome.out.split()) > 20
