"""Tensors to a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor


def save_weights(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors; those that share memory are written twice, as the format asks.

    Raises
    ------
    OSError
        If the disk is full or the system refuses for another reason.
    """
    own = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        # safetensors makes files that only their owner may read; these get what the user's mask allows.
        path.touch()
        mode = path.stat().st_mode
        save_file(own, path, {"format": "pt"})
        path.chmod(mode)
    except SafetensorError as error:
        raise OSError(str(error)) from error
