"""Where the results of a study are kept: one file in its results folder, or any other maggma store by configuration."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Any

import maggma.stores
from jobflow import JobStore
from maggma.core import Store
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from barriers.dispatch.sqlite import SqliteStore
from barriers.words import closest, naming

DOCUMENTS, STORE_FILE = "documents.sqlite", "store.yaml"
SECTIONS = ("docs_store", "additional_stores")


def config_folder(config: Path | None = None) -> Path:
    """Give the configuration folder: the one named, else ``$BARRIERS_CONFIG``, else ``~/.barriers``."""
    return Path(config or os.environ.get("BARRIERS_CONFIG") or "~/.barriers").expanduser().absolute()


def results_store(folder: Path | str, config: Path | None = None) -> JobStore:
    """Open the store that holds the results of a study.

    Without configuration that is ``documents.sqlite`` in the results folder. ``store.yaml`` in the configuration
    folder names another maggma store, for all studies, in jobflow's own form::

        docs_store: {type: MongoStore, database: barriers, collection_name: results, host: db.example.org}

    Parameters
    ----------
    folder : Path or str
        Results folder.
    config : Path
        Configuration folder; that of :func:`config_folder` if None.

    Returns
    -------
    JobStore
        A connected store.

    Raises
    ------
    ValueError
        If ``store.yaml`` is wrong or its store cannot be reached: one line with the file and the key.
    """
    if (store := configured_store(config_folder(config))) is None:
        store = JobStore(SqliteStore(Path(folder) / DOCUMENTS))
        store.connect()
    return store


def configured_store(folder: Path) -> JobStore | None:
    """Open the store that ``store.yaml`` in a configuration folder names; None where there is no such file.

    A ``password`` or ``uri`` that is ``$NAME`` or ``${NAME}`` is that environment variable's value.

    Raises
    ------
    ValueError
        As for :func:`results_store`.
    """
    path = folder / STORE_FILE
    if not path.exists():
        return None
    content = _filled_in(_read(path), str(path))
    for key, spec in _specs(path, content).items():
        _check(f"{path}: {key}", spec)
    try:
        store = JobStore.from_dict_spec(content)
        store.connect()
        store.query_one({"uuid": ""}, properties=["uuid"])
    except Exception as error:
        words = str(error).splitlines() or [""]
        raise ValueError(f"{path}: docs_store: cannot be opened: {type(error).__name__}: {words[0][:200]}") from None
    return store


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


def _filled_in(content: Any, where: str) -> Any:
    """Fill in the secrets of a store from the environment."""
    if not isinstance(content, dict):
        return content
    filled = {key: _filled_in(value, f"{where}: {key}") for key, value in content.items()}
    for key in {"password", "uri"} & content.keys():
        with naming(f"{where}: {key}"):
            filled[key] = from_environment(content[key])
    return filled


def _read(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(path)
    except MarkedYAMLError as error:
        where = f"line {error.problem_mark.line + 1}" if error.problem_mark else "somewhere"
        raise ValueError(f"{path}: {where}: no YAML: {error.problem}") from None
    if not isinstance(content, dict) or "docs_store" not in content:
        raise ValueError(f"{path}: docs_store is missing; allowed: docs_store: {{type: MongoStore, ...}}")
    for key in content:
        if key not in SECTIONS:
            raise ValueError(f"{path}: {key}: unknown key; allowed: {', '.join(SECTIONS)}{closest(key, SECTIONS)}")
    return content


def _specs(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Give each store's description under its key."""
    others = content.get("additional_stores") or {}
    if not isinstance(others, dict):
        raise ValueError(f"{path}: additional_stores: no mapping; allowed: a name and a store each")
    return {"docs_store": content["docs_store"]} | {f"additional_stores.{key}": spec for key, spec in others.items()}


def _check(where: str, spec: Any) -> None:
    """Refuse a store that cannot be made, before maggma's own words that name neither file nor key."""
    known = {
        name: each
        for name, each in vars(maggma.stores).items()
        if isinstance(each, type) and issubclass(each, Store) and each is not Store
    } | {SqliteStore.__name__: SqliteStore}
    kind = spec.get("type") if isinstance(spec, dict) else None
    if kind not in known:
        raise ValueError(f"{where}.type: {kind!r}; allowed: {', '.join(sorted(known))}{closest(kind, known)}")
    takes = {
        name: parameter
        for name, parameter in inspect.signature(known[kind]).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    names = sorted({"type", *takes, *inspect.signature(Store).parameters})
    for key in spec:
        if key not in names:
            raise ValueError(f"{where}.{key}: unknown key; allowed: {', '.join(names)}{closest(key, names)}")
    for name, parameter in takes.items():
        if parameter.default is inspect.Parameter.empty and name not in spec:
            raise ValueError(f"{where}.{name} is missing")
