"""Embeddings as other tools save them."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from evenhand._errors import EvenhandError
from evenhand.data.arrays.read import file_and_name, read_arrays
from evenhand.data.own_embeddings import import_embeddings

X = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
LABELS = ["ab"[row % 2] for row in range(30)]
RAGGED = [[1.0, 2.0]] * 29 + [[1.0]]


def numbered(prefix: str, start: int = 0) -> dict[str, Any]:
    return {f"{prefix}{k + start}": X[:, k] for k in reversed(range(4))}


def parquet(path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table({"label": LABELS, **columns}), path)


FILES: dict[str, Callable[[Path], object]] = {
    "one.npz": lambda path: np.savez(path, X),
    "labels.npz": lambda path: np.savez_compressed(path, features=X, labels=np.arange(30)),
    "objects.npz": lambda path: np.savez(path, x=X, y=np.array([{}], dtype=object)),
    "plain.pt": lambda path: torch.save(torch.tensor(X), path),
    "dict.pth": lambda path: torch.save({"x": torch.tensor(X), "y": torch.arange(30)}, path),
    "old.pt": lambda path: torch.save(torch.tensor(X), path, _use_new_zipfile_serialization=False),
    "grad.pt": lambda path: torch.save(torch.nn.Parameter(torch.tensor(X)), path),
    "x.safetensors": lambda path: save_file({"x": torch.tensor(X)}, path),
    "lists.parquet": lambda path: parquet(path, {"emb": pa.array(X.tolist(), pa.list_(pa.float32()))}),
    "large.parquet": lambda path: parquet(path, {"emb": pa.array(X.tolist(), pa.large_list(pa.float32()))}),
    "fixed.parquet": lambda path: parquet(path, {"emb": pa.FixedSizeListArray.from_arrays(X.ravel(), 4)}),
    "columns.parquet": lambda path: parquet(path, {**numbered("emb_"), "score": X[:, 0], "v2": X[:, 1]}),
    "bare.parquet": lambda path: parquet(path, numbered("", 1)),
}


@pytest.mark.parametrize("name", FILES)
def test_the_one_matrix_is_found(tmp_path: Path, name: str) -> None:
    FILES[name](tmp_path / name)
    (part,) = read_arrays([tmp_path / name], argument="features")
    np.testing.assert_array_equal(part[:], X)


@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_becomes_float32(tmp_path: Path, suffix: str, dtype: torch.dtype) -> None:
    tensor = torch.tensor(X).to(dtype)
    path = tmp_path / f"x.{suffix}"
    torch.save(tensor, path) if suffix == "pt" else save_file({"x": tensor}, path)
    (part,) = read_arrays([path], argument="features")
    np.testing.assert_array_equal(part[:], tensor.float().numpy())


def test_one_of_several_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, a=X, b=2 * X)
    with pytest.raises(EvenhandError, match=r"not one: a \[30, 4\], b \[30, 4\]; name one as FILE:NAME"):
        read_arrays([path], argument="features")
    (part,) = read_arrays([Path(f"{path}:b")], argument="features")
    np.testing.assert_array_equal(part[:], 2 * X)
    with pytest.raises(EvenhandError, match=r"has no array 'c', it has a \[30, 4\]"):
        read_arrays([Path(f"{path}:c")], argument="features")
    parquet(tmp_path / "x.parquet", {"a": X.tolist(), "b": (2 * X).tolist()})
    with pytest.raises(EvenhandError, match="has 2 columns of lists: a, b; name one as FILE:COLUMN"):
        read_arrays([tmp_path / "x.parquet"], argument="features")
    (part,) = read_arrays([Path(f"{tmp_path / 'x.parquet'}:b")], argument="features")
    np.testing.assert_allclose(part[:], 2 * X)
    with pytest.raises(EvenhandError, match="has no column 'c', it has label, a, b"):
        read_arrays([Path(f"{tmp_path / 'x.parquet'}:c")], argument="features")


def test_a_colon_in_a_name_is_no_array(tmp_path: Path) -> None:
    FILES["one.npz"](tmp_path / "a.npz:b.npz")
    assert file_and_name(tmp_path / "a.npz:b.npz") == (tmp_path / "a.npz:b.npz", None)
    assert file_and_name(Path("x.npy:b")) == (Path("x.npy:b"), None)


class Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("evil"),)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "evil.pt": (lambda path: path.write_bytes(pickle.dumps(Evil())), "finds more than tensors"),
    "list.pt": (lambda path: torch.save([1, 2], path), "of its arrays 0 have rows and columns"),
    "junk.pt": (lambda path: path.write_bytes(b"junk"), "finds more than tensors"),
    "junk.npz": (lambda path: path.write_bytes(b"PK\3\4junk"), "not a zip file"),
    "junk.safetensors": (lambda path: path.write_bytes(b"\xff" * 30), "header too large"),
    "junk.parquet": (lambda path: path.write_bytes(b"PAR1junk"), "cannot be read as .parquet"),
    "ragged.parquet": (lambda path: parquet(path, {"emb": RAGGED}), "different lengths, 1 and 2"),
    "null.parquet": (lambda path: parquet(path, {"emb": [*RAGGED[:29], None]}), "has no list"),
    "none.parquet": (lambda path: parquet(path, {"a1": X[:, 0], "a3": X[:, 0]}), "no one run of columns"),
    "nan.parquet": (lambda path: parquet(path, {"emb": [[1.0, None]] * 30}), "not finite in row 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_holds_no_one_matrix_is_told(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.chdir(tmp_path)
    write, reason = WRONG[name]
    write(tmp_path / name)
    with pytest.raises(EvenhandError, match=reason):
        read_arrays([tmp_path / name], argument="features")
    assert not (tmp_path / "evil").exists()
    assert not recwarn.list


def test_labels_beside_parquet_features(tmp_path: Path) -> None:
    FILES["lists.parquet"](tmp_path / "x.parquet")
    table = import_embeddings([tmp_path / "x.parquet"], None, label_column="label", out=tmp_path / "s")
    assert table.labels(table.rows("train")[:0]).tolist() == []
    assert sorted(table.classes) == ["a", "b"]
    np.testing.assert_array_equal(table.features(np.arange(30)), X)
