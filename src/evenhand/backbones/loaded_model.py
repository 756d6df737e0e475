"""The common part of loaded open_clip and transformers models: trunk, projection site, text prototypes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evenhand.backbones.folder import known_words
from evenhand.backbones.loader_errors import told
from evenhand.backbones.precision import arithmetic
from evenhand.backbones.prompts import complete
from evenhand.backbones.sites import Site
from evenhand.backbones.soundness import check_texts, check_weights, sound_head
from evenhand.data.head import Head
from evenhand.functional.geometry import prototypes


class LoadedModel(ABC):
    """A model with weights, whose projection site is known.

    Parameters
    ----------
    model : torch.nn.Module
        The model with its weights.
    name : str
        As the user gave it.
    device, precision : str
        Where the trunk runs, and a key of `AUTOCAST`.

    Attributes
    ----------
    model, name, tokenizer
        As given.
    site : Site
        The projection site.
    words : tuple of str
        The words that the model knows, from `words.txt` in its folder, one per line. Empty if there is no
        such file, as for models that learned from the web.

    Raises
    ------
    EvenhandError
        If a weight is not finite.
    """

    tokenizer: Any
    site: Site

    def __init__(self, model: nn.Module, name: str, device: str, precision: str) -> None:
        check_weights(model, name)
        self.name = name
        self._weights_hash = weights_hash(model)
        self._device, self._precision = torch.device(device), precision
        self.model: Any = model.eval().to(self._device)
        self.words = known_words(name)

    @abstractmethod
    def _on_device(self, pixels: Tensor) -> Tensor:
        """Return pixels on the trunk's device, in the memory layout that it reads fastest."""

    @abstractmethod
    def _text(self, texts: Sequence[str]) -> Tensor:
        """Return the features of texts, float32 [n, D_out], on the CPU."""

    @property
    def width(self) -> int:
        """D_in."""
        return self.site.projection.width

    def to(self, device: str) -> None:
        """Move the model to another device."""
        self._device = torch.device(device)
        # The trunk shares the model's weights, but may hold buffers of its own.
        self.model.to(self._device)
        self.site.trunk.to(self._device)

    @torch.inference_mode()
    def trunk(self, pixels: Tensor) -> Tensor:
        """Return float32 features before the projection, [B, D_in], on the CPU."""
        return self.differentiable_trunk(pixels)

    def differentiable_trunk(self, pixels: Tensor) -> Tensor:
        """Return what `trunk` does, with a gradient for pixels that require one."""
        with arithmetic(self._precision, self._device):
            features: Tensor = self.site.trunk(self._on_device(pixels))
        return features.float().cpu()

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return the features of texts in one batch, float32 [n, D_out], on the CPU.

        Raises
        ------
        EvenhandError
            If a text cannot be read, or its features are not finite.
        """
        with told(f"model {self.name!r} cannot read {len(texts)} texts, the first of them {texts[0]!r}"):
            features = self._text(texts)
        check_texts(features, texts, self.name)
        return features

    @torch.inference_mode()
    def head(self, classes: Sequence[str], prompts: Mapping[str, Sequence[str]]) -> Head:
        """Return projection and text prototypes: the renormalized mean of each class's unit prompts."""
        chosen = complete(prompts, classes)
        rows = []
        for name in classes:
            with told(f"model {self.name!r} cannot read the prompts of class {name!r}"):
                rows.append(prototypes(self._text(chosen[name])[None]))
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


def weights_hash(model: nn.Module) -> str:
    """Return the SHA-256 of all weights, in the order of their sorted names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
