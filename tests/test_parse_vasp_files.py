"""Files of VASP as they are found: compressed, cut, of old forms and of force fields, in folders with more in them."""

from __future__ import annotations

import bz2
import gzip
import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from pymatgen.core import Lattice
from refused import read, refusal
from vasp_bands import TITLES, USUAL, Run, outcar, place, poscar, usual, write_vasp
from written_bands import a_hop, wrapped

from barriers.parsing import find_band

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
HOP = a_hop()


def test_potcars_in_another_order_than_the_poscar_are_refused(tmp_path: Path) -> None:
    titles = (TITLES[2], *TITLES[1:2], TITLES[0], TITLES[3])
    folder = write_vasp(tmp_path, HOP, {n: Run(titles=titles, band=0 < n < 4) for n in range(5)})
    assert "POSCAR says O Ni Li H, the POTCARs Li Ni O H" in refusal(folder)


def test_species_come_from_titel_where_the_poscar_has_none(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP, {0: None})
    for path in [*folder.glob("*/POSCAR"), *folder.glob("*/CONTCAR")]:
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:5], *lines[6:]]))
    barrier = read(folder, ("-100.0", "-99.9"))
    assert [site.specie.symbol for site in barrier.band.structure] == HOP.symbols
    for path in folder.glob("*/OUTCAR"):
        path.write_text(path.read_text().replace("TITEL", "TITLE"))
    assert "tells no species (VASP 4)" in refusal(folder, ("-100.0", "-99.9"))


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_compressed_files_are_read_and_torn_ones_refused(ending: str, pack: object, tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    whole = read(folder).forward
    for path in [*folder.glob("*/OUTCAR"), *folder.glob("*/*CAR")]:
        if path.exists():
            path.with_name(path.name + ending).write_bytes(pack.compress(path.read_bytes()))
            path.unlink()
    assert read(folder).forward == whole
    torn = folder / "02" / f"OUTCAR{ending}"
    torn.write_bytes(torn.read_bytes()[:-40])
    assert "is no whole compressed file" in refusal(folder)


def test_two_outcars_in_one_folder_must_hold_the_same(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    path = folder / "02" / "OUTCAR"
    (folder / "02" / "OUTCAR.gz").write_bytes(gzip.compress(path.read_bytes()))
    (folder / "02" / "OUTCAR.ini").write_text("of another run")
    assert read(folder).converged
    path.write_text(path.read_text().replace("-99.5", "-99.4"))
    assert "OUTCAR, OUTCAR.gz hold different things" in refusal(folder)


def test_an_outcar_of_another_name_is_named_and_not_taken(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    (folder / "00" / "OUTCAR").rename(folder / "00" / "OUTCAR.ini")
    assert f"no OUTCAR in {folder / '00'}, but OUTCAR.ini; give it with --endpoints" in refusal(folder)
    given = (folder / "00" / "OUTCAR.ini", folder / "04")
    assert read(folder, given).forward == pytest.approx(HOP.forward, abs=5e-3)


@pytest.mark.parametrize("part", [0.97, 0.8, 0.5])
@pytest.mark.parametrize("image", [0, 2])
def test_an_outcar_that_was_cut_gives_no_barrier(image: int, part: float, tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    path = folder / f"0{image}" / "OUTCAR"
    text = path.read_text()
    path.write_text(text[: int(part * text.index(" reached required"))])
    assert "no 'reached required accuracy'" in refusal(folder)


def test_numbers_that_do_not_fit_their_columns_are_no_numbers(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    path = folder / "02" / "OUTCAR"
    text = path.read_text()
    path.write_text(text.replace(f"{HOP.energies[2]:18.8f} eV", "**************** eV"))
    assert "no energy of image 2: no finite numbers in the last step" in refusal(folder)
    path.write_text(text.replace("      4.50000", " ************"))
    path.write_text(text.replace(f"{HOP.forces[2][3][1]:14.6f}", " " + "*" * 13))
    assert "no energy of image 2: no finite numbers in the last step" in refusal(folder)


def test_an_image_in_the_place_of_an_endpoint_is_refused(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    run = Run(band=True)
    place(folder / "00", HOP, 0, run)
    assert "is of an image that a band moved, not of an endpoint" in refusal(folder)
    assert "is of an image that a band moved" in refusal(folder, (folder / "00" / "OUTCAR", folder / "04"))


def test_force_fields_are_told_from_dft(tmp_path: Path) -> None:
    learned = Run(learned=True, head={"ML_FF": "T"})
    runs = {n: replace(learned, band=0 < n < 4) for n in range(5)}
    barrier = read(write_vasp(tmp_path / "all", HOP, runs))
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert "machine-learned force field (ML_FF), not of DFT" in barrier.warnings[0]
    runs[2] = replace(runs[2], learned=False)
    assert "energies of images 0, 1, 3, 4 are of a machine-learned" in refusal(write_vasp(tmp_path / "some", HOP, runs))


def test_the_last_of_two_runs_in_one_outcar_counts(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    path = folder / "02" / "OUTCAR"
    older = outcar(HOP.positions[2], HOP.forces[2], -90.0, HOP.cell, [1] * 4, Run(head={"ENCUT": "400.0 eV"}, steps=7))
    path.write_text(older + older + path.read_text())
    assert read(folder).forward == pytest.approx(HOP.forward, abs=5e-3)


def test_atoms_that_are_fixed_in_some_directions_count_along_the_others(tmp_path: Path) -> None:
    pushed = HOP.forces.copy()
    pushed[:, 1] = [0, 0, 2.0]  # Ni may not move along c, which is no Cartesian axis
    across = np.cross(HOP.cell[0], HOP.cell[1])
    pushed[:, 1] = 2.0 * across / np.linalg.norm(across)
    band = replace(HOP, forces=pushed)
    barrier = read(write_vasp(tmp_path / "across", band))
    assert (barrier.reason, barrier.warnings) == (None, [])
    assert barrier.band.structure.site_properties["selective_dynamics"][1].tolist() == [True, True, False]
    pushed[:, 1] = 0.2 * HOP.cell[0] / np.linalg.norm(HOP.cell[0])
    loose = read(write_vasp(tmp_path / "along", replace(HOP, forces=pushed)))
    assert "largest force across the path 0.200 eV/Å" in " ".join(loose.warnings)


def test_what_is_fixed_is_said_by_the_images_where_endpoints_do_not(tmp_path: Path) -> None:
    pushed = HOP.forces.copy()
    pushed[:, 0] = [0, 2.0, 0]  # on the frozen O
    band = replace(HOP, forces=pushed)
    write_vasp(tmp_path, band)
    for image in (0, 4):
        atoms = Atoms(band.symbols, band.positions[image], cell=band.cell, pbc=True)
        poscar(tmp_path / f"0{image}" / "POSCAR", atoms, np.ones((4, 3), dtype=bool))
    barrier = read(tmp_path)
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert barrier.warnings == ["image 1 has other frozen atoms: atom 0 F F F, not T T T"]


@pytest.mark.parametrize("name", ["OUTCAR", "POSCAR"])
def test_lines_that_end_as_windows_ends_them_are_read(name: str, tmp_path: Path) -> None:
    write_vasp(tmp_path, HOP)
    for path in tmp_path.glob(f"*/{name}"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(tmp_path).forward == pytest.approx(HOP.forward, abs=5e-3)


def test_a_band_vasp_calls_converged_is_given_with_its_force_unless_fmax_says_no(tmp_path: Path) -> None:
    pushed = HOP.forces.copy()
    pushed[1:-1, 3, 1] = 0.15
    loose = replace(HOP, forces=pushed)
    folder = write_vasp(tmp_path / "loose", loose, {n: Run(head={"EDIFFG": "-.2E+00"}, band=True) for n in (1, 2, 3)})
    barrier = read(folder)
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert "its code calls it converged by EDIFFG = -0.2" in barrier.warnings[0]
    assert "at most 0.1 is a minimum-energy path" in refusal(folder, fmax=0.1)
    assert read(folder, fmax=0.2).warnings == []
    unfinished = {n: Run(reached=False, band=True) for n in (1, 2, 3)}
    killed = write_vasp(tmp_path / "killed", HOP, unfinished)
    assert "no 'reached required accuracy'" in refusal(killed)
    assert "no 'reached required accuracy'" in refusal(killed, fmax=0.01)
    assert "below --fmax" not in refusal(killed, fmax=0.01)
    warnings = read(killed, fmax=0.05).warnings
    assert "the force across the path is below --fmax 0.05" in warnings[0]


def test_bands_of_wrapped_images_are_the_same(tmp_path: Path) -> None:
    plain, inside = read(write_vasp(tmp_path / "a", HOP)), read(write_vasp(tmp_path / "b", wrapped(HOP)))
    assert inside.forward == pytest.approx(plain.forward, abs=1e-9)
    assert inside.profile["path_length"] == pytest.approx(3.0, abs=1e-9)


def test_an_endpoint_without_a_run_is_where_its_poscar_has_it(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP, {0: None})
    moved = HOP.positions[0] + np.array([[0, 0, 0], [0, 0, 0], [0.4, 0, 0], [0, 0, 0]])
    poscar(folder / "00" / "CONTCAR", Atoms(HOP.symbols, moved, cell=HOP.cell, pbc=True), HOP.free)
    barrier = read(folder, ("-100.0", folder / "04"))
    assert barrier.profile["path_length"] == pytest.approx(3.0, abs=1e-9)


def test_folders_of_other_names_are_not_images(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    (folder / "2024").mkdir()
    (folder / "run1").mkdir()
    assert len(find_band(folder).images) == 5


@pytest.mark.parametrize("name", ["{}", "00{}", "image{}", "neb_{}"])
def test_image_folders_of_other_names_are_named(name: str, tmp_path: Path) -> None:
    write_vasp(tmp_path, HOP)
    for number in range(5):
        (tmp_path / f"0{number}").rename(tmp_path / name.format(number))
    assert f"{name.format(3)}, {name.format(4)} have a POSCAR: name VASP's image folders 00, 01, …" in refusal(tmp_path)


def test_a_poscar_of_another_number_of_atoms_is_named(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    (folder / "02" / "CONTCAR").unlink()
    few = Atoms(HOP.symbols[:3], HOP.positions[2][:3], cell=Lattice(HOP.cell).matrix, pbc=True)
    poscar(folder / "02" / "POSCAR", few, HOP.free[:3])
    assert "has 4 atoms, POSCAR beside it 3" in refusal(folder)


def test_what_vasp_made_of_the_incar_counts_behind_its_copy(tmp_path: Path) -> None:
    runs = usual()
    runs[0] = replace(runs[0], head={**USUAL.head, "LREAL": "Auto"}, more=f"   LREAL  =      F\n{Run().more}")
    barrier = read(write_vasp(tmp_path, HOP, runs))
    assert (barrier.reason, barrier.warnings) == (None, [])


def test_a_step_whose_table_is_gone_has_not_the_forces_of_the_one_before(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    path = folder / "02" / "OUTCAR"
    before, last = path.read_text().rsplit(" POSITION ", 1)
    path.write_text(f"{before}{last.partition('  FREE ENERGIE')[2]}")
    assert "no energy of image 2: no finite numbers in the last step" in refusal(folder)
