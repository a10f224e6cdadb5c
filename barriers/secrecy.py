"""Secrets stay out of everything that people read: messages, tables, JSON, logs and tracebacks.

Whoever reads a file that may hold a password tells of it with :func:`keep_secret`; whoever writes words that come from
elsewhere, above all of another package's exception, passes them through :func:`hide`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"

SECRET_KEYS = re.compile(r"pass|pwd|secret|token|credential|account_?key|authmechanismproperties", re.IGNORECASE)
"""Keys of a configuration, or of a connection string, whose value is nobody else's business."""

CONNECTION_KEYS = re.compile(r"host|uri|url|address|connection", re.IGNORECASE)
"""Keys whose value may be a connection string, with or without the scheme in front."""

_CREDENTIALS = re.compile(r"(\b[a-z][\w+.-]*://)[^\s'\"<>]*@", re.IGNORECASE)
"""What stands between scheme and machine, up to the last @: signs in a password are often not encoded."""

SHORT = 6
"""Letters below which a secret is hidden where it is a word of its own only: it may be part of any other."""

_known: set[str] = set()


def keep_secret(content: Any, key: str = "") -> None:
    """Note the secrets of a configuration, so that :func:`hide` knows them from now on.

    Parameters
    ----------
    content : Any
        As parsed, variables of the environment filled in. Of a mapping, the keys say what is secret.
    key : str
        Under which it stands.
    """
    if isinstance(content, dict):
        for name, value in content.items():
            keep_secret(value, name if not SECRET_KEYS.search(key) else key)
    elif isinstance(content, list | tuple):
        for value in content:
            keep_secret(value, key)
    elif isinstance(content, str | int | float) and not isinstance(content, bool):
        text = str(content)
        secrets = [text] if SECRET_KEYS.search(key) else _in_connection(text, key)
        _known.update(spelling for secret in secrets for part in _parts(secret) for spelling in _spellings(part))


def hide(text: str) -> str:
    """Put stars in the place of every secret in a text: those that are known, and credentials in any address."""
    text = _CREDENTIALS.sub(rf"\1{HIDDEN}@", text)
    for secret in sorted(_known, key=len, reverse=True):
        edge = r"\b" if len(secret) < SHORT else ""
        text = re.sub(f"{edge}{re.escape(secret)}{edge}", HIDDEN, text)
    return text


def told(error: BaseException) -> str:
    """Put an exception in one line, secrets hidden; one without words still says where to look."""
    return hide(f"{type(error).__name__}: {str(error).strip() or 'no words with it; see error.txt or the traceback'}")


def hidden(content: Any) -> Any:
    """Copy a value as :func:`hide` does a text; in a mapping also what stands under a secret's key."""
    if isinstance(content, dict):
        return {
            key: HIDDEN if value and SECRET_KEYS.search(str(key)) else hidden(value) for key, value in content.items()
        }
    if isinstance(content, list):
        return [hidden(value) for value in content]
    return hide(content) if isinstance(content, str) else content


def _in_connection(text: str, key: str) -> list[str]:
    """Secrets of a connection string: the password, and those among its options."""
    _, scheme, rest = text.partition("://")
    if not scheme and not CONNECTION_KEYS.search(key):
        return []
    rest = rest or text
    options = [option.partition("=") for option in re.split("[?&;]", rest)[1:]]
    password = rest.rpartition("@")[0].partition(":")[2]
    return [password, *(value for name, _, value in options if SECRET_KEYS.search(name))]


def _parts(secret: str) -> Iterator[str]:
    """A secret, and what a parser may take for a part of it that it names: a port, a machine, an option."""
    signs = list(re.finditer("[:/@?#&,]", secret))
    for start in (0, *(sign.end() for sign in signs)):
        for end in (*(sign.start() for sign in signs), len(secret)):
            if end - start > 2 or (secret and end - start == len(secret)):
                yield secret[start:end]


def _spellings(secret: str) -> set[str]:
    """A secret as it is written, and as URLs, Python and JSON write it."""
    plain = {secret, unquote(secret), unquote_plus(secret)}
    return {
        spelling
        for each in plain
        for spelling in (
            each,
            quote(each),
            quote(each, safe=""),
            quote_plus(each),
            repr(each)[1:-1],
            json.dumps(each)[1:-1],
        )
    }
