"""The one matrix in a file of another library: NumPy's archives, PyTorch, safetensors, Parquet."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evenhand.data.labels import some


def read_matrix(path: Path, name: str | None) -> Any:
    """Return the array [n, D] in a `.npz`, `.pt`, `.pth`, `.safetensors` or `.parquet` file.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        Of the array or column; None if the file holds one with two axes.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it cannot be read, or which array is meant is not clear.
    """
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise OSError("it is not a regular file")
    try:
        return READERS[path.suffix.lower()](path, name)
    except (OSError, ValueError):
        raise
    except Exception as error:  # of four libraries, on bytes that they did not write
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _npz(path: Path, name: str | None) -> Any:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = {key: found for key in archive.files if (found := _plain(archive, key)) is not None}
    return _one(arrays, name)


def _plain(archive: Any, key: str) -> Any:
    try:
        return archive[key]
    except ValueError:  # an array of Python objects, which would have to be unpickled
        return None


def _torch(path: Path, name: str | None) -> Any:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about pickles that it refuses anyway
            # No code of the file runs.
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            "torch.load(weights_only=True) finds more than tensors; save only the tensor with torch.save"
        ) from error
    named = found if isinstance(found, Mapping) else {"": found}
    tensors = {str(key): value for key, value in named.items() if isinstance(value, torch.Tensor)}
    return _of_tensor(_one(tensors, name))


def _safetensors(path: Path, name: str | None) -> Any:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    return _of_tensor(_one(tensors, name))


def _of_tensor(tensor: Any) -> Any:
    import torch

    dense = tensor.detach().to_dense() if tensor.layout != torch.strided else tensor.detach()
    # NumPy has neither bfloat16 nor numbers of 8 bits with a point.
    return (dense.float() if dense.is_floating_point() and dense.dtype != torch.float64 else dense).numpy()


def _one(arrays: Mapping[str, Any], name: str | None) -> Any:
    told = some([f"{key or 'a tensor'} {list(value.shape)}" for key, value in arrays.items()]) or "none"
    if name is not None:
        if name not in arrays:
            raise ValueError(f"it has no array {name!r}, it has {told}")
        return arrays[name]
    matrices = [value for value in arrays.values() if value.ndim == 2]
    if len(matrices) != 1:
        raise ValueError(
            f"of its arrays {len(matrices)} have rows and columns, and not one: {told}; name one as FILE:NAME"
        )
    return matrices[0]


def _parquet(path: Path, name: str | None) -> Any:
    schema = pq.read_schema(path)
    if name is not None and name not in schema.names:
        raise ValueError(f"it has no column {name!r}, it has {some(schema.names)}")
    columns = [name] if name is not None else columns_of_numbers(schema)
    table = pq.read_table(path, columns=columns)
    if _is_list(table.schema.field(0).type):
        return np.concatenate([_lists(chunk) for chunk in table.column(0).chunks])
    return np.stack([column.to_numpy() for column in table.columns], axis=1)


def columns_of_numbers(schema: pa.Schema) -> list[str]:
    """Return the one column of lists of numbers, or the columns of numbers that are counted through.

    Raises
    ------
    ValueError
        If which are meant is not clear.
    """
    lists = [field.name for field in schema if _is_list(field.type)]
    if len(lists) == 1:
        return lists
    if lists:
        raise ValueError(f"it has {len(lists)} columns of lists: {some(lists)}; name one as FILE:COLUMN")
    runs: dict[str, dict[int, str]] = {}
    for field in schema:
        found = re.fullmatch(r"(.*?)(\d+)", field.name)
        if found and pa.types.is_floating(field.type):
            runs.setdefault(found[1], {})[int(found[2])] = field.name
    counted = [run for run in runs.values() if len(run) > 1 and max(run) - min(run) + 1 == len(run)]
    if len(counted) != 1:
        raise ValueError(
            "it has no column of lists of numbers, and no one run of columns of numbers such as "
            f"emb_0, emb_1, …; its columns are {some(schema.names)}"
        )
    return [counted[0][number] for number in sorted(counted[0])]


def _is_list(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(kind) for is_kind in lists):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def _lists(chunk: Any) -> Any:
    if chunk.null_count:
        raise ValueError("a row of the column has no list; leave the row out")
    values = chunk.flatten().to_numpy(zero_copy_only=False)
    widths = np.unique(pc.list_value_length(chunk).to_numpy(zero_copy_only=False))
    if len(widths) > 1:
        raise ValueError(f"its lists are of different lengths, {widths[0]} and {widths[-1]}")
    return values.reshape(len(chunk), widths[0] if len(widths) else 0)


READERS: Mapping[str, Callable[[Path, str | None], Any]] = {
    ".npz": _npz,
    ".pt": _torch,
    ".pth": _torch,
    ".safetensors": _safetensors,
    ".parquet": _parquet,
}
