import pickle
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

import evenhand
from evenhand._errors import EvenhandError
from evenhand.data.arrays import mapped_parts
from evenhand.data.store import load_store, read_skipped, read_thumbnails


def test_reads_what_was_written(store: Path, kit: SimpleNamespace) -> None:
    table = load_store(store)
    whole = np.concatenate([kit.part(k)[0] for k in range(3)])
    assert [len(part) for part in table.parts] == [3, 3, 3]
    assert all(isinstance(part, np.memmap) for part in table.parts)
    np.testing.assert_array_equal(np.concatenate(table.parts), whole.astype(np.float16))
    expected = kit.rows(0, 9)
    assert table.ids.tolist() == expected["id"]
    assert table.paths.tolist() == expected["path"]
    assert table.labels(np.arange(9)).tolist() == expected["label"]
    assert table.split.tolist() == expected["split"]
    assert table.attributes["place"].tolist() == expected["place"]
    assert table.card == {"model": "m", "seed": 0}
    assert table.source == store
    for name in ("weight", "bias", "text"):
        np.testing.assert_array_equal(getattr(table.head, name), getattr(kit.HEAD, name))
    assert (table.head.classes, table.head.prompts) == (kit.HEAD.classes, kit.HEAD.prompts)
    assert table.head.logit_scale == 20.0


def test_reads_skipped_and_thumbnails(store: Path) -> None:
    assert [row["id"] for row in read_skipped(store).to_pylist()] == ["broken 0", "broken 1", "broken 2"]
    assert read_thumbnails(store, np.array([8, 0, 4, 0])) == [
        b"jpeg 2 2",
        b"jpeg 0 0",
        b"jpeg 1 1",
        b"jpeg 0 0",
    ]
    with pytest.raises(EvenhandError, match="cannot be read"):
        read_thumbnails(store, np.array([9]))


def test_a_part_may_be_all_skipped(tmp_path: Path, kit: SimpleNamespace) -> None:
    with kit.writer(tmp_path / "s") as out:
        out.write_part(np.zeros((0, 4)), kit.rows(0, 0), kit.part(0)[2])
        out.write_part(*kit.part(1))
        out.finish()
    assert len(load_store(tmp_path / "s")) == 3
    assert read_thumbnails(tmp_path / "s", np.array([1])) == [b"jpeg 1 1"]


def test_a_store_may_keep_no_thumbnails(tmp_path: Path, kit: SimpleNamespace) -> None:
    with kit.writer(tmp_path / "s") as out:
        out.write_part(*kit.part(0)[:2])
        out.finish()
    assert read_thumbnails(tmp_path / "s", np.array([1])) == []


def test_earlier_scripts_may_say_read_store() -> None:
    assert evenhand.read_store is evenhand.data.read_store is load_store


def test_a_moved_store_is_the_same(store: Path) -> None:
    assert len(load_store(store.rename(store.with_name("moved")))) == 9


def test_lacks_a_file(store: Path) -> None:
    (store / "features/part-00001.npy").unlink()
    with pytest.raises(EvenhandError, match=r"lacks the file features/part-00001\.npy"):
        load_store(store)
    with pytest.raises(EvenhandError, match="cannot be read"):
        load_store(store, verify=False)


@pytest.mark.parametrize(
    "name",
    [
        "head.safetensors",
        "rows.parquet",
        "skipped.parquet",
        "features/part-00002.npy",
        "thumbnails/part-00000.parquet",
    ],
)
def test_a_changed_byte_names_the_file(store: Path, name: str) -> None:
    data = bytearray((store / name).read_bytes())
    data[len(data) // 2] ^= 1
    (store / name).write_bytes(data)
    with pytest.raises(EvenhandError, match=f"{name} was changed since the store was made"):
        load_store(store)


def test_an_unreadable_file_is_a_sentence(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("evenhand.data.store_card.file_sha256", refuse)
    with pytest.raises(EvenhandError, match=r"cannot be read .*Input/output error"):
        load_store(store)


def test_rows_that_do_not_fit(store: Path) -> None:
    rows = pq.read_table(store / "rows.parquet")
    wrong = {
        "holds 8 rows, the card says 9": rows.slice(1),
        "large_string in split": rows.set_column(3, "split", rows["split"].cast(pa.large_string())),
        "'dog'": rows.set_column(2, "label", pa.array(["dog"] * 9)),
        "'path'|path": rows.drop_columns(["path"]),
    }
    for sentence, table in wrong.items():
        pq.write_table(table, store / "rows.parquet")
        with pytest.raises(EvenhandError, match=sentence):
            load_store(store, verify=False)


def test_parts_that_do_not_fit(store: Path) -> None:
    for values in (np.zeros((2, 4), np.float16), np.zeros((3, 5), np.float16), np.zeros((3, 4), np.float32)):
        np.save(store / "features/part-00000.npy", values)
        with pytest.raises(EvenhandError, match=r"part-00000\.npy holds float.* not what the card says"):
            load_store(store, verify=False)


def test_a_pickle_is_refused(store: Path) -> None:
    np.save(store / "features/part-00000.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(EvenhandError, match="cannot be read"):
        load_store(store, verify=False)


def test_heads_that_do_not_fit(store: Path, kit: SimpleNamespace) -> None:
    good = {"weight": kit.HEAD.weight, "bias": kit.HEAD.bias, "text": kit.HEAD.text}
    wrong = {
        "no projection of features of width 4": {"weight": np.zeros((3, 3), np.float32)},
        "holds gate, which this version does not know": {"gate": np.zeros(3, np.float32)},
        r"bias of shape \(2,\)": {"bias": np.zeros(2, np.float32)},
        "text of shape .* for 2 classes": {"text": np.zeros((3, 3), np.float32)},
    }
    for sentence, change in wrong.items():
        save_file(good | change, store / "head.safetensors")
        with pytest.raises(EvenhandError, match=sentence):
            load_store(store, verify=False)


def test_skipped_cannot_be_read(store: Path) -> None:
    (store / "skipped.parquet").write_bytes(b"no parquet")
    with pytest.raises(EvenhandError, match="cannot be read"):
        read_skipped(store)


def test_stores_are_told_from_other_things(store: Path, tmp_path: Path) -> None:
    for reader in (load_store, read_skipped):
        with pytest.raises(EvenhandError, match="is not a store"):
            reader(tmp_path / "nowhere")
    shutil.rmtree(store)
    store.write_text("a file")
    with pytest.raises(EvenhandError, match="is not a store"):
        load_store(store)


def test_a_path_may_be_a_string(store: Path) -> None:
    assert len(load_store(str(store))) == len(load_store(store))
    assert read_skipped(str(store)).num_rows == read_skipped(store).num_rows
    assert read_thumbnails(str(store), np.array([0])) == read_thumbnails(store, np.array([0]))


def test_few_parts_are_mapped_at_a_time(
    store: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_parts, "OPEN", 2)
    table = load_store(store)
    descriptors = Path("/proc/self/fd")
    if descriptors.is_dir():
        before = len(list(descriptors.iterdir()))
        assert len(np.concatenate([load_store(store).parts[k] for k in (0, 1, 2, 0)])) == 12
        assert len(list(descriptors.iterdir())) <= before + 2
    assert len(table.parts[1:]) == 2
    again = pickle.loads(pickle.dumps(table.parts))  # noqa: S301  our own bytes
    assert len(pickle.dumps(table.parts)) < 1000
    np.testing.assert_array_equal(np.concatenate(again), np.concatenate(table.parts))


def test_rows_are_gathered_from_parts_in_any_order(tmp_path: Path, kit: SimpleNamespace) -> None:
    with kit.writer(tmp_path / "s") as out:
        out.write_part(*kit.part(0))
        out.write_part(np.zeros((0, 4)), kit.rows(0, 0), kit.part(0)[2])
        out.write_part(*kit.part(1))
        out.finish()
    table = load_store(tmp_path / "s")
    whole = np.concatenate(table.parts).astype(np.float32)
    for rows in ([5, 0, 3, 3, 2], [], [1], list(range(6))):
        numbers = np.array(rows, dtype=np.int64)
        assert np.array_equal(table.features(numbers), whole[numbers])
    stored = table.stored(np.array([4, 1, 0]))
    assert (len(stored), stored.shape) == (3, (3, 4))
    assert np.array_equal(stored[np.array([2, 0])], whole[[0, 4]])
    assert np.array_equal(stored[1:], whole[[1, 0]])
