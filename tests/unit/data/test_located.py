"""Paths that miss the disk are found where that is obvious, and never where it is not."""

from pathlib import Path

import pytest

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.sources.locate import locate, none_there


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("written", "change"),
    [
        (r"img\{}.jpg", "slashes for backslashes"),
        ("img/{}.JPG", "another case"),
        ("IMG/{}.jpg", "another folder|the nearest name"),
        ("img/{}.png", "another extension"),
        ("img/{}", "another extension"),
        ("{}.jpg", "another folder"),
        ("data/img/{}.jpg", "another folder"),
        ("/home/other/img/{}.jpg", "another folder"),
        (r"C:\Users\me\img\{}.jpg", "slashes for backslashes and another folder"),
        ("file:///C:/img/{}.jpg", "another folder|the nearest name"),
        ("'img/{}.jpg'", "the nearest name"),
        ("img/{}.jpg?raw=1", "the nearest name"),
        ("/data/local-files/?d=img/{}.jpg", "another folder"),
    ],
)
def test_found_near(tmp_path, written, change):
    files(tmp_path, "img/a.jpg", "img/b.jpg")
    found = locate(tmp_path, [written.format("a"), written.format("b")])
    assert (found.names, found.missing) == (["img/a.jpg", "img/b.jpg"], 0)
    (note,) = found.notes
    assert note.startswith("2 of 2 paths do not exist as they are written, and are read with ")
    assert any(text in note for text in change.split("|"))


def test_blanks_in_addresses(tmp_path):
    files(tmp_path, "img/a b.jpg")
    assert locate(tmp_path, ["img/a%20b.jpg"]).names == ["img/a b.jpg"]


def test_a_list_without_header_and_extensions_is_told(tmp_path):
    files(tmp_path, "img/a.jpg", "img/b.jpg", "t.csv").joinpath("t.csv").write_text("img/a,x\nimg/b,y\n")
    with pytest.raises(
        EvenhandError, match=r"t.csv has no header: its first line names an image; write a line"
    ):
        Manifest.read(tmp_path / "t.csv")


def test_two_forms_of_unicode(tmp_path):
    files(tmp_path, "img/e\u0301.jpg")
    assert locate(tmp_path, ["img/\u00e9.jpg"]).names == ["img/e\u0301.jpg"]


def test_found_beside_the_tables_folder(tmp_path):
    files(tmp_path, "data/img/a.jpg", "images/b.jpg", "annotations/t.csv")
    assert locate(tmp_path / "annotations", ["img/a.jpg"]).names == ["../data/img/a.jpg"]
    assert locate(tmp_path / "annotations", ["b.jpg"]).names == ["../images/b.jpg"]


def test_found_in_numbered_folders_by_name(tmp_path):
    files(tmp_path, "images_1/images/a.jpg", "images_2/images/b.jpg")
    assert locate(tmp_path, ["a.jpg", "b.jpg"]).names == ["images_1/images/a.jpg", "images_2/images/b.jpg"]


def test_a_name_alone_is_not_looked_for_in_any_folder_beside(tmp_path):
    files(tmp_path, "other/a.jpg", "mine/t.csv")
    assert locate(tmp_path / "mine", ["a.jpg"]).missing == 1


def test_what_is_missing_from_its_own_folder_is_not_taken_from_another(tmp_path):
    files(tmp_path, "cat/1.jpg", "dog/1.jpg")
    found = locate(tmp_path, ["cat/1.jpg", "fish/1.jpg"])
    assert (found.names, found.missing, found.notes) == (["cat/1.jpg", "fish/1.jpg"], 1, ())


def test_an_image_is_given_to_one_row_alone(tmp_path):
    root = tmp_path / "alone" / "photos"  # images beside the folder are looked for, too
    files(root, "1.jpg")
    assert locate(root, ["train/1.jpg", "test/1.jpg"]).missing == 2
    assert locate(root, ["1.jpg", "1.JPG"]).missing == 1


def test_names_that_case_alone_tells_apart_are_not_guessed(tmp_path):
    files(tmp_path, "a.jpg", "A.jpg")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system does not tell cases apart")
    assert locate(tmp_path, ["a.JPG"]).missing == 1


@pytest.mark.parametrize("address", ["https://example.org/a.jpg", "http://x/a.jpg", "hdfs://x/a.jpg"])
def test_web_addresses_are_not_fetched(tmp_path, address):
    with pytest.raises(
        EvenhandError, match="is a web address, which evenhand does not download: download the images"
    ):
        locate(tmp_path, [address])


@pytest.mark.parametrize("start", ["iVBORw0KGgo", "data:image/png;base64,iVBOR", "/9j/4AAQ", "R0lGODlh"])
def test_images_as_text_are_named(tmp_path, start):
    with pytest.raises(EvenhandError, match=r"the image '.{20}…' is text that stands for bytes \(base64\)"):
        locate(tmp_path, [f"{start:A<400}"])


def test_none_there(tmp_path):
    told = str(none_there(tmp_path, ["a.jpg", "b.jpg"], tmp_path / "t.csv"))
    assert f"the first is 'a.jpg', looked for at {tmp_path}/a.jpg; give the folder" in told
