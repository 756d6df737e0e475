"""Check that a loaded model gives finite numbers, before the first image is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import nn

from evenhand._errors import EvenhandError
from evenhand.backbones.base import Backbone
from evenhand.backbones.loader_errors import told
from evenhand.backbones.preprocessing import check_preprocessing
from evenhand.data.head import Head

_DO = "its weights are damaged or belong to another model; download them again"


def check_weights(model: nn.Module, name: str) -> None:
    """Refuse weights that are not finite.

    Raises
    ------
    EvenhandError
        If a parameter holds NaN or infinity.
    """
    for key, parameter in model.named_parameters():
        # A sum takes a tenth of the time, and is finite only if all weights are.
        if math.isfinite(float(parameter.detach().sum())):
            continue
        wrong = parameter.numel() - int(torch.isfinite(parameter).sum())
        if wrong:
            raise EvenhandError(
                f"model {name!r} has weights that are not finite: {wrong} of {parameter.numel()} in "
                f"{key}; {_DO}"
            )


def check_processors(images: Any, tokenizer: Any, model: str) -> None:
    """Refuse an image processor or a tokenizer of transformers that cannot prepare any input.

    Raises
    ------
    EvenhandError
        If a mean, a deviation or a size is not allowed, or there is no padding token.
    """
    where = f"the image processor of model {model}"
    settings = images.to_dict()
    if settings.get("do_normalize"):
        check_preprocessing({name: settings.get(f"image_{name}") for name in ("mean", "std")}, where)
    for name in ("size", "crop_size"):
        for side in dict(settings.get(name) or {}).values():
            check_preprocessing({"size": side}, where)
    if tokenizer.pad_token is None:
        raise EvenhandError(
            f"the tokenizer of model {model} has no padding token, which prompts of several lengths "
            "need; copy tokenizer_config.json and special_tokens_map.json from the base model"
        )


def sound_head(head: Head, name: str) -> Head:
    """Return a head unchanged if its numbers are finite.

    Raises
    ------
    EvenhandError
        If a prototype or the logit scale is not finite, or the scale is not positive.
    """
    if not (math.isfinite(head.logit_scale) and head.logit_scale > 0):
        raise EvenhandError(
            f"model {name!r} has the logit scale {head.logit_scale}; it must be positive and finite: {_DO}"
        )
    for label, row in zip(head.classes, () if head.text is None else head.text, strict=False):
        if not math.isfinite(float(row.sum())):
            raise EvenhandError(
                f"model {name!r} gives text features that are not finite for class {label!r}; {_DO}"
            )
    return head


def check_texts(features: torch.Tensor, texts: Sequence[str], name: str) -> None:
    """Refuse features of texts that are not finite.

    Raises
    ------
    EvenhandError
        If a row of the features [n, D_out] holds NaN or infinity.
    """
    for text, row in zip(texts, features, strict=True):
        if not math.isfinite(float(row.sum())):
            raise EvenhandError(f"model {name!r} gives features that are not finite for {text!r}; {_DO}")


def check_trunk(backbone: Backbone) -> None:
    """Pass one gray image through, so that a fault of the image tower is reported at once.

    Raises
    ------
    EvenhandError
        If the image cannot be prepared, or its features are of another width than the projection's or are
        not finite.
    """
    with told(f"model {backbone.name!r} cannot process images"):
        pixels = backbone.preprocess(Image.new("RGB", (64, 48), (128, 128, 128)))
        features = backbone.trunk(pixels[None])
    if tuple(features.shape) != (1, backbone.width):
        raise EvenhandError(
            f"model {backbone.name!r} gives features of shape {list(features.shape)} for one image, "
            f"where its projection takes [1, {backbone.width}]; {_DO}"
        )
    if not bool(torch.isfinite(features).all()):
        raise EvenhandError(f"model {backbone.name!r} gives image features that are not finite; {_DO}")
