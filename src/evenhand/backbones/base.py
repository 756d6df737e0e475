"""The interface of a model to the rest of evenhand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from PIL import Image
from torch import Tensor

from evenhand.data.head import Head


class Backbone(Protocol):
    """A frozen image trunk, its projection and its text tower.

    A backbone may have one more attribute, `resized_to` (int or None): the largest side in pixels that
    `preprocess` resizes images to. JPEGs of more than twice that size then need not be decoded in full. It
    may also have a method `prepare`, which turns an image into a smaller tensor, such as 8-bit colors.
    `trunk` must make the same pixels from it. Processes that read images send these tensors.
    """

    @property
    def name(self) -> str:
        """Name as the user gave it."""

    @property
    def width(self) -> int:
        """D_in: features before the projection."""

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] of an RGB image."""

    def trunk(self, pixels: Tensor) -> Tensor:
        """Return float32 features before the projection, [B, D_in], for pixels [B, 3, H, W]."""

    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        """Return projection and text prototypes for `classes`, from the prompts of each."""

    def card(self) -> dict[str, Any]:
        """Return what identifies the features: model, weights hash, preprocessing, site, activation, …."""
