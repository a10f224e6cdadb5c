"""What a study describes, built: composition, warnings, hops, placements, and the flow made of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, ordered_slab
from pymatgen.core import Structure

from barriers import StudyMaker, load_study
from barriers.documents import BandDoc, RelaxDoc
from barriers.engines.common import at_positions
from barriers.structures.cathode.crystal import bulk
from barriers.structures.hop.hop import make_endpoint
from barriers.structures.interface.contacts import surface_bonds
from barriers.structures.rounding import digest
from barriers.structures.surface.edits import rattle
from barriers.structures.surface.slab import frozen_atoms
from barriers.study.file import read_study
from barriers.study.models import CathodeSection, FragmentSection, HopSection, PlacementSection, Study, SurfaceSection
from barriers.workflow.build_jobs import make_end
from barriers.workflow.built import build_study
from barriers.workflow.placements import placements_of
from barriers.workflow.plan import make_plan
from barriers.workflow.result_jobs import bonds_along
from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

EXAMPLE = ROOT / "inputs" / "ncm811_pvdf.yaml"


def test_the_example_study_is_built_atom_for_atom_as_its_published_numbers_were() -> None:
    built = build_study(load_study(EXAMPLE))
    digests = {name: [digest(placed).split()[-1] for placed in first] for name, first in built.systems.items()}
    assert digests == {
        "NCM": ["3874458322c1"],
        "NCM@PVDF": ["c13dc8c441bc", "0f2486f8fd85"],
        "NCM@PVDF-HF": ["00c702b1acb5", "c068295b6704"],
    }
    (hop,) = built.hops
    assert (hop.moving, hop.target, hop.image) == (6, 8, (0, 0, 0))
    assert hop.slab == digest(built.slab.structure)


def slab_of(cathode: CathodeSection, **surface: object) -> Structure:
    return build_slab(crystal_of(cathode), cathode, SurfaceSection(**surface)).structure


@pytest.mark.parametrize("ordering", ["random", "ewald"])
def test_a_slab_has_the_composition_lithium_and_antisites_asked_for(ordering: str) -> None:
    cathode = CathodeSection(name="NCM622", ordering=ordering, antisites=0.1, lithium=0.75, tolerance=0.05)
    slab = slab_of(cathode, min_lengths=(8.0, 14.0), layers=5)
    whole = slab_of(CathodeSection(name="NCM622"), min_lengths=(8.0, 14.0), layers=5)
    counts, full = (Counter(site.specie.symbol for site in structure) for structure in (slab, whole))
    assert {element: counts[element] for element in ("Ni", "Co", "Mn", "O")} == {
        element: full[element] for element in ("Ni", "Co", "Mn", "O")
    }
    assert counts["Li"] / full["Li"] == pytest.approx(0.75, abs=0.03)
    exchanged = [site for site in slab if site.specie.symbol == "Ni" and _is_lithium_site(whole, site.coords)]
    assert len(exchanged) == pytest.approx(0.1 * full["Li"], abs=1)


def _is_lithium_site(whole: Structure, coords: np.ndarray) -> bool:
    here = whole.get_sites_in_sphere(coords, 0.1)
    return bool(here) and here[0].specie.symbol == "Li"


def test_a_crystal_from_a_file_gives_the_slab_of_its_lattice(tmp_path: Path) -> None:
    crystal = crystal_of(CathodeSection())
    ordered = bulk(crystal).replace_species({"Ni": {"Ni": 0.8, "Co": 0.1, "Mn": 0.1}}, in_place=False)
    ordered.to(filename=str(tmp_path / "ncm.cif"))
    read = crystal_of(CathodeSection(file=str(tmp_path / "ncm.cif")))
    assert (read.a, read.c, read.z) == pytest.approx((crystal.a, crystal.c, crystal.z), abs=1e-4)
    slab, known = slab_of(CathodeSection(file=str(tmp_path / "ncm.cif"))), slab_of(CathodeSection())
    assert slab.composition == known.composition
    assert np.sort(slab.lattice.abc) == pytest.approx(np.sort(known.lattice.abc), abs=1e-3)
    (tmp_path / "no.cif").write_text("data_nothing\n")
    with pytest.raises(ValueError, match=r"^cathode\.file: .*no\.cif: not a crystal that can be read: ") as refused:
        crystal_of(CathodeSection(file=str(tmp_path / "no.cif")))
    assert "\n" not in str(refused.value)


def test_a_polar_facet_is_mended_and_says_so_in_plan_and_flow() -> None:
    study = read_study(
        "name: polar\ncathode: {name: LiNiO2, relax: false}\nsurface: {facet: [0, 0, 3]}\nsystems: [{name: bare}]\n"
    )
    plan = make_plan(study.model_copy(update={"engine": study.engine.model_copy(update={"model": "emt"})}))
    (warning,) = plan.as_json()["slab"]["warnings"]
    assert "facet (0, 0, 3), termination Li: polar, Tasker type 3; half of the ions" in warning
    assert warning.endswith("→ 0.0 e/Å")
    summary = [job for job, _ in StudyMaker().make(study).iterflow()][-1]
    assert warning in summary.function_kwargs["notes"]


def test_symmetry_is_broken_after_the_hops_are_found_and_frozen_atoms_stay() -> None:
    cathode, surface = CathodeSection(name="LiNiO2"), SurfaceSection(rattle=0.05)
    plain = build_slab(crystal_of(cathode), cathode, surface).structure
    study = read_study(
        "name: s\ncathode: {name: LiNiO2, relax: false}\nsurface: {rattle: 0.05}\nsystems: [{name: bare}]\n"
    )
    jobs = {job.name: job for job, _ in StudyMaker().make(study).iterflow()}
    assert digest(jobs["slab: as built"].function_args[0]) == digest(plain)
    broken = jobs["slab: relax"].function_args[0]
    moved = np.linalg.norm(broken.cart_coords - plain.cart_coords, axis=1)
    frozen = frozen_atoms(plain)
    assert np.allclose(moved[frozen], 0)
    free = np.setdiff1d(np.arange(len(plain)), frozen)
    assert np.sqrt((moved[free] ** 2).mean()) == pytest.approx(0.05 * np.sqrt(3), rel=0.3)
    assert broken == rattle(plain, 0.05, seed=0)


def test_hops_of_all_kinds_are_chosen_and_named() -> None:
    slab = ordered_slab()
    sections = (
        HopSection(name="jump"),
        HopSection(name="two", kind="divacancy"),
        HopSection(name="on-top", kind="interstitial"),
        HopSection(name="deep", layer="any", depth=(1.5, 3.0), rank=2),
    )
    jump, two, on_top, deep = hops_of(slab, sections)
    assert (jump.name, jump.mechanism, len(jump.initial.removed)) == ("jump", "oxygen dumbbell", 1)
    assert (two.mechanism, len(two.initial.removed), two.through is not None) == ("tetrahedral", 2, True)
    assert on_top.moving is None and on_top.depth < 0
    assert 1.5 <= deep.depth <= 3.0
    by_label = hops_of(slab, [HopSection(name="same", label=deep.label)])[0]
    assert (by_label.moving, by_label.target, by_label.image) == (deep.moving, deep.target, deep.image)


@pytest.mark.parametrize(
    ("placement", "fragments"),
    [({"count": 2}, 2), ({"coverage": 1.0}, 1), ({"count": 1, "faces": "both"}, 2)],
)
def test_several_fragments_come_onto_the_faces_asked_for(placement: dict, fragments: int) -> None:
    slab, (hop,) = ordered_slab(), hops_of(ordered_slab(), [HopSection()])
    section = PlacementSection(mode="in contact", candidates=2, **placement)
    found = placements_of(slab, FragmentSection(polymer="PVDF", units=1), section, 12.0, hop)
    assert len(found) == 2
    for interface in found:
        assert len(interface) == len(slab) + 8 * fragments
        assert interface.species[: len(slab)] == slab.species
        heights = interface.cart_coords[len(slab) :, 2] - interface.cart_coords[: len(slab), 2].mean()
        assert (heights < 0).sum() == (8 if "faces" in placement else 0)
    assert found[0] != found[1]


def test_a_named_pair_bonds_at_the_sum_of_its_radii_unless_a_length_is_given() -> None:
    slab, (hop,) = ordered_slab(), hops_of(ordered_slab(), [HopSection()])
    for length, expected in ((None, 1.85), (2.1, 2.1)):
        section = PlacementSection(mode="bonded", bond=("F", "Li"), bond_length=length, candidates=1)
        (interface,) = placements_of(slab, FragmentSection(polymer="PVDF"), section, 12.0, hop)
        bond = min(surface_bonds(interface, len(slab)), key=lambda found: found.length)
        assert (bond.elements, bond.length) == (("F", "Li"), pytest.approx(expected, abs=0.01))


def test_bonds_that_open_along_the_path_are_named() -> None:
    slab, (hop,) = ordered_slab(), hops_of(ordered_slab(), [HopSection()])
    section = PlacementSection(mode="bonded", candidates=1)
    (interface,) = placements_of(slab, FragmentSection(polymer="PVDF", eliminate="HF"), section, 12.0, hop)
    bound = interface.cart_coords
    lifted = bound + np.where(np.arange(len(interface))[:, None] < len(slab), 0.0, [0.0, 0.0, 3.0])

    def along(*images: np.ndarray) -> tuple[list[str], list[str]]:
        band = BandDoc.model_construct(structure=interface, positions=[image.tolist() for image in images])
        return bonds_along(band)

    (bond, *_), warnings = along(bound, bound, bound)
    assert (bond[:11], warnings) == ("C–O 1.45 Å ", [])
    (warning,) = along(bound, lifted, bound)[1]
    assert warning.startswith("bonds to the surface open or close along the path: C ")
    assert along(lifted, lifted) == ([], [])
    # A hydrogen that goes over to the oxygen of another site leaves another fragment behind.
    hydrogen = max(i for i in range(len(slab), len(interface)) if interface[i].specie.symbol == "H")
    oxygen = max((i for i in range(len(slab)) if slab[i].specie.symbol == "O"), key=lambda i: slab[i].coords[2])
    parted = lifted.copy()
    parted[hydrogen] = bound[oxygen] + [0.0, 0.0, 0.97]
    assert along(parted, parted) == (
        [f"H–O 0.97 Å (H {hydrogen} on O {oxygen})"],
        [f"the fragment has come apart, off it: H {hydrogen}"],
    )


def test_screened_placements_are_evaluated_once_and_the_lowest_relaxed() -> None:
    study = load_study(EXAMPLE)
    placement = PlacementSection(screened=5, candidates=2)
    system = study.systems[1].model_copy(update={"placement": placement})
    flow = StudyMaker().make(study.model_copy(update={"systems": (study.systems[0], system)}))
    names = Counter(job.name.removeprefix("NCM@PVDF: ").rstrip(" 12345") for job, _ in flow.iterflow())
    assert (names["screen placement"], names["choose placements"], names["relax placement"]) == (5, 1, 2)


def test_an_endpoint_of_a_hop_that_is_no_longer_there_is_refused() -> None:
    slab, (hop,) = ordered_slab(), hops_of(ordered_slab(), [HopSection()])
    system = slab.copy()
    system.replace(hop.moving, "Ni", properties=system[hop.moving].properties)

    class Relaxed:
        structure = system

    with pytest.raises(ValueError, match="is not the slab's site: Ni instead of Li"):
        make_end.original(Relaxed(), hop.initial, slab, [hop])


def test_an_endpoint_with_a_fragment_follows_that_of_the_bare_slab_but_for_atoms_that_are_bonded() -> None:
    slab, (hop,) = ordered_slab(), hops_of(ordered_slab(), [HopSection()])
    section = PlacementSection(mode="bonded", candidates=1)
    (interface,) = placements_of(slab, FragmentSection(polymer="PVDF", eliminate="HF"), section, 12.0, hop)
    bare_end = make_endpoint(slab, hop.initial)
    pushed = bare_end.cart_coords + np.random.default_rng(0).normal(scale=0.1, size=(len(bare_end), 3))
    wrapped = pushed + bare_end.lattice.matrix[0]  # the same place, written in the next cell
    documents = [
        RelaxDoc.model_construct(structure=each) for each in (interface, slab, at_positions(bare_end, wrapped))
    ]
    system, bare, relaxed = documents
    plain = make_end.original(system, hop.initial, slab, [hop])
    followed = make_end.original(system, hop.initial, slab, [hop], bare, relaxed)
    moved = followed.cart_coords - plain.cart_coords
    bonded = {bond.slab_atom for bond in surface_bonds(plain, len(bare_end))}
    assert bonded
    for atom in range(len(plain)):
        stays = atom >= len(bare_end) or atom in bonded
        expected = np.zeros(3) if stays else pushed[atom] - bare_end.cart_coords[atom]
        assert moved[atom] == pytest.approx(expected, abs=1e-9)


def test_ends_with_a_fragment_wait_for_those_of_the_bare_slab_and_an_added_ion_for_none() -> None:
    study = load_study(EXAMPLE)
    for hop, follows in ((HopSection(), True), (HopSection(kind="interstitial"), False)):
        flow = StudyMaker().make(study.model_copy(update={"hops": (hop,)}))
        jobs = {job.name: job for job, _ in flow.iterflow()}
        names = {job.uuid: name for name, job in jobs.items()}
        for name, job in jobs.items():
            if name.startswith("NCM@PVDF: ") and job.function.__name__ == "make_end":
                needed = {names[uuid] for uuid in job.input_uuids}
                assert (f"NCM: relax {name.removeprefix('NCM@PVDF: ')}" in needed) == follows, needed
                relaxes = jobs[name.replace(": ", ": relax ")]
                assert relaxes.maker.rattles != follows


def test_the_same_study_gives_the_same_files_in_every_process(tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8").replace("{mode: bonded}", "{mode: in contact, count: 2, candidates: 1}")
    (tmp_path / "study.yaml").write_text(text.replace("units: 2, eliminate: HF", "units: 1"), "utf-8")
    contents = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, "-m", "barriers", "build", str(tmp_path / "study.yaml"), "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed})
        contents.append({path.name: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert len(contents[0]) > 20
    assert contents[0] == contents[1]


def test_a_study_with_every_new_field_survives_its_own_template() -> None:
    from barriers.study.template import render

    study: Study = read_study(
        "name: full\ncathode: {name: LiNi0.7Co0.2Mn0.1O2, ordering: sqs, antisites: 0.05, lithium: 0.5}\n"
        "surface: {facet: [0, 0, 3], termination: O-1, polar: hydroxyl, frozen_thickness: 4.5, rattle: 0.02}\n"
        "systems:\n  - name: PAN\n"
        "    fragment: {polymer: PAN, eliminate: HCN, positions: [1], stereo: cis, caps: CH3, tacticity: atactic}\n"
        "    placement: {mode: bonded, bond: [N, Ni], over: sites, coverage: 0.5, faces: both}\n"
        "hops:\n  - {name: h, kind: divacancy, depth: [0, 3], length: [2, 3], mechanism: tetrahedral}\n"
    )
    assert read_study(render(study)) == study
