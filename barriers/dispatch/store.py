"""Where the results of a study are kept: one file in its results folder, or any other maggma store by configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barriers.dispatch.opening import DOCUMENTS
from barriers.dispatch.secret_files import read_secret_file
from barriers.secrecy import hide
from barriers.words import closest

if TYPE_CHECKING:
    from jobflow import JobStore

STORE_FILE = "store.yaml"
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
        from jobflow import JobStore

        from barriers.dispatch.sqlite import SqliteStore

        store = JobStore(SqliteStore(Path(folder) / DOCUMENTS))
        store.connect()
    return store


def configured_store(folder: Path) -> JobStore | None:
    """Open the store that ``store.yaml`` in a configuration folder names; None where there is no such file.

    A ``password``, ``uri`` or ``host`` that is ``$NAME`` or ``${NAME}`` is that environment variable's value.

    Raises
    ------
    ValueError
        As for :func:`results_store`.
    """
    path = folder / STORE_FILE
    if not path.exists():
        return None
    from jobflow import JobStore

    from barriers.dispatch.store_kinds import check_store

    content = _read(path)
    for key, spec in _specs(path, content).items():
        check_store(f"{path}: {key}", spec)
    try:
        store = JobStore.from_dict_spec(content)
        store.connect()
        store.query_one({"uuid": ""}, properties=["uuid"])
    except Exception as error:
        words = hide(str(error)).splitlines() or [""]
        raise ValueError(f"{path}: docs_store: cannot be opened: {type(error).__name__}: {words[0][:200]}") from None
    return store


def _read(path: Path) -> dict[str, Any]:
    content = read_secret_file(path)
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
