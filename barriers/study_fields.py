"""What can be said of a field of the study file: its unit, what it takes, and names that must be on file.

The models (:mod:`barriers.study`) refuse values with it; error messages, the template and the docs say what
is allowed with it, so they never disagree.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from ruamel.yaml import YAML

from barriers.structures.data import load_data

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60

_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}


class Section(BaseModel):
    """A section of the study file.

    Strict: a quoted ``"4"`` and a ``true`` are no numbers, an unknown key is an error, NaN and infinity are
    refused.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def unit(text: str) -> dict[str, Any]:
    """Attach a unit to a field."""
    return {"unit": text}


def takes(text: str) -> dict[str, Any]:
    """Attach words for what a field takes, where types and limits do not say it."""
    return {"takes": text}


Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Angstrom = Annotated[float, Field(json_schema_extra=unit("Å"))]
Force = Annotated[float, Field(json_schema_extra=unit("eV/Å"))]


def show(value: object) -> str:
    """Write a value on one short line, in the words of the file."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = _SHORT.repr(value) if isinstance(value, (str, list, dict)) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def closest(value: object, names: Iterable[str]) -> str:
    """Words that point to the valid name nearest to a value, or nothing."""
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(str(value)[:60].lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def refusal(value: object, says: str, allowed: str | Sequence[str], at: tuple[str | int, ...] = ()) -> ValidationError:
    """Make the error of a validator: one line with the value, what is allowed and the closest name.

    Parameters
    ----------
    value : object
        What stands in the file.
    says : str
        What is wrong with it, e.g. ``is not on file``.
    allowed : str or sequence of str
        In words, or the valid names.
    at : tuple of str or int
        Where the value stands below the section or field that is validated.
    """
    words = allowed if isinstance(allowed, str) else ", ".join(allowed) + closest(value, allowed)
    line = PydanticCustomError("refused", "{line}", {"line": f"{show(value)} {says}; allowed: {words}"})
    return ValidationError.from_exception_data("study", [{"type": line, "loc": at, "input": value}])


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


@dataclass(frozen=True)
class OnFile:
    """Annotation of a text field: a name in a data table, or ``module:Class`` where allowed."""

    table: str
    or_class: bool = False

    def takes(self) -> str:
        """Say which names are allowed."""
        return ", ".join(names_on_file(self.table)) + (", or module:Class" if self.or_class else "")

    def check(self, value: str) -> str:
        """Return the name, or raise the refusal."""
        module, colon, name = value.partition(":")
        is_class = colon and name.isidentifier() and all(part.isidentifier() for part in module.split("."))
        if value in names_on_file(self.table) or (self.or_class and is_class):
            return value
        raise refusal(value, "is not on file", self.takes() + closest(value, names_on_file(self.table)))

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


@dataclass(frozen=True)
class ByElement:
    """Annotation of a field that holds a number for each element, within limits."""

    low: float
    high: float
    unit: str

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


def by_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section under the names they have in the file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def sections_of(annotation: Any) -> list[type[BaseModel]]:
    """List the models inside an annotation; more than one in a union of engines."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in sections_of(part)]


def section_of(annotation: Any) -> type[BaseModel] | None:
    """First model inside an annotation such as ``Section``, ``Section | None`` or ``tuple[Section, ...]``."""
    return next(iter(sections_of(annotation)), None)


def extra(field: FieldInfo, key: str) -> str:
    """Text attached to a field by :func:`unit` or :func:`takes`, empty without."""
    attached = field.json_schema_extra
    return str(attached.get(key, "")) if isinstance(attached, dict) else ""


def kind(field: FieldInfo) -> str:
    """Type of a field in the words of the docs: ``number``, ``choice``, ``list``, ``section`` and so on."""
    if get_origin(field.annotation) is tuple:
        return "list"
    if section_of(field.annotation):
        return "section"
    if any(isinstance(mark, ByElement | Keywords) for mark in field.metadata):
        return "mapping"
    types = (field.annotation, *get_args(field.annotation))
    return next((_KINDS[part] for part in types if part in _KINDS), "choice")


def item(field: FieldInfo) -> FieldInfo:
    """Entry of a list as a field of its own."""
    return FieldInfo.from_annotation(get_args(field.annotation)[0])


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Texts a field chooses from, empty where it is open."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def limits(field: FieldInfo) -> str:
    """Range of a number with its unit, e.g. ``greater than 0, at most 0.5 eV/Å``."""
    low, high = "", ""
    for bound in field.metadata:
        if isinstance(bound, Ge):
            low = f"{bound.ge} to"
        elif isinstance(bound, Gt):
            low = f"greater than {bound.gt},"
        elif isinstance(bound, Le):
            high = str(bound.le) if low.endswith("to") else f"at most {bound.le}"
        elif isinstance(bound, Lt):
            high = f"less than {bound.lt}"
    return f"{low} {high} {extra(field, 'unit')}".strip()


def allowed(field: FieldInfo) -> str:
    """Say what a field takes, e.g. ``'forward', 'reverse', 'span'`` or ``2 to 20``."""
    if text := extra(field, "takes"):
        return text
    if section := section_of(field.annotation):
        many = "a list of sections" if get_origin(field.annotation) is tuple else "a section"
        return f"{many} with {', '.join(by_key(section))}"
    if get_origin(field.annotation) is tuple:
        return f"a list of {len(get_args(field.annotation))}, each {limits(item(field))}"
    if options := choices(field):
        return ", ".join(map(repr, options))
    on_file = [mark.takes() for mark in field.metadata if isinstance(mark, OnFile | ByElement | Keywords)]
    return on_file[0] if on_file else "true, false" if field.annotation is bool else limits(field)
