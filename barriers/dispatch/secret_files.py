"""Configuration files that may hold a password."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from barriers.secrecy import keep_secret
from barriers.study.errors import StudyError
from barriers.study.file import naming_lines, parse_yaml, yaml_text

FILLED_IN = frozenset({"password", "uri", "host"})
"""Keys whose value may be ``$NAME``."""


def read_secret_file(path: Path) -> Any:
    """Read a YAML file so that no message, now or later, quotes a secret of it.

    A ``password``, ``uri`` or ``host`` that is ``$NAME`` or ``${NAME}`` is that environment variable's value.

    Raises
    ------
    ValueError
        One line with the file, and where in it: it is no YAML, or a variable is not set.
    """
    text = yaml_text(path)
    try:
        content = parse_yaml(text)
    except StudyError as error:  # what a parser says may quote a password
        place = str(error).partition(": ")[0] if str(error).startswith("line") else "the file"
        raise ValueError(f"{path}: {place}: is no YAML; a password with signs goes in quotes") from None
    with naming_lines(path):
        filled = _filled_in(content)
    keep_secret(filled)
    return filled


def from_environment(value: Any) -> Any:
    """Give a value; one that is ``$NAME`` or ``${NAME}`` is that of an environment variable.

    Raises
    ------
    ValueError
        If the variable is not set; names the variable.
    """
    found = re.fullmatch(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", value) if isinstance(value, str) else None
    if found is None:
        return value
    name = found[1] or found[2]
    if name not in os.environ:
        raise ValueError(f"the environment variable {name} is not set")
    return os.environ[name]


def _filled_in(content: Any) -> Any:
    if not isinstance(content, dict):
        return content
    filled = {}
    for key, value in content.items():
        with naming_lines(key):
            filled[key] = from_environment(value) if key in FILLED_IN else _filled_in(value)
    return filled
