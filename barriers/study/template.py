"""A study, or settings, as a commented YAML file, and the table of the fields for the docs: both from the models."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from barriers.study.describe import allowed, by_key, extra, kind, section_of, sections_of
from barriers.study.models import Study

_COLUMN = 30
_WIDTH = 110


def render(study: BaseModel) -> str:
    """Write a study, or any other file that a model describes, as YAML that explains itself.

    Every field is there with its description and what is allowed; one that is left out stands commented out.
    What one system or hop explains, the next does not explain again. Reading the text gives the study back.
    """
    page = _Page()
    page.lines.append(f"# {_first_line(type(study))}")
    page.section(study, indent="", spaced=True)
    return "\n".join(page.lines) + "\n"


def markdown_table(form: type[BaseModel] = Study, path: str = "") -> str:
    """Write the table of every field of the study file, in the order of the models.

    Parameters
    ----------
    form : type
        Model whose fields are listed.
    path : str
        Where it stands in the file, with a point at the end.
    """
    head = [
        "| field | type | allowed | unit | default | description |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *_rows(form, path)]) + "\n"


@dataclass
class _Page:
    """Lines written so far, and the fields explained in them."""

    lines: list[str] = field(default_factory=list)
    explained: set[tuple[type[BaseModel], str]] = field(default_factory=set)

    def section(self, section: BaseModel, indent: str, *, spaced: bool = False) -> None:
        values = section.model_dump()
        for (name, info), attribute in zip(by_key(type(section)).items(), type(section).model_fields, strict=True):
            here = type(section), name
            value = getattr(section, attribute) if values.get(name) is not None else None
            first = here not in self.explained
            if spaced:
                self.lines.append("")
            if value is not None or not section_of(info.annotation):
                self.explained.add(here)
            if value is None:
                if first:
                    self._explained(f"{indent}# {name}: ...", info)
            elif inner := section_of(info.annotation):
                if first:
                    shown = type(value) if isinstance(value, BaseModel) else inner
                    self.lines.append(f"{indent}# {_first_line(shown)}")
                self._inner(name, value, indent)
            else:
                text = f"{indent}{name}: {_yaml(value)}"
                self._explained(text, info) if first else self.lines.append(text)

    def _inner(self, name: str, value: Any, indent: str) -> None:
        self.lines.append(f"{indent}{name}:")
        if isinstance(value, BaseModel):
            self.section(value, indent + "  ")
            return
        for row in value:
            start = len(self.lines)
            self.section(row, indent + "    ")
            self.lines[start] = f"{indent}  - {self.lines[start].lstrip()}"

    def _explained(self, text: str, info: FieldInfo) -> None:
        comment = f"{info.description} ({allowed(info)})"
        wrapped = textwrap.wrap(comment, _WIDTH - _COLUMN - 2)
        self.lines.append(f"{text:<{_COLUMN}}# {wrapped[0]}" if len(text) < _COLUMN else f"{text}  # {wrapped[0]}")
        self.lines.extend(f"{'':<{_COLUMN}}# {rest}" for rest in wrapped[1:])


def _first_line(section: type[BaseModel]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _yaml(value: Any) -> str:
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.width = True, 10_000
    stream = io.StringIO()
    plain = list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    writer.dump({"": plain}, stream)
    return stream.getvalue().strip().removeprefix("{'': ").removesuffix("}")


def _rows(section: type[BaseModel], path: str) -> Iterator[str]:
    for name, info in by_key(section).items():
        inner = section_of(info.annotation)
        here = f"{path}{name}{'[]' if inner and kind(info) == 'list' else ''}"
        default = "required" if info.is_required() else "" if inner or info.default is None else _yaml(info.default)
        takes = allowed(info).removesuffix(extra(info, "unit")).strip()
        cells = (f"`{here}`", kind(info), takes, extra(info, "unit"), default, info.description or "")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
        for each in sections_of(info.annotation):
            yield from _rows(each, f"{here}.")
