"""A screen through FireWorks: the same rows as here, from jobs that carry their structures."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Outcome
from dispatched import work, write_cluster
from mongo import Mongod
from test_screen import FAST, metal

pytestmark = [pytest.mark.mongo, pytest.mark.slow]

SCOPE = "ada/alloys_Cu"


def test_a_screen_is_the_same_through_fireworks(
    mongod: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Outcome]
) -> None:
    monkeypatch.chdir(tmp_path)
    cluster = write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))
    folder = tmp_path / "alloys"
    folder.mkdir()
    for name in ("Al", "Cu", "Cu3Au"):
        metal(name).to(filename=str(folder / f"{name}.cif"))
    Path("fast.yaml").write_text(FAST)
    asked = ("screen", folder, "--ion", "Cu", "--settings", "fast.yaml", "--best", "1")
    here = json.loads(cli(*asked, "--results", "here", "--json").out)

    def sent() -> tuple[Outcome, dict[str, Any]]:
        outcome = cli(*asked, "--submit", "--config", cluster.folder, "--json")
        return outcome, json.loads(outcome.out[outcome.out.index("{\n") :])  # rockets have told of themselves before

    outcome, first = sent()
    assert outcome.code == 0 and "2 jobs added in 2 workflows" in outcome.err
    assert {row["name"]: row["state"] for row in first["rows"]} == {
        "Al": "refused",
        "Cu": "waiting",
        "Cu3Au": "waiting",
    }
    place = Path("results") / "alloys_Cu"
    told = json.loads(cli("status", place, "--config", cluster.folder, "--json").out)
    assert {job["state"] for job in told["jobs"]} == {"ready"}
    outcome, again = sent()
    assert "0 jobs added" in outcome.err
    assert [row["state"] for row in again["rows"]] == [row["state"] for row in first["rows"]]

    hidden = folder.rename(tmp_path / "elsewhere")  # jobs find no file of this machine
    states = work(cluster, SCOPE)
    assert set(states.values()) <= {"COMPLETED"}
    hidden.rename(folder)

    outcome, second = sent()
    assert outcome.code == 0, outcome.err
    of_both = {row["name"]: row["state"] for row in second["rows"]}
    assert sorted(of_both.values()) == ["estimated", "refused", "waiting"]
    work(cluster, SCOPE)
    outcome, last = sent()
    assert outcome.code == 0, outcome.err
    for mine, theirs in zip(here["rows"], last["rows"], strict=True):
        assert (mine["name"], mine["state"], mine["reason"]) == (theirs["name"], theirs["state"], theirs["reason"])
        for kind in ("estimate", "barrier"):
            assert theirs[kind]["one"] == (mine[kind]["one"] and pytest.approx(mine[kind]["one"], abs=2e-3))
    (best,) = (row["name"] for row in last["rows"] if row["state"] == "barrier")
    assert json.loads((place / best / "study.json").read_text())["name"] == best

    shutil.rmtree(tmp_path / "results")  # another machine, with the same files
    outcome, anew = sent()
    assert outcome.code == 0
    assert [row["state"] for row in anew["rows"]] == [row["state"] for row in last["rows"]]
