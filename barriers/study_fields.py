"""What can be said of a field of the study file: its unit, what it takes, and names that must be on file.

The models (:mod:`barriers.study`) refuse values with it; error messages, the template and the docs say what
is allowed with it, so they never disagree.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def unit(text: str) -> dict[str, Any]:
    """Attach a unit to a field."""
    return {"unit": text}


def takes(text: str) -> dict[str, Any]:
    """Attach words for what a field takes, where types and limits do not say it."""
    return {"takes": text}


Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Angstrom = Annotated[float, Field(json_schema_extra=unit("Å"))]
Force = Annotated[float, Field(json_schema_extra=unit("eV/Å"))]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[^/\\\s\p{C}]+$",
        description="name in tables and figures",
        json_schema_extra=takes("1 to 40 characters, no spaces or slashes"),
    ),
]


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
    return _refused(value, f"{show(value)} {says}; allowed: {words}", at)


def _refused(value: object, line: str, at: tuple[str | int, ...] = ()) -> ValidationError:
    error = PydanticCustomError("refused", "{line}", {"line": line})
    return ValidationError.from_exception_data("study", [{"type": error, "loc": at, "input": value}])


@cache
def names_on_file(table: str) -> tuple[str, ...]:
    """Names in a data table: ``cathodes``, ``polymers`` or ``models``."""
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
                raise _refused(value, says.partition(": ")[2]) from None
            says = says.partition(f"{value!r} ")[2] or says
            raise refusal(value, says, self.takes() + closest(value, names_on_file(self.table))) from None
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Model inside an annotation such as ``Section``, ``Section | None`` or ``tuple[Section, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(section_of, get_args(annotation))), None)


def extra(field: FieldInfo, key: str) -> str:
    """Text attached to a field by :func:`unit` or :func:`takes`, empty without."""
    attached = field.json_schema_extra
    return str(attached.get(key, "")) if isinstance(attached, dict) else ""


def entries(field: FieldInfo) -> tuple[Any, ...]:
    """Annotations of a list's entries, also where the list may be left out; empty for a field that is no list."""
    options = (field.annotation, *get_args(field.annotation))
    return next((get_args(option) for option in options if get_origin(option) is tuple), ())


def kind(field: FieldInfo) -> str:
    """Type of a field in the words of the docs: ``number``, ``choice``, ``list``, ``section`` and so on."""
    if entries(field):
        return "list"
    if section_of(field.annotation):
        return "section"
    types = (field.annotation, *get_args(field.annotation))
    return next((_KINDS[part] for part in types if part in _KINDS), "choice")


def item(field: FieldInfo) -> FieldInfo:
    """Entry of a list as a field of its own."""
    return FieldInfo.from_annotation(entries(field)[0])


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Texts a field chooses from, empty where it is open."""
    options = (field.annotation, *get_args(field.annotation))
    return next((get_args(option) for option in options if get_origin(option) is Literal), ())


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
        many = "a list of sections" if entries(field) else "a section"
        return f"{many} with {', '.join(section.model_fields)}"
    if inside := entries(field):
        return f"a list of {len(inside)}, each {limits(item(field))}"
    if options := choices(field):
        return ", ".join(map(repr, options))
    on_file = [mark.takes() for mark in field.metadata if isinstance(mark, OnFile)]
    return on_file[0] if on_file else "true, false" if field.annotation is bool else limits(field)


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Put the field of the study in front of what a structure is refused for."""
    try:
        yield
    except ValueError as error:
        said = str(error).removeprefix(f"{field.rpartition('.')[2]}: ")
        joint = "." if re.match(r"[a-z_]+: ", said) else ": "
        raise ValueError(f"{field}{joint}{said}") from error
