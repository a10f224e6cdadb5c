"""What a corrected barrier is refused for, with rounds made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import two_humps
from conftest import gold_on_aluminium
from corrected import TRUTH, corrector
from jobflow import Flow

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.surrogate.rounds import extrapolated
from barriers.documents import BandDoc, EndDoc, ProposalDoc, StaticDoc
from barriers.files.structures import to_structure

Found = tuple[BandDoc, EndDoc, EndDoc]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs log their progress where they run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The model's band, and both ends corrected."""
    initial, final = map(to_structure, gold_on_aluminium())
    maker = BarrierMaker("gold", engine=corrector())
    scout = maker.scout()
    assert scout is not None
    scouting = scout.make(initial, final)
    ends = [maker.relax_endpoint(job.output, which) for job, which in zip(scouting.jobs[:2], ("a", "b"), strict=True)]
    flow = Flow([scouting, *ends], output=[scouting.output.band, *(end.output for end in ends)])
    band, first, last = run(flow, tmp_path_factory.mktemp("found")).output
    return band, first, last


def rounds(
    found: Found, uncertainty: float = 0.01, most: int = 7, **of_second: Any
) -> tuple[BandDoc, list[ProposalDoc]]:
    """Ask EMT for what is proposed, and close; of the second point, some fields may be others."""
    engine = corrector(uncertainty=uncertainty)
    propose, close = engine.saddle(0.05, 0.3, 300, 1.0)
    static = engine.expensive.static()
    proposals: list[ProposalDoc | None] = []
    points: list[StaticDoc | None] = []
    for number in range(most):
        proposal = propose.make.original(propose, *found, proposals, points)
        proposals.append(proposal)
        point = proposal.structure and static.make.original(static, proposal.structure)
        points.append(point.model_copy(update=of_second) if point and number == 1 else point)
    wanted = [each for each in proposals if each is not None and each.structure is not None]
    return close.make.original(close, *found, proposals, points), wanted


def test_rounds_by_hand_give_the_barrier(found: Found) -> None:
    band, wanted = rounds(found)
    assert band.surrogate is not None
    assert band.surrogate.forward == pytest.approx(TRUTH, abs=0.005)
    assert [each.kind for each in wanted] == ["saddle"] * len(wanted)


def test_points_of_two_engines_are_no_correction(found: Found) -> None:
    band, wanted = rounds(found, engine=found[1].engine.model_copy(update={"version": "another"}))
    assert not band.converged
    assert "different engines" in str(band.reason)
    assert len(wanted) == 2


def test_an_uncertainty_that_no_point_can_lessen_is_said(found: Found) -> None:
    loose = found[0], found[1].model_copy(update={"gain": 0.02}), found[2]
    band, _ = rounds(loose)
    assert not band.converged
    assert "10 asked for" in str(band.reason)
    assert "raise engine.uncertainty" in str(band.reason)


def band_with_an_image_in_the_slab(found: Found, depth: float) -> tuple[BandDoc, list[ProposalDoc]]:
    positions = np.array(found[0].positions)
    positions[int(np.argmax(found[0].energies)) + 1, -1, 2] -= depth  # the gold atom, beside the saddle
    return rounds((found[0].model_copy(update={"positions": positions.tolist()}), *found[1:]))


def test_a_path_that_leaves_the_models_is_evaluated_and_refused(found: Found) -> None:
    band, wanted = band_with_an_image_in_the_slab(found, 1.6)
    assert "path" in {each.kind for each in wanted}
    assert not band.converged
    assert band.surrogate is not None
    assert band.surrogate.counts["path"] >= 1
    assert "neb: surrogate then band" in str(band.reason)


def test_an_image_off_the_path_is_no_hump(found: Found) -> None:
    band, wanted = band_with_an_image_in_the_slab(found, 0.6)
    assert band.converged
    assert {each.kind for each in wanted} == {"saddle"}


def test_an_end_that_is_not_relaxed_costs_no_point_of_a_saddle(found: Found) -> None:
    loose = found[0], found[1].model_copy(update={"converged": False, "reason": "0.2 eV/Å"}), found[2]
    band, wanted = rounds(loose)
    assert wanted == []
    assert band.reason == "initial state not relaxed: 0.2 eV/Å"


@pytest.mark.parametrize(
    ("truth", "prior", "height", "images"),
    [
        # The model's band is cut at the minimum between the humps, with four images on either side.
        ("SecondHigher", "FirstHigher", 0.33, 11),
        ("FirstHigher", "SecondMuchHigher", 0.30, 11),
        ("Equal", "FirstHigher", 0.30, 11),
    ],
)
def test_the_higher_hump_is_found_whichever_the_model_takes_for_it(
    tmp_path: Path, truth: str, prior: str, height: float, images: int
) -> None:
    engine = corrector(MlipEngine(model=f"two_humps:{truth}", workers=1), f"two_humps:{prior}")
    flow = BarrierMaker("ion", engine=engine, n_images=4).make(*map(to_structure, two_humps.ends()))
    barrier = run(flow, tmp_path).output
    assert barrier.points["path"] == 1
    assert barrier.forward == pytest.approx(height, abs=0.002)
    assert len(barrier.band.energies) == images


def test_a_slowing_relaxation_is_carried_on() -> None:
    assert extrapolated([8.0, 4.0, 2.0]) == pytest.approx(2.0)
    assert extrapolated([8.0, 4.0]) == 0.0
    assert extrapolated([1.0, 0.9, 0.7]) == pytest.approx(0.6)  # a ratio of two is no series


def test_what_is_left_of_a_relaxation_is_uncertain(found: Found) -> None:
    band, _ = rounds(found)
    slow, _ = rounds((found[0], found[1].model_copy(update={"gain": (found[1].gain or 0.0) + 0.01}), found[2]))
    one, other = (each.surrogate.parts_forward["relaxation"] for each in (band, slow) if each.surrogate)
    assert other - one == pytest.approx(0.005)


@pytest.mark.parametrize(("far", "share"), [(0.0, 1.0), (1e3, 0.5)])
def test_all_that_is_left_is_uncertain_where_the_model_is_far_off(
    found: Found, monkeypatch: pytest.MonkeyPatch, far: float, share: float
) -> None:
    monkeypatch.setattr("barriers.analysis.surrogate.rounds.FAR", far)
    surrogate = rounds((found[0], found[1].model_copy(update={"gain": 0.004}), found[2]))[0].surrogate
    assert surrogate is not None
    left = surrogate.rounds[-1].gain
    assert left is not None and left > 5e-6
    assert surrogate.parts_forward["relaxation"] == pytest.approx(share * left + 0.5 * 0.004)
