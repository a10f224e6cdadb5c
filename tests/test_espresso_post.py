"""``pp.x`` and ``projwfc.x`` that fail, hang or say little, played by scripts; what they say is read."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from densities import gaussians
from pymatgen.core import Lattice, Structure

from barriers.engines.espresso.command import Command, parse_command
from barriers.engines.espresso.density import DensityMaker
from barriers.engines.espresso.faults import EspressoError
from barriers.engines.espresso.post import kind_of, make_cube, project, read_lowdin
from barriers.engines.espresso.settings import Running
from barriers.engines.volumetric import read_for, write_volumetric
from barriers.workflow.labels import label

WITHOUT_SPIN = """
Lowdin Charges:

     Atom #   1: total charge =   2.6754, s =  2.2110,
     Atom #   1: total charge =   2.6754, p =  0.4644, pz=  0.1548, px=  0.1548, py=  0.1548,
     Atom #   2: total charge =   6.4934, s =  1.7600,
     Atom #   2: total charge =   6.4934, p =  4.7334, pz=  1.5778, px=  1.5778, py=  1.5778,
     Spilling Parameter:   0.0013
"""

WITH_SPIN = """
Lowdin Charges:

     Atom #   1: total charge =   1.0012, s =  1.0012,
                 spin up      =   0.9962,
                 spin down    =   0.0050,
                 polarization =   0.9911, s =  0.9911,
     Atom #   2: total charge =   0.9891, s =  0.9891,
                 spin up      =   0.4902,
                 spin down    =   0.4989,
                 polarization =  -0.0087, s = -0.0087,
     Spilling Parameter:   0.0120
"""

ERROR = """
 %%%%%%%%%%%%%%%%%%%%%%%%
     Error in routine projwave (1):
     Cannot project on zero atomic wavefunctions!
 %%%%%%%%%%%%%%%%%%%%%%%%
"""


def command_of(folder: Path, script: str) -> Command:
    """A ``pp.x`` and a ``projwfc.x`` that do what a shell script does."""
    place = folder / "bin"
    place.mkdir()
    for program in ("pp.x", "projwfc.x"):
        (place / program).write_text(f"#!/bin/sh\n{script}\n")
        (place / program).chmod(0o755)
    return parse_command(str(place / "neb.x"))


def test_charges_and_moments_are_read() -> None:
    plain, spin = read_lowdin(WITHOUT_SPIN), read_lowdin(WITH_SPIN)
    assert (plain.electrons, plain.moments, plain.spilling) == ([2.6754, 6.4934], None, 0.0013)
    assert (spin.electrons, spin.moments, spin.spilling) == ([1.0012, 0.9891], [0.9911, -0.0087], 0.012)


def test_a_program_that_hangs_is_ended_when_its_time_is_up(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(EspressoError, match=r"pp\.x \(elf\) took more than max_seconds \(1 s\); run again with more"):
        make_cube(command_of(tmp_path, "exec sleep 60"), tmp_path, "elf", 1)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", r"pp\.x \(density\): exit code 3 without a word of success; run again to go on"),
        ("kill -9 $$", r"pp\.x \(density\): exit code -9 without a word of success"),
        ("echo JOB DONE", r"pp\.x \(density\): wrote nothing"),
        (f"cat <<E\n{ERROR}\nE", r"pp\.x \(density\): error in routine projwave \(1\): Cannot project on zero"),
    ],
)
def test_a_program_that_fails_leaves_no_cube_and_says_why(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(EspressoError, match=words):
        make_cube(command_of(tmp_path, script), tmp_path, "density", None)
    assert not list(tmp_path.glob("*.cube"))


def test_a_cube_that_is_whole_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    script = "echo once >> runs; echo data > density.part; echo JOB DONE"
    command = command_of(tmp_path, script)
    for _ in range(2):
        assert make_cube(command, tmp_path, "density", None).read_text() == "data\n"
    assert (tmp_path / "runs").read_text() == "once\n"


def test_pseudopotentials_without_orbitals_give_no_charges_but_the_reason(tmp_path: Path) -> None:
    said = project(command_of(tmp_path, f"cat <<E\n{ERROR}\nE"), tmp_path, None)
    assert said == "error in routine projwave (1): Cannot project on zero atomic wavefunctions!"


def test_charges_are_projected_once(tmp_path: Path) -> None:
    command = command_of(tmp_path, f"echo once >> runs; cat <<E\n{WITHOUT_SPIN}\nE\necho JOB DONE")
    found = [project(command, tmp_path, None) for _ in range(2)]
    assert found[0] == found[1] == read_lowdin(WITHOUT_SPIN)
    assert (tmp_path / "runs").read_text() == "once\n"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ('<UPF version="2.0.1">\n<PP_HEADER\n pseudo_type="PAW"\n>\n<PP_MESH>', "PAW"),
        ('<PP_HEADER generated="by code" pseudo_type="USPP" is_paw="F"/>\n<PP_MESH>', "USPP"),
        (
            "<PP_INFO>\n PAW \n</PP_INFO>\n<PP_HEADER>\n 0 Version\n  US  Ultrasoft pseudopotential\n<PP_MESH>",
            "US",
        ),
        ("<PP_HEADER>\n 0 Version\n   NC      Norm - Conserving\n<PP_MESH>", "NC"),
        ("'H ' 1 1.0 PAW\n 1 1", ""),
    ],
)
def test_the_kind_of_a_pseudopotential_is_that_of_its_header(tmp_path: Path, header: str, kind: str) -> None:
    (tmp_path / "X.UPF").write_text(header)
    assert kind_of(tmp_path / "X.UPF") == kind


def hydrogen() -> Structure:
    return Structure(Lattice.orthorhombic(4, 4.5, 5), ["H", "Li"], [[0.5, 0.5, 0.4], [0.5, 0.5, 0.6]])


def test_a_cube_of_something_else_is_refused(tmp_path: Path) -> None:
    structure = hydrogen()
    write_volumetric(gaussians(structure, [1, 3], (12, 14, 16)), tmp_path / "density.cube")
    wrapped = structure.copy()
    wrapped.translate_sites([0], [1, -1, 0], to_unit_cell=False)
    assert read_for(tmp_path / "density.cube", wrapped).structure is wrapped
    moved = structure.copy()
    moved.translate_sites([1], [0, 0, 0.01])
    with pytest.raises(ValueError, match=r"atoms are up to 0\.050 Å from where they were expected"):
        read_for(tmp_path / "density.cube", moved)
    with pytest.raises(ValueError, match="in another cell or order; expected: "):
        read_for(tmp_path / "density.cube", Structure.from_sites(structure[::-1]))
    wider = Structure(Lattice(structure.lattice.matrix * 1.01), structure.species, structure.frac_coords)
    with pytest.raises(ValueError, match="in another cell or order"):
        read_for(tmp_path / "density.cube", wider)


def test_how_the_code_is_started_is_no_part_of_what_is_computed() -> None:
    maker, other = DensityMaker(), DensityMaker(running=Running("mpirun -np 4 neb.x -ni 2", max_seconds=60))
    assert maker.identity(["Li", "O"]) == other.identity(["Li", "O"])
    assert maker.identity(["Li", "O"])["computes"] == "density/1"
    assert label(maker.make(hydrogen(), 1), "NCM: density", "NCM").metadata["kind"] == "static"


def test_programs_after_pw_are_started_like_it_without_its_options() -> None:
    command = parse_command("mpirun -np 8 /opt/qe/bin/neb.x -ni 4 -nk 2")
    assert command.post("pp.x", "elf.in") == ["mpirun", "-np", "8", "/opt/qe/bin/pp.x", "-inp", "elf.in"]
    assert command.pw("pw.1.in")[3] == "/opt/qe/bin/pw.x"


def test_values_survive_a_cube_in_its_units(tmp_path: Path) -> None:
    grid = gaussians(hydrogen(), [1, 3], (12, 14, 16))
    write_volumetric(grid, tmp_path / "x.cube")
    again = read_for(tmp_path / "x.cube", grid.structure)
    assert np.abs(again.values - grid.values).max() < 1e-5
    assert again.total == pytest.approx(4, abs=1e-4)
