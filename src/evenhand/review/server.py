"""The review page on this machine: a small server on loopback that only the holder of its address can use.

It listens on 127.0.0.1 alone. Every path starts with a secret of 32 random bytes. A request under another
host name is refused, so that no page of another site reaches it by a name that resolves to this machine. The
page may load only what this server sends.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread
from typing import Any

from evenhand._errors import EvenhandError
from evenhand._json import parse_json
from evenhand.review.session import ReviewSession

LONGEST = 4096
"""Bytes of a request's body at most."""
PATIENCE = 30
"""Seconds that a silent connection may last."""
FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class ReviewServer(ThreadingHTTPServer):
    """A server of one review.

    Parameters
    ----------
    session : ReviewSession
        What the page shows and changes.
    port : int, default=0
        Port on 127.0.0.1; a free one by default.

    Attributes
    ----------
    url : str
        The address of the page, with its secret.

    Raises
    ------
    EvenhandError
        If the port is in use or not allowed.
    """

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, session: ReviewSession, port: int = 0) -> None:
        self.session, self.token = session, secrets.token_urlsafe(32)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EvenhandError(
                f"port: {port} cannot be used ({reason}); leave it out for a free one"
            ) from error
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}
        self.url = f"http://127.0.0.1:{self.server_port}/{self.token}/"

    def stop(self) -> None:
        """End `serve_forever`, from any thread."""
        Thread(target=self.shutdown, daemon=True).start()

    def handle_error(self, *_: Any) -> None:
        """Ignore a browser that closes the connection."""


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "evenhand", ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        inside = self._inside()
        if inside is None:
            return
        if inside in FILES:
            name, kind = FILES[inside]
            text = (resources.files("evenhand.review") / "page" / name).read_bytes()
            self._send(HTTPStatus.OK, text, kind)
        elif inside == "state":
            self._state()
        elif inside.startswith("image/") and inside[6:].isascii() and inside[6:].isdecimal():
            jpeg = self.server.session.image(int(inside[6:][:18]))
            self._send(HTTPStatus.OK, jpeg, "image/jpeg") if jpeg else self._refuse(HTTPStatus.NOT_FOUND)
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        inside = self._inside()
        if inside is None:
            return
        actions: dict[str, Callable[[dict[str, Any]], None]] = {
            "answer": lambda sent: self.server.session.answer(sent.get("row"), sent.get("answer")),
            "undo": lambda _: self.server.session.undo(),
            "finish": lambda _: self.server.stop(),
        }
        if inside not in actions:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            actions[inside](self._body())
        except EvenhandError as error:
            self._send(HTTPStatus.BAD_REQUEST, _json({"error": str(error)}), "application/json")
            return
        self._state()

    def _inside(self) -> str | None:
        """Return the path below the secret; without the secret, refuse and return None."""
        token, _, inside = self.path.removeprefix("/").partition("?")[0].partition("/")
        origin = self.headers.get("Origin")
        known = self.headers.get("Host", "") in self.server.hosts
        same = origin is None or origin.removeprefix("http://") in self.server.hosts
        if known and same and secrets.compare_digest(token.encode(), self.server.token.encode()):
            return inside
        self._refuse(HTTPStatus.FORBIDDEN)
        return None

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdecimal() and int(length) <= LONGEST):
            self.close_connection = True
            raise EvenhandError(f"a request must state its length, {LONGEST} bytes at most")
        try:
            found = parse_json(self.rfile.read(int(length)).decode())
        except ValueError as error:
            raise EvenhandError("a request must be JSON") from error
        return found if isinstance(found, dict) else {}

    def _state(self) -> None:
        self._send(HTTPStatus.OK, _json(self.server.session.state()), "application/json")

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # a body may be unread
        self._send(status, status.phrase.encode(), "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write no log: its lines would hold the secret."""


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()
