"""``barriers new`` and one example of ``barriers init``: studies to begin with, which their check accepts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from conftest import ROOT, Outcome, gold_on_aluminium

from barriers.files.structures import to_structure, write_structure
from barriers.study.begun import begin_study, miller
from barriers.study.file import read_study
from barriers.study.marks import eliminations, names_on_file
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.study.template import render
from barriers.workflow.pair import single_barrier

Cli = Callable[..., Outcome]
OPTIONS = ("--cathode", "NCM811", "--facet", "104", "--polymer", "PVDF", "--eliminate", "HF")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.mlip
def test_the_study_is_written_with_every_setting_explained_and_its_check_accepts_it(cli: Cli, here: Path) -> None:
    outcome = cli("new", *OPTIONS)
    assert outcome.out == "wrote ncm811_104_pvdf.yaml\nnext: barriers check ncm811_104_pvdf.yaml\n"
    text = (here / "ncm811_104_pvdf.yaml").read_text("utf-8")
    assert text.count("# ") > 100
    assert read_study(text) == begin_study("NCM811", "104", "PVDF", "HF", "mlip")
    plan = json.loads(cli("check", "ncm811_104_pvdf.yaml", "--json").out)
    assert [system["name"] for system in plan["systems"]] == ["NCM811", "NCM811@PVDF", "NCM811@PVDF-HF"]
    again = cli("new", *OPTIONS)
    assert (again.code, again.out) == (2, "")
    assert "ncm811_104_pvdf.yaml: is there already" in again.err


@pytest.mark.qe
def test_with_quantum_espresso_paths_come_from_the_model(cli: Cli, here: Path) -> None:
    assert cli("new", "dft.yaml", *OPTIONS, "--engine", "espresso").code == 0
    study = read_study((here / "dft.yaml").read_text("utf-8"))
    assert (study.name, study.engine.kind, study.path.from_) == ("dft", "espresso", "mlip")
    checked = cli("check", "dft.yaml")
    assert checked.code == 0, checked.err


def test_whoever_sits_at_the_terminal_is_asked_for_what_no_option_says(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"Facet": "0 0 3", "Polymer": "PAN", "What": "HCN", "Engine": "mlip"}
    asked = []

    def answer(question: str, usual: str, **_: object) -> str:
        asked.append(question.split(maxsplit=1)[0])
        return answers.get(asked[-1], usual)

    monkeypatch.setattr(typer, "prompt", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert cli("new", "--cathode", "LiNi0.7Co0.3O2").code == 0
    assert asked == ["Facet", "Polymer", "What", "Engine"]
    study = read_study((here / "lini0.7co0.3o2_003_pan.yaml").read_text("utf-8"))
    assert study.surface.facet == (0, 0, 3)
    assert study.systems[-1].fragment.eliminate == "HCN"


@pytest.mark.parametrize("polymer", [None, *names_on_file("polymers"), "[*]CC(C#N)[*]"])
def test_every_polymer_makes_a_study_that_is_read_back(polymer: str | None) -> None:
    known = polymer in names_on_file("polymers") and eliminations(polymer)
    study = begin_study("mine/oxide.cif", "1,0,-4", polymer, known[0] if known else None, "vasp")
    assert read_study(render(study)) == study
    assert (study.cathode.file, study.surface.facet) == ("mine/oxide.cif", (1, 0, -4))
    assert len(study.systems) == 1 + (polymer is not None) + bool(known)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--polymer", "PVDF", "--eliminate", "HCN"), "'HCN' is no elimination of PVDF; allowed: HF"),
        (("--eliminate", "HF"), "--eliminate: 'HF' is eliminated from nothing; allowed: with --polymer"),
        (("--facet", "10"), "--facet: '10' is no facet; allowed: three Miller indices, such as 104 or 1,0,-4"),
        (("--facet", "1x04"), "--facet: '1x04' is no facet"),
        (("--engine", "qe"), "--engine: 'qe' is unknown; allowed: mlip, espresso, vasp"),
        (("--cathode", "NCM81"), "did you mean 'NCM811'?"),
    ],
)
def test_what_is_not_allowed_is_one_line_and_no_file(cli: Cli, here: Path, options: tuple[str, ...], says: str) -> None:
    outcome = cli("new", *options)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert says in outcome.err
    assert list(here.iterdir()) == []


def test_miller_indices_as_people_write_them() -> None:
    assert miller("104") == miller("1,0,4") == miller("(1 0 4)") == [1, 0, 4]
    assert miller("10-4") == miller("1, 0, -4") == [1, 0, -4]


def test_init_writes_one_example_with_the_structures_that_it_names(cli: Cli, here: Path) -> None:
    assert cli("init", "--only", "li2o_espresso").code == 0
    written = sorted(path.name for path in (here / "inputs").iterdir())
    assert written == ["li2o_espresso.yaml", "li2o_final.vasp", "li2o_initial.vasp"]
    assert not (here / "flows").exists()
    shipped = (ROOT / "inputs" / "li2o_espresso.yaml").read_text("utf-8")
    assert read_study((here / "inputs" / "li2o_espresso.yaml").read_text("utf-8")) == read_study(shipped)
    refused = cli("init", "--only", "ncm811")
    assert refused.code == 2
    assert "'ncm811' is no example; allowed: li2o_espresso, " in refused.err


def test_two_structures_have_the_defaults_of_a_study(here: Path) -> None:
    for name, atoms in zip(("a.vasp", "b.vasp"), gold_on_aluminium(), strict=True):
        write_structure(to_structure(atoms), here / name)
    flow = single_barrier(Path("a.vasp"), Path("b.vasp"), None, "emt", None, None, None).flow
    makers = [job.maker for job, _ in flow.iterflow() if job.maker is not None]
    relax, band, path = RelaxSection(), NebSection(), PathSection()
    assert {(maker.fmax, maker.max_steps) for maker in makers} == {
        (relax.fmax, relax.max_steps),
        (band.fmax, band.max_steps),
    }
    starts = [argument for job, _ in flow.iterflow() for argument in job.function_args]
    assert {start.n_images for start in starts if hasattr(start, "n_images")} == {path.n_images}
