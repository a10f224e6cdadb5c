"""NEB folders of VASP, sound and not: the right barrier, or a refusal that names the cause."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from pymatgen.core import Lattice
from vasp_bands import TITLES, Run, outcar, place, poscar, write_vasp
from written_bands import Band, a_hop, in_order, wrapped

from barriers.documents import BarrierDoc
from barriers.parsing import find_band, parse_folder

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
HOP = a_hop()
OTHER_SETTINGS = {
    "ENCUT": Run(head={"ENCUT": "700.0 eV  51.4 Ry"}),
    "POTCAR": Run(titles=(*TITLES[:2], "PAW_PBE Li 17Jan2003", TITLES[3])),
    "ISPIN": Run(head={"ISPIN": "1"}),
    "NELECT": Run(head={"NELECT": "23.0000    total number of electrons"}),
    "LDAUU": Run(more="  U (eV)           for each species LDAUU =     0.0  6.2  0.0  0.0\n"),
    "k-mesh": Run(more="  generate k-points for:    3    3    1\n"),
    "ML_FF": Run(head={"ML_FF": "T"}),
    "LREAL": Run(head={"LREAL": "T    real-space projection"}),
    "ISMEAR": Run(head={"ISMEAR": "1;   SIGMA  =   0.20"}),
    "METAGGA": Run(head={"METAGGA": "R2SCAN"}),
}
USUAL = Run(
    head={
        "NELECT": "22.0", "LREAL": "F", "ISMEAR": "0;   SIGMA  =   0.05", "METAGGA": "F",
    },
)  # fmt: skip


def read(place: Path, endpoints: tuple[Path | str, Path | str] | None = None, **more: object) -> BarrierDoc:
    given = None if endpoints is None else (str(endpoints[0]), str(endpoints[1]))
    return parse_folder(place, given, **more).barriers[0]


def refusal(*arguments: object, **more: object) -> str:
    """Why no barrier is given: the reason in the document, or the line of the error."""
    try:
        barrier = read(*arguments, **more)
    except ValueError as error:
        return str(error)
    assert (barrier.converged, barrier.forward, barrier.profile) == (False, None, None)
    assert barrier.reason
    return barrier.reason


def usual(**more: object) -> dict[int, Run]:
    return {image: replace(USUAL, band=0 < image < 4, **more) for image in range(5)}


def test_a_sound_band_has_its_barrier_and_names_its_files(tmp_path: Path) -> None:
    barrier = read(write_vasp(tmp_path, HOP, usual(entropy=0.04)))
    assert (barrier.reason, barrier.warnings) == (None, [])
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-7)
    assert barrier.band.read.energy == "free energy F"
    assert barrier.band.read.files == [[str(tmp_path / f"0{n}" / "OUTCAR")] for n in range(5)]
    assert {check.verdict for check in barrier.band.read.checks} <= {"ok", "unknown"}
    assert np.array(barrier.band.positions) == pytest.approx(HOP.positions, abs=1e-12)


@pytest.mark.parametrize("image", [0, 2, 4])
@pytest.mark.parametrize("setting", OTHER_SETTINGS)
def test_energies_of_other_settings_are_refused(setting: str, image: int, tmp_path: Path) -> None:
    runs = usual()
    other = OTHER_SETTINGS[setting]
    runs[image] = replace(other, head={**USUAL.head, **other.head}, band=0 < image < 4)
    reason = refusal(write_vasp(tmp_path, HOP, runs))
    assert f"{setting} differs: " in reason
    assert f"in image {image}" in reason


def test_versions_and_irreducible_points_that_differ_only_warn(tmp_path: Path) -> None:
    runs = usual(more="")
    runs[0] = replace(runs[0], version="5.4.4", head={**USUAL.head, "NKPTS": "2"})
    runs |= {n: replace(runs[n], head={**USUAL.head, "NKPTS": "4"}) for n in (1, 2, 3, 4)}
    barrier = read(write_vasp(tmp_path, HOP, runs))
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert [line.split(" differs")[0] for line in barrier.warnings] == ["NKPTS", "version"]
    meshed = {n: replace(run, more=Run().more) for n, run in runs.items()}
    warned = read(write_vasp(tmp_path / "meshed", HOP, meshed)).warnings
    assert [line.split(" differs")[0] for line in warned] == ["version"]


@pytest.mark.parametrize(("image", "shift"), [(0, -0.3), (4, -0.3), (0, 0.25), (2, 0.2), (1, -0.15), (3, 0.2)])
def test_energies_that_do_not_fit_the_forces_are_refused(image: int, shift: float, tmp_path: Path) -> None:
    reason = refusal(write_vasp(tmp_path, HOP, shifts={image: shift}))
    assert "energies and forces do not fit between images" in reason


def test_a_smaller_misfit_of_energies_is_warned_of(tmp_path: Path) -> None:
    barrier = read(write_vasp(tmp_path, HOP, shifts={2: 0.12}))
    assert "forces do not confirm the energies between images 1 and 2" in barrier.warnings[0]


@pytest.mark.parametrize("image", [0, 1, 2, 4])
@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        ({"cycles": 60}, "electrons not converged in the last step"),
        ({"reached": False}, "no 'reached required accuracy'"),
    ],
)
def test_what_is_not_converged_is_refused_in_endpoints_too(
    spoilt: dict[str, object], words: str, image: int, tmp_path: Path
) -> None:
    runs = usual()
    runs[image] = replace(runs[image], **spoilt)
    reason = refusal(write_vasp(tmp_path, HOP, runs))
    assert words in reason
    assert str(tmp_path / f"0{image}" / "OUTCAR") in reason
    assert f"image {image}" in reason


@pytest.mark.parametrize("head", [{"NSW": "0"}, {"NSW": "1"}])
def test_a_single_point_at_an_endpoint_needs_no_relaxation(head: dict[str, str], tmp_path: Path) -> None:
    runs = usual()
    runs[0] = replace(runs[0], head={**USUAL.head, **head}, reached=False, steps=1)
    assert read(write_vasp(tmp_path, HOP, runs)).forward == pytest.approx(HOP.forward, abs=5e-3)


def test_the_word_of_vasp_on_its_electrons_counts(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP, {1: Run(cycles=60, band=True), 2: Run(cycles=30, band=True)})
    for image, words in ((1, "aborting loop because EDIFF is reached"), (2, "aborting loop EDIFF was not reached")):
        path = folder / f"0{image}" / "OUTCAR"
        path.write_text(path.read_text().replace("  free energy    TOTEN", f" {words} (x) ---\n  free energy    TOTEN"))
    reason = refusal(folder)
    assert f"electrons not converged in the last step of {folder / '02' / 'OUTCAR'}" in reason
    assert str(folder / "01") not in reason


@pytest.mark.parametrize("image", [1, 2, 3])
def test_images_with_other_numbers_of_steps_are_of_two_runs(image: int, tmp_path: Path) -> None:
    runs = usual() | {image: replace(USUAL, steps=2, band=True), 4: replace(USUAL, steps=9)}
    reason = refusal(write_vasp(tmp_path, HOP, runs))
    assert reason.startswith("images have different numbers of steps: ")
    assert f"2 in image {image}" in reason


@pytest.mark.parametrize("missing", [0, 2, 3, 5, 6])
def test_an_image_folder_that_is_missing_is_named(missing: int, tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, a_hop(7))
    shutil.rmtree(folder / f"0{missing}")
    reason = refusal(folder)
    if missing == 6:
        assert "05" in reason
        assert "an image folder is missing" in reason
    else:
        assert f"image folder 0{missing} is missing" in reason


def test_a_missing_last_folder_is_noticed_by_its_forces_alone(tmp_path: Path) -> None:
    plain = {image: Run() for image in range(7)}
    folder = write_vasp(tmp_path, a_hop(7), plain)
    shutil.rmtree(folder / "06")
    assert "final endpoint is no minimum, 0.375" in refusal(folder)


def test_an_endpoint_that_is_called_relaxed_and_is_not_is_refused(tmp_path: Path) -> None:
    pushed = HOP.forces.copy()
    pushed[0, 3, 1] = 0.5
    reason = refusal(write_vasp(tmp_path / "far", replace(HOP, forces=pushed)))
    assert "initial endpoint is no minimum, 0.50" in reason
    pushed[0, 3, 1] = 0.2
    warnings = read(write_vasp(tmp_path / "near", replace(HOP, forces=pushed))).warnings
    assert "initial endpoint is not relaxed: 0.20" in warnings[0]


@pytest.mark.parametrize(("images", "words"), [(4, "image folder 05 is missing"), (2, "04 is of another run")])
@pytest.mark.parametrize("source", ["INCAR", "OUTCAR"])
def test_folders_that_are_not_as_many_as_images_are_refused(
    source: str, images: int, words: str, tmp_path: Path
) -> None:
    if source == "INCAR":
        folder = write_vasp(tmp_path, HOP)
        (folder / "INCAR").write_text(f"SYSTEM = hop\nimages = {images} ! between\nNSW = 100; IBRION = 3\n")
    else:
        folder = write_vasp(tmp_path, HOP, {2: Run(band=True, head={"IMAGES": str(images)})})
    assert words in refusal(folder)
    (folder / "INCAR").write_text("IMAGES = 3\n# IMAGES = 9\n")
    if source == "INCAR":
        assert read(folder).converged


def test_images_that_are_exchanged_are_refused(tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    (folder / "01").rename(folder / "x")
    (folder / "02").rename(folder / "01")
    (folder / "x").rename(folder / "02")
    assert "the path turns back" in refusal(folder)
    shutil.rmtree(folder / "02")
    shutil.copytree(folder / "01", folder / "02")
    assert "images 1 and 2 are the same" in refusal(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda band: in_order(band, [1, 0, 2, 3]),
            "image 2 has its atoms in another order: atom 0 is Ni, not O",
        ),
        (lambda band: replace(band, cell=band.cell * 1.01), "another cell: a lattice vector differs by 0.07"),
        (
            lambda band: replace(band, positions=band.positions + np.array([0.05, 0, 0])),
            "frozen atom 0 of image 2 is 0.050 Å",
        ),
        (lambda band: replace(band, symbols=["O", "Co", "Li", "H"]), "is O Co Li H, but the first is O Ni Li H"),
        (lambda band: replace(band, free=np.ones((4, 3), dtype=bool)), "other frozen atoms: atom 0 T T T, not F F F"),
    ],
)
def test_an_image_of_another_system_is_refused(change: Callable[[Band], Band], words: str, tmp_path: Path) -> None:
    folder = write_vasp(tmp_path, HOP)
    changed = change(HOP)
    titles = tuple(f"PAW_PBE {symbol} 01Jan2001" for symbol in changed.symbols)
    place(folder / "02", changed, 2, Run(band=True, titles=TITLES if changed.symbols == HOP.symbols else titles))
    barrier = read(folder)
    said = f"{barrier.reason} {barrier.warnings}"
    assert any(each in said for each in words.split("|")), said
    assert barrier.converged == ("other frozen atoms" in words)


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
