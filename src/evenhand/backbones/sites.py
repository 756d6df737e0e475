"""Where the projection lives in each model family. No other file knows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from evenhand._errors import EvenhandError
from evenhand.backbones.projection import Projection, projection_of

_VIT, _RESNET = ("proj",), ("attnpool.c_proj", "attnpool")
"""Sites of each family, by their names in the image tower; the first one is the everyday one."""
_KNOWN = "use an open_clip ViT (visual.proj) or ResNet (visual.attnpool.c_proj)"


@dataclass(frozen=True)
class Site:
    """A projection site.

    Attributes
    ----------
    name : str
        Its name in the image tower.
    projection : Projection
        The pretrained one, a float32 copy on the CPU.
    trunk : callable
        Pixels [B, 3, H, W] to features [B, D_in] before the projection.
    """

    name: str
    projection: Projection
    trunk: Callable[[Tensor], Tensor]


def find_site(model: nn.Module, name: str, site: str | None = None) -> Site:
    """Return a projection site of an open_clip model, whose state stays as it is.

    Parameters
    ----------
    model : torch.nn.Module
        From open_clip.
    name : str
        What the user calls it.
    site : str, optional
        `proj` in a ViT; `attnpool.c_proj`, the default, or `attnpool` in a ResNet: the last linear map of its
        attention pool, or the whole.

    Raises
    ------
    EvenhandError
        If the image tower is of a family that is not supported, or has no such site.
    """
    chosen = _chosen(site, _sites(model, name), name)
    projection = projection_of({key: _own(view) for key, view in _views(model, chosen).items()})
    return Site(chosen, projection, _trunk(model.visual, chosen))


def write_projection(model: nn.Module, projection: Projection) -> None:
    """Copy a projection into the site of an open_clip model that it came from, in the model's own precision.

    Raises
    ------
    EvenhandError
        If no site of the model has its tensors.
    """
    given = projection.tensors()
    sites = {site: _views(model, site) for site in _sites(model, type(model).__name__)}
    views = next((found for found in sites.values() if _shapes(found) == _shapes(given)), None)
    if views is None:
        wanted = " or ".join(f"visual.{site} {_shapes(found)}" for site, found in sites.items())
        raise EvenhandError(
            f"the projection has tensors of shapes {_shapes(given)} but the model wants {wanted}; "
            "write it into the model that it came from"
        )
    with torch.no_grad():
        for key, view in views.items():
            view.copy_(given[key])


def check_config(config: Mapping[str, Any], name: str, site: str | None = None) -> None:
    """Refuse by its configuration a model without a supported site, before its weights are downloaded.

    Raises
    ------
    EvenhandError
        If the image tower comes from timm, or its family has no such site.
    """
    tower = config.get("vision_cfg", {})
    timm = tower.get("timm_model_name")
    if timm:
        raise EvenhandError(
            f"model {name!r} has the timm image tower {timm}, whose projection evenhand does not know yet; "
            f"{_KNOWN}"
        )
    # open_clip tells the two by this alone: a ResNet lists the layers of its stages.
    _chosen(site, _RESNET if isinstance(tower.get("layers"), (list, tuple)) else _VIT, name)


def _sites(model: nn.Module, name: str) -> tuple[str, ...]:
    visual = model.visual
    if isinstance(visual, ModifiedResNet):
        return _RESNET
    # Without pooling the tower gives one vector per patch.
    if isinstance(visual, VisionTransformer) and visual.proj is not None and visual.pool_type != "none":
        return _VIT
    raise EvenhandError(
        f"model {name!r} has an image tower of type {type(visual).__name__} whose projection evenhand does "
        f"not know yet; {_KNOWN}"
    )


def _chosen(site: str | None, sites: tuple[str, ...], name: str) -> str:
    if site is not None and site not in sites:
        raise EvenhandError(f"--site {site!r} is none of model {name!r}; it has {' and '.join(sites)}")
    return site or sites[0]


def _views(model: nn.Module, site: str) -> dict[str, Tensor]:
    """Return views of a site's weights, named and shaped as a `Projection` has them, that write through."""
    visual: Any = model.visual
    if site == "proj":
        return {"weight": visual.proj.detach()}
    pool = visual.attnpool
    last = {"weight": pool.c_proj.weight.detach().T, "bias": pool.c_proj.bias.detach()}
    return last if site == "attnpool.c_proj" else {**last, **_before_last(pool)}


def _before_last(pool: AttentionPool2d) -> dict[str, Tensor]:
    heads = (pool.num_heads, -1)
    linear = {"query": pool.q_proj, "key": pool.k_proj, "value": pool.v_proj}
    weights = {f"{name}_weight": map_.weight.detach().T.unflatten(1, heads) for name, map_ in linear.items()}
    # The keys' bias moves no output (see `attention_pool`): it stays what it is.
    biases = {f"{name}_bias": linear[name].bias.detach().unflatten(0, heads) for name in ("query", "value")}
    return {"positional_embedding": pool.positional_embedding.detach(), **weights, **biases}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _own(tensor: Tensor) -> Tensor:
    return tensor.float().cpu().contiguous().clone()


def _trunk(visual: Any, site: str) -> Callable[[Tensor], Tensor]:
    if site == "proj":
        return _without_projection(visual)
    maps = copy.copy(visual)
    maps._modules = {**visual._modules, "attnpool": nn.Identity()}
    if site == "attnpool":
        return lambda pixels: maps(pixels).flatten(1)
    return _pooled(visual.attnpool, maps)


def _without_projection(visual: VisionTransformer) -> Callable[[Tensor], Tensor]:
    """Return the same tower, sharing its weights, that stops before `@ proj`."""
    trunk = copy.copy(visual)
    trunk._parameters = {**visual._parameters, "proj": None}

    def run(pixels: Tensor) -> Tensor:
        out = trunk(pixels)
        pooled: Tensor = out[0] if isinstance(out, tuple) else out
        return pooled

    return run


def _pooled(pool: AttentionPool2d, maps: ModifiedResNet) -> Callable[[Tensor], Tensor]:
    """Return the tower with the attention pool's last linear map replaced by the identity."""
    width = pool.c_proj.in_features
    device, dtype = pool.c_proj.weight.device, pool.c_proj.weight.dtype
    identity = {
        "c_proj.weight": torch.eye(width, device=device, dtype=dtype),
        "c_proj.bias": torch.zeros(width, device=device, dtype=dtype),
    }

    def run(pixels: Tensor) -> Tensor:
        pooled: Tensor = torch.func.functional_call(pool, identity, (maps(pixels),))
        return pooled

    return run
