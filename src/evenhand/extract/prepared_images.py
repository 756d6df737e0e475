"""One image file in; its pixels, thumbnail and properties out, or the reason why it has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from evenhand._typing import Strings
from evenhand.data.files import is_remote
from evenhand.data.images.decode import UnreadableImage, decode
from evenhand.data.images.properties import properties_of
from evenhand.data.images.thumbnail import jpeg_of, shrunk

LONGEST = 100
"""Largest ratio of the sides: a very long image, resized by its short side, would fill the memory."""


class PreparedImage(NamedTuple):
    """What is made of the image at a position: if it is unreadable, no pixels, and the reason."""

    position: int
    path: str
    pixels: Tensor | None = None
    thumbnail: bytes = b""
    properties: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class PreparedImages(Dataset[PreparedImage]):
    """Images by their positions. Each is read, decoded and prepared when it is asked for.

    Attributes
    ----------
    paths : sequence of str
        Files.
    prepare : callable
        RGB image to pixels [3, H, W].
    thumbnails : bool, default=False
        Whether to make thumbnails from the decoded images.
    short_side : int, optional
        Short side at which JPEGs are decoded, as in `data.images.decode`; by default in full.
    """

    paths: Sequence[str] | Strings
    prepare: Callable[[Image.Image], Tensor]
    thumbnails: bool = False
    short_side: int | None = None

    @property
    def remote(self) -> bool:
        """Whether any file is at an address."""
        return any(is_remote(Path(str(path))) for path in self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> PreparedImage:
        path = str(self.paths[position])
        try:
            decoded = decode(Path(path), self.short_side)
        except UnreadableImage as error:
            return PreparedImage(position, path, reason=error.reason)
        width, height = decoded.size
        if max(width, height) > LONGEST * min(width, height):
            reason = f"too long and narrow ({width} x {height} pixels)"
            return PreparedImage(position, path, reason=reason)
        small = shrunk(decoded.image)
        properties = properties_of(decoded, small)
        pixels = self.prepare(decoded.image)
        return PreparedImage(position, path, pixels, jpeg_of(small) if self.thumbnails else b"", properties)
