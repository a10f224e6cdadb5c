"""``barriers rates``: what stored barriers mean for transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import exp, hypot
from pathlib import Path
from shutil import copy

import numpy as np
import pytest
from conftest import ROOT, Outcome, aluminium_vacancy
from pymatgen.core import Lattice, Structure

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.kinetics import BOLTZMANN
from barriers.documents import BandDoc, BarrierDoc, CostDoc, EngineDoc, StudyDoc
from barriers.engines.mlip.known_error import known_error
from barriers.files.structures import to_structure
from barriers.report.folder import read_results, write_results
from barriers.report.rates import rate_rows, rate_table
from barriers.structures.hop.hop import Hop
from barriers.study.models import RelaxSection
from barriers.workflow.comparison_job import study_document
from barriers.workflow.reading import profile_of
from barriers.workflow.result_jobs import fill_barrier

Cli = Callable[..., Outcome]
LAYER = ("--directions", "6", "--dimensions", "2")
STORED = ROOT / "docs" / "data" / "ncm811_pvdf.json"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    copy(STORED, tmp_path / "study.json")
    return tmp_path


def test_rates_diffusion_and_ratios_of_each_system(cli: Cli, results: Path) -> None:
    found = json.loads(cli("rates", results, "--temperatures", "300,400", *LAYER, "--json").out)
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
        assert row["factor"] == pytest.approx(exp(max(barrier.plus_minus(), 0.001) / kt))
        error = known_error(barrier.band.engine)
        assert row["model_factor"] == pytest.approx(exp(hypot(error.bias, error.scatter) / kt))
        if barrier is reference:
            continue
        assert row["ratio_high"] / row["ratio"] == pytest.approx(row["ratio"] / row["ratio_low"])
        assert row["ratio_high"] / row["ratio"] > exp(2**0.5 * error.scatter / kt)
    own = rows[study.reference, 300.0]
    assert (own["ratio"], own["ratio_low"], own["ratio_high"]) == (1, None, None)
    assert len(found["figures"]) == 3
    assert all(Path(path).stat().st_size > 1000 for path in found["figures"])
    assert "zero-point" in " ".join(found["not_included"])


def test_a_hop_alone_does_not_say_how_fast_the_ion_diffuses(cli: Cli, results: Path) -> None:
    found = json.loads(cli("rates", results, "--json").out)["rows"]
    assert {row["diffusivity"] for row in found} == {None}
    assert all(row["rate"] > 0 and row["jump_length"] > 2 for row in found)
    said = " ".join(cli("rates", results).out.split())
    assert "no D: it wants --directions and --dimensions" in said
    assert "no D" not in " ".join(cli("rates", results, *LAYER).out.split())


def test_systems_that_must_not_be_compared_have_no_ratio(results: Path) -> None:
    study = read_results(results)
    study.rows[2].difference = None
    study.barriers[0].forward = None
    rows = rate_rows(study, [300.0], 1e13)
    assert [row["system"] for row in rows] == [barrier.system for barrier in study.barriers[1:]]
    assert [row["ratio"] is None for row in rows] == [False, True]


def test_no_ratio_is_certain(results: Path) -> None:
    study = read_results(results)
    exact = {"fit_spread": 0.0, "uncertainty": 0.0, "forward": study.barriers[0].forward}
    barriers = [barrier.model_copy(update=exact) for barrier in study.barriers]
    for barrier in barriers:
        barrier.band = barrier.band.model_copy(update={"engine": EngineDoc(kind="vasp", name="PBE", version="6")})
    study = study.model_copy(update={"barriers": barriers})
    table = rate_table(rate_rows(study, [300.0], 1e13))
    ratios = list(zip(*(list(column.cells) for column in table.columns[-3:]), strict=True))
    assert sorted(ratios) == [*[("1", "0.947", "1.06")] * (len(barriers) - 1), ("reference", "—", "—")]
    assert set(table.columns[5].cells) == {"—"}
    assert "that of the model or functional is not known" in table.caption


@pytest.mark.parametrize("across", [False, True], ids=["inside", "across the edge"])
def test_without_a_named_hop_the_ion_jumps_from_its_one_place_to_its_other(tmp_path: Path, across: bool) -> None:
    ends = [to_structure(atoms) for atoms in aluminium_vacancy()]
    apart = ends[1].frac_coords - ends[0].frac_coords
    ion = int(np.abs(apart).sum(axis=1).argmax())
    if across:
        middle = ends[0].frac_coords[ion] + apart[ion] / 2
        for end in ends:
            end.translate_sites(range(len(end)), -middle, to_unit_cell=True)
        assert np.ptp([end.frac_coords[ion] for end in ends], axis=0).max() > 0.7
    maker = BarrierMaker(engine=MlipEngine(model="emt"), relax=RelaxSection(fmax=0.003))
    barrier = run(maker.make(*ends), tmp_path).output
    study = study_document.original("Al", [barrier], barrier.system, "forward")
    (row,) = rate_rows(study, [300.0], 1e13, (12, 3))
    # The neighbours stand 4.05/√2 = 2.864 Å apart in the crystal, and each a little nearer to the vacancy: 2.819 Å
    # apart where no force is left.
    assert row["jump_length"] == pytest.approx(2.819, abs=0.004)
    assert row["jump_length"] < 2.864 < barrier.profile["path_length"]
    assert (barrier.motion["ion"], barrier.motion["ion_jump"]) == (ion, row["jump_length"])
    assert row["diffusivity"] == pytest.approx(2 * row["rate"] * (row["jump_length"] * 1e-8) ** 2)
    assert all(barrier.checks.values())


def test_ions_that_jump_together_have_a_rate_and_no_diffusion_coefficient() -> None:
    def together(hop: Hop | None, second: str, far: float) -> tuple[BarrierDoc, dict]:
        study = pushed(hop, second, far)
        (row,) = rate_rows(study, [300.0], 1e13, (6, 2))
        assert row["rate"] == pytest.approx(1e13 * exp(-0.3 / (BOLTZMANN * 300)))
        return study.barriers[0], row

    barrier, row = together(None, "Li", 1.6)
    assert barrier.warnings == ["Li 0, Li 1 jump together: no diffusion coefficient"]
    assert not barrier.checks["one ion jumps"]
    assert (row["diffusivity"], row["jump_length"]) == (None, None)
    barrier, row = together(None, "Li", 1.4)
    assert (barrier.warnings, row["jump_length"]) == ([], pytest.approx(3.0))
    # A turning group of a fragment is no second ion of a hop that is known, and may be where nothing is known.
    hop = Hop(name="known", moving=0, target=2, distance=2.9)
    assert together(hop, "H", 4.0)[1]["jump_length"] == 2.9
    assert together(hop, "Li", 1.6)[1]["diffusivity"] is None
    assert together(None, "H", 2.0)[1]["diffusivity"] is None


def pushed(hop: Hop | None, second: str, far: float) -> StudyDoc:
    """One barrier of 0.3 eV: a lithium ion goes 3 Å and another atom as far as said (Å)."""
    structure = Structure(Lattice.cubic(12), ["Li", second], [[0.4, 0.5, 0.5], [0.9, 0.5, 0.5]])
    shares = np.linspace(0, 1, 5)[:, None, None]
    energies = [0.0, 0.15, 0.3, 0.15, 0.0]
    band = BandDoc(
        start="linear",
        structure=structure,
        positions=(structure.cart_coords + shares * [[3.0, 0, 0], [0, far, 0]]).tolist(),
        energies=energies,
        forces=np.zeros((5, 2, 3)).tolist(),
        converged=True,
        cost=CostDoc(),
        engine=EngineDoc(kind="mlip", name="made-up", version="1"),
    )
    barrier = BarrierDoc(system="A", hop=hop, converged=True, band=band, cost=CostDoc())
    fill_barrier(barrier, profile_of(band), band)
    return study_document.original("A", [barrier], "A", "forward")


def test_what_must_be_known_of_the_barriers_is_said_beside_the_rates(cli: Cli, tmp_path: Path) -> None:
    write_results(pushed(None, "Li", 2.0), tmp_path)
    printed = cli("rates", tmp_path, "--temperatures", "300")
    assert "! A: Li 0, Li 1 jump together: no diffusion coefficient" in printed.out
    found = json.loads(cli("rates", tmp_path, "--temperatures", "300", "--json").out)
    assert found["notes"] == ["A: Li 0, Li 1 jump together: no diffusion coefficient"]
    assert found["rows"][0]["diffusivity"] is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--temperatures", "300;400"), "--temperatures: '300;400'; allowed: numbers with commas, e.g. 250,300,350"),
        (("--temperatures", "0"), "temperature: 0 K; allowed: above 0"),
        (("--directions", "6"), "--directions, --dimensions: one without the other; allowed: both, or none and no D"),
        (("--directions", "2", "--dimensions", "3"), "directions: 2 for 3 dimensions; allowed: at least 4"),
    ],
)
def test_wrong_numbers_are_one_line(cli: Cli, results: Path, arguments: tuple[str, ...], line: str) -> None:
    outcome = cli("rates", results, *arguments)
    assert (outcome.code, outcome.err.strip()) == (2, f"wrong input: {line}")
    assert "Rate" in cli("rates", results).out
