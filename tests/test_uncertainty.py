"""What stands behind ±: parts that cover what a tighter band gives, and a null test that passes its own interval."""

from __future__ import annotations

from math import hypot
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import add_adsorbate
from conftest import gold_on_aluminium
from jobflow import Flow
from stored import study_of

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.uncertainty import FLATTEST, UNSEEN, band_parts, energy_left, last_halving, total
from barriers.documents import BarrierDoc, ComparisonRowDoc, PathDoc, RelaxDoc, StudyDoc
from barriers.files.structures import to_structure
from barriers.report.tables import barrier_json, study_table
from barriers.report.uncertainty import meaning
from barriers.workflow.comparison_job import study_document
from barriers.workflow.result_jobs import another_path, barrier_document

EMT = MlipEngine(model="emt")
STIFFNESS = np.array([8.0, 3.0, -2.0, 0.5, 20.0, 1.5])
"""Of a made-up saddle of two atoms along its modes (eV/Å²): one is negative."""


def modes() -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]


def force_at(displacement: np.ndarray) -> np.ndarray:
    return -(modes() * STIFFNESS) @ modes().T @ displacement.ravel()


def test_the_energy_left_is_that_of_the_quadric_the_steps_have_shown() -> None:
    here = modes() @ np.array([0.02, -0.01, 0.03, 0.05, 0.004, -0.02])
    force = force_at(here)
    steps = np.random.default_rng(1).normal(scale=0.05, size=(12, 6))
    changes = [force_at(here + step) - force for step in steps]
    along = modes().T @ here
    exact = float((abs(STIFFNESS) * along**2).sum() / 2)
    given = [step.reshape(2, 3) for step in steps], [change.reshape(2, 3) for change in changes]
    assert energy_left(force.reshape(2, 3), *given) == pytest.approx(exact, rel=1e-9)
    # What no step has shown is as soft as UNSEEN, and nothing is softer than FLATTEST.
    assert energy_left(force.reshape(2, 3)) == pytest.approx((force**2).sum() / (2 * UNSEEN))
    flat = energy_left([[0.01, 0.02, 0]], [[[0.1, 0, 0]]], [[[-1e-6, 0, 0]]])
    assert flat == pytest.approx(0.01**2 / (2 * FLATTEST) + 0.02**2 / (2 * UNSEEN), rel=1e-3)


def test_the_last_halving_begins_where_the_force_was_twice_as_large_for_the_last_time() -> None:
    forces, heights = [0.4, 0.1, 0.21, 0.1, 0.09, 0.05], [0.60, 0.55, 0.52, 0.515, 0.49, 0.50]
    assert last_halving(forces, heights) == pytest.approx(0.015)
    assert last_halving([0.06, 0.05], [0.52, 0.50]) is None


def test_parts_that_are_not_known_are_left_out_and_the_others_add_in_squares() -> None:
    parts = band_parts(0.003, 0.004 * 3**0.5, None, [0.5], None)
    assert parts == pytest.approx({"fit": 0.003, "tolerance": 0.004})
    assert total(parts) == pytest.approx(0.005)
    parts = band_parts(0.0, 0.001, 0.004, [0.5, 0.507, 0.502], 0.002)
    assert parts == pytest.approx({"fit": 0, "tolerance": 0.004 / 3**0.5, "starts": 0.007, "ends": 0.002 / 3**0.5})


def barrier_at(fmax: float, folder: Path, ends: tuple[Atoms, Atoms]) -> BarrierDoc:
    maker = BarrierMaker(f"at {fmax:g}", engine=EMT, fmax=fmax, rough_fmax=max(fmax, 0.3), max_steps=2000)
    return run(maker.make(*map(to_structure, ends)), folder).output


@pytest.mark.parametrize("fmax", [0.1, 0.05])
def test_the_barrier_of_a_tight_band_lies_in_the_interval_and_a_tighter_one_is_narrower(
    fmax: float, tmp_path: Path
) -> None:
    barrier, exact = (barrier_at(force, tmp_path, gold_on_aluminium()) for force in (fmax, 0.005))
    assert set(barrier.uncertainty_parts) == {"fit", "tolerance", "ends"}  # of one start, nothing is known of others
    assert barrier.uncertainty == pytest.approx(hypot(*barrier.uncertainty_parts.values()))
    assert abs(barrier.forward - exact.forward) < 2 * barrier.uncertainty
    assert abs(barrier.reverse - exact.reverse) < 2 * barrier.uncertainty_reverse
    assert barrier.plus_minus() == barrier.uncertainty > barrier.fit_spread
    for part in ("tolerance", "ends"):
        assert exact.uncertainty_parts[part] < 0.2 * barrier.uncertainty_parts[part]


def far_atom(ends: tuple[Atoms, Atoms]) -> tuple[Atoms, Atoms]:
    """The same hop with another atom 8 Å above the surface: too far for the potential to notice."""
    for end in ends:
        end.cell[2, 2] += 16
        add_adsorbate(end, "Cu", 9.5, position=(0.3, 0.2))
    return ends


def test_an_atom_far_away_changes_nothing_beyond_the_interval(tmp_path: Path) -> None:
    bare = barrier_at(0.05, tmp_path, gold_on_aluminium())
    beside = barrier_at(0.05, tmp_path, far_atom(gold_on_aluminium()))
    uncertainty = hypot(bare.uncertainty, beside.uncertainty)
    assert abs(beside.forward - bare.forward) <= 2 * uncertainty
    assert uncertainty < 0.02


def test_starts_on_one_path_tell_how_far_they_are_apart(tmp_path: Path) -> None:
    barrier = barrier_at(0.05, tmp_path, gold_on_aluminium())
    higher = barrier.band.model_copy(deep=True, update={"start": "displaced 1"})
    top = int(np.argmax(barrier.band.energies))
    higher.energies[top] += 0.004
    merged = higher.model_copy(
        update={"start": "displaced 2", "converged": False, "merged_into": barrier.band.start}, deep=True
    )
    rough = merged.model_copy(deep=True, update={"start": "displaced 3"})
    rough.energies[top] += 0.05  # an earlier version left it at a rough force
    ends = relaxed_ends(tmp_path)
    found = barrier_document.original([barrier.band, higher, merged, rough], *ends, "Au", None)
    assert found.uncertainty_parts["starts"] == pytest.approx(0.004, abs=5e-4)
    alone = barrier_document.original([barrier.band], *ends, "Au", None)
    assert "starts" not in alone.uncertainty_parts


def relaxed_ends(folder: Path) -> list[RelaxDoc]:
    jobs = [EMT.relax(0.05, 2000).make(to_structure(end)) for end in gold_on_aluminium()]
    return run(Flow(jobs, output=[job.output for job in jobs]), folder).output


def test_tables_say_what_stands_behind_plus_minus(tmp_path: Path) -> None:
    barrier = barrier_at(0.05, tmp_path, gold_on_aluminium())
    study = study_document.original("Au", [barrier], barrier.system, "forward")
    said = meaning(study)
    assert "spread of the fits, force left at the saddle, force left at the end points, added in squares" in said
    assert said.endswith("not known of at 0.05: spread of the starts that ended on the same path")
    assert study_table(study).caption.startswith(f"eV; {said}")
    numbers = barrier_json(barrier)
    assert numbers["uncertainty"] == barrier.uncertainty
    assert numbers["uncertainty_tolerance"] == barrier.uncertainty_parts["tolerance"]
    assert numbers["uncertainty_starts"] is None
    assert study.rows[0].uncertainty == barrier.uncertainty


def test_results_of_earlier_versions_have_the_spread_of_their_fits() -> None:
    study = study_of({"A": (0.4, 0.02), "B": (0.5, 0.01)})
    assert [row.uncertainty for row in study.rows] == [0.02, 0.01]
    assert meaning(study) == "± is the spread of the fits, the least uncertainty"
    old = ComparisonRowDoc.model_validate({"system": "A", "hop": "", "barrier": 0.4, "fit_spread": 0.02})
    assert old.uncertainty == 0.02
    assert StudyDoc.model_validate(study.model_dump()).rows == study.rows


@pytest.mark.parametrize(
    ("carried", "idpp", "says"),
    [(0.442, 0.400, True), (0.405, 0.400, False), (0.400, 0.442, False), (None, 0.400, False), (0.442, None, False)],
)
def test_a_start_that_finds_a_lower_path_than_the_bare_slab_s_is_warned_of(
    carried: float | None, idpp: float | None, says: bool
) -> None:
    """The bare slab has one start: its path may be the higher one there too."""
    paths = [
        PathDoc(start=start, converged=True, forward=forward, force_calls=1)
        for start, forward in (("carried", carried), ("idpp", idpp))
    ]
    lines = another_path(paths)
    assert bool(lines) is says
    assert not says or "has 0.442 eV, another start found one of 0.400 eV" in lines[0]
    assert another_path(paths[1:]) == []
