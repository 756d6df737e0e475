"""CLIP, SigLIP and SigLIP 2 of transformers, small and with random weights."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

NAMES = ("landbird", "waterbird", "bird", "cat", "dog")
WORDS = ["<pad>", "<unk>", "a", "photo", "of", "one", ".", *NAMES, "<bos>", "<eos>"]
TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION = {"hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 3}
ENDS = {"bos_token_id": len(WORDS) - 2, "eos_token_id": len(WORDS) - 1, "pad_token_id": 0}
LENGTH = {"vocab_size": len(WORDS), "max_position_embeddings": 16}
KINDS = ("clip", "siglip", "siglip2")


def tokenizer() -> Any:
    inner = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(word, WORDS.index(word)) for word in ("<bos>", "<eos>")]
    inner.post_processor = processors.TemplateProcessing(single="<bos> $A <eos>", special_tokens=ends)
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=16, **special)


def small(kind: str) -> tuple[Any, Any]:
    """Return a model and its image processor."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "clip":
            config = transformers.CLIPConfig(
                text_config={**TEXT, **LENGTH, **ENDS, "hidden_act": "gelu"},
                vision_config={**VISION, "image_size": 32, "patch_size": 8, "hidden_act": "quick_gelu"},
                projection_dim=24,
            )
            images = transformers.CLIPImageProcessor(
                size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
            )
            return transformers.CLIPModel(config), images
        text = {**TEXT, **LENGTH, **ENDS, "projection_size": 48}
        if kind == "siglip":
            config = transformers.SiglipConfig(
                text_config=text, vision_config={**VISION, "image_size": 32, "patch_size": 8}
            )
            model = transformers.SiglipModel(config)
            images = transformers.SiglipImageProcessor(size={"height": 32, "width": 32})
        else:
            config = transformers.Siglip2Config(
                text_config=text, vision_config={**VISION, "num_patches": 16, "patch_size": 8}
            )
            model = transformers.Siglip2Model(config)
            images = transformers.Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
        for module in model.modules():
            # They start at values that hide a lost weight.
            if isinstance(module, nn.LayerNorm):
                nn.init.normal_(module.weight, 1, 0.3)
        return model, images


def write_hf(kind: str, folder: Path) -> Path:
    """Write a model with its image processor and tokenizer as transformers' folder."""
    model, images = small(kind)
    for part in (model, images, tokenizer()):
        part.save_pretrained(folder)
    return folder
