"""A smaller tolerance goes on from what a larger one left, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import gold_on_aluminium
from jobflow import Flow

from barriers import BarrierMaker, MlipEngine, run
from barriers.dispatch.local import LocalRun
from barriers.dispatch.sqlite import SqliteStore
from barriers.dispatch.store import results_store
from barriers.files.structures import to_structure


def barrier(folder: Path, fmax: float, across: bool = False, **settings: float) -> LocalRun:
    initial, final = gold_on_aluminium()
    if across:  # another hop of the same name
        final.positions[-1] = initial.positions[-1]
        final.positions[-1, 1] += final.cell[1, 1] / 2
    maker = BarrierMaker("gold", engine=MlipEngine(model="emt"), fmax=fmax, **settings)
    return run(maker.make(to_structure(initial), to_structure(final)), folder)


def test_a_tighter_barrier_goes_on_from_a_looser_one_and_says_so(tmp_path: Path) -> None:
    scratch = barrier(tmp_path / "scratch", 0.01)
    loose, tight = (barrier(tmp_path / "both", fmax) for fmax in (0.05, 0.01))
    assert tight.force_calls < 0.85 * scratch.force_calls
    assert tight.output.forward == pytest.approx(scratch.output.forward, abs=1e-3)
    assert (loose.output.band.went_on_from, tight.output.band.went_on_from) == (None, "0.05 eV/Å")
    assert tight.output.band.history[0].stage == "climbing"
    assert tight.output.band.history[-1].max_force <= 0.01
    # Run again, nothing is left to do, whatever lies between by then.
    between = barrier(tmp_path / "both", 0.03)
    assert 0 < between.force_calls < tight.force_calls
    again = barrier(tmp_path / "both", 0.01)
    assert (again.force_calls, again.output.forward) == (0, tight.output.forward)


def test_the_key_says_what_a_band_went_on_from(tmp_path: Path) -> None:
    barrier(tmp_path, 0.05)
    barrier(tmp_path, 0.02)
    store = results_store(tmp_path)
    store.connect()
    records = list(store.query({"name": "gold: band idpp"}, load=True))
    assert len(records) == 2
    (loose,), (tight,) = (
        [each for each in records if each["metadata"]["computed_from"]["tolerances"]["fmax"] == fmax]
        for fmax in (0.05, 0.02)
    )
    assert "before" not in loose["metadata"]["computed_from"]["inputs"]
    assert tight["metadata"]["computed_from"]["inputs"]["before"]["start"] == "idpp"
    assert tight["metadata"]["tightens"] not in {loose["metadata"]["key"], tight["metadata"]["key"]}


@pytest.mark.parametrize("other", [{"across": True}, {"n_images": 5}, {"spring": 2.0}, {"fmax": 0.08}])
def test_another_hop_other_images_or_springs_and_a_larger_tolerance_begin_anew(
    other: dict[str, float], tmp_path: Path
) -> None:
    barrier(tmp_path, 0.05)
    assert barrier(tmp_path, **{"fmax": 0.03, **other}).output.band.went_on_from is None


def test_a_relaxation_goes_on_too(tmp_path: Path) -> None:
    structure = to_structure(gold_on_aluminium()[0])
    found = []
    for folder, fmax in (("a", 0.1), ("a", 0.005), ("b", 0.005)):
        job = MlipEngine(model="emt").relax(fmax, 500).make(structure)
        found.append(run(Flow([job], output=job.output), tmp_path / folder))
    _, tight, scratch = found
    assert tight.force_calls < scratch.force_calls
    assert tight.output.went_on_from == "0.1 eV/Å"
    assert tight.output.energy == pytest.approx(scratch.output.energy, abs=1e-3)


def test_looking_for_what_to_go_on_from_reads_no_other_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barrier(tmp_path, 0.05)
    store = results_store(tmp_path)
    store.connect()
    records = list(store.query({"name": "gold: band idpp"}, load=True))
    others = [
        {**record, "uuid": f"{number}", "metadata": {"key": f"{number}", "alike": f"{number}"}}
        for record in records
        for number in range(200)
    ]
    store.update([{**other, "_id": None} for other in others], key="uuid")
    read: list[int] = []
    load = SqliteStore._load

    def counted(self: SqliteStore, numbers: list[int], output: bool) -> Iterator[list[dict[str, Any]]]:
        read.extend(numbers)
        return load(self, numbers, output)

    monkeypatch.setattr(SqliteStore, "_load", counted)
    assert barrier(tmp_path, 0.03).output.band.went_on_from == "0.05 eV/Å"
    assert len(read) < 100
