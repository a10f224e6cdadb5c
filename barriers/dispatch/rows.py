"""How a document becomes a row of SQL, and what of a MongoDB query its columns can answer."""

from __future__ import annotations

import json
import zlib
from typing import Any

from bson import json_util

COLUMNS = {
    "uuid": "uuid",
    "metadata.key": "key",
    "metadata.alike": "alike",
    "metadata.kind": "kind",
    "index": "idx",
}
"""Fields with an SQL column, and its name; the one that fewest documents share comes first."""

TABLES = """
    CREATE TABLE IF NOT EXISTS documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, uuid, key, kind, idx, head, output, alike
    );
    CREATE INDEX IF NOT EXISTS by_uuid ON documents (uuid);
    CREATE INDEX IF NOT EXISTS by_key ON documents (key);
    CREATE INDEX IF NOT EXISTS by_kind ON documents (kind);
"""

LATER = "alike"
"""Column that files which were made before it do not have."""

NO_SCALAR = b""
"""Stands in a column for a list, or whatever else SQL does not compare as MongoDB does."""

MOST_VALUES = 10_000
"""Values of an ``$in`` that are handed to SQLite, whose own limit is 32,766."""


def row_of(document: dict[str, Any]) -> list[Any]:
    """Give the columns of a document, its head as JSON, and its output as compressed JSON (None if it has none)."""
    head = {name: value for name, value in document.items() if name != "output"}
    output = zlib.compress(_encoded(document["output"]).encode(), 1) if "output" in document else None
    return [*(_column(document, path) for path in COLUMNS), _encoded(head), output]


def document_of(number: int, head: str, output: bytes | None) -> dict[str, Any]:
    """Make a document of a row, without its output if that is None."""
    document = {"_id": number, **_decoded(head)}
    return document if output is None else document | {"output": _decoded(zlib.decompress(output).decode())}


def narrow(criteria: dict[str, Any]) -> tuple[str, list[Any], bool]:
    """Translate what SQL can answer of a MongoDB query.

    Returns
    -------
    tuple of str, list and bool
        Condition, which no document that matches ``criteria`` fails; its parameters; and whether it is all of
        ``criteria``, so that every document without :data:`NO_SCALAR` that fulfils it also matches.
    """
    conditions: list[str] = []
    parameters: list[Any] = []
    for path, column in COLUMNS.items():
        wanted = criteria.get(path)
        values = [wanted]
        if isinstance(wanted, dict) and wanted.keys() == {"$in"} and isinstance(wanted["$in"], list):
            values = wanted["$in"]
        if len(values) <= MOST_VALUES and all(map(_is_scalar, values)):
            # SQLite looks up the column without a plus: the first.
            conditions.append(f"{'+' if conditions else ''}{column} IN (?{', ?' * len(values)})")
            parameters += [*values, NO_SCALAR]
    return " AND ".join(conditions) or "TRUE", parameters, len(conditions) == len(criteria)


def _encoded(value: Any) -> str:
    return json.dumps(value, default=json_util.default)


def _decoded(text: str) -> Any:
    # Dates and their like are written as {"$date": ...}; looking at each dictionary takes time, and few have one.
    return json.loads(text, object_hook=json_util.object_hook if '"$' in text else None)


def _column(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split("."):
        if isinstance(value, list):
            return NO_SCALAR
        value = value.get(part) if isinstance(value, dict) else None
    return value if value is None or _is_scalar(value) else NO_SCALAR


def _is_scalar(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**63)
