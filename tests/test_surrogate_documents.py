"""Documents of corrected barriers: atoms in order, uncertainties in comparisons, what a plan says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from conftest import Outcome, gold_on_aluminium, ordered_slab
from stored import barrier_of

from barriers.documents import CostDoc, EndDoc, EngineDoc, PointDoc, SurrogateDoc
from barriers.structures.hop.hop import make_endpoint
from barriers.structures.hop.search import find_hops
from barriers.workflow.build_jobs import order_final
from barriers.workflow.comparison_job import study_document

Cli = Callable[..., Outcome]


def test_points_of_a_final_end_follow_its_atoms_into_the_initial_order() -> None:
    slab = ordered_slab()
    hop = next(hop for hop in find_hops(slab) if hop.moving is not None and any(hop.image))
    structure = make_endpoint(slab, hop.final)
    numbered = [[float(atom)] * 3 for atom in range(len(structure))]
    point = PointDoc(
        kind="initial",
        round=1,
        positions=structure.cart_coords.tolist(),
        energy=-1.0,
        forces=numbered,
        moments=[row[0] for row in numbered],
    )
    failed = point.model_copy(update={"energy": None, "forces": None, "moments": None, "reason": "it failed"})
    end = EndDoc(
        structure=structure,
        energy=-1.0,
        forces=numbered,
        moments=[row[0] for row in numbered],
        converged=True,
        max_force=0.0,
        fmax=0.03,
        steps=1,
        points=[point, failed],
        cost=CostDoc(),
        engine=EngineDoc(kind="mlip", name="none", version="1"),
    )
    ordered = order_final.original(end, hop)
    for each in ordered.points:
        assert np.allclose(each.positions, ordered.structure.cart_coords)
    assert ordered.points[0].forces == ordered.forces != numbered
    assert ordered.moments == ordered.points[0].moments == [row[0] for row in ordered.forces]
    assert ordered.points[1].forces is None


def test_a_difference_is_as_uncertain_as_its_corrections() -> None:
    plain = [barrier_of(system, 0.4, hop="first") for system in ("NCM", "NCM@PVDF")]
    rests_on = SurrogateDoc(model=plain[0].band.engine, model_positions=[], model_energies=[], points=[], rounds=[])
    band = plain[0].band.model_copy(update={"surrogate": rests_on})
    unsure = [each.model_copy(update={"uncertainty": 0.03, "band": band}) for each in plain]
    spreads = [
        study_document.original("s", each, "NCM", "forward").rows[1].difference_uncertainty for each in (plain, unsure)
    ]
    assert spreads == pytest.approx([np.sqrt(2) * plain[0].fit_spread, np.sqrt(2) * 0.03])


def test_a_plan_says_how_many_points_a_hop_takes_and_how_long_where_that_is_known(cli: Cli, tmp_path: Path) -> None:
    for name, atoms in zip(("i", "f"), gold_on_aluminium(), strict=True):
        write(tmp_path / f"{name}.traj", atoms)
    study = tmp_path / "study.yaml"

    def said(engine: str) -> str:
        ends = f"{{initial: {tmp_path / 'i.traj'}, final: {tmp_path / 'f.traj'}}}"
        study.write_text(f"name: gold\nendpoints: {ends}\nengine: {{{engine}}}\n")
        outcome = cli("check", study)
        assert outcome.code == 0, outcome.err
        return next((line for line in outcome.out.splitlines() if "single points" in line), "")

    near = "neb: surrogate, points: 11, prior: 'near_emt:NearEMT'"
    assert said(f"kind: mlip, model: emt, {near}") == "at most 11 single points a hop instead of about 260"
    assert "about 0.0" in said(f"kind: mlip, model: chgnet, {near}")
    assert said("kind: mlip, model: emt") == ""
