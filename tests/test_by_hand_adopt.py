"""``barriers adopt``: outputs of runs by hand give the study's own barrier; those that do not belong are refused."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ase.io import write
from conftest import Outcome, gold_on_aluminium
from espresso_cases import STUDY, documents
from pymatgen.core import SETTINGS
from pymatgen.io.vasp import Incar
from vasp_tools import COMMAND, write_potcars

from barriers.by_hand.adopt import adopt
from barriers.by_hand.outputs import as_outcar
from barriers.by_hand.write import write_inputs
from barriers.parsing.outcar_head import settings_of
from barriers.study.file import load_study

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

Cli = Callable[..., Outcome]
Tamper = Callable[[Path, Path, Path], object]
"""Does something to the folders of both relaxations and of the band."""

GOLD = (
    "name: gold\nendpoints: {initial: a.traj, final: b.traj}\n"
    f"engine: {{kind: vasp, command: '{COMMAND}', moments: {{Au: 1.0}}}}\n"
    "relax: {fmax: 0.02, rough_fmax: 0.1}\npath: {n_images: 1, starts: 1}\n"
)


class ByHand:
    """A study whose calculations were run by hand: its folders, and results without the band."""

    def __init__(self, study: Path, folder: Path) -> None:
        self.study, self.to, self.results = study, folder / "to", folder / "results"

    def copy(self, folder: Path) -> ByHand:
        other = ByHand(self.study, folder)
        shutil.copytree(self.to, other.to)
        if self.results.exists():
            shutil.copytree(self.results, other.results)
        return other

    def places(self) -> tuple[Path, Path, Path]:
        first, last, band = sorted(self.to.glob("0*"))
        return first, last, band

    def write(self) -> tuple[Path, Path, Path]:
        study = load_study(self.study)
        write_inputs(study, self.to, self.results / study.name)
        return self.places()

    def adopt(self, cli: Cli, source: Path | None = None) -> Outcome:
        return cli("adopt", self.study, source or self.to, "--results", self.results)


def barrier(cli: Cli, study: Path, results: Path, computed: int) -> float:
    """Forward barrier (eV) of a run that has some calculations left to do."""
    outcome = cli("run", study, "--results", results)
    assert outcome.code == 0, outcome.err
    assert outcome.err.count("done before") == 3 - computed
    return barrier_of(next(results.glob("*/barriers.csv")))


def barrier_of(table: Path) -> float:
    (row,) = csv.DictReader(table.read_text("utf-8").splitlines())
    assert row["converged"] == "True"
    return float(row["forward"])


def replaced(path: Path, pattern: str, by: str) -> None:
    text, count = re.subn(pattern, by, path.read_text("utf-8"), flags=re.M)
    assert count, f"{path}: no {pattern}"
    path.write_text(text, "utf-8")


def swap(one: Path, other: Path) -> None:
    kept = one.with_name("swapped")
    one.rename(kept)
    other.rename(one)
    kept.rename(other)


@pytest.fixture
def no_potcars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SETTINGS, "PMG_VASP_PSP_DIR")


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    """Every job script run with the stand-in of VASP; the ends adopted in between."""
    folder = tmp_path_factory.mktemp("gold")
    for name, atoms in zip("ab", gold_on_aluminium(), strict=True):
        write(folder / f"{name}.traj", atoms)
    (folder / "gold.yaml").write_text(GOLD, "utf-8")
    potcars = write_potcars(folder / "potcars", "Al", "Au") / "POT_GGA_PAW_PBE_54"
    found = ByHand(folder / "gold.yaml", folder)
    patch = pytest.MonkeyPatch()
    patch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(folder / "potcars"))

    def run(place: Path) -> None:
        subprocess.run(["bash", "job.sh"], cwd=place, check=True, env={**os.environ, "POTCARS": str(potcars)})

    first, last, _ = found.write()
    run(first)
    run(last)
    study = load_study(found.study)
    assert len(adopt(study, found.to, found.results / "gold").taken) == 2
    run(found.write()[2])
    yield found
    patch.undo()


def test_vasp_by_hand_gives_the_studys_own_barrier(cli: Cli, gold: ByHand, tmp_path: Path) -> None:
    mine = gold.copy(tmp_path)
    outcome = mine.adopt(cli)
    assert outcome.code == 0, outcome.err
    assert "taken in: gold: band" in outcome.out and "every calculation has its result" in outcome.out
    by_hand = barrier(cli, mine.study, mine.results, computed=0)
    assert by_hand == pytest.approx(barrier(cli, mine.study, tmp_path / "own", computed=3), abs=1e-4)
    assert by_hand == pytest.approx(0.374, abs=0.003)
    again = mine.adopt(cli)
    assert again.code == 2
    assert "no calculation of this study without a result" in again.err


def incar(key: str, value: object) -> Tamper:
    return lambda _first, _last, band: replaced(band / "climbing" / "INCAR", rf"^{key} = .*$", f"{key} = {value}")


def outcar(pattern: str, by: str) -> Tamper:
    return lambda _first, _last, band: replaced(band / "climbing" / "01" / "OUTCAR", pattern, by)


OF_VASP: dict[str, tuple[Tamper, str]] = {
    "cutoff": (incar("ENCUT", 400), r"climbing/INCAR: other settings: ENCUT = 400\.0, 520\.0 expected$"),
    "dispersion": (incar("IVDW", 11), r"other settings: IVDW = 11, 12 expected$"),
    "spring": (incar("SPRING", -5), r"other settings: SPRING = -5\.0, -1\.0 expected$"),
    "cutoff of the output": (
        outcar("^   NELM ", "   ENCUT  =  400.0 eV  29.40 Ry\n   NELM "),
        r"01/OUTCAR: other settings: ENCUT 400, 520 expected$",
    ),
    "U of the output": (
        outcar("^   NELM ", "   U (eV)           for each species LDAUU =   0.0  6.2\n   NELM "),
        r"01/OUTCAR: other settings: LDAUU 0 6\.2, none expected$",
    ),
    "k-mesh": (
        lambda _first, _last, band: replaced(band / "plain" / "KPOINTS", r"^\d+ \d+ \d+$", "1 1 1"),
        r"plain/KPOINTS: '1', '\d' expected$",
    ),
    "potcar": (
        outcar("PAW_PBE Au 01", "PAW_PBE Au 04"),
        r"other settings: PAW_PBE Al 01Jan2001, PAW_PBE Au 04Jan2001; PAW_PBE Al 01Jan2001, PAW_PBE Au 01Jan2001 exp",
    ),
    "end of the band": (
        lambda _first, _last, band: replaced(band / "climbing" / "00" / "POSCAR", r"((?i:direct)\n) *\S+", r"\1 0.9"),
        r"climbing/00/POSCAR: other structure: atom \d+ is [\d.]+ Å away$",
    ),
    "another species": (
        lambda _first, _last, band: replaced(band / "climbing" / "01" / "POSCAR", r"^ *Al +Au *\n +12", "Au Al\n 12"),
        r"climbing/01/POSCAR: other structure: .* expected, in the order of the study$",
    ),
    "ended before its end": (outcar(" General timing.*", ""), r"band[^ ]*: not converged$"),
    "large forces": (
        outcar(r"^( +-?\d+\.\d{5}){3} +-?\d+\.\d{6}(?= )", " 0.00000 0.00000 0.00000 0.500000"),
        r"band[^ ]*: not converged$",
    ),
    "one stage alone": (lambda _first, _last, band: shutil.rmtree(band / "plain"), r"plain/00/KPOINTS is not there$"),
    "no output of an image": (
        lambda _first, _last, band: (band / "plain" / "01" / "OUTCAR").unlink(),
        r"plain/01: no OUTCAR$",
    ),
    "killed before a step": (
        lambda _first, _last, band: (band / "climbing" / "01" / "OUTCAR").write_text(" vasp.6.4.2\n", "utf-8"),
        r"not converged$",
    ),
}


@pytest.mark.parametrize("what", OF_VASP)
def test_a_band_of_vasp_that_does_not_belong_is_refused_in_one_line(
    cli: Cli, gold: ByHand, tmp_path: Path, what: str
) -> None:
    mine = gold.copy(tmp_path)
    tamper, words = OF_VASP[what]
    tamper(*mine.places())
    outcome = mine.adopt(cli)
    (line,) = outcome.err.splitlines()
    assert outcome.code == 1 and line.startswith("refused: gold: band")
    assert re.search(words, line), line
    assert not list((mine.results / "gold" / "jobs").glob("*band*"))


HEAD = """
   PREC   = accura    normal or accurate (medium, high low for compatibility)
   ISPIN  =      2    spin polarized calculation?
   LASPH  =      T    aspherical Exc in radial PAW
   ENCUT  =  520.0 eV  38.22 Ry    6.18 a.u.   9.78 11.42 13.05*2*pi/ulx,y,z
   LREAL  =      T    real-space projection
   ISMEAR =     0;   SIGMA  =   0.05  broadening in eV -4-tet -1-fermi 0-gaus
   LDIPOL =      T    correct potential (dipole corrections)
   IDIPOL =      3    1-x, 2-y, 3-z, 4-all directions
   GGA     =    --    GGA type
   angular momentum for each species LDAUL =     0    2    2    2    0
   U (eV)           for each species LDAUU =   0.0  3.9  3.3  6.2  0.0
   J (eV)           for each species LDAUJ =   0.0  0.0  0.0  0.0  0.0
"""
"""Lines of VASP 5.4.4 for the INCAR of an NCM slab: words are shortened, and numbers rounded."""


def test_an_outcar_may_say_it_in_fewer_digits() -> None:
    incar = Incar.from_str(
        "ENCUT = 520\nPREC = Accurate\nISPIN = 2\nLASPH = .TRUE.\nLREAL = Auto\nISMEAR = 0\nSIGMA = 0.05\nLDIPOL = T\n"
        "IDIPOL = 3\nLDAU = .TRUE.\nLDAUL = 0 2 2 2 0\nLDAUU = 0 3.9 3.32 6.2 0\nLDAUJ = 0 0 0 0 0"
    )
    said, repeated = settings_of(HEAD.encode()), as_outcar(incar)
    assert {key: said[key] for key in repeated} == repeated
    assert len(repeated) == 10
    other = as_outcar(Incar.from_str("LDAUU = 0 3.9 3.4 6.2 0"))
    assert other["LDAUU"] != said["LDAUU"]


def test_what_says_how_a_number_is_found_may_be_another(cli: Cli, gold: ByHand, tmp_path: Path) -> None:
    mine = gold.copy(tmp_path)
    for key, value in (("ALGO", "All"), ("NSW", 7), ("LWAVE", False)):
        incar(key, value)(*mine.places())
    assert mine.adopt(cli).code == 0


def test_relaxations_of_vasp_must_start_where_the_study_does(cli: Cli, gold: ByHand, tmp_path: Path) -> None:
    mine = gold.copy(tmp_path)
    shutil.rmtree(mine.results)
    first, last, band = mine.places()
    swap(first / "OUTCAR", last / "OUTCAR")
    outcome = mine.adopt(cli)
    lines = outcome.err.splitlines()
    assert (outcome.code, len(lines)) == (1, 3)
    assert all(re.search(r"OUTCAR: other structure: atom 13 is \d\.\d+ Å away; of a run", line) for line in lines[:2])
    assert "it rests on 'gold: relax final', which has no result" in lines[2]
    swap(first / "OUTCAR", last / "OUTCAR")
    shutil.copy(first / "CONTCAR", first / "POSCAR")  # continued: where it began stands in its first OUTCAR
    assert mine.adopt(cli, first).code == 0
    assert "calculations without a result: 1" in mine.adopt(cli, last).out
    assert mine.adopt(cli, band).code == 0


def test_vasp_is_not_adopted_where_its_potcars_are_not(
    cli: Cli, gold: ByHand, tmp_path: Path, no_potcars: None
) -> None:
    mine = gold.copy(tmp_path)
    shutil.rmtree(mine.results)
    line = mine.adopt(cli).err.splitlines()[0]
    assert line.startswith(
        "refused: gold: relax initial: engine.potcars: no POTCAR 'Al' for Al: PMG_VASP_PSP_DIR is not"
    )


def test_a_folder_that_is_none_is_one_line(cli: Cli, gold: ByHand, tmp_path: Path) -> None:
    for source, words in (
        (tmp_path, "no folder that `barriers inputs` wrote"),
        (tmp_path / "nowhere", "no folder that `barriers inputs` wrote"),
    ):
        outcome = cli("adopt", gold.study, source, "--results", tmp_path / "results")
        assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
        assert words in outcome.err


@pytest.fixture(scope="module")
def lithium_oxide(li2o_results: Path, tmp_path_factory: pytest.TempPathFactory) -> ByHand:
    """Outputs of the study's own run, which read the very files that ``barriers inputs`` writes."""
    found = ByHand(STUDY, tmp_path_factory.mktemp("li2o"))

    def bring(place: Path, which: str, source: str) -> None:
        (ran,) = li2o_results.glob(which)
        assert (ran / source).read_text("utf-8") == (place / source).read_text("utf-8")
        shutil.copytree(ran, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("pseudo", "*.wfc*"))

    first, last, _ = found.write()
    bring(first, "jobs/*initial*/relax-*/", "pw.1.in")
    bring(last, "jobs/*final*/relax-*/", "pw.1.in")
    assert len(adopt(load_study(STUDY), found.to, found.results / "li2o_espresso").taken) == 2
    bring(found.write()[2], "jobs/*band*/neb-*/", "neb.1.in")
    return found


@pytest.mark.qe
def test_espresso_by_hand_gives_the_studys_own_barrier_where_no_code_is(
    cli: Cli, lithium_oxide: ByHand, li2o_results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = lithium_oxide.copy(tmp_path)
    shutil.rmtree(mine.results)
    monkeypatch.setenv("PATH", "/nowhere")
    outcome = mine.adopt(cli)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("taken in: ") == 3
    monkeypatch.undo()
    by_hand = barrier(cli, STUDY, mine.results, computed=0)
    (own,) = documents(li2o_results, "barrier")
    assert by_hand == own.forward
    assert by_hand == pytest.approx(0.376, abs=0.005)


def xml(place: Path, image: int | None = None) -> Path:
    return place / "out" / ("" if image is None else f"band_{image}") / "band.save" / "data-file-schema.xml"


OF_ESPRESSO: dict[str, tuple[Tamper, str]] = {
    "cutoff": (
        lambda first, _last, _band: replaced(first / "pw.1.in", "ecutwfc += 25.0", "ecutwfc = 40.0"),
        r"pw\.1\.in: other settings: ECUTWFC = 40\.0, 25\.0 expected$",
    ),
    "charge": (
        lambda _first, _last, band: replaced(band / "neb.2.in", "tot_charge += -1", "tot_charge = 0"),
        r"neb\.2\.in: other settings: TOT_CHARGE = 0, -1 expected$",
    ),
    "U": (
        lambda first, _last, _band: replaced(
            first / "pw.1.in", "K_POINTS gamma", "HUBBARD (atomic)\nU O-2p 3.0\nK_POINTS gamma"
        ),
        r"pw\.1\.in: .*expected$",
    ),
    "end of the band": (
        lambda _first, _last, band: replaced(band / "neb.1.in", r"(LAST_IMAGE\n.*\nLi) +\S+", r"\1 3.3"),
        r"neb\.1\.in: '3\.3', '3\.4\d+' expected$",
    ),
    "cutoff of the output": (
        lambda _first, _last, band: replaced(xml(band, 2), r"<ecutwfc>[^<]*<", "<ecutwfc>20.0<"),
        r"band_2/.*xml: other settings: ecutwfc 40 Ry, 25 Ry expected$",
    ),
    "outputs of the other end": (
        lambda first, last, _band: swap(first / "out", last / "out"),
        r"data-file-schema\.xml: other structure: atom 1 is 2\.29\d\d Å away from where the study has it$",
    ),
    "path between other ends": (
        lambda _first, _last, band: replaced(band / "band.path", r"(Image: +3\n.*\n) +\S+", r"\1 6.0"),
        r"band\.path: other structure: atom 1 is \d\.\d+ Å away",
    ),
    "pseudopotential": (
        lambda first, _last, _band: replaced(first / "pw.1.out", "MD5 check sum: def3", "MD5 check sum: aaaa"),
        r"other settings: a pseudopotential with the MD5 aaaa\w+ is none of the study's$",
    ),
    "not converged": (
        lambda first, _last, _band: replaced(
            xml(first), r"<convergence_achieved>true<", "<convergence_achieved>false<"
        ),
        r"relax-initial: not converged$",
    ),
    "plain band alone": (lambda _first, _last, band: (band / "neb.2.out").unlink(), r"band-linear: not converged$"),
    "no outdir": (
        lambda first, _last, _band: shutil.rmtree(first / "out"),
        r"out: no data-file-schema\.xml: bring the whole outdir, wavefunctions aside$",
    ),
}


@pytest.mark.qe
@pytest.mark.parametrize("what", OF_ESPRESSO)
def test_a_calculation_of_espresso_that_does_not_belong_is_refused_in_one_line(
    cli: Cli, lithium_oxide: ByHand, tmp_path: Path, what: str
) -> None:
    mine = lithium_oxide.copy(tmp_path)
    first, last, band = mine.places()
    tamper, words = OF_ESPRESSO[what]
    tamper(first, last, band)
    if "band" not in words and "neb" not in words:
        shutil.rmtree(mine.results)
    line, *further = mine.adopt(cli).err.splitlines()
    assert line.startswith("refused: li2o_espresso: ")
    assert re.search(words, line), line
    assert all("other structure" in row or "has no result: its inputs were stand-ins" in row for row in further)
