"""An image transform of open_clip in two steps: to 8-bit colors, and from these to normalized pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose, Normalize, ToTensor


class EightBit:
    """Resizing and cropping, separate from normalization; the result is the same to the bit.

    Colors take a quarter of the bytes of pixels, so they pass between processes in a quarter of the time.

    Parameters
    ----------
    transform : torchvision.transforms.Compose
        As `splits` accepts it.
    """

    def __init__(self, transform: Compose) -> None:
        *sized, _, last = transform.transforms
        self._sized = Compose(sized)
        self._mean, self._std = (np.asarray(values, dtype=np.float32) for values in (last.mean, last.std))
        self._room = torch.empty(0)

    def __getstate__(self) -> dict[str, Any]:
        # Ray hands arrays over as read-only memory.
        return {**vars(self), "_room": torch.empty(0)}

    @staticmethod
    def splits(transform: Any) -> bool:
        """Return whether a transform ends in the two steps that see one color of one pixel at a time."""
        steps: list[Any] = transform.transforms if isinstance(transform, Compose) else []
        *_, first, last = [None, None, *steps]
        return isinstance(first, ToTensor) and isinstance(last, Normalize)

    def colors(self, image: Image.Image) -> Tensor:
        """Return uint8 [H, W, 3] of an RGB image."""
        return torch.from_numpy(np.array(self._sized(image)))

    def pixels(self, colors: Tensor) -> Tensor:
        """Return the transform's pixels [n, 3, H, W], channels last, for colors [n, H, W, 3] on the CPU.

        The next call overwrites them, because new memory would take as long as the computation. Images are
        processed one by one: each fits the cache, and threads of torch would wait for each other.
        """
        n, height, width, _ = colors.shape
        mean, std = (np.resize(values, 3 * width) for values in (self._mean, self._std))
        if self._room.shape != colors.shape:
            # Not NumPy's: the last bits of a product depend on how its memory is aligned.
            self._room = torch.empty(colors.shape)
        rows = (n, height, 3 * width)
        for image, room in zip(colors.numpy().reshape(rows), self._room.numpy().reshape(rows), strict=True):
            np.divide(image, np.float32(255), out=room, dtype=np.float32)
            room -= mean
            room /= std
        return self._room.permute(0, 3, 1, 2)
