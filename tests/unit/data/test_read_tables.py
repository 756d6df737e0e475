"""Tables in every format come out as the same strings."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from evenhand._errors import EvenhandError
from evenhand.data.tables.read import read_columns


def test_csv_keeps_text_as_it_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('\ufefffile_name, label,n,x\n"a, b.png",01,1,0.5\nü.png, NA ,,1\n', encoding="utf-8")
    columns = read_columns(path)
    assert len(columns) == 2
    assert list(columns.values) == ["file_name", "label", "n", "x"]
    assert columns.values["file_name"].tolist() == ["a, b.png", "ü.png"]
    assert columns.values["label"].tolist() == ["01", "NA"]
    assert columns.values["n"].tolist() == ["1", ""]


@pytest.mark.parametrize(("suffix", "mark"), [("csv", ";"), ("tsv", "\t")])
def test_other_delimiters(tmp_path, suffix, mark):
    (tmp_path / f"a.{suffix}").write_text(f"file_name{mark}label\na.png{mark}x\n")
    assert read_columns(tmp_path / f"a.{suffix}").values["label"].tolist() == ["x"]


def test_parquet_types(tmp_path):
    columns = {
        "words": pa.array(["a", None, "nan"]).dictionary_encode(),
        "whole": pa.array([1.0, None, float("nan")]),
        "half": pa.array([0.5, 1.0, 2.0]),
        "flag": pa.array([True, False, None]),
        "count": pa.array([3, 4, 5], pa.int8()),
        "nested": pa.array([[1], [2], []]),
        "day": pa.array([0, 1, 2], pa.date32()),
        "image": pa.array([{"bytes": b"x", "path": "a.png"}] * 3),
        "raw": pa.array([b"x"] * 3),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    read = read_columns(tmp_path / "a.parquet")
    assert read.values["words"].tolist() == ["a", "", ""]
    assert read.values["whole"].tolist() == ["1", "", ""]
    assert read.values["half"].tolist() == ["0.5", "1", "2"]
    assert read.values["flag"].tolist() == ["True", "False", ""]
    assert list(read.values) == ["words", "whole", "half", "flag", "count", "day"]
    assert read.embedded == ("image", "raw")


def test_jsonl(tmp_path):
    rows = [{"file_name": "a", "mixed": 1, "boxes": {"x": 1}}, {"file_name": "b", "mixed": "two", "late": 3}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    read = read_columns(tmp_path / "a.jsonl")
    assert {name: column.tolist() for name, column in read.values.items()} == {
        "file_name": ["a", "b"],
        "mixed": ["1", "two"],
        "late": ["", "3"],
    }


@pytest.mark.parametrize("name", ["a.json", "a.ndjson"])
def test_json_as_pandas_and_spark_write_it(tmp_path, name):
    rows = [{"file_name": "a", "n": 1}, {"file_name": "b", "n": None}]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        (tmp_path / name).write_text(text)
        read = read_columns(tmp_path / name)
        assert {name: column.tolist() for name, column in read.values.items()} == {
            "file_name": ["a", "b"],
            "n": ["1", ""],
        }
    (tmp_path / name).write_text('["a", "b"]')
    with pytest.raises(EvenhandError, match="it must hold a list of objects, or an object a line"):
        read_columns(tmp_path / name)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"path": {"0": "a", "1": "b"}, "label": {"0": "x", "1": "y"}}, "it is one object, no list of rows"),
        ({"rows": [{"path": "a"}]}, r"write one object per image \(pandas: orient='records'\)"),
        (
            {"images": [{"file_name": "a"}], "annotations": [], "categories": []},
            "it is COCO JSON, which labels objects in an image; write a CSV with the columns file_name",
        ),
    ],
)
def test_one_object_that_is_no_row_is_told(tmp_path, found, told, indent):
    (tmp_path / "a.json").write_text(json.dumps(found, indent=indent))
    with pytest.raises(EvenhandError, match=told):
        read_columns(tmp_path / "a.json")


def test_one_row_may_be_over_many_lines(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"path": "a", "box": [1, 2]}, indent=1))
    assert read_columns(tmp_path / "a.json").values["path"].tolist() == ["a"]


def test_feather(tmp_path):
    feather.write_feather(pa.table({"x": ["a", "b"]}), tmp_path / "a.feather", compression="lz4")
    assert read_columns(tmp_path / "a.feather").values["x"].tolist() == ["a", "b"]


def test_columns_are_called_in_any_case_where_one_can_be_meant(tmp_path):
    (tmp_path / "a.csv").write_text("Label,split,Split\nx,train,test\n")
    columns = read_columns(tmp_path / "a.csv")
    assert [columns.called(name) for name in ("label", "split", "SPLIT", "none")] == [
        "Label",
        "split",
        "SPLIT",
        "none",
    ]


def test_a_column_of_lists_is_named(tmp_path):
    pq.write_table(pa.table({"path": ["a.png"], "label": [["cat"]]}), tmp_path / "t.parquet")
    found = read_columns(tmp_path / "t.parquet")
    assert list(found.values) == ["path"]
    with pytest.raises(
        EvenhandError, match=r"^label_column: .* has lists or records in column 'label'; write one"
    ):
        found.get("label", argument="label_column")


def test_missing_column_names_the_others(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(EvenhandError, match=r"label_column: .* has no column 'label'; its columns are x, y"):
        read_columns(tmp_path / "a.csv").get("label", argument="label_column")


def test_a_gap_is_named_with_its_row(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,\n")
    columns = read_columns(tmp_path / "a.csv")
    assert columns.filled("x", argument="id_column").tolist() == ["1", "3"]
    with pytest.raises(
        EvenhandError, match=r"id_column: .* has no value in column 'y' at row 2 of 2; fill it"
    ):
        columns.filled("y", argument="id_column")


def test_unknown_suffix(tmp_path):
    with pytest.raises(EvenhandError, match="is not a table evenhand reads"):
        read_columns(tmp_path / "a.xlsb")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"x,y\n1\n"),
        ("a.csv", b""),
        ("a.csv", "x\nü\n".encode("latin-1")),
        ("a.parquet", b"PAR1 nonsense"),
        ("a.jsonl", b"{nonsense"),
        ("a.jsonl", b"[1]\n"),
        ("missing.csv", None),
    ],
)
def test_unreadable(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EvenhandError, match="cannot read the table"):
        read_columns(tmp_path / name)


def test_column_named_twice(tmp_path):
    (tmp_path / "a.csv").write_text("x,x \n1,2\n")
    with pytest.raises(EvenhandError, match="names the column 'x' twice"):
        read_columns(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_no_rows(tmp_path, name):
    if name == "a.parquet":
        pq.write_table(pa.table({"x": pa.array([], pa.string())}), tmp_path / name)
    else:
        (tmp_path / name).write_text("file_name,label\n" if name == "a.csv" else "")
    with pytest.raises(EvenhandError, match="has no rows"):
        read_columns(tmp_path / name)


def test_all_missing_column_is_no_obstacle(tmp_path):
    pq.write_table(pa.table({"x": pa.array(["a", "b"]), "gone": pa.nulls(2)}), tmp_path / "a.parquet")
    assert (read_columns(tmp_path / "a.parquet").values["gone"] == np.array(["", ""])).all()


@pytest.mark.parametrize("kind", ["csv", "parquet", "dictionary"])
def test_a_value_that_is_too_long_leaves_its_column_out(tmp_path, kind):
    texts = pa.table({"x": ["a", "b"], "note": ["c", "d" * 4097], "most": ["e", "f" * 4096]})
    if kind == "csv":
        pa_csv.write_csv(texts, tmp_path / "a.csv")
    else:
        coded = texts.set_column(1, "note", texts["note"].dictionary_encode())
        pq.write_table(coded if kind == "dictionary" else texts, tmp_path / "a.parquet")
    columns = read_columns(next(tmp_path.glob("a.*")))
    assert list(columns.values) == ["x", "most"]
    with pytest.raises(
        EvenhandError,
        match=r"label_column: .* a value of more than 4096 characters in column 'note'; shorten",
    ):
        columns.get("note", argument="label_column")
