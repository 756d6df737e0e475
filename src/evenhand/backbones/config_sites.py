"""The projection sites that an open_clip model has by its configuration, before its weights are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evenhand._errors import EvenhandError

VIT, RESNET = ("proj",), ("attnpool.c_proj", "attnpool")
LINEAR, MLP, CLASSIFIER = ("head.proj",), ("head.mlp.fc2",), ("trunk.classifier",)
"""Sites of each family, by their names in the image tower; the first is the default."""
KNOWN = (
    "use a ViT (visual.proj), a ResNet (visual.attnpool), or a timm tower with a linear map, an MLP or the "
    "trunk's own classifier after its pooling"
)


def config_sites(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the sites of a model by its configuration, before its weights are downloaded.

    Raises
    ------
    EvenhandError
        If its image tower has no known site.
    """
    tower = config.get("vision_cfg", {})
    if not tower.get("timm_model_name"):
        if tower.get("pool_type") == "none":
            raise EvenhandError(f"model {name!r} has an image tower that gives a vector per patch; {KNOWN}")
        # open_clip tells the two apart only by this: a ResNet lists the layers of its stages.
        return RESNET if isinstance(tower.get("layers"), (list, tuple)) else VIT
    last, pool = tower.get("timm_proj", "linear"), tower.get("timm_pool", "avg")
    if last in ("linear", "mlp"):
        return LINEAR if last == "linear" else MLP
    if pool in ("abs_attn", "rot_attn"):
        raise EvenhandError(
            f"model {name!r} has the timm image tower {tower['timm_model_name']} that ends in the attention "
            f"pool {pool}, whose projection evenhand does not know; {KNOWN}"
        )
    return LINEAR if last == "none" else CLASSIFIER


def check_config(config: Mapping[str, Any], name: str, site: str | None = None) -> None:
    """Refuse by its configuration a model without a supported site, before its weights are downloaded.

    Raises
    ------
    EvenhandError
        If the image tower has no known site, or not this one.
    """
    chosen_site(site, config_sites(config, name), name)


def chosen_site(site: str | None, sites: tuple[str, ...], name: str) -> str:
    """Return the site that is asked for, by default the first.

    Raises
    ------
    EvenhandError
        If the model has no such site.
    """
    if site is not None and site not in sites:
        raise EvenhandError(f"site: {site!r} is not a site of model {name!r}; it has {' and '.join(sites)}")
    return site or sites[0]
