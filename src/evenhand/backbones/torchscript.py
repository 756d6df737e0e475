"""Read the tensors of a TorchScript archive, such as OpenAI's own files, without running its program."""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evenhand._errors import EvenhandError

_RECORDS = "/data.pkl"
_DTYPES = {
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_SETTINGS = ("input_resolution", "context_length", "vocab_size", "attn_mask")
"""Tensors next to the weights."""
_DEPTH = 100
"""Largest depth of modules, because modules that hold each other would never end."""
_VISITS = 200_000
"""Largest number of attributes read: a module that is held twice at each level doubles their number."""


def is_torchscript(path: Path) -> bool:
    """Return whether a file is a TorchScript archive: a zip with records, constants and code."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    return any(name.endswith("/constants.pkl") for name in names) and any(
        name.endswith(_RECORDS) for name in names
    )


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a TorchScript archive by their names in its module.

    The records of an archive are a pickle. This reader knows tensors, containers of tensors and modules
    without behavior; whatever else the pickle names is refused, and no code of the archive is compiled.

    Raises
    ------
    EvenhandError
        If the archive is damaged, compressed, or names anything else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (records,) = (name for name in archive.namelist() if name.endswith(_RECORDS))
            room = (records, records.removesuffix(".pkl") + "/")
            read = [member for member in archive.infolist() if member.filename.startswith(room)]
            if any(member.compress_type != zipfile.ZIP_STORED for member in read):
                raise EvenhandError("its weights are compressed, but torch compresses only the program")
            data = archive.read(records)
            _check_memo(data)
            root = _Reader(data, archive, records.removesuffix(_RECORDS)).load()
        return {name: tensor for name, tensor in _tensors(root) if name.split(".")[-1] not in _SETTINGS}
    except EvenhandError as error:
        raise EvenhandError(f"{path} is a TorchScript archive that cannot be read: {error}") from error
    except Exception as error:  # a pickle from elsewhere can fail in any way
        raise EvenhandError(
            f"{path} is a TorchScript archive that cannot be read ({type(error).__name__}: {error}); "
            "save the model's state_dict with torch.save or as safetensors, or use `pretrained='openai'`"
        ) from error


class _Module:
    """Replaces every class of an archive: it keeps its attributes and does nothing."""

    attributes: Any = None

    def __setstate__(self, attributes: Any) -> None:
        self.attributes = attributes


class _Reader(pickle.Unpickler):
    def __init__(self, data: bytes, archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(io.BytesIO(data))
        self._archive, self._root = archive, root
        self._storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("__torch__"):
            return _Module
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle" and name in ("build_intlist", "build_doublelist", "build_boollist"):
            return list
        if module == "torch.jit._pickle" and name == "build_tensorlist":
            return list
        raise EvenhandError(f"it names {module}.{name}, which evenhand does not load")

    def persistent_load(self, pid: Any) -> Tensor:
        _, dtype, key, *_ = pid
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._root}/data/{key}"))
            self._storages[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return self._storages[key]


def _tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    return storage.as_strided(size, stride, offset)  # torch refuses what is outside the storage


def _check_memo(data: bytes) -> None:
    """Refuse a pickle that numbers more objects than it has bytes; they would take memory."""
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > len(data):
            raise EvenhandError("its records are damaged")


def _tensors(root: Any) -> Iterator[tuple[str, Tensor]]:
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    for _ in range(_VISITS):
        if not waiting:
            return
        name, value = waiting.pop()
        if len(name) > _DEPTH:
            break
        if isinstance(value, Tensor):
            yield ".".join(name), value
        elif isinstance(value, _Module) and isinstance(value.attributes, dict):
            waiting += [((*name, str(key)), found) for key, found in value.attributes.items()]
    raise EvenhandError("its modules contain each other in a cycle")
