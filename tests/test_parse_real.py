"""What LAMMPS and Quantum ESPRESSO 7.2 write today: bands that they compute here, read and compared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from ase.build import add_adsorbate, fcc100
from ase.units import Bohr
from espresso_cases import DEBIAN, need_qe
from external import CODES, need
from reading import forward, reason, refused

from barriers.parsing import find_band, parse_folder

LAMMPS = """
units metal
atom_style atomic
atom_modify map array
boundary p p p
read_data start.data
pair_style eam
pair_coeff * * {potential}
region bottom block INF INF INF INF INF 8.5
group bottom region bottom
fix held bottom setforce 0 0 0
group hop subtract all bottom
fix band hop neb 1.0
timestep 0.01
min_style quickmin
neb 0 {force} {steps} {steps} 20 final final.xyz
"""
H3 = """BEGIN
BEGIN_PATH_INPUT
&PATH
  nstep_path = 30, opt_scheme = "{scheme}", num_of_images = 5, CI_scheme = "auto", path_thr = {threshold}
/
END_PATH_INPUT
BEGIN_ENGINE_INPUT
&CONTROL
  prefix = 'h3', outdir = './scratch', pseudo_dir = '/usr/share/espresso/pseudo'
/
&SYSTEM
  ibrav = 8, celldm(1) = 12, celldm(2) = 0.41666667, celldm(3) = 0.41666667, nat = 3, ntyp = 2, ecutwfc = 16,
  ecutrho = 80, occupations = 'smearing', degauss = 0.03, nspin = 2, starting_magnetization(1) = 0.5
/
&ELECTRONS
  mixing_beta = 0.3
/
ATOMIC_SPECIES
H_a 1.008 HUSPBE.RRKJ3
hB 1.008 HUSPBE.RRKJ3
BEGIN_POSITIONS
FIRST_IMAGE
ATOMIC_POSITIONS bohr
H_a -4.5667 0 0
hB 0 0 0 0 0 0
H_a 1.5578 0 0
LAST_IMAGE
ATOMIC_POSITIONS bohr
H_a -1.5578 0 0
hB 0 0 0
H_a 4.5667 0 0
END_POSITIONS
K_POINTS gamma
END_ENGINE_INPUT
END
"""


def run_lammps(folder: Path, steps: int, force: float) -> None:
    """Let a copper adatom hop on Cu(100) across the edge of the cell, five replicas."""
    potentials = next(CODES.glob("lammps/lib/python3*/site-packages/lammps/share/lammps/potentials"))
    slab = fcc100("Cu", (3, 3, 3), a=3.615)
    add_adsorbate(slab, "Cu", 1.6, position=slab.positions[-1, :2] + slab.cell[0, 0] / 6)
    slab.positions[:, 2] += 6
    cell = [*np.diag(slab.cell)[:2], 17.315]
    atoms = "".join(f"{n} 1 {x} {y} {z}\n" for n, (x, y, z) in enumerate(slab.positions, 1))
    box = "".join(f"0 {length} {axis}lo {axis}hi\n" for length, axis in zip(cell, "xyz", strict=True))
    head = f"Cu\n\n{len(slab)} atoms\n1 atom types\n{box}\nMasses\n\n1 63.55\n\nAtoms\n\n"
    (folder / "start.data").write_text(head + atoms)
    x, y, z = slab.positions[-1]
    (folder / "final.xyz").write_text(f"1\n{len(slab)} {x + cell[0] / 3} {y} {z}\n")
    (folder / "in.neb").write_text(LAMMPS.format(potential=potentials / "Cu_u3.eam", steps=steps, force=force))
    command = [CODES / "bin" / "mpiexec", "-n", "5", CODES / "bin" / "lmp", "-partition", "5x1", "-in", "in.neb"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.codes
def test_lammps(tmp_path: Path) -> None:
    need((CODES / "bin" / "lmp").exists(), "LAMMPS: .ci/codes installs it and prints what CODES is")
    run_lammps(tmp_path, 400, 0.01)
    found = find_band(tmp_path)
    assert (refused(found), found.engine.version) == ("", "22 Jul 2025 - Update 4")
    assert forward(tmp_path) == pytest.approx(0.5195, abs=0.003)
    assert found.distances is not None and 2.5 < found.distances[-1] < 3


@pytest.mark.codes
def test_lammps_whose_steps_were_used_up(tmp_path: Path) -> None:
    need((CODES / "bin" / "lmp").exists(), "LAMMPS: .ci/codes installs it and prints what CODES is")
    run_lammps(tmp_path, 20, 1e-8)
    assert "stopped by max iterations" in reason(tmp_path)


def run_espresso(folder: Path, program: str | Path, scheme: str = "broyden", threshold: float = 0.1) -> None:
    (folder / "h3.in").write_text(H3.format(scheme=scheme, threshold=threshold))
    with (folder / "says.log").open("w") as log:
        subprocess.run([program, "-inp", "h3.in"], cwd=folder, stdout=log, stderr=log, check=True)


VERSIONS = {"6.7MaX": pytest.param("6.7MaX", marks=pytest.mark.qe), "7.2": pytest.param("7.2", marks=pytest.mark.codes)}


def neb(version: str) -> str | Path:
    """Program of a version, or skip the test."""
    if version == "7.2":
        there = (CODES / "bin" / "neb.x").exists() and (DEBIAN / "HUSPBE.RRKJ3").exists()
        need(there, "Quantum ESPRESSO 7.2: .ci/codes installs it and prints what CODES is")
        return CODES / "bin" / "neb.x"
    need_qe()
    return "neb.x"


@pytest.mark.parametrize("version", VERSIONS.values())
def test_quantum_espresso_with_and_without_its_outdir(version: str, tmp_path: Path) -> None:
    run_espresso(tmp_path, neb(version))
    whole = find_band(tmp_path)
    assert (refused(whole), whole.engine.version) == ("", version)
    assert whole.structure.composition.formula == "H3"
    assert whole.structure.lattice.abc == pytest.approx([12 * Bohr, 5 * Bohr, 5 * Bohr], abs=1e-5)
    assert whole.images[2].settings["pseudopotentials"] == "H_a HUSPBE.RRKJ3, hB HUSPBE.RRKJ3"
    barrier = forward(tmp_path)
    assert barrier == pytest.approx(0.2043, abs=0.001)
    (tmp_path / "scratch").rename(tmp_path.parent / f"{tmp_path.name}_scratch")
    gone = find_band(tmp_path)
    assert np.array_equal(gone.images[2].positions, whole.images[2].positions)
    assert forward(tmp_path) == pytest.approx(barrier, abs=1e-9)


@pytest.mark.qe
def test_what_path_thr_calls_converged_is_given_with_the_force_that_is_left(tmp_path: Path) -> None:
    run_espresso(tmp_path, neb("6.7MaX"), "quick-min", 0.4)
    assert "QUICK-MIN FIELDS" in (tmp_path / "h3.path").read_text()
    barrier = parse_folder(tmp_path).barriers[0]
    assert 0.204 < barrier.forward < 0.23  # it was on its way down to 0.2043
    said = "; ".join(barrier.warnings)
    assert "at most 0.1 is a minimum-energy path; its code calls it converged by path_thr 0.4 eV/Å" in said
    assert "largest force across the path" in (parse_folder(tmp_path, fmax=0.05).barriers[0].reason or "")
