"""The number type in which a trunk computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from evenhand._errors import EvenhandError
from evenhand.backbones.typed_names import PRECISIONS, check_precision

AUTOCAST = dict(zip(PRECISIONS, (None, torch.bfloat16, torch.float16), strict=True))


def choose_precision(precision: str, device: str) -> str:
    """Return the precision that "auto" stands for on a device, and any other known one as it is.

    Raises
    ------
    EvenhandError
        If the precision is unknown or the device cannot be used.
    """
    try:
        kind = torch.empty(0, device=device).device.type
    except (RuntimeError, AssertionError) as error:
        first = str(error).strip().splitlines()[0]
        raise EvenhandError(f"device {device!r} cannot be used ({first}); choose cpu or cuda") from error
    if precision == "auto":
        # On CPUs the gain of half precision depends on model, batch and processor, and can be a loss. A
        # choice by the clock would make stores differ between runs: docs/explanation/numbers.md.
        return "fp16" if kind == "cuda" else "fp32"
    check_precision(precision)
    return precision


def arithmetic(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which a trunk runs, for a key of `AUTOCAST`."""
    kind = AUTOCAST[precision]
    if kind is not None:
        return torch.autocast(device.type, kind)
    if device.type != "cuda":
        return nullcontext()
    # cuDNN rounds the factors of float32 convolutions to 10 bits unless this is off.
    flags: AbstractContextManager[Any] = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    return flags
