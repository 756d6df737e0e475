import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evenhand._errors import EvenhandError
from evenhand.data import own_embeddings
from evenhand.data.arrays.scale import check_scale, odd_scale
from evenhand.data.own_embeddings import import_embeddings, read_features
from evenhand.data.splits import stratified_split
from evenhand.data.table import FeatureTable

N = 40
X = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
LABELS = ["zebra" if row % 4 else "ass" for row in range(N)]
SPLITS = ["test" if row % 5 == 0 else "train" for row in range(N)]
COLUMNS = {"y": LABELS, "place": ["" if row % 3 else "in" for row in range(N)]}


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., FeatureTable]:
    """Return an import of X and COLUMNS with changes; `table` stands for columns."""

    def run(*, table: dict[str, Any] | None = None, features: Any = None, **options: Any) -> FeatureTable:
        if features is None:
            np.save(tmp_path / "X.npy", X)
            features = [tmp_path / "X.npy"]
        pq.write_table(pa.table(table or COLUMNS), tmp_path / "rows.parquet")
        if isinstance(options.get("text_features"), np.ndarray):
            np.save(tmp_path / "T.npy", options["text_features"])
            options["text_features"] = tmp_path / "T.npy"
        options = {"label_column": "y", "out": tmp_path / "s.store"} | options
        return import_embeddings(features, tmp_path / "rows.parquet", **options)

    return run


Bring = Callable[..., FeatureTable]


def test_a_store_with_an_identity_projection(bring: Bring) -> None:
    table = bring(attribute_columns=["place"])
    np.testing.assert_array_equal(np.concatenate(table.parts), X)
    np.testing.assert_array_equal(table.head.weight, np.eye(5))
    assert table.head.bias is None
    assert table.head.text is None
    assert table.classes == ("ass", "zebra")
    assert table.labels(np.arange(N)).tolist() == LABELS
    assert table.ids.tolist() == [str(row) for row in range(N)]
    assert table.attributes["place"].tolist() == COLUMNS["place"]
    assert table.split.tolist() == stratified_split(table.y, seed=0).tolist()
    assert table.card["notes"]


def test_other_columns_make_no_groups_and_are_kept(bring: Bring, tmp_path: Path) -> None:
    more = {**COLUMNS, "scanner": [f"m{k % 2}" for k in range(N)], "note": [f"of {k}" for k in range(N)]}
    table = bring(table=more, attribute_columns=["place"])
    assert (list(table.attributes), list(table.properties)) == (["place"], ["scanner"])
    assert table.properties["scanner"].tolist() == more["scanner"]
    with pytest.raises(EvenhandError, match="with other columns that make no groups than this run has"):
        bring(table={**more, "scanner": ["m0"] * 20 + ["m1"] * 20}, attribute_columns=["place"])


def test_numbers_that_are_the_features_are_no_columns(tmp_path: Path) -> None:
    numbers = {f"emb_{k}": X[:, k] for k in range(5)}
    pq.write_table(pa.table({**numbers, **COLUMNS, "iso": np.arange(N) / 7}), tmp_path / "X.parquet")
    table = import_embeddings([tmp_path / "X.parquet"], None, label_column="y", out=tmp_path / "s.store")
    assert set(table.properties) == {"place", "iso"} - {"place"}


def test_a_store_of_an_earlier_version_has_no_other_columns(
    bring: Bring, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    more = {**COLUMNS, "scanner": [f"m{k % 2}" for k in range(N)]}
    with monkeypatch.context() as inside:
        inside.setattr(own_embeddings, "others_identity", lambda columns: {})
        bring(table=more)
    card = (tmp_path / "s.store" / "card.json").read_bytes()
    assert bring(table=more).properties == {}
    assert (tmp_path / "s.store" / "card.json").read_bytes() == card


def test_the_same_call_is_repeatable_and_another_is_refused(bring: Bring) -> None:
    table = bring()
    assert table.source is not None
    before = (table.source / "card.json").read_bytes()
    bring()
    assert (table.source / "card.json").read_bytes() == before
    for change, key in (
        ({"table": {**COLUMNS, "y": LABELS[::-1]}}, "other rows of the `table`"),
        ({"attribute_columns": ["place"]}, "other rows of the `table`"),
        ({"text_features": np.eye(2, 5)}, "other `text_features`"),
        (
            {"seed": 1},
            "other rows of the `table`, .*, `split_column` or `seed`",
        ),
    ):
        with pytest.raises(EvenhandError, match=f"was made with {key}"):
            bring(**change)


@pytest.mark.parametrize(("kinds", "kept"), [("ee", "float16"), ("ef", "float32"), ("ed", "float32")])
def test_parts_and_types(bring: Bring, tmp_path: Path, kinds: str, kept: str) -> None:
    files = [tmp_path / f"{k}.npy" for k in range(2)]
    for file, half, kind in zip(files, (X[:30], X[30:]), kinds, strict=True):
        np.save(file, half.astype(np.float16).astype(kind))
    table = bring(features=files)
    assert {str(part.dtype) for part in table.parts} == {kept}
    np.testing.assert_array_equal(np.concatenate(table.parts), X.astype(np.float16))


def test_large_parts_are_written_in_pieces_and_resumed(
    bring: Bring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kit: SimpleNamespace
) -> None:
    monkeypatch.setattr(own_embeddings, "PART_ROWS", 16)
    whole = bring(out=tmp_path / "whole")
    assert [len(part) for part in whole.parts] == [16, 16, 8]
    replace = os.replace

    def stop(self: Path, target: Path) -> None:
        if target.name == "part-00002.npy":
            raise OSError(28, "No space left on device")
        replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(EvenhandError, match="No space left"):
            bring(out=tmp_path / "cut")
    bring(out=tmp_path / "cut")
    assert kit.contents(tmp_path / "cut") == kit.contents(tmp_path / "whole")


def test_splits_as_given(bring: Bring) -> None:
    table = bring(
        table={**COLUMNS, "s": ["val" if name == "test" else name for name in SPLITS]}, split_column="s"
    )
    assert table.split.tolist() == ["validation" if name == "test" else name for name in SPLITS]


def test_a_column_called_split_is_the_split(bring: Bring) -> None:
    assert bring(table={**COLUMNS, "split": SPLITS}).split.tolist() == SPLITS


def test_text_features_become_unit_prototypes(bring: Bring) -> None:
    T = np.arange(1, 11, dtype=np.float64).reshape(2, 5)
    text = bring(text_features=T).head.text
    assert text is not None
    assert text.dtype == np.float32
    np.testing.assert_allclose(text, T / np.linalg.norm(T, axis=1, keepdims=True), rtol=1e-6)


def test_class_names_rename_and_order(bring: Bring, tmp_path: Path) -> None:
    part = bring(class_names={"zebra": "Aaa"}, out=tmp_path / "part")
    assert part.classes == ("ass", "Aaa")
    whole = bring(class_names={"zebra": "Zebra", "ass": "Ass"}, out=tmp_path / "whole")
    assert whole.classes == ("Zebra", "Ass")
    assert whole.labels(np.arange(N)).tolist() == [name.capitalize() for name in LABELS]


def test_whole_numbers_are_ordered_by_value(bring: Bring) -> None:
    table = bring(table={"y": [(10, 9, 2)[row % 3] for row in range(N)]})
    assert table.classes == ("2", "9", "10")


def test_ids(bring: Bring, tmp_path: Path) -> None:
    names = [f"bild {row} ü" for row in range(N)]
    for k, (column, options) in enumerate(
        [("id", {}), ("image_path", {}), ("name", {"id_column": "name"})],
    ):
        assert bring(table={**COLUMNS, column: names}, out=tmp_path / str(k), **options).ids.tolist() == names


def clip_retrieval(folder: Path, counts: dict[int, int]) -> Path:
    for name in ("img_emb", "metadata"):
        (folder / name).mkdir(parents=True)
    start = 0
    for number, count in counts.items():
        inside = slice(start, start + count)
        np.save(folder / "img_emb" / f"img_emb_{number}.npy", X[inside].astype(np.float16))
        rows = {"image_path": [f"{row}.jpg" for row in range(N)[inside]], "caption": LABELS[inside]}
        pq.write_table(pa.table(rows), folder / "metadata" / f"metadata_{number}.parquet")
        start += count
    return folder


def test_clip_retrieval(tmp_path: Path) -> None:
    folder = clip_retrieval(tmp_path / "made", {0: 10, 2: 10, 10: 20})
    table = import_embeddings([folder], None, label_column="caption", out=tmp_path / "s")
    np.testing.assert_array_equal(np.concatenate(table.parts), X.astype(np.float16))
    assert table.labels(np.arange(N)).tolist() == LABELS
    assert table.ids.tolist() == [f"{row}.jpg" for row in range(N)]
    assert [len(part) for part in read_features([folder])] == [10, 10, 20]


def test_clip_retrieval_with_other_columns(tmp_path: Path) -> None:
    folder = clip_retrieval(tmp_path / "made", {0: 10, 1: 30})
    pq.write_table(pa.table({"caption": LABELS[10:]}), folder / "metadata" / "metadata_1.parquet")
    with pytest.raises(EvenhandError, match=r"metadata_1\.parquet has different columns from .*metadata_0"):
        import_embeddings([folder], None, label_column="caption", out=tmp_path / "s")


def test_no_table(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(EvenhandError, match="table is missing"):
        import_embeddings([tmp_path / "X.npy"], None, label_column="y", out=tmp_path / "s")


ONE_ROW_WITHOUT = {"y": [*LABELS[:2], "", *LABELS[3:]]}
ASSES_FOR_TEST = {**COLUMNS, "split": ["train" if name == "zebra" else "test" for name in LABELS]}


@pytest.mark.parametrize(
    ("sentence", "changes"),
    [
        (r"has 39 rows but the features have 40", {"table": {"y": LABELS[1:]}}),
        ("label_column: .* has no column 'z'", {"label_column": "z"}),
        ("attribute_columns: .* has no column 'z'", {"attribute_columns": ["z"]}),
        ("split_column: .* has no column 'z'", {"split_column": "z"}),
        ("id_column: .* has no column 'z'", {"id_column": "z"}),
        (r"has no value in column 'y' at row 3 of 40", {"table": ONE_ROW_WITHOUT}),
        ("there is only one class, 'ass'", {"table": {"y": ["ass"] * N}}),
        ("'night' in column 'split' at row 1 is not a split", {"table": {**COLUMNS, "split": ["night"] * N}}),
        ("no training image has the class ass", {"table": ASSES_FOR_TEST}),
        ("there are no training images", {"table": {**COLUMNS, "split": ["test"] * N}}),
        ("id_column: 'a' appears 40 times in column 'id'", {"table": {**COLUMNS, "id": ["a"] * N}}),
        ("attribute_columns: 'path' is a reserved column name", {"attribute_columns": ["path"]}),
        ("class_names: 'cow' is not a label", {"class_names": {"cow": "Cow"}}),
        (
            r"shape \[3, 5\], but it must be \[2, 5\], a row per class: ass, zebra",
            {"text_features": np.ones((3, 5))},
        ),
        (r"text_features: .* has shape \[2, 4\]", {"text_features": np.ones((2, 4))}),
        (r"text_features: .* is all zeros in row 2", {"text_features": np.eye(2, 5) * [[1], [0]]}),
        (r"text_features: .* is not finite in row 1", {"text_features": np.full((2, 5), np.nan)}),
    ],
)
def test_one_sentence_and_nothing_written(
    bring: Bring, tmp_path: Path, sentence: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        bring(**changes)
    assert not (tmp_path / "s.store").exists()


def test_text_features_of_any_scale_are_the_same_directions(bring: Bring, tmp_path: Path) -> None:
    text = np.random.default_rng(1).normal(size=(2, 5)).astype(np.float32)
    text /= np.abs(text).max()
    expected = text / np.linalg.norm(text, axis=1, keepdims=True)
    for k, factor in enumerate((1, 3e38, 1e-30)):
        table = bring(text_features=(text * np.float32(factor)), out=tmp_path / f"{k}.store")
        assert table.head.text is not None
        np.testing.assert_allclose(table.head.text, expected, atol=1e-6)


def test_text_features_in_another_order_are_remarked_upon(bring: Bring, tmp_path: Path) -> None:
    n = 200
    y = np.arange(n) % 2
    values = np.random.default_rng(0).normal(size=(n, 5)) + np.outer(4.0 * y - 2, np.eye(5)[0])
    np.save(tmp_path / "Y.npy", values.astype(np.float32))
    text = np.zeros((2, 5), dtype=np.float32)
    text[:, 0] = 1, -1
    given: dict[str, Any] = {
        "features": [tmp_path / "Y.npy"],
        "table": {"y": [["ass", "zebra"][c] for c in y]},
    }
    notes = bring(**given, text_features=text).card["notes"]
    assert any("below chance" in note and "they fit the order zebra, ass" in note for note in notes)
    notes = bring(**given, text_features=-text, out=tmp_path / "right.store").card["notes"]
    assert not any("order" in note for note in notes)


def test_classes_with_the_same_text_are_named(bring: Bring, tmp_path: Path) -> None:
    np.save(tmp_path / "T.npy", np.ones((2, X.shape[1]), dtype=np.float32))
    (note,) = [n for n in bring(text_features=tmp_path / "T.npy").card["notes"] if "text features of" in n]
    assert note.endswith("are the same: words cannot tell them apart")


def test_a_file_that_is_no_array_names_what_is_read(bring: Bring, tmp_path: Path) -> None:
    (tmp_path / "X.csv").write_text("0.1,0.2\n")
    with pytest.raises(
        EvenhandError, match=r"X\.csv is not a NumPy array; give \.npy files or one of \.npz, \.pt"
    ):
        bring(features=[tmp_path / "X.csv"])


def test_odd_scales_and_empty_rows_are_remarked_upon_and_refused_later(bring: Bring, tmp_path: Path) -> None:
    values = X * np.float32(1e20)
    values[3] = 0
    np.save(tmp_path / "Y.npy", values)
    table = bring(features=[tmp_path / "Y.npy"])
    notes = " ".join(table.card["notes"])
    assert "their squares leave float32" in notes
    assert "1 row of the features is all zeros" in notes
    with pytest.raises(
        EvenhandError, match=r"s\.store: the largest number of the features is .*import them again"
    ):
        table.features(np.arange(N))


def test_the_largest_number_may_lie_on_the_limits_and_not_beyond() -> None:
    assert [odd_scale(size) for size in (0.0, 1e-15, 1e15)] == [None] * 3
    for beyond in (np.nextafter(1e-15, 0), np.nextafter(1e15, np.inf)):
        assert "between 1e-15 and 1e+15" in str(odd_scale(float(beyond)))


def test_the_size_of_a_number_has_no_sign() -> None:
    check_scale(np.array([[-1, 1e-20]], dtype=np.float32))
    with pytest.raises(EvenhandError, match=r"largest number of the features is 1e\+16"):
        check_scale(np.array([[-1e16, 1]], dtype=np.float32))
