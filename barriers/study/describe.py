"""What a field of the study file is, in words: its key, its type, its unit, its limits and what it takes.

Error messages, the template and the docs say it with these words, so they never disagree.
"""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_KINDS = {bool: "true or false", int: "whole number", float: "number", str: "text"}


def by_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section under the names they have in the file."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def by_any_key(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields of a section under the names they have in the file, and in Python where these differ (``from_``)."""
    return section.model_fields | by_key(section)


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
    if any(getattr(mark, "is_mapping", False) for mark in field.metadata):
        return "mapping"
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
        return f"{many} with {', '.join(by_key(section))}"
    if inside := entries(field):
        return f"a list of {len(inside)}, each {allowed(item(field))}"
    if options := choices(field):
        return ", ".join(map(repr, options))
    on_file = [mark.takes() for mark in field.metadata if hasattr(mark, "takes")]
    return on_file[0] if on_file else "true, false" if kind(field) == _KINDS[bool] else limits(field)
