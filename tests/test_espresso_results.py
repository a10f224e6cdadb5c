"""Results of ``pw.x`` from its XML: energies, forces, positions, moments and version, and when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from barriers.engines.checkpoint import Checkpoint
from barriers.engines.dft import Outcome
from barriers.engines.espresso import jobs
from barriers.engines.espresso.attempts import CodeJob
from barriers.engines.espresso.faults import failure, find_fault
from barriers.engines.espresso.handlers import (
    DIAGONALISATION_LADDER,
    SCF_LADDER,
    SYMMETRY_LADDER,
    LadderHandler,
    PwConverged,
)
from barriers.engines.espresso.jobs import last_moments
from barriers.engines.espresso.results import all_results, put_aside, read_results, results_file
from barriers.engines.espresso.workspace import open_workspace
from barriers.secrecy import told

STEP = """<scf_conv><convergence_achieved>{scf}</convergence_achieved></scf_conv>
<atomic_structure nat="2"><atomic_positions><atom name="Ni" index="1">0.0 0.0 {z}</atom>
<atom name="O" index="2">1.0-117 0.0 {z}</atom></atomic_positions></atomic_structure>
<total_energy><etot>{energy}</etot></total_energy><forces rank="2">{forces}</forces>"""
FORCES = "0.0E+00 0.0E+00 1.0E-01\n 0.0 0.0 -1.0e-1"
MOMENTS = """<magnetization><lsda>true</lsda><Scalar_Site_Magnetic_Moments nat="2">
<SiteMagnetization species="Ni" atom="1" charge="7.2">9.9E-01</SiteMagnetization>
<SiteMagnetization species="O" atom="2" charge="5.0">-5.5E-02</SiteMagnetization>
</Scalar_Site_Magnetic_Moments></magnetization>"""


def step(energy: float, z: float, scf: str = "true", forces: str = FORCES) -> str:
    return STEP.format(energy=energy, z=z, scf=scf, forces=forces)


def xml(steps: list[str], output: str, opt: str | None = "true", moments: str = "", version: str = "7.2") -> str:
    """A whole XML; ``opt`` is None for a calculation that moves nothing."""
    opt_conv = "" if opt is None else f"<opt_conv><convergence_achieved>{opt}</convergence_achieved></opt_conv>"
    inside = output.replace("<scf_conv>", f"<convergence_info>{opt_conv}<scf_conv>")
    inside = inside.replace("</scf_conv>", "</scf_conv></convergence_info>")
    return (
        '<?xml version="1.0" encoding="UTF-8"?><qes:espresso xmlns:qes="http://www.quantum-espresso.org/ns/qes/qes-1.0">'
        f'<general_info><creator NAME="PWSCF" VERSION="{version}">made</creator></general_info>'
        + "".join(f"<step>{each}</step>" for each in steps)
        + f"<output>{inside}{moments}</output></qes:espresso>"
    )


def write(folder: Path, text: str) -> Path:
    path = results_file(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_units_version_and_moments(tmp_path: Path) -> None:
    """1 Ha = 27.2114 eV, 1 bohr = 0.529177 Å, 1 Ha/bohr = 51.4221 eV/Å (CODATA)."""
    found = read_results(write(tmp_path, xml([step(-1.0, 2.0)], step(-1.0, 2.0), moments=MOMENTS)))
    assert found is not None and found.converged and found.version == "7.2"
    (last,) = found.evaluations
    assert last.energy == pytest.approx(-27.2114, abs=1e-4)
    assert last.positions[:, 2] == pytest.approx([1.058354, 1.058354], abs=1e-5)
    assert last.forces[:, 2] == pytest.approx([5.14221, -5.14221], abs=1e-4)
    assert found.moments == [0.99, -0.055]


def test_moments_of_the_text_stand_in_where_the_xml_has_none(tmp_path: Path) -> None:
    write(tmp_path, xml([], step(-1.0, 2.0), None, version="6.7MaX"))
    (tmp_path / "pw.1.out").write_text(
        " Magnetic moment per site:\n atom:  1 charge: 7.2 magn:  0.7 constr: 0.0\n"
        " atom:  2 charge: 5.0 magn: -0.1 constr: 0.0\n\n End of self-consistent calculation\n"
    )
    assert last_moments(all_results(tmp_path), tmp_path) == [0.7, -0.1]


def test_where_the_atoms_go_next_is_not_where_they_were_evaluated(tmp_path: Path) -> None:
    """Out of steps, `output` has new positions beside the old energy and forces."""
    text = xml([step(-1.0, 1.0), step(-1.1, 2.0)], step(-1.1, 3.0), "false")
    found = read_results(write(tmp_path, text))
    assert found is not None and not found.converged
    assert [each.positions[0, 2] for each in found.evaluations] == pytest.approx([0.529177, 1.058354], abs=1e-5)
    assert found.positions[0, 2] == pytest.approx(1.587532, abs=1e-5)


def test_electrons_that_were_stopped_are_no_result(tmp_path: Path) -> None:
    """A soft stop in the second calculation: no forces in `output`, and an energy that means nothing."""
    text = xml([step(-1.0, 1.0)], step(-0.7, 2.0, "false", ""), "false", MOMENTS)
    found = read_results(write(tmp_path, text))
    assert found is not None and not found.converged and found.moments is None
    assert [each.energy for each in found.evaluations] == pytest.approx([-27.2114], abs=1e-4)
    alone = read_results(write(tmp_path, xml([], step(-0.7, 2.0, "false", ""), None)))
    assert alone is not None and not alone.converged and alone.evaluations == []


def test_a_cut_xml_is_no_result_wherever_it_is_cut(tmp_path: Path) -> None:
    text = xml([step(-1.0, 1.0)], step(-1.0, 1.0), moments=MOMENTS)
    for part in range(0, len(text), 7):
        assert read_results(write(tmp_path, text[:part])) is None
    assert read_results(tmp_path / "nowhere.xml") is None


def pw_job(folder: Path) -> CodeJob:
    return CodeJob("pw", None, folder, lambda file: [file], lambda case: "")  # type: ignore[arg-type]


@pytest.mark.parametrize("opt", ["true", None])
def test_success_needs_no_words_of_the_text(tmp_path: Path, opt: str | None) -> None:
    """A block of the text in another form drops no converged run; its Hubbard occupations did, from 7.1 on."""
    write(tmp_path, xml([step(-1.0, 1.0)] if opt else [], step(-1.0, 1.0), opt))
    (tmp_path / "pw.1.out").write_text(" HUBBARD OCCUPATIONS\n SPIN  1\n what nobody expects\n")
    assert PwConverged(pw_job(tmp_path)).check() is False
    (tmp_path / "pw.1.out").write_text(" Error in routine  sumkg (7):\n     something new\n\n")
    assert PwConverged(pw_job(tmp_path)).check() is True


def test_a_run_that_left_nothing_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, xml([step(-1.0, 1.0)], step(-1.0, 1.0)))
    put_aside(tmp_path, 1)
    for number in (1, 2):
        (tmp_path / f"pw.{number}.out").touch()
    assert PwConverged(pw_job(tmp_path)).check() is True
    write(tmp_path, xml([step(-1.2, 1.0)], step(-1.2, 1.0)))
    energies = [each.evaluations[0].energy for each in all_results(tmp_path)]
    assert energies == pytest.approx([-27.2114, -32.6537], abs=1e-3)


def test_a_run_continued_elsewhere_takes_its_xml_along_and_no_wavefunctions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first").mkdir()
    monkeypatch.chdir(tmp_path / "first")
    path = write(Checkpoint("relax", {"a": 1}).folder, xml([step(-1.0, 1.0)], step(-1.0, 1.0)))
    for name in ("wfc1.dat", "charge-density.dat", "Ni.UPF"):
        path.with_name(name).touch()
    (tmp_path / "second").mkdir()
    monkeypatch.chdir(tmp_path / "second")
    folder = open_workspace("relax", {"a": 1}, str(tmp_path / "first")).folder
    assert len(all_results(folder)) == 1
    assert [each.name for each in results_file(folder).parent.iterdir()] == [path.name]


class _Settings:
    settings: dict[str, dict[str, str]]

    def __init__(self, keywords: dict[str, str]) -> None:
        self.settings = {"keywords": keywords}


@pytest.mark.parametrize(
    ("asked", "tried"), [({}, ["cg", "paro"]), ({"diagonalization": "cg"}, ["paro", "david"])], ids=["david", "cg"]
)
@pytest.mark.parametrize(
    "said",
    [
        "problems computing cholesky",
        "S matrix not positive definite",
        "too many bands are not converged",
        "zhegvd failed",
        "[Q, R] = qr(X, 0) failed",
        "eigenvectors failed to converge",
    ],
)
def test_a_failed_diagonalisation_switches_to_the_other_solvers(
    tmp_path: Path, said: str, asked: dict[str, str], tried: list[str]
) -> None:
    """The words are those that aiida-quantumespresso 5.1 answers in this way."""
    job = pw_job(tmp_path)
    job.case = _Settings(asked)  # type: ignore[assignment]
    (tmp_path / "pw.1.out").write_text(f" Error in routine  rotate (1):\n     {said}\n\n")
    handler = LadderHandler(job, "diagonalisation", DIAGONALISATION_LADDER)
    fault = find_fault(said)
    assert handler.check() and fault is not None and said in fault[1]
    actions = [handler.correct()["actions"] for _ in range(3)]
    assert [action[0]["diagonalization"] for action in actions[:2]] == tried
    assert actions[2] is None


def test_a_failed_factorisation_of_the_mixing_is_mixed_less(tmp_path: Path) -> None:
    job = pw_job(tmp_path)
    job.case = _Settings({})  # type: ignore[assignment]
    (tmp_path / "pw.1.out").write_text(" Error in routine  broyden (12):\n     factorization\n\n")
    handler = LadderHandler(job, "scf", SCF_LADDER)
    assert handler.check()
    assert handler.correct()["actions"][0]["mixing_beta"] == 0.2


def test_a_relaxation_whose_history_failed_may_take_shorter_steps(tmp_path: Path) -> None:
    fault = find_fault("     history already reset at previous step: stopping\n")
    assert fault is not None and fault[0].kind == "bfgs"


def test_a_relaxation_that_drifts_out_of_its_symmetry_goes_on_without(tmp_path: Path) -> None:
    """Version 6.7 stopped so at the twelfth step of Li0.5NiO2 with spin, U and D3, 3e-4 Å from where it began."""
    job = pw_job(tmp_path)
    job.case = _Settings({})  # type: ignore[assignment]
    said = " Error in routine checkallsym (1):\n     some of the original symmetry operations not satisfied\n\n"
    (tmp_path / "pw.1.out").write_text(said)
    handler = LadderHandler(job, "symmetry", SYMMETRY_LADDER)
    assert handler.check()
    assert handler.correct()["actions"] == [{"nosym": True}]
    assert handler.correct()["actions"] is None


def test_no_message_is_empty(tmp_path: Path) -> None:
    assert str(failure("", tmp_path)).startswith("the code says that it succeeded, but left no results")
    assert told(AssertionError()) == "AssertionError: no words with it; see error.txt or the traceback"
    assert told(ValueError("  \n")) == "ValueError: no words with it; see error.txt or the traceback"


def test_a_run_without_results_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever made the results unreadable, the message has words."""
    from espresso_cases import li2o_engine

    monkeypatch.chdir(tmp_path)
    maker = li2o_engine().relax(fmax=0.1, max_steps=2)
    monkeypatch.setattr(type(maker), "case", lambda *_: None)
    monkeypatch.setattr(jobs, "run_pw", lambda *_: jobs.PwRun(Outcome(), [], 0))
    with pytest.raises(RuntimeError, match=r"^the code says that it succeeded, .*; files in /"):
        maker.relaxed(Structure(Lattice.cubic(4.0), ["Li"], [[0, 0, 0]]))
