"""Codes that are recognised and refused in words, and folders of one code that hold files of another."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase import Atoms
from ase.build import sort
from ase.calculators.emt import EMT
from ase.io import read, write
from ase.mep.autoneb import AutoNEB
from ase.optimize import FIRE
from code_files import write_abinit, write_eon, write_lammps, write_vtst
from conftest import gold_on_aluminium
from cp2k_files import write_cp2k
from espresso_files import write_espresso
from reading import error, forward
from written_bands import a_hop

from barriers.parsing import READERS, find_band

HOP = a_hop()
WRITERS = {
    "Quantum ESPRESSO": write_espresso,
    "CP2K": write_cp2k,
    "ABINIT": write_abinit,
    "LAMMPS": write_lammps,
    "eOn": write_eon,
    "VASP": write_vtst,
}
NWCHEM = "3\n energy=   -76.0123 \nO 0 0 0\nH 0 0 1\nH 0 1 0\n"


def test_nwchem_is_refused_for_its_hartrees_which_ase_takes_for_ev(tmp_path: Path) -> None:
    path = tmp_path / "water.neb_final.xyz"
    path.write_text(NWCHEM + NWCHEM.replace("76.0123", "75.9939") + NWCHEM)
    assert read(path, index=1).get_potential_energy() == -75.9939  # 0.5 eV would be 0.018
    assert "bands of NWChem are not read: energy= in its .xyz is in Hartree" in error(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("run.nwo", "          Northwest Computational Chemistry Package (NWChem) 7.0.2\n", "NWChem"),
        ("hop_MEP_trj.xyz", "1\nCoordinates from ORCA-job hop E -1.0\nH 0 0 0\n" * 3, "ORCA"),
        ("hop.out", "                                 * O   R   C   A *\n", "ORCA"),
        ("xtbpath_1.xyz", "1\n energy: -1.0 xtb\nH 0 0 0\n" * 3, "xtb"),
        ("chain.in", "n_images 5\n", "aimsChain"),
    ],
)
def test_other_codes_are_named(name: str, text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert f"bands of {code} are not read" in error(tmp_path)
    assert "extxyz with energy (eV) and forces (eV/Å)" in error(tmp_path / name)


@pytest.mark.parametrize("code", WRITERS)
def test_a_band_is_only_its_own_codes(code: str, tmp_path: Path) -> None:
    WRITERS[code](tmp_path, HOP)
    for number in range(3):  # pictures for a viewer, and another code's output
        (tmp_path / f"view{number}.xyz").write_text(f"1\n\nH 0 0 {number}\n")
    (tmp_path / "orca.out").write_text("* O   R   C   A *\n")
    (tmp_path / "WAVECAR.gz").write_bytes(b"\x1f\x8b half of something else")
    (tmp_path / "core.1234").write_bytes(bytes(range(256)) * 100)
    for path in [path for path in tmp_path.iterdir() if path.suffix in {".log", ".out", ".path", ".dat", ".lammps"}]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # it was on Windows
    assert find_band(tmp_path).engine.name == code


def test_two_codes_in_one_folder_are_asked_for_by_name(tmp_path: Path) -> None:
    write_espresso(tmp_path, HOP, "qe")
    write_cp2k(tmp_path, HOP, "cp2k")
    assert "several bands: qe, cp2k" in error(tmp_path)
    assert find_band(tmp_path, "cp2k").engine.name == "CP2K"


def test_every_code_says_where_its_numbers_come_from() -> None:
    for reader in READERS:
        assert all(reader._replace(read=None)[2:]), reader.code
        assert reader.read.__doc__, reader.code


@pytest.mark.filterwarnings("ignore:The default method has changed")
def test_a_folder_of_autoneb_is_a_band_of_its_newest_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ASE's AutoNEB leaves PREFIX000.traj, …, one file an image, and every iteration in a folder beside them."""
    monkeypatch.chdir(tmp_path)
    for number, atoms in enumerate(map(sort, gold_on_aluminium())):
        atoms.calc = EMT()
        FIRE(atoms, logfile=None).run(fmax=0.02)
        write(f"hop{number:03d}.traj", atoms)

    def attach(images: list[Atoms]) -> None:
        for image in images:
            image.calc = EMT()

    options = {"n_simul": 1, "climb": True, "fmax": 0.05, "k": 1.0, "method": "improvedtangent", "optimizer": "FIRE"}
    band = AutoNEB(attach, "hop", n_max=5, parallel=False, smooth_curve=False, **options)
    band.run()
    energies = [image.get_potential_energy() for image in band.all_images]
    assert len(list(Path("AutoNEB_iter").iterdir())) > 5
    assert [image.energy for image in find_band(tmp_path).images] == pytest.approx(energies, abs=1e-9)
    assert forward(tmp_path) == pytest.approx(0.374, abs=0.003)
