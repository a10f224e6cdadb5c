"""The study file: what is refused and in which words, the template, and the table for the docs."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from barriers.study.describe import allowed, by_key, extra, kind, section_of, sections_of
from barriers.study.errors import StudyError
from barriers.study.fields import Section
from barriers.study.file import load_study, parse_yaml, read_study
from barriers.study.models import (
    EndpointStudy,
    EspressoSection,
    FragmentSection,
    MlipSection,
    NebSection,
    PathSection,
    PlacementSection,
    Study,
    SurfaceSection,
    SystemSection,
    VaspSection,
)
from barriers.study.template import markdown_table, render

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "inputs" / "ncm811_pvdf.yaml"
BAD = sorted((HERE / "data" / "bad_studies").glob("*.yaml"))
BARE = "name: bare\nsystems:\n  - name: NCM\n"


def fields(section: Any = Study, path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in by_key(section).items():
        yield f"{path}{name}", field
        for inner in sections_of(field.annotation):
            yield from fields(inner, f"{path}{name}.")


DIMENSIONLESS = {"cathode.tolerance", "cathode.antisites", "cathode.lithium", "cathode.z", "ensemble.lithium"}
FIELDS = dict(fields()) | dict(fields(EndpointStudy))
OF_ESPRESSO, OF_VASP = (
    {f"engine.{name}" for name in set(by_key(section)) - set(by_key(MlipSection))}
    for section in (EspressoSection, VaspSection)
)


def problems_of(text: str) -> list[str]:
    with pytest.raises(StudyError) as caught:
        read_study(text)
    assert str(caught.value).splitlines() == caught.value.problems
    return caught.value.problems


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_every_problem_of_a_bad_study_is_one_line(path: Path) -> None:
    """The comment on top of each file is what is said of it; `...` stands for names on file."""
    expected = [line.removeprefix("# ") for line in path.read_text().splitlines() if line.startswith("# ")]
    problems = problems_of(path.read_text())
    assert len(problems) == len(expected), problems
    for problem, words in zip(problems, expected, strict=True):
        assert re.fullmatch(".*".join(map(re.escape, words.split("..."))), problem), problem


def test_there_are_many_bad_studies() -> None:
    assert len(BAD) > 40


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"name: caf\xe9\n"), "byte 9 is not UTF-8"),
        (lambda path: path.write_bytes(BARE.encode("utf-16")), "byte 0 is not UTF-8"),
        (lambda path: path.write_bytes(b""), "the file is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, make: Any, words: str) -> None:
    path = tmp_path / "study.yaml"
    make(path)
    with pytest.raises(StudyError, match=words) as caught:
        load_study(path)
    assert len(caught.value.problems) == 1


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + BARE.replace("\n", "\r\n").encode())
    assert load_study(path) == read_study(BARE)


def test_whole_numbers_and_lists_are_read_as_meant() -> None:
    study = read_study(BARE + "surface: {facet: [0, 1, 2], vacuum: 20}\nneb: {fmax: 3e-2}\nengine: mlip\n")
    assert study.surface.facet == (0, 1, 2)
    assert study.surface.vacuum == 20.0
    assert study.neb.fmax == 0.03
    assert study.engine == MlipSection()


def test_a_calculator_class_is_a_model() -> None:
    assert read_study(BARE + "engine: {model: ase.calculators.emt:EMT}\n").engine.model.endswith(":EMT")


def test_the_shipped_study_compares_with_the_intact_polymer() -> None:
    study = load_study(SHIPPED)
    assert study.system_names == ("NCM", "NCM@PVDF", "NCM@PVDF-HF")
    assert study.reference == "NCM@PVDF"


ENSEMBLE = BARE + "ensemble: {orderings: 4, placements: 1, lithium: [1.0, 0.5], models: [chgnet, emt]}\n"
BESIDE = BARE + (
    "energetics: {reactions: [PVDF-HF], molecules: {}}\nkinetics: {directions: 6, dimensions: 2}\n"
    "published: {source: somebody, barriers: [{system: NCM, barrier: 0.5}], differs: [all]}\n"
)


@pytest.mark.parametrize(
    "text", [SHIPPED.read_text(), BARE, ENSEMBLE, BESIDE], ids=["shipped", "bare", "ensemble", "beside"]
)
def test_the_template_gives_the_study_back_and_names_every_field(text: str) -> None:
    study = read_study(text)
    page = render(study)
    assert read_study(page) == study
    assert max(map(len, page.splitlines())) <= 110
    without = {name for name in FIELDS if name.startswith(("systems.fragment.", "systems.placement."))}
    sections = ("slab", "ensemble", "energetics", "kinetics", "electrons", "published")
    left_out = tuple(f"{name}." for name in sections if getattr(study, name) is None)
    if study.energetics and study.energetics.molecules is None:
        left_out += ("energetics.molecules.",)
    of_others = {name for name in FIELDS if left_out and name.startswith(left_out)}
    for path, field in fields():
        if path in OF_ESPRESSO | OF_VASP | of_others:
            continue
        name = path.rpartition(".")[2]
        if study.systems[-1].fragment or path not in without:
            assert re.search(rf"^ *(- |# )?{name}:", page, re.M), path
            assert section_of(field.annotation) or field.description in re.sub(r"\n +# ", " ", page)


NAMES = st.from_regex(r"[^/\\\s]{1,40}", fullmatch=True).filter(str.isprintable)


@settings(deadline=None)
@given(
    NAMES,
    st.floats(8, 60),
    st.floats(0, 0.5, exclude_min=True),
    st.integers(3, 20),
    st.text(min_size=1).filter(str.isprintable),
)
def test_any_study_survives_the_template(name: str, vacuum: float, fmax: float, layers: int, weights: str) -> None:
    study = Study(
        name="any",
        surface=SurfaceSection(layers=layers, frozen_layers=layers - 2, vacuum=vacuum),
        systems=(
            SystemSection(name=name),
            SystemSection(
                name=f"{name[:38]}@F",
                fragment=FragmentSection(polymer="PVDF", eliminate="HF"),
                placement=PlacementSection(mode="bonded"),
            ),
        ),
        engine=MlipSection(weights=weights),
        neb={"fmax": fmax, "rough_fmax": 0.5},
    )
    assert read_study(render(study)) == study
    assert Study.model_validate(study.model_dump()) == study


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
CONTENT = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)


@given(st.sampled_from(sorted(FIELDS)), CONTENT)
def test_whatever_stands_in_a_field_is_taken_or_refused_in_one_line(path: str, value: Any) -> None:
    content: dict[str, Any] = {"name": "any", "systems": [{"name": "NCM"}]}
    if path.startswith("endpoints"):
        content = {"name": "any", "endpoints": {"initial": "a", "final": "b"}}
    for kind_of_engine, keys in (("espresso", OF_ESPRESSO), ("vasp", OF_VASP)):
        if path in keys:
            content["engine"] = {"kind": kind_of_engine}
    place, here = content, ""
    *sections, name = path.split(".")
    for section in sections:
        here = f"{here}.{section}".removeprefix(".")
        row = place.setdefault(section, [{}] if kind(FIELDS[here]) == "list" else {})
        place = row[0] if isinstance(row, list) else row
    place[name] = value
    file = io.StringIO()
    YAML(typ="safe", pure=True).dump(content, file)
    try:
        read_study(file.getvalue())
    except StudyError as error:
        assert str(error).splitlines() == error.problems
        assert all(len(line) < 400 for line in error.problems)


@given(st.text(alphabet=st.sampled_from("ab1:-[]{}&*!?|>'\"#%@\n\t ,.~"), max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert problems_of(text)


@pytest.mark.parametrize(
    "text",
    ["!!bool x", "name: 2020-13-45", "[" * 5000, "name: " + "1" * 5000, f"- {[['long' * 20] * 9] * 9}"],
    ids=["tag", "date", "depth", "digits", "length"],
)
def test_a_strange_file_is_one_short_line(text: str) -> None:
    (problem,) = problems_of(text)
    assert len(problem) < 300


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_says_what_it_is_and_takes(path: str) -> None:
    field = FIELDS[path]
    assert field.description
    assert allowed(field)
    if kind(field) == "number" or path == "surface.min_lengths":
        assert extra(field, "unit") in {"Å", "1/Å", "eV", "eV/Å", "eV/Å²", "1/nm²"} or path in DIMENSIONLESS
        assert allowed(field).endswith(extra(field, "unit"))


def test_an_espresso_study_of_two_endpoints_survives_the_template() -> None:
    text = (HERE.parent / "inputs" / "li2o_espresso.yaml").read_text()
    study = read_study(text)
    page = render(study)
    assert read_study(page) == study
    assert study.engine.keywords == {"tot_charge": -1, "conv_thr": 1e-6}
    assert "# Quantum ESPRESSO: pw.x for single structures" in page
    for path, field in fields(EndpointStudy):
        if not path.startswith("engine.") or path.removeprefix("engine.") in by_key(EspressoSection):
            if path in OF_VASP:  # the same key, with the words of the engine that is named
                continue
            assert re.search(rf"^ *(# )?{path.rpartition('.')[2]}:", page, re.M), path
            assert section_of(field.annotation) or field.description in re.sub(r"\n +# ", " ", page)


@pytest.mark.parametrize(
    ("make", "problems"),
    [
        (
            lambda: Study(name="any", systems=[{"nam": "NCM"}], neb={"fmax": "a"}),
            [
                "systems[0].name: is missing; allowed: 1 to 40 characters, no spaces or slashes",
                "systems[0].nam: unknown key; allowed: name, fragment, placement; did you mean 'name'?",
                "neb.fmax: 'a' is no number; allowed: greater than 0, at most 0.5 eV/Å",
            ],
        ),
        (lambda: NebSection(fmax=0.4), ["rough_fmax: 0.3 is below fmax 0.4; allowed: at least 0.4, at most 5 eV/Å"]),
        (
            lambda: PathSection(from_="idp"),
            ["from_: 'idp' is unknown; allowed: 'idpp', 'linear', 'mlip'; did you mean 'idpp'?"],
        ),
        (
            lambda: PathSection(**{"from": "idp"}),
            ["from: 'idp' is unknown; allowed: 'idpp', 'linear', 'mlip'; did you mean 'idpp'?"],
        ),
        (
            lambda: NebSection.model_validate(3),
            ["3 is no section; allowed: a section with fmax, rough_fmax, max_steps, spring, refine, verify"],
        ),
    ],
)
def test_python_is_answered_as_a_file_is(make: Any, problems: list[str]) -> None:
    with pytest.raises(StudyError) as caught:
        make()
    assert caught.value.problems == problems


def test_a_bad_study_is_refused_in_the_same_words_from_python() -> None:
    refused = []
    for path in BAD:
        try:
            content = parse_yaml(path.read_text())
            EndpointStudy(**content) if "endpoints" in content else Study(**content)
        except (StudyError, TypeError) as error:  # no YAML, or no mapping of names
            if isinstance(error, StudyError):
                assert error.problems == problems_of(path.read_text()), path
            refused.append(path.stem)
    # A field whose key in the file is no name in Python has one of its own there.
    assert {path.stem for path in BAD} - set(refused) == {"path_from_in_python"}


def test_structure_files_are_taken_relative_to_the_study(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("name: two\nendpoints: {initial: a.vasp, final: ends/b.vasp}\n")
    study = load_study(tmp_path / "study.yaml")
    assert isinstance(study, EndpointStudy)
    assert study.endpoints.initial == str(tmp_path / "a.vasp")
    assert study.endpoints.final == str(tmp_path / "ends" / "b.vasp")
    assert study.engine == MlipSection()


def test_an_engine_may_be_named_alone() -> None:
    assert read_study(BARE + "engine: espresso\n").engine == EspressoSection()


def test_every_section_is_closed_and_strict() -> None:
    sections = [Study, EndpointStudy, *(inner for field in FIELDS.values() for inner in sections_of(field.annotation))]
    assert all(issubclass(section, Section) and section.__doc__ for section in sections)


def test_the_table_has_a_row_for_every_field() -> None:
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in markdown_table().splitlines()]
    assert {len(row) for row in rows} == {6}
    assert [row[0].strip(" `").replace("[]", "") for row in rows[2:]] == [name for name, _ in fields()]
    cells = {row[0].strip(" `"): [cell.strip() for cell in row] for row in rows}
    assert cells["neb.fmax"][1:5] == ["number", "greater than 0, at most 0.5", "eV/Å", "0.05"]


def test_reading_a_study_needs_no_heavy_library() -> None:
    heavy = "pymatgen ase torch rdkit scipy numpy matplotlib"
    code = f"""
import sys, pathlib, barriers.study.file, barriers.study.template
barriers.study.template.render(barriers.study.file.load_study(pathlib.Path({str(SHIPPED)!r})))
print(*(name for name in {heavy!r}.split() if name in sys.modules))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
