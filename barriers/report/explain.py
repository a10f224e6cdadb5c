"""What calculations were computed from, as tables, and what two of them differ in, in words."""

from __future__ import annotations

import re
from typing import Any

from rich.table import Table

from barriers.contents import flat
from barriers.dispatch.explain import Explained

WORDS = {
    "computes": "another kind of calculation",
    "engine": "another engine",
    "schema": "made by a version of barriers with other documents",
    "scope": "another owner or study",
    "potential › weights": "other weights",
    "potential › source": "another source of the calculator",
}
"""What it means that a part differs."""

BEGINNINGS = {
    "settings": "another setting",
    "tolerances": "another tolerance",
    "pseudopotentials": "another pseudopotential, or other cutoffs",
    "POTCARs": "another POTCAR",
    "potential": "another model",
    "input set": "another setting of the input set",
    "inputs": "another input",
}
"""The same by the beginning of the part."""

STRUCTURE = re.compile(r"(.*[A-Z][a-z]?\d+) [0-9a-f]{16}")


def explained_table(one: Explained) -> Table:
    """Write what a calculation was computed from, a row for each part."""
    table = Table("Part", "Value", title=f"{one.name}, key {one.key}", title_justify="left")
    for part, value in parts(one).items():
        table.add_row(part, _word(value))
    return table


def listed_table(found: list[Explained]) -> Table:
    """List calculations, to choose one from."""
    table = Table("Key", "Job", "Kind", "System", "Hop")
    for each in found:
        table.add_row(each.key, each.name, each.kind, each.system, each.hop)
    return table


def differences_table(one: Explained, other: Explained) -> Table:
    """Write the parts that two calculations differ in, side by side, and what each means."""
    table = Table("Part", f"{one.name} ({one.key})", f"{other.name} ({other.key})", "That is")
    for row in difference_rows(one, other):
        table.add_row(row["part"], _word(row["first"]), _word(row["second"]), row["is"])
    return table


def difference_rows(one: Explained, other: Explained) -> list[dict[str, Any]]:
    """Parts that two calculations differ in: part, both values (None where it is not there), and what it means."""
    first, second = parts(one), parts(other)
    return [
        {"part": part, "first": first.get(part), "second": second.get(part), "is": _meaning(part, first, second)}
        for part in {**first, **second}
        if first.get(part) != second.get(part)
    ]


def parts(one: Explained) -> dict[str, Any]:
    """Contents of a calculation laid out side by side.

    Raises
    ------
    ValueError
        If they were not noted.
    """
    if not one.contents:
        raise ValueError(
            f"{one.name}, key {one.key}: computed by an earlier version of barriers, which did not note what from"
        )
    return flat(one.contents)


def _meaning(part: str, first: dict[str, Any], second: dict[str, Any]) -> str:
    formulas = [found[1] for value in (first.get(part), second.get(part)) if (found := STRUCTURE.fullmatch(str(value)))]
    if len(formulas) == 2:
        return "the same atoms elsewhere" if formulas[0] == formulas[1] else "other atoms"
    return WORDS.get(part) or BEGINNINGS.get(part.split(" › ", maxsplit=1)[0], "another value")


def _word(value: Any) -> str:
    return "not there" if value is None else str(value)
