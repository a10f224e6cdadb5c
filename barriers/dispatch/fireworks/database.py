"""Connecting to the LaunchPad's database, and what to say when it does not answer."""

from __future__ import annotations

import json
from functools import cache

from fireworks import LaunchPad
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure, PyMongoError

from barriers.dispatch.fireworks.files import LaunchPadFile

ANSWER_MS = 5000
"""Milliseconds until a person's command calls a database unreachable; a job waits as long as the file says."""

UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
"""MongoDB's error codes."""


class UnreachableError(ValueError):
    """No database answers: one line as for every other mistake, but it may answer again later."""


def connect(file: LaunchPadFile) -> LaunchPad:
    """Connect to the database of the jobs, or see whether the connection of before still holds.

    Writes wait for the journal: one that a killed server had confirmed is still there when it is back.

    Raises
    ------
    ValueError
        One line that starts with the key to blame; without the password.
    """
    options = {"journal": True} | (file.mongoclient_kwargs or {}) | {"serverSelectionTimeoutMS": _wait_ms(file)}
    settings = {"mongoclient_kwargs": options, "strm_lvl": file.strm_lvl or "ERROR"}
    try:
        launchpad = _opened(json.dumps(file.model_dump() | settings))
        launchpad.db.list_collection_names()
    except (PyMongoError, TypeError, ValueError, OSError) as error:  # the latter of options that MongoClient refuses
        kind = UnreachableError if isinstance(error, ConnectionFailure) else ValueError
        if kind is ValueError:  # a client that was refused takes the server for gone from then on
            _opened.cache_clear()
        raise kind(_why(error, file)) from None
    return launchpad


@cache
def _opened(settings: str) -> LaunchPad:
    """Open a database once in a process: each client has threads of its own, and who watches a study looks often."""
    return LaunchPad.from_dict(json.loads(settings))


def _wait_ms(file: LaunchPadFile) -> float:
    given = (file.mongoclient_kwargs or {}).get("serverSelectionTimeoutMS")
    return min(given, ANSWER_MS) if isinstance(given, int | float) else ANSWER_MS


def _place(file: LaunchPadFile) -> str:
    if file.uri_mode:
        return "the connection string"
    return file.host if "," in file.host else f"{file.host}:{file.port or 27017}"


def _why(error: Exception, file: LaunchPadFile) -> str:
    """Key to blame and what is wrong with it, without the error's own words: they may hold the connection string."""
    if isinstance(error, OperationFailure) and error.code in (AUTHENTICATION_FAILED, UNAUTHORIZED):
        return _refused(error.code, file)
    place = _place(file)
    if isinstance(error, OSError) and error.filename:
        return f"mongoclient_kwargs: {error.filename}: {error.strerror}; allowed: files that the driver can read"
    if isinstance(error, ConfigurationError | TypeError | ValueError | OSError):
        return f"host, mongoclient_kwargs: {place} with these options is no connection ({type(error).__name__})"
    if isinstance(error, ConnectionFailure):
        wait = f"{_wait_ms(file) / 1000:g} s"
        return f"host, port: no database answers at {place} within {wait}; is it running, and reachable from here?"
    return f"host: the database at {place} fails ({type(error).__name__})"


def _refused(code: int, file: LaunchPadFile) -> str:
    if file.uri_mode:
        return "host: the database refuses the credentials of the connection string"
    if file.username is None:
        return f"username: is missing; the database at {_place(file)} asks for one"
    if code == UNAUTHORIZED:
        return f"username: {file.username!r} may not use the database {file.name!r} (name); allowed: readWrite on it"
    source = file.authsource or file.name
    return f"username, password: the database refuses {file.username!r} (looked up in authsource {source!r})"
