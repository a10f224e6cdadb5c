"""What sections of the study file are made of: the strict section, fields with a unit, refusals of a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from barriers.study.errors import in_lines
from barriers.words import closest, show


class Section(BaseModel):
    """A section of the study file.

    Strict: a quoted ``"4"`` and a ``true`` are no numbers, an unknown key is an error, NaN and infinity are
    refused. In Python as in a file, a :class:`~barriers.study.errors.StudyError` says what is wrong, one line for each
    problem.
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

    def __init__(self, **data: Any) -> None:
        with in_lines(type(self)):
            super().__init__(**data)

    # Sections inside a section are validated as pydantic does it, so that a problem is told once, with its whole path.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Check parsed data as pydantic does, and raise a ``StudyError``."""
        with in_lines(cls):
            return super().model_validate(obj, **options)


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
StructureFile = Annotated[str, Field(pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$", json_schema_extra=takes("a path"))]


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
    return refused_line(value, f"{show(value)} {says}; allowed: {words}", at)


def refused_line(value: object, line: str, at: tuple[str | int, ...] = ()) -> ValidationError:
    """Make the error of a validator from its whole line."""
    error = PydanticCustomError("refused", "{line}", {"line": line})
    return ValidationError.from_exception_data("study", [{"type": error, "loc": at, "input": value}])
