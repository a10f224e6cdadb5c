"""What the presets put into input files, keyword by keyword: a slip of one number here is a wrong barrier."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from ase import Atoms
from pymatgen.core import SETTINGS, Lattice, Structure
from pymatgen.io.vasp import Incar, Kpoints
from pymatgen.io.vasp.sets import MPRelaxSet
from vasp_tools import write_potcars

if not os.environ.get("CI"):  # there, a missing part fails
    pytest.importorskip("atomate2")

from barriers.engines.dft import starting_moments
from barriers.engines.espresso.inputs import Case, path_namelist, pw_input
from barriers.engines.espresso.pseudopotentials import Pseudopotential
from barriers.engines.espresso.settings import Physics as EspressoPhysics
from barriers.engines.vasp import single
from barriers.engines.vasp.inputs import BandSetGenerator, SingleSetGenerator, vasp_structure
from barriers.engines.vasp.settings import Physics, Running

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pymatgen does not know the POTCARs

PROJECT: dict[str, Any] = MPRelaxSet.CONFIG
"""The Materials Project's settings, which the presets take over: U, POTCARs and cutoff."""

ELEMENTS = ("Li", "Mn", "Co", "Ni", "O", "H", "C", "F", "N", "S")

ALWAYS = {
    "PREC": "Accurate",
    "ENCUT": 520,  # 1.3 times 400 eV, the highest ENMAX of the POTCARs
    "EDIFF": 1e-5,  # 0.01 meV: forces to a few meV/Å
    "ALGO": "Normal",
    "NELM": 120,
    "NELMIN": 5,
    "ISMEAR": 0,  # Gaussian: oxides have a gap, tetrahedra need more k-points
    "SIGMA": 0.05,
    "ISPIN": 2,
    "LASPH": True,
    "LREAL": "Auto",
    "LORBIT": 11,
    "IVDW": 12,  # D3(BJ); 11 is D3 with zero damping
    "LDAU": True,
    "LDAUTYPE": 2,  # Dudarev
    "LDAUPRINT": 1,
    "LMAXMIX": 4,
    "ISYM": 0,
    "LWAVE": True,
    "LCHARG": False,
    "LDIPOL": True,
    "IDIPOL": 3,
}

OF_ATOMS = {"MAGMOM", "LDAUU", "LDAUL", "LDAUJ", "DIPOL"}

RUNS = {
    "static": {"NSW": 0},  # no IBRION nor ISIF then: pymatgen leaves out what VASP does not read
    "relax": {"NSW": 70, "IBRION": 2, "ISIF": 2, "POTIM": 0.3, "EDIFFG": -0.02},  # negative: a force in eV/Å
}

BANDS = {
    "plain": {"LCLIMB": False, "ISIF": 2, "IBRION": 3, "POTIM": 0.1},
    "climbing": {"LCLIMB": True, "ISIF": 2, "ICHAIN": 0, "IBRION": 3, "POTIM": 0, "IOPT": 7},
}


def slab() -> Structure:
    """All metals and oxygen, with vacuum along c; of oxides the Materials Project gives U for."""
    fractions = [[0, 0, 0.1], [0.5, 0, 0.1], [0, 0.5, 0.2], [0.5, 0.5, 0.2], [0.25, 0.25, 0.3]]
    return Structure(Lattice.orthorhombic(8, 10, 20), ["Li", "Mn", "Co", "Ni", "O"], fractions)


@pytest.fixture
def potcars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [PROJECT["POTCAR"][element] for element in ELEMENTS]
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "potcars", *names)))


@pytest.mark.usefixtures("potcars")
@pytest.mark.parametrize("calculation", RUNS)
def test_every_keyword_of_a_single_calculation_with_vasp(
    calculation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(single, "run_vasp", lambda *_: None)
    generator = SingleSetGenerator(calculation=calculation)
    run = single.SingleRun(generator, Running("vasp_std"), slab(), 0.02)
    run.run(RUNS[calculation]["NSW"])
    incar = Incar.from_file(run.checkpoint.folder / "INCAR")
    assert {key: incar[key] for key in incar if key not in OF_ATOMS} == ALWAYS | RUNS[calculation]
    # 2π/8 and 2π/10 Å are 0.785 and 0.628 1/Å, in spacings of 0.3
    assert Kpoints.from_file(run.checkpoint.folder / "KPOINTS").kpts[0] == (3, 3, 1)


@pytest.mark.usefixtures("potcars")
@pytest.mark.parametrize("calculation", BANDS)
def test_every_keyword_of_a_band_with_vasp(calculation: str) -> None:
    limits = {"NSW": 9, "EDIFFG": -0.05, "SPRING": -1.0}
    generator = single.prepared(BandSetGenerator(), slab(), limits, calculation)
    generator.num_images = 3
    incar = generator.get_input_set(vasp_structure(slab(), [0.0] * 5))["INCAR"]
    written = {key: incar[key] for key in incar if key not in OF_ATOMS}
    assert written == ALWAYS | BANDS[calculation] | limits | {"IMAGES": 3}


def test_vasp_has_the_settings_of_the_materials_project_where_barriers_are_compared_with_its_energies() -> None:
    settings = Physics().resolved()
    assert settings["hubbard_u"] == {metal: PROJECT["INCAR"]["LDAUU"]["O"][metal] for metal in ("Ni", "Co", "Mn")}
    assert settings["potcars"] == {element: PROJECT["POTCAR"][element] for element in ELEMENTS}
    assert ALWAYS["ENCUT"] == PROJECT["INCAR"]["ENCUT"]
    assert settings["potcar_functional"] == "PBE_54"


@pytest.mark.parametrize("physics", [Physics(), EspressoPhysics()])
def test_metals_start_in_the_spin_states_of_a_layered_oxide(physics: Physics | EspressoPhysics) -> None:
    # Low-spin Ni(III) d7 and Co(III) d6, Mn(IV) d3, all parallel; both DFT engines alike.
    assert physics.resolved()["moments"] == {"Ni": 1.0, "Co": 0.0, "Mn": 3.0}
    assert physics.resolved()["hubbard_u"] == {"Ni": 6.2, "Co": 3.32, "Mn": 3.9}
    assert starting_moments(slab(), physics.resolved()["moments"]) == [0.0, 3.0, 0.0, 1.0, 0.0]


def test_every_keyword_of_a_relaxation_with_quantum_espresso() -> None:
    text = pw_input(espresso_case(EspressoPhysics(), max_seconds=100), layer(), [1.0, 0.0], "relax", 0.05, 40)
    written = {key.lower(): value.strip("'") for key, value in re.findall(r"^ +(\S+) += (.+)$", text, re.M)}
    places = {key: float(written.pop(key)) for key in ("emaxpos", "eopreg", "forc_conv_thr")}
    assert written == {
        "calculation": "relax",
        "tprnfor": ".true.",
        "nstep": "40",
        "ion_dynamics": "bfgs",
        "etot_conv_thr": "0.01",  # loose: the forces decide
        "max_seconds": "100.0",
        "prefix": "band",
        "outdir": "./out/",
        "pseudo_dir": "./pseudo/",
        "ecutwfc": "50",
        "ecutrho": "400",
        "conv_thr": "2e-08",  # 1e-8 Ry for each atom
        "nspin": "2",
        "starting_magnetization(1)": "0.055556",  # 1 µB of 18 electrons
        "starting_magnetization(2)": "0.0",
        "lda_plus_u": ".true.",
        "hubbard_u(1)": "6.2",
        "occupations": "smearing",
        "smearing": "cold",
        "degauss": "0.01",
        "vdw_corr": "grimme-d3",
        "dftd3_version": "4",  # D3(BJ) as with VASP; 3 is zero damping
        "dftd3_threebody": ".false.",
        "mixing_mode": "local-TF",
        "mixing_beta": "0.3",
        "electron_maxstep": "150",
        "tefield": ".true.",
        "dipfield": ".true.",
        "edir": "3",
        "eamp": "0.0",
        "ntyp": "2",
        "nat": "2",
        "ibrav": "0",
    }
    # The jump is in the middle of the vacuum, from 7 to 22 Å of 20 Å: around 14.5 Å.
    assert places["emaxpos"] + places["eopreg"] / 2 == pytest.approx(14.5 / 20)
    # Ry/bohr; a force is at most √3 times its largest component
    assert places["forc_conv_thr"] == pytest.approx(0.05 / 3**0.5 * 0.529177 / 13.605693, rel=1e-5)
    assert "K_POINTS automatic\n3 3 1  0 0 0\n" in text


def test_a_band_with_quantum_espresso_holds_its_ends_and_crosses_the_edge() -> None:
    path = path_namelist(climbing=True, fmax=0.05, spring=1.0, steps=40, restart=False)
    assert (path["first_last_opt"], path["minimum_image"], path["opt_scheme"]) == (False, True, "broyden")
    assert (path["string_method"], path["ds"], path["restart_mode"]) == ("neb", 2.0, "from_scratch")


def test_an_insulator_with_quantum_espresso_is_closed_shell() -> None:
    text = pw_input(espresso_case(EspressoPhysics(preset="insulator")), layer(), [0.0, 0.0], "scf", 0.05, 1)
    written = {key.lower(): value.strip("'") for key, value in re.findall(r"^ +(\S+) += (.+)$", text, re.M)}
    assert (written["occupations"], written["conv_thr"], written["mixing_beta"]) == ("fixed", "2e-08", "0.5")
    assert not {"nspin", "lda_plus_u", "vdw_corr", "tefield", "smearing", "degauss"} & set(written)
    assert "K_POINTS automatic\n3 3 2  0 0 0\n" in text


def layer() -> Atoms:
    """Nickel and oxygen 5 Å apart in height, 15 Å of vacuum above."""
    return Atoms("NiO", [[0, 0, 2], [2, 2, 7]], cell=[8, 10, 20], pbc=True)


def espresso_case(physics: EspressoPhysics, max_seconds: int | None = None) -> Case:
    files = {
        symbol: Pseudopotential(Path(f"{symbol}.UPF"), "md5", cutoff, 8 * cutoff, valence)
        for symbol, cutoff, valence in (("Ni", 45, 18), ("O", 50, 6))
    }
    return Case(physics.resolved(), files, (6, 7), max_seconds)
