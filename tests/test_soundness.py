"""Slabs thick enough for their hops: what is measured, what is warned of, and that the warning's advice helps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from pymatgen.core import Lattice, Structure
from typer.testing import CliRunner

from barriers import StudyMaker, load_study
from barriers.cli import app
from barriers.documents import StudyDoc
from barriers.report.html.page import render_page
from barriers.report.tables import study_json, study_notes
from barriers.structures.hop.hop import Hop, Site
from barriers.structures.hop.soundness import distance_to_frozen, soundness
from barriers.structures.surface.slab import LAYER, frozen_atoms
from barriers.study.errors import StudyError
from barriers.study.file import read_study
from barriers.study.models import Study, SurfaceSection
from barriers.workflow.comparison_job import study_document
from barriers.workflow.ensemble import members_of
from barriers.workflow.slab_and_hops import BuiltSlab, build_slab, crystal_of


def slab_of(study: Study) -> BuiltSlab:
    return members_of(study)[0].slab


def study_of(surface: str, hops: str = "[{name: jump}]", cathode: str = "name: LiNiO2, relax: false") -> Study:
    text = f"name: thin\ncathode: {{{cathode}}}\nsurface: {{{surface}}}\nsystems: [{{name: NCM}}]\nhops: {hops}\n"
    return read_study(text)


def a_hop(through: bool = False) -> tuple[Structure, Hop]:
    """Two Li 3 Å apart along x, across the cell's edge, and frozen O; the upper O only is near a way over the top."""
    cell = Lattice.orthorhombic(10, 10, 20)
    places = [[9, 5, 10], [2, 5, 10], [0.5, 5, 7.5], [5, 5, 10], [0.5, 5, 15]]
    slab = Structure(cell, ["Li", "Li", "O", "O", "O"], places, coords_are_cartesian=True)
    slab.add_site_property("selective_dynamics", [[True] * 3, [False] * 3, [False] * 3, [True] * 3, [False] * 3])
    slab.add_site_property(LAYER, [1, 1, 0, 1, 2])
    over = Site(anchors=((4, (1, 0, 0)),), height=-1.0) if through else None
    return slab, Hop(name="jump", moving=0, target=1, image=(1, 0, 0), through=over, distance=3.0)


def test_the_distance_is_that_of_the_whole_path_across_the_edge_to_what_is_frozen() -> None:
    slab, hop = a_hop()
    # Middle of the path: x = 10.5, right above the O at 0.5 + 10; the frozen target is taken out, the O at 5 is free.
    assert distance_to_frozen(slab, hop) == pytest.approx(2.5, abs=2e-3)
    slab, hop = a_hop(through=True)
    assert distance_to_frozen(slab, hop) == pytest.approx(1.0, abs=1e-6)


def test_a_slab_is_as_thick_as_its_atoms_stand_apart() -> None:
    slab, hop = a_hop()
    found = soundness(slab, [hop], layer_height=2.0)
    assert (found.thickness, found.to_frozen) == (7.5, {"jump": pytest.approx(2.5, abs=2e-3)})
    assert [line.partition(";")[0] for line in found.warnings] == [
        "slab: 7.50 Å thick, less than 8 Å, so its middle is no bulk",
        "hop jump: 2.50 Å from a frozen atom, less than 4 Å, so what should give way is held",
    ]
    far = soundness(slab, [], layer_height=2.0)
    assert (len(far.warnings), far.to_frozen) == (1, {})


SUB_SURFACE = "[{name: jump}]"
OUTERMOST = "[{name: jump, layer: any}]"


@pytest.mark.parametrize(
    ("surface", "hop", "layers"),
    [
        ("layers: 3, frozen_layers: 1", SUB_SURFACE, 5),
        ("layers: 5, frozen_layers: 3", SUB_SURFACE, 6),
        ("layers: 6, frozen_layers: 2, symmetric: true", SUB_SURFACE, 8),
        ("layers: 6, frozen_layers: 4, frozen: core", OUTERMOST, 8),
        ("layers: 5, frozen_thickness: 5.0", SUB_SURFACE, 6),
        ("layers: 4, facet: [1, 1, 0], min_lengths: [5, 8]", OUTERMOST, 7),
    ],
)
def test_the_least_number_of_layers_that_is_sound_is_named(surface: str, hop: str, layers: int) -> None:
    thin = slab_of(study_of(surface, hop))
    assert {int(re.findall(r"surface\.layers: (\d+) mends it$", line)[0]) for line in thin.warnings} == {layers}
    step = 2 if "sym" in surface or "core" in surface else 1
    for number in (layers - step, layers):
        made = slab_of(study_of(re.sub(r"layers: \d", f"layers: {number}", surface, count=1), hop))
        assert (made.thickness >= 8 and min(made.to_frozen.values()) >= 4) == (number == layers)
        assert bool(made.warnings) == (number < layers)


def test_the_worst_of_many_hops_stands_for_all_and_a_free_slab_has_none() -> None:
    hops = (
        "[{name: near, layer: any, rank: 1}, {name: nearer, layer: any, rank: 2}, {name: third, layer: any, rank: 3}]"
    )
    slab = slab_of(study_of("layers: 5, frozen_layers: 3", hops))
    under = {name: distance for name, distance in slab.to_frozen.items() if distance < 4}
    (line,) = slab.warnings
    assert len(under) > 1
    assert line.startswith(f"hop {min(under, key=lambda name: under[name])} and {len(under) - 1} more: ")
    free = slab_of(study_of("layers: 5, frozen: none", hops))
    assert (free.to_frozen, free.warnings) == ({}, [])


def test_the_default_slab_is_sound_and_so_is_the_large_study_that_is_shipped() -> None:
    for study in (
        study_of(""),
        study_of("", cathode="name: NCM811"),
        study_of("", cathode="name: NCM811, relax: false"),
        load_study(ROOT / "inputs" / "ncm811_pvdf_full.yaml"),
    ):
        slab = slab_of(study)
        assert slab.thickness >= 8 and min(slab.to_frozen.values()) >= 4 and slab.warnings == []


# Which layers are held.


@pytest.mark.parametrize(
    ("surface", "held"),
    [
        ({}, {0, 1}),
        ({"frozen": "none", "symmetric": True, "frozen_layers": 1}, set()),
        ({"symmetric": True}, {2, 3}),
        ({"frozen": "core"}, {2, 3}),
        ({"frozen": "none"}, set()),
        # Faces that differ may have a frozen core too.
        ({"frozen": "core", "facet": (0, 0, 3), "termination": "O-1", "polar": "hydroxyl"}, {2, 3}),
    ],
)
def test_what_is_chosen_is_what_is_frozen(surface: dict, held: set[int]) -> None:
    section = SurfaceSection(**{"layers": 6, "frozen_layers": 2, **surface})
    study = study_of("")
    slab = build_slab(crystal_of(study.cathode), study.cathode, section).structure
    layers = np.array(slab.site_properties[LAYER])
    assert set(np.flatnonzero(np.isin(layers, list(held)))) == set(frozen_atoms(slab))


def test_a_thickness_is_held_in_the_core_and_not_beside_nothing() -> None:
    study = study_of("layers: 7, frozen: core, frozen_thickness: 4.5")
    slab = build_slab(crystal_of(study.cathode), study.cathode, study.surface).structure
    assert {slab[atom].properties[LAYER] for atom in frozen_atoms(slab)} == {2, 3, 4}
    with pytest.raises(StudyError, match=r"^surface\.frozen_thickness: 4\.5 stands beside frozen: none; allowed: one"):
        study_of("frozen: none, frozen_thickness: 4.5")
    with pytest.raises(StudyError, match=r"^surface\.frozen: 'bottom' stands beside symmetric: true, .*: core, none"):
        study_of("symmetric: true, frozen: bottom")


# Where it is said.


def test_check_says_it_and_prints_the_numbers_as_json() -> None:
    study = str(ROOT / "inputs" / "ncm811_pvdf.yaml")
    said = CliRunner().invoke(app, ["check", study]).output
    assert re.search(r"^! slab: 4\.26 Å thick, less than 8 Å.*; surface\.layers: 5 mends it$", said, re.M)
    assert re.search(r"^! hop sub-surface: 2\.13 Å from a frozen atom, less than 4 Å", said, re.M)
    slab = json.loads(CliRunner().invoke(app, ["check", study, "--json"]).output)["slab"]
    assert (slab["thickness"], slab["to_frozen"]) == (pytest.approx(4.26, abs=0.01), {"sub-surface": 2.134})
    assert len(slab["warnings"]) == 2


def test_run_says_it_before_it_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise RuntimeError("nothing is computed")

    monkeypatch.setattr("barriers.dispatch.local.run", nothing)
    study = str(ROOT / "inputs" / "ncm811_pvdf.yaml")
    said = CliRunner().invoke(app, ["run", study, "--results", str(tmp_path)])
    assert re.search(r"^! slab: 4\.26 Å thick, less than 8 Å.*; surface\.layers: 5 mends it$", said.stderr, re.M)
    assert str(said.exception) == "nothing is computed"


def test_results_keep_it_and_the_report_shows_it(tmp_path: Path) -> None:
    study = study_of("layers: 3, frozen_layers: 1")
    summary = StudyMaker().summary(study, {})
    made: StudyDoc = study_document.original(*summary.function_args, **summary.function_kwargs)
    kept = StudyDoc.model_validate_json(made.model_dump_json())
    assert kept.slab is not None and kept.slab.to_frozen["jump"] < 4
    lines = study_notes(kept)
    assert lines[:2] == made.notes and [line.split(":")[0] for line in made.notes] == ["slab", "hop jump"]
    said = study_json(kept)
    assert (said["notes"], said["slab"]["thickness"]) == (made.notes, kept.slab.thickness)
    page = render_page(kept, tmp_path)
    assert f"{kept.slab.thickness:.2f} Å, as built" in page
    assert all(note in page for note in made.notes)


def test_a_study_of_an_earlier_version_knows_no_slab(tmp_path: Path) -> None:
    made = study_document.original("old", [None], "NCM", "forward", wanted=[("NCM", "jump")])
    old = {name: value for name, value in made.model_dump().items() if name != "slab"}
    study = StudyDoc.model_validate(old)
    assert study.slab is None and study_json(study)["slab"] is None
    assert "as built" not in render_page(study, tmp_path)
