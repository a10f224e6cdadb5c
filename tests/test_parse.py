"""``barriers parse``: folders of VASP, Quantum ESPRESSO and ASE, whole and not, give a result or one line."""

from __future__ import annotations

import gzip
import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import sort
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from ase.io.trajectory import Trajectory
from ase.mep import NEB
from ase.optimize import FIRE
from conftest import Outcome, gold_on_aluminium
from vasp_tools import NH3, RECORDED, run_standin

from barriers.parsing import find_band, parse_folder
from barriers.parsing.ase_files import read_ase_band

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
needs_recorded = pytest.mark.skipif(not NH3.is_dir(), reason="no recorded runs here")
ESPRESSO = RECORDED / "espresso_neb" / "default"
Cli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ase_band(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the trajectory of all iterations, as ``FIRE(neb, trajectory=...)`` writes it."""
    folder = tmp_path_factory.mktemp("ase") / "au_on_al"
    folder.mkdir()
    ends = []
    for atoms in map(sort, gold_on_aluminium()):
        atoms.calc = EMT()
        FIRE(atoms, logfile=None).run(fmax=0.01)
        atoms.calc = SinglePointCalculator(atoms, energy=atoms.get_potential_energy(), forces=atoms.get_forces())
        ends.append(atoms)
    images = [ends[0], *(ends[0].copy() for _ in range(3)), ends[1]]
    band = NEB(images, climb=True, method="improvedtangent", k=1.0)
    band.interpolate("idpp")
    for image in images[1:-1]:
        image.calc = EMT()
    FIRE(band, logfile=None, trajectory=str(folder / "neb.traj")).run(fmax=0.03)
    return folder


@pytest.fixture(scope="module")
def vasp_band(ase_band: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VASP folder, and beside it the folders in which its endpoints were relaxed."""
    root = tmp_path_factory.mktemp("vasp")
    images = list(Trajectory(str(ase_band / "neb.traj")))[:5]
    climbing = {"LCLIMB": "T", "IOPT": 7, "POTIM": 0}
    run_standin(root / "band", images, {"NSW": 100, "EDIFFG": -0.03, "SPRING": -1} | climbing)
    for name, image in (("initial", images[0]), ("final", images[-1])):
        run_standin(root / name, [image], {"NSW": 100, "EDIFFG": -0.02, "IBRION": 2})
    return root


def last_images(folder: Path) -> list[Atoms]:
    return list(Trajectory(str(folder / "neb.traj")))[-5:]


def plain(cli: Cli, *args: str | Path) -> Outcome:
    outcome = cli("parse", *args)
    assert len(outcome.err.splitlines()) <= 1
    return outcome


def test_a_trajectory_of_ase_gives_the_last_iterations_barrier(cli: Cli, ase_band: Path) -> None:
    outcome = plain(cli, ase_band, "--json")
    energies = [image.get_potential_energy() for image in last_images(ase_band)]
    answer = json.loads(outcome.out)
    assert outcome.code == 0
    assert answer["forward"] == pytest.approx(max(energies) - energies[0], abs=0.002)
    assert answer["energies"] == pytest.approx(energies)
    assert answer["checks"]["band converged"]
    assert "the force across the path was looked at" in answer["warnings"][-1]
    results = Path(answer["results"])
    assert {"profiles.png", "profiles.svg", "barriers.csv", "study.json"} <= {path.name for path in results.iterdir()}


def test_a_file_for_each_image_gives_the_same(ase_band: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    images = last_images(ase_band)
    for number, image in enumerate(images):
        write(folder / f"image{number + 8}.extxyz", image)  # 10 comes after 9, not after 1
    assert parse_folder(folder).barriers[0].forward == parse_folder(ase_band).barriers[0].forward


def test_a_band_far_from_its_path_is_not_converged(ase_band: Path, tmp_path: Path) -> None:
    images = list(Trajectory(str(ase_band / "neb.traj")))[:5]
    write(tmp_path / "first.extxyz", images)
    barrier = parse_folder(tmp_path).barriers[0]
    assert (barrier.converged, barrier.forward) == (False, None)
    assert barrier.reason.startswith("largest force across the path ")


def test_a_vasp_folder_needs_the_energies_of_its_endpoints(cli: Cli, vasp_band: Path, ase_band: Path) -> None:
    band = vasp_band / "band"
    outcome = plain(cli, band)
    assert outcome.code == 1
    assert f"no energy of image 0 (initial): no OUTCAR in {band / '00'}; give it with --endpoints" in outcome.out
    assert f"no OUTCAR in {band / '04'}" in outcome.out
    outcome = plain(cli, band, "--endpoints", vasp_band / "initial", vasp_band / "final" / "OUTCAR", "--json")
    forward = json.loads(outcome.out)["forward"]
    assert forward == pytest.approx(parse_folder(ase_band).barriers[0].forward, abs=0.002)
    assert json.loads(outcome.out)["warnings"] == []


def test_outcars_of_endpoints_in_their_folders_and_compressed_files_are_found(vasp_band: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(vasp_band / "band", folder)
    for name, place in (("initial", "00"), ("final", "04")):
        shutil.copy(vasp_band / name / "OUTCAR", folder / place / "OUTCAR")
    whole = parse_folder(folder).barriers[0]
    assert whole.converged
    for path in [*folder.glob("*/OUTCAR"), *folder.glob("*/POSCAR"), *folder.glob("*/CONTCAR")]:
        with gzip.open(f"{path}.gz", "wb") as file:
            file.write(path.read_bytes())
        path.unlink()
    assert parse_folder(folder).barriers[0].forward == whole.forward


def test_endpoints_that_do_not_belong_are_refused(cli: Cli, vasp_band: Path, tmp_path: Path) -> None:
    band = vasp_band / "band"
    swapped = plain(cli, band, "--endpoints", vasp_band / "final", vasp_band / "initial")
    assert (swapped.code, "is another structure than the band's: atom 12" in swapped.err) == (2, True)
    nowhere = plain(cli, band, "--endpoints", tmp_path / "no", "0")
    assert (nowhere.code, "neither a number nor a file or folder" in nowhere.err) == (2, True)
    empty = plain(cli, band, "--endpoints", tmp_path, "0")
    assert (empty.code, "no OUTCAR with a whole step" in empty.err) == (2, True)


BROKEN = {
    "an image without OUTCAR": (lambda band: (band / "02" / "OUTCAR").unlink(), "no energy of image 2: no OUTCAR in"),
    "half an OUTCAR": (lambda band: cut(band / "02" / "OUTCAR", 0.6), "no 'reached required accuracy'"),
    "a head of OUTCAR": (lambda band: cut(band / "01" / "OUTCAR", 0.001), "no energy of image 1: no whole step in"),
    "half a POSCAR": (lambda band: [cut(path, 0.2) for path in band.glob("03/*")], "neither POSCAR nor CONTCAR"),
    "one folder": (lambda band: [shutil.rmtree(band / f"0{n}") for n in (1, 2, 3, 4)], "1 image folders are no band"),
    "everything but OUTCARs": (lambda band: [path.unlink() for path in band.glob("*/*CAR")], "no NEB here"),
}


def cut(path: Path, left: float) -> None:
    if path.is_file():
        path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])


@pytest.mark.parametrize("how", BROKEN)
def test_half_written_folders_of_vasp_give_one_line(how: str, cli: Cli, vasp_band: Path, tmp_path: Path) -> None:
    band = tmp_path / "broken"
    shutil.copytree(vasp_band / "band", band)
    spoil, words = BROKEN[how]
    spoil(band)
    outcome = plain(cli, band, "--endpoints", vasp_band / "initial", vasp_band / "final")
    assert outcome.code in {1, 2}
    assert words in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing", None, "no NEB here; looked for image folders 00, 01"),
        ("neb.traj", b"- of UlmASE-Traj", "cannot be read"),
        ("neb.extxyz", b"3\nLattice=", "cannot be read"),
        ("neb.xyz", b"", "Empty file"),
        ("notes.txt", b"hello", "no NEB here"),
    ],
)
def test_folders_without_a_band_give_one_line(name: str, content: bytes | None, words: str, cli: Cli) -> None:
    Path("made").mkdir()
    if content is not None:
        Path("made", name).write_bytes(content)
    outcome = plain(cli, "made")
    assert (outcome.code, words in outcome.err) == (2, True)
    assert "no such folder" in plain(cli, "elsewhere").err


def test_a_trajectory_that_stops_within_an_iteration_gives_the_last_whole_one(ase_band: Path, tmp_path: Path) -> None:
    frames = list(Trajectory(str(ase_band / "neb.traj")))
    write(tmp_path / "neb.extxyz", frames[:-2])
    energies = [image.energy for image in read_ase_band(tmp_path).images]
    assert energies == pytest.approx([frame.get_potential_energy() for frame in frames[-10:-5]])


@needs_recorded
def test_the_recorded_band_has_no_barrier_without_its_endpoints(cli: Cli) -> None:
    outcome = plain(cli, NH3, "--json")
    answer = json.loads(outcome.out)
    assert (outcome.code, answer["forward"], answer["converged"]) == (1, None, False)
    assert f"no OUTCAR in {NH3 / '00'}" in answer["reason"]
    assert answer["energies"] == [None, -19.49164066, -19.27591934, -19.49164203, None]
    said = " ".join(answer["warnings"])
    assert "OSZICAR ends at -19.491537 eV" in said
    assert "OSZICAR ends at -19.491539 eV" in said


@needs_recorded
def test_the_recorded_band_has_the_published_barrier_with_its_endpoints(cli: Cli) -> None:
    answer = json.loads(plain(cli, NH3, "--endpoints", "-19.4915", "-19.4915", "--json").out)
    assert answer["forward"] == pytest.approx(0.2156, abs=0.0002)
    assert answer["energies"][2] == -19.27591934
    assert "forces of the initial endpoint are not known" in " ".join(answer["warnings"])


@needs_recorded
@pytest.mark.skipif(
    importlib.util.find_spec("barriers.engines.espresso") is None, reason="needs the Quantum ESPRESSO engine's reader"
)
def test_a_folder_of_quantum_espresso(cli: Cli, tmp_path: Path) -> None:
    outcome = plain(cli, ESPRESSO, "--json")
    answer = json.loads(outcome.out)
    assert outcome.code == 0, answer
    # The codes' own numbers: a minimum of −0.2847 eV between ends that were never relaxed.
    assert [energy - answer["energies"][0] for energy in answer["energies"]] == pytest.approx(
        [0, -0.2846843, 0], abs=1e-6
    )
    assert answer["made_with"] == "Quantum ESPRESSO 6.4.1"
    assert "initial endpoint is not relaxed: 2.176 eV/Å" in " ".join(answer["warnings"])
    half = tmp_path / "half"
    shutil.copytree(ESPRESSO, half, copy_function=shutil.copyfile)
    half.chmod(0o755)
    path = half / "aiida.path"
    path.write_bytes(path.read_bytes()[:600])
    assert "is not whole" in plain(cli, half).err


def test_what_made_a_band_is_known(vasp_band: Path, ase_band: Path) -> None:
    assert [find_band(folder).engine.kind for folder in (vasp_band / "band", ase_band)] == ["vasp", "ase"]
