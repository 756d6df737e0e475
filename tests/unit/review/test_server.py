"""The server on loopback: strangers get nothing, and the holder of the address gets the review alone."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from evenhand import EvenhandError
from evenhand.review import ReviewRows
from evenhand.review.server import ReviewServer
from evenhand.review.session import ReviewSession


@pytest.fixture
def server(stored: ReviewRows, tmp_path: Path) -> Iterator[ReviewServer]:
    session = ReviewSession(stored, "Is it at sea?", tmp_path / "a.csv", 12)
    with ReviewServer(session) as found:
        thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def ask(
    server: ReviewServer, inside: str = "", *, token: str | None = None, body: Any = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", server.server_port)
    path = f"/{server.token if token is None else token}/{inside}"
    sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, sent, headers)
    reply = connection.getresponse()
    found = reply.status, reply.read(), dict(reply.getheaders())
    connection.close()
    return found


def state(server: ReviewServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(server, "state")[1])
    return found


def test_it_listens_on_loopback_with_a_long_secret(server: ReviewServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/{server.token}/"
    assert len(server.token) >= 43


@pytest.mark.parametrize("inside", ["", "page.css", "page.js", "icon.svg", "state"])
def test_the_page_and_its_policy(server: ReviewServer, inside: str) -> None:
    status, body, headers = ask(server, inside)
    assert status == 200
    assert body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert b"http" not in body.replace(b"http://www.w3.org/2000/svg", b"")


@pytest.mark.parametrize("token", ["", "x", "../..", "%2e%2e"])
def test_without_the_secret_there_is_nothing(server: ReviewServer, token: str) -> None:
    for inside in ("", "state", "image/2", "page.js"):
        assert ask(server, inside, token=token)[:2] == (403, b"Forbidden")
    assert ask(server, "answer", token=token, body={"row": 2, "answer": "yes"})[0] == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_name_is_refused(server: ReviewServer, host: str) -> None:
    assert ask(server, "state", Host=host.format(port=server.server_port))[0] == 403
    assert ask(server, "state", Host=f"localhost:{server.server_port}")[0] == 200


def test_another_origin_is_refused(server: ReviewServer) -> None:
    row = state(server)["row"]
    sent = {"row": row, "answer": "yes"}
    assert ask(server, "answer", body=sent, Origin="http://evil.example")[0] == 403
    assert ask(server, "answer", body=sent, Origin="null")[0] == 403
    assert state(server)["answered"] == 0
    assert ask(server, "answer", body=sent, Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200
    assert state(server)["answered"] == 1


@pytest.mark.parametrize(
    "inside",
    ["../server.py", "page/page.html", "..%2fserver.py", "/etc/passwd", "image/../state", "image/", "image/x",
     "image/-1", "image/99999999999999999999999", "image/²", "answer"],
)  # fmt: skip
def test_no_other_path_leads_anywhere(server: ReviewServer, inside: str) -> None:
    from urllib.parse import quote

    assert ask(server, quote(inside, safe="/%"))[:2] == (404, b"Not Found")


def test_images_are_those_of_the_review(server: ReviewServer) -> None:
    row = state(server)["row"]
    status, body, headers = ask(server, f"image/{row}")
    assert (status, headers["Content-Type"], body[:2]) == (200, "image/jpeg", b"\xff\xd8")
    asked = {row, *dict(server.session._queue)}
    other = next(int(row) for row in server.session._rows.numbers if int(row) not in asked)
    assert ask(server, f"image/{other}")[0] == 404


def test_answer_and_undo(server: ReviewServer) -> None:
    row = state(server)["row"]
    status, body, _ = ask(server, "answer", body={"row": row, "answer": "no"})
    assert (status, json.loads(body)["answered"]) == (200, 1)
    assert json.loads(ask(server, "undo", body={})[1])["row"] == row


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "a request must be JSON"),
        (b"\xff", "a request must be JSON"),
        (b"[]", "answer: got None"),
        ({"row": 1, "answer": "maybe"}, "answer: got 'maybe'"),
        ({"row": "../x", "answer": "yes"}, "row: '../x' is not a row of this review"),
        (b" " * 5000, "4096 bytes at most"),
    ],
)
def test_bad_requests_are_one_sentence(server: ReviewServer, body: Any, sentence: str) -> None:
    status, found, _ = ask(server, "answer", body=body)
    assert status == 400
    assert sentence in json.loads(found)["error"]
    assert state(server)["answered"] == 0


def test_a_request_says_its_length(server: ReviewServer) -> None:
    status, found, _ = ask(server, "answer", body=b"{}", **{"Content-Length": "-1"})
    assert (status, "must state its length" in json.loads(found)["error"]) == (400, True)


def test_unknown_actions_are_not_found(server: ReviewServer) -> None:
    assert ask(server, "erase", body={})[0] == 404


def test_finish_ends_it(stored: ReviewRows, tmp_path: Path) -> None:
    with ReviewServer(ReviewSession(stored, "?", tmp_path / "a.csv", 12)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        assert ask(server, "finish", body={})[0] == 200
        thread.join(timeout=60)
        assert not thread.is_alive()


def test_a_port_in_use_is_one_sentence(server: ReviewServer) -> None:
    with pytest.raises(EvenhandError, match=f"port: {server.server_port} cannot be used"):
        ReviewServer(server.session, server.server_port)
