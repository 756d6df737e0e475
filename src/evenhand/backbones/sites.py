"""Where the projection lives in each model family. No other file knows."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from evenhand._errors import EvenhandError


@dataclass(frozen=True)
class Site:
    """A projection site.

    Attributes
    ----------
    path : str
        Where the weight is, from the model.
    weight : float32 Tensor [D_in, D_out]
        W0.
    bias : float32 Tensor [D_out] or None
        b0.
    trunk : callable
        Pixels [B, 3, H, W] to features [B, D_in] before the projection.
    """

    path: str
    weight: Tensor
    bias: Tensor | None
    trunk: Callable[[Tensor], Tensor]


def find_site(model: nn.Module, name: str) -> Site:
    """Return the projection site of an open_clip model.

    Raises
    ------
    EvenhandError
        If the image tower is of a family that is not supported.
    """
    visual = model.visual
    if isinstance(visual, VisionTransformer) and isinstance(visual.proj, Tensor):
        return Site("visual.proj", _own(visual.proj), None, _without_projection(visual))
    if isinstance(visual, ModifiedResNet):
        last = visual.attnpool.c_proj
        return Site("visual.attnpool.c_proj", _own(last.weight.T), _own(last.bias), _pooled(visual))
    raise EvenhandError(
        f"model {name!r} has an image tower of type {type(visual).__name__}, whose projection evenhand does "
        "not know yet; use an open_clip ViT (visual.proj) or ResNet (visual.attnpool.c_proj)"
    )


def _own(tensor: Tensor) -> Tensor:
    return tensor.detach().float().cpu().contiguous().clone()


def _without_projection(visual: VisionTransformer) -> Callable[[Tensor], Tensor]:
    """Return the same tower, sharing its weights, that stops before `@ proj`."""
    trunk = copy.copy(visual)
    trunk._parameters = {**visual._parameters, "proj": None}

    def run(pixels: Tensor) -> Tensor:
        out = trunk(pixels)
        return out[0] if isinstance(out, tuple) else out

    return run


def _pooled(visual: ModifiedResNet) -> Callable[[Tensor], Tensor]:
    """Return the tower with the attention pool's last linear map replaced by the identity."""
    trunk = copy.copy(visual)
    trunk._modules = {**visual._modules, "attnpool": nn.Identity()}
    pool = visual.attnpool
    width = pool.c_proj.in_features
    device, dtype = pool.c_proj.weight.device, pool.c_proj.weight.dtype
    identity = {
        "c_proj.weight": torch.eye(width, device=device, dtype=dtype),
        "c_proj.bias": torch.zeros(width, device=device, dtype=dtype),
    }

    def run(pixels: Tensor) -> Tensor:
        pooled: Tensor = torch.func.functional_call(pool, identity, (trunk(pixels),))
        return pooled

    return run
