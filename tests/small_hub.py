"""A stand-in for the Hugging Face Hub on loopback, which the real client library talks to."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants

SHA = "0" * 40
LARGE = 1000
"""Bytes from which a file goes the way of large files."""


class SmallHub(ThreadingHTTPServer):
    """Data sets by name, revision and path; models as they were pushed; the bodies of their large files.

    With `refuses`, a status, it answers nothing else; with `fails`, statuses by a part of the path, not
    there. With `cut`, bytes, it hangs up amid a longer large file. `user` asks, `xet` is its other storage.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.datasets: dict[str, dict[str, dict[str, bytes]]] = {}
        self.models: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.blobs: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.refuses: int | None = None
        self.fails: dict[str, int] = {}
        self.cut: int | None = None
        self.xet: str | None = None
        self.user: dict[str, Any] | None = {"name": "me", "orgs": []}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def small_hub() -> Iterator[SmallHub]:
    """Yield a running server."""
    hub = SmallHub()
    thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()


def turn_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what HF_ENDPOINT does when the client is imported."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )


class _Handler(BaseHTTPRequestHandler):
    server: SmallHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._route()

    def do_HEAD(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def do_PUT(self) -> None:
        self._route()

    def _route(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if self.server.cut is not None and "/blob/" in self.path and size > self.server.cut:
            self.rfile.read(self.server.cut)
            self.close_connection = True
            return
        body = self.rfile.read(size)
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[1:]]
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.tokens.add((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        match parts:
            case _ if self.server.refuses:
                self._send(self.server.refuses, b"")
            case _ if failed := [status for part, status in self.server.fails.items() if part in self.path]:
                self._send(failed[0], b"")
            case ["api", "whoami-v2"] if self.server.user:
                self._json(self.server.user)
            case ["api", "datasets", org, name, *rest]:
                self._dataset(f"{org}/{name}", rest, body)
            case ["datasets", org, name, "resolve", revision, *path]:
                self._content(self.server.datasets[f"{org}/{name}"][revision]["/".join(path)])
            case ["api", "repos", "create"]:
                made = json.loads(body)
                name = f"{made['organization']}/{made['name']}"
                self.server.models.setdefault(name, {})
                self.server.private[name] = bool(made.get("private")) or made.get("visibility") == "private"
                self._json({"url": f"{self.server.url}/{name}", "id": name})
            case ["api", "validate-yaml"]:  # of a model card
                self._json({"errors": [], "warnings": []})
            case ["api", "models", org, name, *rest]:
                self._model(f"{org}/{name}", rest, body)
            case [org, name, "info", "lfs", "objects", "batch"]:
                self._large_files(json.loads(body))
            case ["blob", oid]:
                self.server.blobs[oid] = body
                self._send(200, b"")
            case _:
                self._missing("EntryNotFound")

    def _dataset(self, name: str, rest: list[str], body: bytes) -> None:
        found = self.server.datasets.get(name)
        if found is None:
            return self._missing("RepoNotFound")
        revision = rest[1] if len(rest) > 1 else "main"
        if revision not in found:
            return self._missing("RevisionNotFound")
        files = found[revision]
        if rest[:1] == ["tree"]:
            top = "/".join(rest[2:])
            return self._json(
                [one for one in _entries(files) if one["path"].startswith(f"{top}/" if top else "")]
            )
        if rest[:1] == ["paths-info"]:
            wanted = json.loads(body)["paths"]
            return self._json([one for one in _entries(files) if one["path"] in wanted])
        return self._json({"id": name, "sha": SHA, "siblings": [{"rfilename": path} for path in files]})

    def _model(self, name: str, rest: list[str], body: bytes) -> None:
        if rest[:1] == ["preupload"]:
            files = json.loads(body)["files"]
            mode = {True: "lfs", False: "regular"}
            return self._json(
                {
                    "files": [
                        {
                            "path": one["path"],
                            "uploadMode": mode[one["size"] >= LARGE],
                            "shouldIgnore": False,
                        }
                        for one in files
                    ]
                }
            )
        if rest[:1] == ["commit"]:
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.server.models[name][value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    self.server.models[name][value["path"]] = self.server.blobs[value["oid"]]
            url = f"{self.server.url}/{name}/commit/{SHA}"
            return self._json({"success": True, "commitOid": SHA, "commitUrl": url})
        if rest[:1] == ["xet-write-token"]:
            return (
                self._send(200, b"{}", {"X-Xet-Cas-Url": self.server.xet})
                if self.server.xet
                else self._missing("EntryNotFound")
            )
        if name not in self.server.models:
            return self._missing("RepoNotFound")
        return self._json({"id": name, "sha": SHA, "siblings": []})

    def _large_files(self, asked: dict[str, Any]) -> None:
        objects = [
            {
                "oid": one["oid"],
                "size": one["size"],
                "actions": {"upload": {"href": f"{self.server.url}/blob/{one['oid']}", "header": {}}},
            }
            for one in asked["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _content(self, content: bytes) -> None:
        asked = (self.headers.get("Range") or "").removeprefix("bytes=")
        if not asked:
            return self._send(200, content, {"ETag": f'"{SHA}"'})
        first, _, last = asked.partition("-")
        end = min(int(last or len(content) - 1), len(content) - 1)
        part = content[int(first) : end + 1]
        return self._send(206, part, {"Content-Range": f"bytes {first}-{end}/{len(content)}"})

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _missing(self, code: str) -> None:
        self._send(404, b"", {"X-Error-Code": code})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _entries(files: dict[str, bytes]) -> list[dict[str, Any]]:
    folders = {
        "/".join(parts[:k]) for path in files for parts in [path.split("/")] for k in range(1, len(parts))
    }
    found: list[dict[str, Any]] = [
        {"type": "directory", "path": path, "oid": SHA, "size": 0} for path in folders
    ]
    found += [
        {"type": "file", "path": path, "oid": SHA, "size": len(content)} for path, content in files.items()
    ]
    return sorted(found, key=lambda one: str(one["path"]))
