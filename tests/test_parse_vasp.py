"""NEB folders of VASP, sound and not: the right barrier, or a refusal that names the cause."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from refused import read, refusal
from vasp_bands import TITLES, USUAL, Run, place, usual, write_vasp
from written_bands import Band, a_hop, in_order

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
