"""Slabs and values of a series: the same hop on the same metals, jobs of the study, and what is refused."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pymatgen.core import Structure
from series_study import TEXT, study_of

from barriers import StudyMaker
from barriers.dispatch.local import lasting
from barriers.structures.hop.carried import check_carried
from barriers.structures.hop.hop import Hop, hop_ends, make_endpoint
from barriers.structures.hop.same_place import at_same_place
from barriers.structures.hop.search import find_hops
from barriers.structures.rounding import rounded
from barriers.study.file import read_study
from barriers.study.models import Study
from barriers.workflow.series import Choice, SeriesPlan, barrier_flow, plan_series


def chosen(plan: SeriesPlan, setting: str) -> dict[str, Choice]:
    return {choice.value: choice for choice in plan.choices[setting]}


def slab_of(choice: Choice) -> Structure:
    assert choice.member is not None, choice.reason
    return choice.member.slab.structure


def places(slab: Structure, wide: Structure | None = None) -> Counter[tuple[Any, ...]]:
    """Element and place below the topmost atom of every atom, in-plane within the cell of ``wide`` (0.001 Å)."""
    matrix = (wide or slab).lattice.matrix
    depths = slab.cart_coords - [0, 0, slab.cart_coords[:, 2].max()]
    flat = np.linalg.solve(matrix[:2, :2].T, depths[:, :2].T).T
    flat = rounded((flat + 1e-6) % 1, 4) % 1
    return Counter(
        (site.specie.symbol, *shares, depth)
        for site, shares, depth in zip(slab, flat.tolist(), rounded(depths[:, 2], 3).tolist(), strict=True)
    )


@pytest.mark.parametrize("cathode", ["seed: 3", "lithium: 0.7", "antisites: 0.1", "name: NCM111, ordering: sqs"])
def test_a_thinner_slab_is_the_upper_part_of_a_thicker_one(cathode: str) -> None:
    plan = plan_series(study_of(cathode=cathode), "layers=3,5,7")
    slabs = [slab_of(choice) for choice in plan.choices["layers"]]
    assert [max(slab.site_properties["layer"]) + 1 for slab in slabs] == [3, 4, 5, 7]
    for thin, thick in pairwise(slabs):
        assert places(thin) <= places(thick)
        assert len(thick) > len(thin)
    below = places(slabs[3]) - places(slabs[2])
    assert len({element for element, *_ in below}) > 2, "layers below have metals of their own"


def test_a_wider_slab_repeats_the_study_s_own_and_more_vacuum_moves_no_atom() -> None:
    plan = plan_series(study_of(), "size=2x1,2x2,vacuum=16")
    own = plan.own.slab.structure
    for value, times in (("2x1", (2, 1, 1)), ("2x2", (2, 2, 1))):
        wide = slab_of(chosen(plan, "size")[value])
        assert places(wide) == places(own * times, wide)
        assert wide.lattice.abc[:2] == pytest.approx([times[0] * own.lattice.a, times[1] * own.lattice.b])
    taller = slab_of(chosen(plan, "vacuum")["16"])
    assert taller.species == own.species
    assert taller.cart_coords == pytest.approx(own.cart_coords, abs=1e-6)
    assert taller.lattice.c == pytest.approx(own.lattice.c + 4, abs=1e-6)


@pytest.mark.parametrize("surface", ["", "facet: [0, 0, 1]", "facet: [1, 0, 1]"])
def test_every_kind_of_hop_stays_the_same_hop_at_its_place(surface: str) -> None:
    plan = plan_series(study_of(surface, hops="{layer: any}"), "layers=5,size=2x2")
    own = plan.own.slab.structure
    kinds: dict[str, Hop] = {}
    for hop in find_hops(own):
        kinds.setdefault(f"{hop.kind} {hop.image != (0, 0, 0)}", hop)
    assert {"vacancy", "divacancy"} < {kind.split()[0] for kind in kinds}
    for setting, value in (("layers", "5"), ("size", "2x2")):
        other = slab_of(chosen(plan, setting)[value])
        rise = float(other.cart_coords[:, 2].max() - own.cart_coords[:, 2].max())
        for hop in kinds.values():
            there = at_same_place(hop, own, other, rise)
            steps = [np.subtract(*hop_ends(*each)) for each in ((other, there), (own, hop))]
            assert steps[0] == pytest.approx(steps[1], abs=1e-5)
            check_carried(other, other, there)
            for mine, its in ((hop.initial, there.initial), (hop.final, there.final)):
                assert len(mine.removed) == len(its.removed)
                alone = make_endpoint(own, mine), make_endpoint(other, its)
                assert [len(each) - len(slab) for each, slab in zip(alone, (own, other), strict=True)] == [
                    (mine.added is not None) - len(mine.removed)
                ] * 2
            if hop.through is not None and there.through is not None:
                shift = hop_ends(other, there)[0] - hop_ends(own, hop)[0]
                assert there.through.position(other) - hop.through.position(own) == pytest.approx(shift, abs=1e-5)
                near = other.lattice.get_fractional_coords(there.through.position(other))
                far = [other[atom].distance_and_image_from_frac_coords(near)[0] for atom in there.removed]
                assert max(far) < 2.5, "the second vacancy is the one beside the jump"


@pytest.mark.parametrize(
    ("surface", "depth", "value", "reason"),
    [
        ("", "[3.5, 4.5]", "3", " is in the frozen part"),
        ("", "[5.5, 6.5]", "3", "no Li at the place of the hop's atom"),
        ("frozen: none", "[3.5, 4.5]", "3", "a site of the hop has the neighbours O"),
    ],
)
def test_a_slab_that_cannot_have_the_hop_is_a_gap_with_its_reason(
    surface: str, depth: str, value: str, reason: str
) -> None:
    study = study_of(surface, hops=f"{{layer: any, depth: {depth}}}", layers=6)
    gap = chosen(plan_series(study, f"layers={value}"), "layers")[value]
    assert gap.member is None
    assert reason in str(gap.reason)


def test_values_follow_from_the_study_or_are_given_and_its_own_is_among_them() -> None:
    def values(study: Study, over: str) -> dict[str, list[str]]:
        plan = plan_series(study, over)
        for choices in plan.choices.values():
            assert sum(choice.own for choice in choices) == 1
            assert next(choice.member for choice in choices if choice.own) is plan.own
        return {setting: [choice.value for choice in choices] for setting, choices in plan.choices.items()}

    assert values(study_of(), "layers, vacuum,size,images,fmax") == {
        "layers": ["3", "4", "5", "6"],
        "vacuum": ["8", "12", "16", "20"],
        "size": ["1x1", "2x1", "1x2", "2x2"],
        "images": ["2", "3", "5", "7"],
        "fmax": ["0.2", "0.1", "0.05"],
    }
    assert values(study_of(), "fmax=0.05,0.4,images=5") == {"fmax": ["0.4", "0.2", "0.05"], "images": ["3", "5"]}
    assert values(study_of("frozen: core", layers=5), "layers") == {"layers": ["3", "5", "7", "9"]}


def test_a_value_changes_its_setting_and_nothing_else() -> None:
    plan = plan_series(study_of(), "layers=5,vacuum=16,size=2x1,images=5,fmax=0.02")
    for setting, section in (("layers", "surface"), ("vacuum", "surface"), ("size", "surface"), ("images", "path")):
        (choice,) = (choice for choice in plan.choices[setting] if not choice.own)
        assert choice.member is not None
        changed = choice.member.study.model_dump(exclude={section})
        assert changed == plan.study.model_dump(exclude={section})
        before, after = (getattr(study, section).model_dump() for study in (plan.study, choice.member.study))
        assert sum(before[key] != after[key] for key in before) == 1
    tight = chosen(plan, "fmax")["0.02"].member
    assert tight is not None
    assert (tight.study.neb.fmax, tight.study.relax.fmax) == (0.02, 0.02)
    assert tight.slab is plan.own.slab


@pytest.mark.parametrize(
    ("over", "says"),
    [
        ("layer", "--over: 'layer' is no setting; allowed: layers, vacuum"),
        ("5,layers", "--over: '5' is no setting"),
        ("layers,layers=5", "--over: layers stands twice; allowed: each once"),
        ("layers=x", "--over: 'x' is no value of layers; allowed: such as 4"),
        ("size=2", "--over: '2' is no value of size; allowed: such as 2x1"),
        ("images=4,fmx", "--over: 'fmx' is no value of images; allowed: such as 6; did you mean 'fmax'?"),
        ("layers=30", "--over: surface.layers: 30 is too large; allowed: 3 to 20"),
        ("fmax=0.6", "--over: neb.fmax: 0.6 is too large"),
    ],
)
def test_what_is_no_series_is_refused_in_one_line(over: str, says: str) -> None:
    with pytest.raises(ValueError) as refused:
        plan_series(study_of(), over)
    assert str(refused.value).startswith(says)


def test_an_unknown_system_or_hop_and_a_study_of_two_structures_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--system: 'NMC' is no system; allowed: NCM; did you mean 'NCM'\?"):
        plan_series(study_of(), "images", system="NMC")
    with pytest.raises(ValueError, match="hops: 'inward'"):
        plan_series(study_of(), "images", hop="inward")
    pair = read_study("name: pair\nendpoints: {initial: a.vasp, final: b.vasp}\n")
    with pytest.raises(ValueError, match="endpoints: two given structures have no slab to vary; allowed: "):
        plan_series(pair, "images")


def test_a_hop_is_named_as_in_the_study_or_by_its_label() -> None:
    study = study_of(hops="{name: first}, {name: second, rank: 2}")
    assert plan_series(study, "images").own.hops[0].name == "first"
    second = plan_series(study, "images", hop="second").own.hops[0]
    assert second.name == "second"
    assert plan_series(study, "images", hop=second.label).own.hops[0].moving == second.moving


@pytest.mark.parametrize("system", ["NCM", "NCM@PVDF-HF"])
def test_the_own_value_has_the_jobs_of_the_study(system: str) -> None:
    fragment = "fragment: {polymer: PVDF, units: 1, eliminate: HF}, placement: {mode: bonded}"
    systems = f"[{{name: NCM@PVDF-HF, {fragment}}}, {{name: NCM}}]"
    study = read_study(TEXT.replace("[{name: NCM}]", systems) + "hops: [{name: first}, {name: second, rank: 2}]\n")
    assert isinstance(study, Study)
    plan = plan_series(study, "images=5", system=system, hop="second")
    own = {uuid for uuid, job in lasting(barrier_flow(plan, plan.own, "images 3"))[0].items() if job.maker}
    of_study = {uuid for uuid, job in lasting(StudyMaker().make(study))[0].items() if job.maker}
    assert own < of_study
    more = chosen(plan, "images")["5"].member
    assert more is not None
    others = {uuid for uuid, job in lasting(barrier_flow(plan, more, "images 5"))[0].items() if job.maker}
    assert len(others - of_study) == len(others) - len(own & others) == (1 if system == "NCM" else 2)
