"""The comparison of a study as CSV, JSON and LaTeX: the numbers of the terminal's table, digit for digit."""

from __future__ import annotations

import json
from pathlib import Path

from barriers.documents import StudyDoc
from barriers.report.corrected import POINTS, Cells, plus_minus, points_of
from barriers.report.latex import tabular
from barriers.report.tables import comparison_rows, write_rows
from barriers.report.trust import model_lines
from barriers.report.uncertainty import meaning

TEXTS = ("system", "hop", "reason")
"""Columns that are no numbers."""


def comparison_json(study: StudyDoc) -> str:
    """Write the comparison as JSON, energies as numbers in eV and null where there is none."""
    rows = [
        {name: text if name in TEXTS or text is None else _number(text) for name, text in row.items()}
        for row in comparison_rows(study)
    ]
    content = {"name": study.name, "reference": study.reference, "compared": study.which, "unit": "eV", "rows": rows}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _number(text: str) -> float:
    return int(text) if text.isdecimal() else float(text)


def comparison_latex(study: StudyDoc) -> str:
    """Write the comparison as a LaTeX ``tabular`` (eV): it needs the package booktabs and nothing else.

    Each barrier has its uncertainty behind it, as has the difference. Where there are corrected ones, so have they raw
    barrier, points on ends and saddle, and calls of the model. Notes below the last rule say what ± is, and what the
    model is and cannot be trusted for. Why a number is missing is said in comments.
    """
    rows = comparison_rows(study)
    corrected = any(row["points_ends"] for row in rows)
    headings = ["Forward", "Reverse", "Span", rf"$\Delta$ {study.which}"]
    headings += ["Raw", POINTS, "Model calls"] if corrected else []
    cells = [_latex_cells(row, corrected, study.reference) for row in rows]
    notes = [meaning(study), *model_lines(study.barriers)]
    return tabular(rows, [r"\usepackage{booktabs}; energies in eV"], ["r"] * len(headings), headings, cells, notes)


def write_comparison(study: StudyDoc, folder: Path) -> list[Path]:
    """Write ``comparison.csv``, ``comparison.json`` and ``comparison.tex`` into a folder."""
    table, document, typeset = (folder / f"comparison.{ending}" for ending in ("csv", "json", "tex"))
    write_rows(comparison_rows(study), table)
    document.write_text(comparison_json(study), "utf-8")
    typeset.write_text(comparison_latex(study), "utf-8")
    return [table, document, typeset]


def _latex_cells(row: Cells, corrected: bool, reference: str) -> list[str]:
    difference = _latex_number(row["difference"], row["difference_uncertainty"])
    return [
        _latex_number(row["forward"], plus_minus(row)),
        _latex_number(row["reverse"]),
        _latex_number(row["span"]),
        "reference" if row["system"] == reference else difference,
        *(map(_latex_number, (row["raw"], points_of(row), row["model_calls"])) if corrected else ()),
    ]


def _latex_number(text: str | None, uncertainty: str | None = None) -> str:
    if text is None:
        return "---"
    return f"${text}$" if uncertainty is None else rf"${text} \pm {uncertainty}$"
