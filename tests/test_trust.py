"""What stands beside a number: the model, how far it is off, what goes beyond it, and what a paper has to cite."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from benchmarks.published_hops import NUMBERS, PAGE, TABLE, table
from stored import barrier_of, stored

from barriers.documents import BarrierDoc, EngineDoc
from barriers.engines.mlip.known_error import known_error
from barriers.engines.mlip.models import known_models
from barriers.report.figures import draw_profile, draw_profiles
from barriers.report.html.page import write_report
from barriers.report.methods import _works, bibtex, cited, methods
from barriers.report.style import figure_of
from barriers.report.tables import study_json, study_table
from barriers.report.trust import model_lines
from barriers.workflow.comparison_job import study_document

VASP = EngineDoc(
    kind="vasp",
    name="VASP PBE_54",
    version="6.4.3",
    settings={"hubbard_u": {"Ni": 6.2}, "potcar_functional": "PBE_54", "incar": {"IVDW": 12}},
)


def by(engine: EngineDoc, barrier: BarrierDoc) -> BarrierDoc:
    return barrier.model_copy(update={"band": barrier.band.model_copy(update={"engine": engine})})


def test_the_known_error_is_that_of_the_page() -> None:
    rows = re.findall(r"^\| \S+ \| \d+ \| ([\d.]+) \| ([\d.]+) ± [\d.]+ \|", PAGE.read_text("utf-8"), re.M)
    off = [float(found) - float(published) for published, found in rows]
    engine = barrier_of("A", 0.4).band.engine
    error = known_error(engine)
    assert error.hops == len(off)
    # A band of the sorted differences that holds 68 % of them, and its middle.
    rank = np.interp([0.1587 * (len(off) - 1), 0.8413 * (len(off) - 1)], range(len(off)), sorted(off))
    assert (error.bias, error.scatter) == pytest.approx((median(off), (rank[1] - rank[0]) / 2), abs=1e-3)
    assert error.far == sum(abs(each) > 0.5 for each in off)
    assert str(error) == "low by 0.10 ± 0.13 eV on 25 published hops, 2 of them off by more than 0.5 eV"
    # Of weights of one's own, and of any other engine, nothing is known.
    assert known_error(engine.model_copy(update={"checksum": "0" * 64})) is None
    assert known_error(VASP) is None
    assert known_error(EngineDoc(kind="mlip", name="mine:Potential", version="unknown")) is None


def test_the_page_shows_the_published_hops_on_file() -> None:
    found = TABLE.search(PAGE.read_text("utf-8"))
    assert found is not None and found.group() == table(json.loads(NUMBERS.read_text("utf-8")))


def test_lines_name_the_model_its_own_error_and_the_systems_that_go_beyond_it() -> None:
    model, *beyond = model_lines(stored().barriers)
    assert model.startswith("chgnet 0.3.0: trained on inorganic bulk crystals (MPtrj)")
    assert (
        "low by 0.10 ± 0.13 eV on 25 published hops, 2 of them off by more than 0.5 eV, which ± does not hold" in model
    )
    assert "not to be trusted for bonds between a molecule and an oxide" in model
    assert [line.partition(":")[0] for line in beyond] == ["NCM@PVDF", "NCM@PVDF-HF"]
    assert "a fragment (C, F, H) stands on the surface (Co, Li, Mn, Ni, O)" in beyond[0]
    assert "a fragment is bonded to the surface (C–O, C–Ni, F–Li)" in beyond[1]


def test_of_a_functional_and_of_a_model_of_ones_own_less_is_known() -> None:
    bonded = stored().barriers[2]
    assert model_lines([by(VASP, bonded)]) == [
        "VASP PBE_54 6.4.3: ± does not hold the error of its functional or potential"
    ]
    own = EngineDoc(kind="mlip", name="mine:Potential", version="unknown")
    line, beyond = model_lines([by(own, bonded)])
    assert line.startswith("mine:Potential: what it was trained on is not known here; ± does not hold its own error")
    assert "beyond what mine:Potential was trained on" in beyond


def test_it_stands_wherever_the_numbers_are(tmp_path: Path) -> None:
    study = stored()
    lines = model_lines(study.barriers)
    assert study_table(study).caption.splitlines()[1:] == lines == study_json(study)["models"]
    under = [
        figure_of(axes).get_supxlabel() for axes in (draw_profiles(study.barriers), draw_profile(study.barriers[0]))
    ]
    said = [" ".join(text.split()) for text in under]
    assert said[0].endswith("more than 0.5 eV; beyond what it was trained on: NCM@PVDF, NCM@PVDF-HF")
    assert said[1] == "chgnet 0.3.0, low by 0.10 ± 0.13 eV on 25 published hops, 2 of them off by more than 0.5 eV"
    page = write_report(study, tmp_path).read_text("utf-8")
    assert page.count(lines[2]) == 2  # below the table and in the methods
    assert (tmp_path / "methods.md").read_text("utf-8") == f"{methods(study)}\n"
    assert (tmp_path / "references.bib").read_text("utf-8") == bibtex(methods(study))


@pytest.mark.parametrize("name", known_models())
def test_every_model_says_what_it_was_trained_on_and_what_to_cite(name: str) -> None:
    model = known_models()[name]
    assert model["trained_on"]
    assert model["not_for"]
    assert set(model["cite"]) <= set(_works())


def test_methods_cite_model_functional_code_and_libraries() -> None:
    text = methods(stored())
    assert {"cineb", "neb", "idpp", "gpneb", "chgnet", "ase", "pymatgen", "jobflow"} == set(cited(text))
    assert "weights of SHA-256 d14ab7c0f093" in text
    dft = study_document.original("x", [by(VASP, stored().barriers[0])], "NCM", "forward")
    text = methods(dft)
    assert {"vasp", "paw", "pbe", "hubbard", "d3"} <= set(cited(text))
    assert not {"gpneb", "chgnet"} & set(cited(text))
    assert "with U of 6.2 eV on Ni [hubbard] and D3 dispersion [d3]" in text


def test_every_entry_of_the_bibliography_is_whole() -> None:
    for key, entry in _works().items():
        assert re.fullmatch(r"@(article|misc)\{" + key + r", author = \{.+\}, title = \{.+\}, .*\}\}", entry)
        assert entry.count("{") == entry.count("}")
        assert re.search(r"(doi|eprint) = \{[^}]+\}", entry)
        assert re.search(r"year = \{(19|20)\d\d\}", entry)
    assert bibtex("one [vasp, paw] and again [vasp]").count("@article") == 2
