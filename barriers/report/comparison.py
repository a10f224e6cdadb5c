"""The comparison of a study as CSV, JSON and LaTeX: the numbers of the terminal's table, digit for digit."""

from __future__ import annotations

import json
from pathlib import Path

from barriers.documents import StudyDoc
from barriers.report.corrected import POINTS, Cells, plus_minus, points_of
from barriers.report.tables import comparison_rows, write_rows
from barriers.report.trust import model_lines
from barriers.report.uncertainty import meaning

TEXTS = ("system", "hop", "reason")
"""Columns that are no numbers."""

LATEX_SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "→": r"$\rightarrow$",
    "⁺": r"$^{+}$",
    "−": r"$-$",
    "±": r"$\pm$",
    "–": "--",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
"""What LaTeX reads as a command, or what its standard fonts lack, and how it is written instead."""


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
    several = len({row["hop"] for row in rows}) > 1
    corrected = any(row["points_ends"] for row in rows)
    headings = ["System", *(["Hop"] if several else []), "Forward", "Reverse", "Span", rf"$\Delta$ {study.which}"]
    headings += ["Raw", POINTS, "Model calls"] if corrected else []
    reasons = [f"% {row['system']} {row['hop']}: {row['reason']}" for row in rows if row["reason"]]
    lines = [
        r"% \usepackage{booktabs}; energies in eV",
        *(" ".join(reason.split()) for reason in reasons),
        rf"\begin{{tabular}}{{{'l' * (1 + several)}{'r' * (len(headings) - 1 - several)}}}",
        r"\toprule",
        " & ".join(headings) + r" \\",
        r"\midrule",
        *(" & ".join(_latex_cells(row, several, corrected, study.reference)) + r" \\" for row in rows),
        r"\bottomrule",
        *(_latex_note(line, len(headings)) for line in (meaning(study), *model_lines(study.barriers))),
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def write_comparison(study: StudyDoc, folder: Path) -> list[Path]:
    """Write ``comparison.csv``, ``comparison.json`` and ``comparison.tex`` into a folder."""
    table, document, typeset = (folder / f"comparison.{ending}" for ending in ("csv", "json", "tex"))
    write_rows(comparison_rows(study), table)
    document.write_text(comparison_json(study), "utf-8")
    typeset.write_text(comparison_latex(study), "utf-8")
    return [table, document, typeset]


def latex(text: str) -> str:
    """Escape a name for LaTeX."""
    return "".join(LATEX_SIGNS.get(sign, sign) for sign in text)


def _latex_cells(row: Cells, several: bool, corrected: bool, reference: str) -> list[str]:
    names = [latex(row[name] or "") for name in (("system", "hop") if several else ("system",))]
    difference = _latex_number(row["difference"], row["difference_uncertainty"])
    return [
        *names,
        _latex_number(row["forward"], plus_minus(row)),
        _latex_number(row["reverse"]),
        _latex_number(row["span"]),
        "reference" if row["system"] == reference else difference,
        *(map(_latex_number, (row["raw"], points_of(row), row["model_calls"])) if corrected else ()),
    ]


def _latex_note(line: str, columns: int) -> str:
    return rf"\multicolumn{{{columns}}}{{p{{0.9\linewidth}}}}{{\footnotesize {latex(line)}.}} \\"


def _latex_number(text: str | None, uncertainty: str | None = None) -> str:
    if text is None:
        return "---"
    return f"${text}$" if uncertainty is None else rf"${text} \pm {uncertainty}$"
