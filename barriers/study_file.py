"""Read a study file: every problem in it at once, one line each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from barriers.study import Study
from barriers.study_fields import allowed, choices, closest, item, section_of, show

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


def load_study(path: Path | str) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : Path or str
        A YAML file in UTF-8.

    Raises
    ------
    StudyError
        With every problem of the file, one line each.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StudyError([f"{path}: byte {error.start} is not UTF-8; allowed: a YAML file in UTF-8"]) from None
    except OSError as error:
        raise StudyError([f"{path}: {error.strerror}; allowed: a YAML file in UTF-8"]) from None
    return read_study(text)


def read_study(text: str) -> Study:
    """Check the text of a study file, as :func:`load_study` does."""
    content = _parse(text)
    if not isinstance(content, dict):
        what = "the file is empty" if content is None else f"the file: {show(content)} is no section"
        raise StudyError([f"{what}; allowed: a section with {', '.join(Study.model_fields)}"])
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
    # pydantic leaves broken entries out of a list and may then call it too short.
    inside = {detail["loc"][:-depth] for detail in details for depth in range(1, len(detail["loc"]))}
    raise StudyError([_line(detail) for detail in details if detail["loc"] not in inside])


def _parse(text: str) -> Any:
    # The pure reader follows YAML 1.2 (`NO` and `1:30` are text) and refuses a key that stands twice.
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        problem = ", ".join(part.splitlines()[0] for part in (error.context, error.problem) if part)
        if twice := re.search(r'found duplicate key "(.*?)" with', problem):
            problem = f"key {twice[1]!r} stands twice; allowed: each key once"
        where = error.problem_mark or error.context_mark
        at = f"line {where.line + 1}, column {where.column + 1}: " if where else ""
        raise StudyError([f"{at}{problem}"]) from None
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise StudyError([f"the file is no YAML: {str(error).splitlines()[0]}"]) from None


def _line(error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        keys = _section_at(error["loc"][:-1]).model_fields
        key = error["loc"][-1] if kind == "extra_forbidden" else str(value)
        path = _path((*error["loc"][:-1], str(key)))
        return f"{path}: unknown key; allowed: {', '.join(keys)}{closest(key, keys)}"
    if kind == "refused":
        return f"{_path(error['loc'])}: {error['msg']}"
    field = _field_at(error["loc"])
    if kind == "missing" and isinstance(error["loc"][-1], str):
        return f"{_path(error['loc'])}: is missing; allowed: {allowed(field)}"
    if kind == "missing":
        return _line({**error, "type": "too_short", "loc": error["loc"][:-1]})
    says = _SAYS.get(kind, "does not fit")
    if kind == "string_type" and not isinstance(value, (list, dict, NoneType)):
        says += " (put it in quotes)"
    near = closest(value, choices(field)) if kind == "literal_error" else ""
    return f"{_path(error['loc'])}: {show(value)} {says}; allowed: {allowed(field)}{near}"


def _path(loc: Sequence[str | int]) -> str:
    path = ""
    for part in loc:
        plain = isinstance(part, int) or re.fullmatch(r"[\w-]+", part)
        path += f"[{part}]" if isinstance(part, int) else f".{part if plain else show(part)}"
    return path.removeprefix(".")


def _field_at(loc: Sequence[str | int]) -> FieldInfo:
    names = [part for part in loc if isinstance(part, str)]
    field = _section_at(names[:-1]).model_fields[names[-1]]
    return item(field) if isinstance(loc[-1], int) else field


def _section_at(loc: Sequence[str | int]) -> type[BaseModel]:
    section: type[BaseModel] = Study
    for part in loc:
        if isinstance(part, str):
            inner = section_of(section.model_fields[part].annotation)
            assert inner is not None, f"{part} holds no section"
            section = inner
    return section
