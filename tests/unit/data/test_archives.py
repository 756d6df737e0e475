"""Archives are read in place and trusted in nothing; what is in them is what a folder would give."""

import io
import json
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evenhand import EvenhandError, Manifest
from evenhand.data import archives
from evenhand.data.archives import members, read_member, split_archive
from evenhand.data.equal_copies import equal_copies
from evenhand.data.images.decode import UnreadableImage, read_image
from evenhand.data.places import is_there, open_file, place_of

pytestmark = pytest.mark.faults


def png(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


TREE = {
    f"photos/{split}/{name}/{k}.png": png(10 * n + k)
    for n, (split, name) in enumerate((s, c) for s in ("train", "test") for c in ("cat", "dog"))
    for k in range(3)
}


def pack(path: Path, files: dict[str, bytes]) -> Path:
    """Write an archive with names as they are, however hostile."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, content in files.items():
                opened.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        return path
    with tarfile.open(path, "w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture(params=[".zip", ".tar"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write_tree(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_a_tree_in_an_archive_is_a_tree(tmp_path: Path, suffix: str) -> None:
    files = {name.removeprefix("photos/"): content for name, content in TREE.items()}
    packed = Manifest.read(pack(tmp_path / f"with-its-folder{suffix}", TREE))
    files |= {"__MACOSX/train/cat/._0.png": b"x", ".DS_Store": b"x", "readme.txt": b"x"}
    archive = Manifest.read(pack(tmp_path / f"photos{suffix}", files))
    folder = Manifest.read(write_tree(tmp_path / "photos", files))
    for name in ("ids", "y", "split"):
        wanted = getattr(folder, name).tolist()
        assert getattr(archive, name).tolist() == getattr(packed, name).tolist() == wanted
    assert archive.classes == folder.classes == ("cat", "dog")
    for inside, within, outside in zip(archive.paths, packed.paths, folder.paths, strict=True):
        assert Path(within).parts[-4] == "photos"
        assert open_file(Path(within)).read() == Path(outside).read_bytes()
        assert np.array_equal(read_image(Path(inside)), read_image(Path(outside)))
        assert place_of(Path(inside)).size() == Path(outside).stat().st_size


def test_a_picture_is_there_where_its_archive_has_it(tmp_path: Path, suffix: str) -> None:
    archive = pack(tmp_path / f"data{suffix}", TREE)
    name = next(iter(TREE))
    assert is_there(archive / name)
    assert not is_there(archive / "photos/train/cat/9.png")
    assert not is_there(tmp_path / f"other{suffix}" / name)
    assert not is_there(tmp_path)


@pytest.mark.parametrize("table", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
@pytest.mark.parametrize("top", ["", "photos/"])
def test_metadata_in_an_archive_is_read(tmp_path: Path, suffix: str, table: str, top: str) -> None:
    files: dict[str, bytes] = {}
    for split in ("train", "test"):
        rows = [
            {"file_name": f"{k}.png", "label": "cat" if k % 2 else "dog", "ground": "ice" if k < 2 else "sea"}
            for k in range(4)
        ]
        files |= {f"{split}/{k}.png": png(k + 10 * len(split)) for k in range(4)}
        if table.endswith("csv"):
            lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
            files[f"{split}/{table}"] = "\n".join(lines).encode()
        elif table.endswith("jsonl"):
            files[f"{split}/{table}"] = "\n".join(map(json.dumps, rows)).encode()
        else:
            stream = io.BytesIO()
            pq.write_table(pa.Table.from_pylist(rows), stream)
            files[f"{split}/{table}"] = stream.getvalue()
    files = {f"{top}{name}": content for name, content in files.items()}
    found = Manifest.read(pack(tmp_path / f"a{suffix}", files))
    assert found.attributes["ground"].tolist() == ["ice", "ice", "sea", "sea"] * 2
    assert found.split.tolist() == ["test"] * 4 + ["train"] * 4
    assert found.ids[0] == "test/0.png"


def test_a_split_or_a_class_is_no_top_folder(tmp_path: Path, suffix: str) -> None:
    trained = {f"train/{name}/{k}.png": png(k) for name in ("cat", "dog") for k in range(3)}
    assert Manifest.read(pack(tmp_path / f"a{suffix}", trained)).ids[0] == "train/cat/0.png"
    with pytest.raises(EvenhandError, match="there is only one class, 'cat'"):
        Manifest.read(pack(tmp_path / f"b{suffix}", {f"cat/{k}.png": png(k) for k in range(3)}))


def test_predict_lists_every_picture(tmp_path: Path, suffix: str) -> None:
    found = Manifest.read(pack(tmp_path / f"a{suffix}", TREE), labeled=False)
    assert found.ids.tolist() == sorted(TREE)


def test_the_same_picture_in_two_splits_is_leakage(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a{suffix}", {"a.png": png(1), "b.png": png(1), "c.png": png(2)})
    paths = np.array([str(path / name) for name in ("a.png", "b.png", "c.png")])
    assert equal_copies(paths) == [[0, 1]]


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png"])
def test_names_that_lead_out_are_refused(tmp_path: Path, suffix: str, name: str) -> None:
    path = pack(tmp_path / f"a{suffix}", {"cat/a.png": png(0), name: png(1)})
    with pytest.raises(EvenhandError, match=r"has a name that leads out of it: .*evil.png'; pack"):
        Manifest.read(path, labeled=False)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["..\\evil.png", "a\\..\\..\\evil.png", "\\evil.png"])
def test_backslashes_lead_out_of_no_archive(tmp_path: Path, suffix: str, name: str) -> None:
    path = pack(tmp_path / f"a{suffix}", {"cat/a.png": png(0), name: png(1)})
    with pytest.raises(
        EvenhandError, match=r"has a name (that leads out of it|with a backslash, which does not sep)"
    ):
        Manifest.read(path, labeled=False)


def test_backslashes_of_a_zip_are_folders(tmp_path: Path) -> None:
    files = {name.replace("/", "\\"): content for name, content in TREE.items()}
    found = Manifest.read(pack(tmp_path / "a.zip", {"photos\\": b"", **files}))
    assert found.ids.tolist() == sorted(name.removeprefix("photos/") for name in TREE)
    assert open_file(Path(found.paths[0])).read() == TREE[f"photos/{found.ids[0]}"]


@pytest.mark.parametrize(
    "headers",
    [
        {"size": "-5"},
        {"size": "-1536"},
        {"size": str(1 << 70)},
        {"GNU.sparse.map": "0,x", "GNU.sparse.size": "10", "GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "-9"},
        {"GNU.sparse.map": "0", "GNU.sparse.size": "x"},
        {"GNU.sparse.map": "0,5", "GNU.sparse.size": "-7"},
        {"GNU.sparse.numblocks": "x", "GNU.sparse.map": "1,2"},
        {"path": "\0"},
    ],
)
def test_hostile_headers_of_a_tar_are_one_sentence(tmp_path: Path, headers: dict[str, str]) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as opened:
        for k, extra in enumerate(({}, headers, {})):
            entry = tarfile.TarInfo(f"cat/{k}.png")
            entry.pax_headers = dict(extra)
            opened.addfile(entry, io.BytesIO())
    with pytest.raises(EvenhandError, match=r"cannot be read as an archive \(.+\); make it again|has a"):
        members(path)


def test_a_negative_size_of_an_old_tar_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"a.png": b"x"})
    block = bytearray(path.read_bytes())
    block[124:136] = (-1024).to_bytes(12, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block[:512]):06o}\0 ".encode()
    path.write_bytes(bytes(block))
    with pytest.raises(EvenhandError, match=r"'a.png' has -1024 bytes\); make it again"):
        members(path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"cat/aXb.png": png(0)})
    content = path.read_bytes().replace(b"aXb", b"a\xffb")
    block = bytearray(content)
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block[:512]):06o}\0 ".encode()
    path.write_bytes(bytes(block))
    with pytest.raises(EvenhandError, match="has a name that is not UTF-8"):
        members(path)


def test_a_compressed_tar_with_a_plain_name_is_told(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as opened:
        opened.addfile(tarfile.TarInfo("a.png"))
    with pytest.raises(EvenhandError, match=r"it is compressed: unpack it, or make it a \.zip"):
        Manifest.read(tmp_path / "a.tar")


@pytest.mark.parametrize("name", ["a.zip.001", "a.z01", "a.part1.rar", "a.tar.partaa", "a.7z.001"])
def test_parts_of_a_split_archive_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(EvenhandError, match=r"is a part of a split archive; join the parts"):
        Manifest.read(tmp_path / name)


@pytest.mark.parametrize("top", ["photos/", "a/b/photos/"])
def test_files_beside_the_top_folder_are_passed_over(tmp_path: Path, suffix: str, top: str) -> None:
    files = {name.replace("photos/", top): content for name, content in TREE.items()}
    files |= {"README.md": b"x", f"{top}LICENSE": b"x", "__MACOSX/photos/._a": b"x"}
    found = Manifest.read(pack(tmp_path / f"a{suffix}", files))
    assert found.ids.tolist() == sorted(name.removeprefix("photos/") for name in TREE)


def test_a_table_that_names_files_outside_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "secret.png").write_bytes(png(0))
    here = str(tmp_path / "secret.png")
    for name in ("../secret.png", here, f"file://{here}", "s3://bucket/secret.png"):
        table = f"file_name,label\n{name},cat\na.png,dog\nb.png,cat"
        files = {"metadata.csv": table.encode(), "a.png": png(1), "b.png": png(2)}
        path = pack(tmp_path / f"a{suffix}", files)
        with pytest.raises(EvenhandError, match=r"names a file outside its archive: .*secret.png'; name"):
            Manifest.read(path)
        path.unlink()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as opened:
        entry = tarfile.TarInfo("cat/a.png")
        entry.type, entry.linkname = kind, "/etc/passwd"
        opened.addfile(entry)
    word = "a link" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else "an entry that is not a regular file"
    with pytest.raises(EvenhandError, match=f"has {word}: 'cat/a.png'; pack only plain files"):
        Manifest.read(path, labeled=False)


@pytest.mark.parametrize(
    ("mode", "word"), [(0o120777, "a link"), (0o020666, "an entry that is not a regular file")]
)
def test_links_and_devices_of_a_zip_are_refused(tmp_path: Path, mode: int, word: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as opened:
        entry = zipfile.ZipInfo("cat/a.png")
        entry.external_attr = mode << 16
        opened.writestr(entry, "/etc/passwd")
    with pytest.raises(EvenhandError, match=f"has {word}.*: 'cat/a.png'"):
        members(path)


def test_a_link_among_images_is_passed_over_and_said(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a{suffix}", {f"{'ab'[k % 2]}/{k}.png": png(k) for k in range(4)})
    if suffix == ".tar":
        with tarfile.open(path, "a") as opened:
            entry = tarfile.TarInfo("b/x.png")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            opened.addfile(entry)
    else:
        with zipfile.ZipFile(path, "a") as opened:
            info = zipfile.ZipInfo("b/x.png")
            info.external_attr = 0o120777 << 16
            opened.writestr(info, "/etc/passwd")
    for labeled in (True, False):
        found = Manifest.read(path, labeled=labeled)
        assert sorted(found.ids) == ["a/0.png", "a/2.png", "b/1.png", "b/3.png"]
        assert f"1 link is skipped in a{suffix}: b/x.png; pack only plain files" in found.notes


def test_a_hard_link_of_a_tar_is_the_file_that_it_names(tmp_path: Path) -> None:
    """GNU tar writes the second name of a file so."""
    for name in ("cat/0.png", "dog/0.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True)
        (tmp_path / "photos" / name).write_bytes(png(len(name) + ord(name[0])))
    for name in ("cat/1.png", "dog/1.png"):
        (tmp_path / "photos" / name).hardlink_to(tmp_path / "photos" / name.replace("1", "0"))
    with tarfile.open(tmp_path / "a.tar", "w") as opened:
        opened.add(tmp_path / "photos", "photos")
    assert b"photos/" in (tmp_path / "a.tar").read_bytes()
    for name in ("cat", "dog"):
        first, second = (read_member(tmp_path / "a.tar", f"photos/{name}/{k}.png") for k in (0, 1))
        assert first == second == (tmp_path / "photos" / name / "0.png").read_bytes()


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": png(0)})
    content = bytearray(path.read_bytes())
    for start in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        content[start] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(EvenhandError, match=r"has an encrypted entry: 'a.png'"):
        members(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    pack(path, {"a.png": png(0), "./a.png": png(1)})
    with pytest.raises(EvenhandError, match=r"has a duplicate name: './a.png'"):
        members(path)


def test_damaged_archives_are_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"no archive" * 100)
    with pytest.raises(
        EvenhandError, match=r"cannot be read as an archive .*; make it again|holds no images"
    ):
        Manifest.read(path, labeled=False)


def test_a_tar_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"a.png": os.urandom(3000)})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(EvenhandError, match=r"cannot be read as an archive|longer than the archive"):
        members(path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.7z", "a.rar", "a.tar.zst"])
def test_other_archives_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(EvenhandError, match=r"is a compressed archive, .*make it a \.zip or a plain \.tar"):
        Manifest.read(tmp_path / name)


def test_an_archive_without_pictures_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(EvenhandError, match="holds no images"):
        Manifest.read(pack(tmp_path / f"a{suffix}", {"a.txt": b"x"}), labeled=False)


def test_broken_members_are_skipped_with_a_reason(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"empty.png": b"", "text.png": b"text" * 50, "cut.png": png(0)[:600], "large.png": bytes(5000)}
    path = pack(tmp_path / f"a{suffix}", files)
    monkeypatch.setattr(archives, "LARGEST", 4096)
    reasons = {
        "empty.png": "empty file",
        "text.png": "not an image",
        "cut.png": "truncated or damaged",
        "large.png": "larger than 0 MiB in its archive",
        "absent.png": "file not found",
    }
    for name, reason in reasons.items():
        with pytest.raises(UnreadableImage) as caught:
            read_image(path / name)
        assert caught.value.reason.startswith(reason)


def test_a_pixel_bomb_in_an_archive_is_none(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(tmp_path / f"a{suffix}", {"a.png": png(0)})
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableImage, match="decompression bomb"):
        read_image(path / "a.png")


def test_a_damaged_member_of_a_zip_is_told(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": png(0)})
    content = bytearray(path.read_bytes())
    content[400] ^= 255
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableImage, match="damaged in its archive"):
        read_image(path / "a.png")


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"a.png": bytes(100_000)})
    content = path.read_bytes()
    true, false = (100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    path.write_bytes(content.replace(true, false))
    with pytest.raises(OSError, match="in its archive"):
        open_file(path / "a.png")


def test_a_changed_archive_is_read_anew(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a{suffix}", {"a.png": png(0)})
    assert members(path) == ["a.png"]
    pack(path, {"b.png": png(1), "c.png": png(2)})
    os.utime(path, ns=(1, 1))
    assert members(path) == ["b.png", "c.png"]
    assert open_file(path / "c.png").read() == png(2)


def test_a_folder_with_an_archives_name_is_a_folder(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "photos.tar", {"cat/a.png": png(0)})
    assert split_archive(root / "cat" / "a.png") is None
    assert read_image(root / "cat" / "a.png").size == (30, 20)


def shard(path: Path, first: int, n: int, beside: str) -> Path:
    files: dict[str, bytes] = {}
    for k in range(first, first + n):
        name = "cat" if k % 2 else "dog"
        said: dict[str, Any] = {"label": name, "ground": "ice" if k % 3 else "sea", "caption": ["a"]}
        files[f"{k:04}.png"] = png(k)
        files[f"{k:04}.{beside}"] = name.encode() if beside == "cls" else json.dumps(said).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    return pack(path, files)


@pytest.mark.parametrize("beside", ["cls", "json"])
def test_a_shard_of_webdataset(tmp_path: Path, beside: str) -> None:
    found = Manifest.read(shard(tmp_path / "train-0.tar", 0, 12, beside))
    assert found.classes == ("cat", "dog")
    assert found.ids[1] == "train-0.tar/0001.png"
    assert [found.classes[code] for code in found.y[:4]] == ["dog", "cat", "dog", "cat"]
    assert list(found.attributes) == ([] if beside == "cls" else ["ground"])
    # One shard alone is not a split: they are drawn.
    assert set(found.split) == {"train", "validation", "test"}
    assert read_image(Path(found.paths[3])).size == (30, 20)


@pytest.mark.parametrize(
    "names", [("train-0.tar", "train-1.tar", "test-0.tar"), ("train/0.tar", "train/1.tar", "test/0.tar")]
)
def test_a_folder_of_shards(tmp_path: Path, names: tuple[str, ...]) -> None:
    for number, name in enumerate(names):
        shard(tmp_path / "set" / name, 4 * number, 4, "json")
    found = Manifest.read(tmp_path / "set")
    assert len(found) == 12
    tested = [str(name) for name, split in zip(found.ids, found.split, strict=True) if split == "test"]
    assert tested == [f"{names[2]}/{k:04}.png" for k in range(8, 12)]
    assert len(Manifest.read(tmp_path / "set", labeled=False)) == 12


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "cannot be read"), (b"[1]", "holds no object"), (b"\xff", "cannot be read")],
)
def test_a_broken_sample_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = pack(tmp_path / "a.tar", {"0.png": png(0), "0.json": content})
    with pytest.raises(EvenhandError, match=rf"a\.tar/0\.json {sentence}"):
        Manifest.read(path)


def test_samples_without_labels_are_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar", {"0.png": png(0), "0.cls": b"cat", "1.png": png(1)})
    with pytest.raises(EvenhandError, match=r"\.cls members has no value in column 'cls' at row 2 of 2"):
        Manifest.read(path)
