"""Energies of endpoints from wherever people have them: one kind, free energy F, and as converged as an image's."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from refused import read, refusal
from vasp_bands import TITLES, Run, frames, place, write_vasp
from written_bands import Array, Band, a_hop, in_order

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
HOP = a_hop()
SMEARED = Run(entropy=0.04)
Sources = tuple[Path | str, Path | str]


@pytest.fixture
def band(tmp_path: Path) -> Path:
    """Images alone; F and E0 are 0.04 eV apart."""
    return write_vasp(tmp_path / "band", HOP, {0: None, 4: None, **{n: replace(SMEARED, band=True) for n in (1, 2, 3)}})


@pytest.fixture
def ends(tmp_path: Path) -> tuple[Path, Path]:
    for name, image in (("initial", 0), ("final", 4)):
        place(tmp_path / name, HOP, image, SMEARED)
    return tmp_path / "initial", tmp_path / "final"


def rows(name: str, values: Array) -> str:
    return (
        f'<varray name="{name}">' + "".join(f"<v> {x:.16f} {y:.16f} {z:.16f} </v>" for x, y, z in values) + "</varray>"
    )


def item(name: str, value: object) -> str:
    return f'<i type="int" name="{name}">{value}</i>'


def vasprun(path: Path, image: int, cycles: int = 9, encut: float = 520.0, steps: int = 2, band: Band = HOP) -> None:
    """The parts of a vasprun.xml that are read; E0 is 0.04 eV above F, and the first cycles are far off."""
    free = band.energies[image]
    inside = np.linalg.solve(band.cell.T, band.positions[image].T).T
    kinds = zip(band.symbols, TITLES, strict=True)
    text = f"<modeling><generator>{item('version', '6.4.2 ')}</generator><parameters>"
    text += "".join([item("ENMAX", encut), item("ISPIN", 2), item("NELM", 60), item("NSW", 100)])
    text += '</parameters><atominfo><array name="atoms"><set>'
    text += "".join(f"<rc><c>{symbol} </c><c>1</c></rc>" for symbol in band.symbols)
    text += '</set></array><array name="atomtypes"><set>'
    text += "".join(f"<rc><c>1</c><c>{symbol}</c><c>1</c><c>1</c><c>{title} </c></rc>" for symbol, title in kinds)
    text += "</set></array></atominfo>"
    step = f"<scstep><energy>{item('e_fr_energy', -1.0)}</energy></scstep>" * cycles
    step += f"<structure><crystal>{rows('basis', band.cell)}</crystal>{rows('positions', inside)}</structure>"
    step += f"{rows('forces', band.forces[image])}<energy>{item('e_fr_energy', f'{free:.8f}')}"
    step += f"{item('e_0_energy', free + 0.04)}</energy>"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + f"<calculation>{step}</calculation>" * steps + "</modeling>")


def oszicar(path: Path, image: int) -> None:
    energy = HOP.energies[image]
    path.write_text(
        f"DAV:  9    -0.1E+03\n   1 F= {energy + 1:.8E} E0= -.1E+03  d E =-.1\n"
        f"   2 F= {energy:.10E} E0= {energy + 0.04:.8E}  d E =0\n"
    )


def as_files(ends: tuple[Path, Path], kind: str) -> Sources:
    """The same two calculations, kept in another way."""
    for image, end in zip((0, 4), ends, strict=True):
        path = end / "OUTCAR"
        if kind in {".gz", ".bz2", ".xz"}:
            pack = {".gz": gzip, ".bz2": bz2, ".xz": lzma}[kind]
            path.with_name(f"OUTCAR{kind}").write_bytes(pack.compress(path.read_bytes()))
        elif kind == "odd name":
            path.rename(end.parent / f"{end.name}_relaxed.out")
            shutil.rmtree(end)
            continue
        elif kind == "vasprun.xml":
            vasprun(end / "vasprun.xml", image)
        elif kind == "OSZICAR":
            oszicar(end / "OSZICAR", image)
        elif kind == "traj":
            atoms = frames(HOP)[image]
            results = {
                "energy": HOP.energies[image] + 0.04,
                "free_energy": HOP.energies[image],
                "forces": HOP.forces[image],
            }
            atoms.calc = SinglePointCalculator(atoms, **results)
            write(end / "end.traj", atoms)
        if kind != "folder":
            path.unlink()
    if kind == "odd name":
        return ends[0].parent / "initial_relaxed.out", ends[1].parent / "final_relaxed.out"
    return tuple(end / "end.traj" for end in ends) if kind == "traj" else ends


@pytest.mark.parametrize("kind", ["folder", ".gz", ".bz2", ".xz", "odd name", "vasprun.xml", "OSZICAR", "traj"])
def test_every_source_gives_the_free_energy(kind: str, band: Path, ends: tuple[Path, Path]) -> None:
    barrier = read(band, as_files(ends, kind))
    assert barrier.reason is None
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-7)
    assert barrier.band.read.energy == "free energy F"
    assert len(barrier.band.read.files[0]) == 1
    assert Path(barrier.band.read.files[0][0]).exists()


@pytest.mark.parametrize("kind", ["vasprun.xml", "OSZICAR"])
def test_sources_in_the_folders_of_the_band_are_found(kind: str, band: Path) -> None:
    for image in (0, 4):
        (vasprun if kind == "vasprun.xml" else oszicar)(band / f"0{image}" / kind, image)
    barrier = read(band)
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-7)
    assert barrier.band.read.files[4] == [str(band / "04" / kind)]


def test_efirst_and_elast_of_the_incar_are_found_and_said(band: Path) -> None:
    (band / "INCAR").write_text(f"EFIRST = {HOP.energies[0]:.6f}; ELAST = {HOP.energies[4]:.6f}\n")
    barrier = read(band)
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-6)
    assert "EFIRST is taken for a free energy F" in " ".join(barrier.warnings)
    given = read(band, ("-100.0", f"{HOP.energies[4]:.6f}"))
    assert not [line for line in given.warnings if "EFIRST" in line]
    (band / "INCAR").write_text("EFIRST = 0.0\nELAST = 0.0\n")
    assert "no energy of image 0 (initial)" in refusal(band)


def test_numbers_are_said_to_be_free_energies(band: Path) -> None:
    barrier = read(band, ("-100.0", f"{HOP.energies[4]:.6f}"))
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert "the number given is taken for a free energy F" in barrier.warnings[0]
    assert barrier.band.read.files[0] == ["--endpoints -100.0"]
    assert "energies and forces do not fit" in refusal(band, ("-100.3", "-99.9"))


def test_a_folder_called_like_a_number_is_a_folder(
    band: Path, ends: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for end, name in zip(ends, ("00", "04"), strict=True):
        end.rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    barrier = read(band, ("00", "04"))
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-7)
    assert barrier.band.read.files[0] == ["00/OUTCAR"]


@pytest.mark.parametrize("number", ["nan", "inf", "1e400"])
def test_numbers_that_are_no_energies_are_named(number: str, band: Path) -> None:
    assert refusal(band, (number, "-99.9")).startswith(f"--endpoints: {number}: is no energy")


def test_an_oszicar_says_whether_electrons_and_steps_were_used_up(band: Path) -> None:
    for image in (0, 4):
        oszicar(band / f"0{image}" / "OSZICAR", image)
    path = band / "00" / "OSZICAR"
    _, first, last = path.read_text().splitlines()
    cycles = [f"RMM: {n:3d}    -0.1E+03   -0.1E+00" for n in range(1, 61)]
    path.write_text("\n".join([first, *cycles, last, ""]))
    assert "00/OSZICAR took all of NELM = 60 cycles" in refusal(band)
    (band / "00" / "INCAR").write_text("NELM = 200\n")
    assert read(band).reason is None
    (band / "00" / "INCAR").write_text("NELM = 200; NSW = 2\n")
    assert "00/OSZICAR has all of NSW = 2 steps" in refusal(band)


def test_endpoints_whose_settings_are_not_known_are_warned_of(band: Path, ends: tuple[Path, Path]) -> None:
    for image, end in zip((0, 4), ends, strict=True):
        oszicar(band / f"0{image}" / "OSZICAR", image)
        path = end / "OUTCAR"  # its head is gone, as after `tail`
        path.write_text(path.read_text().partition("Iteration")[2])
    silent = "settings of image 0 (initial), image 4 (final) are not known"
    assert silent in " ".join(read(band).warnings)
    assert silent in " ".join(read(band, ends).warnings)
    assert "settings of" not in " ".join(read(band, ("-100.0", "-99.9")).warnings)


MESH = (
    '<kpoints><generation param="Gamma"><v type="int" name="divisions"> {} </v></generation>'
    '<varray name="kpointlist"><v> 0.0 0.0 0.0 </v></varray></kpoints><parameters>'
)
HUBBARD = (
    '<incar><i type="logical" name="LDAU"> T  </i><v type="int" name="LDAUL"> -1 2 -1 -1</v>'
    '<v name="LDAUU"> 0.0 {} 0.0 0.0</v><v name="LDAUJ"> 0.0 0.0 0.0 0.0</v></incar><parameters>'
)


def test_mesh_and_u_of_a_vasprun_are_those_of_an_outcar(band: Path, ends: tuple[Path, Path]) -> None:
    for image, end in zip((0, 4), ends, strict=True):
        (end / "OUTCAR").unlink()
        vasprun(end / "vasprun.xml", image)
    whole = (ends[0] / "vasprun.xml").read_text()

    def with_more(more: str) -> None:
        (ends[0] / "vasprun.xml").write_text(whole.replace("<parameters>", more))

    with_more(MESH.format("2 2 1"))
    assert read(band, ends).reason is None
    with_more(MESH.format("4 4 1"))
    assert "k-mesh differs: 4 4 1 in image 0; 2 2 1 in image 1, 2, 3" in refusal(band, ends)
    with_more(HUBBARD.format("6.2"))
    assert "LDAUU differs: 0 6.2 0 0 in image 0; none in image 1, 2, 3" in refusal(band, ends)


def test_plain_energies_of_ase_beside_free_ones_are_warned_of(band: Path, ends: tuple[Path, Path]) -> None:
    for image, end in zip((0, 4), ends, strict=True):
        write(end / "end.traj", frames(HOP)[image])
    warnings = read(band, (ends[0] / "end.traj", ends[1] / "end.traj")).warnings
    assert "the initial endpoint's energy is a total energy" in " ".join(warnings)


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "electrons": (lambda end: vasprun(end / "vasprun.xml", 0, cycles=60), "took all of NELM = 60 cycles"),
    "steps": (lambda end: vasprun(end / "vasprun.xml", 0, steps=100), "has all of NSW = 100 steps"),
    "settings": (lambda end: vasprun(end / "vasprun.xml", 0, encut=700), "ENCUT differs: 700 in image 0"),
    "torn": (lambda end: cut(end / "vasprun.xml"), "is not whole: VASP was stopped while it wrote it"),
    "other place": (
        lambda end: vasprun(end / "vasprun.xml", 2),
        "is another structure than the band's: atom 2 is 1.50 Å",
    ),
    "other order": (
        lambda end: vasprun(end / "vasprun.xml", 0, band=in_order(HOP, [1, 0, 2, 3])),
        "has other atoms, or another order of them",
    ),
}


def cut(path: Path) -> None:
    vasprun(path, 0)
    path.write_text(path.read_text()[:-300])


@pytest.mark.parametrize("fault", SPOILT)
def test_endpoints_that_are_not_like_the_images_are_refused(fault: str, band: Path, ends: tuple[Path, Path]) -> None:
    spoil, words = SPOILT[fault]
    (ends[0] / "OUTCAR").unlink()
    spoil(ends[0])
    assert words in refusal(band, ends)


def test_unconverged_outcars_of_endpoints_are_refused(band: Path, ends: tuple[Path, Path]) -> None:
    place(ends[1], HOP, 4, replace(SMEARED, reached=False))
    assert f"image 4 (final): no 'reached required accuracy' in {ends[1] / 'OUTCAR'}" in refusal(band, ends)
    place(ends[1], HOP, 4, replace(SMEARED, cycles=60))
    assert "image 4 (final): electrons not converged" in refusal(band, ends)
    place(ends[1], HOP, 4, replace(SMEARED, titles=TITLES[::-1]))
    assert "POSCAR says O Ni Li H, the POTCARs H Li Ni O" in refusal(band, ends)


def test_endpoints_that_are_given_take_the_place_of_an_image_that_was_copied(
    band: Path, ends: tuple[Path, Path]
) -> None:
    for image in (0, 4):
        place(band / f"0{image}", HOP, image, replace(SMEARED, band=True))
    assert "is of an image that a band moved" in refusal(band)
    assert read(band, ends).reason is None


def test_exchanged_endpoints_are_refused(band: Path, ends: tuple[Path, Path]) -> None:
    assert "is another structure than the band's" in refusal(band, ends[::-1])


def test_several_outcars_in_a_folder_are_asked_for(band: Path, ends: tuple[Path, Path]) -> None:
    (ends[0] / "OUTCAR").rename(ends[0] / "OUTCAR.1")
    shutil.copy(ends[0] / "OUTCAR.1", ends[0] / "OUTCAR.2")
    assert "but OUTCAR.1, OUTCAR.2: name one of them" in refusal(band, ends)
    assert read(band, (ends[0] / "OUTCAR.2", ends[1])).converged
    (ends[0] / "OUTCAR.1").unlink()
    assert read(band, ends).converged


def test_vaspout_is_read_where_h5py_is_and_told_where_not(
    band: Path, ends: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (ends[0] / "OUTCAR").unlink()
    (ends[0] / "vaspout.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 100)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    assert "needs the package h5py" in refusal(band, ends)


def test_vaspout_has_its_free_energy(band: Path, ends: tuple[Path, Path]) -> None:
    (ends[0] / "OUTCAR").unlink()
    with h5py.File(ends[0] / "vaspout.h5", "w") as file:
        steps = file.create_group("intermediate/ion_dynamics")
        steps["energies_tags"] = [b"free energy    TOTEN   ", b"energy without entropy ", b"energy(sigma->0)       "]
        steps["energies"] = [[-1.0, -2.0, -3.0], [HOP.energies[0], 0.0, HOP.energies[0] + 0.04]]
        steps["lattice_vectors"] = [HOP.cell, HOP.cell]
        steps["position_ions"] = [np.linalg.solve(HOP.cell.T, HOP.positions[0].T).T] * 2
        steps["forces"] = [HOP.forces[0]] * 2
        atoms = file.create_group("results/positions")
        atoms["ion_types"], atoms["number_ion_types"] = [b"O ", b"Ni", b"Li", b"H "], [1, 1, 1, 1]
    assert read(band, ends).band.energies == pytest.approx(HOP.energies, abs=1e-7)
    (ends[0] / "vaspout.h5").write_bytes((ends[0] / "vaspout.h5").read_bytes()[:200])
    assert "has no whole ionic step" in refusal(band, ends)
