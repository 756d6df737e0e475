"""Configurations too large for any real model, refused before memory is reserved for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evenhand._errors import EvenhandError

_WIDTHS = (
    "width",
    "embed_dim",
    "hidden_size",
    "intermediate_size",
    "projection_dim",
    "projection_size",
    "context_length",
    "hf_proj_dim",
    "head_width",
)
"""Sizes whose square counts weights of the model, or memory that it takes."""
_COUNTS = (
    "layers",
    "num_hidden_layers",
    "heads",
    "num_attention_heads",
    "attn_pooler_heads",
    "patch_size",
    "num_channels",
)
_LENGTHS = ("vocab_size", "max_position_embeddings", "num_patches", "n_queries", "attn_pooler_queries")
_SIDES = ("image_size", "input_size")
_RATIOS = ("mlp_ratio",)
_DEEP, _WIDE = ("layers", "num_hidden_layers"), ("width", "hidden_size")
_SMALL = 1024
"""A width that is allowed for any weights, because some numbers of a configuration are unused defaults."""
_MOST = {**dict.fromkeys(_COUNTS, 1000), **dict.fromkeys(_SIDES, 8192), **dict.fromkeys(_RATIOS, 1000)}


def check_limits(config: Mapping[str, Any], weights: int, where: str) -> None:
    """Refuse a configuration whose numbers are out of proportion to its weights.

    Parameters
    ----------
    config : mapping
        Configuration of a model, with that of each tower inside.
    weights : int
        Bytes of its weights, which limit how many weights the model can have.
    where : str
        Name of the configuration in messages.

    Raises
    ------
    EvenhandError
        If a size is not a positive whole number, or is larger than the weights allow.
    """
    room = max(weights, _SMALL**2)
    most = {**_MOST, **dict.fromkeys(_WIDTHS, int(room**0.5)), **dict.fromkeys(_LENGTHS, room)}
    for name, value in _numbers(config):
        key = name.rpartition(".")[2]
        if key not in most or value is None:
            continue
        whole = type(value) is int or (key in _RATIOS and type(value) is float)
        if not whole or not 0 < value <= most[key]:
            raise EvenhandError(
                f"{where} has {name} = {str(value)[:40]!r}; with weights of {weights} bytes, the allowed "
                f"values are {'numbers' if key in _RATIOS else 'whole numbers'} from 1 to {most[key]}: "
                "it is damaged, or belongs to other weights"
            )
    _check_towers(config, weights, where)


def check_grid(weights: Mapping[str, Any], config: Mapping[str, Any], file: str) -> None:
    """Refuse a ViT's weights for images of another size: open_clip would resize their positions silently.

    Raises
    ------
    EvenhandError
        If there are more or fewer position embeddings than the configuration has patches.
    """
    positions, tower = weights.get("visual.positional_embedding"), config["vision_cfg"]
    size, patch = tower.get("image_size"), tower.get("patch_size")
    if positions is None or type(size) is not int or type(patch) is not int:
        return
    side = round((len(positions) - 1) ** 0.5)
    if side != size // patch:
        raise EvenhandError(
            f"{file} has position embeddings for images of {side * patch} pixels, but the model takes "
            f"{size}; give `preprocess='size={side * patch}'`, or the name of the model of that size"
        )


def _check_towers(config: Mapping[str, Any], weights: int, where: str) -> None:
    """Refuse towers with more layers than the weights can fill."""
    for name, tower in config.items():
        if not isinstance(tower, Mapping):
            continue
        layers, width = (
            next((tower[key] for key in keys if type(tower.get(key)) is int), 0) for keys in (_DEEP, _WIDE)
        )
        if layers * width**2 > max(weights, _SMALL**2):
            raise EvenhandError(
                f"{where} has {layers} layers of width {width} in {name}, more than weights of {weights} "
                "bytes can fill: it is damaged, or belongs to other weights"
            )


def _numbers(config: Mapping[str, Any], name: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        inside = f"{name}{key}"
        if isinstance(value, Mapping):
            if depth:
                yield from _numbers(value, f"{inside}.", depth - 1)
        elif isinstance(value, (list, tuple)):
            yield from ((inside, one) for one in value)
        else:
            yield inside, value
