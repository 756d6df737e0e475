"""An open_clip model that is loaded, behind the `Backbone` contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from open_clip.transformer import QuickGELU
from PIL import Image
from torch import Tensor

from evenhand.backbones.eight_bit import EightBit
from evenhand.backbones.loaded_model import LoadedModel
from evenhand.backbones.sites import find_site


class OpenClipBackbone(LoadedModel):
    """A frozen open_clip model behind the `Backbone` contract.

    Parameters
    ----------
    model : torch.nn.Module
        The model with its weights.
    name, pretrained : str, str or None
        As the user gave them.
    transform, tokenizer : callable
        Image to pixels [3, H, W]; texts to token ids.
    config : mapping, optional
        open_clip's configuration of the model, which an export needs.
    device : str, default="cpu"
        Where the trunk runs.
    precision : str, default="fp32"
        Number type of the trunk, a key of `AUTOCAST`.
    site : str, optional
        Part of the image tower to train, as in `find_site`.
    preprocess : str, optional
        Settings of `transform` that are not the model's own, as `read_preprocess` reads them.

    Attributes
    ----------
    config
        As given; the others are those of `LoadedModel`.

    Raises
    ------
    EvenhandError
        If the projection site is not known.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        name: str,
        pretrained: str | None,
        *,
        transform: Any,
        tokenizer: Any,
        config: Mapping[str, Any] | None = None,
        device: str = "cpu",
        precision: str = "fp32",
        site: str | None = None,
        preprocess: str | None = None,
    ) -> None:
        super().__init__(model, name, device, precision)
        # Channels last is what convolutions run fastest in, on both kinds of device.
        self.model.to(memory_format=torch.channels_last)
        self.site = find_site(self.model, name, site)
        self.tokenizer, self.config = tokenizer, config
        self._pretrained, self._transform, self._preprocess = pretrained, transform, preprocess
        self._eight_bit = EightBit(transform) if EightBit.splits(transform) else None

    @property
    def resized_to(self) -> int:
        """Largest side in pixels that images are resized to."""
        size = self.preprocessing()["size"]
        largest: int = size if isinstance(size, int) else max(size)
        return largest

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] by the model's own transform."""
        pixels: Tensor = self._transform(image)
        return pixels

    def prepare(self, image: Image.Image) -> Tensor:
        """Return colors, uint8 [H, W, 3], from which `trunk` makes the pixels of `preprocess`."""
        return self.preprocess(image) if self._eight_bit is None else self._eight_bit.colors(image)

    def picture(self, pixels: Tensor) -> Tensor:
        """Return pixels [B, 3, H, W] as the colors from 0 to 1 that they were before normalization."""
        visual = self.model.visual
        mean, std = (torch.tensor(value)[:, None, None] for value in (visual.image_mean, visual.image_std))
        return (pixels * std + mean).clamp(0, 1)

    def _on_device(self, pixels: Tensor) -> Tensor:
        if self._eight_bit is not None and pixels.dtype == torch.uint8:
            pixels = self._eight_bit.pixels(pixels)
        return pixels.to(self._device, memory_format=torch.channels_last)

    def _text(self, texts: Sequence[str]) -> Tensor:
        features: Tensor = self.model.encode_text(self.tokenizer(texts).to(self._device))
        return features.float().cpu()

    def preprocessing(self) -> dict[str, Any]:
        """Return size, resizing, mean and standard deviation, as open_clip's configurations name them."""
        return dict(self.model.visual.preprocess_cfg)

    def card(self) -> dict[str, Any]:
        """Return what identifies the features."""
        quick = any(isinstance(module, QuickGELU) for module in self.model.modules())
        return {
            "family": "open_clip",
            "model": self.name,
            "pretrained": self._pretrained,
            "weights_sha256": self._weights_hash,
            "preprocessing": " ".join(str(self._transform).split()),
            "site": f"visual.{self.site.name}",
            "activation": "QuickGELU" if quick else "GELU",
            "precision": self._precision,
            "preprocess": self._preprocess,
        }
