"""What is wrong with a study file or a section, one line for each problem."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import NoneType

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from barriers.study.describe import allowed, by_any_key, by_key, choices, item, sections_of
from barriers.words import closest, show

_SAYS = {
    "bool_type": "is neither true nor false",
    "finite_number": "is no finite number",
    "float_type": "is no number",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "int_type": "is no whole number",
    "less_than": "is too large",
    "less_than_equal": "is too large",
    "literal_error": "is unknown",
    "model_attributes_type": "is no section",
    "model_type": "is no section",
    "string_pattern_mismatch": "has a character that does not fit",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
    "string_type": "is no text",
    "too_long": "has too many entries",
    "too_short": "has too few entries",
    "tuple_type": "is no list",
}


class StudyError(ValueError):
    """A study file that cannot be used.

    Attributes
    ----------
    problems : list[str]
        One line each: where in the file, the value, what is allowed, the closest valid name.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@contextmanager
def in_lines(form: type[BaseModel]) -> Iterator[None]:
    """Turn pydantic's error on a section into a :class:`StudyError`."""
    try:
        yield
    except ValidationError as error:
        details = error.errors(include_url=False)
    else:
        return
    # pydantic leaves broken entries out of a list and may then call it too short.
    inside = {detail["loc"][:-depth] for detail in details for depth in range(1, len(detail["loc"]))}
    raise StudyError([_line(detail, form) for detail in details if detail["loc"] not in inside])


def _line(error: ErrorDetails, form: type[BaseModel]) -> str:
    kind, value = error["type"], error["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        section, parts = _locate(error["loc"][:-1], form)
        keys = by_key(section)
        key = error["loc"][-1] if kind == "extra_forbidden" else str(value)
        return f"{_path([*parts, str(key)])}: unknown key; allowed: {', '.join(keys)}{closest(key, keys)}"
    _, parts = _locate(error["loc"], form)
    if kind == "refused":
        return f"{_path(parts)}: {error['msg']}"
    if not parts:
        return f"{show(value)} is no section; allowed: a section with {', '.join(by_key(form))}"
    field = _field_at(error["loc"], form)
    if kind == "missing" and isinstance(error["loc"][-1], str):
        return f"{_path(parts)}: is missing; allowed: {allowed(field)}"
    if kind == "missing":
        return _line({**error, "type": "too_short", "loc": error["loc"][:-1]}, form)
    says = _SAYS.get(kind, "does not fit")
    if kind == "string_type" and not isinstance(value, (list, dict, NoneType)):
        says += " (put it in quotes)"
    near = closest(value, choices(field)) if kind == "literal_error" else ""
    return f"{_path(parts)}: {show(value)} {says}; allowed: {allowed(field)}{near}"


def _path(parts: Sequence[str | int]) -> str:
    path = ""
    for part in parts:
        plain = isinstance(part, int) or re.fullmatch(r"[\w-]+", part)
        path += f"[{part}]" if isinstance(part, int) else f".{part if plain else show(part)}"
    return path.removeprefix(".")


def _field_at(loc: Sequence[str | int], form: type[BaseModel]) -> FieldInfo:
    last = max(number for number, part in enumerate(loc) if isinstance(part, str))
    field = by_any_key(_locate(loc[:last], form)[0])[str(loc[last])]
    return item(field) if isinstance(loc[-1], int) else field


def _locate(loc: Sequence[str | int], form: type[BaseModel]) -> tuple[type[BaseModel], list[str | int]]:
    """Section that a location leads to, and its parts as they stand in the file: a union's kind is none of them."""
    section, parts = form, list[str | int]()
    kinds: dict[str, type[BaseModel]] = {}
    for part in loc:
        if part in kinds:
            section, kinds = kinds[str(part)], {}
            continue
        parts.append(part)
        if isinstance(part, str) and (field := by_any_key(section).get(part)):
            inner = sections_of(field.annotation)
            section = inner[0] if inner else section
            kinds = {each.model_fields["kind"].default: each for each in inner} if len(inner) > 1 else {}
    return section, parts
