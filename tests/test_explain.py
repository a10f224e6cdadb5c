"""What a result was computed from, told by the command line; results folders of earlier versions."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Outcome, gold_on_aluminium

from barriers import BarrierMaker, MlipEngine, run
from barriers.dispatch.explain import find_calculations
from barriers.documents import SCHEMA_VERSION
from barriers.files.structures import to_structure
from barriers.report.folder import write_results
from barriers.study.models import NebSection, PathSection
from barriers.workflow.barrier import pair_flow

Cli = Callable[..., Outcome]


def compute(folder: Path, fmax: float = 0.1, name: str = "gold", **path: Any) -> int:
    """Run a study of one barrier; the force calls of this run."""
    initial, final = map(to_structure, gold_on_aluminium())
    maker = BarrierMaker(
        name=name, engine=MlipEngine(model="emt"), neb=NebSection(fmax=fmax), path=PathSection(n_images=3, **path)
    )
    outcome = run(pair_flow(maker, initial, final, []), folder)
    write_results(outcome.output, folder)
    return outcome.force_calls


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "gold"
    compute(folder)
    compute(folder, fmax=0.08)
    return folder


def of(results: Path, what: str) -> str:
    """Key of the last calculation of that name."""
    return find_calculations(f"{results}/{what}", results.parent)[-1].key


def test_a_barrier_is_explained_by_its_band(results: Path, cli: Cli) -> None:
    said = json.loads(cli("explain", f"{results}/gold", "--json").out)
    assert {each["name"] for each in said} == {"gold: band idpp"}  # one for each fmax: to choose from
    key = said[0]["key"]
    explained = json.loads(cli("explain", key, "--results", results.parent, "--json").out)
    assert (
        explained["parts"].items()
        >= {
            "computes": "neb/5",
            "engine": "mlip",
            "potential › model": "emt",
            "tolerances › fmax": 0.1,
            "inputs › start › n_images": 3,
        }.items()
    )
    assert explained["parts"]["inputs › initial › structure"].startswith("Al12 Au1 ")
    table = cli("explain", key, "--results", results.parent).out
    assert "tolerances › fmax" in table and "0.1" in table and key in table


def test_a_barrier_is_explained_by_the_band_of_the_last_run(tmp_path: Path) -> None:
    for first in ("idpp", "linear", "idpp"):
        compute(tmp_path / "gold", from_=first)
        assert [each.name for each in find_calculations(f"{tmp_path}/gold/gold", tmp_path)] == [f"gold: band {first}"]


def test_every_way_to_name_a_calculation_leads_to_it(results: Path) -> None:
    (one,) = find_calculations(f"{results}/gold: relax initial", results.parent)
    folder = results / "jobs" / f"gold-relax-initial-{one.key}"
    for what in (
        f"{results}/gold-relax-initial",
        f"{results}/{one.key}",
        f"{results}/{one.uuid[:8]}",
        one.key[:6],
        one.uuid,
    ):
        assert find_calculations(what, results.parent) == [one], what
    (of_folder,) = find_calculations(str(folder), results.parent)
    assert (of_folder.key, of_folder.contents) == (one.key, one.contents)
    assert {each.kind for each in find_calculations(str(results), results.parent)} == {"relax", "neb"}


def test_two_results_are_compared_in_words(results: Path, cli: Cli) -> None:
    bands = find_calculations(f"{results}/gold", results.parent)
    rows = json.loads(cli("explain", *(band.key for band in bands), "--results", results.parent, "--json").out)
    (tolerance,) = [row for row in rows if not row["part"].startswith("inputs › before › ")]
    assert tolerance == {"part": "tolerances › fmax", "first": 0.1, "second": 0.08, "is": "another tolerance"}
    assert {"part": "inputs › before › start", "first": None, "second": "idpp", "is": "another input"} in rows
    ends = of(results, "gold: relax initial"), of(results, "gold: relax final")
    assert "the same atoms elsewhere" in cli("explain", *ends, "--results", results.parent).out
    assert "the same calculation" in cli("explain", ends[0], ends[0], "--results", results.parent).out


def test_what_is_not_there_is_said_in_one_line(results: Path, cli: Cli) -> None:
    for words in (["nothing"], ["a", "b", "c"], [str(results), of(results, "gold: relax initial")]):
        outcome = cli("explain", *words, "--results", results.parent)
        assert outcome.code == 2 and outcome.err.count("\n") == 1 and "wrong input: " in outcome.err, words


def test_results_of_an_earlier_version_are_shown_and_computed_anew(tmp_path: Path, cli: Cli) -> None:
    folder = tmp_path / "gold"
    calls = compute(folder)
    with sqlite3.connect(folder / "documents.sqlite") as database:  # as that version left it
        for number, head in database.execute("SELECT id, head FROM documents").fetchall():
            old = json.loads(head)
            del old["metadata"]["computed_from"], old["metadata"]["alike"]
            old["metadata"]["key"] = f"old{number}"
            database.execute(
                "UPDATE documents SET head = ?, key = ?, uuid = ?, alike = NULL WHERE id = ?",
                (json.dumps(old | {"uuid": f"old{number}"}), f"old{number}", f"old{number}", number),
            )
    database.close()
    shutil.rmtree(folder / "jobs")  # whose names hold keys too
    document = json.loads((folder / "study.json").read_text("utf-8"))
    text = json.dumps(document).replace(f'"schema_version": {SCHEMA_VERSION}', '"schema_version": 2')
    (folder / "study.json").write_text(text.replace(', "potentials": {}', ""), "utf-8")
    shown = cli("show", folder)
    assert shown.code == 0 and "0.37" in shown.out
    explained = cli("explain", f"{folder}/gold: relax initial")
    assert explained.code == 2 and "computed by an earlier version of barriers" in explained.err
    assert compute(folder) == calls > 0
    assert compute(folder) == 0
    assert compute(folder, name="renamed") == 0
