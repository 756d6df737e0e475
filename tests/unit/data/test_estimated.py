"""Columns that a review adds: whole or not at all, beside a store that never changes."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from evenhand import EvenhandError, Head, load_store
from evenhand.data.estimated import ESTIMATED, EstimatedColumn, attribute_names, write_estimated
from evenhand.data.lock import FolderLock
from evenhand.data.store_write import StoreWriter


def about(column: str = "sea", **more: object) -> EstimatedColumn:
    fields = {"column": column, "question": "At sea?", "answers": 40, "error": 0.1, "low": 0.0, "high": 0.3}
    return EstimatedColumn.model_validate({**fields, **more})


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return made(tmp_path / "x.store")


def made(path: Path, first: str = "a") -> Path:
    rows = {
        "id": [first, "b", "c"],
        "path": ["", "", ""],
        "label": ["cat", "dog", "cat"],
        "split": ["train", "train", "test"],
        "place": ["in", "out", ""],
    }
    head = Head(np.eye(2, dtype=np.float32), None, ("cat", "dog"))
    with StoreWriter(path, identity={"family": "import"}, head=head, width=2, dtype="float32") as writer:
        writer.write_part(np.eye(3, 2, dtype=np.float32), rows)
        writer.finish()
    return path


def test_columns_come_after_the_stores_own(store: Path) -> None:
    before = {file.name: file.read_bytes() for file in store.iterdir() if file.is_file()}
    write_estimated(store, np.array(["yes", "no", ""]), about())
    write_estimated(store, np.array(["no", "no", "no"]), about("red", used_for="training"))
    write_estimated(store, np.array(["no", "yes", "no"]), about())
    table = load_store(store)
    assert list(table.attributes) == attribute_names(store) == ["place", "sea", "red"]
    assert table.attributes["sea"].tolist() == ["no", "yes", "no"]
    assert table.estimated == {"sea": about(), "red": about("red", used_for="training")}
    assert {name: (store / name).read_bytes() for name in before} == before


def test_the_sentence_says_error_and_use() -> None:
    assert about().sentence() == (
        "groups are those of 'sea', estimated from 40 answers to 'At sea?' with an error of 10 % [0, 30]; "
        "the answers affect evaluation, not training"
    )
    assert about(used_for="training").sentence().endswith("the user lets the answers affect training")


@pytest.mark.parametrize("name", ["place", "id", "label", "split", "path", "split_by", ""])
def test_a_column_of_the_store_stays(store: Path, name: str) -> None:
    with pytest.raises(EvenhandError, match=f"write: the store already has the attribute '{name}'"):
        write_estimated(store, np.array(["a", "b", "c"]), about(name))


def test_there_is_one_value_a_row(store: Path) -> None:
    with pytest.raises(EvenhandError, match="write: 2 values for 3 rows"):
        write_estimated(store, np.array(["a", "b"]), about())


def test_a_store_that_is_being_written_waits(store: Path) -> None:
    lock = FolderLock(store)
    with pytest.raises(EvenhandError, match="is being written by another process"):
        write_estimated(store, np.array(["a", "b", "c"]), about())
    lock.release()


def test_columns_of_other_rows_are_refused(store: Path, tmp_path: Path) -> None:
    write_estimated(store, np.array(["a", "b", "c"]), about())
    other = made(tmp_path / "y.store", first="z")
    (other / ESTIMATED).write_bytes((store / ESTIMATED).read_bytes())
    with pytest.raises(EvenhandError, match="belongs to other rows than the store's"):
        load_store(other)


@pytest.mark.parametrize("damage", ["no Parquet", "cut", "no metadata"])
def test_damage_is_one_sentence(store: Path, damage: str) -> None:
    write_estimated(store, np.array(["a", "b", "c"]), about())
    file = store / ESTIMATED
    if damage == "no metadata":
        pq.write_table(pq.read_table(file).replace_schema_metadata({}), file)
    else:
        file.write_bytes(b"mine" if damage == "no Parquet" else file.read_bytes()[:-10])
    with pytest.raises(EvenhandError, match=r"estimated.parquet cannot be read as columns of a review"):
        load_store(store)
    with pytest.raises(EvenhandError, match="cannot be read as columns"):
        attribute_names(store)
