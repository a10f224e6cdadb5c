"""Ensembles: what their members share, whose partner each barrier is, and what the distribution says."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Outcome
from hypothesis import given, settings
from hypothesis import strategies as st
from monty.json import MontyEncoder
from scipy.stats import norm

from barriers import StudyMaker, run
from barriers.analysis.comparison import Row, compare
from barriers.analysis.ensemble import DistributionDoc, EnsembleDoc, MemberDoc, ensemble_document, standard_error
from barriers.dispatch.fireworks.collect import collect
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.local import JobEvent, LocalRun
from barriers.documents import RelaxDoc, StudyDoc
from barriers.report.folder import write_figures, write_results
from barriers.report.html.page import write_report
from barriers.report.tables import study_json
from barriers.structures.hop.hop import midpoint
from barriers.study.file import read_study
from barriers.study.models import Study
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
relax: {fmax: 0.5, rough_fmax: 0.5}
neb: {fmax: 0.5, rough_fmax: 0.5}
path: {n_images: 3, starts: 1}
"""


def study_of(ensemble: str = "", text: str = TEXT) -> Study:
    study = read_study(text + (f"ensemble: {{{ensemble}}}\n" if ensemble else ""))
    assert isinstance(study, Study)
    return study


NEAREST = "orderings: 2, hops: nearest 2 to the bond"


def members(orderings: int, hops: int, placements: int = 1, systems: tuple[str, ...] = ("A", "B")) -> list[MemberDoc]:
    return [
        MemberDoc(
            system=f"{system}.p{placement}" if system != "A" and placements > 1 else system,
            hop=f"o{ordering}-h{hop}",
            of_system=system,
            of_hop=f"h{hop}",
            placement=placement,
            ordering=ordering,
            seed=ordering - 1,
            lithium=1.0,
        )
        for ordering in range(1, orderings + 1)
        for system in systems
        for placement in range(1, 1 + (placements if system != "A" else 1))
        for hop in range(1, hops + 1)
    ]


SETTINGS = {"slab": "s", "hop": "h", "engine": "e"}


def described(listed: list[MemberDoc], barriers: dict[tuple[str, str], float | None]) -> EnsembleDoc:
    """Compare barriers (eV), None for one that failed; rows in a random order."""
    rows = [
        Row(each.system, each.hop, value, 0.003, SETTINGS, None if value is not None else "did not converge")
        for each in listed
        for value in [barriers[each.system, each.hop]]
    ]
    random.Random(1).shuffle(rows)
    return ensemble_document(listed, compare(rows, "A", "forward"), "A")


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.randoms(use_true_random=False))
def test_partners_are_the_same_hop_on_the_same_ordering_in_whatever_order(
    orderings: int, hops: int, chance: random.Random
) -> None:
    listed = members(orderings, hops)
    base = {(one.ordering, one.of_hop): 10 * one.ordering + int(one.of_hop[1:]) for one in listed}
    delta = {key: chance.choice([-0.2, -0.1, 0.1, 0.3]) for key in base}
    barriers = {
        (one.system, one.hop): base[one.ordering, one.of_hop]
        + (delta[one.ordering, one.of_hop] if one.system == "B" else 0.0)
        for one in listed
    }
    chance.shuffle(listed)
    (found,) = described(listed, barriers).distributions
    assert {(pair.ordering, pair.of_hop): round(pair.delta, 9) for pair in found.pairs} == delta
    assert found.falls == sum(value < 0 for value in delta.values())
    assert found.falls + found.rises == len(delta)
    assert found.mean == pytest.approx(np.mean(list(delta.values())))


def test_a_failed_barrier_leaves_out_its_own_pair_alone_and_is_named() -> None:
    listed = members(2, 2)
    barriers: dict[tuple[str, str], float | None] = {(one.system, one.hop): 0.5 for one in listed}
    for hop in ("o1-h1", "o1-h2", "o2-h1"):
        barriers["B", hop] = 0.4
    barriers["B", "o2-h2"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.hop for pair in found.pairs] == ["o1-h1", "o1-h2", "o2-h1"]
    assert found.missing == ["B o2-h2: did not converge"]
    barriers["A", "o1-h1"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.hop for pair in found.pairs] == ["o1-h2", "o2-h1"]
    assert found.missing == ["B o1-h1: A has no barrier: did not converge", "B o2-h2: did not converge"]
    assert "2 of 2 hops fall" in found.sentence and "left out: 2 of the barriers" in found.sentence


def test_placements_are_averaged_within_their_pair_and_add_no_pairs() -> None:
    listed = members(1, 2, placements=3)
    barriers = {(one.system, one.hop): 0.5 if one.system == "A" else 0.5 + 0.1 * one.placement for one in listed}
    (found,) = described(listed, barriers).distributions
    assert len(found.pairs) == 2
    assert found.pairs[0].placements == pytest.approx({1: 0.1, 2: 0.2, 3: 0.3})
    assert found.pairs[0].delta == pytest.approx(0.2)
    barriers["B.p3", "o1-h1"] = None
    (found,) = described(listed, barriers).distributions
    assert [pair.delta for pair in found.pairs] == pytest.approx([0.15, 0.2])
    assert found.missing == ["B.p3 o1-h1: did not converge"]


def test_the_sentence_of_seven_hops_of_nine() -> None:
    """Sign test by hand: 2 · (1 + 9 + 36) / 2⁹ = 0.18."""
    deltas = [-0.10, -0.09, -0.08, -0.07, -0.06, -0.05, -0.03, 0.05, 0.07]
    listed = members(3, 3)
    values = iter(deltas)
    barriers = {(one.system, one.hop): 0.5 + (next(values) if one.system == "B" else 0.0) for one in listed}
    (found,) = described(listed, barriers).distributions
    assert found.p_value == pytest.approx(2 * (1 + 9 + 36) / 2**9)
    assert found.spread == pytest.approx(np.std(deltas, ddof=1))
    assert found.sentence == (
        "B against A: 7 of 9 hops fall, mean Δ −0.04 ± 0.04 eV, spread 0.06 eV, sign test p = 0.18"
    )


def test_the_standard_error_covers_the_mean_where_hops_of_an_ordering_depend_on_each_other() -> None:
    """Of 400 made-up ensembles of 12 orderings that shift all their hops alike, the mean lies within 2 s.e. as often
    as it should; the error of independent hops would be three times too small."""
    rng = np.random.default_rng(0)
    orderings = np.repeat(np.arange(12), 9)
    within, plain = [], []
    for _ in range(400):
        deltas = rng.normal(0, 0.1, 12)[orderings] + rng.normal(0, 0.01, len(orderings))
        error = standard_error(deltas.tolist(), orderings.tolist())
        assert error is not None
        within.append(abs(deltas.mean()) < 2 * error)
        plain.append(abs(deltas.mean()) < 2 * deltas.std(ddof=1) / np.sqrt(len(deltas)))
    assert np.mean(within) > norm.cdf(2) - norm.cdf(-2) - 0.06
    assert np.mean(plain) < 0.7


def test_independent_hops_have_the_plain_standard_error() -> None:
    deltas = [0.1, -0.1, 0.3, -0.3]
    assert standard_error(deltas, [1, 1, 2, 2]) == pytest.approx(np.std(deltas, ddof=1) / 2)
    assert standard_error(deltas, [1, 1, 1, 1]) == pytest.approx(np.std(deltas, ddof=1) / 2)
    assert standard_error([0.1], [1]) is None


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
    rows = [Row(one.system, one.hop, barriers[one.system, one.hop], None, SETTINGS) for one in listed]
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
    slab = member.slab.structure
    moved = {shift: slab.copy().translate_sites([0], [shift, 0, 0], frac_coords=False) for shift in (0.0, 0.1, 1.0)}
    relaxed = [
        RelaxDoc(structure=moved[shift], energy=energy, **numbers)
        for shift, energy in ((1.0, -1.0), (0.1, -1.999), (0.0, -2.0))
    ]
    assert lowest.original(relaxed).energy == -2.0
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
    assert sum(name.startswith("map-") and name.endswith(".png") for name in figures) == 2
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
