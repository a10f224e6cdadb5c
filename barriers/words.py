"""Words of errors: a value on one line, the closest valid name, the field that is meant; and words in ASCII."""

from __future__ import annotations

import re
import reprlib
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from barriers.secrecy import hidden

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60

IN_ASCII = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "→": "->",
        "±": "+/-",
        "×": "x",
        "·": "*",
        "√": "sqrt",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
    }
    | {"°": "deg", "μ": "u", "✓": "+", "✗": "x"}
)
"""Signs that have a usual way to be written in ASCII."""


def in_ascii(text: str) -> str:
    """Write a text in ASCII so that it can still be read: Å as A, Li⁺ as Li+, Δ as Delta, 中 as its number."""
    return "".join(map(_letters, unicodedata.normalize("NFKD", text).translate(IN_ASCII)))


def _letters(letter: str) -> str:
    if letter.isascii():
        return letter
    name = unicodedata.name(letter, "")
    if name.startswith("GREEK"):
        word = name.split()[-1]
        return word.capitalize() if "CAPITAL" in name else word.lower()
    return "" if unicodedata.combining(letter) else ascii(letter)[1:-1]


def show(value: object) -> str:
    """Write a value on one short line, in the words of the file, and without a secret that is in it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = _SHORT.repr(hidden(value)) if isinstance(value, (str, list, dict)) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def closest(value: object, names: Iterable[str]) -> str:
    """Words that point to the valid name nearest to a value, or nothing."""
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(str(value)[:60].lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Put the field of the study in front of what a structure is refused for."""
    try:
        yield
    except ValueError as error:
        said = str(error).removeprefix(f"{field.rpartition('.')[2]}: ")
        joint = "." if re.match(r"[a-z_]+: ", said) else ": "
        raise ValueError(f"{field}{joint}{said}") from error
