"""What a value is, in a form that does not change with where, when and by which version it was written down.

Keys of calculations, names of checkpoints and comparisons of results all rest on this one form.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
from monty.json import MontyEncoder
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from pymatgen.core import IStructure

from barriers.structures.digest import DECIMALS, rounded, structure_digest

DIGITS = 12
"""Significant digits of a number in settings."""


def digest(content: Any) -> str:
    """SHA-256 of :func:`canonical` content."""
    return hashlib.sha256(json.dumps(canonical(content), sort_keys=True).encode()).hexdigest()


def canonical(value: Any, decimals: int | None = None) -> Any:
    """Write a value down as plain JSON, such that what is equal is written alike.

    Structures become their :func:`~barriers.structures.digest.structure_digest`, and what has a method ``identity``
    what that says. Of other models and dataclasses the fields count that differ from their defaults, so that a new
    field left at its default changes nothing; modules and versions do not count. Numbers have :data:`DIGITS`
    significant digits; those of this package's own models, which are in Å and eV, are rounded as structures are.

    Parameters
    ----------
    value : Any
        Anything that monty can encode.
    decimals : int or None
        Round to so many decimals too.

    Raises
    ------
    TypeError
        If it cannot be encoded.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return _number(value, decimals)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        counted = {str(key): item for key, item in value.items() if key not in ("@module", "@version")}
        return {key: canonical(item, decimals) for key, item in counted.items()}
    if isinstance(value, list | tuple):
        return [canonical(item, decimals) for item in value]
    own = isinstance(value, BaseModel) and type(value).__module__.partition(".")[0] == __name__.partition(".")[0]
    return canonical(_opened(value), DECIMALS if own else decimals)


def unlike_default(value: Any) -> dict[str, Any]:
    """Fields of a dataclass or a pydantic model that differ from their defaults.

    A property in the place of a field, as atomate2 0.1.6 has it, is no default to compare with.
    """
    if isinstance(value, BaseModel):
        known = type(value).model_fields
        defaults = {name: field.get_default(call_default_factory=True) for name, field in known.items()}
    else:
        defaults = {
            field.name: field.default if field.default_factory is MISSING else field.default_factory()
            for field in fields(value)
        }
    return {
        name: getattr(value, name)
        for name, default in defaults.items()
        if default is MISSING
        or default is PydanticUndefined
        or isinstance(default, property)
        or canonical(getattr(value, name)) != canonical(default)
    }


def flat(content: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Lay nested mappings out side by side: ``incar › common › ENCUT``."""
    laid: dict[str, Any] = {}
    for name, value in content.items():
        inner = isinstance(value, Mapping) and value
        laid |= flat(value, f"{before}{name} › ") if inner else {f"{before}{name}": value}
    return laid


def _is_reference(value: Any) -> bool:
    """Whether a value stands for a job's output; without jobflow in this process there is none."""
    return "jobflow" in sys.modules and isinstance(value, sys.modules["jobflow"].OutputReference)


def _opened(value: Any) -> Any:
    """Take a value apart once, or give the short form that stands for it."""
    if isinstance(value, IStructure):
        return structure_digest(value)
    if _is_reference(value):
        return {"output of": value.uuid, "attributes": value.attributes}
    if callable(identity := getattr(value, "identity", None)):
        return identity()
    if isinstance(value, BaseModel):
        return unlike_default(value)
    if "__dataclass_fields__" in vars(type(value)):  # a subclass that is none itself has fields of its own kind
        return {"@class": type(value).__qualname__, **unlike_default(value)}
    return MontyEncoder().default(value)


def _number(value: float, decimals: int | None) -> float:
    number = value if decimals is None else rounded(value, decimals)
    short = float(f"{number:.{DIGITS}g}")
    return int(short) if short.is_integer() else short
