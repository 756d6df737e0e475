"""Columns and tables as pyarrow makes them, without pandas."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evenhand import _parquet
from evenhand._parquet import bytes_column, read_parquet, text_column

TEXTS = ["a", "", "über 猫", "b\0c"]


def test_columns_are_those_of_pyarrow() -> None:
    assert text_column(TEXTS).equals(pa.array(TEXTS, pa.string()))
    assert text_column(iter(())).equals(pa.array([], pa.string()))
    data = [b"", b"\xff\0", b"jpeg"]
    assert bytes_column(data).equals(pa.array(data, pa.binary()))


@pytest.mark.parametrize(("largest", "kind"), [(2, pa.ChunkedArray), (3, pa.StringArray)])
def test_a_column_past_what_an_array_holds_is_chunked(
    monkeypatch: pytest.MonkeyPatch, largest: int, kind: type
) -> None:
    monkeypatch.setattr(_parquet, "LARGEST", largest)
    column = text_column(["a", "bc"])
    assert isinstance(column, kind)
    assert (column.type, column.to_pylist()) == (pa.string(), ["a", "bc"])


def test_a_folder_named_as_a_column_adds_none(tmp_path: Path) -> None:
    (tmp_path / "split=train").mkdir()
    path = tmp_path / "split=train" / "rows.parquet"
    pq.write_table(pa.table({"a": text_column(TEXTS)}), path)
    assert read_parquet(path).to_pydict() == {"a": TEXTS}


def test_pandas_is_not_imported(tmp_path: Path) -> None:
    code = (
        "import sys, pyarrow as pa, pyarrow.parquet as pq\n"
        "from pathlib import Path\n"
        "from evenhand._parquet import bytes_column, read_parquet, text_column\n"
        "path = Path(sys.argv[1])\n"
        "pq.write_table(pa.table({'a': text_column(['b']), 'c': bytes_column([b'd'])}), path)\n"
        "assert read_parquet(path).to_pylist() == [{'a': 'b', 'c': b'd'}]\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.parquet")], check=True)
