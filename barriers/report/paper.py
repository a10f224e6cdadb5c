"""The comparison of a study as tables for a manuscript: LaTeX with siunitx, and Markdown."""

from __future__ import annotations

from barriers.documents import StudyDoc
from barriers.report.corrected import Cells, plus_minus
from barriers.report.latex import names_of, tabular
from barriers.report.numbers import NONE, shown
from barriers.report.tables import comparison_rows
from barriers.report.trust import model_lines
from barriers.report.uncertainty import meaning


def table_siunitx(study: StudyDoc) -> str:
    """Write the comparison as a LaTeX ``tabular`` with siunitx's columns of numbers, aligned at the decimal point (eV).

    It needs the packages booktabs and siunitx. A standard deviation stands in parentheses, in units of the last digit:
    0.413(2). What ± is, and what the model is and cannot be trusted for, stands in comments.
    """
    rows = comparison_rows(study)
    numbers = _numbers(study)
    cells = [[_number(text, spread) for text, spread in _energies(row, study)][: len(numbers)] for row in rows]
    formats = [_format(list(column)) for column in zip(*cells, strict=True)]
    headings = [rf"{{$\Delta$ {study.which}}}" if name == "difference" else f"{{{name}}}" for name in numbers]
    packages = r"\usepackage{booktabs, siunitx}; energies in eV, one standard deviation in parentheses"
    return tabular(rows, [packages, meaning(study), *model_lines(study.barriers)], formats, headings, cells)


def table_markdown(study: StudyDoc) -> str:
    """Write the comparison as a Markdown table (eV), what is to be known of its numbers below it."""
    rows = comparison_rows(study)
    names, numbers = names_of(rows), _numbers(study)
    headings = [f"Δ {study.which}" if name == "difference" else name.capitalize() for name in (*names, *numbers)]
    lines = [headings, ["---"] * len(names) + ["---:"] * len(numbers)]
    for row in rows:
        energies = [_signed(text, spread) for text, spread in _energies(row, study)][: len(numbers)]
        lines.append([*((row[name] or "").replace("|", r"\|") for name in names), *energies])
    notes = [meaning(study), *model_lines(study.barriers)]
    notes += [f"{row['system']} {row['hop']}".rstrip() + f": {row['reason']}" for row in rows if row["reason"]]
    return (
        "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", f"Energies in eV. {'. '.join(notes)}."]) + "\n"
    )


def _numbers(study: StudyDoc) -> list[str]:
    """Columns of numbers: differences where there are several systems."""
    return ["forward", "reverse", "span", *(["difference"] if len({row.system for row in study.rows}) > 1 else [])]


def _energies(row: Cells, study: StudyDoc) -> list[tuple[str | None, str | None]]:
    """Numbers of a row as they are written, each with its standard deviation where it has one."""
    compared = (
        ("reference", None) if row["system"] == study.reference else (row["difference"], row["difference_uncertainty"])
    )
    return [(row["forward"], plus_minus(row)), (row["reverse"], None), (row["span"], None), compared]


def _number(text: str | None, spread: str | None) -> str:
    """Write a number for siunitx, ``0.413(2)``; what is none, in braces."""
    if text is None or text == "reference":
        return "{---}" if text is None else f"{{{text}}}"
    if spread is None:
        return text
    places = max(len(one.partition(".")[2]) for one in (text, spread))
    return f"{float(text):{'+' if text[0] == '+' else ''}.{places}f}({round(float(spread) * 10**places)})"


def _format(cells: list[str]) -> str:
    """Give siunitx's column for cells: how many digits stand before and after the point, and in parentheses."""
    numbers = [cell for cell in cells if not cell.startswith("{")]
    values, spreads = (
        zip(*(cell.rstrip(")").partition("(")[::2] for cell in numbers), strict=True) if numbers else ((), ())
    )
    whole = max((len(value.lstrip("+-").partition(".")[0]) for value in values), default=1)
    places = max((len(value.partition(".")[2]) for value in values), default=3)
    spread = max(map(len, spreads), default=0)
    sign = next((sign for sign in "+-" if any(value.startswith(sign) for value in values)), "")
    kept = ", retain-explicit-plus" if sign == "+" else ""
    return f"S[table-format={sign}{whole}.{places}{f'({spread})' if spread else ''}{kept}]"


def _signed(text: str | None, spread: str | None) -> str:
    number = NONE if text is None else shown(text) if text[0] in "+-0123456789" else text
    return number if spread is None or number == NONE else f"{number} ± {spread}"
