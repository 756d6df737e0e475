"""Read a checkpoint file as named tensors, however it was saved, without running any of its code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand.backbones.checkpoint_start import check_start, damaged, is_safetensors
from evenhand.backbones.torchscript import is_torchscript, read_torchscript

_MARK = "logit_scale"
"""The one tensor that every CLIP has at its root: a prefix of its name belongs to a wrapper."""
_WRAPPERS = re.compile(r"(?<![^.])(?:module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
"""What torch adds to the names of a model or of a part: DDP, compile, FSDP, recomputed blocks."""
_ADAPTER = re.compile(r"\.lora_\w+(?:\.|$)|\.base_layer\.")
_PART = re.compile(r"-\d{5}-of-(\d{5})\.")
_DEPTH = 3
"""Levels of dictionaries that are searched: {"state_dict": …}, {"state": {"model": …}}."""


def read_checkpoint(path: str | Path, *_: Any, **__: Any) -> dict[str, Any]:
    """Return the tensors of a checkpoint by the names that the model has for them.

    The content of the file tells its format: safetensors, a pickle of torch, which is read with
    `weights_only=True`, or a TorchScript archive, of which only the tensors are read. Prefixes of wrappers
    (`module.`, `_orig_mod.`, and before the model's own names also `model.` and the like) are removed, and
    dictionaries around the weights (`state_dict`, `model`) are opened.

    Parameters
    ----------
    path : Path
        File. Further arguments are those that open_clip passes to its own reader.

    Raises
    ------
    EvenhandError
        If the file is not a checkpoint, is truncated or one of several parts, or holds several models, an
        adapter, or objects other than tensors.
    """
    path = Path(path)
    found = _read(path)
    _check_whole(path, found)
    models = list(_models(found, _DEPTH))
    if len(models) > 1:
        listed = " and ".join(repr(name) for name, _ in models[:4])
        raise EvenhandError(
            f"{path} holds several models, {listed}; save the state_dict of one to a file of its own"
        )
    if models:
        return dict(models[0][1])
    if not isinstance(found, Mapping):
        raise EvenhandError(f"{path} holds a {type(found).__name__}, not named tensors; save a state_dict")
    inside = found.get("state_dict", found)
    return dict(inside) if isinstance(inside, Mapping) else dict(found)


def _check_whole(path: Path, found: Any) -> None:
    """Refuse an adapter, and one part of a model's weights."""
    if isinstance(found, Mapping) and any(_ADAPTER.search(str(key)) for key in found):
        raise EvenhandError(
            f"{path} holds an adapter (LoRA), which changes another model; merge it with "
            "merge_and_unload() of peft and save the whole model"
        )
    part = _PART.search(path.name)
    if part and int(part[1]) > 1:
        raise EvenhandError(
            f"{path} is one of {int(part[1])} parts of a model's weights; save them as one file: "
            "load all parts, and save the state_dict with torch.save"
        )


def _read(path: Path) -> Any:
    check_start(path)
    with path.open("rb") as stream:
        if is_safetensors(stream.read(64)):
            return _safetensors(path)
    if is_torchscript(path):
        return read_torchscript(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what is not a pickle fails in any way
        raise _refused(path, str(error)) from error


def _safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise EvenhandError(
            f"{path} is not a whole safetensors file ({error}); it may be cut short: download it again"
        ) from error


def _refused(path: Path, reason: str) -> EvenhandError:
    """Return why torch did not read a pickle: it names a class, or the file is not a pickle."""
    named = re.search(r"unsupported global:? (?:GLOBAL )?([\w.]+)", reason, re.IGNORECASE)
    if named:
        return EvenhandError(
            f"{path} holds Python objects besides the weights ({named[1]}), which evenhand never loads; if "
            "you trust it, save only its state_dict, preferably as safetensors"
        )
    return damaged(path)


def _check_numbers(weights: Mapping[str, Tensor]) -> None:
    """Refuse quantized weights: as floating-point numbers they would be other weights."""
    whole = [name for name, of in weights.items() if name.endswith("weight") and not of.is_floating_point()]
    if whole:
        raise EvenhandError(
            f"its weights are whole numbers ({weights[whole[0]].dtype} in {whole[0]}): it is quantized; "
            "use the checkpoint from before the quantization"
        )


def _models(found: Any, depth: int, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every CLIP inside nested dictionaries, by the name that leads to it, without its wrappers."""
    if not isinstance(found, Mapping) or depth == 0:
        return
    tensors = {
        key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, Tensor)
    }
    prefixes = [key.removesuffix(_MARK) for key in tensors if f".{key}".endswith(f".{_MARK}")]
    if "" in prefixes:  # the model itself: what lies deeper in it is its own
        prefixes = [""]
    for prefix in prefixes:
        own = [key for key in tensors if key.startswith(prefix)]
        inside = {_WRAPPERS.sub("", key.removeprefix(prefix)): tensors[key] for key in own}
        if any(key.startswith("visual.") for key in inside):  # a loss has a scale of its own
            _check_numbers(inside)
            yield name + prefix, inside
    for key, value in found.items():
        if isinstance(value, Mapping):
            yield from _models(value, depth - 1, f"{name}{key}/")
