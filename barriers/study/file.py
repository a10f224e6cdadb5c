"""Read a study file: every problem in it at once, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from barriers.study.fields import allowed, by_key, choices, item, sections_of
from barriers.study.models import EndpointStudy, Study
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


Form = TypeVar("Form", bound=BaseModel)


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


def load_study(path: Path | str) -> Study | EndpointStudy:
    """Read and check a study file.

    Structure files that it names are taken relative to its folder.

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
    study = read_study(yaml_text(path))
    if isinstance(study, Study):
        if study.cathode.file is None:
            return study
        cathode = study.cathode.model_copy(update={"file": str(path.parent / study.cathode.file)})
        return study.model_copy(update={"cathode": cathode})
    files = {which: str(path.parent / file) for which, file in study.endpoints.model_dump().items()}
    return study.model_copy(update={"endpoints": study.endpoints.model_copy(update=files)})


def yaml_text(path: Path) -> str:
    """Read the text of a YAML file; a :class:`StudyError` says why it cannot be read."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StudyError([f"{path}: byte {error.start} is not UTF-8; allowed: a YAML file in UTF-8"]) from None
    except OSError as error:
        raise StudyError([f"{path}: {error.strerror}; allowed: a YAML file in UTF-8"]) from None


def read_study(text: str) -> Study | EndpointStudy:
    """Check the text of a study file, as :func:`load_study` does: one that names ``endpoints`` is about them alone."""
    content = parse_yaml(text)
    endpoints = isinstance(content, dict) and "endpoints" in content
    return validate(content, EndpointStudy) if endpoints else validate(content, Study)


def validate(content: Any, form: type[Form], context: Any = None) -> Form:
    """Check what a file holds against the section it has to be.

    Parameters
    ----------
    content : Any
        As parsed.
    form : type
        Model of the whole file.
    context : Any
        What its validators need to know besides.

    Raises
    ------
    StudyError
        With every problem, one line each.
    """
    if not isinstance(content, dict):
        what = "the file is empty" if content is None else f"the file: {show(content)} is no section"
        raise StudyError([f"{what}; allowed: a section with {', '.join(by_key(form))}"])
    try:
        return form.model_validate(content, by_alias=True, by_name=False, context=context)
    except ValidationError as error:
        details = error.errors(include_url=False)
    # pydantic leaves broken entries out of a list and may then call it too short.
    inside = {detail["loc"][:-depth] for detail in details for depth in range(1, len(detail["loc"]))}
    raise StudyError([_line(detail, form) for detail in details if detail["loc"] not in inside])


def parse_yaml(text: str) -> Any:
    """Parse YAML; a :class:`StudyError` says where it is none."""
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


@contextmanager
def naming_lines(what: Path | str) -> Iterator[None]:
    """Put the file or the key in front of every line of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError("\n".join(f"{what}: {line}" for line in str(error).splitlines())) from None


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
    field = by_key(_locate(loc[:last], form)[0])[str(loc[last])]
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
        if isinstance(part, str) and (field := by_key(section).get(part)):
            inner = sections_of(field.annotation)
            section = inner[0] if inner else section
            kinds = {each.model_fields["kind"].default: each for each in inner} if len(inner) > 1 else {}
    return section, parts
