"""Where the projection lives in each family of open_clip's models. Only `config_sites` knows of it, too."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from evenhand._errors import EvenhandError
from evenhand.backbones.config_sites import CLASSIFIER, KNOWN, LINEAR, MLP, RESNET, VIT, chosen_site
from evenhand.backbones.projection import Projection, projection_of


@dataclass(frozen=True)
class Site:
    """A projection site.

    Attributes
    ----------
    name : str
        Its name in the image tower.
    projection : Projection
        The pretrained one, a float32 copy on the CPU.
    trunk : torch.nn.Module
        Pixels [B, 3, H, W] to features [B, D_in] before the projection; it shares the model's weights.
    """

    name: str
    projection: Projection
    trunk: nn.Module


def find_site(model: nn.Module, name: str, site: str | None = None) -> Site:
    """Return a projection site of an open_clip model, whose state stays as it is.

    Parameters
    ----------
    model : torch.nn.Module
        An open_clip model.
    name : str
        Name of the model in messages.
    site : str, optional
        In a ResNet `attnpool.c_proj`, the default, or `attnpool`: the last linear map of its attention pool,
        or the whole. Other families have one site: `proj` in a ViT; in a timm tower `head.proj`,
        `head.mlp.fc2`, or `trunk.classifier`, the trunk's own last linear map. Where a tower ends without a
        linear map, as SigLIP's do, `head.proj` is an identity behind it.

    Raises
    ------
    EvenhandError
        If the image tower is of a family that is not supported, or has no such site.
    """
    chosen = chosen_site(site, _sites(model, name), name)
    projection = projection_of({key: _own(view) for key, view in _views(model, chosen).items()})
    return Site(chosen, projection, _trunk(model.visual, chosen))


def write_projection(model: Any, projection: Projection) -> None:
    """Copy a projection into the site of an open_clip model that it came from, in the model's own precision.

    A tower that ends without a linear map gets one, as open_clip's `timm_proj: linear` has it.

    Raises
    ------
    EvenhandError
        If no site of the model has its tensors.
    """
    given = projection.tensors()
    sites = {site: _views(model, site) for site in _sites(model, type(model).__name__)}
    site = next((name for name, found in sites.items() if _shapes(found) == _shapes(given)), None)
    if site is None:
        wanted = " or ".join(f"visual.{site} {_shapes(found)}" for site, found in sites.items())
        raise EvenhandError(
            f"the projection has tensors of shapes {_shapes(given)} but the model wants {wanted}; "
            "write it into the model that it came from"
        )
    visual: Any = model.visual
    if _ends_bare(visual):
        rows, columns = given["weight"].shape
        like = next(visual.parameters())
        visual.head.add_module(
            "proj", nn.Linear(rows, columns, bias=False, device=like.device, dtype=like.dtype)
        )
    with torch.no_grad():
        for key, view in _views(model, site).items():
            view.copy_(given[key])


def written_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a model that `write_projection` wrote into."""
    tower = dict(config["vision_cfg"])
    if tower.get("timm_model_name") and tower.get("timm_proj") == "none":
        tower |= {"timm_proj": "linear", "timm_proj_bias": False}
    return {**config, "vision_cfg": tower}


def _sites(model: nn.Module, name: str) -> tuple[str, ...]:
    visual = model.visual
    if isinstance(visual, ModifiedResNet):
        return RESNET
    # Without pooling the tower gives one vector per patch.
    if isinstance(visual, VisionTransformer) and visual.proj is not None and visual.pool_type != "none":
        return VIT
    found = _timm_sites(visual) if isinstance(visual, TimmModel) else ()
    if not found:
        raise EvenhandError(
            f"model {name!r} has an image tower of type {type(visual).__name__} whose projection evenhand "
            f"does not know; {KNOWN}"
        )
    return found


def _timm_sites(visual: TimmModel) -> tuple[str, ...]:
    parts = dict(visual.head.named_children())
    if "proj" in parts or "mlp" in parts:
        return LINEAR if "proj" in parts else MLP
    classifier = visual.trunk.get_classifier()
    if "pool" not in parts and isinstance(classifier, (nn.Linear, nn.Identity)):
        return CLASSIFIER if isinstance(classifier, nn.Linear) else LINEAR
    return ()


def _ends_bare(visual: Any) -> bool:
    """Return whether a tower ends without a linear map, so that one has to be appended."""
    return (
        isinstance(visual, TimmModel) and _timm_sites(visual) == LINEAR and not hasattr(visual.head, "proj")
    )


def _path(visual: Any, site: str) -> str:
    """Return the path of a site's module in the tower: timm has many names for classifiers."""
    if site not in CLASSIFIER:
        return site
    classifier = visual.trunk.get_classifier()
    paths: dict[nn.Module, str] = {module: name for name, module in visual.named_modules()}
    return paths[classifier]


def _views(model: nn.Module, site: str) -> dict[str, Tensor]:
    """Return views of a site's weights, named and shaped as a `Projection` has them, that write through."""
    visual: Any = model.visual
    if site == "proj":
        return {"weight": visual.proj.detach()}
    if _ends_bare(visual):
        return {"weight": torch.eye(visual.trunk.num_features)}
    pool = site == "attnpool"
    linear = visual.get_submodule("attnpool.c_proj" if pool else _path(visual, site))
    bias = {} if linear.bias is None else {"bias": linear.bias.detach()}
    last = {"weight": linear.weight.detach().T, **bias}
    return {**last, **_before_last(visual.attnpool)} if pool else last


def _before_last(pool: AttentionPool2d) -> dict[str, Tensor]:
    heads = (pool.num_heads, -1)
    linear = {"query": pool.q_proj, "key": pool.k_proj, "value": pool.v_proj}
    weights = {f"{name}_weight": map_.weight.detach().T.unflatten(1, heads) for name, map_ in linear.items()}
    # The keys' bias changes no output (see `attention_pool`), so it stays as it is.
    biases = {f"{name}_bias": linear[name].bias.detach().unflatten(0, heads) for name in ("query", "value")}
    return {"positional_embedding": pool.positional_embedding.detach(), **weights, **biases}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _own(tensor: Tensor) -> Tensor:
    return tensor.float().cpu().contiguous().clone()


def _trunk(visual: Any, site: str) -> nn.Module:
    """Return the same tower, sharing its weights, that stops before a site."""
    if site == "proj":
        trunk = copy.copy(visual)
        trunk._parameters = {**visual._parameters, "proj": None}
        return _Pooled(trunk)
    if site == "attnpool":
        return _replaced(visual, site, nn.Flatten())
    if site == "attnpool.c_proj":
        # The pool reads the weights of its last map itself, so an Identity would not work.
        return _replaced(visual, site, _identity(visual.attnpool.c_proj))
    if _ends_bare(visual):
        tower: nn.Module = visual
        return tower
    return _replaced(visual, _path(visual, site), nn.Identity())


def _replaced(module: nn.Module, path: str, part: nn.Module) -> nn.Module:
    first, _, rest = path.partition(".")
    twin = copy.copy(module)
    inner = _replaced(module.get_submodule(first), rest, part) if rest else part
    twin._modules = {**module._modules, first: inner}
    return twin


def _identity(linear: nn.Linear) -> nn.Linear:
    like = linear.weight
    same = nn.Linear(linear.in_features, linear.in_features, device=like.device, dtype=like.dtype)
    with torch.no_grad():
        nn.init.eye_(same.weight)
        nn.init.zeros_(same.bias)
    return same.eval()


class _Pooled(nn.Module):
    """A tower without its projection; tokens, which some towers also return, are left out."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, pixels: Tensor) -> Tensor:
        out = self.tower(pixels)
        pooled: Tensor = out[0] if isinstance(out, tuple) else out
        return pooled
