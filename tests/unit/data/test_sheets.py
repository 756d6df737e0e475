"""Workbooks of Excel are read as the tables that they show."""

import sys
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from evenhand import EvenhandError, import_embeddings, load_store
from evenhand.data.tables.columns import rows_of_images
from evenhand.data.tables.read import read_columns


def book(path: Path, *rows: list[Any], **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for name, content in sheets.items():
        sheet = made.create_sheet(name)
        for row in content:
            sheet.append(row)
    made.save(path)
    return path


def test_every_kind_of_cell(tmp_path: Path) -> None:
    path = book(
        tmp_path / "t.xlsx",
        ["id", "label", "flag", "day", "at", "share", "text", "error"],
        [1, 1.0, True, date(2024, 1, 2), time(3, 4), 0.25, "001", "#N/A"],
        [2, 2, False, datetime(2024, 1, 2, 3, 4), time(5, 6), 1, " b ", "x"],
    )
    values = {name: column.tolist() for name, column in read_columns(path).values.items()}
    assert values == {
        "id": ["1", "2"],
        "label": ["1", "2"],
        "flag": ["True", "False"],
        "day": ["2024-01-02", "2024-01-02 03:04:00"],
        "at": ["03:04:00", "05:06:00"],
        "share": ["0.25", "1"],
        "text": ["001", "b"],
        "error": ["", "x"],
    }


def test_a_sheet_of_pandas_is_the_csv_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame({"path": ["a.jpg", "b.jpg", "c.jpg"], "label": [1, None, 2], "w": [0.5, 1.5, -3.5]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    frame.to_csv(tmp_path / "t.csv", index=False)
    found, wanted = (read_columns(tmp_path / name).values for name in ("t.xlsx", "t.csv"))
    assert {name: column.tolist() for name, column in found.items()} == {
        name: column.tolist() for name, column in wanted.items()
    }


def test_titles_empty_rows_and_empty_columns_are_left_out(tmp_path: Path) -> None:
    path = book(
        tmp_path / "t.xlsx",
        ["Our birds"],
        [],
        [None, "id", None, "label"],
        [None, "a", None, "x"],
        [],
        [None, "b", None, None],
    )
    values = {name: column.tolist() for name, column in read_columns(path).values.items()}
    assert values == {"id": ["a", "b"], "label": ["x", ""]}
    alone = book(tmp_path / "alone.xlsx", ["id"], ["a"])
    assert read_columns(alone).values["id"].tolist() == ["a"]


def test_leading_zeros_of_a_number_format_are_kept(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ["id", "n"], [7, 7], [123, 8])
    made = openpyxl.load_workbook(path)
    for cell in ("A2", "A3"):
        made.active[cell].number_format = "00000"
    made.active["B2"].number_format = "0"
    made.save(path)
    assert [column.tolist() for column in read_columns(path).values.values()] == [
        ["00007", "00123"],
        ["7", "8"],
    ]


def test_hidden_and_empty_sheets_do_not_count(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", rows=[["id", "label"], ["a", "x"]], codes=[["x", "cat"]])
    with pytest.raises(EvenhandError, match="its sheets 'rows', 'codes' all have content; keep one of them"):
        read_columns(path)
    made = openpyxl.load_workbook(path)
    made["codes"].sheet_state = "hidden"
    made.save(path)
    assert read_columns(path).values["label"].tolist() == ["x"]


def test_hidden_rows_are_read_and_noted(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ["id", "label"], ["a", "x"], ["b", "y"], [], ["c", "x"])
    assert read_columns(path).notes == ()
    made = openpyxl.load_workbook(path)
    made.active.row_dimensions[4].hidden = True  # nothing is in it
    made.save(path)
    assert read_columns(path).notes == ()
    made.active.row_dimensions[3].hidden = True
    made.save(path)
    columns = read_columns(path)
    assert columns.values["id"].tolist() == ["a", "b", "c"]
    assert columns.notes == (f"{path}: 1 row is hidden, as by a filter, and is read like the others",)
    made.active.row_dimensions[5].hidden = True
    made.active.append(["id", "label"])
    made.save(path)
    columns = rows_of_images(read_columns(path))
    assert columns.notes == (
        f"{path}: 2 rows are hidden, as by a filter, and are read like the others",
        f"1 of 4 rows of {path} repeats the header and is left out",
    )


def test_formulas_without_values_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ["id", "label"], [1, '="a"&A2'], [2, "=A3"])
    with pytest.raises(
        EvenhandError, match=r'its formulas, as ="a"&A2, have no values; open it in Excel and'
    ):
        read_columns(path)


def test_of_a_formula_the_value_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = book(tmp_path / "values.xlsx", ["id", "label"], [1, "a1"], [2, None]).read_bytes()
    written = book(tmp_path / "t.xlsx", ["id", "label"], [1, '="a"&A2'], [2, '=""'])
    load = openpyxl.load_workbook

    def as_excel_saves(stream: Any, *, data_only: bool, **more: Any) -> Any:
        """Openpyxl writes no values beside formulas: those of another file stand in."""
        return load(type(stream)(computed) if data_only else stream, data_only=data_only, **more)

    monkeypatch.setattr(openpyxl, "load_workbook", as_excel_saves)
    assert read_columns(written).values["label"].tolist() == ["a1", ""]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"PK",
            r"t\.xlsx: it is not a workbook of Excel \(File is not a zip file\); or save its sheet as \.csv",
        ),
        (
            b"\xd0\xcf\x11\xe0rest",
            "it has a password, or is an Excel 97 file; save it as .xlsx without a password",
        ),
    ],
)
def test_other_bytes_are_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(EvenhandError, match=sentence):
        read_columns(tmp_path / "t.xlsx")


def test_an_empty_workbook_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(EvenhandError, match="has no rows; it needs one row per image"):
        read_columns(book(tmp_path / "t.xlsx"))


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", ["id"], ["a"])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(EvenhandError, match=r"pip install 'evenhand\[excel\]'; or save its sheet as \.csv"):
        read_columns(path)


def test_a_store_is_made_from_a_workbook(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32))
    rows = book(tmp_path / "t.xlsx", ["label"], *(["cat"], ["dog"]) * 10)
    import_embeddings([tmp_path / "X.npy"], rows, label_column="label", out=tmp_path / "s")
    assert load_store(tmp_path / "s").classes == ("cat", "dog")
