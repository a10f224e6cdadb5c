"""Serving the live page: to this machine alone, under an address that nobody can guess, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADDRESS = "127.0.0.1"

HOSTS = ("127.0.0.1", "localhost")
"""Names that a browser may know this machine by. A page of others that points its own name here is refused."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

HTML, SCRIPT, JSON = "text/html", "text/javascript", "application/json"

Answer = tuple[str, str]
"""Type of the content, and the content."""

SMALL = 1400
"""Answers of fewer bytes are not compressed."""


class PageServer(ThreadingHTTPServer):
    """Answers GET under a random token; anything else, whatever it is, is not found.

    Parameters
    ----------
    answers : dict[str, callable]
        What is served, by the path behind the token. Each takes the numbers of its query by name, and gives None where
        there is nothing.
    port : int
        Port; any that is free for 0.

    Raises
    ------
    OSError
        If the port is taken.
    """

    daemon_threads = True

    def __init__(self, answers: dict[str, Callable[..., Answer | None]], port: int = 0) -> None:
        self.answers, self.token = answers, secrets.token_urlsafe(24)
        super().__init__((ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def handle_error(self, _request: Any, _client: Any) -> None:
        """Say nothing of browsers that go away in the middle of an answer."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """Answer, or say that there is nothing."""
        answer = None
        if self._is_meant():
            where = urlsplit(self.path)
            serve = self.server.answers.get(where.path.removeprefix(f"/{self.server.token}/"))
            query = {name: values[-1] for name, values in parse_qs(where.query).items()}
            if serve is not None and all(value.isascii() and value.isdigit() for value in query.values()):
                answer = serve(**{name: int(value) for name, value in query.items() if len(value) < 10})
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._send(*answer)

    def _is_meant(self) -> bool:
        """Whether whoever asks knows the token, and asked this machine by its own name."""
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        said = self.path.split("/", 2)
        knows = len(said) == 3 and secrets.compare_digest(said[1].encode(), self.server.token.encode())
        return knows and host in HOSTS

    def _send(self, kind: str, text: str) -> None:
        body = text.encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if self.headers.get("If-None-Match") == tag:
            self._begin(HTTPStatus.NOT_MODIFIED, {"ETag": tag})
            return
        headers = {"ETag": tag, "Content-Type": f"{kind}; charset=utf-8"}
        if len(body) > SMALL and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 4), "gzip"
        self._begin(HTTPStatus.OK, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _begin(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (HEADERS | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(self, *_: Any, **_more: Any) -> None:
        """Say that there is nothing, whatever is wrong: with the verb, the path, the name, or the request itself."""
        self.send_response_only(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Write no log: it would hold the token."""


def text_of(name: str) -> str:
    """Read a part of the page that comes with the package."""
    return (files(__package__) / name).read_text("utf-8")


def as_json(content: Any) -> Answer:
    """Give content as JSON."""
    return JSON, json.dumps(content, ensure_ascii=False, separators=(",", ":"))
