"""transformers' format: a folder that CLIPModel, CLIPProcessor and the zero-shot pipeline load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transformer import QuickGELU, VisionTransformer
from torch import Tensor

from evenhand._errors import EvenhandError
from evenhand._optional import optional
from evenhand.backbones.folder import write_words
from evenhand.backbones.openclip_model import OpenClipBackbone
from evenhand.backbones.quiet import quiet_transformers
from evenhand.backbones.transformers import HfBackbone, write_hf_projection
from evenhand.exports.clip_weights import transformers_names
from evenhand.exports.openclip import merge, write_scale
from evenhand.exports.places import no_place
from evenhand.exports.source import ExportSource, check_agreement, check_text_head
from evenhand.exports.weights import save_weights
from evenhand.functional.geometry import cosine_logits, prototypes

TOLERANCE = 1e-5
_START, _END = "<|startoftext|>", "<|endoftext|>"


def write(source: ExportSource, folder: Path) -> float:
    """Write weights, configuration, tokenizer and processor; return how far its logits are from the run's.

    Raises
    ------
    EvenhandError
        If the extra is not installed, transformers has no place for the model or for the run's head, its
        tokenizer reads a prompt in another way, or the written folder predicts something else.
    """
    transformers = optional("transformers", "hf")
    backbone = source.backbone
    if isinstance(backbone, OpenClipBackbone):
        _check_family(backbone)
    check_text_head(source, "transformers")
    with quiet_transformers(transformers):
        if isinstance(backbone, OpenClipBackbone):
            _write_converted(transformers, source, backbone, folder)
        else:
            _write_own(transformers, source, backbone, folder)
        write_words(folder, backbone.words)
        model = transformers.CLIPModel.from_pretrained(folder).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    prompts = [prompt for name in source.classes for prompt in source.prompts[name]]
    tokens = tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    if isinstance(backbone, OpenClipBackbone):
        _check_tokens(prompts, tokens, backbone.tokenizer(prompts))

    def predict(pixels: Tensor) -> Tensor:
        # Prompts of a class are averaged as the run averages them.
        embedded = model(input_ids=tokens, pixel_values=pixels)
        texts = embedded.text_embeds.split([len(source.prompts[name]) for name in source.classes])
        t = torch.cat([prototypes(text[None]) for text in texts])
        return cosine_logits(embedded.image_embeds, t, model.logit_scale.exp())

    return check_agreement(source, predict, TOLERANCE, "transformers")


def _write_own(transformers: Any, source: ExportSource, backbone: HfBackbone, folder: Path) -> None:
    try:
        write_hf_projection(backbone.model, source.model.projection)
    except EvenhandError as error:
        raise _no_place(backbone, str(error)) from error
    write_scale(source, backbone.model)
    backbone.model.save_pretrained(folder)
    _save_processor(transformers, backbone.images, backbone.tokenizer, folder)


def _write_converted(
    transformers: Any, source: ExportSource, backbone: OpenClipBackbone, folder: Path
) -> None:
    merge(source, backbone.model, "transformers")
    weights = transformers_names(backbone.model.state_dict())
    if weights is None:
        raise _no_place(backbone, "its transformer blocks are not CLIP's")
    _config(transformers, backbone).save_pretrained(folder)
    save_weights(weights, folder / "model.safetensors")
    _save_processor(transformers, _images(transformers, backbone), _tokenizer(transformers, backbone), folder)


def _save_processor(transformers: Any, images: Any, tokenizer: Any, folder: Path) -> None:
    transformers.CLIPProcessor(images, tokenizer).save_pretrained(folder)
    # Versions before 5 read the image processor from a file of its own.
    images.save_pretrained(folder)


def _check_family(backbone: OpenClipBackbone) -> None:
    model = backbone.model
    if type(model) is not CLIP:
        raise _no_place(backbone, "it is not a CLIP of open_clip's own towers")
    visual = model.visual
    if not isinstance(visual, VisionTransformer):
        raise _no_place(backbone, f"its image tower is a {type(visual).__name__}")
    if visual.pool_type != "tok" or visual.attn_pool is not None or model.text_pool_type != "argmax":
        raise _no_place(backbone, "its pooling is not CLIP's")
    if not isinstance(backbone.tokenizer, SimpleTokenizer):
        raise _no_place(backbone, "its tokenizer is not CLIP's")
    if backbone.preprocessing()["resize_mode"] not in ("shortest", "squash"):
        raise _no_place(backbone, "it pads images")


def _no_place(backbone: OpenClipBackbone | HfBackbone, reason: str) -> EvenhandError:
    if isinstance(backbone, HfBackbone):
        advice = "use `to='onnx'`, or fit on open_clip's model of the same name and use `to='open_clip'`"
        return no_place(backbone.name, reason, advice)
    return no_place(backbone.name, reason)


def _config(transformers: Any, backbone: OpenClipBackbone) -> Any:
    model = backbone.model
    quick = any(isinstance(module, QuickGELU) for module in model.modules())
    visual = model.visual
    return transformers.CLIPConfig(
        architectures=["CLIPModel"],
        projection_dim=visual.proj.shape[1],
        logit_scale_init_value=model.logit_scale.item(),
        vision_config={
            **_blocks(visual.transformer, quick),
            "image_size": visual.image_size[0],
            "patch_size": visual.patch_size[0],
            "projection_dim": visual.proj.shape[1],
        },
        text_config={
            **_blocks(model.transformer, quick),
            "vocab_size": model.vocab_size,
            "max_position_embeddings": model.context_length,
            "projection_dim": visual.proj.shape[1],
            "bos_token_id": backbone.tokenizer.sot_token_id,
            "eos_token_id": backbone.tokenizer.eot_token_id,
            "pad_token_id": backbone.tokenizer.eot_token_id,
        },
    )


def _blocks(transformer: Any, quick: bool) -> dict[str, Any]:
    first = transformer.resblocks[0]
    return {
        "hidden_size": transformer.width,
        "intermediate_size": first.mlp.c_fc.out_features,
        "num_hidden_layers": len(transformer.resblocks),
        "num_attention_heads": first.attn.num_heads,
        "hidden_act": "quick_gelu" if quick else "gelu",
        "layer_norm_eps": first.ln_1.eps,
    }


def _images(transformers: Any, backbone: OpenClipBackbone) -> Any:
    made = backbone.preprocessing()
    height, width = made["size"] if isinstance(made["size"], (tuple, list)) else (made["size"],) * 2
    squash = made["resize_mode"] == "squash"
    return transformers.CLIPImageProcessor(
        size={"height": height, "width": width} if squash else {"shortest_edge": min(height, width)},
        do_center_crop=not squash,
        crop_size={"height": height, "width": width},
        resample={"bicubic": 3, "bilinear": 2}[made["interpolation"]],
        image_mean=list(made["mean"]),
        image_std=list(made["std"]),
    )


def _tokenizer(transformers: Any, backbone: OpenClipBackbone) -> Any:
    own = backbone.tokenizer
    special = {own.decoder[own.sot_token_id]: _START, own.decoder[own.eot_token_id]: _END}
    return transformers.CLIPTokenizer(
        vocab={special.get(token, token): number for token, number in own.encoder.items()},
        merges=list(own.bpe_ranks),
        model_max_length=backbone.model.context_length,
    )


def _check_tokens(prompts: Sequence[str], tokens: Tensor, wanted: Tensor) -> None:
    """Refuse prompts that the written tokenizer reads in another way; padding at their end is ignored."""
    for prompt, row, own in zip(prompts, tokens, wanted, strict=True):
        length = int(own.argmax()) + 1
        if not torch.equal(row[:length], own[:length]):
            raise EvenhandError(
                f"to: transformers tokenizes the prompt {prompt!r} differently from open_clip; "
                "use plainer prompts, `to='open_clip'` or `to='onnx'`"
            )
