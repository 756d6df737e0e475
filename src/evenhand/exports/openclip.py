"""open_clip's format: a folder that open_clip loads by `local-dir:`."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand.backbones.folder import write_words
from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.sites import write_projection, written_config
from evenhand.exports.places import not_open_clip
from evenhand.exports.source import ExportSource, check_agreement, check_text_head
from evenhand.exports.weights import save_weights
from evenhand.functional.geometry import cosine_logits

TOLERANCE = 1e-5
_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode", "fill_color")


def write(source: ExportSource, folder: Path) -> float:
    """Write configuration, tokenizer files and weights; return how far its logits are from the run's.

    Raises
    ------
    EvenhandError
        If the run's model is not one of open_clip, its head is not the text tower's, the model has no such
        projection, or the written folder predicts something else.
    """
    backbone = source.backbone
    if not isinstance(backbone, OpenClipBackbone) or backbone.config is None:
        raise not_open_clip(backbone.name)
    check_text_head(source, "open_clip")
    merge(source, backbone.model, "open_clip")
    model = backbone.model
    save_weights(model.state_dict(), folder / "open_clip_model.safetensors")
    preprocessing = {name: backbone.preprocessing()[name] for name in _PREPROCESSING}
    config = {"model_cfg": written_config(backbone.config), "preprocess_cfg": preprocessing}
    written = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    (folder / "open_clip_config.json").write_text(written, encoding="utf-8")
    if hasattr(backbone.tokenizer, "save_pretrained"):
        backbone.tokenizer.save_pretrained(folder)
    write_words(folder, backbone.words)
    loaded = load_openclip(f"local-dir:{folder}")
    text = torch.tensor(loaded.head(source.classes, source.prompts).text)

    def predict(pixels: Tensor) -> Tensor:
        z: Tensor = loaded.model.encode_image(pixels, normalize=True)
        return cosine_logits(z, text, loaded.model.logit_scale.exp())

    return check_agreement(source, predict, TOLERANCE, "open_clip")


def merge(source: ExportSource, model: Any, target: str) -> None:
    """Write the projection and the logit scale of a run into an open_clip model.

    Raises
    ------
    EvenhandError
        If no site of the model has the projection's tensors.
    """
    try:
        write_projection(model, source.model.projection)
    except EvenhandError as error:
        raise EvenhandError(
            f"to: {target} has no place for the projection of method {source.card['method']!r} ({error}); "
            "use `to='onnx'`, which takes any"
        ) from error
    write_scale(source, model)


def write_scale(source: ExportSource, model: Any) -> None:
    """Write the run's logit scale into a model that keeps its logarithm."""
    with torch.no_grad():
        model.logit_scale.fill_(log(source.model.logit_scale))
