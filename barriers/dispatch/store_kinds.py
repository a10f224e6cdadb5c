"""Which stores may hold results: what maggma takes, without those that keep nothing."""

from __future__ import annotations

import inspect
from typing import Any

import maggma.stores
from maggma.core import Store

from barriers.dispatch.address import database_in
from barriers.dispatch.sqlite import SqliteStore
from barriers.words import closest, show

READ_ONLY = ("ConcatStore", "FileStore", "JointStore")
"""Stores that only read what is there."""

INSTEAD = "write {type: SqliteStore, path: FILE} or {type: MongoStore, ...}, or leave store.yaml out"


def check_store(where: str, spec: Any) -> None:
    """Refuse a store that cannot be made or keeps nothing, before maggma's own words that name neither file nor key.

    Parameters
    ----------
    where : str
        File and key.
    spec : Any
        ``type`` and arguments of a store; one inside another is checked as well. A database that a ``uri`` names need
        not be named again, and is filled in.

    Raises
    ------
    ValueError
        One line with file, key, and what to write.
    """
    known = _kinds()
    kind = spec.get("type") if isinstance(spec, dict) else None
    if kind not in known:
        keeping = sorted(known.keys() - {"MemoryStore", *READ_ONLY})
        raise ValueError(f"{where}.type: {show(kind)}; allowed: {', '.join(keeping)}{closest(kind, known)}")
    takes = {
        name: parameter
        for name, parameter in inspect.signature(known[kind]).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    names = sorted({"type", *takes, *inspect.signature(Store).parameters})
    for key in spec:
        if key not in names:
            raise ValueError(f"{where}.{key}: unknown key; allowed: {', '.join(names)}{closest(key, names)}")
    given, named = spec.get("database"), database_in(str(spec.get("uri")))
    if named and given not in (None, named):
        line = f"{show(given)} is not {named!r}, the database in uri; leave one of them out"
        raise ValueError(f"{where}.database: {line}")
    spec |= {"database": named} if named else {}
    for name, parameter in takes.items():
        if parameter.default is inspect.Parameter.empty and name not in spec:
            raise ValueError(f"{where}.{name} is missing")
    if why := _keeps_nothing(spec):
        raise ValueError(f"{where}.{why}; {INSTEAD}")
    for key, inner in spec.items():
        if isinstance(inner, dict) and inner.get("type") in known:
            check_store(f"{where}.{key}", inner)


def _kinds() -> dict[str, type[Store]]:
    kinds = {
        name: each
        for name, each in vars(maggma.stores).items()
        if isinstance(each, type) and issubclass(each, Store) and each is not Store
    }
    return kinds | {SqliteStore.__name__: SqliteStore}


def _keeps_nothing(spec: dict[str, Any]) -> str:
    """Key to blame and why a store loses what is put into it; empty for one that keeps it."""
    kind = spec["type"]
    if kind == "MemoryStore":
        return "type: MemoryStore forgets everything when the command ends"
    if kind in READ_ONLY:
        return f"type: {kind} only reads what is there and takes no results"
    if kind == "JSONStore" and spec.get("read_only", True) is not False:
        return "read_only: JSONStore writes nothing to its file unless read_only: false"
    if kind == "MontyStore" and spec.get("database_path") == ":memory:":
        return "database_path: ':memory:' forgets everything when the command ends"
    return ""
