"""What a store promises: it gives back what went in, and no byte of it changes unseen."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenhand._errors import EvenhandError
from evenhand.data.head import Head
from evenhand.data.store import load_store, read_skipped, read_thumbnails
from evenhand.data.store_write import StoreWriter

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
FILES = {
    *("card.json", "head.safetensors", "rows.parquet", "skipped.parquet"),
    *(
        f"{folder}/part-0000{k}.{kind}"
        for k in (0, 1)
        for folder, kind in (("features", "npy"), ("thumbnails", "parquet"))
    ),
}


def write(path: Path, head: Head, X: np.ndarray, columns: dict[str, list[str]], part_rows: int) -> None:
    with StoreWriter(path, identity={"é": [1, None]}, head=head, width=X.shape[1], dtype=X.dtype.name) as out:
        for start in range(0, len(X), part_rows):
            inside = slice(start, start + part_rows)
            small = [b"jpeg" + bytes([row % 256]) for row in range(len(X))[inside]]
            gone = [{"id": f"gone {start}", "path": "", "reason": "é"}]
            out.write_part(X[inside], {name: values[inside] for name, values in columns.items()}, gone, small)
        out.finish()


@st.composite
def stores(draw: st.DrawFn) -> tuple[Head, np.ndarray, dict[str, list[str]], int]:
    dtype = draw(st.sampled_from([np.float16, np.float32]))
    n, width, out = (draw(st.integers(1, most)) for most in (12, 5, 4))
    values = st.floats(allow_nan=False, allow_infinity=False, width=np.dtype(dtype).itemsize * 8)
    X = draw(arrays(dtype, (n, width), elements=values))
    classes = tuple(draw(st.lists(WORDS, min_size=2, max_size=4, unique=True)))
    weight = draw(arrays(np.float32, (width, out), elements=st.floats(-9, 9, width=32)))
    bias = draw(st.none() | st.just(np.ones(out, dtype=np.float32)))
    text = draw(st.none() | st.just(np.ones((len(classes), out), dtype=np.float32)))
    head = Head(weight, bias, classes, text, draw(st.floats(1e-3, 1e3)), {name: [name] for name in classes})
    columns = {
        "id": [str(row) for row in range(n)],
        "path": draw(st.lists(WORDS, min_size=n, max_size=n)),
        "label": draw(st.lists(st.sampled_from(classes), min_size=n, max_size=n)),
        "split": draw(st.lists(st.sampled_from(["train", "test"]), min_size=n, max_size=n)),
        "place": draw(st.lists(WORDS, min_size=n, max_size=n)),
    }
    return head, X, columns, draw(st.integers(1, n))


@settings(max_examples=15)
@given(stores())
def test_round_trip_is_identity(made: tuple[Head, np.ndarray, dict[str, list[str]], int]) -> None:
    head, X, columns, part_rows = made
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        write(path, head, X, columns, part_rows)
        table = load_store(path)
        assert np.concatenate(table.parts).tobytes() == X.tobytes()
        assert table.parts[0].dtype == X.dtype
        found = {"id": table.ids, "path": table.paths, "split": table.split, **table.attributes}
        found["label"] = table.labels(np.arange(len(X)))
        assert {name: values.tolist() for name, values in found.items()} == columns
        for name in ("weight", "bias", "text"):
            before, after = getattr(head, name), getattr(table.head, name)
            assert (before is None) == (after is None)
            assert before is None or before.tobytes() == after.tobytes()
        assert (table.head.classes, table.head.logit_scale, table.head.prompts) == (
            (head.classes, head.logit_scale, head.prompts)
        )
        assert table.card == {"é": [1, None]}
        assert read_thumbnails(path, np.arange(len(X))) == [b"jpeg" + bytes([row]) for row in range(len(X))]
        assert len(read_skipped(path)) == len(range(0, len(X), part_rows))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s"
    columns = {name: ["a", "b", "a"] for name in ("id", "path", "label", "split")}
    head = Head(np.eye(2, dtype=np.float32), None, ("a", "b"), prompts={"a": ["é"], "b": []})
    write(path, head, np.ones((3, 2), dtype=np.float16), columns, 2)
    assert {str(f.relative_to(path)) for f in path.rglob("*") if f.is_file()} - {".lock"} == FILES
    return path


@pytest.mark.parametrize("name", sorted(FILES))
@settings(max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_no_byte_changes_unseen(store: Path, name: str, place: float, flip: int) -> None:
    file = store / name
    before = file.read_bytes()
    after = bytearray(before)
    after[int(place * len(before))] ^= flip
    file.write_bytes(after)
    try:
        with pytest.raises(EvenhandError, match=name.split("/")[-1]):
            load_store(store)
    finally:
        file.write_bytes(before)
