"""Train the embedded CLIP from drawn images and captions alone, and write its open_clip folder.

    python scripts/train_tiny_clip.py --out src/evenhand/backbones/tiny_model

In the pretraining images bird and background are nearly independent. A bird fills a twentieth of the image
and its background the rest, so the features hold both, and the background more strongly. The birds are drawn
clearly; those of the benchmark are smaller and fainter, as photographs of the wild are to CLIP. Equal seeds
give an equal model up to the float arithmetic of the machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

from evenhand._random import numpy_stream, torch_stream
from evenhand.datasets.scenes import HOME, Look, draw_scene

CLEAR = Look((0.085, 0.15), 0.0, 8.0)
"""Portraits, from which the model learns its words."""
CONFIG = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
    "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 64, "heads": 4, "layers": 2},
}
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
AT_HOME = 0.6
"""Share of pretraining birds on the background of their class."""

BIRDS = {"waterbird": ("waterbird", "duck", "goose"), "landbird": ("landbird", "sparrow", "jay")}
GROUNDS = {"water": ("water", "a lake", "the sea"), "land": ("land", "a meadow", "grass")}
BIRD_ONLY = ("a photo of a {bird}.", "a {bird}.", "a picture of a {bird}.")
GROUND_ONLY = ("a photo of {ground}.", "a picture of {ground}.")
BOTH = (
    "a photo of a {bird} on {ground}.",
    "a {bird} on {ground}.",
    "a picture of a {bird} in front of {ground}.",
)


def pairs(n: int, seed: int) -> tuple[Tensor, list[str]]:
    """Draw n images, uint8 [n, 3, 64, 64], each with a caption."""
    rng = numpy_stream(seed, "tiny-clip", "pairs")
    images, captions = np.empty((n, 64, 64, 3), dtype=np.uint8), []
    for k in range(n):
        bird = rng.choice([*HOME, *HOME, *HOME, None])
        ground = str(rng.choice([*GROUNDS]))
        if bird is not None:
            away = next(g for g in GROUNDS if g != HOME[bird])
            ground = HOME[bird] if rng.random() < AT_HOME else away
        images[k] = np.asarray(draw_scene(rng, bird, ground, look=CLEAR))
        templates = GROUND_ONLY if bird is None else (*BIRD_ONLY, *BOTH, *BOTH, *GROUND_ONLY)
        words = {"bird": rng.choice(BIRDS[bird]) if bird else "", "ground": rng.choice(GROUNDS[ground])}
        captions.append(str(rng.choice(templates)).format(**words))
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), captions


def contrastive_loss(image: Tensor, text: Tensor, scale: Tensor, caption: Tensor) -> Tensor:
    """CLIP's loss for images [B, D] and the different captions [U, D] among them, of index `caption` [B].

    All images with one caption are its matches, so that equal captions never repel each other.
    """
    logits = scale * image @ text.T
    matches = one_hot(caption, len(text)).to(logits.dtype)
    return (cross_entropy(logits, caption) + cross_entropy(logits.T, (matches / matches.sum(dim=0)).T)) / 2


def train(images: Tensor, captions: list[str], *, epochs: int, batch: int, seed: int) -> open_clip.CLIP:
    """Train from scratch with AdamW and a cosine schedule."""
    torch.manual_seed(seed)  # open_clip initializes from the global generator
    model = open_clip.CLIP(**CONFIG)
    tokens = open_clip.SimpleTokenizer(context_length=24)(captions)
    different, caption_number = torch.unique(tokens, dim=0, return_inverse=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps, pct_start=0.1)
    generator = torch_stream(seed, "tiny-clip", "batches")
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator)[: steps // epochs * batch].split(batch):
            x = (images[rows].float() / 255 - mean) / std
            mirrored = torch.rand(len(rows), generator=generator) < 0.5
            x[mirrored] = x[mirrored].flip(-1)
            image = normalize(model.encode_image(x.contiguous(memory_format=torch.channels_last)), dim=1)
            present, caption = torch.unique(caption_number[rows], return_inverse=True)
            text = normalize(model.encode_text(different[present]), dim=1)
            loss = contrastive_loss(image, text, model.logit_scale.exp().clamp(max=100), caption)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / (steps // epochs):.4f}", flush=True)
    return model.eval()


def save(model: open_clip.CLIP, out: Path) -> None:
    """Write the folder that open_clip loads as `local-dir:`, weights in float16."""
    out.mkdir(parents=True, exist_ok=True)
    preprocess = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}
    config = {"model_cfg": CONFIG, "preprocess_cfg": preprocess}
    (out / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    halves = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file(halves, out / "open_clip_model.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    drawn = pairs(options.pairs, options.seed)
    print(f"{options.pairs} pairs drawn", flush=True)
    save(train(*drawn, epochs=options.epochs, batch=128, seed=options.seed), options.out)
