"""The weights of an open_clip ViT CLIP under the names that transformers' CLIPModel has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_NAMES = {
    "logit_scale": "logit_scale",
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    # The misspelling is transformers' own.
    "visual.ln_pre.weight": "vision_model.pre_layrnorm.weight",
    "visual.ln_pre.bias": "vision_model.pre_layrnorm.bias",
    "visual.ln_post.weight": "vision_model.post_layernorm.weight",
    "visual.ln_post.bias": "vision_model.post_layernorm.bias",
}
_MATRICES = {"visual.proj": "visual_projection.weight", "text_projection": "text_projection.weight"}
"""open_clip multiplies from the right; a linear layer holds the transpose."""


def transformers_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the weights by transformers' names; None if one has no place there."""
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if name in _MATRICES:
            found[_MATRICES[name]] = tensor.T
        elif name in _NAMES:
            found[_NAMES[name]] = tensor
        else:
            placed = _of_block(name, tensor)
            if not placed:
                return None
            found |= placed
    return found


def _of_block(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """Return one weight of a transformer block: attention's are stacked in open_clip, apart here."""
    match = re.fullmatch(r"(visual\.)?transformer\.resblocks\.(\d+)\.(.+?)[._](weight|bias)", name)
    if match is None:
        return {}
    visual, number, part, kind = match.groups()
    layer = f"{'vision' if visual else 'text'}_model.encoder.layers.{number}"
    if part == "attn.in_proj":
        return {
            f"{layer}.self_attn.{letter}_proj.{kind}": third
            for letter, third in zip("qkv", tensor.chunk(3), strict=True)
        }
    return {f"{layer}.{_BLOCK[part]}.{kind}": tensor} if part in _BLOCK else {}
