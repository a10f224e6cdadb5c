"""The study's flow: what runs once, what waits for what, and what a second run repeats."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import networkx as nx
import pytest
from conftest import ROOT, gold_on_aluminium
from jobflow import Flow

from barriers import BarrierMaker, MlipEngine, StudyMaker, load_study, run
from barriers.dispatch.local import JobEvent
from barriers.documents import BarrierDoc
from barriers.files.structures import to_structure
from barriers.study.models import HopSection, NebSection
from barriers.workflow.comparison_job import study_document
from barriers.workflow.result_jobs import barrier_document


@pytest.fixture(scope="module")
def main_job() -> Flow:
    return StudyMaker().make(load_study(ROOT / "inputs" / "ncm811_pvdf.yaml"))


def names(flow: Flow) -> list[str]:
    return [job.name for job, _ in flow.iterflow()]


def test_slab_and_endpoints_are_relaxed_once(main_job: Flow) -> None:
    counted = Counter(names(main_job))
    assert max(counted.values()) == 1
    assert counted["slab: relax"] == 1
    for system in ("NCM", "NCM@PVDF", "NCM@PVDF-HF"):
        assert sum(name.startswith(f"{system}: relax vacancy") for name in counted) == 2


def test_hops_that_share_a_vacancy_share_its_relaxation() -> None:
    study = load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")
    hops = tuple(HopSection(name=f"hop{rank}", rank=rank) for rank in (1, 2, 3))
    several = study.model_copy(update={"hops": hops, "systems": study.systems[:1]})
    relaxed = [name for name in names(StudyMaker().make(several)) if "relax vacancy" in name]
    maker_hops = {job.name for job, _ in StudyMaker().make(several).iterflow() if "band" in job.name}
    assert len(maker_hops) == 3
    assert len(relaxed) == len(set(relaxed)) < 6


def test_fragments_start_from_the_bare_slabs_path(main_job: Flow) -> None:
    graph = nx.DiGraph(main_job.graph)
    by_name = {job.name: job.uuid for job, _ in main_job.iterflow()}
    bare = by_name["NCM sub-surface: barrier"]
    for system in ("NCM@PVDF", "NCM@PVDF-HF"):
        assert nx.has_path(graph, bare, by_name[f"{system} sub-surface: band carried"])
        assert nx.has_path(
            graph, by_name[f"{system} sub-surface: band carried"], by_name[f"{system} sub-surface: band idpp"]
        )
    assert nx.is_directed_acyclic_graph(graph)


def test_the_flow_grows_with_the_hops_and_not_with_their_square() -> None:
    study = load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")

    def jobs(n_hops: int) -> int:
        hops = tuple(HopSection(name=f"hop{rank}", rank=rank) for rank in range(1, n_hops + 1))
        return len(names(StudyMaker().make(study.model_copy(update={"hops": hops}))))

    assert jobs(6) - jobs(4) <= jobs(4) - jobs(2)


def gold_flow(**neb: float) -> Flow:
    initial, final = map(to_structure, gold_on_aluminium())
    return BarrierMaker(engine=MlipEngine(model="emt"), neb=NebSection(**neb)).make(initial, final)


def test_an_edited_flow_runs_only_what_the_edit_touches(tmp_path: Path) -> None:
    def states(flow: Flow) -> dict[str, str]:
        seen: dict[str, str] = {}

        def note(event: JobEvent) -> None:
            seen[event.name] = event.state

        run(flow, tmp_path, note)
        return seen

    assert set(states(gold_flow()).values()) == {"done"}
    again = {"relax initial": "reused", "relax final": "reused", "band idpp": "reused", "barrier": "done"}
    again = {f"barrier: {name}": state for name, state in again.items()}
    assert states(gold_flow()) == again
    edited = states(gold_flow(spring=2.0))
    assert edited == again | {"barrier: band idpp": "done"}
    assert states(gold_flow(spring=2.0, max_steps=77)) == again


def test_a_failed_job_stops_only_what_needs_it(tmp_path: Path) -> None:
    first, second = gold_flow(), gold_flow(fmax=0.04)

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    failing = next(job for job, _ in second.iterflow() if "band" in job.name)
    failing.function = fail
    outcome = run(Flow([first, second], output=first.output), tmp_path)
    assert outcome.output.forward == pytest.approx(0.375, abs=0.002)
    folder = next((tmp_path / "jobs").rglob("error.txt")).parent
    said = {name.partition(" [")[0]: words for name, words in outcome.failures.items()}  # both flows use these names
    assert said["barrier: band idpp"] == f"RuntimeError: disk full; files in {folder}"
    assert said.keys() == {"barrier: band idpp", "barrier: barrier"}
    assert "disk full" in next((tmp_path / "jobs").rglob("error.txt")).read_text()


def gold_barrier(tmp_path: Path, **neb: float) -> BarrierDoc:
    document = run(gold_flow(**neb), tmp_path).output
    assert isinstance(document, BarrierDoc)
    return document


def test_documents_survive_json(tmp_path: Path) -> None:
    from monty.json import MontyEncoder

    document = gold_barrier(tmp_path)
    again = BarrierDoc.model_validate(json.loads(json.dumps(document, cls=MontyEncoder)))
    assert again.forward == document.forward
    assert again.band.positions == document.band.positions
    assert again.band.structure == document.band.structure


def test_the_lowest_of_several_paths_is_reported_with_their_number(tmp_path: Path) -> None:
    document = gold_barrier(tmp_path)
    low, high = document.band, document.band.model_copy(deep=True)
    high.start = "displaced 1"
    for image in range(1, len(high.energies) - 1):
        high.energies[image] += 0.1
        high.positions[image][-1][1] += 0.5
    made = barrier_document.original([high, low], _relaxed(document, 0), _relaxed(document, -1), "s", None)
    assert made.forward == pytest.approx(document.forward)
    assert (made.n_paths, made.band.start) == (2, "idpp")
    assert made.path_spread == pytest.approx(0.1, abs=0.02)
    assert [path.path for path in made.paths] == [2, 1]


def _relaxed(document: BarrierDoc, index: int):
    from barriers.documents import RelaxDoc

    return RelaxDoc(
        structure=document.band.structure,
        energy=document.band.energies[index],
        forces=document.band.forces[index],
        cost=document.band.cost,
        engine=document.band.engine,
        converged=True,
        max_force=0.0,
        fmax=0.03,
        steps=0,
    )


def test_barriers_of_unlike_settings_are_not_compared(tmp_path: Path) -> None:
    one = gold_barrier(tmp_path).model_copy(update={"system": "one"})
    other = gold_barrier(tmp_path, spring=2.0).model_copy(update={"system": "other"})
    study = study_document.original("s", [one, other], "one", "forward")
    row = study.rows[1]
    assert row.difference is None
    assert "spring" in row.reason
    pair = [one, one.model_copy(update={"system": "other"})]
    unknown = study_document.original("s", pair, "one", "forward").rows[1]
    assert (unknown.difference, unknown.reason) == (
        None,
        "not known to be alike: nothing is recorded of the slab and the hop",
    )
    named = {"fingerprint": one.fingerprint | {"slab": "Al12 Au1 01", "hop": "hollow → hollow"}}
    alike = study_document.original("s", [each.model_copy(update=named) for each in pair], "one", "forward")
    assert alike.rows[1].difference == 0
    assert alike.sentences == ["one 0.37 eV → other 0.37 eV (Δ +0.00 eV)"]
