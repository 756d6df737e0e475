"""Trees of class folders as people have them, and what is said of the rest."""

import itertools
import os
from pathlib import Path

import pytest
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.sources.masks import masks_note

SHADES = itertools.count()


def tree(root: Path, *folders: str, n: int = 4) -> Path:
    """Draw n pictures in each folder, each unlike every other."""
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for index in range(n):
            shade = next(SHADES)
            picture = Image.new("RGB", (2, 2), (shade % 256, shade // 256, 1))
            picture.save(root / folder / f"{index}.png", format="PNG")
    return root


def noted(manifest: Manifest, text: str) -> bool:
    return any(text in note for note in manifest.notes)


def test_domains_are_told_and_read_as_they_are_named(tmp_path):
    tree(tmp_path, "photo/cat", "photo/dog", "sketch/cat", "sketch/dog")
    guessed = Manifest.read(tmp_path)
    assert guessed.classes == ("photo", "sketch")
    assert noted(guessed, "the same folders (cat, dog) are below every class (photo, sketch)")
    told = Manifest.read(tmp_path, layout="domain/class")
    assert told.classes == ("cat", "dog")
    assert set(told.attributes["domain"]) == {"photo", "sketch"}
    assert not noted(told, "the same folders")


def test_folders_can_be_units(tmp_path):
    tree(tmp_path, *(f"{name}/p{k}" for k in range(8) for name in ("cat", "dog")), n=3)
    found = Manifest.read(tmp_path, layout="class/patient", split_by="patient")
    for patient in set(found.units):
        assert len(set(found.split[found.units == patient])) == 1
    assert set(found.split) == {"train", "validation", "test"}
    assert noted(found, "the images of each of the 8 values of 'patient' are kept in one split")


def test_splits_below_classes(tmp_path):
    found = Manifest.read(tree(tmp_path, "cat/train", "cat/test", "dog/train", "dog/test"))
    assert found.classes == ("cat", "dog")
    assert found.split.tolist() == (["test"] * 4 + ["train"] * 4) * 2
    assert noted(found, "the splits are read from the folders below each class")


def test_unusual_words_of_splits_are_said(tmp_path):
    found = Manifest.read(tree(tmp_path, "trainset/a", "trainset/b", "eval/a", "eval/b"))
    assert found.split.tolist() == ["test"] * 8 + ["train"] * 8
    assert noted(found, "the splits eval, trainset are read as test, train")


def test_one_folder_around_all(tmp_path):
    assert Manifest.read(tree(tmp_path, "PetImages/Cat", "PetImages/Dog")).classes == ("Cat", "Dog")


@pytest.mark.parametrize(
    "litter",
    ["@eaDir/0.png", "#recycle", "lost+found", ".ipynb_checkpoints", "__MACOSX", "$RECYCLE.BIN", "@Recycle"],
)
def test_litter_is_passed_over(tmp_path, litter):
    tree(tmp_path, "cat", "dog", litter, f"cat/{litter}")
    for name in ("Thumbs.db", ".DS_Store", "cat/desktop.ini", "dog/._0.png"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff")
    found = Manifest.read(tmp_path)
    assert found.classes == ("cat", "dog")
    assert len(found) == 8


def test_folders_without_images_are_named_with_what_is_in_them(tmp_path):
    tree(tmp_path, "cat", "dog")
    (tmp_path / "bird").mkdir()
    (tmp_path / "fish/deep").mkdir(parents=True)
    for name in ("0.dcm", "1.DCM", "notes"):
        (tmp_path / "fish/deep" / name).touch()
    assert noted(
        Manifest.read(tmp_path),
        "no image is in 2 folders, which make no class: bird (empty), fish (2 × .dcm, 1 × no suffix)",
    )


@pytest.mark.parametrize(
    ("argument", "option"),
    [
        ("label_column", {"label_column": "species"}),
        ("split_column", {"split_column": "fold"}),
        ("path_column", {"path_column": "file"}),
        ("root", {"root": "elsewhere"}),
        ("split_by", {"split_by": "patient"}),
        ("attribute_columns", {"attribute_columns": ["place"]}),
    ],
)
def test_options_without_effect_are_refused(tmp_path, argument, option):
    with pytest.raises(EvenhandError, match=rf"^{argument}: .* cannot be read, .* has no metadata table; "):
        Manifest.read(tree(tmp_path, "a", "b"), **option)


def test_a_layout_that_does_not_fit(tmp_path):
    with pytest.raises(
        EvenhandError, match=r"layout: no image of .* is in 3 levels of folders, as a/b/class"
    ):
        Manifest.read(tree(tmp_path, "cat", "dog"), layout="a/b/class")


def test_tables_beside_are_named(tmp_path):
    (tree(tmp_path, "cat", "dog") / "labels.csv").write_text("x\n1\n")
    assert noted(Manifest.read(tmp_path), "the table labels.csv in")
    (tree(tmp_path / "flat", "images") / "labels.csv").write_text("x\n1\n")
    with pytest.raises(EvenhandError, match=r"only one class folder, images; if the table labels.csv lists"):
        Manifest.read(tmp_path / "flat")
    (tmp_path / "flat/images").rename(tmp_path / "gone")
    (tmp_path / "gone/0.png").rename(tmp_path / "flat/0.png")
    with pytest.raises(EvenhandError, match=r"neither class folders .*; if the table labels.csv lists the"):
        Manifest.read(tmp_path / "flat")


def test_a_pipe_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "photos")
    for name in ("photos.csv", "photos.zip", "photos.tar", "photos.parquet"):
        os.mkfifo(tmp_path / name)
    for path in sorted(tmp_path.iterdir()):
        for labeled in (True, False):
            with pytest.raises(
                EvenhandError, match="is a pipe or a device, not a folder; give a folder of images"
            ):
                Manifest.read(path, labeled=labeled)


def test_a_folder_whose_path_is_not_utf8(tmp_path):
    place = tmp_path / os.fsdecode(b"\xffphotos")
    try:
        place.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(EvenhandError, match=r"the path .*photos' is not UTF-8; rename it"):
        Manifest.read(tree(place, "a", "b"))


# --- metadata


def lines(path: Path, header: str, *rows: str) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def test_metadata_inside_class_folders(tmp_path):
    tree(tmp_path, "cat", "dog")
    for name in ("cat", "dog"):
        lines(
            tmp_path / name / "metadata.csv", "file_name,place", *(f"{k}.png,{'xy'[k % 2]}" for k in range(4))
        )
    found = Manifest.read(tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.attributes["place"].tolist() == ["x", "y"] * 4
    (tmp_path / "dog/metadata.csv").unlink()
    found = Manifest.read(tmp_path)
    assert found.attributes["place"].tolist() == ["x", "y", "x", "y", "", "", "", ""]
    assert noted(found, "4 images are in folders without a metadata table: their attributes are unknown")


def test_a_table_per_split(tmp_path):
    tree(tmp_path, "images", n=8)
    for name, rows in (("train", range(4)), ("val", range(4, 6)), ("test", range(6, 8))):
        lines(tmp_path / f"{name}.csv", "file_name,label", *(f"images/{k}.png,{'ab'[k % 2]}" for k in rows))
    found = Manifest.read(tmp_path)
    assert dict(zip(found.ids.tolist(), found.split.tolist(), strict=True)) == {
        f"images/{k}.png": ("train", "validation", "test")[max(0, k // 2 - 1)] for k in range(8)
    }
    assert noted(found, "the splits are read from the tables test.csv, train.csv, val.csv")


def test_a_table_per_split_beside_its_folder_of_images(tmp_path):
    tree(tmp_path, "train", "test")
    for name in ("train", "test"):
        lines(tmp_path / f"{name}.csv", "file_name,label", *(f"{k}.png,{'ab'[k % 2]}" for k in range(4)))
    found = Manifest.read(tmp_path)
    assert found.ids.tolist() == [f"{name}/{k}.png" for name in ("test", "train") for k in range(4)]
    assert found.split.tolist() == ["test"] * 4 + ["train"] * 4


def test_layout_of_a_folder_with_tables_is_refused(tmp_path):
    lines(tree(tmp_path, "cat", "dog") / "metadata.csv", "file_name,label", "cat/0.png,x", "dog/0.png,y")
    with pytest.raises(EvenhandError, match=r"layout: 'class' cannot be read, .* has tables of its images"):
        Manifest.read(tmp_path, layout="class")


# --- tables


def table(root: Path, header: str, *rows: str) -> Path:
    tree(root, "img", n=8)
    lines(root / "t.csv", header, *rows)
    return root / "t.csv"


def test_a_column_of_paths_by_content_or_option(tmp_path):
    path = table(
        tmp_path, "Image Index,other,label", *(f"img/{k}.png,{k}.txt,{'ab'[k % 2]}" for k in range(8))
    )
    found = Manifest.read(path)
    assert found.ids[3] == "img/3.png"
    assert noted(found, "column 'Image Index' of")
    assert not noted(Manifest.read(path, path_column="Image Index"), "column 'Image Index' of")
    with pytest.raises(
        EvenhandError, match=r"path_column: .* has no column 'x'; its columns are Image Index"
    ):
        Manifest.read(path, path_column="x")


def test_ids_that_lead_to_images(tmp_path):
    path = table(tmp_path, "image_id,label", *(f"{k},{'ab'[k % 2]}" for k in range(8)))
    assert Manifest.read(path).ids[3] == "img/3.png"


def test_two_columns_of_paths(tmp_path):
    path = table(
        tmp_path, "before,after,label", *(f"img/{k}.png,img/{k}.png,{'ab'[k % 2]}" for k in range(8))
    )
    with pytest.raises(EvenhandError, match="has several columns of image paths, before, after; its columns"):
        Manifest.read(path)


def test_root_of_a_tables_paths(tmp_path):
    path = table(tmp_path, "path,label", *(f"{k}.png,{'ab'[k % 2]}" for k in range(8)))
    found = Manifest.read(path, root=tmp_path / "img")
    assert found.ids[0] == "0.png"
    assert found.root == str(tmp_path / "img")


def test_folders_of_a_tables_paths_are_attributes(tmp_path):
    rows = (f"img/{k}.png,{'ab'[k % 2]},{'xy'[k // 4]}" for k in range(8))
    path = table(tmp_path, "path,label,place", *rows)
    found = Manifest.read(path, layout="folder", attribute_columns=["folder", "place"])
    assert list(found.attributes) == ["folder", "place"]
    assert set(found.attributes["folder"]) == {"img"}
    assert Manifest.read(path, layout="folder", split_by="folder").units.tolist() == ["img"] * 8
    assert Manifest.read(path, layout="folder", split_by="place").units.tolist() == ["x"] * 4 + ["y"] * 4


@pytest.mark.parametrize("layout", ["class", "*", "*/split", "a/a", "a//b", ""])
def test_a_layout_of_a_table_names_attributes_alone(tmp_path, layout):
    path = table(tmp_path, "path,label", *(f"img/{k}.png,{'ab'[k % 2]}" for k in range(8)))
    sentence = f"layout: '{layout}' cannot be read: class and split are columns of the table; write a word"
    with pytest.raises(EvenhandError) as error:
        Manifest.read(path, layout=layout)
    assert str(error.value).startswith(sentence)


def test_a_layout_of_a_table_that_does_not_fit_its_paths(tmp_path):
    path = table(tmp_path, "path,label", *(f"img/{k}.png,{'ab'[k % 2]}" for k in range(8)))
    with pytest.raises(EvenhandError, match=r"layout: no path, such as 'img/0.png', has 2 levels of folders"):
        Manifest.read(path, layout="*/patient")
    with pytest.raises(EvenhandError, match=r"layout: 'label' is a column of .*; choose another word"):
        Manifest.read(path, layout="label")


def test_none_of_a_tables_images_is_there(tmp_path):
    path = table(tmp_path, "path,label", "x/none.png,a", "x/nope.png,b")
    with pytest.raises(EvenhandError, match=r"none of the 2 images of .* exists; the first is 'x/none.png'"):
        Manifest.read(path)


def test_rows_that_repeat_are_counted(tmp_path):
    rows = [f"img/{k}.png,{'ab'[k % 2]}" for k in range(8)]
    found = Manifest.read(table(tmp_path, "path,label", *rows, *rows[:3]))
    assert len(found) == 8
    assert noted(found, "3 of 11 rows repeat an earlier one and are left out")


def test_a_split_file_wins(tmp_path):
    rows = [f"img/{k}.png,{'ab'[k % 2]},train" for k in range(8)]
    path = table(tmp_path, "path,label,split", *rows)
    lines(tmp_path / "splits.txt", *(f"{k}.png {0 if k < 5 else 2}" for k in range(8)))
    found = Manifest.read(path, split_file=tmp_path / "splits.txt")
    assert found.split.tolist() == ["train"] * 5 + ["test"] * 3


def test_copies_are_drawn_into_one_split(tmp_path):
    tree(tmp_path, "a", "b", n=30)
    for k in range(0, 30, 2):
        (tmp_path / f"a/{k + 1}.png").write_bytes((tmp_path / f"a/{k}.png").read_bytes())
    found = Manifest.read(tmp_path)
    split = dict(zip(found.ids.tolist(), found.split.tolist(), strict=True))
    assert all(split[f"a/{k}.png"] == split[f"a/{k + 1}.png"] for k in range(0, 30, 2))
    assert set(split.values()) == {"train", "validation", "test"}
    assert len(found.copies) == 15
    assert noted(found, "30 images are copies of others: copies are kept in one split")
    assert not noted(found, "leakage")


def test_one_image_under_two_labels(tmp_path):
    tree(tmp_path, "a", "b")
    (tmp_path / "b/copy.png").write_bytes((tmp_path / "a/0.png").read_bytes())
    found = Manifest.read(tmp_path)
    assert noted(found, "label conflict: 2 images have the same content as an image with another label")
    assert not noted(found, "leakage")


def test_masks_among_images_are_told(tmp_path):
    names = ["benign/benign (1)", "benign/benign (1)_mask", "benign/benign (1)_mask_1", "normal/normal (1)"]
    names += ["normal/normal (2)", "normal/gas_mask", "normal/_mask"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (2, 2), (next(SHADES) % 256, 0, 2)).save(tmp_path / f"{name}.png")
    told = "2 images seem to be masks of others, such as benign/benign (1)_mask.png; if so, take them out "
    assert f"{told}of the folder" in Manifest.read(tmp_path).notes


def test_a_folder_of_masks_beside_the_images_is_told():
    names = ["a/images/1.png", "a/masks/1.png", "b/masks/2.png", "VOC/JPEGImages/3.jpg"]
    told = "1 image seems to be a mask of another, such as a/masks/1.png; if so, take it out of the folder"
    assert masks_note(names) == told
    assert masks_note([*names, "VOC/SegmentationClass/3.png"]).startswith("2 images seem to be masks of")
    assert masks_note(names[2:]) is None
