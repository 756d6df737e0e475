"""Named child streams of one seed. No global generator is ever touched."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # lists of images and tables draw splits, and need no torch
    import torch


def child_seed(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed that depends on `seed` and on the path of `names` alone.

    Adding a consumer under a new name never shifts the numbers that another one draws.
    """
    keys = [zlib.crc32(str(name).encode()) for name in names]
    state = np.random.SeedSequence([seed, *keys]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def numpy_stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the NumPy generator of the child stream `names`."""
    return np.random.default_rng(child_seed(seed, *names))


def torch_stream(seed: int, *names: str | int) -> torch.Generator:
    """Return the torch CPU generator of the child stream `names`."""
    import torch

    return torch.Generator().manual_seed(child_seed(seed, *names))
