"""What a store holds, projected, is what the model itself makes of the pictures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import save_file

from evenhand.backbones.openclip import load_openclip
from evenhand.backbones.projection import head_projection
from evenhand.data.images.decode import read_image
from evenhand.data.manifest import Manifest
from evenhand.extract.embed_images import embed

TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
TOWERS: dict[str, dict[str, Any]] = {
    "vit": {"image_size": 32, "patch_size": 8, "width": 48, "head_width": 16, "layers": 2},
    "resnet": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16},
}


@pytest.mark.parametrize(
    ("tower", "site"), [("vit", None), ("resnet", None), ("resnet", "attnpool")], ids=str
)
@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("float16", 1e-3)])
def test_a_projected_store_is_encode_image(
    tmp_path: Path, tower: str, site: str | None, dtype: str, bound: float
) -> None:
    config = {"embed_dim": 32, "vision_cfg": TOWERS[tower], "text_cfg": TEXT, "quick_gelu": True}
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": {}}))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(CLIP(**config).state_dict(), folder / "open_clip_model.safetensors")
    photos = _photos(tmp_path / "photos")
    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    backbone = load_openclip(f"local-dir:{folder}", site=site)
    table = embed(Manifest.read(photos), backbone, tmp_path / "s", dtype=dtype, batch_size=5)
    with torch.inference_mode():
        pixels = torch.stack([transform(read_image(Path(path))) for path in table.paths])
        own = model.eval().encode_image(pixels, normalize=True).numpy()
    h = torch.from_numpy(table.features(np.arange(len(table))))
    assert np.abs(head_projection(table.head).embed(h).numpy() - own).max() < bound


def _photos(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
        for k in range(6):
            noise = generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(noise).resize((80, 60)).save(folder / name / f"{k}.png")
    return folder
