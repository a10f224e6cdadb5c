"""Screens of folders of crystals: estimates, the barriers of the best, and what a further run does again."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Outcome
from pymatgen.core import Lattice, Structure

from barriers import find_network, run
from barriers.analysis.screen import Percolating, ScreenDoc, ScreenRow, chosen, rank_correlation, ranked
from barriers.documents import EstimateDoc
from barriers.engines.mlip import MlipEngine
from barriers.report.figures.screen import draw_screen
from barriers.report.screen import sentences
from barriers.workflow.screen import Candidate, Seen, candidate, estimate_flow, estimated_network, read_screen

FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
METALS = {
    "Cu": (3.59, ["Cu"] * 4),
    "Cu3Au": (3.74, ["Au", "Cu", "Cu", "Cu"]),
    "Cu3Pd": (3.69, ["Pd", "Cu", "Cu", "Cu"]),
    "Al": (4.0, ["Al"] * 4),
}
FAST = "engine: {model: emt}\nneb: {fmax: 0.05}\npath: {n_images: 3}\nrelax: {fmax: 0.02}\ncrystal: {relax: false}\n"

CHILD = "from barriers.cli import main\nmain()\n"


def metal(name: str) -> Structure:
    edge, species = METALS[name]
    return Structure(Lattice.cubic(edge), species, FCC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of alloys, with what people have beside them."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "alloys"
    place.mkdir()
    for name in METALS:
        metal(name).to(filename=str(place / f"{name}.cif"))
    metal("Cu").get_primitive_structure().to(filename=str(place / "again.vasp"), fmt="poscar")
    (place / "notes.txt").write_text("bought in May\n")
    (tmp_path / "fast.yaml").write_text(FAST)
    return place


def read(folder: Path) -> ScreenDoc:
    return ScreenDoc.model_validate_json((folder / "screen.json").read_text("utf-8"))


def row(name: str, estimate: float | None = None, barrier: float | None = None) -> ScreenRow:
    state = "barrier" if barrier is not None else "estimated" if estimate is not None else "refused"
    return ScreenRow(
        name=name, file=name, state=state, estimate=Percolating(one=estimate), barrier=Percolating(one=barrier)
    )


def test_a_folder_becomes_a_table_and_what_is_done_is_not_done_again(folder: Path, cli: Callable[..., Outcome]) -> None:
    asked = ("screen", folder, "--ion", "Cu", "--settings", "fast.yaml", "--best", "2")
    first = cli(*asked)
    assert first.code == 0, first.err
    place = folder.parent / "results" / "alloys_Cu"
    document = read(place)
    states = {each.name: each.state for each in document.rows}
    assert states == {
        "Cu3Au": "barrier",
        "Cu": "barrier",
        "Cu3Pd": "estimated",
        "again": "the same",
        "Al": "refused",
        "notes": "refused",
    }
    by_name = {each.name: each for each in document.rows}
    assert by_name["again"].reason == "the same crystal as Cu"
    assert by_name["Al"].reason == "no Cu in Al; allowed: Al"
    for name in ("Cu3Au", "Cu"):
        found = by_name[name]
        assert found.dimension == 3 and found.hops == 1
        assert found.estimate.one is not None and found.barrier.one is not None
        assert found.barrier.one < found.estimate.one < 3 * found.barrier.one  # an interpolated way is above the saddle
        assert found.barrier.one == found.barrier.two == found.barrier.three
        assert found.diffusion is not None and found.diffusion > 0
        assert (place / name / "study.json").exists()
    assert document.compared == 2 and document.correlation is None
    with (place / "screen.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [each["name"] for each in rows] == [each.name for each in document.rows]
    assert float(rows[0]["barrier_1d"]) == document.rows[0].barrier.one
    page = (place / "screen.html").read_text("utf-8")
    assert "the same crystal as Cu" in page and "<svg" in page and "refresh" not in page

    again = cli(*asked, "--json")
    assert again.code == 0
    told = json.loads(again.out)
    assert told["force_calls_this_run"] == 0
    assert [each["name"] for each in told["rows"]] == [each.name for each in document.rows]
    assert all("(done before)" in line for line in again.err.splitlines() if "Cu3" in line)


def test_a_study_of_the_screen_is_one_of_its_own(folder: Path, cli: Callable[..., Outcome]) -> None:
    """The studies in the results folder are those that `barriers run` takes, with nothing left to compute."""
    assert cli("screen", folder, "--ion", "Cu", "--settings", "fast.yaml", "--best", "1").code == 0
    place = folder.parent / "results" / "alloys_Cu"
    (best,) = (each.name for each in read(place).rows if each.state == "barrier")
    shutil.rmtree(folder)
    outcome = cli("run", place / best / "study.yaml", "--results", place, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["force_calls_this_run"] == 0


def test_other_settings_are_another_screen_of_the_same_structures(folder: Path, cli: Callable[..., Outcome]) -> None:
    asked = ("screen", folder, "--ion", "Cu", "--best", "0", "--json", "--settings")
    assert json.loads(cli(*asked, "fast.yaml").out)["force_calls_this_run"] > 0
    Path("other.yaml").write_text(FAST + "kinetics: {}\n")
    assert json.loads(cli(*asked, "other.yaml").out)["force_calls_this_run"] == 0  # the same estimates are in the store
    Path("larger.yaml").write_text(FAST.replace("{relax: false}", "{relax: false, supercell: [4, 4, 4]}"))
    larger = json.loads(cli(*asked, "larger.yaml").out)
    assert larger["force_calls_this_run"] > 0
    assert {each["atoms"] for each in larger["rows"]} == {256, None}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("hops: [{rank: 1}]", "own.yaml: hops: is each structure's own"),
        ("crystal: {ion: Na}", "own.yaml: crystal.ion: is each structure's own"),
        ("engine: {model: chgnett}", "own.yaml: engine.model: 'chgnett' is not on file"),
        ("engine: {kind: espresso}", "own.yaml: engine: 'espresso' is not screened with; allowed: mlip"),
        ("neb: {fmaxx: 1}", "own.yaml: neb.fmaxx: unknown key"),
    ],
)
def test_wrong_settings_are_refused_before_anything(
    folder: Path, cli: Callable[..., Outcome], settings: str, says: str
) -> None:
    Path("own.yaml").write_text(settings)
    outcome = cli("screen", folder, "--ion", "Cu", "--settings", "own.yaml")
    assert outcome.code == 2
    assert says in outcome.err and not Path("results").exists()


def test_an_empty_folder_and_a_wrong_ion_are_refused(folder: Path, cli: Callable[..., Outcome]) -> None:
    Path("empty").mkdir()
    assert "empty: no files; allowed" in cli("screen", "empty").err
    assert "nowhere: no folder; allowed" in cli("screen", "nowhere").err
    assert "ion: 'Xx' is no element" in cli("screen", folder, "--ion", "Xx").err


@pytest.mark.slow
def test_a_killed_screen_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    """Each energy is counted in a file by the worker that computes it, which kills the screen at a number of them."""
    (tmp_path / "counted.py").write_text(
        "import os\nfrom ase.calculators.emt import EMT\n\n\n"
        "class Counted(EMT):\n    def calculate(self, *args, **kwargs):\n"
        "        with open(os.environ['COUNT'], 'a') as file:\n            file.write('.')\n"
        "        super().calculate(*args, **kwargs)\n"
        "        if 0 < int(os.environ['DIE_AT']) <= os.path.getsize(os.environ['COUNT']):\n"
        "            os.kill(os.getppid(), 9)\n"
    )
    (tmp_path / "fast.yaml").write_text(FAST.replace("emt", "counted:Counted"))

    def screened(where: str, die_at: int | None = None) -> tuple[int, int]:
        count = tmp_path / f"{where}.count"
        before = count.stat().st_size if count.exists() else 0
        asked = ("screen", folder, "--ion", "Cu", "--settings", "fast.yaml", "--best", "0", "--results", where)
        environment = os.environ | {"COUNT": str(count), "DIE_AT": str(die_at or -1)}
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *map(str, asked)],
            check=False,
            env=environment,
            cwd=tmp_path,
            capture_output=True,
        )
        return done.returncode, count.stat().st_size - before

    code, whole = screened("at_once")
    assert code == 0
    deaths = [whole // 4, whole - 2]
    spent = 0
    for die_at in deaths:
        code, calls = screened("killed", die_at)
        assert code == -signal.SIGKILL
        spent += calls
    code, calls = screened("killed")
    assert code == 0
    spent += calls
    # A killed evaluation is lost, and what goes on evaluates where it stands; nothing that was done is done again.
    assert whole <= spent <= whole + 4 * 3 * len(deaths)
    left, right = (read(tmp_path / where / "alloys_Cu") for where in ("at_once", "killed"))
    for one, other in zip(left.rows, right.rows, strict=True):
        assert (one.name, one.state) == (other.name, other.state)
        for kind in ("estimate", "barrier"):
            first, second = getattr(one, kind).one, getattr(other, kind).one
            assert (first is None and second is None) or first == pytest.approx(second, abs=2e-3)


def test_a_stopped_screen_writes_what_it_has(folder: Path, tmp_path: Path) -> None:
    settings = FAST.replace("emt", "slow_emt:SlowEMT")
    (tmp_path / "fast.yaml").write_text(settings)
    asked = ("screen", folder, "--ion", "Cu", "--settings", "fast.yaml", "--best", "0")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    }
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, asked)],
        env=environment,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Al: refused" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT, rest
    assert "this continues it: barriers screen" in rest
    document = read(tmp_path / "results" / "alloys_Cu")
    assert document.left > 0 and document.rows[0].name == "Al"


def found_in(structure: Structure, ion: str, folder: Path) -> tuple[Candidate, EstimateDoc]:
    path = folder / "one.json"
    structure.to(filename=str(path))
    (folder / "only").mkdir(exist_ok=True)
    shutil.copy(path, folder / "only")
    screen = read_screen(folder / "only", ion, None, model="emt")
    found = candidate(screen.study("one"))
    outcome = run(estimate_flow(MlipEngine(model="emt"), found), folder / "results")
    assert isinstance(outcome.output, EstimateDoc)
    return found, outcome.output


def test_estimates_depend_on_neither_origin_nor_order_nor_wrapping(tmp_path: Path) -> None:
    given = metal("Cu3Au")
    moved = given.copy()
    moved.translate_sites(range(len(moved)), [0.13, 0.31, -0.2], to_unit_cell=False)
    moved.translate_sites([1, 3], [2, -1, 1], to_unit_cell=False)
    moved = Structure.from_sites([moved[number] for number in (2, 0, 3, 1)])
    barriers = []
    for number, structure in enumerate((given, moved)):
        (tmp_path / str(number)).mkdir()
        found, document = found_in(structure, "Cu", tmp_path / str(number))
        barriers.append(Percolating.of(estimated_network(found, document)).one)
        (hop,) = document.hops
        assert hop.forward == pytest.approx(
            hop.reverse, abs=0.02
        )  # both ends are the same but for what is left to relax
    assert barriers[0] == pytest.approx(barriers[1], abs=0.02)


def test_ranks_and_what_is_chosen() -> None:
    rows = [row("d"), row("c", 0.9), row("b", 0.5, 0.4), row("a", 0.7, 0.2), row("e", 0.6)]
    assert [each.name for each in ranked(rows)] == ["a", "b", "e", "c", "d"]
    assert [each.name for each in chosen(rows, 3)] == ["b", "e", "a"]
    assert rank_correlation(rows) == (None, 2)
    more = [row("x", 0.1, 0.1), row("y", 0.2, 0.3), row("z", 0.3, 0.2), row("w", 0.4, 0.4)]
    # By hand: 1 - 6 (0 + 1 + 1 + 0) / (4 (16 - 1)).
    assert rank_correlation(more) == (pytest.approx(0.8), 4)
    equal = [row("x", 0.1, 0.1), row("y", 0.2, 0.1), row("z", 0.3, 0.1)]
    assert rank_correlation(equal) == (None, 3)


def test_what_is_said_of_the_order() -> None:
    rows = [row("x", 0.1, 0.1), row("y", 0.2, 0.3), row("z", 0.3, 0.2), row("d")]
    correlation, compared = rank_correlation(rows)
    document = ScreenDoc(
        name="n", ion="Li", model="m", best=3, rows=ranked(rows), correlation=correlation, compared=compared
    )
    assert sentences(document)[0] == "4 structures: 3 barrier, 1 refused"
    assert "rank correlation +0.50" in sentences(document)[1]
    axes = draw_screen(document)
    assert re.match("Estimate", axes.get_xlabel())
    (drawn,) = (line for line in axes.get_lines() if line.get_marker() == "o")
    assert sorted(np.asarray(drawn.get_xdata(), float).tolist()) == [0.1, 0.2, 0.3]


def test_the_same_crystal_is_known_whatever_its_cell(tmp_path: Path) -> None:
    seen, olivine = Seen(), metal("Cu3Au")
    forms = {
        "one": olivine,
        "larger": olivine * (2, 1, 1),
        "strained": Structure(Lattice.cubic(3.9), METALS["Cu3Au"][1], FCC),
    }
    for name, structure in forms.items():
        structure.to(filename=str(tmp_path / f"{name}.json"))
    assert seen.add("Cu3Au", "Pm-3m", "one", tmp_path / "one.json") is None
    assert seen.add("Cu3Au", "Pm-3m", "larger", tmp_path / "larger.json") == "one"
    assert seen.add("Cu3Au", "Pm-3m", "strained", tmp_path / "strained.json") is None  # a lattice of its own


def test_names_of_studies_are_unique_and_allowed(tmp_path: Path) -> None:
    for name in ("a.cif", "a.vasp", "Lithium oxide (1).cif", "Lithium-oxide-1-.cif", f"{'x' * 70}.cif", "-.cif"):
        (tmp_path / name).write_text("")
    screen = read_screen(tmp_path, "Li", None, model="emt")
    assert len(screen.files) == 6
    assert {"a.cif", "a.vasp", "Lithium-oxide-1"} <= set(screen.files)
    for name in screen.files:
        assert screen.study(name).name == name


def test_all_hops_of_a_network_are_estimated(tmp_path: Path) -> None:
    """CuAu in layers has a hop in the layer and one across it."""
    layered = Structure(Lattice.tetragonal(3.95, 3.7), ["Cu", "Cu", "Au", "Au"], FCC)
    found, document = found_in(layered, "Cu", tmp_path)
    labels = [hop.label for hop in find_network(found.built.structure, "Cu").hops]
    assert [hop.label for hop in document.hops] == labels
    known = [hop.forward for hop in document.hops if hop.forward is not None]
    network = Percolating.of(estimated_network(found, document))
    assert network.one == pytest.approx(min(known), abs=0.05)
    started = time.monotonic()
    again = run(estimate_flow(MlipEngine(model="emt"), found), tmp_path / "results")
    assert again.force_calls == 0 and time.monotonic() - started < 5
