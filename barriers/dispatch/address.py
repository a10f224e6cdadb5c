"""Where a LaunchPad's database is: what may stand in ``host``, and how it is reached."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from barriers.dispatch.secret_files import from_environment
from barriers.study.fields import refused_line
from barriers.study.file import naming_lines
from barriers.words import show

TLS_KEYS = {
    "ssl": "tls",
    "ssl_ca_file": "tlsCAFile",
    "ssl_certfile": "tlsCertificateKeyFile",
    "ssl_pem_passphrase": "tlsCertificateKeyFilePassword",
}
"""Keys of older FireWorks, and the options of today's MongoClient that took their place."""


def database_in(host: str) -> str | None:
    """Name of the database in a connection string; None where there is none."""
    place = host.partition("://")[2].rpartition("@")[2]
    return unquote(place.partition("?")[0].partition("/")[2]) or None


def port_in(host: str) -> int | None:
    """Port in ``NAME:PORT``; None without, and in a list of machines or a connection string."""
    found = re.fullmatch(r"(?:\[.+\]|[^:,/]+):(\d{1,5})", host)
    return int(found[1]) if found else None


def implied(host: str) -> dict[str, Any]:
    """Give the port and the database that a host, or the variable it comes from, names itself.

    Raises
    ------
    ValueError
        If the variable is not set.
    """
    with naming_lines("host"):
        plain = from_environment(host)
    return {"port": port_in(plain), "database": database_in(plain)}


def with_plain_host(content: dict[str, Any]) -> dict[str, Any]:
    """Take port or database out of ``host``, where they may stand too.

    Raises
    ------
    ValidationError
        If the host and another key contradict one another. No line quotes a connection string.
    """
    host = content.get("host")
    if not isinstance(host, str):
        return content
    return content | (_of_uri(content, host) if content.get("uri_mode") is True else _of_machine(content, host))


def with_tls_of_today(content: dict[str, Any]) -> dict[str, Any]:
    """Read the TLS keys of older FireWorks; ``mongoclient_kwargs`` that say the same go first.

    Raises
    ------
    ValidationError
        If the key lies in a file of its own.
    """
    older = {key: content[key] for key in (*TLS_KEYS, "ssl_keyfile") if content.get(key) is not None}
    rest = {key: value for key, value in content.items() if key not in {*TLS_KEYS, "ssl_keyfile"}}
    if older.pop("ssl_keyfile", None) not in (None, older.get("ssl_certfile")):
        line = "MongoDB's driver reads key and certificate from one file; put both into that of ssl_certfile"
        raise refused_line(None, line, ("ssl_keyfile",))
    today = {TLS_KEYS[key]: value for key, value in older.items()}
    given = rest.get("mongoclient_kwargs") or {}
    return rest | {"mongoclient_kwargs": today | given} if today and isinstance(given, dict) else rest


def _of_uri(content: dict[str, Any], uri: str) -> dict[str, Any]:
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        allowed = "mongodb://... or mongodb+srv://..., or uri_mode: false"
        raise refused_line(None, f"is no connection string; allowed: {allowed}", ("host",))
    named, name = database_in(uri), content.get("name")
    if named and name not in (None, named):
        line = f"{show(name)} is not {named!r}, the database in the connection string; leave one of them out"
        raise refused_line(None, f"{line} (the one that knows the user goes into ?authSource=)", ("name",))
    return {"name": named} if named else {}


def _of_machine(content: dict[str, Any], host: str) -> dict[str, Any]:
    if "://" in host:
        raise refused_line(None, "is a connection string; set uri_mode: true", ("host",))
    if "@" in host:
        line = "holds a user; allowed: the machine's name, with username and password as keys of their own"
        raise refused_line(None, line, ("host",))
    port, given = port_in(host), content.get("port")
    if port is None and host.count(":") == 1 and "," not in host:
        raise refused_line(None, f"{show(host)} is no machine; allowed: its name, or NAME:PORT", ("host",))
    if port is not None and given not in (None, port):
        raise refused_line(None, f"{show(given)} is not the {port} of host; leave one of them out", ("port",))
    return {} if port is None else {"host": host.rpartition(":")[0], "port": port}
