"""Slabs of a user's own: the same hops and barrier as the slab they were, however they are written; refusals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from ase.build import fcc100, molecule
from ase.io import write
from conftest import ordered_slab
from pymatgen.core import Lattice, Structure

from barriers.dispatch.local import run
from barriers.files.structures import write_structure
from barriers.structures.directions import free_directions
from barriers.structures.hop.search import find_hops
from barriers.structures.rounding import digest
from barriers.structures.surface.given import given_slab
from barriers.structures.surface.slab import LAYER, frozen_atoms
from barriers.study.errors import StudyError
from barriers.study.file import load_study, read_study
from barriers.study.models import Study
from barriers.study.template import render
from barriers.workflow.ensemble import members_of
from barriers.workflow.own_slab import slab_for
from barriers.workflow.series import plan_series
from barriers.workflow.study import StudyMaker

SYSTEMS = "name: own\nsystems: [{name: slab}]\n"


def study_of(structure: Structure, folder: Path, more: str = "", section: str = "") -> Study:
    write_structure(structure, folder / "own.vasp")
    (folder / "study.yaml").write_text(f"{SYSTEMS}slab: {{file: own.vasp{section}}}\n{more}")
    study = load_study(folder / "study.yaml")
    assert isinstance(study, Study)
    return study


def test_a_slab_that_was_written_is_read_as_it_was_cut(tmp_path: Path) -> None:
    slab = ordered_slab()
    own = slab_for(study_of(slab, tmp_path))
    assert digest(own.structure) == digest(slab)
    assert own.structure.site_properties[LAYER] == slab.site_properties[LAYER]
    assert frozen_atoms(own.structure) == frozen_atoms(slab)
    assert find_hops(own.structure) == find_hops(slab)
    assert (own.termination, own.warnings) == ("as in own.vasp", [])
    assert own.metals == "Co 3 Mn 2 Ni 19 in its order; 48 atoms are held, those of the file"


def with_vacuum_along(slab: Structure, axis: int) -> Structure:
    order = [(axis + step) % 3 for step in (1, 2, 3)]
    places = np.empty_like(slab.frac_coords)
    matrix = np.empty((3, 3))
    for new, old in zip(order, range(3), strict=True):
        places[:, new], matrix[new] = slab.frac_coords[:, old], slab.lattice.matrix[old]
    flags = {"selective_dynamics": free_directions(slab).tolist()}
    return Structure(Lattice(matrix), slab.species, places, site_properties=flags)


def sheared(slab: Structure) -> Structure:
    """The same slab in a cell whose third vector leans over the first."""
    matrix = slab.lattice.matrix.copy()
    matrix[2] += matrix[0]
    flags = {"selective_dynamics": slab.site_properties["selective_dynamics"]}
    return Structure(Lattice(matrix), slab.species, slab.cart_coords, coords_are_cartesian=True, site_properties=flags)


@pytest.mark.parametrize("way", ["lifted", "wrapped", "along a", "along b", "sheared", "rotated"])
def test_how_a_slab_is_written_does_not_matter(way: str) -> None:
    slab = ordered_slab()
    other = slab.copy()
    if way in ("lifted", "wrapped"):
        other.translate_sites(range(len(slab)), [0, 0, 0.2 if way == "lifted" else 0.83], to_unit_cell=way == "wrapped")
    elif way == "rotated":
        turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn))
        other = Structure(Lattice(slab.lattice.matrix @ turn), slab.species, slab.frac_coords)
        other.add_site_property("selective_dynamics", slab.site_properties["selective_dynamics"])
    else:
        other = sheared(slab) if way == "sheared" else with_vacuum_along(slab, 0 if way == "along a" else 1)
    given = given_slab(other)
    assert given.vacuum == pytest.approx(12.0, abs=1e-5)
    before, after = ({hop.label: (hop.moving, hop.target) for hop in find_hops(each)} for each in (slab, given.slab))
    assert set(before) == set(after)
    assert given.slab.site_properties[LAYER] == slab.site_properties[LAYER]
    assert frozen_atoms(given.slab) == frozen_atoms(slab)
    there = given.slab.lattice.get_fractional_coords(given.frame.carry(other.frac_coords))
    steps = there - given.slab.frac_coords
    assert np.abs((steps - np.rint(steps)) @ given.slab.lattice.matrix).max() < 1e-4


def test_coordinates_of_a_hop_are_those_of_the_file(tmp_path: Path) -> None:
    """The slab stands elsewhere in its own cell than in the file: 3 Å lower, nearer to another layer."""
    slab = ordered_slab()
    lifted = slab.copy()
    lifted.translate_sites(range(len(slab)), [0, 0, 3 / slab.lattice.c], to_unit_cell=True)
    first, last = (np.round(lifted[atom].frac_coords, 3).tolist() for atom in (18, 20))
    (member,) = members_of(study_of(lifted, tmp_path, f"hops: [{{name: mine, from: {first}, to: {last}}}]"))
    assert (member.hops[0].moving, member.hops[0].target) == (18, 20)
    assert member.study.vacuum == pytest.approx(12.0, abs=1e-4)


@pytest.mark.parametrize(
    ("section", "held", "words"),
    [
        ("", 48, "48 atoms are held, 2.5 Å at the bottom: the file holds none; slab.frozen chooses"),
        (", frozen: bottom, frozen_layers: 2", 48, "48 atoms are held, 2 layers at the bottom"),
        (", frozen: core, frozen_thickness: 3", 48, "48 atoms are held, 3 Å in the middle"),
        (", frozen: none", 0, "no atom is held"),
    ],
)
def test_what_is_held_is_chosen_and_told(section: str, held: int, words: str, tmp_path: Path) -> None:
    slab = ordered_slab().copy()
    slab.add_site_property("selective_dynamics", [[True] * 3] * len(slab))
    own = slab_for(study_of(slab, tmp_path, section=section))
    assert len(frozen_atoms(own.structure)) == held
    assert own.metals.endswith(words)


def aluminium() -> Structure:
    """Four layers of Al(100), two neighbours of the topmost one lithium."""
    atoms = fcc100("Al", size=(3, 3, 4), vacuum=6.0)
    slab = Structure(Lattice(atoms.cell.array), ["Al"] * len(atoms), atoms.get_scaled_positions())
    for atom in (27, 28):
        slab.replace(atom, "Li")
    return slab


def test_the_barrier_is_that_of_the_slab_however_it_is_written(tmp_path: Path) -> None:
    more = "engine: {model: 'near_emt:LithiumEMT'}\npath: {n_images: 3}\nhops: [{from: 27, to: 28}]\n"
    forward = []
    for number in range(3):
        slab = aluminium()
        slab.translate_sites(range(len(slab)), [0, 0, 0.4 * (number > 0)], to_unit_cell=True)
        slab = with_vacuum_along(slab, 0) if number == 2 else slab
        (folder := tmp_path / str(number)).mkdir()
        made = run(StudyMaker().make(study_of(slab, folder, more)), folder / "run").output
        forward.append(made.barriers[0].forward)
        assert made.slab.frozen == 18 and made.slab.termination == "as in own.vasp"
    assert forward[0] > 0.2
    assert forward[1:] == pytest.approx([forward[0]] * 2, abs=1e-4)


def written(folder: Path, what: str) -> str:
    slab = ordered_slab().copy()
    if what == "crystal":
        slab = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    elif what == "thin vacuum":
        slab = given_slab(slab, 6.0).slab
    elif what == "two slabs":
        tall = given_slab(slab, 40.0).slab
        upper = [site.coords + np.array([0, 0, 20]) for site in tall]
        for site, place in zip(list(tall), upper, strict=True):
            tall.append(site.specie, place, coords_are_cartesian=True, properties=site.properties)
        slab = tall
    elif what == "overlap":
        slab.append(
            "O", slab[20].coords + np.array([0.3, 0, 0]), coords_are_cartesian=True, properties=slab[20].properties
        )
    elif what == "molecule":
        write(folder / "own.xyz", molecule("CH3CH2OH"), format="xyz")
        return "own.xyz"
    if what == "text":
        (folder / "own.vasp").write_text("a slab\n")
    else:
        write_structure(slab, folder / "own.vasp")
    return "own.vasp"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            "crystal",
            "the widest gap without atoms is 2.10 Å, along vector 1; allowed: a slab with a vacuum of at least 8",
        ),
        ("thin vacuum", "gap without atoms is 6.00 Å, along vector 3; .* at least 8 Å, or slab.vacuum, which sets it"),
        ("two slabs", "a second gap of .* Å parts its atoms; allowed: one slab, with nothing above it"),
        ("overlap", "are 0.30 Å apart, they overlap"),
        ("molecule", "has no periodic cell; allowed: a slab that is periodic in its plane"),
        ("text", "not a structure file that ASE can read"),
    ],
)
def test_what_is_no_slab_is_told_in_one_line(what: str, words: str, tmp_path: Path) -> None:
    study = read_study(f"{SYSTEMS}slab: {{file: {tmp_path / written(tmp_path, what)}}}\n")
    assert isinstance(study, Study)
    with pytest.raises(ValueError, match=words) as refusal:
        slab_for(study)
    assert "\n" not in str(refusal.value) and str(refusal.value).startswith("slab.file: ")


def test_a_thin_vacuum_can_be_set_and_series_leave_out_what_a_file_fixes(tmp_path: Path) -> None:
    thin = given_slab(ordered_slab(), 6.0).slab
    assert digest(slab_for(study_of(thin, tmp_path, section=", vacuum: 12")).structure) == digest(ordered_slab())


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (
            "surface: {layers: 4}\nslab: {file: own.vasp}",
            "surface: 'surface' stands beside slab, .*; allowed: one of the two",
        ),
        ("cathode: {name: LiCoO2}\nslab: {file: own.vasp}", "cathode: 'cathode' stands beside slab"),
        ("slab: {file: own.vasp}\nensemble: {}", "ensemble.orderings: 3 stands beside slab; allowed: no ensemble"),
        ("slab: {file: own.vasp, frozen_layers: 2}", "slab.frozen_layers: 2 stands beside frozen: left out"),
        ("slab: {frozen: none}", "slab.file: is missing"),
    ],
)
def test_what_does_not_belong_to_a_slab_of_a_file_is_refused(section: str, words: str) -> None:
    with pytest.raises(StudyError, match=words) as refusal:
        read_study(f"{SYSTEMS}{section}\n")
    assert len(refusal.value.problems) == 1


def test_a_study_of_a_file_is_written_and_converged_without_what_the_file_fixes(tmp_path: Path) -> None:
    study = study_of(ordered_slab(), tmp_path, "hops: [{from: 18, to: 20}]\n")
    assert read_study(render(study)) == study and not study.relaxes_lattice
    with pytest.raises(
        ValueError, match=r"^--over: layers is none of a slab from a file; allowed: vacuum, images, fmax$"
    ):
        plan_series(study, "layers")
    choices = plan_series(study, "vacuum=12,16").choices["vacuum"]
    heights = [choice.member.slab.structure.lattice.c for choice in choices if choice.member]
    assert heights[1] - heights[0] == pytest.approx(4.0, abs=1e-4)
    assert {choice.member.hops[0].label for choice in choices if choice.member} == {
        hop.label for hop in find_hops(ordered_slab()) if (hop.moving, hop.target, hop.kind) == (18, 20, "vacancy")
    }


def test_a_fragment_near_its_image_asks_for_another_slab(tmp_path: Path) -> None:
    """What a cut slab would be told, its least lengths, stands in no study of a slab of a file."""
    cut = "name: cut\nsystems: [{name: slab}]\nsurface: {facet: [0, 0, 3], min_lengths: [8, 8]}\n"
    study_of(slab_for(read_study(cut)).structure, tmp_path)  # type: ignore[arg-type]
    near = "{name: near, fragment: {polymer: PAN, units: 3}, placement: {mode: at a distance}}"
    own = (tmp_path / "study.yaml").read_text().replace("{name: slab}", near)
    (tmp_path / "study.yaml").write_text(own)
    (line,) = (
        line for line in StudyMaker().about(load_study(tmp_path / "study.yaml")).notes if "its own image" in line
    )
    assert re.search(r"; a slab of \d+ × \d+ Å mends it$", line)
