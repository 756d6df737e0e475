"""Pictures without labels are listed as a manifest lists them, a folder's without taking memory."""

import tarfile
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.texts_on_disk import TextsOnDisk
from evenhand.data.unlabelled import list_pictures

NAMES = ("a/x.png", "a.png", "a-b/x.png", "a/b/y.png", "a0.png", "b/deep/er/z.png", "ü/1.png", ".h/x.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2)).save(path)
    return tmp_path / "photos"


def packed(photos: Path) -> Path:
    with tarfile.open(photos.with_suffix(".tar"), "w") as archive:
        archive.add(photos, "photos")
    return photos.with_suffix(".tar")


@pytest.mark.parametrize("kind", ["folder", "picture", "table", "archive", "dots"])
def test_they_are_those_of_a_manifest(kind: str, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("file_name\nphotos/a.png\nphotos/a/x.png\n")
    source = {
        "folder": photos,
        "picture": photos / "a.png",
        "table": tmp_path / "rows.csv",
        "archive": packed(photos),
        "dots": photos / "a" / ".." / "b",
    }[kind]
    expected = Manifest.read(source, labeled=False)
    found = list_pictures(source, tmp_path)
    assert list(found.ids) == expected.ids.tolist()
    assert list(found.paths) == expected.paths.tolist()
    assert len(found) == len(expected)


def test_the_order_is_that_of_the_paths(photos: Path, tmp_path: Path) -> None:
    found = list(list_pictures(photos, tmp_path).ids)
    assert found == sorted(found)
    assert set(found) == {name for name in NAMES if not name.startswith(".")}


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvenhandError, match="empty holds no images; give a folder with at least one image"):
        list_pictures(tmp_path / "empty", tmp_path)


def test_a_folder_that_cannot_be_listed_is_told(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("evenhand.data.sources.find_images.os.scandir", refuse)
    with pytest.raises(EvenhandError, match=r"cannot list .*photos: Permission denied; check the permissi"):
        list_pictures(photos, tmp_path)


def test_the_list_takes_no_memory(tmp_path: Path) -> None:
    held = []
    for count in (1_000, 20_000):
        tracemalloc.start()
        texts = TextsOnDisk((f"camera-{k % 10}/photograph-{k:07d}.jpg" for k in range(count)), tmp_path)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(texts) == count
    assert held[1] < held[0] + 10_000
