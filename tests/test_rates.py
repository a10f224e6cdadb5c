"""``barriers rates``: what stored barriers mean for transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import exp
from pathlib import Path
from shutil import copy

import pytest
from conftest import ROOT, Outcome

from barriers.analysis.kinetics import BOLTZMANN
from barriers.report.folder import read_results
from barriers.report.rates import rate_rows

Cli = Callable[..., Outcome]
STORED = ROOT / "docs" / "data" / "ncm811_pvdf.json"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    copy(STORED, tmp_path / "study.json")
    return tmp_path


def test_rates_diffusion_and_ratios_of_each_system(cli: Cli, results: Path) -> None:
    found = json.loads(cli("rates", results, "--temperatures", "300,400", "--json").out)
    study = read_results(results)
    rows = {(row["system"], row["temperature"]): row for row in found["rows"]}
    assert len(rows) == 2 * len(study.barriers)
    reference = next(barrier for barrier in study.barriers if barrier.system == study.reference)
    for barrier in study.barriers:
        row, kt = rows[barrier.system, 300.0], BOLTZMANN * 300
        assert row["rate"] == pytest.approx(1e13 * exp(-barrier.forward / kt))
        # A triangular layer: D = 6 Γ a² / 4, a in cm.
        assert row["diffusivity"] == pytest.approx(1.5 * row["rate"] * (barrier.hop.distance * 1e-8) ** 2)
        assert row["ratio"] == pytest.approx(exp((reference.forward - barrier.forward) / kt))
        assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
        assert row["factor"] == pytest.approx(exp(barrier.fit_spread / kt))
    assert rows[study.reference, 300.0]["ratio_high"] == 1
    assert len(found["figures"]) == 3
    assert all(Path(path).stat().st_size > 1000 for path in found["figures"])
    assert "zero-point" in " ".join(found["not_included"])


def test_systems_that_must_not_be_compared_have_no_ratio(results: Path) -> None:
    study = read_results(results)
    study.rows[2].difference = None
    study.barriers[0].forward = None
    rows = rate_rows(study, [300.0], 1e13, 6, 2)
    assert [row["system"] for row in rows] == [barrier.system for barrier in study.barriers[1:]]
    assert [row["ratio"] is None for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--temperatures", "300;400"), "--temperatures: '300;400'; allowed: numbers with commas, e.g. 250,300,350"),
        (("--temperatures", "0"), "temperature: 0 K; allowed: above 0"),
        (("--directions", "2", "--dimensions", "3"), "directions: 2 for 3 dimensions; allowed: at least 4"),
    ],
)
def test_wrong_numbers_are_one_line(cli: Cli, results: Path, arguments: tuple[str, ...], line: str) -> None:
    outcome = cli("rates", results, *arguments)
    assert (outcome.code, outcome.err.strip()) == (2, f"wrong input: {line}")
    assert "Rate" in cli("rates", results).out
