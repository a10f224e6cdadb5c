"""Saddles that single points of an engine are asked about: their order, their curvature, and what is left out."""

from __future__ import annotations

import re
from pathlib import Path

import false_paths
import numpy as np
import pytest
from ase.io import write
from conftest import gold_on_aluminium
from dispatched import start_worker, write_cluster
from hypothesis import given
from hypothesis import strategies as st
from jobflow import Flow
from mongo import Mongod
from plain_code import PlainCode

from barriers import BarrierMaker, EspressoEngine, MlipEngine, SurrogateEngine, run, to_structure
from barriers.analysis.modes import DOWNHILL
from barriers.analysis.partial import STEP, nearest_free, partial_modes
from barriers.analysis.vibrations import displaced
from barriers.by_hand.walk import Calculation, walk
from barriers.by_hand.write import open_results
from barriers.dispatch.fireworks.collect import collect
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.identity import identify
from barriers.documents import BarrierDoc
from barriers.engines.mlip.jobs import StaticMaker
from barriers.study.models import EndpointStudy, NebSection, PathSection, RelaxSection, Study
from barriers.workflow.labels import barrier_outputs
from barriers.workflow.plan import make_plan
from barriers.workflow.study import StudyMaker
from barriers.workflow.verification import POINTS

INPUTS = Path(__file__).resolve().parents[1] / "inputs"


def maker_of(engine: object, images: int = 3, **neb: object) -> BarrierMaker:
    relax, path = RelaxSection(fmax=0.005), PathSection(from_="linear", n_images=images)
    return BarrierMaker("ion", engine=engine, relax=relax, path=path, neb=NebSection(**{"fmax": 0.01} | neb))


def flow_of(model: str, fails: bool = False, **settings: object) -> Flow:
    ends = (to_structure(false_paths.ion(x)) for x in (0, false_paths.LENGTH))
    return maker_of(PlainCode(model, fails), **{"verify": True} | settings).make(*ends)


def barrier_of(folder: Path, model: str, fails: bool = False, **settings: object) -> BarrierDoc:
    found: BarrierDoc = run(flow_of(model, fails, **settings), folder).output
    return found


def test_a_saddle_of_first_order_has_its_curvature(tmp_path: Path) -> None:
    barrier = barrier_of(tmp_path, "false_paths:Wells")
    assert barrier.converged and barrier.forward == pytest.approx(0.5, abs=1e-3)
    (saddle,) = barrier.band.saddles
    along, across = -((2 * np.pi / false_paths.LENGTH) ** 2) / 4, 2.0
    assert saddle.curvatures == pytest.approx([along, across], rel=2e-3)
    assert (saddle.order, saddle.image, saddle.atoms, saddle.force_calls) == (1, 2, [1], 6)
    assert saddle.overlap > 0.99 and saddle.refined is None
    assert barrier.checks["saddle of first order"] and not barrier.warnings
    unlooked = barrier_of(tmp_path / "off", "false_paths:Wells", verify=None)
    assert unlooked.forward == barrier.forward
    assert not unlooked.band.saddles and "saddle of first order" not in unlooked.checks
    assert barrier.cost.force_calls == unlooked.cost.force_calls + 6


def test_a_hop_in_many_atoms_is_looked_at_with_its_neighbours(tmp_path: Path) -> None:
    """Gold on aluminium: the lowest curvature of four atoms is an upper bound of that of all."""
    found = []
    for number, engine in enumerate((PlainCode("emt"), MlipEngine(model="emt", workers=1))):
        maker = BarrierMaker("Au", engine=engine, n_images=3, neb=NebSection(verify=True))
        flow = maker.make(*(to_structure(atoms) for atoms in gold_on_aluminium()))
        found.append(run(flow, tmp_path / str(number)).output.band)
    few, every = (band.saddles[0] for band in found)
    ion = few.atoms[0]
    assert found[0].structure[ion].specie.symbol == "Au" and (len(few.atoms), few.force_calls) == (4, POINTS)
    top = found[0].positions[few.image]
    neighbours = np.linalg.norm(np.subtract(top, top[ion]), axis=1)[few.atoms[1:]]
    assert neighbours[:2] == pytest.approx([2.52, 2.52], abs=0.01) and neighbours[2] > 3
    assert (few.order, every.order, every.atoms) == (1, 1, None)
    assert every.curvatures[0] - 0.02 < few.curvatures[0] < DOWNHILL < few.curvatures[1]


def test_a_saddle_of_second_order_gives_no_barrier(tmp_path: Path) -> None:
    """The straight band stays on the ridge; the saddles beside it are 62 meV lower."""
    assert barrier_of(tmp_path / "off", "false_paths:Ridge", verify=False).forward == pytest.approx(0.5, abs=1e-3)
    barrier = barrier_of(tmp_path, "false_paths:Ridge")
    along = -2 * (np.pi / false_paths.LENGTH) ** 2 * false_paths.RIDGE
    across = -4 * false_paths.DROP / false_paths.WIDTH**2
    assert (barrier.converged, barrier.forward, barrier.uncertainty) == (False, None, None)
    saddle = barrier.band.saddles[0]
    found = " and ".join(f"{curvature:.2f}" for curvature in saddle.curvatures)
    words = f"the saddle at image 2 is of order 2: curvatures {found} eV/Å² of 1 atom, the others held"
    assert barrier.reason == words
    assert saddle.curvatures == pytest.approx([along, across], abs=0.015)


def test_of_a_band_without_a_saddle_no_point_is_computed(tmp_path: Path) -> None:
    barrier = barrier_of(tmp_path, "false_paths:Wells", images=4, max_steps=1)
    assert (barrier.converged, barrier.reason, barrier.band.saddles) == (False, "steps used up", [])
    assert barrier.cost.force_calls == barrier.band.cost.force_calls + 2


def test_a_barrier_stays_where_points_fail_and_says_so(tmp_path: Path) -> None:
    barrier = barrier_of(tmp_path, "false_paths:Wells", fails=True)
    assert barrier.forward == pytest.approx(0.5, abs=1e-3) and not barrier.band.saddles
    assert barrier.warnings[-1] == "the saddle is not verified: 6 of 6 single points around it failed"


matrices = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).normal(size=(18, 18)))


@given(matrices, st.integers(1, 5))
def test_a_part_of_a_hessian_bounds_the_whole(matrix: np.ndarray, number: int) -> None:
    """No curvature is below that of the same number of the whole: what is found downhill surely is there."""
    whole, atoms, at = matrix + matrix.T, list(range(number)), np.zeros((6, 3))
    forces = [(-whole @ positions.ravel()).reshape(6, 3) for positions in displaced(at, atoms, STEP)]
    modes, every = partial_modes(forces, atoms), np.linalg.eigvalsh(whole)
    assert (modes.curvatures >= every[: 3 * number] - 1e-9).all()
    assert modes.order <= (every < DOWNHILL).sum()
    held = whole[: 3 * number, : 3 * number]
    assert held @ modes.vectors[0] == pytest.approx(modes.curvatures[0] * modes.vectors[0], abs=1e-8)


def test_the_ion_and_its_nearest_free_neighbours_are_displaced() -> None:
    positions = np.array([[0.0, 0, 0], [3, 0, 0], [9.5, 0, 0], [0, 2, 0], [0, 0, 1]])
    assert nearest_free(positions, 10 * np.eye(3), 0, 4) == [0, 2, 4, 3]  # over the edge of the cell
    assert nearest_free(positions, 10 * np.eye(3), 0, 4, frozen=[2, 3]) == [0, 4, 1]


def keys(**neb: object) -> dict[str, str]:
    flow = identify(flow_of("false_paths:Wells", **{"verify": None} | neb), "me")
    return {job.uuid: job.name for job, _ in flow.iterflow()}


def test_only_what_is_added_has_a_new_key() -> None:
    plain, off, verified = keys(), keys(verify=False), keys(verify=True)
    assert plain == off
    assert {name for key, name in plain.items() if key not in verified} == {"ion: barrier"}
    added = [name for key, name in verified.items() if key not in plain]
    assert len(added) == POINTS + 3 and "ion: point at the saddle 24" in added


@pytest.mark.mongo
def test_through_a_launchpad_points_that_are_not_wanted_are_sent_to_no_queue(
    mongod: Mongod, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One ion may move: 6 of 24 points are."""
    cluster = write_cluster(tmp_path / "cluster", mongod.port, name=re.sub(r"\W", "_", tmp_path.name))
    monkeypatch.setattr("barriers.workflow.study.build_engine", lambda section: PlainCode(section.model))
    without, verified = ion_study(tmp_path), ion_study(tmp_path, verify=True)
    plain = submit(StudyMaker().parts(without), "ion", cluster)
    added = submit(StudyMaker().parts(verified), "ion", cluster, withdraw=True)
    assert (plain.added, added.added, added.withdrawn) == (4, POINTS + 3, 1)
    assert start_worker(cluster, tmp_path / "worker", "rapidfire").wait(240) == 0
    here = barrier_of(tmp_path / "here", "false_paths:Wells")
    (there,) = collect(verified, cluster).barriers
    assert there.forward == pytest.approx(here.forward, abs=1e-9)
    assert there.band.saddles == here.band.saddles and there.cost.force_calls == here.cost.force_calls
    assert collect(without, cluster).barriers[0].band.saddles == []
    sent = {entry["name"] for entry in runs(cluster.launchpad()).find({})}
    points = [name for name in sent if ": point at the saddle" in name]
    assert sorted(points) == [f"ion: point at the saddle {number}" for number in range(1, 7)]


def ion_study(folder: Path, **neb: object) -> EndpointStudy:
    for name, x in (("initial", 0.0), ("final", false_paths.LENGTH)):
        write(folder / f"{name}.vasp", false_paths.ion(x))
    return EndpointStudy(
        name="ion",
        endpoints={name: str(folder / f"{name}.vasp") for name in ("initial", "final")},
        engine={"kind": "mlip", "model": "false_paths:Wells"},
        relax={"fmax": 0.005},
        path={"from": "linear", "n_images": 3},
        neb={"fmax": 0.01} | neb,
    )


def test_by_hand_the_points_are_the_engines_own_once_the_band_is_there(tmp_path: Path) -> None:
    asked: list[tuple[str, str, type]] = []

    def give(calculation: Calculation) -> None:
        asked.append((calculation.job.name, calculation.kind, type(calculation.job.maker)))

    assert walk(flow_of("false_paths:Wells"), None, give) == len(asked) == 3
    asked.clear()
    run(flow_of("false_paths:Wells", verify=None), tmp_path)
    assert walk(flow_of("false_paths:Wells"), open_results(tmp_path), give) == 3 + 6
    points = [f"ion: point at the saddle {number}" for number in range(1, 7)]
    assert asked == [(name, "static", StaticMaker) for name in points]


def study(**neb: object) -> EndpointStudy:
    ends = {"initial": str(INPUTS / "li2o_initial.vasp"), "final": str(INPUTS / "li2o_final.vasp")}
    engine = {"kind": "espresso", "preset": "insulator", "keywords": {"tot_charge": -1}}
    return EndpointStudy(name="li2o", endpoints=ends, engine=engine, neb=neb)


def test_a_plan_counts_the_points_and_a_study_has_one_barrier() -> None:
    without, with_points = make_plan(study()), make_plan(study(verify=True))
    assert with_points.jobs == without.jobs | {"single point at a saddle": 24}
    assert with_points.force_calls == without.force_calls + 24
    (part,) = StudyMaker().parts(study(verify=True))
    assert list(barrier_outputs(part)) == [("li2o", "")]
    points = [job for job, _ in part.iterflow() if ": point at the saddle" in job.name]
    assert [job.metadata["kind"] for job in points] == ["static"] * 24
    assert {job.maker.maker.physics.fine for job in points} == {True}


def test_who_cannot_be_asked_is_refused_in_words() -> None:
    corrected = {"kind": "espresso", "neb": "surrogate"}
    with pytest.raises(ValueError, match=r"neb\.verify: true is not for engine\.neb surrogate; allowed: null with it"):
        Study(name="a", systems=[{"name": "NCM"}], engine=corrected, neb={"verify": True})
    with pytest.raises(ValueError, match=r"neb\.verify: false is not for engine mlip, which always looks; allowed: "):
        Study(name="a", systems=[{"name": "NCM"}], neb={"verify": False})
    with pytest.raises(ValueError, match=r"neb\.verify: True is not for SurrogateEngine"):
        maker_of(SurrogateEngine(prior=MlipEngine(), expensive=EspressoEngine()), verify=True)
    with pytest.raises(ValueError, match=r"neb\.verify: False is not for MlipEngine, which always does"):
        maker_of(MlipEngine(), verify=False)
    scout = BarrierMaker(engine=EspressoEngine(), path=PathSection(from_="mlip"), neb=NebSection(verify=False)).scout()
    assert scout is not None and isinstance(scout.engine, MlipEngine)
