"""What lies behind an address is what lies in a folder: by file://, and by a file system of pyarrow's own."""

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import fs as arrow

from evenhand import EvenhandError, Manifest
from evenhand.data import files
from evenhand.data.files import (
    address,
    check_utf8,
    is_dir,
    is_file,
    is_remote,
    names_below,
    read_range,
    server_failed,
)
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.places import open_file, place_of, total_bytes


def png(seed: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(
        stream, "PNG"
    )
    return stream.getvalue()


PHOTOS = {
    f"{split}/{name}/{k}.png": png(k + 10 * n)
    for n, (split, name) in enumerate((s, c) for s in ("train", "test") for c in ("cat", "dog"))
    for k in range(3)
}
Place = Callable[[dict[str, bytes]], Path]


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return what writes files and gives the address of their folder."""
    for cache in (files._info, files._shared):
        cache.cache_clear()
    mock = arrow._MockFileSystem()
    monkeypatch.setattr(files, "_bucket", lambda uri, process: mock)

    def write(content: dict[str, bytes]) -> Path:
        system: arrow.FileSystem = mock if request.param == "s3" else arrow.LocalFileSystem()
        base = "bucket/a b" if request.param == "s3" else str(tmp_path / "a b")
        for name, data in content.items():
            system.create_dir(str(Path(base, name).parent), recursive=True)
            with system.open_output_stream(f"{base}/{name}") as stream:
                stream.write(data)
        return Path(f"{request.param}://{base}")

    yield write
    for cache in (files._info, files._shared):
        cache.cache_clear()


def pack(path: Path, content: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as opened:
            for name, data in content.items():
                opened.writestr(name, data)
        return path
    with tarfile.open(path, "w") as opened:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            opened.addfile(entry, io.BytesIO(data))
    return path


def on_disk(root: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


@pytest.mark.parametrize("text", ["s3://bucket/a/b.jpg", "gs://bucket", "file:///tmp/x"])
def test_an_address_survives_as_a_path(text: str) -> None:
    assert is_remote(Path(text))
    assert address(Path(text)) == text
    assert not is_remote(Path("/tmp/s3:/x"))


def test_a_tree_is_listed_and_read_as_a_folder_is(place: Place, tmp_path: Path) -> None:
    there = Manifest.read(place({**PHOTOS, ".hidden/cat/9.png": b"x", "readme.txt": b"x"}))
    here = Manifest.read(on_disk(tmp_path / "here", PHOTOS))
    assert there.ids.tolist() == here.ids.tolist()
    assert there.y.tolist() == here.y.tolist()
    assert there.split.tolist() == here.split.tolist()
    assert all(path.startswith(("s3://", "file://")) for path in there.paths)
    for one, other in zip(there.paths, here.paths, strict=True):
        assert np.array_equal(np.asarray(read_image(Path(one))), np.asarray(read_image(Path(other))))
        assert place_of(Path(one)).size() == Path(other).stat().st_size


def test_metadata_tables_are_found(place: Place) -> None:
    table = b"file_name,label\n" + b"".join(b"%d.png,%s\n" % (k, [b"a", b"b"][k % 2]) for k in range(4))
    manifest = Manifest.read(place({"metadata.csv": table, **{f"{k}.png": png(k) for k in range(4)}}))
    assert manifest.ids.tolist() == ["0.png", "1.png", "2.png", "3.png"]
    assert manifest.classes == ("a", "b")


def test_a_table_here_names_addresses(place: Place, tmp_path: Path) -> None:
    root = address(place({f"{k}.png": png(k) for k in range(4)}))
    rows = "".join(f"{root}/{k}.png,{'ab'[k % 2]}\n" for k in range(4))
    (tmp_path / "rows.csv").write_text("file_name,label\n" + rows)
    manifest = Manifest.read(tmp_path / "rows.csv")
    assert manifest.paths.tolist() == [f"{root}/{k}.png" for k in range(4)]
    assert manifest.ids.tolist() == manifest.paths.tolist()
    assert read_image(Path(manifest.paths[3])).size == (9, 8)


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
def test_archives_are_read_in_place(place: Place, tmp_path: Path, suffix: str) -> None:
    packed = pack(tmp_path / f"x{suffix}", PHOTOS)
    root = place({f"photos{suffix}": packed.read_bytes()})
    manifest = Manifest.read(root / f"photos{suffix}")
    assert sorted(manifest.ids) == sorted(PHOTOS)
    for path, name in zip(manifest.paths, manifest.ids, strict=True):
        assert open_file(Path(path)).read() == PHOTOS[name]


def test_shards_are_read_in_place(place: Place, tmp_path: Path) -> None:
    members = {
        f"{k}.{kind}": data
        for k in range(4)
        for kind, data in (("png", png(k)), ("cls", b"ab"[k % 2 : k % 2 + 1]))
    }
    shard = pack(tmp_path / "x.tar", members).read_bytes()
    manifest = Manifest.read(place({"train-0.tar": shard, "test-0.tar": shard}))
    assert manifest.classes == ("a", "b")
    assert sorted(set(manifest.split)) == ["test", "train"]
    assert open_file(Path(manifest.paths[-1])).read() == png(3)


def test_pictures_in_parquet_are_read_in_place(place: Place) -> None:
    stream = pa.BufferOutputStream()
    pq.write_table(pa.table({"image": [png(k) for k in range(4)], "label": list("abab")}), stream)
    manifest = Manifest.read(place({"a.parquet": stream.getvalue().to_pybytes()}) / "a.parquet")
    assert [open_file(Path(path)).read() for path in manifest.paths] == [png(k) for k in range(4)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.png", "no such|not found|does not exist"),
        ("empty.png", "empty file"),
        ("x.png", "not an image"),
    ],
)
def test_what_is_no_picture_is_told(place: Place, name: str, reason: str) -> None:
    root = place({"empty.png": b"", "x.png": b"x"})
    with pytest.raises(UnreadableImage, match=rf"(?i){reason}"):
        read_image(root / name)


def test_what_is_not_there_is_one_sentence(place: Place) -> None:
    root = place({"a.txt": b"x"})
    with pytest.raises(EvenhandError, match=r"(s3|file)://.*/gone does not exist; give a folder"):
        Manifest.read(root / "gone")
    with pytest.raises(EvenhandError, match="holds no images"):
        Manifest.read(root)


def test_kinds_names_and_ranges(place: Place) -> None:
    root = place({"sub/a.txt": b"0123456789", "b.txt": b""})
    assert (is_dir(root), is_file(root), is_file(root / "b.txt")) == (True, False, True)
    assert list(names_below(root)) == ["b.txt", "sub/a.txt"]
    assert [read_range(root / "sub/a.txt", at, 3) for at in (4, 0, 8)] == [b"456", b"012", b"89"]
    with pytest.raises(FileNotFoundError):
        place_of(root / "gone").size()


def test_a_bucket_that_cannot_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(uri: str) -> None:
        raise OSError("ACCESS DENIED")

    monkeypatch.setattr(files.arrow, "FileSystem", type("F", (), {"from_uri": staticmethod(refuse)}))
    files._bucket.cache_clear()
    with pytest.raises(EvenhandError, match=r"s3://none cannot be reached \(ACCESS DENIED\); check the name"):
        is_file(Path("s3://none/a.png"))


FAILED = "AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 7"
DENIED = "AWS Error ACCESS_DENIED during GetObject operation: No response body."


@pytest.mark.parametrize(
    ("told", "failed"),
    [
        (FAILED, True),
        ("AWS Error SLOW_DOWN during GetObject operation", True),
        ("AWS Error UNKNOWN (HTTP status 503) during HeadObject operation", True),
        ("google::cloud::Status(UNAVAILABLE: try again)", True),
        (DENIED, False),
        ("AWS Error NO_SUCH_KEY during GetObject operation", False),
        ("AWS Error NO_SUCH_BUCKET during GetObject operation", False),
        ("AWS Error RESOURCE_NOT_FOUND during HeadObject operation", False),
        ("google::cloud::Status(NOT_FOUND: no object)", False),
        ("google::cloud::Status(PERMISSION_DENIED: no)", False),
        ("google::cloud::Status(UNAUTHENTICATED: no)", False),
        ("truncated in its archive", False),
    ],
)
def test_a_server_that_fails_is_told_from_one_that_refuses(told: str, failed: bool) -> None:
    assert server_failed(OSError(told)) == failed


def test_images_are_not_skipped_for_a_server_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise OSError(told)

    monkeypatch.setattr("evenhand.data.places.open_bytes", refuse)
    told = FAILED
    with pytest.raises(
        EvenhandError, match=r"^cannot read s3://b/a.png: AWS .*: 7; run the same command again"
    ) as met:
        read_image(Path("s3://b/a.png"))
    assert not isinstance(met.value, UnreadableImage)
    told = DENIED
    with pytest.raises(UnreadableImage, match=r"AWS Error ACCESS_DENIED .*: No response body$"):
        read_image(Path("s3://b/a.png"))


def test_an_address_without_a_bucket_is_refused() -> None:
    with pytest.raises(EvenhandError, match="s3:// names no bucket; write s3://BUCKET/FOLDER"):
        Manifest.read("s3://")


def test_a_name_that_python_reads_in_another_encoding_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.fsdecode("grün.png".encode()[:3] + b"\xff")
    with pytest.raises(EvenhandError, match=r"is not UTF-8; rename it$"):
        check_utf8(name)
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    with pytest.raises(EvenhandError, match=r"is read as ascii by this Python; set PYTHONUTF8=1$"):
        check_utf8(name)


def test_the_bytes_of_all_images_are_those_on_this_machine(tmp_path: Path) -> None:
    content = {"a.png": png(0), "b.png": png(1)}
    on_disk(tmp_path, content)
    pack(tmp_path / "x.zip", content)
    here, elsewhere = ["a.png", "x.zip/b.png"], ["a.png", "x.zip/a.png"]
    paths = [str(tmp_path / name) for name in (*here, "missing.png")]
    assert total_bytes([*paths, *(f"file://{tmp_path}/{name}" for name in elsewhere)]) == sum(
        map(len, content.values())
    )
