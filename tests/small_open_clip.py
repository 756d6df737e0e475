"""open_clip models, small and with random weights: one for each kind of image tower and head."""

import json
from math import log
from pathlib import Path
from typing import Any

import torch
from open_clip.coca_model import CoCa
from open_clip.model import CLIP
from safetensors.torch import save_file

TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
VIT = {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2}
DECODER = {**TEXT, "attn_pooler_heads": 4}


def timm(name: str, size: int = 64, **more: Any) -> dict[str, Any]:
    return {"embed_dim": 32, "vision_cfg": {"timm_model_name": name, "image_size": size, **more}}


MODELS: dict[str, dict[str, Any]] = {
    "vit": {"embed_dim": 32, "vision_cfg": VIT, "quick_gelu": True},
    "vit-gelu": {"embed_dim": 32, "vision_cfg": VIT},
    # The logit scale of pretrained CLIP.
    "vit-sharp": {"embed_dim": 32, "vision_cfg": VIT, "init_logit_scale": log(100)},
    "vit-average": {"embed_dim": 32, "vision_cfg": {**VIT, "pool_type": "avg"}},
    "resnet": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
    },
    "timm-linear": timm("test_convnext", timm_pool=""),
    "timm-mlp": timm("test_convnext", timm_pool="", timm_proj="mlp"),
    "timm-classifier": timm("test_byobnet", timm_proj=None),
    "timm-map": timm("test_vit3", 160, timm_pool="map", timm_proj=None),
    "siglip": {
        **timm("test_vit3", 160, timm_pool="map", timm_proj="none"),
        "embed_dim": 96,
        "init_logit_bias": -10,
    },
    "coca": {
        "embed_dim": 32,
        "vision_cfg": {**VIT, "attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True},
        "multimodal_cfg": {"context_length": 24, "width": 32, "heads": 2, "layers": 1, "vocab_size": 49408},
        "custom_text": True,
    },
}


def write_open_clip(kind: str, folder: Path) -> Path:
    """Write a model as open_clip's folder."""
    config = {**MODELS[kind], "text_cfg": TEXT}
    if kind == "coca":
        config["text_cfg"] = {**TEXT, "embed_cls": True, "output_tokens": True}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        arguments = {name: value for name, value in config.items() if name != "custom_text"}
        model = (CoCa if kind == "coca" else CLIP)(**arguments)
        for name, parameter in model.named_parameters():
            if name.endswith("bias") and parameter.ndim:
                torch.nn.init.normal_(parameter, std=0.5)
            elif name == "text_decoder.text_projection":  # which CoCa leaves as its memory was
                torch.nn.init.normal_(parameter, std=0.1)
    folder.mkdir(parents=True)
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": {"interpolation": "bilinear"}})
    )
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    return folder
