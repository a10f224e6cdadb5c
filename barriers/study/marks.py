"""Annotations of fields whose values a type and limits do not describe: names on file, and mappings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from ruamel.yaml import YAML

from barriers.structures.data import load_data
from barriers.study.fields import refusal, refused_line
from barriers.words import closest


@cache
def names_on_file(table: str) -> tuple[str, ...]:
    """Names in a data table: ``cathodes``, ``polymers`` or ``models``; or of the files in a folder of an engine."""
    if "/" in table:
        folder = files("barriers") / "engines" / table
        return tuple(sorted(path.name.removesuffix(".yaml") for path in folder.iterdir()))
    if table == "models":
        text = (files("barriers") / "engines/mlip/models.yaml").read_text("utf-8")
        return tuple(YAML(typ="safe").load(text))
    return tuple(load_data(table))


def eliminations(polymer: str) -> tuple[str, ...]:
    """Molecules that can be eliminated from a polymer on file."""
    return tuple(load_data("polymers")[polymer]["eliminations"])


def is_class(text: str) -> None:
    """Refuse what is no ``module:Class``."""
    module, _, name = text.partition(":")
    if not (name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise ValueError("is not on file")


def is_formula(text: str) -> None:
    """Refuse what is no formula of a layered oxide."""
    if not text.startswith("Li"):
        raise ValueError("is not on file")
    from barriers.structures.cathode.crystal import metals_of

    metals_of(text)


def is_repeat_unit(text: str) -> None:
    """Refuse what is no SMILES of a repeat unit."""
    if "*" not in text:
        raise ValueError("is not on file")
    from barriers.structures.polymer.fragment import find_polymer

    find_polymer(text)


def is_equation(text: str) -> None:
    """Refuse what is no equation of a reaction between species that are known."""
    if not any(arrow in text for arrow in ("->", "→", "=")):
        raise ValueError("is not on file")
    from barriers.structures.polymer.species import build_species, check_reaction, parse_reaction

    reaction = parse_reaction(text)
    check_reaction(reaction, {name: build_species(name) for name in reaction.species})


@dataclass(frozen=True)
class OnFile:
    """Annotation of a text field: a name in a data table, or what else is taken.

    Attributes
    ----------
    table : str
        ``cathodes``, ``polymers`` or ``models``.
    otherwise : str
        What a text that is not on file may be, in words.
    accept : callable
        Raises ``ValueError`` with what is wrong with such a text.
    """

    table: str
    otherwise: str = ""
    accept: Callable[[str], None] | None = None

    def takes(self) -> str:
        """Say which names are allowed."""
        return ", ".join(names_on_file(self.table)) + (f", or {self.otherwise}" if self.otherwise else "")

    def check(self, value: str) -> str:
        """Return the name, or raise the refusal."""
        if value in names_on_file(self.table):
            return value
        try:
            if self.accept is None:
                raise ValueError("is not on file")
            self.accept(value)
        except ValueError as error:
            says = str(error)
            if "; allowed: " in says:  # the whole line, after the name of a field
                raise refused_line(value, says.partition(": ")[2]) from None
            says = says.partition(f"{value!r} ")[2] or says
            raise refusal(value, says, self.takes() + closest(value, names_on_file(self.table))) from None
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


@dataclass(frozen=True)
class ByElement:
    """Annotation of a field that holds a number for each element, within limits."""

    low: float
    high: float
    unit: str
    is_mapping: ClassVar[bool] = True

    def takes(self) -> str:
        """Say what is allowed."""
        return f"elements with {self.low:g} to {self.high:g} {self.unit}"

    def check(self, value: Any) -> dict[str, float] | None:
        """Return the numbers, or raise the refusal."""
        if value is None:
            return None
        if not isinstance(value, dict):
            raise refusal(value, "is no section", self.takes())
        for element, number in value.items():
            if not (isinstance(element, str) and re.fullmatch("[A-Z][a-z]?", element)):
                raise refusal(element, "is no element", self.takes())
            if isinstance(number, bool) or not isinstance(number, int | float) or not self.low <= number <= self.high:
                raise refusal(number, f"for {element} does not fit", self.takes())
        return {element: float(number) for element, number in value.items()}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


@dataclass(frozen=True)
class Keywords:
    """Annotation of a field that holds keywords of a code, each a number, a text, true or false."""

    is_mapping: ClassVar[bool] = True

    def takes(self) -> str:
        """Say what is allowed."""
        return "keywords with a number, a text, true or false"

    def check(self, value: Any) -> dict[str, Any]:
        """Return the keywords, or raise the refusal."""
        if not isinstance(value, dict):
            raise refusal(value, "is no section", self.takes())
        for keyword, content in value.items():
            if not (isinstance(keyword, str) and re.fullmatch(r"[A-Za-z]\w*(\(\d+\))?", keyword)):
                raise refusal(keyword, "is no keyword", self.takes())
            finite = isinstance(content, bool | int) or (isinstance(content, float) and math.isfinite(content))
            if not finite and not (isinstance(content, str) and content.isprintable()):
                raise refusal(content, f"for {keyword} does not fit", self.takes())
        return dict(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)
