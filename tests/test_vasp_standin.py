"""The stand-in's files hold what the engine relies on, as the files of a recorded real run do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase.build import sort
from conftest import gold_on_aluminium
from custodian.vasp.validators import VasprunXMLValidator
from pymatgen.io.vasp import Oszicar, Outcar, Vasprun
from vasp_tools import NH3, run_standin

from barriers.analysis.band import minimum_image_displacements
from barriers.analysis.forces import largest_band_force
from barriers.engines.vasp.folder import Goal
from barriers.engines.vasp.outputs import Step, StepOutcar, all_outcars, band_steps, image_folders, read_outcar
from barriers.engines.vasp.restart import newest_structure, read_poscar, sharp_positions
from barriers.structures.path.interpolate import interpolate

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

CELL = gold_on_aluminium()[0].cell.array
BAND = {"NSW": 4, "EDIFFG": -0.05, "SPRING": -1, "IOPT": 7, "LCLIMB": True, "ISPIN": 2, "NELM": 60}

RELIED_ON = {
    "version": r"^ vasp\.\d",
    "VTST": r"^ VTST: version \d",
    "POTCAR titles": r"TITEL  = PAW_PBE \w+ \d",
    "limit of electronic steps": r"NELM   =\s+\d+;",
    "electronic step": r"-- Iteration\s+1\(\s+1\)  --",
    "electrons converged": r"aborting loop because EDIFF is reached",
    "forces": r"^ POSITION +TOTAL-FORCE \(eV/Angst\)\n -+\n(?: +-?\d+\.\d{5}){3}(?: +-?\d+\.\d{6}){3}\n",
    "end of the forces": r"\n -+\n    total drift:",
    "energy": r"^  free  energy   TOTEN  = +-?\d+\.\d{8} eV",
    "time of a step": r"LOOP\+: .*real time +\d",
    "last words": r"General timing and accounting",
}
"""Every line of OUTCAR that the engine reads."""


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("standin")
    initial, final = (sort(atoms) for atoms in gold_on_aluminium())
    run_standin(folder, interpolate(initial, final, 3, "idpp"), BAND | {"MAGMOM": "12*0.0 1*1.0"})
    return folder


@pytest.fixture(params=["stand-in", "recorded"])
def outcar(request: pytest.FixtureRequest) -> Path:
    if request.param == "stand-in":
        return Path(request.getfixturevalue("standin")) / "02" / "OUTCAR"
    if not NH3.is_dir():
        pytest.skip("no recorded run here")
    return NH3 / "02" / "OUTCAR"


@pytest.mark.parametrize("what", RELIED_ON)
def test_what_the_engine_relies_on_is_in_both(outcar: Path, what: str) -> None:
    assert re.search(RELIED_ON[what], outcar.read_text("utf-8", "replace"), re.M)


def test_one_reader_reads_both(outcar: Path) -> None:
    read, theirs = StepOutcar(outcar), Outcar(outcar)
    assert read.vtst and read.titles and read.finished and read.begun
    assert read.steps[-1].energy == pytest.approx(theirs.final_fr_energy, abs=1e-8)
    assert len(read.steps) == len(Oszicar(outcar.parent / "OSZICAR").ionic_steps) or "recorded" in str(outcar)
    assert all(step.self_consistent and step.finite and step.electronic_steps > 1 for step in read.steps)
    forces = theirs.read_table_pattern(
        r"TOTAL-FORCE \(eV/Angst\)\n -+", r" +" + r"\s+".join([r"(-?[\d.]+)"] * 6), r" -+", postprocess=float
    )
    assert np.hstack([read.steps[-1].positions, read.steps[-1].forces]) == pytest.approx(np.array(forces))
    lattice = read_poscar(outcar.parent / "POSCAR").lattice
    moves = lattice.get_fractional_coords(sharp_positions(outcar.parent, read.steps[-1]) - read.steps[-1].positions)
    assert moves == pytest.approx(np.round(moves), abs=1e-5)
    assert newest_structure(outcar.parent) is not None


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
def test_forces_are_those_of_the_atoms_without_springs() -> None:
    """VTST prints how much of the real force lies along the tangent; the table of forces has just that much."""
    text = (NH3 / "01" / "OUTCAR").read_text("utf-8", "replace")
    tangents = re.findall(r"NEB: Tangent\n -+\n((?:(?: +-?\d+\.\d+){3} *\n)+)", text)
    along = re.findall(r"NEB: projections on to tangent \(spring, REAL\) +\S+ +(\S+)", text)
    steps = read_outcar(NH3 / "01").steps
    assert len(tangents) == len(along) == len(steps) == 23
    for step, tangent, printed in zip(steps, tangents, along, strict=True):
        rows = np.array([row.split() for row in tangent.splitlines()], dtype=float)
        assert (step.forces * rows).sum() == pytest.approx(float(printed), abs=1e-3)


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
def test_the_force_on_a_band_is_vtsts_own() -> None:
    """VTST prints the largest force of each image, springs, tangents and climbing included."""
    printed = [
        [float(force) for force in re.findall(r"FORCES: max atom, RMS +(\S+)", path.read_text("utf-8", "replace"))]
        for path in sorted(NH3.glob("0[123]/OUTCAR"))
    ]
    found = [recorded_force(steps) for steps in band_steps(NH3)]
    assert len(found) == 23
    assert found == pytest.approx(np.max(printed, axis=0), abs=2e-4)


def recorded_force(steps: list[Step]) -> float:
    """Of the recorded band; ends of equal energy, lower than all between them."""
    ends = [read_poscar(NH3 / name / "POSCAR") for name in ("00", "04")]
    still = np.zeros((len(ends[0]), 3))
    return largest_band_force(
        [ends[0].cart_coords, *(step.positions for step in steps), ends[1].cart_coords],
        ends[0].lattice.matrix,
        [-19.6, *(step.energy for step in steps), -19.6],
        [still, *(step.forces for step in steps), still],
        spring=5.0,
        climb=True,
    )


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
@pytest.mark.parametrize(
    ("fmax", "said", "met"),
    [(0.03, True, True), (0.0098, True, True), (0.0095, True, False), (0.0108, False, True), (0.0105, False, False)],
)
def test_a_band_is_met_by_its_forces(fmax: float, said: bool, met: bool, tmp_path: Path) -> None:
    """The recorded band ends with 0.0107 eV/Å."""
    shutil.copytree(NH3, tmp_path, dirs_exist_ok=True)
    for path in () if said else tmp_path.glob("0?/OUTCAR"):
        path.write_text(path.read_text("utf-8", "replace").replace("reached required accuracy", ""), "utf-8")
    assert Goal(fmax, lambda folder: recorded_force(band_steps(folder)[-1])).met(tmp_path) == met


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
@pytest.mark.parametrize("line", ["LTANGENTOLD = .TRUE.", "LDNEB = T", "LTANGENTOLD = .FALSE."])
def test_vasp_is_taken_at_its_word_where_its_tangents_are_others(line: str, tmp_path: Path) -> None:
    shutil.copytree(NH3, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "INCAR").open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert Goal(0.03, lambda _: 0.3).met(tmp_path) == ("FALSE" not in line)


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
def test_energies_of_the_recorded_band_are_exact() -> None:
    """OSZICAR and OUTCAR of the two outer images are of two runs, of 21 and of 23 steps."""
    last = [Oszicar(NH3 / name / "OSZICAR").ionic_steps[-1]["F"] for name in ("01", "02", "03")]
    assert last == [-19.491537, -19.275919, -19.491539]
    assert [step.energy for step in band_steps(NH3)[-1]] == [-19.49164066, -19.27591934, -19.49164203]
    assert [path.name for path in image_folders(NH3)] == ["00", "01", "02", "03", "04"]


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
def test_vtst_climbs_where_nothing_is_said() -> None:
    assert "LCLIMB" not in (NH3 / "INCAR").read_text()
    assert re.search(r"NEB: +LCLIMB +T", (NH3 / "01" / "OUTCAR").read_text("utf-8", "replace"))


@pytest.mark.skipif(not NH3.is_dir(), reason="no recorded run here")
def test_velocities_that_are_no_numbers_spoil_no_contcar() -> None:
    assert "NaN" in (NH3 / "01" / "CONTCAR").read_text()
    assert np.isfinite(read_poscar(NH3 / "01" / "CONTCAR").cart_coords).all()


def test_libraries_read_the_standin_as_they_read_vasp(standin: Path) -> None:
    for place in image_folders(standin)[1:-1]:
        vasprun = Vasprun(place / "vasprun.xml", parse_dos=False, parse_eigen=False, parse_potcar_file=False)
        steps = read_outcar(place).steps
        assert [step["e_fr_energy"] for step in vasprun.ionic_steps] == pytest.approx([s.energy for s in steps])
        assert not VasprunXMLValidator().check(str(place))
        moments = [site["tot"] for site in Outcar(place / "OUTCAR").magnetization]
        assert moments == steps[-1].moments.tolist() == [0.0] * 12 + [1.0]


def test_without_vtst_its_optimiser_moves_nothing(tmp_path: Path) -> None:
    initial, final = (sort(atoms) for atoms in gold_on_aluminium())
    run_standin(tmp_path, interpolate(initial, final, 1, "idpp"), BAND, no_vtst=True)
    steps = read_outcar(tmp_path / "01").steps
    assert read_outcar(tmp_path / "01").vtst is None
    assert len(steps) == 4
    assert (steps[0].positions == steps[-1].positions).all()


@pytest.mark.parametrize("fault", [{"scf": {"until": "never"}}, {"nan": {}}])
def test_steps_without_sound_electrons_do_not_count(fault: dict[str, dict[str, object]], tmp_path: Path) -> None:
    ((kind, settings),) = fault.items()
    images = interpolate(*(sort(atoms) for atoms in gold_on_aluminium()), 2, "idpp")
    run_standin(tmp_path, images, BAND, **{kind: {"image": 2, "step": 3, **settings}})
    assert len(read_outcar(tmp_path / "02").steps) > 2
    assert len(band_steps(tmp_path)) == 2
    place = tmp_path / "02"
    again = newest_structure(place).cart_coords  # where the first unsound step was, or the last sound one
    moves = minimum_image_displacements([again, read_outcar(place).steps[-1 if kind == "scf" else 1].positions], CELL)
    assert np.abs(moves).max() < 1e-4


@pytest.mark.parametrize("left", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_a_file_that_breaks_off_is_read_as_far_as_it_is_whole(standin: Path, tmp_path: Path, left: float) -> None:
    text = (standin / "02" / "OUTCAR").read_text("utf-8")
    (tmp_path / "OUTCAR").write_text(text[: int(left * len(text))], "utf-8")
    whole = [step.energy for step in read_outcar(standin / "02").steps]
    read = all_outcars(tmp_path)
    energies = [step.energy for step in read[0].steps] if read else []
    assert energies == whole[: len(energies)]
    assert len(energies) == (4 if left > 0.95 else int(4 * left + 0.3) if left > 0.2 else 0)
    assert not read or not read[0].finished
