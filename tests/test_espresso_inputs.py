"""Inputs of Quantum ESPRESSO, command lines and pseudopotentials; the code itself is not needed."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.constraints import FixAtoms
from espresso_cases import HYDROGEN_SET
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from barriers.engines.common import atoms_of
from barriers.engines.dft import k_mesh, starting_moments
from barriers.engines.espresso import EspressoEngine
from barriers.engines.espresso.cell import dipole_keywords
from barriers.engines.espresso.command import Command, parse_command
from barriers.engines.espresso.inputs import (
    Case,
    neb_input,
    path_namelist,
    pw_input,
)
from barriers.engines.espresso.pseudopotentials import Pseudopotential, find_pseudopotentials, what_counts
from barriers.engines.espresso.settings import FINE, Physics, check_keywords
from barriers.engines.vasp.settings import Physics as VaspPhysics

PBE = {
    symbol: Pseudopotential(Path(f"/pseudo/{symbol}.UPF"), "md5", cutoff, 8 * cutoff, valence)
    for symbol, cutoff, valence in (("Ni", 45, 18), ("O", 50, 6), ("Li", 40, 3), ("Al", 30, 3))
}


def case(physics: Physics, version: tuple[int, ...] = (6, 7)) -> Case:
    return Case(physics.resolved(), {key: PBE[key] for key in ("Ni", "O", "Li")}, version)


def nickel_oxide() -> Atoms:
    """Four atoms with 15 Å of vacuum along c."""
    atoms = Atoms("NiONiLi", [[0, 0, 5], [0, 2, 5], [2, 0, 7], [2, 2, 7]], cell=[4, 4, 17], pbc=True)
    atoms.set_constraint(FixAtoms([0, 1]))
    return atoms


def value(text: str, keyword: str) -> str:
    found = re.search(rf"^\s*{re.escape(keyword)}\s*=\s*(.*)$", text, re.M | re.I)
    assert found, keyword
    return found[1]


@pytest.mark.parametrize(
    ("keywords", "usual", "fine"),
    [({}, 4e-8, 4e-10), ({"conv_thr": 1e-6}, 1e-6, 4e-10), ({"CONV_THR": 1e-12}, 1e-12, 1e-12)],
)
def test_forces_whose_differences_count_are_converged_further(
    keywords: dict[str, float], usual: float, fine: float
) -> None:
    maker = EspressoEngine(keywords=keywords).static()
    atoms = nickel_oxide()
    texts = [pw_input(case(each.physics), atoms, [0.0] * 4, "scf", 1.0, 1) for each in (maker, maker.fine())]
    assert [float(value(text, "conv_thr")) for text in texts] == pytest.approx([usual, fine])
    lines = [[line for line in text.splitlines() if "conv_thr" not in line] for text in texts]
    assert lines[0] == lines[1]
    usually = maker.identity()
    assert "fine" not in usually["settings"]
    assert maker.fine().identity() == {**usually, "settings": {**usually["settings"], "fine": FINE}}


def test_keywords_in_capitals_are_the_same_keywords() -> None:
    capitals, small = (
        Physics(keywords={"NSPIN": 1, "Mixing_Beta": 0.7}),
        Physics(keywords={"nspin": 1, "mixing_beta": 0.7}),
    )
    texts = [pw_input(case(each), nickel_oxide(), [1.0, 0, 1.0, 0], "scf", 0.03, 50) for each in (capitals, small)]
    assert texts[0] == texts[1]
    assert value(texts[0], "mixing_beta") == "0.7" and "starting_magnetization" not in texts[0]
    assert capitals.identity(["Ni"]) == small.identity(["Ni"])


def test_a_slab_gets_the_preset() -> None:
    text = pw_input(case(Physics()), nickel_oxide(), [1.0, 0, 1.0, 0], "relax", 0.03, 50)
    assert (value(text, "nspin"), value(text, "vdw_corr"), value(text, "occupations")) == (
        "2",
        "'grimme-d3'",
        "'smearing'",
    )
    assert (value(text, "ecutwfc"), value(text, "ecutrho")) == ("50", "400")  # those of oxygen, the highest
    assert float(value(text, "starting_magnetization(1)")) == pytest.approx(1 / 18, abs=1e-6)
    assert (value(text, "tefield"), value(text, "dipfield"), value(text, "edir")) == (".true.", ".true.", "3")
    # every component below fmax/√3, in Ry/bohr: 0.03 eV/Å is 0.0011668 Ry/bohr
    assert float(value(text, "forc_conv_thr")) == pytest.approx(0.0011668 / 3**0.5, rel=1e-3)
    assert re.search(r"^Ni .* 0 0 0$", text, re.M)


def test_u_stands_where_the_version_wants_it() -> None:
    moments = [1.0, 0, -1.0, 0]
    before = pw_input(case(Physics(), (6, 7)), nickel_oxide(), moments, "scf", 1, 1)
    after = pw_input(case(Physics(), (7, 1)), nickel_oxide(), moments, "scf", 1, 1)
    assert "HUBBARD" not in before and value(before, "lda_plus_u") == ".true."
    assert (value(before, "hubbard_u(1)"), value(before, "hubbard_u(3)")) == ("6.2", "6.2")  # up and down species
    assert "lda_plus_u" not in after
    assert "HUBBARD (atomic)\nU Ni-3d 6.2\nU Ni1-3d 6.2\n" in after


def test_no_keyword_is_lost_on_the_way_to_the_file() -> None:
    physics = Physics(keywords={"ecutwfc": 33.0, "mixing_ndim": 5, "startingwfc": "random", "verbosity": "high"})
    text = pw_input(case(physics), nickel_oxide(), [0.0] * 4, "scf", 1, 1)
    for keyword, content in physics.resolved()["keywords"].items():
        written = value(text, keyword).strip("'")
        assert written == {True: ".true.", False: ".false."}.get(content, str(content)) or written == str(content)
    assert "np." not in text


def band() -> list[Atoms]:
    images = [nickel_oxide() for _ in range(3)]
    for number, image in enumerate(images):
        image.positions[3] += [0, 0, 0.7 * number]
    return images


def test_every_image_is_explicit_and_the_count_is_the_codes_own() -> None:
    path = path_namelist(climbing=True, fmax=0.05, spring=1.0, steps=40, restart=False)
    text = neb_input(case(Physics()), band(), [1.0, 0, 1.0, 0], path)
    blocks = re.findall(r"(\w+_IMAGE)\nATOMIC_POSITIONS angstrom\n((?:[A-Z].*\n){4})", text)
    assert [name for name, _ in blocks] == ["FIRST_IMAGE", "INTERMEDIATE_IMAGE", "LAST_IMAGE"]
    heights = [float(rows.splitlines()[3].split()[3]) for _, rows in blocks]
    assert heights == pytest.approx([7.0, 7.7, 8.4])
    assert [rows.count(" 0 0 0\n") for _, rows in blocks] == [2, 0, 0]  # frozen atoms are the first image's
    assert value(text, "num_of_images") == "3"
    assert value(text, "minimum_image") == ".true."
    assert "prefix           = 'neb'" not in text
    assert text.index("CELL_PARAMETERS") < text.index("BEGIN_POSITIONS") < text.index("END_ENGINE_INPUT")


def test_the_hubbard_card_stays_in_a_band_before_the_positions() -> None:
    path = path_namelist(climbing=False, fmax=0.3, spring=1.0, steps=40, restart=True)
    text = neb_input(case(Physics(), (7, 3)), band(), [1.0, 0, 1.0, 0], path)
    assert text.count("HUBBARD (atomic)") == 1
    assert text.index("CELL_PARAMETERS") < text.index("HUBBARD") < text.index("BEGIN_POSITIONS")


def test_forces_and_springs_are_in_the_units_of_the_code() -> None:
    """1 eV/Å² = 0.0102908 Ha/bohr² (27.2114 eV, 0.529177 Å); the code's threshold holds for components."""
    rough = path_namelist(climbing=False, fmax=0.3, spring=2.0, steps=9, restart=True)
    assert rough["k_max"] == rough["k_min"] == pytest.approx(2 * 0.0102908, rel=1e-4)
    assert rough["path_thr"] == pytest.approx(0.173205, rel=1e-5)
    assert (rough["CI_scheme"], rough["restart_mode"], rough["nstep_path"]) == ("no-CI", "restart", 9)
    assert path_namelist(climbing=True, fmax=0.3, spring=2.0, steps=9, restart=False)["CI_scheme"] == "auto"


@given(st.floats(2.5, 30), st.floats(2.5, 30), st.floats(10, 40), st.floats(0.1, 3))
def test_the_mesh_is_as_fine_as_asked_with_one_point_along_the_normal(a: float, b: float, c: float, k: float) -> None:
    cell = np.array([[a, 0, 0], [0.4 * a, b, 0], [0, 0, c]])
    mesh = k_mesh(cell, k, slab=True)
    assert mesh[2] == 1
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    for points, vector in zip(mesh[:2], reciprocal[:2], strict=True):
        assert np.linalg.norm(vector) / points <= k + 1e-5
        assert points == 1 or np.linalg.norm(vector) / (points - 1) > k - 1e-5


@given(st.floats(-20, 40))
def test_the_dipole_jumps_in_the_vacuum_wherever_the_slab_stands(shift: float) -> None:
    slab = fcc111("Al", (1, 1, 4), vacuum=5.0)
    slab.pbc = True
    slab.positions[:, 2] += shift
    keywords = dipole_keywords([slab])
    start, width = keywords["emaxpos"], keywords["eopreg"]
    inside = [(start + part * width) % 1 for part in (0, 0.5, 1)]
    heights = slab.get_scaled_positions()[:, 2] % 1
    distances = np.abs(np.subtract.outer(inside, heights))
    assert np.minimum(distances, 1 - distances).min() * slab.cell[2, 2] > 3.5


def test_a_crystal_gets_no_dipole_correction() -> None:
    with pytest.raises(ValueError, match=r"no vacuum along the third cell vector: .* set engine.dipole: false"):
        dipole_keywords([bulk("Al", cubic=True)])


@pytest.mark.parametrize(
    ("command", "images", "neb"),
    [
        ("neb.x", 4, "neb.x -inp a"),
        ("mpirun -np 8 neb.x", 4, "mpirun -np 8 neb.x -ni 4 -inp a"),
        ("mpirun -np 8 neb.x -nk 2", 3, "mpirun -np 8 neb.x -nk 2 -inp a"),
        ("mpirun -np 6 neb.x", 4, "mpirun -np 6 neb.x -ni 2 -inp a"),
        ("srun --ntasks=12 /opt/qe/neb.x -ni 3", 5, "srun --ntasks=12 /opt/qe/neb.x -ni 3 -inp a"),
    ],
)
def test_images_are_shared_out_as_the_processes_allow(command: str, images: int, neb: str) -> None:
    assert " ".join(parse_command(command).neb(images, "a")) == neb


def test_images_that_do_not_fit_the_processes_are_refused() -> None:
    command = parse_command("mpirun -np 8 neb.x -ni 3")
    with pytest.raises(ValueError, match=r"-ni 3 does not fit 8 processes and 4 images; allowed: 1, 2, 4$"):
        command.neb(4, "a")
    with pytest.raises(ValueError, match=r"allowed: 1, 2$"):
        parse_command("mpirun -np 8 neb.x -ni 4").neb(3, "a")  # one of four groups would idle


def test_pw_is_started_like_neb_without_parallel_images() -> None:
    command = parse_command("mpirun -np 8 /opt/qe/neb.x -ni 4 -nk 2")
    assert command == Command(("mpirun", "-np", "8"), "/opt/qe/neb.x", ("-ni", "4", "-nk", "2"))
    assert " ".join(command.pw("a")) == "mpirun -np 8 /opt/qe/pw.x -nk 2 -inp a"


@pytest.mark.parametrize("command", ["pw.x", "neb.x -inp my.in", "neb.x < my.in", "mpirun -np 4"])
def test_a_command_that_is_none_is_refused(command: str) -> None:
    with pytest.raises(ValueError, match=r"^engine.command: "):
        parse_command(command)


def test_a_program_that_is_not_here_is_named() -> None:
    with pytest.raises(ValueError, match=r"^engine.command: no program '/nowhere/neb.x' here"):
        parse_command("/nowhere/neb.x").check()


@pytest.mark.parametrize(
    ("keyword", "words"), [("ecutwf", "did you mean 'ecutwfc'"), ("nat", "follows"), ("Prefix", "follows")]
)
def test_a_keyword_that_the_code_does_not_have_is_refused(keyword: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_keywords([keyword])


def hydrogen_set(folder: Path, md5: str | None = None, data: bytes = b"old format") -> str:
    (folder / "HUSPBE.RRKJ3").write_bytes(data)
    text = re.sub("md5: [0-9a-f]*", f"md5: {md5 or hashlib.md5(data).hexdigest()}", HYDROGEN_SET)
    (folder / "set.yaml").write_text(text)
    return str(folder / "set.yaml")


@pytest.mark.parametrize(
    ("cut", "put", "words"),
    [
        ("functional: PBE\n", "", "functional: is missing"),
        ("folders: [/usr/share/espresso/pseudo]\n", "", "folders: is missing"),
        ("ecutrho: 100, ", "", "elements.H.ecutrho: is missing"),
        ("md5: f4d00379d62f7fb62c40af863c256602, ", "", "elements.H.md5: is missing"),
        ("ecutwfc: 20", "ecutwfc: high", "elements.H.ecutwfc: 'high' is wrong"),
        ("valence", "valance", "elements.H.valance: 1 is wrong"),
        (HYDROGEN_SET, "[H, O]", "the whole file: ['H', 'O'] is wrong"),
        (HYDROGEN_SET, "elements: {}", "functional: is missing"),
        (HYDROGEN_SET, "H: [", "no YAML: "),
    ],
)
def test_a_set_of_ones_own_is_refused_with_its_file_and_key(cut: str, put: str, words: str, tmp_path: Path) -> None:
    assert cut in HYDROGEN_SET
    path = tmp_path / "own.yaml"
    path.write_text(HYDROGEN_SET.replace(cut, put), "utf-8")
    with pytest.raises(ValueError) as error:
        EspressoEngine(pseudopotentials=str(path)).check({"H"}, 3)
    assert str(error.value).startswith(f"engine.pseudopotentials: {path}: {words}")
    assert "\n" not in str(error.value)


def test_a_file_and_a_set_without_a_valence_are_refused(tmp_path: Path) -> None:
    path = Path(hydrogen_set(tmp_path))
    path.write_text(path.read_text("utf-8").replace(", valence: 1", ""), "utf-8")
    with pytest.raises(ValueError, match=r"add it: elements\.H\.valence"):
        find_pseudopotentials(["H"], str(path), str(tmp_path))


UPF = '<PP_HEADER element="H" functional="{0}" z_valence="1.0E+00"/>'
SPELLED_OUT = "<PP_HEADER>\n  1.0   Z valence\n SLA  PW   PBX  PBC    PBE  Exchange-Correlation functional\n"


@pytest.mark.parametrize("data", [UPF.format("PBE"), UPF.format(" SLA  PW   PBX  PBC"), SPELLED_OUT, "older"])
def test_a_pseudopotential_is_read_in_every_format(tmp_path: Path, data: str) -> None:
    found = find_pseudopotentials(["H"], hydrogen_set(tmp_path, data=data.encode()), str(tmp_path))
    assert (found["H"].valence, found["H"].ecutwfc, found["H"].ecutrho) == (1.0, 20, 100)


@pytest.mark.parametrize(
    ("elements", "change", "words"),
    [
        ("He", {}, r"has none for He; it has H$"),
        ("H", {"folder": "/nowhere"}, r"of H: no file HUSPBE.RRKJ3 in /nowhere; get it from .*engine.pseudo_dir$"),
        ("H", {"md5": "f" * 32}, r"of H: .*HUSPBE.RRKJ3 has the MD5 \w+, f{32} expected"),
        ("H", {"data": UPF.format("PBESOL").encode()}, r"of H: .* is made with PBESOL, the set is PBE"),
    ],
    ids=["element", "file", "checksum", "functional"],
)
def test_a_pseudopotential_that_does_not_fit_is_refused(
    tmp_path: Path, elements: str, change: dict[str, Any], words: str
) -> None:
    folder = change.pop("folder", str(tmp_path))
    name = hydrogen_set(tmp_path, **change)
    with pytest.raises(ValueError, match=words) as caught:
        find_pseudopotentials([elements], name, folder)
    assert "\n" not in str(caught.value)


def test_what_counts_of_a_set_is_that_of_the_elements_that_are_there() -> None:
    oxygen = {"ecutwfc": 50, "ecutrho": 400, "md5": "0234752ac141de4415c5fc33072bef88"}
    assert what_counts("sssp-1.3-efficiency", ["O"]) == {"O": oxygen}
    assert what_counts("sssp-1.3-efficiency", None)["O"] == oxygen
    assert what_counts("debian-pbesol", ["O"])["O"]["md5"] != oxygen["md5"]
    assert what_counts("not here.yaml", ["O"]) == "not here.yaml, not readable here"


def sssp(folder: Path, **changes: Any) -> str:
    """SSSP's JSON beside a file of its own making, with changes of the one entry."""
    data = UPF.format("PBE").encode()
    (folder / "H.upf").write_bytes(data)
    entry = {"filename": "H.upf", "md5": hashlib.md5(data).hexdigest(), "pseudopotential": "100US"}
    entry |= {"cutoff_wfc": 60.0, "cutoff_rho": 480.0} | changes
    path = folder / "SSSP_1.3.0_PBE_efficiency.json"
    path.write_text(json.dumps({"H": {key: value for key, value in entry.items() if value is not None}}), "utf-8")
    return str(path)


def test_the_json_of_sssp_is_a_set(tmp_path: Path) -> None:
    found = find_pseudopotentials(["H"], sssp(tmp_path), None)["H"]
    assert (found.path, found.functional, found.valence) == (tmp_path / "H.upf", "PBE", 1.0)
    assert (found.ecutwfc, found.ecutrho) == (60, 480)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"md5": None}, r"efficiency.json: H.md5: is missing; allowed: SSSP's own JSON"),
        ({"cutoff_wfc": "high"}, r"efficiency.json: H.cutoff_wfc: 'high' is wrong"),
        ({"filename": "h.UPF"}, r"of H: no file h.UPF in .*, but .*H.upf \(give the set that name"),
        ({"md5": "f" * 32}, r"of H: .*H.upf has the MD5 \w+, f{32} expected \(elements.H.md5"),
    ],
)
def test_a_json_that_does_not_fit_its_files_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        find_pseudopotentials(["H"], sssp(tmp_path, **changes), None)
    assert "\n" not in str(caught.value)


def test_u_of_another_code_is_told_and_ones_own_is_not() -> None:
    (line,) = Physics().warnings()
    assert line.startswith("engine.hubbard_u: Ni 6.2, Co 3.32, Mn 3.9 eV are those of vasp (Jain et al.")
    assert Physics(hubbard_u={"Co": 3.32, "Ni": 7.1}).warnings()[0].startswith("engine.hubbard_u: Co 3.32 eV are those")
    assert Physics(hubbard_u={"Co": 7.4}).warnings() == Physics(hubbard_u={}).warnings() == []
    assert Physics(preset="insulator").warnings() == VaspPhysics().warnings() == []


def test_moments_that_a_structure_does_not_say_are_its_elements() -> None:
    structure = Structure(Lattice.cubic(4), ["Ni", "Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0]])
    structure.add_site_property("magmom", [None, -0.5, None])
    assert starting_moments(structure, {"Ni": 1.0}) == [1.0, -0.5, 0.0]
    assert len(atoms_of(structure)) == 3
