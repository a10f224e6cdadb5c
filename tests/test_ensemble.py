"""Ensembles: what their members share, whose partner each barrier is, and what the distribution says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Outcome
from monty.json import MontyEncoder

from barriers import StudyMaker, run
from barriers.analysis.comparison import Row, compare
from barriers.analysis.ensemble import DistributionDoc, ensemble_document
from barriers.dispatch.fireworks.collect import collect
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.local import JobEvent, LocalRun
from barriers.documents import RelaxDoc, StudyDoc
from barriers.report.folder import write_figures, write_results
from barriers.report.html.page import write_report
from barriers.report.tables import study_json
from barriers.structures.hop.hop import midpoint
from barriers.structures.surface.slab import FRAGMENT, LAYER
from barriers.study.file import read_study
from barriers.study.models import Study
from barriers.workflow.beside_documents import placements_rows
from barriers.workflow.build_jobs import lowest
from barriers.workflow.ensemble import expand, members_of, rows_of
from barriers.workflow.labels import jobs_of
from barriers.workflow.placements import placements_of
from barriers.workflow.plan import make_plan

TEXT = """
name: made_up
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF-HF
    fragment: {polymer: PVDF, units: 1, eliminate: HF}
    placement: {mode: bonded}
hops: [{layer: any}]
engine: {model: "soft_pairs:SoftPairs", workers: 1}
relax: {fmax: 0.1, rough_fmax: 0.1}
neb: {fmax: 0.2, rough_fmax: 0.5}
path: {n_images: 3, starts: 1}
"""


def study_of(ensemble: str = "", text: str = TEXT) -> Study:
    study = read_study(text + (f"ensemble: {{{ensemble}}}\n" if ensemble else ""))
    assert isinstance(study, Study)
    return study


NEAREST = "orderings: 2, hops: nearest 2 to the bond"
LIKE = {"slab": "s", "hop": "h", "engine": "e"}


def test_members_differ_in_what_the_section_says_and_in_nothing_else() -> None:
    study = study_of("orderings: 2, placements: 3, lithium: [1.0, 0.5]")
    variants = expand(study)
    assert [variant.tag for variant in variants] == ["o1-x1", "o1-x0.5", "o2-x1", "o2-x0.5"]
    assert [(v.study.cathode.seed, v.study.cathode.lithium) for v in variants] == [(0, 1), (0, 0.5), (1, 1), (1, 0.5)]
    assert variants[0].study.system_names == ("NCM", "NCM@PVDF-HF.p1", "NCM@PVDF-HF.p2", "NCM@PVDF-HF.p3")
    ranks = [(system.placement.candidates, system.placement.rank) for system in variants[0].study.systems[1:]]
    assert ranks == [(3, 1), (3, 2), (3, 3)]
    same = variants[3].study.model_copy(update={"systems": study.systems, "cathode": study.cathode})
    assert same == study_of()
    assert expand(study_of())[0].study == study_of()


def test_lithium_contents_and_models_have_distributions_of_their_own() -> None:
    study = study_of("orderings: 2, lithium: [1.0, 0.5], models: [emt, chgnet]")
    listed = rows_of(study)
    assert len({(row.system, row.hop) for row in listed}) == len(listed) == 2 * 2 * 2 * 2
    shift = {(1.0, "emt"): 0.1, (0.5, "emt"): -0.1, (1.0, "chgnet"): 0.2, (0.5, "chgnet"): -0.3}
    barriers = {
        (one.system, one.hop): 0.5 + (shift[one.lithium, one.model] if one.of_system != "NCM" else 0.0)
        for one in listed
    }
    rows = [Row(one.system, one.hop, barriers[one.system, one.hop], None, LIKE) for one in listed]
    found = ensemble_document(listed, compare(rows, "NCM", "forward"), "NCM").distributions
    assert {(one.lithium, one.model): one.mean for one in found} == pytest.approx(shift)
    assert all(len(one.pairs) == 2 for one in found)
    assert found[0].sentence.startswith("NCM@PVDF-HF against NCM (x = 1, emt): 0 of 2 hops fall, mean Δ +0.10")
    built = members_of(study)
    assert {member.study.engine.model for member in built} == {"emt", "chgnet"}
    assert len({id(member.slab) for member in built}) == 4, "models share what they start from"


def test_check_says_how_many_barriers_there_are(tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    (tmp_path / "study.yaml").write_text(f"{TEXT}ensemble: {{{NEAREST}}}\n")
    code, out, err = cli("check", tmp_path / "study.yaml")
    assert code == 0, err
    assert "ensemble: 2 members × 2 systems × 2 hops = 8 barriers; the slab above is that of o1" in out
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("hop ")] == [
        f"hop o{ordering}-near-{number}" for ordering in (1, 2) for number in (1, 2)
    ]


def test_the_hops_are_those_nearest_to_the_bond() -> None:
    study = study_of(NEAREST)
    for member in members_of(study):
        slab, fragment = member.slab.structure, member.study.systems[1]
        assert fragment.fragment is not None
        placed = placements_of(slab, fragment.fragment, fragment.placement, study.surface.vacuum, member.anchor)[0]
        carbons = [atom for atom in range(len(slab), len(placed)) if placed[atom].specie.symbol == "C"]
        oxygens = slab.indices_from_symbol("O")
        apart = placed.distance_matrix[np.ix_(carbons, oxygens)]
        oxygen = oxygens[int(np.unravel_index(apart.argmin(), apart.shape)[1])]

        def away(hop: Any, at: int = oxygen, structure: Any = slab) -> float:
            middle = structure.lattice.get_fractional_coords(midpoint(structure, hop))
            return float(structure[at].distance_and_image_from_frac_coords(middle)[0])

        all_hops = members_of(study_of(f"orderings: 1, hops: nearest {24 if member.tag == 'o1' else 2} to the bond"))
        chosen = [away(hop) for hop in member.hops]
        assert chosen == sorted(chosen)
        if member.tag == "o1":
            assert [hop.label for hop in all_hops[0].hops[:2]] == [hop.label for hop in member.hops]
            assert chosen[-1] <= min(map(away, all_hops[0].hops[2:])) + 2e-3


def test_orderings_that_are_one_slab_are_refused() -> None:
    text = TEXT.replace("name: made_up", "name: made_up\ncathode: {name: LiNiO2}")
    with pytest.raises(ValueError, match=r"ensemble\.orderings: cathode\.seed 0 and 1 give the same slab; allowed: "):
        members_of(study_of("orderings: 2", text))


def test_one_ordering_has_one_slab_and_placements_are_shared() -> None:
    def names(ensemble: str) -> Counter[str]:
        return Counter(job.name for part in StudyMaker().parts(study_of(ensemble)) for job in jobs_of(part))

    found = names(f"{NEAREST}, placements: 3")
    assert max(found.values()) == 1
    for tag in ("o1", "o2"):
        for once in (
            "slab: relax",
            "NCM@PVDF-HF.p1: place",
            *(f"NCM@PVDF-HF.p1: relax placement {n}" for n in (1, 2, 3)),
        ):
            assert found[f"{tag} {once}"] == 1
    assert sum(": relax placement" in name for name in found) == 6
    assert sum(": relax interface" in name for name in found) == 6
    assert sum(": barrier" in name for name in found) == 2 * 2 * 4
    ends = sum("relax vacanc" in name for name in found)
    assert ends == 4 * sum(
        len({s for hop in m.hops for s in (hop.initial, hop.final)}) for m in members_of(study_of(NEAREST))
    )


def test_jobs_grow_with_orderings_and_with_hops_and_not_with_their_squares() -> None:
    def jobs(orderings: int, hops: int) -> int:
        study = study_of(f"orderings: {orderings}, hops: nearest {hops} to the bond")
        return sum(len(part.job_uuids) for part in StudyMaker().parts(study))

    assert jobs(4, 2) == 2 * jobs(2, 2)
    assert jobs(1, 12) - jobs(1, 8) <= jobs(1, 8) - jobs(1, 4) + 2


def test_the_plan_counts_the_barriers_and_shares_placements() -> None:
    plan = make_plan(study_of(f"{NEAREST}, placements: 3").model_copy(update={"engine": study_of().engine}))
    assert plan.barriers == 2 * 2 * 4
    assert plan.jobs["slab"] == 2 and plan.jobs["placement"] == 6 and plan.jobs["interface"] == 6
    assert plan.jobs["band"] == 16
    assert [member["tag"] for member in plan.as_json()["ensemble"]["members"]] == ["o1", "o2"]


def test_placements_that_relax_into_one_are_one() -> None:
    (member,) = members_of(study_of())
    numbers: dict[str, Any] = {
        "forces": [],
        "cost": {},
        "engine": {"kind": "none", "name": "none", "version": "0"},
        "converged": True,
        "max_force": 0.0,
        "fmax": 0.1,
        "steps": 1,
    }
    slab = member.slab.structure.copy()
    slab.append("F", [0, 0, 20], coords_are_cartesian=True, properties={LAYER: FRAGMENT})
    moved = {shift: slab.copy().translate_sites([0], [shift, 0, 0], frac_coords=False) for shift in (0.0, 0.1, 1.0)}
    relaxed = [
        RelaxDoc(structure=moved[shift], energy=energy, **numbers)
        for shift, energy in ((1.0, -1.0), (0.1, -1.999), (0.0, -2.0))
    ]
    chosen = lowest.original(relaxed)
    assert (chosen.energy, chosen.kept, [row.like for row in chosen.placements]) == (-2.0, 3, [None, None, 2])
    assert [row.energy for row in chosen.placements] == [-1.0, -1.999, -2.0]
    told = placements_rows({"o1 NCM@PVDF: choose placement": chosen, "NCM: choose placement": "not computed yet"})
    assert [(one.system, one.kept, len(one.rows)) for one in told] == [("o1 NCM@PVDF", 3, 3)]
    assert lowest.original(relaxed, 2).energy == -1.0
    with pytest.raises(ValueError, match=r"placement\.rank: 3, of which there are 2 once relaxed"):
        lowest.original(relaxed, 3)


@pytest.mark.mongo
def test_one_more_ordering_adds_its_own_jobs_to_the_launchpad_alone(here: Cluster) -> None:
    two, three = study_of("orderings: 2"), study_of("orderings: 3")
    jobs = sum(len(part.job_uuids) for part in StudyMaker().parts(two))
    assert submit(StudyMaker().parts(two), two.name, here).added == jobs
    assert submit(StudyMaker().parts(two), two.name, here).added == 0
    assert submit(StudyMaker().parts(three), three.name, here).added == jobs // 2
    document = collect(three, here)
    assert [(gap.system, gap.hop) for gap in document.gaps] == [(one.system, one.hop) for one in rows_of(three)]
    assert len(distribution(document).missing) == 3 and distribution(document).pairs == []
    assert document.sentences == ["NCM@PVDF-HF against NCM: no hop with a barrier in both; left out: 3 of the barriers"]


def run_in(folder: Path, study: Study) -> tuple[LocalRun, list[JobEvent]]:
    events: list[JobEvent] = []
    return run(StudyMaker().make(study), folder, events.append), events


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyDoc]:
    folder = tmp_path_factory.mktemp("ensemble")
    outcome, _ = run_in(folder, study_of(NEAREST))
    assert not outcome.failures and outcome.force_calls > 0
    return folder, outcome.output


def distribution(study: StudyDoc) -> DistributionDoc:
    assert study.ensemble is not None
    (found,) = study.ensemble.distributions
    return found


@pytest.mark.slow
def test_the_distribution_is_that_of_the_rows(finished: tuple[Path, StudyDoc]) -> None:
    _, study = finished
    assert [(row.system, row.hop) for row in study.rows] == [
        (one.system, one.hop) for one in rows_of(study_of(NEAREST))
    ]
    by_name = {(row.system, row.hop): row.barrier for row in study.rows}
    expected = [
        by_name["NCM@PVDF-HF", hop] - by_name["NCM", hop] for hop in dict.fromkeys(row.hop for row in study.rows)
    ]
    assert [pair.delta for pair in distribution(study).pairs] == pytest.approx(expected)
    assert len(expected) == 4
    assert study.sentences == [distribution(study).sentence]
    again = StudyDoc.model_validate(json.loads(json.dumps(study, cls=MontyEncoder)))
    assert again.ensemble == study.ensemble
    assert study_json(study)["ensemble"][0]["falls"] == distribution(study).falls


@pytest.mark.slow
def test_a_member_has_the_keys_of_the_same_study_alone_and_a_second_run_computes_nothing(
    finished: tuple[Path, StudyDoc],
) -> None:
    folder, study = finished
    outcome, _ = run_in(folder, study_of(NEAREST))
    assert outcome.force_calls == 0
    assert outcome.output.ensemble == study.ensemble
    member = members_of(study_of(NEAREST))[1]
    assert member.hops[0].label == member.anchor.label
    hops = f"hops: [{{name: first, layer: any}}, {{name: second, label: {member.hops[1].label}}}]"
    alone = TEXT.replace("hops: [{layer: any}]", hops).replace("name: made_up", "name: alone\ncathode: {seed: 1}")
    single, events = run_in(folder, study_of(text=alone))
    assert single.force_calls == 0
    assert sum(event.state == "reused" and ": band " in event.name for event in events) == 4
    theirs = {(row.system, row.hop): row.barrier for row in study.rows}
    named = {"first": "o2-near-1", "second": "o2-near-2"}
    assert all(row.barrier == theirs[row.system, named[row.hop]] for row in single.output.rows)


@pytest.mark.slow
def test_a_failed_job_of_one_member_leaves_the_others_whole(finished: tuple[Path, StudyDoc]) -> None:
    folder, study = finished
    flow = StudyMaker().make(study_of(f"{NEAREST}, placements: 1").model_copy(update={"name": "failing"}))

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    failing = next(job for job in jobs_of(flow) if job.name == "NCM@PVDF-HF o2-near-1: final endpoint")
    failing.function = fail
    outcome = run(flow, folder)
    found = distribution(outcome.output)
    assert [pair.hop for pair in found.pairs] == ["o1-near-1", "o1-near-2", "o2-near-2"]
    assert found.missing == ["NCM@PVDF-HF o2-near-1: a calculation it needs failed"]
    whole = {pair.hop: pair.delta for pair in distribution(study).pairs}
    assert all(pair.delta == whole[pair.hop] for pair in found.pairs)


@pytest.mark.slow
def test_the_files_and_the_page_of_an_ensemble(
    finished: tuple[Path, StudyDoc], tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    _, study = finished
    written = {path.name for path in write_results(study, tmp_path)}
    assert {"ensemble.csv", "ensemble.png", "ensemble.svg"} <= written
    lines = (tmp_path / "ensemble.csv").read_text().splitlines()
    assert len(lines) == 1 + 4 and lines[0].startswith("system,reference,lithium,model,seed,hop,delta")
    shown = cli("show", tmp_path).out
    assert distribution(study).sentence in shown and "p of the sign test" in shown
    figures = {path.name for path in write_figures(study, tmp_path)}
    assert {f"map-NCM+PVDF-HF--{tag}.png" for tag in ("o1", "o2")} <= figures
    page = write_report(study, tmp_path).read_text()
    assert page.count("data:image/svg+xml;base64,") == 3
    assert distribution(study).sentence in page and '<h2 id="ensemble-title">' in page


@pytest.mark.slow
def test_arrows_of_the_map_have_the_sign_of_the_difference(finished: tuple[Path, StudyDoc]) -> None:
    from matplotlib.patches import FancyArrow

    from barriers.report.figures.ensemble import draw_maps

    _, study = finished
    signs = {pair.delta > 0 for pair in distribution(study).pairs}
    assert signs == {True, False}
    for (_, (side, top)), ordering in zip(draw_maps(study), (1, 2), strict=True):
        pairs = [pair for pair in distribution(study).pairs if pair.ordering == ordering]
        for axes in (side, top):
            arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrow)]
            red_or_blue = [bool(arrow.get_facecolor()[0] > arrow.get_facecolor()[2]) for arrow in arrows]
            assert red_or_blue == [pair.delta > 0 for pair in pairs]
