"""A comparison as a LaTeX ``tabular`` with the rules of booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from barriers.report.corrected import Cells

SIGNS = {
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


def latex(text: str) -> str:
    """Escape a name for LaTeX."""
    return "".join(SIGNS.get(sign, sign) for sign in text)


def names_of(rows: Sequence[Cells]) -> list[str]:
    """Columns of names: the hop's only where there are several."""
    return ["system", "hop"] if len({row["hop"] for row in rows}) > 1 else ["system"]


def tabular(
    rows: Sequence[Cells],
    comments: Sequence[str],
    formats: Sequence[str],
    headings: Sequence[str],
    cells: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
) -> str:
    """Put a table together; why a number is missing is said in comments.

    Parameters
    ----------
    rows : sequence of Cells
        Rows of the comparison, for their names and reasons.
    comments : sequence of str
        Lines before the table, first of all which packages it needs.
    formats, headings : sequence of str
        Of each column of numbers.
    cells : sequence of sequences of str
        Numbers of each row, as LaTeX reads them.
    notes : sequence of str
        Sentences below the last rule.
    """
    names = names_of(rows)
    reasons = [f"{row['system']} {row['hop']}: {row['reason']}" for row in rows if row["reason"]]
    below = rf"\multicolumn{{{len(names) + len(headings)}}}{{p{{0.9\linewidth}}}}"
    lines = [
        *(f"% {' '.join(line.split())}" for line in (*comments, *reasons)),
        rf"\begin{{tabular}}{{{'l' * len(names)}{''.join(formats)}}}",
        r"\toprule",
        " & ".join([*(name.capitalize() for name in names), *headings]) + r" \\",
        r"\midrule",
        *(
            " & ".join([*(latex(row[name] or "") for name in names), *numbers]) + r" \\"
            for row, numbers in zip(rows, cells, strict=True)
        ),
        r"\bottomrule",
        *(rf"{below}{{\footnotesize {latex(note)}.}} \\" for note in notes),
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"
