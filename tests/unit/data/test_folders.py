"""Pictures are found, and folders are read as splits only where they are."""

import os

import pytest
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand.data.sources.find_images import find_images, tables_beside


def picture(path, kind="PNG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (2, 2)).save(path, format=kind)


def test_finds_pictures_by_extension_or_content(tmp_path):
    for name in ("b/Ärger 1.PNG", "a/deep/er/x.jpg", "a/no_extension", ".hidden/x.png", "a/._x.png"):
        picture(tmp_path / name)
    picture(tmp_path / "b/webp.dat", "WEBP")
    picture(tmp_path / "__MACOSX/x.png")
    (tmp_path / "a/notes.txt").write_text("no picture")
    (tmp_path / "a/broken.jpg").write_text("listed all the same")
    (tmp_path / "a/dangling.png").symlink_to("nowhere.png")
    (tmp_path / "a/dangling").symlink_to("nowhere")
    assert find_images(tmp_path) == [
        "a/broken.jpg",
        "a/dangling.png",
        "a/deep/er/x.jpg",
        "a/no_extension",
        "b/webp.dat",
        "b/Ärger 1.PNG",
    ]


def test_linked_folders_are_followed_but_not_in_circles(tmp_path):
    picture(tmp_path / "elsewhere/x.png")
    (tmp_path / "photos/a").mkdir(parents=True)
    (tmp_path / "photos/b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos/a/circle").symlink_to(tmp_path / "photos")
    assert find_images(tmp_path / "photos") == ["b/x.png"]


def test_a_link_to_itself_is_listed_like_a_dangling_one(tmp_path):
    picture(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert find_images(tmp_path) == ["a.png", "loop.png"]


def test_a_folder_of_tables_alone_is_told_to_name_one(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train-00000-of-00001.parquet").write_bytes(b"")
    with pytest.raises(EvenhandError, match=r"if the table data/train-00000-of-00001\.parquet lists"):
        find_images(tmp_path)


def test_tables_are_files_and_no_litter(tmp_path):
    (tmp_path / "rows.csv").touch()
    (tmp_path / "._rows.csv").touch()
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "metadata.csv").touch()
    assert tables_beside(tmp_path) == ["rows.csv"]


def test_unreadable_file_without_extension_is_no_picture(tmp_path, monkeypatch):
    picture(tmp_path / "a.png")
    (tmp_path / "b").write_text("x")
    real = type(tmp_path).open

    def refuse(path, *args, **kwargs):
        if path.name == "b":
            raise PermissionError
        return real(path, *args, **kwargs)

    monkeypatch.setattr(type(tmp_path), "open", refuse)
    assert find_images(tmp_path) == ["a.png"]


def test_missing_no_folder_empty(tmp_path):
    with pytest.raises(EvenhandError, match="does not exist"):
        find_images(tmp_path / "gone")
    (tmp_path / "file").write_text("x")
    with pytest.raises(EvenhandError, match="is not a folder"):
        find_images(tmp_path / "file")
    with pytest.raises(EvenhandError, match="holds no images"):
        find_images(tmp_path)


def test_name_that_is_not_utf8(tmp_path):
    try:
        with open(os.fsencode(tmp_path) + b"/\xff.png", "wb"):  # noqa: PTH123  pathlib takes no bytes
            pass
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(EvenhandError, match=r"the file name .* is not UTF-8; rename it"):
        find_images(tmp_path)
