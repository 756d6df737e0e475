"""From a folder or table to rows with codes and splits, and one sentence for every way it can be wrong."""

import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest

SHADES = itertools.count()


def picture(path: Path) -> None:
    """Draw a picture unlike every other, so that none leaks by chance."""
    shade = next(SHADES)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2), (shade % 256, shade // 256 % 256, shade // 65536)).save(path, format="PNG")


def tree(root: Path, **classes: int) -> Path:
    for name, n in classes.items():
        for index in range(n):
            picture(root / name.replace("__", "/") / f"{index}.png")
    return root


def csv(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def labels(manifest: Manifest) -> list[str]:
    return [manifest.classes[code] for code in manifest.y]


# --- class folders


def test_class_folders_without_splits(tmp_path):
    manifest = Manifest.read(tree(tmp_path, dog=10, cat=20))
    assert manifest.classes == ("cat", "dog")
    assert len(manifest) == 30
    assert manifest.ids[0] == "cat/0.png"
    assert manifest.paths[0] == str(tmp_path / "cat/0.png")
    assert labels(manifest) == ["cat"] * 20 + ["dog"] * 10
    assert {s: int((manifest.split == s).sum()) for s in ("train", "validation", "test")} == {
        "train": 20,
        "validation": 5,
        "test": 5,
    }
    assert manifest.notes == (
        "no splits are given: 70 % train, 15 % validation, 15 % test, drawn by class with seed 0",
    )
    assert manifest.root == str(tmp_path)


def test_seed_draws_the_split(tmp_path):
    tree(tmp_path, dog=20, cat=20)
    first, again, other = (Manifest.read(tmp_path, seed=seed).split for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_class_folders_in_split_folders(tmp_path):
    tree(tmp_path, train__a=2, train__b=1, valid__a=1, test__b=1)
    manifest = Manifest.read(tmp_path)
    assert manifest.ids.tolist() == [
        "test/b/0.png",
        "train/a/0.png",
        "train/a/1.png",
        "train/b/0.png",
        "valid/a/0.png",
    ]
    assert manifest.split.tolist() == ["test", "train", "train", "train", "validation"]
    assert labels(manifest) == ["b", "a", "a", "b", "a"]
    assert manifest.notes == ("no test image has the class a: its accuracy stays unknown",)


def test_train_and_test_leave_validation_absent(tmp_path):
    assert set(Manifest.read(tree(tmp_path, train__a=2, train__b=2, test__a=1)).split) == {"train", "test"}


def test_train_alone_is_split(tmp_path):
    manifest = Manifest.read(tree(tmp_path, train__a=4, train__b=4))
    assert set(manifest.split) == {"train", "validation", "test"}
    assert manifest.notes[0].startswith("all images are given as train: 70 % train")


def test_unicode_spaces_nesting_and_relative_source(tmp_path, monkeypatch):
    for name in ("grüne Vögel/日 本/ein Bild.png", "grüne Vögel/b.png", "b/c.png"):
        picture(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    manifest = Manifest.read(Path())
    assert manifest.classes == ("b", "grüne Vögel")
    assert "grüne Vögel/日 本/ein Bild.png" in manifest.ids
    assert all(Path(path).is_absolute() and Path(path).exists() for path in manifest.paths)


def test_loose_pictures_are_left_out_aloud(tmp_path):
    tree(tmp_path, train__a=2, train__b=2, test__a=1, test__b=1)
    picture(tmp_path / "cover.png")
    manifest = Manifest.read(tmp_path)
    assert len(manifest) == 6
    assert manifest.notes == ("1 image outside the class folders is left out, for example cover.png",)


# --- names of classes


def test_bare_numbers_are_noted_and_can_be_named(tmp_path):
    tree(tmp_path, **{"10": 3, "9": 3})
    manifest = Manifest.read(tmp_path)
    assert manifest.classes == ("9", "10")
    (note,) = [note for note in manifest.notes if "class_names" in note]
    assert note.startswith(
        "labels that are bare numbers or truth values make useless prompts: 9, 10; name the"
    )
    named = Manifest.read(tmp_path, class_names={"9": "cat", "10": "a dog"})
    assert named.classes == ("cat", "a dog")
    assert (named.y == manifest.y).all()
    assert not any("class_names" in note for note in named.notes)


def test_truth_values_are_noted_too(tmp_path):
    tree(tmp_path, true=3, False_=3)
    (tmp_path / "False_").rename(tmp_path / "False")
    assert any(
        "prompts: False, true; name the classes in `class_names`" in note
        for note in Manifest.read(tmp_path).notes
    )


@pytest.mark.parametrize("column", ["is_test,True,False", "phase,train,val"])
def test_a_column_that_reads_like_a_split_is_named(tmp_path, column):
    name, *values = column.split(",")
    rows = [f"{k}.png,{'ab'[k % 2]},{values[k % 3 == 0]}" for k in range(12)]
    for k in range(12):
        picture(tmp_path / f"{k}.png")
    table = csv(tmp_path / "t.csv", f"path,label,{name}", *rows)
    note = (
        f"column {name!r} looks like a split, but splits are read only from 'split', which does not exist; "
        "name it as `split_column` if it is one"
    )
    assert note in Manifest.read(table).notes
    assert note not in Manifest.read(table, split_column=name).notes


def test_unknown_class_name(tmp_path):
    with pytest.raises(EvenhandError, match="class_names: 'c' is not a label; the labels are a, b"):
        Manifest.read(tree(tmp_path, a=2, b=2), class_names={"c": "cat"})


@pytest.mark.parametrize("name", ["b", " "])
def test_class_names_must_differ(tmp_path, name):
    with pytest.raises(EvenhandError, match="class_names: each class needs a different name"):
        Manifest.read(tree(tmp_path, a=2, b=2), class_names={"a": name})


def test_long_lists_are_cut(tmp_path):
    tree(tmp_path, **{f"c{index:02}": 2 for index in range(15)})
    with pytest.raises(EvenhandError, match=r"c08, c09 and 5 more$"):
        Manifest.read(tmp_path, class_names={"x": "y"})


# --- Hugging Face ImageFolder


def test_metadata_at_the_root(tmp_path):
    tree(tmp_path, images=4)
    lines = [f"images/{index}.png,{'ab'[index % 2]},{'xy'[index // 2]}" for index in range(4)]
    csv(tmp_path / "metadata.csv", "file_name,label,place", *lines)
    manifest = Manifest.read(tmp_path)
    assert labels(manifest) == ["a", "b", "a", "b"]
    assert manifest.attributes["place"].tolist() == ["x", "x", "y", "y"]
    assert manifest.ids[0] == "images/0.png"


def test_metadata_in_split_folders(tmp_path):
    tree(tmp_path, train=4, test=2)
    rows = [f"{index}.png,{'ab'[index % 2]},{'xy'[index // 2]}" for index in range(4)]
    csv(tmp_path / "train/metadata.csv", "file_name,label,place", *rows)
    columns = {"file_name": ["0.png", "1.png"], "label": ["a", "b"], "place": ["x", "x"]}
    pq.write_table(pa.table(columns), tmp_path / "test/metadata.parquet")
    manifest = Manifest.read(tmp_path)
    assert manifest.ids.tolist() == ["test/0.png", "test/1.png", *(f"train/{i}.png" for i in range(4))]
    assert manifest.split.tolist() == ["test"] * 2 + ["train"] * 4
    # Constant within the test split, and kept there all the same.
    assert manifest.attributes["place"].tolist() == ["x", "x", "x", "x", "y", "y"]
    assert all(Path(path).exists() for path in manifest.paths)


def test_metadata_beside_class_folders(tmp_path):
    tree(tmp_path, train__a=2, train__b=2, test__a=1)
    names = ["train/a/0.png", "train/a/1.png", "train/b/0.png", "train/b/1.png", "test/a/0.png"]
    csv(tmp_path / "metadata.csv", "file_name,place", *(f"{n},{'xy'[i % 2]}" for i, n in enumerate(names)))
    manifest = Manifest.read(tmp_path)
    assert labels(manifest) == ["a", "a", "b", "b", "a"]
    assert manifest.split.tolist() == ["train"] * 4 + ["test"]
    assert manifest.attributes["place"].tolist() == ["x", "y", "x", "y", "x"]


def test_pictures_in_no_metadata_are_noted(tmp_path):
    tree(tmp_path, x=5)
    csv(tmp_path / "metadata.csv", "file_name,label", *(f"x/{i}.png,{'ab'[i % 2]}" for i in range(4)))
    assert (
        "1 image is in no metadata table and is left out, for example x/4.png"
        in Manifest.read(tmp_path).notes
    )


def test_two_metadata_tables(tmp_path):
    for name in ("metadata.csv", "metadata.jsonl"):
        csv(tmp_path / name, "file_name,label")
    with pytest.raises(
        EvenhandError, match=r"several metadata tables, metadata.csv and metadata.jsonl; keep one"
    ):
        Manifest.read(tmp_path)


def test_metadata_without_labels(tmp_path):
    tree(tmp_path / "train", **{".": 2})
    csv(tmp_path / "train/metadata.csv", "file_name,place", "0.png,x", "1.png,y")
    with pytest.raises(EvenhandError, match="has no column 'label'; its columns are file_name, place"):
        Manifest.read(tmp_path)


# --- tables


@pytest.fixture
def table(tmp_path):
    """Return a writer of a table and of the pictures that it names below its folder."""

    def write(header: str, *rows: str, name: str = "rows.csv") -> Path:
        for value in {value for row in rows for value in row.split(",") if value.endswith(".png")}:
            place = tmp_path / value
            if tmp_path in place.parents and ".." not in place.parts and not place.is_symlink():
                picture(place)
        return csv(tmp_path / name, header, *rows)

    return write


@pytest.mark.parametrize("column", ["file_name", "path", "image", "filename", "Filepath", "img_filename"])
def test_path_columns(table, column):
    manifest = Manifest.read(table(f"n,{column},label", "1,p/a.png,x", "2,./p/b.png,x", "3,q/../c.png,y"))
    assert manifest.ids.tolist() == ["p/a.png", "p/b.png", "c.png"]


def test_absolute_paths(table, tmp_path):
    manifest = Manifest.read(table("path,label", f"{tmp_path}/in/a.png,x", "/out/b.png,x", "../c.png,y"))
    assert manifest.ids.tolist() == ["in/a.png", "/out/b.png", "../c.png"]
    assert manifest.paths.tolist() == [f"{tmp_path}/in/a.png", "/out/b.png", str(tmp_path.parent / "c.png")]


def test_columns_in_capitals_are_read(table):
    manifest = Manifest.read(table("Path,Label,SPLIT", "a.png,x,train", "b.png,y,train", "c.png,x,test"))
    assert manifest.classes == ("x", "y")
    assert manifest.split.tolist() == ["train", "train", "test"]
    assert manifest.attributes == {}


@pytest.mark.parametrize("start", ["file:", "file://"])
def test_addresses_of_this_machines_files(tmp_path, start):
    for name in "abc":
        picture(tmp_path / f"{name}.png")
    for place in (tmp_path, "/C:/elsewhere"):
        rows = [f"{start}{place}/{name}.png,{label}" for name, label in ("ax", "by", "cx")]
        manifest = Manifest.read(csv(tmp_path / "t.csv", "path,label", *rows))
        names = ["a.png", "b.png", "c.png"]
        assert manifest.ids.tolist() == (
            [f"file://{tmp_path}/{name}" for name in names] if place == tmp_path else names
        )


def test_a_path_column_that_holds_no_paths_is_named(tmp_path):
    for values, sentence in (
        ([[1, 2], [3]], "paths: .* has lists or records in column 'image'; write one value per row"),
        (["x" * 5000, "y"], "column 'image'; shorten it or .*, and write images that are text to files"),
    ):
        pq.write_table(pa.table({"image": values, "label": ["x", "y"]}), tmp_path / "a.parquet")
        with pytest.raises(EvenhandError, match=sentence):
            Manifest.read(tmp_path / "a.parquet")


def test_absent_files_stay(tmp_path):
    (tmp_path / "b.png").symlink_to("nowhere.png")
    assert len(Manifest.read(csv(tmp_path / "t.csv", "path,label", "a.png,x", "b.png,x", "c.png,y"))) == 3


def test_no_path_column(table):
    with pytest.raises(EvenhandError, match="no column of image paths; its columns are a, label"):
        Manifest.read(table("a,label", "1,x"))


def test_bytes_that_may_be_anything(tmp_path):
    pq.write_table(pa.table({"a": [b"x"] * 2, "b": [b"x"] * 2, "label": [0, 1]}), tmp_path / "a.parquet")
    with pytest.raises(
        EvenhandError,
        match=r"a.parquet holds bytes in the columns a, b, of which none is called image; rename",
    ):
        Manifest.read(tmp_path / "a.parquet")


def test_columns_by_name(table):
    rows = ["a.png,x,train,u,1", "b.png,x,test,v,2", "c.png,y,train,u,3"]
    manifest = Manifest.read(
        table("path,y,fold,place,weight", *rows),
        label_column="y",
        split_column="fold",
        attribute_columns=["weight"],
    )
    assert manifest.classes == ("x", "y")
    assert manifest.split.tolist() == ["train", "test", "train"]
    assert list(manifest.attributes) == ["weight"]


def test_default_attributes(table):
    header = "path,label,split,id,place,night,constant,score,code"
    rows = [
        f"{i}.png,{'xy'[i % 2]},{'train' if i < 80 else 'test'},{i},"
        f"{'uv'[i % 7 % 2]},{i % 3 == 0},same,{i % 5 / 4},{i}"
        for i in range(100)
    ]
    manifest = Manifest.read(table(header, *rows))
    assert list(manifest.attributes) == ["place", "night"]


def test_attributes_turned_off(table):
    rows = ["a.png,x,u", "b.png,x,v", "c.png,y,u"]
    assert Manifest.read(table("path,label,place", *rows), attribute_columns=[]).attributes == {}


def test_missing_columns_name_those_that_exist(table):
    source = table("path,y", "a.png,x")
    with pytest.raises(
        EvenhandError, match=r"label_column: .* has no column 'label'; its columns are path, y"
    ):
        Manifest.read(source)
    with pytest.raises(
        EvenhandError, match=r"attribute_columns: .* has no column 'place'; its columns are path, y"
    ):
        Manifest.read(source, label_column="y", attribute_columns=["place"])
    with pytest.raises(
        EvenhandError, match=r"split_column: .* has no column 'fold'; its columns are path, y"
    ):
        Manifest.read(source, label_column="y", split_column="fold")


def test_attribute_of_a_tree_without_metadata(tmp_path):
    with pytest.raises(
        EvenhandError, match=r"attribute_columns: 'place' cannot be read, .* has no metadata table"
    ):
        Manifest.read(tree(tmp_path, a=2, b=2), attribute_columns=["place"])


@pytest.mark.parametrize("gap", ["", "NaN", " "])
def test_missing_label_names_the_row(table, gap):
    with pytest.raises(EvenhandError, match="no value in column 'label' at row 2 of 3"):
        Manifest.read(table("path,label", "a.png,x", f"b.png,{gap}", "c.png,y"))


def test_missing_path_names_the_row(table):
    with pytest.raises(EvenhandError, match="no value in column 'path' at row 1 of 1"):
        Manifest.read(table("path,label", ",x"))


def test_duplicate_rows(table):
    with pytest.raises(
        EvenhandError,
        match=r"image paths must be unique, but 'a.png' appears 2 times, with different values \(1 such",
    ):
        Manifest.read(table("path,label", "a.png,x", "./a.png,y", "c.png,y"))


def test_unknown_split(table):
    with pytest.raises(
        EvenhandError, match="split_column: 'night' in column 'split' at row 2 is not a split; allowed"
    ):
        Manifest.read(table("path,label,split", "a.png,x,train", "b.png,x,night", "c.png,y,train"))


def test_numbered_splits(table):
    manifest = Manifest.read(
        table("path,label,split", "a.png,x,0", "b.png,x,1", "c.png,y,0", "d.png,x,2", "e.png,y,2")
    )
    assert manifest.split.tolist() == ["train", "validation", "train", "test", "test"]
    assert manifest.notes == ("the split numbers 0, 1, 2 are read as train, validation, test",)


# --- what cannot be worked on


def test_missing_empty_and_flat_folders(tmp_path):
    with pytest.raises(EvenhandError, match="does not exist"):
        Manifest.read(tmp_path / "gone")
    with pytest.raises(EvenhandError, match="holds no images"):
        Manifest.read(tmp_path)
    picture(tmp_path / "a.png")
    with pytest.raises(EvenhandError, match="neither class folders nor a metadata table"):
        Manifest.read(tmp_path)


def test_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    # The tests may run as root, whom no file mode stops.
    monkeypatch.setattr("os.scandir", refuse)
    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    with pytest.raises(EvenhandError, match=r"cannot list .*: Permission denied; check the permissions"):
        Manifest.read(tmp_path)


def test_one_class(tmp_path):
    with pytest.raises(EvenhandError, match="there is only one class, 'a'"):
        Manifest.read(tree(tmp_path, a=5))


def test_one_image_per_class(tmp_path):
    with pytest.raises(EvenhandError, match="every class has a single image"):
        Manifest.read(tree(tmp_path, a=1, b=1))


def test_a_class_of_one_image_trains_and_is_not_tested(tmp_path):
    manifest = Manifest.read(tree(tmp_path, a=10, b=1, c=1))
    assert (manifest.split[manifest.y > 0] == "train").all()
    assert manifest.notes[-1] == "no test image has the class b, c: its accuracy stays unknown"


def test_class_without_training_rows(tmp_path):
    with pytest.raises(EvenhandError, match="no training image has the class b; add some or drop the class"):
        Manifest.read(tree(tmp_path, train__a=3, test__a=1, test__b=2))


def test_no_training_rows(tmp_path):
    with pytest.raises(EvenhandError, match="there are no training images, only test; add a train split"):
        Manifest.read(tree(tmp_path, test__a=2, test__b=2))


def test_unreadable_table(tmp_path):
    (tmp_path / "rows.parquet").write_text("nonsense")
    with pytest.raises(EvenhandError, match="cannot read the table"):
        Manifest.read(tmp_path / "rows.parquet")


# --- leakage


def test_leakage_is_noted(tmp_path):
    tree(tmp_path, train__a=2, train__b=2, test__a=1, test__b=1)
    (tmp_path / "test/a/copy.png").write_bytes((tmp_path / "train/a/1.png").read_bytes())
    assert Manifest.read(tmp_path).notes == (
        "leakage: 2 images have the same content as an image in another split, "
        "for example test/a/copy.png (test) and train/a/1.png (train)",
    )


# --- prediction


def test_unlabelled_folder(tmp_path):
    for name in ("a.png", "x/b.png", "train/c d.png"):
        picture(tmp_path / name)
    manifest = Manifest.read(tmp_path, labeled=False)
    assert manifest.ids.tolist() == ["a.png", "train/c d.png", "x/b.png"]
    assert manifest.y.tolist() == [-1, -1, -1]
    assert manifest.y.dtype == np.int64
    assert set(manifest.split) == {"test"}
    assert manifest.classes == ()
    assert manifest.attributes == {}


def test_unlabelled_table_and_single_file(tmp_path):
    picture(tmp_path / "a.png")
    manifest = Manifest.read(csv(tmp_path / "rows.csv", "image,more", "b.png,1", "a.png,2"), labeled=False)
    assert manifest.ids.tolist() == ["b.png", "a.png"]
    picture(tmp_path / "one.png")
    assert Manifest.read(tmp_path / "one.png", labeled=False).paths.tolist() == [str(tmp_path / "one.png")]


def test_unlabelled_empty_folder(tmp_path):
    with pytest.raises(EvenhandError, match="holds no images"):
        Manifest.read(tmp_path, labeled=False)


@pytest.mark.parametrize(
    ("names", "noted"),
    [
        (("n01440764", "n01443537"), "are ids of WordNet"),
        (("001.Black_footed_Albatross", "002.Laysan_Albatross"), "begin with a number"),
        (("3 of hearts", "ace"), None),
        (("n0144076", "nine"), None),
    ],
)
def test_names_that_no_text_tower_reads_are_noted(tmp_path, names, noted):
    rows = [f"{name}{k}.png,{name}\n" for name in names for k in range(3)]
    for name in names:
        for k in range(3):
            picture(tmp_path / f"{name}{k}.png")
    (tmp_path / "rows.csv").write_text("path,label\n" + "".join(rows))
    for row in rows:
        (tmp_path / row.split(",")[0]).touch()
    found = [note for note in Manifest.read(tmp_path / "rows.csv").notes if "useless prompts" in note]
    assert [note for note in found if noted and noted in note and "class_names" in note] == found
    assert bool(found) == bool(noted)
