"""Inputs of VASP for NCM811 with and without PVDF, against values written by hand."""

from __future__ import annotations

import os
import warnings
from dataclasses import asdict
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import SETTINGS, Lattice, Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar
from vasp_tools import write_potcars

if not os.environ.get("CI"):  # there, a missing part fails
    pytest.importorskip("atomate2")

from atomate2.vasp.powerups import update_user_incar_settings

from barriers.engines import build_engine
from barriers.engines.dft import starting_moments
from barriers.engines.vasp.engine import VaspEngine
from barriers.engines.vasp.inputs import (
    BandSetGenerator,
    SingleSetGenerator,
    SiteOrder,
    vasp_structure,
    write_band,
)
from barriers.engines.vasp.keywords import check_incar
from barriers.engines.vasp.potcars import find_potcars
from barriers.engines.vasp.settings import FINE, Physics, Running
from barriers.engines.vasp.single import prepared
from barriers.engines.vasp.system import System
from barriers.structures.surface.cutting import FRAGMENT
from barriers.study.engines import VaspSection
from barriers.study.file import load_study
from barriers.workflow.built import build_study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pymatgen does not know the POTCARs

SYMBOLS = ("Li_sv", "Mn_pv", "Co", "Ni_pv", "O", "H", "C", "F")
BARE, COVERED = "NCM sub-surface", "NCM@PVDF sub-surface"


@cache
def built() -> dict[str, Structure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_study(load_study(ROOT / "inputs" / "ncm811_pvdf.yaml")).structures


@pytest.fixture(autouse=True)
def potcars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(write_potcars(tmp_path / "potcars", *SYMBOLS)))


def band(folder: Path, name: str, calculation: str, n_images: int = 4, **physics: object) -> Path:
    ends = built()[f"{name} initial"], built()[f"{name} final"]
    moments = starting_moments(ends[0], Physics().resolved()["moments"])
    limits = {"NSW": 300, "EDIFFG": -0.05, "SPRING": -1.0, **Running("mpirun -np 8 vasp_std", ncore=2).layout(n_images)}
    generator = prepared(BandSetGenerator(physics=Physics(**physics)), ends[0], limits, calculation)
    paths = np.linspace(ends[0].cart_coords, ends[1].cart_coords, n_images + 2)
    write_band(folder, generator, [vasp_structure(ends[0], moments, positions) for positions in paths])
    return folder


@pytest.mark.parametrize("name", [BARE, COVERED])
def test_incar_of_a_climbing_band_holds_what_matters(tmp_path: Path, name: str) -> None:
    incar = Incar.from_file(band(tmp_path / "band", name, "climbing") / "INCAR")
    expected = {
        "ISPIN": 2,  # Ni, Mn carry moments
        "LDAU": True,
        "LDAUTYPE": 2,  # Dudarev: U − J alone counts
        "LMAXMIX": 4,  # d electrons with U: the mixer must see their density matrix
        "LASPH": True,
        "IVDW": 12,  # D3(BJ), in the bare slab too, or barriers could not be compared
        "LDIPOL": True,
        "IDIPOL": 3,  # one-sided slab, normal along c
        "ISYM": 0,  # a hop has no symmetry
        "IMAGES": 4,  # VASP counts no endpoints
        "LCLIMB": True,
        "IBRION": 3,
        "POTIM": 0.0,  # with IOPT: VTST moves the ions, VASP does not
        "IOPT": 7,  # FIRE
        "SPRING": -1,  # negative: nudged
        "ISIF": 2,  # the cell stays
        "EDIFFG": -0.05,  # negative: a force
        "NSW": 300,
        "NCORE": 2,
        "PREC": "Accurate",  # atomate2's band would say Normal
        "LORBIT": 11,  # moments of each site
        "LWAVE": True,  # a restart finds the wavefunctions
    }
    assert {key: incar.get(key) for key in expected} == expected
    assert "KSPACING" not in incar
    plain = Incar.from_file(band(tmp_path / "plain", name, "plain") / "INCAR")
    assert {"IOPT", "ICHAIN"} & set(plain) == set()
    assert plain["LCLIMB"] is False  # VTST climbs where nothing is said
    assert (plain["IBRION"], plain["POTIM"] > 0) == (3, True)  # VASP's own optimiser


@pytest.mark.parametrize("name", [BARE, COVERED])
def test_u_and_moments_are_in_the_order_of_the_poscar(tmp_path: Path, name: str) -> None:
    folder = band(tmp_path / "band", name, "plain")
    incar, poscar = Incar.from_file(folder / "INCAR"), Poscar.from_file(folder / "00" / "POSCAR")
    u, shell = {"Ni": 6.2, "Co": 3.32, "Mn": 3.9}, {"Ni": 2, "Co": 2, "Mn": 2}
    assert incar["LDAUU"] == [u.get(symbol, 0) for symbol in poscar.site_symbols]
    assert incar["LDAUL"] == [shell.get(symbol, 0) for symbol in poscar.site_symbols]
    # By electronegativity the fragment's species fall between and behind the slab's: F last, H and C before O.
    bare = ["Li", "Mn", "Co", "Ni", "O"]
    assert poscar.site_symbols == (bare if name == BARE else ["Li", "Mn", "Co", "Ni", "H", "C", "O", "F"])
    moments = {"Ni": 1.0, "Mn": 3.0}
    assert incar["MAGMOM"] == [moments.get(site.specie.symbol, 0.0) for site in poscar.structure]
    titles = [line.split()[3] for line in (folder / "POTCAR").read_text().splitlines() if "TITEL" in line]
    assert [title.partition("_")[0] for title in titles] == poscar.site_symbols


def test_moments_of_an_endpoint_follow_their_atoms_through_the_sorting() -> None:
    structure = built()[f"{COVERED} initial"].copy()
    structure.add_site_property("magmom", [0.001 * index for index in range(len(structure))])
    sites = vasp_structure(structure, starting_moments(structure, {"Ni": 1.0}))
    for site in sites:
        index = round(site.properties["magmom"] / 0.001)
        assert site.specie == structure[index].specie
        assert np.allclose(site.coords, structure[index].coords)
    order = SiteOrder.of(structure)
    assert order.from_vasp(sites.cart_coords) == pytest.approx(structure.cart_coords)
    generator = prepared(SingleSetGenerator(calculation="relax"), structure, {"NSW": 5}, "relax")
    assert generator.get_input_set(sites)["INCAR"]["MAGMOM"] == pytest.approx(sites.site_properties["magmom"])


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["O", "Li", "Ni", "F", "H"]), min_size=1, max_size=12))
def test_order_of_atoms_goes_there_and_back(symbols: list[str]) -> None:
    structure = Structure(Lattice.cubic(10), symbols, np.random.default_rng(0).random((len(symbols), 3)))
    order = SiteOrder.of(structure)
    rows = np.arange(len(symbols))
    assert (order.from_vasp(order.to_vasp(rows)) == rows).all()
    sorted_symbols = [site.specie.symbol for site in vasp_structure(structure, [0.0] * len(symbols))]
    assert sorted_symbols == order.to_vasp(symbols).tolist()
    changes = sum(a != b for a, b in pairwise(sorted_symbols))
    assert changes == len(set(symbols)) - 1


@pytest.mark.parametrize(("name", "n_images"), [(BARE, 4), (COVERED, 1), (COVERED, 12)])
def test_image_folders_are_complete(tmp_path: Path, name: str, n_images: int) -> None:
    folder = band(tmp_path / "band", name, "plain", n_images) if 8 % n_images == 0 else None
    if folder is None:
        with pytest.raises(ValueError, match=r"8 cores do not divide by 12 images; allowed: 12, …"):
            band(tmp_path / "band", name, "plain", n_images)
        return
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted([*(f"{n:02d}" for n in range(n_images + 2)), "INCAR", "KPOINTS", "POTCAR"])
    above = (folder / "KPOINTS").read_text()
    frozen = Poscar.from_file(folder / "00" / "POSCAR").selective_dynamics
    for number in range(n_images + 2):
        place = folder / f"{number:02d}"
        assert (place / "KPOINTS").read_text() == above  # VASP 6 with HDF5 looks for it
        image = Poscar.from_file(place / "POSCAR")
        assert np.array_equal(image.selective_dynamics, frozen)
    free = [flags[0] for flags in frozen]
    assert set(map(bool, free)) == {True, False}


@pytest.mark.parametrize("name", [BARE, COVERED])
def test_one_k_point_along_the_normal_and_the_dipole_at_the_slabs_centre(tmp_path: Path, name: str) -> None:
    folder = band(tmp_path / "band", name, "plain")
    kpoints = Kpoints.from_file(folder / "KPOINTS")
    # a = 8.616, b = 11.559 Å: 2π/a = 0.729, 2π/b = 0.544 1/Å, in spacings of 0.3 → 3 × 2.
    assert (kpoints.style.name, kpoints.kpts[0]) == ("Gamma", (3, 2, 1))
    structure = built()[f"{name} initial"]
    heights = structure.frac_coords[:, 2]  # slabs stand unwrapped at the bottom of their cells
    dipole = Incar.from_file(folder / "INCAR")["DIPOL"]
    assert dipole == pytest.approx([0.5, 0.5, (heights.min() + heights.max()) / 2], abs=1e-5)
    layers = np.array(structure.site_properties["layer"])
    if name == BARE:
        slab = heights[layers != FRAGMENT]
        assert dipole[2] == pytest.approx((slab.min() + slab.max()) / 2, abs=1e-5)
    jump = (dipole[2] + 0.5) % 1.0  # the potential jumps here: 12 Å of vacuum, so 6 Å from every atom
    away = np.abs((heights - jump + 0.5) % 1.0 - 0.5) * structure.lattice.c
    assert away.min() == pytest.approx(6.0, abs=0.05)


@settings(deadline=None, max_examples=20)
@given(st.floats(-2, 2))
def test_the_dipole_follows_a_slab_wherever_it_stands(shift: float) -> None:
    slab = built()["slab"].copy()
    before = System.of(slab, Physics().resolved()).centre
    slab.translate_sites(range(len(slab)), [0, 0, shift], to_unit_cell=True)
    centre = System.of(slab, Physics().resolved()).centre
    assert before is not None and centre is not None
    assert (centre - before - shift + 0.5) % 1.0 == pytest.approx(0.5, abs=1e-4)


def test_bulk_has_no_dipole_correction_and_k_points_along_all_axes() -> None:
    bulk = Structure(
        Lattice.hexagonal(2.87, 14.2), ["Li", "Ni", "O", "O"], [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.24], [0, 0, 0.76]]
    )
    generator = prepared(SingleSetGenerator(), bulk, {}, "static")
    files = generator.get_input_set(vasp_structure(bulk, [0.0, 1.0, 0.0, 0.0]))
    assert {"LDIPOL", "IDIPOL", "DIPOL"} & set(files["INCAR"]) == set()
    assert files["KPOINTS"].kpts[0] == (9, 9, 2)


def test_bare_slab_and_interface_have_the_same_settings(tmp_path: Path) -> None:
    incars = [Incar.from_file(band(tmp_path / name, name, "climbing") / "INCAR") for name in (BARE, COVERED)]
    differing = {key for key in incars[0] | incars[1] if incars[0].get(key) != incars[1].get(key)}
    assert differing == {"MAGMOM", "LDAUU", "LDAUL", "LDAUJ", "DIPOL"}  # these follow from the atoms


def test_a_missing_potcar_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ValueError, match=r"^engine\.potcars: no POTCAR 'Ni' for Ni: PMG_VASP_PSP_DIR has none"
    ) as caught:
        VaspEngine(potcars={"Ni": "Ni"}).check(["Li", "Ni"])
    assert "pmg config --add PMG_VASP_PSP_DIR" in str(caught.value)
    monkeypatch.delitem(SETTINGS, "PMG_VASP_PSP_DIR")
    with pytest.raises(ValueError, match=r"no POTCAR 'Li_sv' for Li: PMG_VASP_PSP_DIR is not set"):
        find_potcars(["Li"], Physics())


@pytest.mark.parametrize(
    ("command", "ncore", "kpar", "images", "words"),
    [
        ("mpirun -np 10 vasp_std", None, None, 4, "10 cores do not divide by 4 images; allowed: 8, 12"),
        ("srun --ntasks=64 vasp_std", 6, None, 4, "6 does not divide the 16 cores of an image"),
        ("mpirun -n 16 vasp_std", 2, 4, 4, "8 does not divide the 4 cores of an image; allowed: 1, 2, 4"),
    ],
)
def test_cores_that_do_not_fit_are_refused(command: str, ncore: int, kpar: int, images: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Running(command, ncore, kpar).layout(images)
    assert Running("vasp_std", ncore, kpar).layout(images).get("NCORE") == ncore  # cores are not known


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("IMAGES", 1, "follows from other settings"),
        ("ldauu", 1, "follows"),
        ("ENCUTT", 1, "did you mean 'ENCUT'"),
        ("ftimedecc", 0.5, "did you mean 'FTIMEDEC'"),
        ("FTIMEDEC", "half", "'FTIMEDEC' is 'half'; allowed: a number"),
        ("LGLOBAL", 3, "'LGLOBAL' is 3; allowed: true or false"),
        ("FNMIN", 2.5, "of which 2 would be left; allowed: a whole number"),
        ("EDIFF", "1.0D-5", "of which 1.0 would be left; allowed: a number such as 1.0e-5"),
        ("LNEBCELL", True, "moves the cell, which stays here; allowed: false"),
        ("ML_LMLFF", ".TRUE.", "machine-learned force field in the place of DFT; .*; allowed: false"),
        ("ML_MODE", "run", "belongs to ML_LMLFF"),
    ],
)
def test_incar_keywords_that_make_no_sense_are_refused(keyword: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_incar({keyword: value})


VTST = {
    "IOPT": 1, "MAXMOVE": 0.1, "TIMESTEP": 0.05, "FTIMEMAX": 1.0, "FTIMEDEC": 0.5, "FTIMEINC": 1.1, "FALPHA": 0.1,
    "FALPHADEC": 0.99, "FNMIN": 5, "ILBFGSMEM": 20, "INVCURV": 0.01, "LGLOBAL": True, "LLINEOPT": False,
    "LAUTOSCALE": True, "FDSTEP": 0.005, "SDALPHA": 0.01, "LDNEB": False, "LTANGENTOLD": False, "LNEBCELL": False,
    "JACOBIAN": 3.5, "EFIRST": -123.456, "ELAST": -123.4,
}  # fmt: skip


def test_keywords_of_vtst_reach_the_incar_with_their_types(tmp_path: Path) -> None:
    """As YAML gives them, and as people write them in an INCAR; read again and written again, they stay."""
    as_text = {"LGLOBAL": ".T.", "LAUTOSCALE": "T", "LDNEB": ".FALSE.", "EFIRST": "-1.23456E+02", "FDSTEP": "5e-3"}
    for name, asked in (("values", VTST), ("texts", VTST | as_text)):
        check_incar(asked)
        check_incar({key.lower(): value for key, value in asked.items()})
        folder = band(tmp_path / name, BARE, "climbing", incar=asked)
        Incar.from_file(folder / "INCAR").write_file(folder / "INCAR")  # as each start of VASP does
        incar = Incar.from_file(folder / "INCAR")
        assert {key: incar.get(key) for key in VTST} == VTST
        assert {key: type(incar[key]) for key in VTST} == {key: type(value) for key, value in VTST.items()}


USUAL = {
    "ENCUT": 400, "maxmove": 0.1, "EDIFF": "1e-6", "LREAL": "Auto", "ALGO": "Fast", "ROPT": [-5e-4, -5e-4],
    "ML_LMLFF": False, "LASPH": True, "NELM": 200, "AMIX": 0.2, "GGA": "PE", "LSOL": True, "EB_K": 78.4,
}  # fmt: skip


@pytest.mark.parametrize("keyword", USUAL)
def test_usual_keywords_are_taken(keyword: str) -> None:
    check_incar({keyword: USUAL[keyword]})


@pytest.mark.parametrize("spring", [0.5, 2.75, 5.0])
def test_a_spring_keeps_its_decimals(tmp_path: Path, spring: float) -> None:
    """VASP reads SPRING as a real number; pymatgen lists it as a whole one, and would write 0 for -0.5."""
    ends = built()[f"{BARE} initial"]
    generator = prepared(BandSetGenerator(), ends, {"NSW": 3, "SPRING": -spring}, "plain")
    write_band(tmp_path / "band", generator, [vasp_structure(ends, [0.0] * len(ends))] * 3)
    path = tmp_path / "band" / "INCAR"
    Incar.from_file(path).write_file(path)
    (line,) = [line for line in path.read_text("utf-8").splitlines() if line.startswith("SPRING")]
    assert float(line.partition("=")[2]) == -spring


def test_a_user_goes_before_the_preset_and_is_part_of_what_is_recorded(tmp_path: Path) -> None:
    folder = band(tmp_path / "band", BARE, "plain", incar={"encut": 400, "ALGO": "Fast"}, hubbard_u={"Ni": 5.0})
    incar = Incar.from_file(folder / "INCAR")
    assert (incar["ENCUT"], incar["ALGO"], incar["LDAUU"]) == (400, "Fast", [0, 0, 0, 5.0, 0])
    assert Physics(incar={"encut": 400}).resolved()["incar"]["own"] == {"ENCUT": 400}


@pytest.mark.parametrize(
    ("incar", "usual", "fine"),
    [
        ({}, ("Auto", 1e-5), (False, 1e-7)),
        ({"lreal": "On", "EDIFF": 1e-6}, ("On", 1e-6), (False, 1e-7)),
        ({"EDIFF": 1e-8, "ALGO": "Fast"}, ("Auto", 1e-8), (False, 1e-8)),
    ],
)
def test_forces_whose_differences_count_are_converged_further(
    incar: dict[str, object], usual: tuple[object, float], fine: tuple[object, float]
) -> None:
    structure = built()[f"{BARE} initial"]
    sites = vasp_structure(structure, [0.0] * len(structure))
    maker = VaspEngine(incar=incar).static()
    ours, theirs = (
        prepared(each.input_set_generator, structure, {}, "static").get_input_set(sites)["INCAR"]
        for each in (maker.fine(), maker)
    )
    asked = ("LREAL", "EDIFF")
    assert (tuple(map(theirs.get, asked)), tuple(map(ours.get, asked))) == (usual, fine)
    assert {key for key in ours if ours[key] != theirs.get(key)} <= set(asked)
    usually = maker.identity()
    assert "fine" not in usually["settings"]
    assert maker.fine().identity() == {**usually, "settings": {**usually["settings"], "fine": FINE}}


def test_powerups_of_atomate2_reach_the_makers() -> None:
    maker = update_user_incar_settings(VaspEngine().neb(0.05, 0.3, 100, 1.0), {"ENCUT": 400})
    structure = built()[f"{BARE} initial"]
    generator = prepared(maker.input_set_generator, structure, {"NSW": 5}, "plain")
    sites = vasp_structure(structure, [0.0] * len(structure))
    assert generator.get_input_set(sites)["INCAR"]["ENCUT"] == 400


def test_the_study_files_section_and_the_engine_have_the_same_settings() -> None:
    section = VaspSection(command="mpirun -np 8 vasp_std", ncore=2, hubbard_u={"Ni": 5.0}, without_vtst="plain band")
    engine = build_engine(section)
    assert isinstance(engine, VaspEngine)
    of_a_correction = {"neb", "points", "prior", "uncertainty"}
    assert {"kind": "vasp", **asdict(engine)} == section.model_dump(exclude=of_a_correction)
    assert asdict(VaspEngine()) | {"kind": "vasp"} == VaspSection().model_dump(exclude=of_a_correction)
