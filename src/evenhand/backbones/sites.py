"""Where the projection lives in each model family. No other file knows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from evenhand._errors import EvenhandError

_KNOWN = "use an open_clip ViT (visual.proj) or ResNet (visual.attnpool.c_proj)"


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
    """Return the projection site of an open_clip model, whose state stays as it is.

    Raises
    ------
    EvenhandError
        If the image tower is of a family that is not supported.
    """
    path, weight, bias = _live(model, name)
    visual = model.visual
    trunk = _without_projection(visual) if isinstance(visual, VisionTransformer) else _pooled(visual)
    return Site(path, _own(weight), None if bias is None else _own(bias), trunk)


def write_projection(model: nn.Module, weight: Tensor, bias: Tensor | None) -> None:
    """Copy W [D_in, D_out] and b [D_out] into the site of an open_clip model, in its own precision.

    Raises
    ------
    EvenhandError
        If the shapes are not the site's, or one has a bias and the other none.
    """
    path, live_weight, live_bias = _live(model, type(model).__name__)
    given, wanted = _shapes(weight, bias), _shapes(live_weight, live_bias)
    if given != wanted:
        raise EvenhandError(
            f"the projection has weight and bias of shapes {given} but {path} has {wanted}; "
            "write it into the model that it came from"
        )
    with torch.no_grad():
        live_weight.copy_(weight)
        if live_bias is not None and bias is not None:
            live_bias.copy_(bias)


def check_config(config: Mapping[str, Any], name: str) -> None:
    """Refuse by its configuration a model without a supported site, before its weights are downloaded.

    Raises
    ------
    EvenhandError
        If the image tower comes from timm.
    """
    timm = config.get("vision_cfg", {}).get("timm_model_name")
    if timm:
        raise EvenhandError(
            f"model {name!r} has the timm image tower {timm}, whose projection evenhand does not know yet; "
            f"{_KNOWN}"
        )


def _live(model: nn.Module, name: str) -> tuple[str, Tensor, Tensor | None]:
    """Return the site's path, and views of its weight [D_in, D_out] and bias that write through."""
    visual = model.visual
    if isinstance(visual, ModifiedResNet):
        last = visual.attnpool.c_proj
        return "visual.attnpool.c_proj", last.weight.detach().T, last.bias.detach()
    # Without pooling the tower gives one vector per patch.
    if isinstance(visual, VisionTransformer) and visual.proj is not None and visual.pool_type != "none":
        return "visual.proj", visual.proj.detach(), None
    raise EvenhandError(
        f"model {name!r} has an image tower of type {type(visual).__name__} whose projection evenhand does "
        f"not know yet; {_KNOWN}"
    )


def _shapes(weight: Tensor, bias: Tensor | None) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    return tuple(weight.shape), None if bias is None else tuple(bias.shape)


def _own(tensor: Tensor) -> Tensor:
    return tensor.float().cpu().contiguous().clone()


def _without_projection(visual: VisionTransformer) -> Callable[[Tensor], Tensor]:
    """Return the same tower, sharing its weights, that stops before `@ proj`."""
    trunk = copy.copy(visual)
    trunk._parameters = {**visual._parameters, "proj": None}

    def run(pixels: Tensor) -> Tensor:
        out = trunk(pixels)
        pooled: Tensor = out[0] if isinstance(out, tuple) else out
        return pooled

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
