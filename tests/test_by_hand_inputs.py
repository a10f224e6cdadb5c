"""``barriers inputs``: what it writes, value by value, without a code; and that Quantum ESPRESSO takes it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from math import ceil, pi
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.io import read, write
from benchmarks.espresso_handover import ends
from conftest import ROOT, Outcome, gold_on_aluminium
from espresso_cases import STUDY, need_qe
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar

from barriers.analysis.band import minimum_image_displacements
from barriers.by_hand import write as by_hand
from barriers.engines.espresso.command import code_version
from barriers.engines.mlip import MlipEngine
from barriers.study.file import load_study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

Cli = Callable[..., Outcome]

U = {"Ni": 6.2, "Co": 3.32, "Mn": 3.9}
MOMENTS = {"Ni": 1.0, "Mn": 3.0}
OXIDE = """
name: lno
endpoints: {initial: initial.vasp, final: final.vasp}
engine:
  kind: espresso
  pseudopotentials: debian-pbesol
  dipole: false
  kspacing: 2.0
  keywords: {ecutwfc: 18.0, ecutrho: 144.0}
path: {n_images: 1, starts: 1, from: linear}
"""
"""Li0.5NiO2, seven atoms, with the preset of slabs: spin, U and D3."""


@pytest.fixture(autouse=True)
def _no_code_here(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if not request.node.get_closest_marker("qe"):
        for name in ("ESPRESSO_PSEUDO", "PMG_VASP_PSP_DIR"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PATH", "/usr/bin/nowhere")
        code_version.cache_clear()  # other tests of this process have asked the code that is there


@pytest.fixture
def oxide(tmp_path: Path) -> Path:
    for name, structure in zip(("initial", "final"), ends(), strict=True):
        structure.to(str(tmp_path / f"{name}.vasp"), fmt="poscar")
    (tmp_path / "lno.yaml").write_text(OXIDE, "utf-8")
    return tmp_path / "lno.yaml"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs of the shipped study of VASP: a bare slab and one with a bonded fragment."""
    folder = tmp_path_factory.mktemp("vasp")
    by_hand.write_inputs(load_study(ROOT / "inputs" / "ncm811_pvdf_vasp.yaml"), folder, folder / "results")
    return folder


def place_of(folder: Path, *words: str) -> Path:
    (found,) = (path for path in folder.iterdir() if all(word in path.name for word in words))
    return found


def u_of(incar: Incar, symbols: list[str]) -> dict[str, float]:
    assert len(incar["LDAUU"]) == len(incar["LDAUL"]) == len(symbols)
    assert [bool(value) for value in incar["LDAUU"]] == [channel == 2 for channel in incar["LDAUL"]]
    return {symbol: value for symbol, value in zip(symbols, incar["LDAUU"], strict=True) if value}


def species_of(poscar: Path) -> list[str]:
    return poscar.read_text("utf-8").splitlines()[5].split()


def test_a_band_of_vasp_has_all_images_with_each_species_once_in_the_order_of_its_potcars(shipped: Path) -> None:
    for place, ions in ((place_of(shipped, "-NCM-", "band"), 71), (place_of(shipped, "PVDF", "carried"), 83)):
        potcars = (place / "POTCAR.spec").read_text("utf-8").split()
        assert potcars == ["Li_sv", "Mn_pv", "Co", "Ni_pv", *(["H", "C", "O", "F"] if ions == 83 else ["O"])]
        symbols = [name.partition("_")[0] for name in potcars]
        for stage in ("plain", "climbing"):
            images = sorted(path.parent.name for path in (place / stage).glob("*/POSCAR"))
            assert images == ["00", "01", "02", "03", "04", "05"]
            assert not (place / stage / "POSCAR").exists()
            band = [Poscar.from_file(place / stage / image / "POSCAR").structure for image in images]
            assert all(species_of(place / stage / image / "POSCAR") == symbols for image in images)
            assert all(len(structure) == ions for structure in band)
            path = np.array([structure.cart_coords for structure in band])
            steps = np.linalg.norm(minimum_image_displacements(path, band[0].lattice.matrix), axis=2)
            movers = np.flatnonzero(steps.sum(axis=0) > 2.0)
            assert [band[0][int(atom)].specie.symbol for atom in movers] == ["Li"]
            assert 2.5 < steps[:, movers[0]].sum() < 3.8 and steps.max() < 1.2


def test_the_incars_of_a_band_say_what_each_stage_does(shipped: Path) -> None:
    place = place_of(shipped, "PVDF", "carried")
    plain, climbing = (Incar.from_file(place / stage / "INCAR") for stage in ("plain", "climbing"))
    alike = {"IMAGES": 4, "SPRING": -1.0, "ENCUT": 520.0, "NSW": 300, "IBRION": 3, "ISPIN": 2, "IVDW": 12, "NCORE": 4}
    alike |= {"ISIF": 2, "ISYM": 0, "LDIPOL": True, "IDIPOL": 3, "LMAXMIX": 4, "EDIFF": 1e-5}
    assert {key: plain[key] for key in alike} == {key: climbing[key] for key in alike} == alike
    assert (plain["LCLIMB"], plain["EDIFFG"], plain["POTIM"], "IOPT" in plain) == (False, -0.3, 0.1, False)
    assert (climbing["LCLIMB"], climbing["EDIFFG"], climbing["POTIM"], climbing["IOPT"]) == (True, -0.05, 0.0, 7)
    symbols = species_of(place / "plain" / "00" / "POSCAR")
    atoms = read(place / "plain" / "00" / "POSCAR", format="vasp").get_chemical_symbols()
    for incar in (plain, climbing):
        assert u_of(incar, symbols) == U
        assert incar["MAGMOM"] == [MOMENTS.get(symbol, 0.0) for symbol in atoms]


def test_a_relaxation_of_vasp_and_its_k_mesh(shipped: Path) -> None:
    place = shipped / "01-slab-relax"
    incar = Incar.from_file(place / "INCAR")
    assert {"NSW": 500, "IBRION": 2, "EDIFFG": -0.03, "ISIF": 2}.items() <= incar.items()
    assert "IMAGES" not in incar
    structure = Poscar.from_file(place / "POSCAR").structure
    assert structure.composition.get_el_amt_dict() == {"Li": 18, "Mn": 2, "Co": 2, "Ni": 14, "O": 36}
    a, b, _ = structure.lattice.abc
    mesh = Kpoints.from_file(place / "KPOINTS")
    assert (mesh.style.name, mesh.kpts[0]) == ("Gamma", (ceil(2 * pi / a / 0.3), ceil(2 * pi / b / 0.3), 1))
    held = np.array(structure.site_properties["selective_dynamics"])
    assert held.sum(axis=0).tolist() == [48, 48, 48]  # a third of the slab is held


def test_every_calculation_has_a_job_script_for_slurm_that_says_what_is_unrelaxed(shipped: Path) -> None:
    places = sorted(path.parent for path in shipped.glob("*/job.sh"))
    assert len(places) == 11
    for place in places:
        script = place / "job.sh"
        lines = script.read_text("utf-8").splitlines()
        assert subprocess.run(["/bin/bash", "-n", script], check=False).returncode == 0
        assert lines[0] == "#!/bin/bash"
        assert {"#SBATCH --ntasks=64", f"#SBATCH --time={82800 // 60 + 15}"} <= set(lines)
        assert sum("mpirun -np 64 vasp_std" in line for line in lines) == (2 if (place / "climbing").exists() else 1)
        told = json.loads((place / "job.json").read_text("utf-8"))["rests_on"]
        assert (place.name == "01-slab-relax") == (told == [])
        assert ("and their structures are unrelaxed:" in script.read_text("utf-8")) == bool(told)
        assert all(f"#   {name}" in lines for name in told)
    before = json.loads((place_of(shipped, "-NCM-", "band") / "job.json").read_text("utf-8"))["rests_on"]
    assert before == ["slab: relax", "NCM: relax vacancy 8", "NCM: relax vacancy 6"]


@pytest.mark.parametrize(
    ("version", "new"), [("6.7", False), ("7.0", False), ("7.1", True), ("7.2", True), (None, True)]
)
def test_u_is_written_as_the_version_asked_for_reads_it(
    cli: Cli, oxide: Path, tmp_path: Path, version: str | None, new: bool
) -> None:
    asked = [] if version is None else ["--code-version", version]
    outcome = cli("inputs", oxide, "--to", tmp_path / "to", "--results", tmp_path / "results", *asked, "--json")
    assert outcome.code == 0, outcome.err
    content = json.loads(outcome.out)
    assert (content["version"], content["done"]) == (version or "7.2", 0)
    assert [row["kind"] for row in content["written"]] == ["relax", "relax", "neb"]
    assert [len(row["rests_on"]) for row in content["written"]] == [0, 0, 2]
    for row in content["written"]:
        for path in (tmp_path / "to" / row["folder"]).glob("*.in"):
            text = path.read_text("utf-8")
            species = re.findall(r"^(\S+) +[\d.]+ \S+\.UPF$", text, re.M)
            old_form = f"hubbard_u({species.index('Ni') + 1})     = 6.2"
            assert ("HUBBARD (atomic)\nU Ni-3d 6.2\n" in text) == new
            assert (old_form in text and "lda_plus_u       = .true." in text) == (not new)
            assert "nspin            = 2" in text and "grimme-d3" in text
    assert not (tmp_path / "results").exists()


def test_inputs_of_the_shipped_study_of_espresso(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("inputs", STUDY, "--to", tmp_path / "to", "--results", tmp_path / "results")
    assert outcome.code == 0, outcome.err
    assert "their structures are unrelaxed" in outcome.out and "for Quantum ESPRESSO 7.2" in outcome.out
    relax = (place_of(tmp_path / "to", "relax-initial") / "pw.1.in").read_text("utf-8")
    assert re.search(r"calculation += 'relax'", relax) and re.search(r"tot_charge += -1\n", relax)
    assert re.search(r"forc_conv_thr += 0\.00224", relax)  # 0.1 / 3^(1/2) eV/Å in Ry/bohr
    place = place_of(tmp_path / "to", "band")
    plain, climbing = ((place / f"neb.{number}.in").read_text("utf-8") for number in (1, 2))
    for text, scheme, mode, tolerance in (
        (plain, "no-CI", "from_scratch", 0.3),
        (climbing, "auto", "restart", 0.1),
    ):
        assert f"ci_scheme        = '{scheme}'" in text and f"restart_mode     = '{mode}'" in text
        assert float(re.findall(r"path_thr += ([\d.]+)", text)[0]) == pytest.approx(tolerance / 3**0.5)
        assert text.count("_IMAGE\n") == 3 and "num_of_images    = 3" in text
    script = (place / "job.sh").read_text("utf-8")
    assert script.index("neb.x -inp neb.1.in > neb.1.out") < script.index("neb.x -inp neb.2.in > neb.2.out")


def test_structures_that_are_not_relaxed_yet_come_from_the_embedded_engine(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_hand, "MlipEngine", lambda: MlipEngine("emt"))
    for name, atoms in zip("ab", gold_on_aluminium(), strict=True):
        write(tmp_path / f"{name}.traj", atoms)
    (tmp_path / "gold.yaml").write_text(
        "name: gold\nendpoints: {initial: a.traj, final: b.traj}\nengine: {kind: vasp}\n"
        "relax: {fmax: 0.01, rough_fmax: 0.1}\npath: {n_images: 1, starts: 1, from: idpp}\n",
        "utf-8",
    )
    largest = {}
    for option in ("", "--embedded"):
        to = tmp_path / f"to{option}"
        results = tmp_path / f"results{option}"
        outcome = cli("inputs", tmp_path / "gold.yaml", "--to", to, "--results", results, *filter(None, [option]))
        assert outcome.code == 0, outcome.err
        atoms = read(place_of(to, "band") / "plain" / "00" / "POSCAR", format="vasp")
        atoms.calc = EMT()
        largest[option] = np.linalg.norm(atoms.get_forces(), axis=1).max()
        how = "relaxed by the embedded engine" if option else "unrelaxed"
        assert f"their structures are {how}" in outcome.out
        assert f"their structures are {how}" in (place_of(to, "band") / "job.sh").read_text("utf-8")
        start = Poscar.from_file(place_of(to, "relax-initial") / "POSCAR").structure
        given = Structure.from_ase_atoms(gold_on_aluminium()[0]).get_sorted_structure()
        assert start.cart_coords == pytest.approx(given.cart_coords, abs=1e-6)  # the study's own start all the same
    assert largest["--embedded"] < 0.01
    assert largest[""] > 0.1


def test_inputs_are_written_again_but_never_over_outputs_of_others(cli: Cli, oxide: Path, tmp_path: Path) -> None:
    to = tmp_path / "to"

    def inputs() -> Outcome:
        return cli("inputs", oxide, "--to", to, "--results", tmp_path / "results")

    assert inputs().code == 0
    place = place_of(to, "relax-initial")
    (place / "pw.1.out").write_text("an output", "utf-8")
    assert inputs().code == 0
    assert (place / "pw.1.out").read_text("utf-8") == "an output"
    oxide.write_text(OXIDE.replace("18.0", "20.0"), "utf-8")
    outcome = inputs()
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert f"{place} holds pw.1.out of other inputs; move it away" in outcome.err
    assert "ecutwfc          = 18.0" in (place / "pw.1.in").read_text("utf-8")
    (place / "pw.1.out").unlink()
    assert inputs().code == 0
    assert all("ecutwfc          = 20.0" in path.read_text("utf-8") for path in to.rglob("*.in"))


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        ("mlip", "engine.kind: 'mlip' computes inside this program and reads no files; allowed: espresso, vasp"),
        ("{kind: espresso, neb: surrogate}", "engine.neb: 'surrogate' chooses each structure by the results before it"),
        ("{kind: espresso, keywords: {ecutwfcc: 3}}", "engine.keywords: 'ecutwfcc'"),
        ("{kind: espresso, command: mpirun -np 4 neb.x -ni 3}", "-ni 3 does not fit 4 processes"),
        ("{kind: espresso, pseudopotentials: debian-pbe}", "debian-pbesol"),
        ("{kind: vasp, incar: {ENCUTT: 400}}", "engine.incar: 'ENCUTT'"),
    ],
)
def test_a_study_that_cannot_be_written_is_one_line(
    cli: Cli, oxide: Path, tmp_path: Path, engine: str, words: str
) -> None:
    study = re.sub(r"engine:\n(  .*\n)+", f"engine: {engine}\n", OXIDE)
    oxide.write_text(study, "utf-8")
    outcome = cli("inputs", oxide, "--to", tmp_path / "to", "--results", tmp_path / "results")
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert words in outcome.err
    assert not (tmp_path / "to").exists()


@pytest.mark.qe
@pytest.mark.parametrize("case", ["lithium oxide", "magnetic"])
def test_quantum_espresso_accepts_the_files_up_to_the_first_scf_iteration(
    cli: Cli, oxide: Path, tmp_path: Path, case: str
) -> None:
    need_qe()
    study = STUDY if case == "lithium oxide" else oxide
    assert cli("inputs", study, "--to", tmp_path / "to", "--results", tmp_path / "results").code == 0
    for place in (place_of(tmp_path / "to", "relax-initial"), place_of(tmp_path / "to", "band")):
        code = "neb" if (place / "neb.1.in").exists() else "pw"
        source = place / f"{code}.1.in"
        text, changed = re.subn(r"(electron_maxstep +=) \d+", r"\1 1", source.read_text("utf-8"))
        assert changed == 1
        source.write_text(text, "utf-8")
        (place / "pseudo").symlink_to("/usr/share/espresso/pseudo")
        program = shutil.which(f"{code}.x")
        assert program is not None
        run = subprocess.run([program, "-inp", source.name], cwd=place, capture_output=True, text=True, check=False)
        said = run.stdout + "".join(path.read_text("utf-8", "replace") for path in place.glob("out/*/PW.out"))
        assert "Error in routine" not in said, said[-2000:]
        assert "iteration #  1" in said and "estimated scf accuracy" in said
        assert ("Hubbard" in said or "LDA+U" in said) == (case == "magnetic")


def test_a_study_of_vasp_is_checked_on_a_machine_without_atomate2(oxide: Path) -> None:
    engine = "engine: {kind: vasp, command: mpirun -np 64 vasp_std}\n"
    oxide.write_text(re.sub(r"engine:\n(  .*\n)+", engine, OXIDE).replace("n_images: 1", "n_images: 4"), "utf-8")

    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        without = "import sys; sys.modules['atomate2'] = None; from barriers.cli import main; main()"
        command = [sys.executable, "-c", without, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=oxide.parent)

    checked = said("check", oxide.name, "--json")
    assert checked.returncode == 0, checked.stderr
    plan = json.loads(checked.stdout)
    assert plan["jobs"] == {"endpoint": 2, "band": 1}
    assert "64 processes (its command); 4 of 4 images at a time, 16 processes each" in plan["commands"][1]
    assert any("not on this machine: engine 'vasp' needs the package 'atomate2'" in line for line in plan["warnings"])
    refused = said("inputs", oxide.name)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "engine 'vasp' needs the package 'atomate2'; pip install" in refused.stderr
