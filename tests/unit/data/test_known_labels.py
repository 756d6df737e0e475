"""Labels of images to predict: taken where they are classes of the run, and told of where they are not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import EvenhandError
from evenhand.data.known_labels import KnownLabels, LabelOptions, known_labels
from evenhand.data.sources.listing import Options
from evenhand.data.unlabelled import list_pictures

CLASSES = ("land bird", "waterbird")


def pictures(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(root / name)
    return root


def of(source: Path, room: Path, **options: object) -> KnownLabels:
    return known_labels(list_pictures(source, room), CLASSES, LabelOptions(**options))  # type: ignore[arg-type]


def test_class_folders_are_labels_and_other_folders_are_told(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "p", "Land_Bird/a.png", "waterbird/b.png", "cam 3/c.png", "d.png")
    found = of(photos, tmp_path)
    assert found.y.tolist() == [0, -1, -1, 1]
    assert found.labels.tolist() == ["land bird", "cam 3", "", "waterbird"]
    assert found.notes == (
        "1 of 4 images has no label; accuracies are of the others",
        "1 of 4 images has a label that is not a class of the run (cam 3); accuracies are of the others",
    )


def test_folders_that_are_no_classes_tell_nothing(tmp_path: Path) -> None:
    found = of(pictures(tmp_path / "p", "2024/a.png", "2025/b.png"), tmp_path)
    assert not found.any
    assert found.notes == ()


def test_a_table_gives_labels_and_attributes(tmp_path: Path) -> None:
    pictures(tmp_path, *(f"{k}.png" for k in range(5)))
    rows = ["waterbird,sea", "waterbird,", "land bird,wood", ",wood", "gull,sea"]
    lines = ["path,label,place", *(f"{k}.png,{row}" for k, row in enumerate(rows))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    found = of(tmp_path / "t.csv", tmp_path)
    assert found.y.tolist() == [1, 1, 0, -1, -1]
    assert found.attributes["place"].tolist() == ["sea", "", "wood", "wood", "sea"]
    assert [note.split(";")[0] for note in found.notes] == [
        "1 of 5 images has no label",
        "1 of 5 images has a label that is not a class of the run (gull)",
    ]


def test_other_names_of_labels_are_given(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "t.csv").write_text("path,species\na.png,0\nb.png,1\n")
    names = {"0": "land bird", "1": "waterbird"}
    assert of(tmp_path / "t.csv", tmp_path, label="species", class_names=names).y.tolist() == [0, 1]
    assert not of(tmp_path / "t.csv", tmp_path).any
    told = of(tmp_path / "t.csv", tmp_path, label="species", class_names={**names, "O": "land bird"}).notes
    assert told == ("class_names: no image has the label O",)
    with pytest.raises(EvenhandError, match=r"labels are 0, 1, the classes are land bird, waterbird; name"):
        of(tmp_path / "t.csv", tmp_path, label="species")
    with pytest.raises(EvenhandError, match="has no column 'kind'"):
        of(tmp_path / "t.csv", tmp_path, label="kind")


def test_labels_of_another_task_are_told_and_left_out(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png", "b.png")
    (tmp_path / "t.csv").write_text("path,label\na.png,red\nb.png,blue\n")
    found = of(tmp_path / "t.csv", tmp_path)
    assert not found.any
    assert found.notes[0].startswith(
        "no label is a class of the run: its labels are blue, red, the classes are"
    )


def test_labels_that_were_asked_for_and_are_empty_are_an_error(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    (tmp_path / "t.csv").write_text('path,label\na.png,""\n')
    assert of(tmp_path / "t.csv", tmp_path).notes == ()
    with pytest.raises(EvenhandError, match="no label is a class of the run: it has no label"):
        of(tmp_path / "t.csv", tmp_path, label="label")


def test_names_alike_count_only_where_one_class_is_meant(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "p", "A/x.png", "a/y.png", "a /z.png")
    found = known_labels(list_pictures(photos, tmp_path), ("A", "a"), LabelOptions())
    assert sorted(found.y.tolist()) == [-1, 0, 1]
    assert isinstance(found.y, np.ndarray)


def test_metadata_beside_the_images_tells_of_those_that_it_lists(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "p", "a.png", "b.png", "c.png")
    (photos / "metadata.csv").write_text("file_name,label\na.png,waterbird\nb.png,land bird\n")
    assert of(photos, tmp_path).y.tolist() == [1, 0, -1]


def test_a_table_elsewhere_names_its_column_and_its_root(tmp_path: Path) -> None:
    photos = pictures(tmp_path / "p", "a.png", "b.png")
    table = tmp_path / "tables/new.csv"
    table.parent.mkdir()
    table.write_text("scan,label,mask\na.png,waterbird,a_mask.png\nb.png,land bird,b_mask.png\n")
    with pytest.raises(EvenhandError, match=r"several columns of image paths, scan, mask; .*`path_column`"):
        list_pictures(table, tmp_path)
    found = list_pictures(table, tmp_path, Options(path="scan", root=photos))
    assert found.paths.tolist() == [str(photos / "a.png"), str(photos / "b.png")]  # type: ignore[union-attr]
    known = known_labels(found, CLASSES, LabelOptions())
    assert known.y.tolist() == [1, 0]
    for option, name in ((Options(path="scan"), "path_column"), (Options(root=photos), "root")):
        with pytest.raises(EvenhandError, match=f"{name}: .* cannot be read, .*p is not a table of paths"):
            list_pictures(photos, tmp_path, option)
