"""The comparison in the terminal, as CSV, JSON and LaTeX: the same numbers, with the digits they deserve."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from stored import REASON, study_of

from barriers.documents import StudyDoc
from barriers.report.comparison import comparison_latex, write_comparison
from barriers.report.latex import latex
from barriers.report.numbers import decimals, written, written_uncertainty
from barriers.report.tables import comparison_rows, study_table

NAMES = ("NCM", "NCM@PVDF_50%", "NCM@PVDF-HF&x", "NCM{#1}~^\\$")
NUMBERS = ("forward", "fit_spread", "reverse", "span", "difference", "difference_uncertainty")
VALUES = ((0.433, 0.0003), (0.483, 0.004), (0.533, 0.03), (None, 0.0))
"""Forward barrier and fit spread of the four systems (eV); the last has no barrier."""


def example_study(hops: tuple[str, ...] = ("sub-surface",)) -> StudyDoc:
    return study_of(dict(zip(NAMES, VALUES, strict=True)), hops)


def terminal(study: StudyDoc) -> list[list[str]]:
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        console.print(study_table(study))
    lines = [line for line in captured.get().splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def numbers(text: str) -> list[str]:
    return re.findall(r"[-+]?\d+\.\d+", text.replace("−", "-"))


@pytest.mark.parametrize("hops", [("sub-surface",), ("a_b", "surface→")])
def test_all_formats_hold_the_same_numbers(hops: tuple[str, ...], tmp_path: Path) -> None:
    study = example_study(hops)
    table, document, typeset = write_comparison(study, tmp_path)
    expected = [[row[name] for name in NUMBERS] for row in comparison_rows(study)]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [[row[name] or None for name in NUMBERS] for row in rows] == expected
    stored = json.loads(document.read_text("utf-8"), parse_float=Decimal)["rows"]
    as_numbers = [[cell if cell is None else Decimal(cell) for cell in row] for row in expected]
    assert [[row[name] for name in NUMBERS] for row in stored] == as_numbers
    body = typeset.read_text("utf-8").split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    for row, in_terminal, in_latex in zip(expected, terminal(study), body, strict=True):
        said = [cell for cell in row if cell is not None]
        if "reference" in in_latex:  # it differs from itself by nothing
            said = said[:4]
        assert sorted(numbers(" ".join(in_terminal[1:-1]))) == sorted(said)
        assert sorted(numbers(in_latex.split("&", 1)[1])) == sorted(said)


def test_the_digits_follow_the_uncertainty() -> None:
    rows = comparison_rows(example_study())
    assert [row["forward"] for row in rows] == ["0.433", "0.483", "0.53", None]
    places = [[len(row[name].partition(".")[2]) for name in ("forward", "reverse", "span")] for row in rows[:3]]
    assert places == [[3] * 3, [3] * 3, [2] * 3]
    assert [row["fit_spread"] for row in rows] == ["0.001", "0.004", "0.03", None]
    assert [row["difference"] for row in rows] == ["+0.000", "+0.050", "+0.10", None]
    assert rows[3]["reason"] == REASON
    assert written(-0.0004, 0.001, signed=True) == "+0.000"  # no negative nothing
    assert written(1.2345, 0.3) == "1.2"
    assert written(1.2345, None) == "1.23"


@given(st.floats(-5, 5), st.floats(0, 2))
@example(0.25, 0.07)
@settings(deadline=None)
def test_rounding_costs_less_than_the_uncertainty_or_a_milli_electronvolt(value: float, uncertainty: float) -> None:
    text = written(value, uncertainty)
    assert abs(float(text) - value) <= max(uncertainty, 1e-3) / 2 * (1 + 1e-9)
    assert len(text.partition(".")[2]) == decimals(uncertainty) <= 3
    said = float(written_uncertainty(uncertainty))
    assert uncertainty - 1e-9 <= said <= max(2 * uncertainty, 1e-3)  # never understated
    if 0.001 <= uncertainty < 1:  # one significant digit of it is left, or two after a carry
        assert 1 <= round(said * 10 ** decimals(uncertainty)) <= 10


def test_latex_is_a_whole_booktabs_table_with_escaped_names() -> None:
    text = comparison_latex(example_study(("a_b", "surface→")))
    code = [line for line in text.splitlines() if not line.startswith("%")]
    columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", code[0]).group(1)
    below = code.index(r"\bottomrule")
    assert (code[1], code[-1]) == (r"\toprule", r"\end{tabular}")
    notes = code[below + 1 : -1]
    assert len(notes) == 2
    assert all(note.startswith(r"\multicolumn{6}{p{0.9\linewidth}}{\footnotesize ") for note in notes)
    assert "spread of the fits" in notes[0]
    assert "chgnet 0.3.0: trained on inorganic bulk crystals" in notes[1]
    rows = [line for line in code[:below] if line.endswith(r"\\")]
    assert len(rows) == 1 + 4 * 2
    assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {len(columns)} == {6}
    for row in rows:
        bare = re.sub(r"\\[&%$#_{}]|\\[a-zA-Z]+|\\\\", "", row)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        assert not set("%#~\\→").intersection(bare)
    assert latex(NAMES[3]) == r"NCM\{\#1\}\textasciitilde{}\textasciicircum{}\textbackslash{}\$"
    assert r"NCM@PVDF\_50\%" in text


def test_the_latex_table_compiles(tmp_path: Path) -> None:
    program = next(filter(shutil.which, ("tectonic", "pdflatex")), None)
    if program is None:
        pytest.skip("needs tectonic or pdflatex")
    table = comparison_latex(example_study(("a_b", "surface→")))
    page = rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{table}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, "utf-8")
    subprocess.run([program, "page.tex"], cwd=tmp_path, check=True, stdin=subprocess.DEVNULL)
    assert (tmp_path / "page.pdf").stat().st_size > 0
