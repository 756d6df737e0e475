"""Float32 tensors of a `.safetensors` file that is not trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from evenhand._typing import Floats


def read_tensors(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """Return the tensors by name, and the metadata.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a safetensors file, or a tensor is not finite float32.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            # The kinds come from the header, before any number is read.
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            odd = next((name for name, kind in kinds.items() if kind != "F32"), None)
            if odd is not None:
                raise ValueError(f"tensor {odd!r} is {kinds[odd]}, not F32")
            tensors: dict[str, Floats] = {name: file.get_tensor(name) for name in kinds}
            metadata = dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(f"the tensor {name!r} is not finite")
    return tensors, metadata
