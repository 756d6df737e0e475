"""The downloader against a server on the loopback interface."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.datasets.addresses import DOWNLOADS, Download
from evenhand.datasets.fetch import fetch, fetch_file
from evenhand.datasets.registry import DATASETS

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Served:
    """What the server does at each path, and what it was asked."""

    base: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    shift: int = 0
    content: dict[str, bytes] = field(default_factory=dict)

    def item(self, *paths: str, sha256: str | None = DIGEST, size: int | None = len(CONTENT)) -> Download:
        return Download("file.bin", tuple(f"{self.base}/{path}" for path in paths), sha256, size)


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served(content={"/good": CONTENT, "/wrong": CONTENT[::-1], "/short": CONTENT[:-1]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            body = state.content.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = int(re.findall(r"\d+", wanted)[0]) if wanted and state.ranges else 0
            if start >= len(body) > 0:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start + state.shift}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            self.wfile.write(body[start : state.cut.pop(self.path, len(body))])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_is_fetched_once_and_progress_is_told(served: Served, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    for _ in range(2):
        path = fetch_file(served.item("good"), tmp_path, progress=lambda *report: told.append(report))
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]
    assert served.asked == [("/good", None)]
    assert told[-1] == ("file.bin", len(CONTENT), len(CONTENT))


def test_a_file_that_was_cut_off_is_gone_on_with(served: Served, tmp_path: Path) -> None:
    served.cut["/good"] = 3000
    with pytest.raises(
        EvenhandError,
        match=r"cannot download file.bin: http.*/good: it ended after 3,000 of 10,240 bytes; run the same "
        "command again to resume, or put the file into .* by hand",
    ):
        fetch_file(served.item("good"), tmp_path)
    assert not (tmp_path / "file.bin").exists()
    assert fetch_file(served.item("good"), tmp_path).read_bytes() == CONTENT
    assert served.asked[-1] == ("/good", "bytes=3000-")


def test_a_server_without_ranges_begins_anew(served: Served, tmp_path: Path) -> None:
    served.cut["/good"], served.ranges = 3000, False
    with pytest.raises(EvenhandError, match="it ended after"):
        fetch_file(served.item("good"), tmp_path)
    assert fetch_file(served.item("good"), tmp_path).read_bytes() == CONTENT


def test_a_whole_part_is_not_asked_for_again(served: Served, tmp_path: Path) -> None:
    mark = hashlib.sha256(served.item("good").urls[0].encode()).hexdigest()[:8]
    (tmp_path / f".file.bin.{mark}.part").write_bytes(CONTENT)
    assert fetch_file(served.item("good"), tmp_path).read_bytes() == CONTENT
    assert served.asked == []


def test_a_part_longer_than_the_file_is_fetched_anew(served: Served, tmp_path: Path) -> None:
    item = served.item("good", sha256=None, size=None)
    mark = hashlib.sha256(item.urls[0].encode()).hexdigest()[:8]
    (tmp_path / f".file.bin.{mark}.part").write_bytes(CONTENT + b"more")
    assert fetch_file(item, tmp_path).read_bytes() == CONTENT


def test_another_range_than_asked_for_is_refused(served: Served, tmp_path: Path) -> None:
    served.cut["/good"], served.shift = 3000, 1
    with pytest.raises(EvenhandError, match="it ended after"):
        fetch_file(served.item("good"), tmp_path)
    with pytest.raises(EvenhandError, match="the server sent another range than requested"):
        fetch_file(served.item("good"), tmp_path)


def test_a_mirror_is_asked_when_the_first_address_fails(served: Served, tmp_path: Path) -> None:
    assert fetch_file(served.item("gone", "wrong", "good"), tmp_path).read_bytes() == CONTENT
    assert [path for path, _ in served.asked] == ["/gone", "/wrong", "/good"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.bin"]


def test_parts_of_different_mirrors_are_not_mixed(served: Served, tmp_path: Path) -> None:
    served.content["/other"] = CONTENT[::-1]
    served.cut["/other"] = 100
    assert fetch_file(served.item("other", "good"), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone", "HTTP Error 404: Not Found"),
        ("wrong", f"its SHA-256 is {hashlib.sha256(CONTENT[::-1]).hexdigest()}, not {DIGEST}"),
        ("short", "it has 10,239 bytes, not 10,240"),
    ],
)
def test_every_reason_is_told_and_nothing_unchecked_counts(
    served: Served, tmp_path: Path, path: str, reason: str
) -> None:
    with pytest.raises(EvenhandError, match=f"cannot download file.bin: http.*/{path}: {reason}"):
        fetch_file(served.item(path), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_dead_server_is_told(tmp_path: Path) -> None:
    item = Download("file.bin", ("http://127.0.0.1:9/file.bin",))
    with pytest.raises(
        EvenhandError, match=r"cannot download file.bin: http://127.0.0.1:9/file.bin: .*refused"
    ):
        fetch_file(item, tmp_path)


def archive(*names: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 2
            tar.addfile(entry, io.BytesIO(b"ok"))
    return stream.getvalue()


def packed(served: Served, content: bytes) -> dict[str, list[Download]]:
    served.content["/tar"] = content
    return {"birds": [Download("birds.tar.gz", (f"{served.base}/tar",), folder="birds")]}


@pytest.mark.parametrize("names", [("inner/a.csv", "inner/b/c.jpg"), ("a.csv", "b/c.jpg")])
def test_an_archive_is_unpacked_with_or_without_a_folder_around(
    served: Served, tmp_path: Path, names: tuple[str, ...]
) -> None:
    for _ in range(2):
        fetch("birds", tmp_path / "new", downloads=packed(served, archive(*names)))
    root = tmp_path / "new/birds"
    assert (root / "a.csv").read_bytes() == (root / "b/c.jpg").read_bytes() == b"ok"
    assert {entry.name for entry in root.parent.iterdir()} == {"birds", "birds.tar.gz"}
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    "content",
    [archive("../outside.csv"), archive("a.csv")[:60], b"no archive"],
    ids=["outside", "truncated", "no archive"],
)
def test_bad_archives_are_told_and_leave_nothing(served: Served, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(
        EvenhandError, match=r"cannot unpack .*birds.tar.gz: .*; delete it, then download it again"
    ):
        fetch("birds", tmp_path / "new", downloads=packed(served, content))
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["birds.tar.gz"]
    assert not (tmp_path / "outside.csv").exists()


def test_a_python_that_cannot_unpack_safely_is_told(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(EvenhandError, match=r"this Python cannot unpack .*birds.tar.gz safely; use 3.10.12"):
        fetch("birds", tmp_path, downloads=packed(served, archive("a.csv")))


def test_a_benchmark_without_public_download_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        EvenhandError, match=r"chexpert has no public download .*what can be downloaded is waterbirds, celeba"
    ):
        fetch("chexpert", tmp_path)


def test_the_list_names_benchmarks_and_holds_whole_digests() -> None:
    assert set(DOWNLOADS) <= set(DATASETS)
    for items in DOWNLOADS.values():
        for item in items:
            assert all(url.startswith("https://") for url in item.urls)
            assert item.sha256 is None or re.fullmatch("[0-9a-f]{64}", item.sha256)
            assert (item.sha256 is None) == (item.size is None)
