"""Tables of text as Excel, pandas, R, CelebA and ImageNet's lists write them."""

import bz2
import gzip
import json
import lzma
import os
from pathlib import Path

import pytest
from PIL import Image

from evenhand._errors import EvenhandError
from evenhand.data.manifest import Manifest
from evenhand.data.tables.columns import rows_of_images
from evenhand.data.tables.parts import part_files
from evenhand.data.tables.read import read_columns

ROWS = ["a.jpg", "b.jpg"]


def read(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {name: values.tolist() for name, values in rows_of_images(read_columns(path)).values.items()}


@pytest.mark.parametrize(
    "content",
    [
        "file_name,label\na.jpg,x\nb.jpg,y\n",
        "file_name;label\r\na.jpg;x\r\nb.jpg;y\r\n",
        "\ufefffile_name;label\r\na.jpg;x \r\nb.jpg; y",
        "file_name\tlabel\na.jpg\tx\nb.jpg\ty",
        "file_name|label\na.jpg|x\nb.jpg|y",
        "sep=;\r\nfile_name;label\r\na.jpg;x\r\nb.jpg;y\r\n",
        '"file_name","label"\n"a.jpg","x"\n"b.jpg","y"\n',
        "file_name\tlabel\r\na.jpg\tx\r\nb.jpg\ty\r\n".encode("utf-16"),
        "a.jpg,x\nb.jpg,y\n",
        "file_name,label\n\na.jpg,x\n,\nb.jpg,y\n,\n",
        "My photographs,\n,\nfile_name,label\na.jpg,x\nb.jpg,y\n",
        "# 2 photographs\n\nfile_name,label\na.jpg,x\nb.jpg,y\n",
        'file_name, "label"\na.jpg, "x"\nb.jpg, "y"\n',
        'file_name,label\na.jpg,"=""x"""\nb.jpg,"=""y"""\n',
        "file_name\tlabel\r\na.jpg\tx\r\nb.jpg\ty\r\n".encode("utf-32"),
    ],
)
def test_the_same_rows(tmp_path, content):
    assert read(tmp_path / "t.csv", content) == {"file_name": ROWS, "label": ["x", "y"]}


@pytest.mark.parametrize("pack", [gzip, bz2, lzma])
def test_compressed_tables_are_read(tmp_path, pack):
    ending = {gzip: "gz", bz2: "bz2", lzma: "xz"}[pack]
    wanted = {"file_name": ROWS, "label": ["x", "y"]}
    assert read(tmp_path / f"t.csv.{ending}", pack.compress(b"file_name,label\na.jpg,x\nb.jpg,y\n")) == wanted
    objects = b'{"file_name": "a.jpg", "label": "x"}\n{"file_name": "b.jpg", "label": "y"}\n'
    assert read(tmp_path / f"t.jsonl.{ending}", pack.compress(objects)) == wanted
    with pytest.raises(
        EvenhandError, match=r"cannot read the table .*: it is damaged \(.*\); write it again"
    ):
        read(tmp_path / f"cut.csv.{ending}", pack.compress(objects)[:-9])


def test_a_table_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("evenhand.data.tables.unpacked.LARGEST", 1 << 20)
    with pytest.raises(EvenhandError, match=r"it has more than 1 MiB when unpacked; unpack it"):
        read(tmp_path / "t.csv.gz", gzip.compress(b"x" * ((1 << 20) + 1)))


def test_a_comma_in_a_value_of_a_semicolon_table(tmp_path):
    assert read(tmp_path / "t.csv", "file_name;height, cm\na.jpg;1,5\nb.jpg;2,5\n") == {
        "file_name": ROWS,
        "height, cm": ["1,5", "2,5"],
    }


def test_index_columns(tmp_path):
    assert read(tmp_path / "t.csv", ",file_name\n0,a.jpg\n1,b.jpg\n") == {"": ["0", "1"], "file_name": ROWS}
    assert read(tmp_path / "t.csv", "file_name,n\n1,a.jpg,5\n2,b.jpg,6\n") == {
        "": ["1", "2"],
        "file_name": ROWS,
        "n": ["5", "6"],
    }


def test_celebas_attributes(tmp_path):
    content = "2\nMale Blond\na.jpg -1  1\nb.jpg  1 -1\n"
    assert read(tmp_path / "list_attr.txt", content) == {
        "": ROWS,
        "Male": ["-1", "1"],
        "Blond": ["1", "-1"],
    }


def test_lists_without_a_header(tmp_path):
    assert read(tmp_path / "train.txt", "a.jpg 0\nb.jpg 1\n") == {"file_name": ROWS, "label": ["0", "1"]}
    assert read(tmp_path / "t.csv", "1,a.jpg,0\n2,b.jpg,1\n") == {
        "column 1": ["1", "2"],
        "file_name": ROWS,
        "column 3": ["0", "1"],
    }
    assert read(tmp_path / "one.txt", "a.jpg\nb.jpg\n") == {"file_name": ROWS}


def test_empty_rows_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n,\n,\n")
    assert rows_of_images(read_columns(tmp_path / "t.csv")).notes == (
        f"2 of 3 rows of {tmp_path}/t.csv are empty and are left out",
    )


def test_headers_between_joined_tables_are_left_out(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\nx,y\n3,x\n,\n")
    found = rows_of_images(read_columns(tmp_path / "t.csv"))
    assert {name: values.tolist() for name, values in found.values.items()} == {
        "x": ["1", "3"],
        "y": ["2", "x"],
    }
    assert found.notes == (
        f"1 of 4 rows of {tmp_path}/t.csv is empty and is left out",
        f"1 of 4 rows of {tmp_path}/t.csv repeats the header and is left out",
    )


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        (["0", "1.0"], ["0", "1"]),
        (["0.0", "1.000000000000000000e+00"], ["0", "1"]),
        (["1,0", "2"], ["1", "2"]),
        (["-1.0", "+1.0"], ["-1", "1"]),
        (["1.0", "1.5"], ["1.0", "1.5"]),
        (["01", "1.0"], ["01", "1.0"]),
        (["1.0", "cat"], ["1.0", "cat"]),
        (["<NA>", "NaN"], ["", ""]),
    ],
)
def test_whole_numbers_are_written_as_such(tmp_path, written, read_as):
    (tmp_path / "t.tsv").write_text("n\tk\n" + "".join(f"{value}\t.\n" for value in written))
    assert read_columns(tmp_path / "t.tsv").values["n"].tolist() == read_as


@pytest.mark.parametrize("content", ["x,y\nä,1\n".encode("cp1252"), "x,y\na,1\n".encode("utf-16-le")])
def test_other_encodings_are_told_what_to_do(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(
        EvenhandError, match="it is not UTF-8 text; save it as UTF-8, in Excel as 'CSV UTF-8'"
    ):
        read_columns(tmp_path / "t.csv")


def test_a_delimiter_at_the_end_of_each_row_alone_makes_no_row_names(tmp_path):
    assert read(tmp_path / "t.csv", "file_name,label\na.jpg,x,\nb.jpg,y,\n") == {
        **{"file_name": ["a.jpg", "b.jpg"], "label": ["x", "y"]},
        "": ["", ""],
    }
    named = read(tmp_path / "t.csv", "file_name,label\n1,a.jpg,x\n2,b.jpg,\n")
    assert named == {"": ["1", "2"], "file_name": ["a.jpg", "b.jpg"], "label": ["x", ""]}


def test_a_first_line_with_one_number_twice_is_a_row(tmp_path):
    assert read(tmp_path / "t.txt", "# of Oxford's pets\ncat_1 1 1\ndog_1 2 1\n") == {
        "column 1": ["cat_1", "dog_1"],
        "column 2": ["1", "2"],
        "column 3": ["1", "1"],
    }
    assert list(read(tmp_path / "t.csv", "0,1\na,b\n")) == ["0", "1"]


def test_two_columns_of_one_name_in_blanks_are_refused(tmp_path):
    with pytest.raises(EvenhandError, match="names the column 'a' twice; rename one"):
        read(tmp_path / "t.txt", "a a\n1 2\n3 4\n")


def test_markdowns_line_below_the_header_is_no_row(tmp_path):
    content = "| file_name | label |\n|:---|---:|\n| a.jpg | x |\n| b.jpg | - |\n"
    found = read(tmp_path / "t.csv", content)
    assert (found["file_name"], found["label"]) == (["a.jpg", "b.jpg"], ["x", "-"])


def test_records_among_words_of_json_leave_the_column_out(tmp_path):
    """As Label Studio writes several choices."""
    rows = [{"image": "a.jpg", "choice": "x"}, {"image": "b.jpg", "choice": {"choices": ["x", "y"]}}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    columns = read_columns(tmp_path / "t.json")
    assert (list(columns.values), columns.nested) == (["image"], ("choice",))


def test_a_row_of_blanks_too_long(tmp_path):
    (tmp_path / "t.txt").write_text("a.jpg 0\nb.jpg 1 2\n")
    with pytest.raises(EvenhandError, match=r"cannot read the table .*: row 2 has 3 values, not 2"):
        read_columns(tmp_path / "t.txt")


def test_a_spreadsheet_is_told_what_to_do(tmp_path):
    with pytest.raises(EvenhandError, match=r"save the sheet as CSV UTF-8, or give a folder or one of \.csv"):
        read_columns(tmp_path / "t.ods")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl", "t.txt"])
def test_a_pipe_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(
        EvenhandError, match="a pipe or a device, not a file; save its content to a file first"
    ):
        read_columns(tmp_path / name)


def test_spark_folders(tmp_path):
    folder = tmp_path / "rows.csv"
    for place, row in (("split=train/part-0.csv", "a.jpg,x"), ("split=test/part-1.csv", "b.jpg,y")):
        (folder / place).parent.mkdir(parents=True)
        (folder / place).write_text(f"file_name,label\n{row}\n")
    (folder / "_SUCCESS").touch()
    (folder / "._SUCCESS.crc").touch()
    assert {name: values.tolist() for name, values in read_columns(folder).values.items()} == {
        "file_name": ROWS[::-1],
        "label": ["y", "x"],
        "split": ["test", "train"],
    }
    (folder / "split=test/part-1.csv").write_text("file_name,klass\nb.jpg,y\n")
    with pytest.raises(EvenhandError, match="has different columns from"):
        read_columns(folder)


def test_what_spark_writes_for_nothing(tmp_path):
    folder = tmp_path / "rows"
    for value, text in (("__HIVE_DEFAULT_PARTITION__", "a.jpg\n"), ("New%20York", "b.jpg\n"), ("x", "")):
        part = folder / f"site={value}" / "part-0.csv"
        part.parent.mkdir(parents=True)
        part.write_text(text and f"file_name\n{text}")
    (folder / "_SUCCESS").touch()
    assert {name: values.tolist() for name, values in read_columns(folder).values.items()} == {
        "file_name": ROWS[::-1],
        "site": ["New York", ""],
    }


@pytest.mark.parametrize("ending", ["json", "json.gz", "csv.gz"])
def test_parts_of_other_kinds(tmp_path, ending):
    pack = gzip.compress if ending.endswith("gz") else bytes
    for name in ROWS:
        text = f"file_name\n{name}\n" if ending == "csv.gz" else f'{{"file_name": "{name}"}}\n'
        (tmp_path / f"part-{name}.{ending}").write_bytes(pack(text.encode()))
    assert part_files(tmp_path) == [tmp_path / f"part-{name}.{ending}" for name in ROWS]
    assert read_columns(tmp_path).values["file_name"].tolist() == ROWS


def test_a_spark_folder_lists_its_images(tmp_path):
    for name in ("a", "b", "c", "d"):
        Image.new("RGB", (8, 8), (ord(name), 0, 0)).save(tmp_path / f"{name}.png")
    folder = tmp_path / "rows"
    folder.mkdir()
    (folder / "part-0.csv").write_text("file_name,label\n../a.png,x\n../b.png,y\n")
    (folder / "part-1.csv").write_text("file_name,label\n../c.png,x\n../d.png,y\n")
    assert sorted(Path(path).name for path in Manifest.read(folder).paths) == [
        "a.png",
        "b.png",
        "c.png",
        "d.png",
    ]


def test_other_folders_are_no_table(tmp_path):
    (tmp_path / "a.csv").touch()
    assert part_files(tmp_path) == []
    assert part_files(tmp_path / "a.csv") == []
