"""Failing inputs, each given to the real code: one line that says what happened, and the files are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from espresso_cases import (
    STUDY,
    as_relaxed,
    compute,
    documents,
    hydrogen_engine,
    hydrogens,
    li2o_engine,
    need_qe,
)
from pymatgen.core import Structure

from barriers.documents import BandDoc, StaticDoc
from barriers.engines.espresso.command import code_version, parse_command
from barriers.files.structures import read_endpoints
from barriers.structures.path.start import Start

pytestmark = pytest.mark.qe

LINEAR = Start(method="linear", n_images=1)


@pytest.fixture(autouse=True)
def _qe() -> None:
    need_qe()


@pytest.fixture
def li2o() -> Structure:
    return read_endpoints(STUDY.parent / "li2o_initial.vasp", STUDY.parent / "li2o_final.vasp")[0]


def test_the_code_says_its_version() -> None:
    numbers, text = code_version(parse_command("neb.x"))
    assert text.startswith(".".join(map(str, numbers)))
    assert numbers >= (6, 0)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"keywords": {"electron_maxstep": "many"}},
        r"namelist electrons is refused at or just before .*engine.keywords",
    ),
    ({"keywords": {"occupations": "fixd"}}, r"error in routine \S+ \(\d+\): .*fixd"),
    ({"keywords": {"tot_charge": 0.0}}, r"odd number of electrons .*charge is wrong: smearing is needed"),
    ({"keywords": {"ecutrho": 1.0}}, r"error in routine \S+ \(-?\d+\): "),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=["value", "choice", "electrons", "cutoff"])
def test_what_the_code_refuses_is_one_line(li2o: Structure, tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """A stale `CRASH` of the failed run does not stand in the way of the next one."""
    message = compute(li2o_engine(**change).static().make(li2o), tmp_path)
    assert isinstance(message, str), message
    assert re.match(r"EspressoError: " + words, message), message
    assert "\n" not in message
    folder = Path(message.partition("files in ")[2])
    assert (folder / "pw.1.in").exists() and (folder / "pw.1.out").exists()
    if (folder / "CRASH").exists():
        again = compute(li2o_engine(**change).static().make(li2o), tmp_path)
        assert again == message


def test_a_band_between_one_structure_and_itself_is_refused(li2o: Structure, tmp_path: Path) -> None:
    maker = li2o_engine().neb(fmax=0.1, rough_fmax=0.3, max_steps=9, spring=1.0)
    message = compute(maker.make(as_relaxed(li2o), as_relaxed(li2o), LINEAR), tmp_path)
    assert isinstance(message, str)
    assert re.search(r"two images are the same \(images are too close\); give endpoints that differ", message), message


def test_a_missing_pseudopotential_is_found_before_anything_runs(li2o: Structure, tmp_path: Path) -> None:
    engine = li2o_engine(pseudo_dir=str(tmp_path))
    with pytest.raises(ValueError, match=rf"pseudopotential of Li: no file Li\..*UPF in {tmp_path};"):
        engine.check(["Li", "O"])
    message = compute(engine.static().make(li2o), tmp_path)
    assert message.startswith("NotHereError: pseudopotential of Li: no file")
    assert not list(tmp_path.glob("jobs/*/static-*"))


def test_a_band_with_another_number_of_images_is_refused(li2o_results: Path, tmp_path: Path) -> None:
    initial, final = (documents(li2o_results, f"relax-{which}")[0] for which in ("initial", "final"))
    maker = li2o_engine().neb(fmax=0.1, rough_fmax=0.3, max_steps=1, spring=1.0)
    band = compute(maker.make(initial, final, LINEAR), tmp_path)
    assert isinstance(band, BandDoc)
    path = next(tmp_path.glob("jobs/*/neb-*/band.path"))
    text = path.read_text()
    extra = text[text.index("Image:    2") : text.index("Image:    3")]
    path.write_text(text.replace("IMAGES\n   3\n", "IMAGES\n   4\n") + extra.replace("Image:    2", "Image:    4"))
    message = compute(maker.make(initial, final, LINEAR), tmp_path)
    assert "path of 4 images, 3 asked for; remove the folder" in str(message)


def test_electrons_that_do_not_converge_are_helped(tmp_path: Path) -> None:
    """Three cycles are not enough; the first rung of the ladder gives more, and the document says so."""
    structure = hydrogens([-3.0, 0, 1.5])
    plain = compute(hydrogen_engine(tmp_path).static().make(structure), tmp_path / "plain")
    helped = compute(hydrogen_engine(tmp_path, {"electron_maxstep": 3}).static().make(structure), tmp_path / "helped")
    assert isinstance(helped, StaticDoc), helped
    assert helped.energy == pytest.approx(plain.energy, abs=1e-4)
    source = next((tmp_path / "helped").glob("jobs/*/static-*/pw.2.in"))
    assert "mixing_beta      = 0.2" in source.read_text()


def test_a_band_whose_electrons_needed_help_says_so(tmp_path: Path) -> None:
    maker = hydrogen_engine(tmp_path, {"electron_maxstep": 4}).neb(fmax=0.17, rough_fmax=3.0, max_steps=2, spring=1.0)
    ends = [hydrogens([-4.56670009, 0, 1.55776676]), hydrogens([-1.55776676, 0, 4.56670009])]
    band = compute(maker.make(*map(as_relaxed, ends), Start(method="linear", n_images=1)), tmp_path)
    assert isinstance(band, BandDoc), band
    assert any(line.startswith("SCF needed mixing_beta = 0.2, electron_maxstep = 200") for line in band.warnings)
    assert band.engine.settings["keywords"]["electron_maxstep"] == 4  # what was asked for; the numbers are the same


def test_electrons_beyond_help_are_a_final_error(tmp_path: Path) -> None:
    """No ladder reaches 1e-40 Ry. A wider smearing is tried last."""
    engine = hydrogen_engine(tmp_path, {"conv_thr": 1e-40})
    message = compute(engine.static().make(hydrogens([-3.0, 0, 1.5])), tmp_path)
    assert isinstance(message, str), message
    assert re.match(r"EspressoError: SCF not converged after \d+ cycles; set mixing_beta, .*; files in ", message)
    folder = Path(message.partition("files in ")[2])
    inputs = [path.read_text() for path in sorted(folder.glob("pw.*.in"))]
    assert len(inputs) == 5
    assert [("cg" in text, "degauss          = 0.06" in text) for text in inputs[2:]] == [
        (False, False),
        (True, False),
        (True, True),
    ]
