"""What a model's name tells of it before its weights are read, which may have to be downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from evenhand._errors import EvenhandError
from evenhand.backbones.config_sites import RESNET, VIT, config_sites
from evenhand.backbones.folder import CONFIG, HF_CONFIG, HF_PREFIX, folder_of
from evenhand.backbones.typed_names import config_file, read_model

RESNET_GROWTH = 32
"""A ResNet's features are so many times as wide as its first stage."""


class Outline(NamedTuple):
    """What is known of a model by its name and, if it is on this machine, its configuration.

    Attributes
    ----------
    model : str
        The name as a store's card has it.
    family : str
        `open_clip` or `transformers`.
    sites : tuple of str, default=()
        The sites that it may have; empty if they are not known.
    width : int, optional
        Features before the projection at the first of the sites; None if it is not known.
    """

    model: str
    family: str
    sites: tuple[str, ...] = ()
    width: int | None = None


def outline_of(model: str) -> Outline:
    """Return the outline of a model; nothing is downloaded, and no weights are read.

    Raises
    ------
    EvenhandError
        As `read_model`.

    Examples
    --------
    >>> outline_of("ViT-B/32")
    Outline(model='ViT-B-32', family='open_clip', sites=('proj',), width=768)
    >>> outline_of("hf:ORG/NAME")
    Outline(model='hf:ORG/NAME', family='transformers', sites=(), width=None)
    """
    name = read_model(model)
    folder = folder_of(name)
    if name.startswith(HF_PREFIX):
        tower = _object(folder / HF_CONFIG if folder else None, "vision_config")
        return Outline(name, "transformers", width=tower.get("hidden_size"))
    if folder is not None:
        tower = _object(folder / CONFIG, "model_cfg", "vision_cfg")
    else:
        tower = _object(config_file(name), "vision_cfg")
        name = name.replace("/", "-") if tower else name
    sites: tuple[str, ...] = ()
    with suppress(EvenhandError):  # raised again when the model is loaded
        sites = config_sites({"vision_cfg": tower}, name) if tower else ()
    return Outline(name, "open_clip", sites, _width(tower, sites))


def _width(tower: Mapping[str, Any], sites: tuple[str, ...]) -> int | None:
    width = tower.get("width")
    # The configuration of a timm tower does not tell, and a ViT's attention pool has a width of its own.
    if not isinstance(width, int) or sites not in (VIT, RESNET) or tower.get("attentional_pool"):
        return None
    return width if sites == VIT else RESNET_GROWTH * width


def _object(path: Path | None, *keys: str) -> dict[str, Any]:
    """Return the object below these keys of a JSON file; an empty one if there is none."""
    with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        found = json.loads(path.read_bytes()) if path else {}
        for key in keys:
            found = found[key]
        return found if isinstance(found, dict) else {}
    return {}
