"""An open_clip model that is loaded, behind the `Backbone` contract."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from open_clip.transformer import QuickGELU
from PIL import Image
from torch import Tensor

from evenhand.backbones.folder import known_words
from evenhand.backbones.loader_errors import told
from evenhand.backbones.precision import arithmetic
from evenhand.backbones.prompts import complete
from evenhand.backbones.sites import Site, find_site
from evenhand.backbones.soundness import sound_head
from evenhand.data.head import Head
from evenhand.functional.geometry import prototypes


class OpenClipBackbone:
    """A frozen open_clip model behind the `Backbone` contract.

    Parameters
    ----------
    model : torch.nn.Module
        With its weights.
    name, pretrained : str, str or None
        As the user gave them.
    transform, tokenizer : callable
        Image to pixels [3, H, W]; texts to token ids.
    config : mapping, optional
        open_clip's configuration of the model, which an export needs.
    device, precision : str
        Where the trunk runs, and a key of `AUTOCAST`.
    site : str, optional
        As in `find_site`.
    preprocess : str, optional
        Settings of `transform` that are not the model's own, as `read_preprocess` reads them.

    Attributes
    ----------
    model, tokenizer, config
        As given.
    site : Site
        The projection site.
    words : tuple of str
        The words that the model says it knows: `words.txt` in its folder, one a line; empty where it has
        none, as for models that learned from the web.

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
        self._preprocess = preprocess
        self.name, self.tokenizer, self.config = name, tokenizer, config
        self._weights_hash = weights_hash(model)
        # Channels last is what convolutions run fastest in, on both kinds of device.
        self.model: Any = model.eval().to(torch.device(device)).to(memory_format=torch.channels_last)
        self.site: Site = find_site(self.model, name, site)
        self._pretrained, self._transform = pretrained, transform
        self._device, self._precision = torch.device(device), precision
        self.words = known_words(name)

    @property
    def width(self) -> int:
        """D_in."""
        return self.site.projection.width

    @property
    def resized_to(self) -> int:
        """Largest side in pixels that images are resized to."""
        size = self.preprocessing()["size"]
        largest: int = size if isinstance(size, int) else max(size)
        return largest

    def to(self, device: str) -> None:
        """Move the model to another device."""
        self._device = torch.device(device)
        # The trunk shares the model's weights, but may hold buffers of its own.
        self.model.to(self._device)
        self.site.trunk.to(self._device)

    def preprocess(self, image: Image.Image) -> Tensor:
        """Return pixels [3, H, W] by the model's own transform."""
        pixels: Tensor = self._transform(image)
        return pixels

    def picture(self, pixels: Tensor) -> Tensor:
        """Return pixels [B, 3, H, W] as the colors from 0 to 1 that they were before normalization."""
        visual = self.model.visual
        mean, std = (torch.tensor(value)[:, None, None] for value in (visual.image_mean, visual.image_std))
        return (pixels * std + mean).clamp(0, 1)

    @torch.inference_mode()
    def trunk(self, pixels: Tensor) -> Tensor:
        """Return float32 features before the projection, [B, D_in], on the CPU."""
        return self.differentiable_trunk(pixels)

    def differentiable_trunk(self, pixels: Tensor) -> Tensor:
        """Return what `trunk` does, with a gradient in pixels that ask for one."""
        with arithmetic(self._precision, self._device):
            moved = pixels.to(self._device, memory_format=torch.channels_last)
            features: Tensor = self.site.trunk(moved)
        return features.float().cpu()

    @torch.inference_mode()
    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        """Return projection and text prototypes: the renormalized mean of each class's unit prompts."""
        chosen = complete(prompts, classes)
        rows = []
        for name in classes:
            with told(f"model {self.name!r} cannot read the prompts of class {name!r}"):
                tokens = self.tokenizer(chosen[name]).to(self._device)
                rows.append(prototypes(self.model.encode_text(tokens).float().cpu()[None]))
        arrays = {name: tensor.numpy() for name, tensor in self.site.projection.tensors().items()}
        head = Head(
            arrays.pop("weight"),
            arrays.pop("bias", None),
            tuple(classes),
            torch.cat(rows).numpy(),
            float(self.model.logit_scale.exp()),
            chosen,
            pool=arrays,
        )
        return sound_head(head, self.name)

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


def weights_hash(model: torch.nn.Module) -> str:
    """Return the SHA-256 of all weights, in the order of their sorted names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
