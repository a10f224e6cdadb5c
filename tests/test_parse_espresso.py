"""Bands of Quantum ESPRESSO, wherever their outdir is: atoms, convergence and settings from whatever lies beside."""

from __future__ import annotations

import bz2
import gzip
import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from espresso_cases import RECORDED
from espresso_files import (
    axsf_text,
    input_text,
    output_text,
    path_text,
    write_espresso,
    write_xml,
)
from reading import BANDS, forward, refused, warned
from written_bands import a_hop, in_order

from barriers.parsing import find_band, parse_folder
from barriers.parsing.espresso import read_espresso_band

needs_recorded = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded runs here")
HOP = a_hop()


def test_a_band_without_its_outdir_is_read_to_the_last_digit(tmp_path: Path) -> None:
    found = find_band(write_espresso(tmp_path, HOP))
    assert [site.specie.symbol for site in found.structure] == HOP.symbols
    assert found.structure.lattice.matrix == pytest.approx(HOP.cell, abs=1e-9)
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    for image, positions, forces in zip(found.images, HOP.positions, HOP.forces, strict=True):
        assert image.positions == pytest.approx(positions, abs=1e-9)
        assert image.forces == pytest.approx(forces, abs=1e-9)
        assert (image.free == HOP.free).all()
        assert {Path(name).name for name in image.files} == {"hop.path", "hop.axsf", "hop.log"}
    assert (found.criterion, found.engine.version, refused(found)) == ("path_thr 0.09 eV/Å", "6.7MaX", "")
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


LABELS = {
    ("O1", "Ni_", "Li-a", "H_a"): "O Ni Li H",
    ("o", "NI", "li2", "hB"): "O Ni Li H",
    ("O_a", "Ni_up", "LiA", "h"): "O Ni Li H",
    ("Fe1", "Fe2", "Fe_", "fe"): "Fe Fe Fe Fe",
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_that_pw_allows_are_their_elements(labels: tuple[str, ...], tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP, labels=labels)
    assert " ".join(s.specie.symbol for s in read_espresso_band(tmp_path).structure) == LABELS[labels]


@pytest.mark.parametrize(("mass", "species"), [(164.93, "Ho"), (1.008, "H")])
def test_an_ambiguous_label_is_what_its_mass_says(mass: float, species: str, tmp_path: Path) -> None:
    labels = ["O", "Ni", "Li", "HO"]
    write_espresso(tmp_path, HOP, labels=labels)
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "hop", labels, {"HO": mass}).replace("H_pbe", "x_pbe"))
    assert read_espresso_band(tmp_path).structure[3].specie.symbol == species


def test_an_ambiguous_label_is_what_its_pseudopotential_says(tmp_path: Path) -> None:
    labels = ["O", "Ni", "Li", "HO"]
    write_espresso(tmp_path, HOP, labels=labels)
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "hop", labels, {"HO": 164.0}))  # H_pbe.UPF: a heavy hydrogen
    assert read_espresso_band(tmp_path).structure[3].specie.symbol == "H"


def test_a_label_that_is_no_element_is_named(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP, labels=["O", "Ni", "Q1", "H"])
    with pytest.raises(ValueError, match=r"hop\.axsf: label 'Q1' begins with no element"):
        read_espresso_band(tmp_path)


@pytest.mark.parametrize("without", ["hop.axsf", "hop.crd", "pw_1.in"])
def test_any_source_of_atoms_is_enough(without: str, tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "hop", HOP.symbols, {}))
    (tmp_path / without).unlink(missing_ok=True)
    found = read_espresso_band(tmp_path)
    assert [site.specie.symbol for site in found.structure] == HOP.symbols
    assert found.structure.lattice.matrix == pytest.approx(HOP.cell, abs=1e-9)


def test_an_input_of_another_band_is_not_asked(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "other", ["F"] * 4, {}))
    assert [site.specie.symbol for site in read_espresso_band(tmp_path).structure] == HOP.symbols


def test_files_of_two_bands_under_one_prefix_are_refused(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    write_xml(tmp_path, in_order(HOP, [1, 0, 2, 3]), 1)
    (tmp_path / "hop.axsf").unlink()
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "hop", HOP.symbols, {}))
    with pytest.raises(ValueError, match=r"pw_1\.in is of another band than .*schema\.xml: atom 1 is O and Ni"):
        read_espresso_band(tmp_path)


def test_pictures_of_other_atoms_are_refused(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP, labels=["O", "Mn", "Li", "H"])
    write_xml(tmp_path, HOP, 1)
    with pytest.raises(ValueError, match=r"hop\.axsf is of another band than .*: atom 2 is Mn and Ni"):
        read_espresso_band(tmp_path)


def test_a_cell_of_another_run_is_refused(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "hop.axsf").write_text(axsf_text(replace(HOP, cell=HOP.cell * 1.01), HOP.symbols))
    write_xml(tmp_path, HOP, 1)
    with pytest.raises(ValueError, match=r"hop\.axsf has another cell than"):
        read_espresso_band(tmp_path)


def test_what_is_missing_is_named_where_nothing_tells_the_cell(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "hop.axsf").unlink()
    with pytest.raises(
        ValueError, match=r"nothing beside it tells the cell; copy hop\.axsf, the input with prefix 'hop'"
    ):
        read_espresso_band(tmp_path)


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_compressed_files_are_read(ending: str, pack: type, tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    for path in list(tmp_path.iterdir()):
        Path(f"{path}.{ending}").write_bytes(pack(path.read_bytes()))
        path.unlink()
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)
    packed = tmp_path / f"hop.path.{ending}"
    packed.write_bytes(packed.read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"hop\.path\..* is no(t)? whole"):
        read_espresso_band(tmp_path)


@pytest.mark.parametrize("form", [{"version": 7}, {"version": 7, "constant_potential": True}, {"quick_min": True}])
def test_path_files_of_every_version_are_read(form: dict[str, object], tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "hop.path").write_text(path_text(HOP, **form))
    found = read_espresso_band(tmp_path)
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    assert found.images[1].positions == pytest.approx(HOP.positions[1], abs=1e-9)
    assert ("constant potential" in " ".join(found.warnings)) == ("constant_potential" in form)


def test_a_path_file_cut_within_its_last_number_is_not_whole(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    (tmp_path / "hop.path").write_text(path_text(HOP)[:-8])
    with pytest.raises(ValueError, match=r"hop\.path: is not whole"):
        read_espresso_band(tmp_path)


def test_the_output_that_ends_with_these_energies_decides(tmp_path: Path) -> None:
    """A converged run, then a longer one that did not converge: the newer file's name and time say nothing."""
    write_espresso(tmp_path, HOP)
    other = a_hop()
    other.energies[2] += 0.01
    (tmp_path / "hop.log").write_text(output_text(other))
    (tmp_path / "a.txt").write_text(output_text(HOP, end="     neb: reached the maximum number of steps"))
    assert "no 'neb: convergence achieved' in" in refused(read_espresso_band(tmp_path))
    (tmp_path / "a.txt").write_text(output_text(HOP, threshold=0.2))
    found = read_espresso_band(tmp_path)
    assert (refused(found), found.criterion) == ("", "path_thr 0.2 eV/Å")
    (tmp_path / "a.txt").unlink()
    assert "no output in" in refused(read_espresso_band(tmp_path))
    accepted = parse_folder(tmp_path, fmax=0.05).barriers[0]
    assert accepted.forward == pytest.approx(HOP.forward, abs=0.003)
    assert "no output in" in "; ".join(accepted.warnings)


def test_the_last_run_in_an_appended_output_decides(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    other = a_hop()
    other.energies[2] += 0.01
    stopped = output_text(HOP, end="")
    (tmp_path / "hop.log").write_text("module load qe\n" + output_text(other) + stopped)
    assert "no 'neb: convergence achieved'" in refused(read_espresso_band(tmp_path))
    (tmp_path / "hop.log").write_text(output_text(other, end="") + output_text(HOP))
    assert refused(read_espresso_band(tmp_path)) == ""


def test_an_iteration_that_is_not_done_is_no_band(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    text = path_text(HOP).replace("      30\n       0\n", "      30\n       3\n")
    (tmp_path / "hop.path").write_text(text)
    assert "stopped within an iteration, at image 3" in refused(read_espresso_band(tmp_path))


def test_ends_that_were_wrapped_are_refused(tmp_path: Path) -> None:
    """``minimum_image`` is false unless it is set: the band then goes the long way round."""
    positions = HOP.positions.copy()
    positions[:, 2, 0] = np.linspace(4.5, 0.5, 5)
    found = read_espresso_band(write_espresso(tmp_path, replace(HOP, positions=positions)))
    assert "set minimum_image = .true. in &PATH" in refused(found)


def test_several_bands_are_asked_for_by_name(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP, "bare")
    tall = replace(HOP, energies=-100 + 2 * (HOP.energies + 100), forces=2 * HOP.forces)
    write_espresso(tmp_path, tall, "coated")
    with pytest.raises(ValueError, match="several bands: bare, coated; choose one with --band NAME"):
        find_band(tmp_path)
    assert find_band(tmp_path, "coated").images[2].energy == pytest.approx(tall.energies[2])
    assert find_band(tmp_path, "bare").images[2].energy == pytest.approx(HOP.energies[2])
    assert find_band(tmp_path / "bare.path").name == "bare"
    with pytest.raises(ValueError, match="called elsewhere"):
        find_band(tmp_path, "elsewhere")


def test_a_copy_of_an_iteration_that_is_named_is_read_and_not_converged(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    other = a_hop()
    other.energies[2] += 0.01
    (tmp_path / "hop.path1").write_text(path_text(other))
    assert find_band(tmp_path).images[2].energy == pytest.approx(HOP.energies[2])
    found = find_band(tmp_path / "hop.path1")
    assert found.images[2].energy == pytest.approx(other.energies[2])
    assert "ends with the energies of hop.path1" in refused(found)


def test_settings_of_each_image_are_told(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    hubbard = '<dftU><Hubbard_U specie="Ni" label="3d">0.227842</Hubbard_U></dftU>'
    for image in (1, 2, 4, 5):
        write_xml(tmp_path, HOP, image, hubbard=hubbard, ecutwfc=35.0 if image == 4 else 25.0)
    images = read_espresso_band(tmp_path).images
    assert [image.settings.get("ecutwfc") for image in images] == ["50 Ry", "50 Ry", None, "70 Ry", "50 Ry"]
    assert images[0].settings == {
        "version": "6.7MaX",
        "functional": "PBE",
        "ecutwfc": "50 Ry",
        "ecutrho": "200 Ry",
        "nspin": "2",
        "occupations": "smearing gaussian 0.01 Ry",
        "tot_charge": "0",
        "k-points": "2 2 1 0 0 0",
        "vdW": "none",
        "Hubbard U": "Ni-3d 6.2 eV",
        "pseudopotentials": "H H.UPF, Li Li.UPF, Ni Ni.UPF, O O.UPF",
    }


@pytest.mark.parametrize(("given", "used"), [(6.2, 0.4556916), (0.2278458, 0.2278458)], ids=["6.7", "7.2"])
def test_u_is_told_in_ev_whatever_the_version_writes_it_in(tmp_path: Path, given: float, used: float) -> None:
    write_espresso(tmp_path, HOP)
    u = '<dftU><Hubbard_U specie="Ni" label="3d">{}</Hubbard_U></dftU>'
    write_xml(tmp_path, HOP, 1, hubbard=u.format(given))
    (path,) = tmp_path.glob("out/*/*/*.xml")
    text = path.read_text("utf-8")
    assert text.count("<output>") == 1
    path.write_text(text.replace("<output>", f"<output><dft>{u.format(used)}</dft>"), "utf-8")
    assert read_espresso_band(tmp_path).images[0].settings["Hubbard U"] == "Ni-3d 6.2 eV"


def test_an_outdir_of_another_run_tells_no_settings(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    other = a_hop()
    other.energies[2] += 0.01
    for image in (2, 3):
        write_xml(tmp_path, other, image, ecutwfc=40.0)
    found = read_espresso_band(tmp_path)
    assert [image.settings.get("ecutwfc") for image in found.images] == [None, "80 Ry", None, None, None]
    assert "does not have the energy of image 2" in warned(found)
    for image in (2, 3):
        write_xml(tmp_path, HOP, image, outdir="scratch")  # the right one is found by its energies, not its name
    found = read_espresso_band(tmp_path)
    assert found.images[2].settings["ecutwfc"] == "50 Ry"
    assert "does not have the energy" not in warned(found)


def test_half_an_xml_of_any_image_is_one_line(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    write_xml(tmp_path, HOP, 3)
    path = tmp_path / "out" / "hop_3" / "hop.save" / "data-file-schema.xml"
    path.write_text(path.read_text()[:700])
    with pytest.raises(ValueError, match=r"hop_3.*data-file-schema\.xml: not whole: copy it again"):
        read_espresso_band(tmp_path)


def test_settings_of_the_input_hold_for_every_image_where_the_outdir_is_gone(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    more = ", Hubbard_U(2)=6.2, lda_plus_u=.true."
    (tmp_path / "pw_1.in").write_text(input_text(HOP, "hop", HOP.symbols, {}, more))
    for image in read_espresso_band(tmp_path).images:
        assert image.settings["ecutwfc"] == "50.0"
        assert (image.settings["k-points"], image.settings["Hubbard U"]) == ("2 2 1 0 0 0", "hubbard_u(2) 6.2")
        assert "Ni Ni_pbe.UPF" in image.settings["pseudopotentials"]


def test_electrons_that_need_not_converge_are_asked_of_the_images(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP)
    text = input_text(HOP, "hop", HOP.symbols, {})
    (tmp_path / "pw_1.in").write_text(text)
    assert [image.electrons for image in read_espresso_band(tmp_path).images] == [True] * 5
    (tmp_path / "pw_1.in").write_text(text.replace("&ELECTRONS", "&ELECTRONS\n scf_must_converge=.false."))
    write_xml(tmp_path, HOP, 3, reached="false")
    assert [image.electrons for image in read_espresso_band(tmp_path).images] == [None, None, False, None, None]


def test_other_programs_files_of_this_name_are_no_bands(tmp_path: Path) -> None:
    (tmp_path / "backup.path").write_text("[Unit]\nDescription=made by somebody else\n")
    with pytest.raises(ValueError, match="no NEB here"):
        find_band(tmp_path)
    write_espresso(tmp_path, HOP)
    assert find_band(tmp_path).name == "hop"


def test_a_run_without_a_path_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "slurm-17.out").write_text(output_text(HOP))
    with pytest.raises(ValueError, match=r"neb\.x left no \.path file"):
        find_band(tmp_path)


def test_what_neb_x_wrote_has_its_barrier_without_its_outdir() -> None:
    found = find_band(BANDS / "espresso" / "h3_no_outdir")
    assert found.structure.composition.formula == "H3"
    assert found.criterion == "path_thr 0.1 eV/Å"
    assert forward(BANDS / "espresso" / "h3_no_outdir") == pytest.approx(0.1249, abs=0.001)


@needs_recorded
def test_a_recorded_run_that_was_interrupted_is_refused() -> None:
    assert "aiida.out" in refused(find_band(RECORDED / "failed_interrupted"))
