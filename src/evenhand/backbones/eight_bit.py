"""An image transform of open_clip in two steps: what images are until the last are 8-bit colors."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose, Normalize, ToTensor


class EightBit:
    """Resizing and cropping apart from normalization, which is looked up and gives the same bits.

    Colors take a quarter of the bytes of pixels, so they pass between processes in a quarter of the time.

    Parameters
    ----------
    transform : torchvision.transforms.Compose
        As `splits` accepts it.
    """

    def __init__(self, transform: Compose) -> None:
        self._sized, last = Compose(transform.transforms[:-2]), Compose(transform.transforms[-2:])
        levels = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
        self._table: Tensor = last(Image.fromarray(levels[None])).reshape(-1)
        self._room = torch.empty(0)

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
        """Return the transform's pixels [n, 3, H, W], channels last, for colors [n, H, W, 3].

        They are overwritten by the next call: new memory takes as long as the numbers.
        """
        height, width = colors.shape[1:3]
        table = self._table.to(colors.device)
        first = torch.arange(0, len(table), 256, dtype=torch.int32, device=colors.device).repeat(width)
        places = torch.empty((height, 3 * width), dtype=torch.int32, device=colors.device)
        if self._room.shape != colors.shape or self._room.device != colors.device:
            self._room = torch.empty(colors.shape, device=colors.device)
        for image, room in zip(colors, self._room, strict=True):  # one after the other stays in the cache
            places.copy_(image.reshape(height, -1)).add_(first)
            torch.index_select(table, 0, places.view(-1), out=room.view(-1))
        return self._room.permute(0, 3, 1, 2)
